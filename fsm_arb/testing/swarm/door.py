"""Between the executor and a venue's adapter: errors of our own code on either side of a call, and a dead process.

What goes wrong at the venue or on the way is the simulated venue's business;
this is where our own half is broken: an adapter that raises what no adapter
should, a call that is cancelled while its request is out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.testing.swarm.process import Process, nothing_more

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fsm_arb.ports import CancelReply, Observation, OrderRef, OrderRequest, PlaceOutcome, Venue
    from fsm_arb.testing.swarm.chance import Chance
    from fsm_arb.values import Balances, Health, MarketRules, OrderBook

T = TypeVar("T")

RAISES, RAISES_AFTER, CANCELLED = "raises", "raises after", "cancelled"


class Struck(Protocol):
    """Who is told of a fault that takes effect on one order or on a venue."""

    def __call__(self, fault: int, key: str, *, venue: str = "", client_order_id: str = "") -> None:
        """Take it in."""
        ...


@frozen(kw_only=True)
class AdapterTroubles:
    """How wrong our own half is. Probabilities are per call.

    Attributes:
        place_raises: That placing raises, before or after the request has gone out.
        place_cancelled: That the call that places is cancelled while it is out.
        others_raise: That any other call raises.
    """

    place_raises: float = 0.0
    place_cancelled: float = 0.0
    others_raise: float = 0.0


class Door:
    """A `Venue` in front of another."""

    def __init__(  # noqa: PLR0917 - made in one place
        self, name: str, venue: Venue, process: Process, chance: Chance, troubles: AdapterTroubles, struck: Struck
    ) -> None:
        self.name = name
        self._venue = venue
        self._process = process
        self._chance = chance
        self._troubles = troubles
        self._struck = struck
        self._calls: dict[str, int] = {}

    @property
    def has_secrets(self) -> bool:
        """Whether the credentials that orders need are all there."""
        return self._venue.has_secrets

    async def rules(self, symbol: str) -> MarketRules:
        """Return what the venue accepts for *symbol*."""
        return await self._ask(self._venue.rules(symbol))

    async def place(self, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Send one order, once, unless our own code is wrong."""
        chance, key = self._chance, self._key("place")
        name = request.client_order_id
        if chance.strikes(f"{key}: {RAISES}", self._troubles.place_raises / 2):
            self._struck(40, f"{key}: {RAISES}", venue=self.name, client_order_id=name)
            raise Injected("a bug where orders are placed")
        if chance.strikes(f"{key}: {CANCELLED}", self._troubles.place_cancelled):
            outcome = await self._cut_short(f"{key}: {CANCELLED}", request, fresh)
        else:
            outcome = await self._ask(self._venue.place(request, fresh))
        if chance.strikes(f"{key}: {RAISES_AFTER}", self._troubles.place_raises / 2):
            self._struck(40, f"{key}: {RAISES_AFTER}", venue=self.name, client_order_id=name)
            raise Injected("a bug where the reply is read")
        return outcome

    async def _cut_short(self, key: str, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Cancel the call from within if it is still out after a drawn while."""
        call = asyncio.ensure_future(self._ask(self._venue.place(request, fresh)))
        try:
            await asyncio.wait({call}, timeout=self._chance.between(key, 0.0, 0.3))
        except BaseException:
            call.cancel()
            raise
        if call.done():
            return call.result()
        self._struck(45, key, venue=self.name, client_order_id=request.client_order_id)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        raise asyncio.CancelledError

    async def cancel(self, ref: OrderRef) -> CancelReply:
        """Ask for a cancel."""
        self._maybe_break("cancel", ref.client_order_id)
        return await self._ask(self._venue.cancel(ref))

    async def observe(self, ref: OrderRef) -> Observation:
        """Find out how an order stands."""
        self._maybe_break("observe", ref.client_order_id)
        return await self._ask(self._venue.observe(ref))

    async def balances(self) -> Balances:
        """Return what is free now."""
        self._maybe_break("balances")
        return await self._ask(self._venue.balances())

    async def book(self, symbol: str) -> OrderBook:
        """Return the order book."""
        self._maybe_break("book")
        return await self._ask(self._venue.book(symbol))

    async def health(self) -> Health:
        """Return a fresh reading."""
        self._maybe_break("health")
        return await self._ask(self._venue.health())

    async def close(self) -> None:
        """Release what the adapter opened itself."""
        await self._ask(self._venue.close())

    async def _ask(self, call: Awaitable[T]) -> T:
        """Make a call; to a process that is dead by then, nothing comes back."""
        if not self._process.alive:
            if asyncio.iscoroutine(call):
                call.close()
            await nothing_more()
        answer = await call
        await self._process.ensure_alive()
        return answer

    def _maybe_break(self, what: str, client_order_id: str = "") -> None:
        key = f"{self._key(what)}: {RAISES}"
        if self._process.alive and self._chance.strikes(key, self._troubles.others_raise):
            self._struck(39, key, venue=self.name, client_order_id=client_order_id)
            raise Injected(f"a bug in {what}")

    def _key(self, what: str) -> str:
        self._calls[what] = number = self._calls.get(what, 0) + 1
        return f"p{self._process.number}/{self.name}/{what} {number}"
