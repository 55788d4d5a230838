"""One venue as the executor deals with it: its gate, its readings and their age."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from fsm_arb.errors import VenueUnanswered
from fsm_arb.executor.gate import Gate, Lane
from fsm_arb.ports import InDoubt, Refused, Unanswered
from fsm_arb.values import Health, HealthStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fsm_arb.ports import CancelReply, Clock, Observation, OrderRef, OrderRequest, PlaceOutcome, Venue
    from fsm_arb.values import Balances, MarketRules, OrderBook

logger = logging.getLogger(__name__)

RULES_AGE_MAX_NS = 3600 * 1_000_000_000  # lots and ticks change by announcement, not by the minute

T = TypeVar("T")


class Desk:
    """Calls one venue on behalf of all trades."""

    def __init__(self, name: str, venue: Venue, clock: Clock, timeout_s: float) -> None:
        self.name = name
        self.venue = venue
        self._clock = clock
        self._timeout_s = timeout_s
        self._gate = Gate()
        self._rules: dict[str, tuple[int, MarketRules]] = {}
        self._health: tuple[int, Health] | None = None
        self._balances: tuple[int, Balances] | None = None
        self._asking: dict[str, asyncio.Future[Any]] = {}

    # -------------------------------------------------------------- orders

    async def place(self, request: OrderRequest, fresh: Callable[[], bool], lane: Lane) -> PlaceOutcome:
        """Send one order, once. Whatever goes wrong on our side of the wire is in doubt, never a refusal."""
        try:
            async with self._gate.turn(lane):
                if not fresh():
                    return Refused(code="too_old", message="its intent grew too old before it could be sent")
                return await asyncio.wait_for(self.venue.place(request, fresh), self._timeout_s)
        except TimeoutError:
            return InDoubt(code="timeout", message=f"no answer from {self.name} in {self._timeout_s} s")
        except Exception as error:
            logger.exception("%s: placing %s failed on our side", self.name, request.client_order_id)
            return InDoubt(code="internal", message=type(error).__name__)

    async def cancel(self, ref: OrderRef) -> CancelReply | None:
        """Ask for a cancel; None where the call itself failed. Either way only an observation ends the order."""
        try:
            async with self._gate.turn(Lane.FLATTEN):
                return await asyncio.wait_for(self.venue.cancel(ref), self._timeout_s)
        except TimeoutError:
            return None
        except Exception:
            logger.exception("%s: cancelling %s failed on our side", self.name, ref.client_order_id)
            return None

    async def observe(self, ref: OrderRef, lane: Lane) -> Observation:
        """Find out how an order stands."""
        try:
            async with self._gate.turn(lane):
                return await asyncio.wait_for(self.venue.observe(ref), self._timeout_s)
        except TimeoutError:
            return Unanswered(code="timeout", message=f"no answer from {self.name} in {self._timeout_s} s")
        except Exception as error:
            logger.exception("%s: observing %s failed on our side", self.name, ref.client_order_id)
            return Unanswered(code="internal", message=type(error).__name__)

    async def look(self, symbol: str) -> tuple[OrderBook, Balances | None] | None:
        """Return the order book and what is free, for a remedy; None where the book cannot be read."""
        book, balances = await asyncio.gather(
            self._ask(lambda: self.venue.book(symbol), Lane.FLATTEN),
            self._ask(self.venue.balances, Lane.FLATTEN),
            return_exceptions=True,
        )
        if isinstance(book, BaseException):
            logger.warning("%s: no order book of %s: %s", self.name, symbol, book)
            return None
        return book, None if isinstance(balances, BaseException) else balances

    # -------------------------------------------------------------- readings

    async def rules(self, symbol: str) -> MarketRules:
        """Return the market's rules, read afresh once an hour; an older reading serves while there is no answer.

        Raises:
            UnknownSymbol: The venue answers and does not list it.
            VenueMisconfigured: The account cannot be traded safely.
            VenueUnanswered: There is no reading at all.
        """
        now = self._clock.monotonic_ns()
        known = self._rules.get(symbol)
        if known is not None and now - known[0] < RULES_AGE_MAX_NS:
            return known[1]
        try:
            rules = await self._once(f"rules {symbol}", lambda: self.venue.rules(symbol))
        except VenueUnanswered:
            if known is None:
                raise
            return known[1]
        self._rules[symbol] = now, rules
        return rules

    def warm(self, symbol: str, age_ns: int) -> bool:
        """Whether rules, health and balances are all at hand and young enough."""
        oldest = self._clock.monotonic_ns() - age_ns
        return (
            symbol in self._rules
            and self._health is not None
            and self._health[0] >= oldest
            and self._health[1].status is HealthStatus.UP
            and self._balances is not None
            and self._balances[0] >= oldest
        )

    async def health(self, age_ns: int) -> Health:
        """Return a reading no older than *age_ns*; only good news is kept."""
        now = self._clock.monotonic_ns()
        if self._health is None or now - self._health[0] > age_ns or self._health[1].status is not HealthStatus.UP:
            try:
                reading = await self._once("health", self.venue.health)
            except VenueUnanswered as error:
                reading = Health(status=HealthStatus.DOWN, note=str(error), has_secrets=self.venue.has_secrets)
            self._health = now, reading
        return self._health[1]

    async def balances(self, age_ns: int) -> tuple[Balances, int]:
        """Return what is free, no older than *age_ns*, and the monotonic ns at which it was asked for.

        Raises:
            VenueUnanswered: It cannot be read.
        """
        now = self._clock.monotonic_ns()
        if self._balances is None or now - self._balances[0] > age_ns:
            self._balances = await self._once("balances", self._read_balances)
        return self._balances[1], self._balances[0]

    async def _read_balances(self) -> tuple[int, Balances]:
        # Stamped where it leaves: whoever joins a question under way did not ask it later.
        asked_at = self._clock.monotonic_ns()
        return asked_at, await self.venue.balances()

    async def close(self) -> None:
        """Give up the readings that are being taken, and let go of the venue."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self.venue.close()

    # -------------------------------------------------------------- calling

    async def _once(self, what: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Let callers that want the same reading share one call."""
        task = self._asking.get(what)
        if task is None:
            task = asyncio.ensure_future(self._ask(ask, Lane.ENTER))
            self._asking[what] = task
            task.add_done_callback(lambda _: self._asking.pop(what, None))
            # Its callers may all have gone away.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Shielded: one caller's cancellation is not the other's.
        answer: T = await asyncio.shield(task)
        return answer

    async def _ask(self, ask: Callable[[], Awaitable[T]], lane: Lane) -> T:
        try:
            async with self._gate.turn(lane):
                return await asyncio.wait_for(ask(), self._timeout_s)
        except TimeoutError as error:
            raise VenueUnanswered(f"{self.name}: no answer in {self._timeout_s} s") from error
