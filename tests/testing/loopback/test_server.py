"""The server as a whole: sound books under many faults, speed, and what it listens on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt

from fsm_arb.testing.loopback import LoopbackExchange

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import VenueTruth

Desks = Callable[..., Any]
D = Decimal
PARSERS = (AttributeError, TypeError, IndexError)  # what ccxt makes of a list that is none
SYMBOLS = {"upbit": "BTC/KRW", "binance": "BTC/USDT", "binanceusdm": "BTC/USDT:USDT"}


def assert_sound(name: str, venue: VenueTruth) -> None:
    """Balances moved by exactly the trades and their fees, and no order filled beyond its amount."""
    for order in venue.orders:
        fills = [fill for fill in venue.fills if fill.order_id == order.order_id]
        assert order.filled == sum((fill.amount for fill in fills), D(0))
        assert order.amount is None or order.filled <= order.amount
    assert venue.unexplained() == {}
    if name == "binanceusdm":
        assert venue.positions.get(SYMBOLS[name], D(0)) == venue.bought(SYMBOLS[name])
    elif not any(order.is_open for order in venue.orders):
        assert not any(venue.used.values())


async def trade(server: LoopbackExchange, name: str, seed: int) -> None:
    """A careless bot: places, reads, cancels, and shrugs at every error, those of ccxt's parsers too."""
    draw, exchange, symbol = random.Random(seed), server.ccxt(name), SYMBOLS[name]
    await exchange.load_markets()
    for number in range(60):
        with contextlib.suppress(ccxt.BaseError, *PARSERS):
            book = await exchange.fetch_order_book(symbol, 20)
            side = draw.choice(["buy", "sell"])
            price = D(str(book["asks" if side == "buy" else "bids"][draw.randrange(3)][0]))
            if draw.random() < 0.4:
                price = D(str(book["bids" if side == "buy" else "asks"][0][0]))
            amount = D(draw.randrange(2, 300)) / 1000
            params: dict[str, Any] = {"clientOrderId": f"x{seed}n{number}"}
            if draw.random() < 0.5:
                params["timeInForce"] = "IOC"
            order = await exchange.create_order(symbol, "limit", side, amount, price, params)
            if order["id"] is not None and draw.random() < 0.7:
                await exchange.cancel_order(order["id"], symbol)
        with contextlib.suppress(ccxt.BaseError, *PARSERS):
            await exchange.fetch_open_orders(symbol)
            await exchange.fetch_balance()


async def test_the_books_are_sound_under_many_faults() -> None:
    """Whatever is dropped, delayed, raced or filled late, the server's own account adds up."""
    async with LoopbackExchange(seed=11, profile="many", step_ms=5) as server:
        await asyncio.gather(*(trade(server, name, seed) for seed, name in enumerate(SYMBOLS)))
        await server.clear_faults()
        await server.skip(1_000)
        truth, log = await server.truth(), await server.log()
        for name in SYMBOLS:
            assert len(truth[name].orders) > 20
            assert truth[name].fills
            assert_sound(name, truth[name])
            assert truth[name].sent_twice() == []
        assert len(log.faults()) > 12
        assert sum(log.counts.values()) == log.total


async def test_a_run_is_the_same_for_the_same_seed() -> None:
    """Ids, trades and fees; only the times differ."""

    async def run(seed: int) -> list[tuple[Any, ...]]:
        async with LoopbackExchange(seed=seed, step_ms=0) as server:
            upbit = server.ccxt("upbit")
            for number in range(5):
                book = await upbit.fetch_order_book("BTC/KRW")
                price = D(str(book["asks"][2][0]))
                params = {"timeInForce": "IOC", "clientOrderId": f"a{number}"}
                await upbit.create_order("BTC/KRW", "limit", "buy", D("0.5"), price, params)
                await server.move(7)
            fills = (await server.venue("upbit")).fills
            return [(fill.order_id, fill.trade_uuid, fill.price, fill.amount, fill.fee) for fill in fills]

    assert await run(5) == await run(5)
    assert await run(5) != await run(6)


async def test_hundreds_of_requests_a_second() -> None:
    """Over one connection, the client's own work included."""
    async with LoopbackExchange(seed=1) as server, aiohttp.ClientSession() as session:
        started = time.perf_counter()
        for _ in range(200):
            async with session.get(f"{server.url}/upbit/v1/orderbook?markets=KRW-BTC") as reply:
                await reply.read()
        assert 200 / (time.perf_counter() - started) > 200


async def test_every_request_is_logged_with_its_fault(desk: Desks, server: LoopbackExchange) -> None:
    """What was asked, by which client id, what went wrong and what was answered."""
    binance = desk("binance")
    await binance.ccxt.load_markets()
    await server.inject("binance", "create", "error_503", executed=False)
    with contextlib.suppress(ccxt.BaseError):
        await binance.buy("a1")
    await binance.buy("a2")
    log = await server.log(since=2)
    first, second = log.requests
    assert (first["client_id"], first["fault"], first["status"], first["executed"]) == ("a1", "error_503", 503, False)
    assert (second["client_id"], second["fault"], second["status"], second["executed"]) == ("a2", None, 200, True)
    assert log.counts == {
        ("binance", "meta", ""): 1,
        ("binance", "create", "error_503"): 1,
        ("binance", "create", ""): 1,
    }


async def test_unknown_paths_answer_in_each_venues_way(server: LoopbackExchange) -> None:
    """And an unknown venue is not there at all."""
    async with aiohttp.ClientSession() as session:
        for path, status in (("/upbit/v1/no", 404), ("/binance/api/v3/no", 404), ("/kraken/0/public", 404)):
            async with session.get(server.url + path) as reply:
                assert reply.status == status


async def test_it_listens_on_loopback_only(server: LoopbackExchange) -> None:
    """Not on every address of the machine."""
    assert server._server is not None
    assert server._server._runner is not None
    assert [address[0] for address in server._server._runner.addresses] == ["127.0.0.1"]
