"""What tests and demos do to the server."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt
import pytest

from fsm_arb.testing.loopback import LoopbackUnavailable

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

Desks = Callable[..., Any]
D = Decimal


async def test_a_command_needs_the_token(server: LoopbackExchange) -> None:
    """And must exist."""
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/control/truth", json={}) as reply:
        assert reply.status == 403
    with pytest.raises(LoopbackUnavailable, match="404"):
        await server.control("nothing")
    with pytest.raises(LoopbackUnavailable, match="400 KeyError"):
        await server.control("down", dialect="kraken")


async def test_balances_are_set_and_count_as_initial(desk: Desks, server: LoopbackExchange) -> None:
    """What is put in from outside is no result of trading."""
    await server.set_balances("upbit", KRW=20_000_000, DOGE="5")
    balance = await desk("upbit").ccxt.fetch_balance()
    assert (D(balance["KRW"]["free"]), D(balance["DOGE"]["free"])) == (20_000_000, 5)
    venue = await server.venue("upbit")
    assert (venue.initial["KRW"], venue.unexplained()) == (20_000_000, {})
    await server.set_balances("binanceusdm", USDT=10)
    assert (await server.venue("binanceusdm")).wallet["USDT"] == 10


async def test_a_book_is_fixed_shown_and_freed(server: LoopbackExchange) -> None:
    """A fixed one does not move; a freed one does again."""
    await server.set_book("binance", "ETH/USDT", bids=[(3000, 1), (3001, 2)], asks=[(3002, 1)])
    book = await server.book("binance", "ETH/USDT")
    assert [level.price for level in book.bids] == [3001, 3000]
    await server.move(10)
    assert await server.book("binance", "ETH/USDT") == book
    await server.free_book("binance", "ETH/USDT")
    one = await server.book("binance", "ETH/USDT")
    await server.move()
    assert await server.book("binance", "ETH/USDT") != one


async def test_a_resting_order_fills_as_the_book_moves(desk: Desks, server: LoopbackExchange) -> None:
    """Steps that nobody looked at count too."""
    binance = desk("binance")
    await server.free_book("binance", "BTC/USDT")
    touch = (await server.book("binance", "BTC/USDT")).bids[0].price
    await binance.limit("buy", "0.001", str(touch), "r1")
    await server.move(5000)
    order = await binance.true_order("r1")
    assert (order.status, order.spent) == ("filled", touch * D("0.001"))


async def test_a_venue_goes_down_and_up(desk: Desks, server: LoopbackExchange) -> None:
    """Until told otherwise, or for a while; the others stay up."""
    upbit, binance = desk("upbit"), desk("binance")
    await server.down("upbit")
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await upbit.ccxt.fetch_balance()
    await binance.ccxt.fetch_balance()
    await server.up("upbit")
    await upbit.ccxt.fetch_balance()


async def test_the_profile_changes_while_it_runs(server: LoopbackExchange) -> None:
    """For some venues, or all; clearing ends it."""
    await server.set_profile("many", "upbit")
    assert (await server.control("ping"))["profiles"] == {"upbit": "many", "binance": "none", "binanceusdm": "none"}
    await server.set_profile("some")
    await server.inject("upbit", "create", "refused", count=3)
    assert await server.pending_faults() == 3
    await server.clear_faults()
    state = await server.control("ping")
    assert (set(state["profiles"].values()), state["pending_faults"]) == ({"none"}, 0)
    with pytest.raises(LoopbackUnavailable, match="does not apply"):
        await server.inject("upbit", "book", "cancel_race")


async def test_a_market_is_halted_and_banded(desk: Desks, server: LoopbackExchange) -> None:
    """In the middle of a run."""
    binance = desk("binance", production_urls=True)
    await server.set_market("binance", "BTC/USDT", halted=True)
    with pytest.raises(ccxt.BaseError, match="closed"):
        await binance.buy("a1")
    await server.set_market("binance", "BTC/USDT", halted=False, band="0.0001")
    with pytest.raises(ccxt.BaseError, match="PERCENT_PRICE"):
        await binance.ioc("buy", "0.1", "68000", "a2")
    await server.set_market("binance", "BTC/USDT", band=0)
    await binance.ioc("buy", "0.1", "68000", "a3")


async def test_an_order_is_filled_and_a_trade_busted_by_hand(desk: Desks, server: LoopbackExchange) -> None:
    """Fills in parts, too."""
    binance = desk("binance")
    await binance.rest("r1")
    await server.fill("binance", "r1", "0.04")
    assert (await binance.true_order("r1")).filled == D("0.04")
    await server.fill("binance", "r1")
    (first, _) = (await server.venue("binance")).fills
    await server.bust("binance", first.trade_id)
    venue = await server.venue("binance")
    assert (venue.orders[0].filled, venue.unexplained()) == (D("0.06"), {})
    with pytest.raises(LoopbackUnavailable, match="UnknownOrder"):
        await server.fill("binance", "r2")


async def test_latency_and_pace_are_set(desk: Desks, server: LoopbackExchange) -> None:
    """A reply takes at least half of what was asked for."""
    upbit = desk("upbit")
    await upbit.ccxt.load_markets()
    await server.set_latency("upbit", 40)
    started = upbit.ccxt.milliseconds()
    await upbit.ccxt.fetch_order_book("BTC/KRW")
    assert upbit.ccxt.milliseconds() - started >= 19
    await server.set_pace(1)
    first = await server.move(0)
    await server.set_latency("upbit", 10)
    await upbit.ccxt.fetch_balance()
    assert await server.move(0) > first


async def test_time_is_skipped_for_all_that_is_timed(desk: Desks, server: LoopbackExchange) -> None:
    """An outage ends and books move, and the venue's clock still agrees with ours."""
    binance = desk("binance")
    await server.set_pace(50)
    step = await server.move(0)
    await server.down("binance", 60_000)
    await server.skip(60_000)
    assert abs(await binance.ccxt.fetch_time() - binance.ccxt.milliseconds()) < 1000
    await binance.buy("a1")
    assert await server.move(0) >= step + 1200
    with pytest.raises(LoopbackUnavailable, match="backwards"):
        await server.skip(-1)
