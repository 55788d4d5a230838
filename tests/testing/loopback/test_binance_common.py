"""What Binance's two dialects share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt
import pytest

from fsm_arb.testing.loopback.binance_common import _recent

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

Desks = Callable[..., Any]
BOTH = pytest.mark.parametrize("name", ["binance", "binanceusdm"])
PATHS = {"binance": "/binance/api/v3", "binanceusdm": "/binanceusdm/fapi/v1"}


@BOTH
async def test_an_unsigned_request_is_refused(server: LoopbackExchange, name: str) -> None:
    """Without a key, and with a key but no signature."""
    url = f"{server.url}{PATHS[name]}/openOrders"
    key = {"X-MBX-APIKEY": server.ccxt_config(name)["apiKey"]}
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as reply:
            assert (reply.status, (await reply.json())["code"]) == (401, -2014)
        async with session.get(url, params={"timestamp": "1"}, headers=key) as reply:
            assert (reply.status, (await reply.json())["code"]) == (400, -1102)
        async with session.get(f"{server.url}{PATHS[name]}/nothing") as reply:
            assert reply.status == 404


@BOTH
async def test_orders_are_found_by_either_id_and_only_in_their_market(desk: Desks, name: str) -> None:
    """An unknown one is not found."""
    venue = desk(name)
    created = await venue.buy("a1")
    assert (await venue.ccxt.fetch_order(created["id"], venue.symbol))["clientOrderId"] == "a1"
    assert (await venue.look_up("a1"))["id"] == created["id"]
    with pytest.raises(ccxt.OrderNotFound):
        await venue.look_up("a2")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.ccxt.fetch_order(created["id"], venue.symbol.replace("BTC", "ETH"))


@BOTH
async def test_trades_are_listed_from_a_time_or_a_trade_on(desk: Desks, name: str) -> None:
    """And by order."""
    venue = desk(name)
    first = await venue.ioc("buy", "0.01", venue.touch, "a1")
    await venue.ioc("buy", "0.01", venue.touch, "a2")
    one, two = await venue.ccxt.fetch_my_trades(venue.symbol)
    assert await venue.ccxt.fetch_my_trades(venue.symbol, venue.ccxt.milliseconds() + 60_000) == []
    (by_order,) = await venue.ccxt.fetch_my_trades(venue.symbol, None, None, {"orderId": first["id"]})
    (later,) = await venue.ccxt.fetch_my_trades(venue.symbol, None, None, {"fromId": two["id"]})
    assert (by_order["id"], later["id"]) == (one["id"], two["id"])
    assert (one["takerOrMaker"], one["order"]) == ("taker", first["id"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": None}, -1102),
        ({"symbol": "DOGEUSDT"}, -1121),
        ({"side": "UP"}, -1117),
        ({"type": "STOP"}, -1116),
        ({"quantity": None}, -1102),
        ({"quantity": "x"}, -1100),
        ({"recvWindow": "70000"}, -1131),
        ({"timestamp": ""}, -1102),
    ],
)
async def test_a_malformed_create_is_refused(desk: Desks, changes: dict[str, Any], code: int) -> None:
    """Before it comes near the books."""
    binance = desk("binance")
    create = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "60000"}
    with pytest.raises(ccxt.BaseError, match=str(code)):
        await binance.ccxt.privatePostOrder({k: v for k, v in (create | changes).items() if v is not None})


async def test_a_market_sell_for_quote_is_worth_its_base(desk: Desks) -> None:
    """What ccxt asks for when a market sell carries a price."""
    binance = desk("binance")
    sold = await binance.ccxt.create_order("BTC/USDT", "market", "sell", "0.01", "67900")
    assert sold["filled"] == "0.01000000"


async def test_an_order_is_asked_for_by_some_id(desk: Desks) -> None:
    """None at all is an error of its own; all orders can start at one."""
    binance = desk("binance")
    first, second = await binance.buy("a1"), await binance.rest("r1")
    with pytest.raises(ccxt.BaseError, match="-1102"):
        await binance.ccxt.privateGetOrder({"symbol": "BTCUSDT"})
    rows = await binance.ccxt.privateGetAllOrders({"symbol": "BTCUSDT", "orderId": second["id"]})
    assert [str(row["orderId"]) for row in rows] == [second["id"]]
    assert first["id"] != second["id"]


@BOTH
async def test_any_call_may_be_refused(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """In codes that mean a definite no."""
    venue = desk(name)
    await venue.rest("r1")
    for operation in ("fetch", "cancel", "balance"):
        await server.inject(name, operation, "refused")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.look_up("r1")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.cancel("r1")
    with pytest.raises(ccxt.BaseError, match="-2015"):
        await venue.ccxt.fetch_balance()
    assert (await venue.look_up("r1"))["status"] == "open"


def test_recent_trades_are_found_without_reading_all() -> None:
    """A trade that was booked late is still among them."""

    class Fill:
        def __init__(self, at_ms: int) -> None:
            self.at_ms = at_ms

    fills: Any = [Fill(at) for at in (0, 500_000, 400_000, 1_000_000)]
    assert _recent(fills, None) == fills
    assert _recent(fills, 510_000) == fills[1:]
