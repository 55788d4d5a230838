"""A journal held against what its exchanges list, with real ccxt objects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner

from fsm_arb.audit.executions import executed
from fsm_arb.audit.live import as_executed, compare_live
from fsm_arb.audit.reconciling import Comparison, compare
from fsm_arb.cli.app import command
from fsm_arb.errors import VenueUnanswered
from fsm_arb.testing.loopback.client import LoopbackExchange
from fsm_arb.venues.history import History


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A demonstration of four trades whose exchange still runs."""
    folder = tmp_path_factory.mktemp("kept") / "demo"
    words = f"demo --seed 3 --trades 4 --faults none --latency 0 --keep --dir {folder}".split()
    assert CliRunner().invoke(command, words, catch_exceptions=False).exit_code == 0
    yield folder
    asyncio.run(_stop(folder))


def _state(folder: Path) -> Path:
    (state,) = folder.glob("exchange-*.json")
    return state


async def _joined(folder: Path) -> LoopbackExchange:
    exchange = await LoopbackExchange.rejoin(_state(folder))
    assert exchange is not None
    return exchange


async def _stop(folder: Path) -> None:
    await (await _joined(folder)).stop()


def live(folder: Path, *names: str, then: Callable[[LoopbackExchange], Awaitable[Any]] | None = None) -> Comparison:
    """Compare with the exchange that runs."""

    async def compare() -> Comparison:
        exchange = await _joined(folder)
        try:
            accounts = {name: History(exchange.ccxt(name), name=name) for name in names}
            if then is not None:
                await then(exchange)
            return await compare_live(folder / "trades.db", accounts, now_ms=time.time_ns() // 1_000_000)
        finally:
            await exchange.aclose()

    return asyncio.run(compare())


def test_a_journal_and_its_exchanges_agree(kept: Path) -> None:
    """One lists its executions; of the other each order is asked for."""
    found = live(kept, "binance", "upbit")
    assert found.differences == []
    assert found.orders >= 8
    assert found.executions >= found.orders


def test_an_exchange_that_is_not_named_is_left_out(kept: Path) -> None:
    """Its orders are nobody's business then."""
    both, one = live(kept, "binance", "upbit"), live(kept, "binance")
    assert 0 < one.orders < both.orders
    assert (one.ok, one.outside) == (True, 0)


def test_what_the_account_traded_besides_shows(kept: Path) -> None:
    """An order on a market of the journal's that it does not know, under an id that has the form of ours."""
    ours = next(order for order in executed(kept / "trades.db") if order.exchange == "binance")

    async def trade(exchange: LoopbackExchange) -> None:
        account = exchange.ccxt("binance")
        await account.load_markets()
        words = {"newClientOrderId": "f0009zzzzzzzzzzzzz"}
        await account.create_order(ours.symbol, "market", "buy", float(ours.amount), None, words)

    # The journal's trades ended before: what came later is none of its time.
    assert live(kept, "binance", then=trade).ok
    at_ms = time.time_ns() // 1_000_000
    later = [evolve(order, ended_ms=at_ms + 60_000) for order in executed(kept / "trades.db")]

    async def compare_again() -> Comparison:
        exchange = await _joined(kept)
        try:
            history = History(exchange.ccxt("binance"), name="binance")
            listed = await history.executions(ours.symbol, ours.began_ms - 60_000, at_ms + 60_000)
        finally:
            await exchange.aclose()
        return compare(later, as_executed(("binance", ours.symbol), listed, "its list"))

    found = asyncio.run(compare_again())
    assert [each.missing for each in found.differences] == ["journal"]
    assert "the journal knows of no such order" in found.differences[0].what


def test_an_exchange_that_does_not_answer_is_no_difference(kept: Path) -> None:
    """Nothing was found out, and the error says so."""

    async def compare() -> None:
        exchange = await _joined(kept)
        try:
            account = exchange.ccxt("binance")
            account.urls["api"] = dict.fromkeys(account.urls["api"], "http://127.0.0.1:9")
            history = History(account, name="binance")
            await compare_live(kept / "trades.db", {"binance": history}, now_ms=time.time_ns() // 1_000_000)
        finally:
            await exchange.aclose()

    with pytest.raises(VenueUnanswered, match="binance: its executions of"):
        asyncio.run(compare())
