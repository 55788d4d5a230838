"""A small world of simulated venues: virtual time, books that stand still, an observer that remembers."""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.simulated import FaultHit, FaultKind, Observer, SimulatedVenues, VenueOptions, Walk, market
from fsm_arb.testing.simulated.exchange import SimulatedExchange
from fsm_arb.testing.simulated.venue import SimulatedVenue
from fsm_arb.virtual import VirtualClock, run

SYMBOL = "BTC/USDT"
BIDS = [(99, 1), (98, 2)]
ASKS = [(101, 1), (102, 2)]


class Remembers(Observer):
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def on_create(self, venue: str, client_id: str) -> None:
        self.told.append(("create", (venue, client_id)))

    def on_execution(self, venue: str, client_id: str | None, fill: VenueFill) -> None:
        self.told.append(("execution", (venue, client_id, fill)))

    def on_fault(self, hit: FaultHit) -> None:
        self.told.append(("fault", hit))

    def hits(self) -> list[FaultHit]:
        return [what for word, what in self.told if word == "fault"]

    def kinds(self) -> list[FaultKind]:
        return [hit.kind for hit in self.hits() if "/nature/" not in hit.key]


class Stage:
    """A world with one venue called `alpha`, unless told otherwise, whose book stands at 99 and 101."""

    def __init__(self, *venues: VenueOptions, clock: VirtualClock | None = None, **settings: Any) -> None:
        self.clock = clock or VirtualClock()
        self.seen = Remembers()
        settings = {"walk": Walk(seed=1, step_ms=0), "observers": [self.seen], "seed": 1} | settings
        self.sim = SimulatedVenues(self.clock, venues=venues or (alpha(),), **settings)
        for name, venue in self.sim.venues.items():
            for symbol in venue.engine.markets:
                self.sim.set_book(name, symbol, BIDS, ASKS)
        self.name = next(iter(self.sim.venues))

    @property
    def exchange(self) -> SimulatedExchange:
        return self.sim.exchange(self.name)

    @property
    def venue(self) -> SimulatedVenue:
        return self.sim.venues[self.name]

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        return run(main, self.clock)

    def pass_ms(self, ms: int) -> None:
        self.clock.advance(ms * 1_000_000)

    async def buy(self, amount: str = "0.5", price: str = "101", **params: Any) -> Any:
        params = {"timeInForce": "IOC", "clientOrderId": "ours"} | params
        return await self.exchange.create_order(SYMBOL, "limit", "buy", amount, price, params)

    async def rest(self, amount: str = "0.5", price: str = "99", **params: Any) -> Any:
        return await self.buy(amount, price, timeInForce="GTC", **params)


def alpha(**changes: Any) -> VenueOptions:
    settings: dict[str, Any] = {
        "name": "alpha",
        "markets": (market(SYMBOL, lot="0.001", tick="0.01", notional_min="5", fee="0.001"),),
        "balances": {"USDT": Decimal(1_000), "BTC": Decimal(10), "BNB": Decimal(1)},
        "latency_ms": (20.0, 20.0),
        "price": {SYMBOL: Decimal(100)},
    }
    return VenueOptions(**(settings | changes))
