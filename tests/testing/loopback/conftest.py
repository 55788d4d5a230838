"""A server in the test's own event loop, its books still, and real ccxt objects that talk to it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from fixed_venues import make, order

from fsm_arb.testing.loopback import LoopbackExchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


D = Decimal

__all__ = ["make", "order"]  # fixtures

SYMBOLS = {"upbit": "BTC/KRW", "binance": "BTC/USDT", "binanceusdm": "BTC/USDT:USDT"}
BOOKS = {  # one bid, two asks
    "upbit": (("95000000", "0.3"), ("95100000", "0.2"), ("95200000", "0.3")),
    "binance": (("67900", "0.3"), ("67910", "0.2"), ("67920", "0.3")),
    "binanceusdm": (("67900", "0.3"), ("67910", "0.2"), ("67920", "0.3")),
}


class Desk:
    """One venue as a careful bot would use it: every call by client id, every number a string."""

    def __init__(self, server: LoopbackExchange, exchange: Any) -> None:
        self.server = server
        self.ccxt = exchange
        self.name: str = exchange.id
        self.symbol = SYMBOLS[self.name]
        bid, touch, top = BOOKS[self.name]
        self.bid, self.touch, self.top = bid[0], touch[0], top[0]
        self.below = {"upbit": "94000000"}.get(self.name, "67000")  # a buy at this rests

    async def limit(self, side: str, amount: str, price: str, client_id: str, **params: Any) -> dict[str, Any]:
        """Place a limit order that may rest."""
        return await self.ccxt.create_order(
            self.symbol, "limit", side, Decimal(amount), Decimal(price), {"clientOrderId": client_id, **params}
        )

    async def ioc(self, side: str, amount: str, price: str, client_id: str) -> dict[str, Any]:
        """Place an immediate-or-cancel order."""
        return await self.limit(side, amount, price, client_id, timeInForce="IOC")

    async def buy(self, client_id: str = "a1") -> dict[str, Any]:
        """Buy 0.1 at the touch."""
        return await self.ioc("buy", "0.1", self.touch, client_id)

    async def rest(self, client_id: str = "r1") -> dict[str, Any]:
        """Bid for 0.1 below the book."""
        return await self.limit("buy", "0.1", self.below, client_id)

    async def look_up(self, client_id: str) -> dict[str, Any]:
        """Read an order by its client id."""
        if self.name == "upbit":
            return self.ccxt.parse_order(await self.ccxt.privateGetOrder({"identifier": client_id}))
        return await self.ccxt.fetch_order(None, self.symbol, {"clientOrderId": client_id})

    async def cancel(self, client_id: str) -> dict[str, Any]:
        """Cancel an order by its client id."""
        if self.name == "upbit":
            return self.ccxt.parse_order(await self.ccxt.privateDeleteOrder({"identifier": client_id}))
        return await self.ccxt.cancel_order(None, self.symbol, {"clientOrderId": client_id})

    async def true_order(self, client_id: str) -> Any:
        """Return the server's own record of an order."""
        return (await self.server.venue(self.name)).order(client_id)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[LoopbackExchange]:
    """Every BTC book fixed, no faults, no latency."""
    async with LoopbackExchange(seed=7, step_ms=0) as exchange:
        for dialect, (bid, *asks) in BOOKS.items():
            await exchange.set_book(dialect, SYMBOLS[dialect], bids=[bid], asks=asks)
        yield exchange


@pytest.fixture
def desk(server: LoopbackExchange) -> Callable[..., Desk]:
    """A desk by the exchange's name."""

    def make(name: str, **options: Any) -> Desk:
        exchange = server.ccxt(name, **options)
        exchange.number = str
        return Desk(server, exchange)

    return make
