"""One venue as the executor deals with it: its gate, its readings and their age."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from fsm_arb.errors import VenueUnanswered
from fsm_arb.executor.gate import Gate, Lane
from fsm_arb.executor.limits import CallAborted, within
from fsm_arb.ports import Acknowledged, InDoubt, Refused, Unanswered
from fsm_arb.values import Health, HealthStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fsm_arb.ports import CancelReply, Clock, Observation, OrderRef, OrderRequest, PlaceOutcome, Venue
    from fsm_arb.values import Balances, MarketRules, OrderBook

logger = logging.getLogger(__name__)

CLOSING_S = 5.0  # how long leaving waits for a venue to let go

# What a venue says when the account is not let in, or nobody is: no reading of its health may show it.
SHUT = frozenset({
    "authentication_failed", "permission_denied", "account_not_enabled", "account_suspended", "restricted_location",
    "on_maintenance",
})  # fmt: skip
# What it says when it takes no orders now, whatever its last reading was.
UNFIT = SHUT | {"exchange_not_available", "market_closed"}
SHUT_NS = 30 * 1_000_000_000, 1800 * 1_000_000_000  # how long entries wait after a second such word, doubling; at most

T = TypeVar("T")


class Desk:
    """Calls one venue on behalf of all trades."""

    def __init__(
        self,
        name: str,
        venue: Venue,
        clock: Clock,
        timeout_s: float,
        alert: Callable[[str, str], None] | None = None,
    ) -> None:
        self.name = name
        self.venue = venue
        self._clock = clock
        self._timeout_s = timeout_s
        self._gate = Gate()
        self._alert = alert
        self._rules: dict[str, MarketRules] = {}
        self._health: tuple[int, Health] | None = None
        self._balances: tuple[int, Balances] | None = None
        self._asking: dict[str, asyncio.Future[Any]] = {}
        self._unfit = ""
        self._shut_times = 0  # such words in a row
        self._shut_until = 0  # monotonic ns
        self._calls: set[asyncio.Future[Any]] = set()  # calls into the venue that have not ended

    # -------------------------------------------------------------- orders

    async def place(self, request: OrderRequest, fresh: Callable[[], bool], lane: Lane) -> PlaceOutcome:
        """Send one order, once. Whatever goes wrong on our side of the wire is in doubt, never a refusal."""
        try:
            async with self._gate.turn(lane):
                if not fresh():
                    return Refused(code="too_old", message="its intent grew too old before it could be sent")
                outcome = await self._within(self.venue.place(request, fresh))
        except TimeoutError:
            return InDoubt(code="timeout", message=f"no answer from {self.name} in {self._timeout_s} s")
        except CallAborted as error:
            return InDoubt(code="aborted", message=str(error))
        except Exception as error:
            logger.exception("%s: placing %s failed on our side", self.name, request.client_order_id)
            return InDoubt(code="internal", message=type(error).__name__)
        self._learn(outcome)
        return outcome

    def _learn(self, outcome: PlaceOutcome) -> None:
        """Doubt the readings of a venue that takes no orders: entries wait for a good one, taken from now on."""
        if isinstance(outcome, Acknowledged):
            self._shut_times = 0
        elif outcome.code in UNFIT:
            self._health = self._balances = None
            if outcome.code in SHUT:
                first, longest = SHUT_NS
                pause = min(first << min(self._shut_times - 1, 16), longest) if self._shut_times else 0
                self._shut_until = self._clock.monotonic_ns() + pause
                self._shut_times += 1
            words = f"{self.name} took no order: {outcome.code}: {outcome.message}"
            told = self._unfit or outcome.code == "exchange_not_available"  # a hiccup calls nobody
            if not told and self._alert is not None:
                self._alert(f"{self.name} takes no orders", f"{words}; no entry goes there until it reads well")
            self._unfit = words

    @property
    def unfit(self) -> str:
        """Why no entry may go there, whatever its health says; empty: it may."""
        return self._unfit

    async def cancel(self, ref: OrderRef) -> CancelReply | None:
        """Ask for a cancel; None where the call itself failed. Either way only an observation ends the order."""
        try:
            async with self._gate.turn(Lane.FLATTEN):
                return await self._within(self.venue.cancel(ref))
        except (TimeoutError, CallAborted):
            return None
        except Exception:
            logger.exception("%s: cancelling %s failed on our side", self.name, ref.client_order_id)
            return None

    async def observe(self, ref: OrderRef, lane: Lane) -> Observation:
        """Find out how an order stands."""
        try:
            async with self._gate.turn(lane):
                return await self._within(self.venue.observe(ref))
        except TimeoutError:
            return Unanswered(code="timeout", message=f"no answer from {self.name} in {self._timeout_s} s")
        except CallAborted as error:
            return Unanswered(code="aborted", message=str(error))
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
        """Return the market's rules as the venue gives them now; the last ones serve while there is no answer.

        Raises:
            UnknownSymbol: The venue answers and does not list it.
            VenueMisconfigured: The account cannot be traded safely.
            VenueUnanswered: There is no reading at all.
        """
        known = self._rules.get(symbol)
        try:
            if known is None:
                rules = await self._once(f"rules {symbol}", lambda: self.venue.rules(symbol))
            else:
                # A venue keeps its own; as a rule nothing is asked, so there is no queue to wait in.
                rules = await self._within(self.venue.rules(symbol))
        except (VenueUnanswered, TimeoutError, CallAborted):
            if known is None:
                raise
            return known
        self._rules[symbol] = rules
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
        if self._unfit and self._health[1].status is HealthStatus.UP and now >= self._shut_until:
            self._unfit = ""
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
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls, timeout=CLOSING_S)
        if self._calls:
            logger.error("%s: %d calls do not heed their cancellation and are left behind", self.name, len(self._calls))
        try:
            await within(CLOSING_S, self.venue.close())
        except (TimeoutError, CallAborted):
            logger.error("%s: it could not be closed in %s s", self.name, CLOSING_S)  # noqa: TRY400 - nothing to trace

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
                return await self._within(ask())
        except TimeoutError as error:
            raise VenueUnanswered(f"{self.name}: no answer in {self._timeout_s} s") from error
        except CallAborted as error:
            raise VenueUnanswered(f"{self.name}: {error}") from error

    async def _within(self, call: Awaitable[T]) -> T:
        return await within(self._timeout_s, call, self._calls)
