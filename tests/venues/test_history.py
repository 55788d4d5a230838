"""What an account has executed, as its exchange lists it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.errors import VenueUnanswered
from fsm_arb.ports import OrderRef
from fsm_arb.testing.loopback.client import LoopbackExchange
from fsm_arb.values import Side
from fsm_arb.venues.history import DAY_MS, WHOLE, History

D = Decimal
pytestmark = pytest.mark.asyncio


async def traded(account: Any, symbol: str, amount: float, count: int = 1) -> list[str]:
    """Buy at the market, so often; return the orders' ids."""
    await account.load_markets()
    return [(await account.create_order(symbol, "market", "buy", amount))["id"] for _ in range(count)]


async def test_every_execution_of_a_market_is_listed() -> None:
    """Page by page, oldest first; in base also where the exchange counts contracts."""
    async with LoopbackExchange(seed=7) as exchange:
        for name, symbol in (("binance", "BTC/USDT"), ("binanceusdm", "BTC/USDT:USDT")):
            account = exchange.ccxt(name)
            orders = await traded(account, symbol, 0.01, 3)
            history = History(account, name=name)
            assert history.lists
            now = account.milliseconds()
            listed = await history.executions(symbol, now - DAY_MS // 2, now + 60_000)
            assert [each.order_id for each in listed if each.order_id in orders] == sorted(
                (each.order_id for each in listed), key=orders.index
            )
            assert sum(each.fill.amount for each in listed) == D("0.03")
            assert all(each.side is Side.BUY and each.fill.fee is not None for each in listed)
            assert await history.executions(symbol, now + 120_000, now + DAY_MS) == []


async def test_pages_are_followed_to_their_end() -> None:
    """Each from where the last one ended, until nothing new comes; what is listed twice counts once."""

    class Pages:
        id, has, options = "paged", {"fetchMyTrades": True}, {}

        async def load_markets(self) -> None: ...

        def market(self, symbol: str) -> dict[str, Any]:
            return {"symbol": symbol, "spot": True}

        async def fetch_my_trades(self, symbol: str, since: int, limit: None, params: dict[str, int]) -> list[Any]:
            asked.append((since, params["until"]))
            return [row for row in rows if since <= row["timestamp"] <= params["until"] + 10][:3]

    asked: list[tuple[int, int]] = []
    rows = [
        {"id": str(n), "order": "o", "side": "sell", "amount": "1", "price": "2", "timestamp": n * 10} for n in range(8)
    ]
    exchange: Any = Pages()
    for name in ("create_order", "fetch_order", "cancel_order", "fetch_balance", "fetch_open_orders"):
        setattr(exchange, name, exchange.load_markets)
    listed = await History(exchange, name="paged").executions("X/Y", 5, 60)
    assert [each.fill.fill_id for each in listed] == ["1", "2", "3", "4", "5", "6"]
    assert asked[0] == (5, 60)


async def test_an_order_is_asked_for_where_nothing_is_listed() -> None:
    """Upbit lists no executions; one order tells its own."""
    async with LoopbackExchange(seed=7) as exchange:
        account = exchange.ccxt("upbit")
        history = History(account, name="upbit")
        assert not history.lists
        await account.load_markets()
        order = await account.create_order("BTC/KRW", "limit", "buy", 0.01, 200_000_000, {"timeInForce": "IOC"})
        ref = OrderRef(
            symbol="BTC/KRW", side=Side.BUY, amount=D("0.01"), client_order_id="f", venue_order_id=order["id"]
        )
        listed = await history.order(ref)
        assert sum(each.fill.amount for each in listed) == D("0.01")
        assert {each.order_id for each in listed} == {order["id"]}


class Shown:
    """An exchange that shows one order."""

    id = "shown"
    has: dict[str, Any] = {}  # noqa: RUF012 - as ccxt's classes have it
    options: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, **order: Any) -> None:
        self.order = {
            "id": "o1",
            "status": "closed",
            "filled": "2",
            "amount": "2",
            "side": "buy",
            "symbol": "X/Y",
        } | order

    async def load_markets(self) -> dict[str, Any]:
        return {"X/Y": self.market("X/Y")}

    create_order = cancel_order = fetch_balance = fetch_open_orders = load_markets

    def market(self, symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "spot": True, "base": "X", "quote": "Y"}

    async def fetch_order(self, *_: Any) -> dict[str, Any]:
        if "error" in self.order:
            raise self.order["error"]
        return self.order


REF = OrderRef(symbol="X/Y", side=Side.BUY, amount=D(2), client_order_id="f1", venue_order_id="o1")


async def test_an_order_without_its_executions_counts_as_one() -> None:
    """At its average; one that never filled has none."""
    (whole,) = await History(Shown(average="3"), name="shown").order(REF)
    assert (whole.fill.fill_id, whole.fill.amount, whole.fill.price) == (WHOLE, 2, 3)
    assert await History(Shown(filled="0"), name="shown").order(REF) == []


async def test_an_order_that_cannot_be_told_is_an_error() -> None:
    """It is no difference between journal and exchange."""
    with pytest.raises(VenueUnanswered, match="no price for what filled"):
        await History(Shown(average=None), name="shown").order(REF)
    with pytest.raises(VenueUnanswered, match="shown: order f1"):
        await History(Shown(error=TimeoutError("no answer")), name="shown").order(REF)


async def test_an_exchange_that_fails_is_named_without_its_keys() -> None:
    """Whatever its message says."""
    account: Any = Shown()
    account.secret = "a-very-secret-secret"  # noqa: S105 - a planted one
    account.fetch_my_trades = _refusing
    with pytest.raises(VenueUnanswered) as caught:
        await History(account, name="shown").executions("X/Y", 0, 1)
    assert "shown: its executions of X/Y" in str(caught.value)
    assert "a-very-secret-secret" not in str(caught.value)


async def _refusing(*_: Any) -> None:
    raise RuntimeError("refused: a-very-secret-secret")
