"""A trade's calls to its venues: placing, cancelling, looking, surveying. What comes back is posted as an event."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fsm_arb.executor.gate import Lane
from fsm_arb.executor.polling import Look
from fsm_arb.executor.rescue import ref_of
from fsm_arb.messages import CancelEnded, LegSurvey, Missed, Observed, PlaceEnded, Surveyed, Ticked
from fsm_arb.policy import seconds_ns
from fsm_arb.ports import Found, InDoubt, NotFound, OrderRequest, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from fsm_arb.executor.desk import Desk
    from fsm_arb.executor.services import Services
    from fsm_arb.messages import Event, Intent
    from fsm_arb.orders import Order
    from fsm_arb.ports import PlaceOutcome
    from fsm_arb.trade import Trade

logger = logging.getLogger(__name__)


class Tending:
    """Makes the calls of one trade. Holds no truth: what it forgets is asked for again."""

    def __init__(self, services: Services, trade: Trade, post: Callable[[Event], None]) -> None:
        self._services = services
        self._trade = trade
        self._post = post
        self._looks: dict[int, Look] = {}
        self._surveying = False
        self._due_since: int | None = None  # HALTED: when the retry that is due was first seen to be
        self._calls: set[asyncio.Task[None]] = set()
        self._placing: set[asyncio.Task[None]] = set()

    def take_over(self, trade: Trade) -> None:
        """Tend another object of the same trade: it was folded again from what is durable."""
        self._trade = trade
        self._looks.clear()
        self._due_since = None

    async def close(self) -> None:
        """Give up every call. An order whose placing is given up is in doubt, and is asked for at the next start."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    # -------------------------------------------------------------- what is due

    def tend(self, now: int) -> None:
        """Start every call that is due: an order is asked for in every state, ended ones less often."""
        trade = self._trade
        for order in trade.orders:
            look = self._look_of(order, now)
            if look is None:
                continue
            going = order.resting and order.cancel_asked_at is not None
            if going and not look.hurried:
                # The first cancel waits for no look, however long the pause or slow the answer.
                look.hurried, look.cancel_next = True, False
                self._start(self._cancel(order, look, alone=False))
            elif look.due(now):
                cancels = going and look.cancel_next
                look.cancel_next = not cancels
                if cancels:
                    look.busy = True
                    self._start(self._cancel(order, look))
                else:
                    self._ask(order, look, now, Lane.OBSERVE if look.live else Lane.ENTER)
        if not self._surveying and self._survey_is_due(now):
            self._surveying = True
            self._start(self._survey())

    def looked_since(self, time: int) -> bool:
        """Whether every order was asked for at or after *time* (monotonic ns), answered or not; asks for the others."""
        now, looked = self._now(), True
        for order in self._trade.orders:
            look = self._look_of(order, now)
            if look is None or (not look.busy and look.asked_at is not None and look.asked_at >= time):
                continue
            looked = False
            if not look.busy:
                self._ask(order, look, now, Lane.ENTER)
        return looked

    def wakes_at(self, now: int) -> int | None:
        """Return the next monotonic ns at which a call is due; None: only an answer or the trade's clock matters."""
        times = [look.next_at for look in self._looks.values() if not look.busy]
        return min((max(time, now) for time in times), default=None)

    def _look_of(self, order: Order, now: int) -> Look | None:
        """Return when *order* is looked at; None while its placing call is out."""
        if order.placing_ended_at is None:
            return None
        active = order.live or order.provisional
        interval = seconds_ns(self._trade.policy.poll_interval_s)
        look = self._looks.get(order.intent.index)
        if look is None:
            look = Look.now(now, interval) if active else Look.watching(now, interval)
            self._looks[order.intent.index] = look
        look.turn(now, interval, live=active)
        return look

    def _survey_is_due(self, now: int) -> bool:
        """Whether a remedy is due. Before a halted trade's, whatever is only believed absent is asked for once more."""
        trade = self._trade
        if not trade.wants_survey(now):
            self._due_since = None
            return False
        if not trade.halted:
            return True
        if self._due_since is None:
            self._due_since = now
        looked_at = True
        for order in trade.orders:
            look = self._looks.get(order.intent.index)
            if look is None or order.live or not order.misses:
                continue
            if look.busy or look.asked_at is None or look.asked_at < self._due_since:
                looked_at = False
                if not look.busy:
                    self._ask(order, look, now, Lane.OBSERVE)
        return looked_at

    def _ask(self, order: Order, look: Look, now: int, lane: Lane) -> None:
        look.leaves(now)
        self._start(self._look(order, look, lane))

    def _start(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def placed(self) -> None:
        """Wait until no placing call is out: only then can the fence of absence begin."""
        if self._placing:
            await asyncio.wait(self._placing)

    # -------------------------------------------------------------- the calls

    def send(self, intent: Intent, written_at: int, written_at_ns: int, lane: Lane) -> None:
        """Place one order whose intent is durable.

        Args:
            intent: The order.
            written_at: When it was decided, monotonic ns; its age counts from there, a slow commit included.
            written_at_ns: The same by the wall clock, UTC.
            lane: What it is for.
        """
        task = self._start(self._place(intent, written_at, written_at_ns, lane))
        self._placing.add(task)
        task.add_done_callback(self._placing.discard)

    async def _place(self, intent: Intent, written_at: int, written_at_ns: int, lane: Lane) -> None:
        clock = self._services.clock
        oldest = seconds_ns(self._trade.policy.send_max_age_s)

        def fresh() -> bool:
            ages = clock.monotonic_ns() - written_at, clock.time_ns() - written_at_ns
            return not self._services.fenced and all(-oldest <= age <= oldest for age in ages)

        leg = self._trade.decision.legs[intent.leg]
        request = OrderRequest(
            symbol=leg.symbol,
            side=intent.side,
            amount=intent.amount,
            order_type=intent.order_type,
            bound=intent.bound,
            client_order_id=intent.client_order_id,
            reduce_only=intent.reduce_only,
        )
        outcome: PlaceOutcome = InDoubt(code="aborted", message="the placing was given up")
        try:
            outcome = await self._desk(intent.leg).place(request, fresh, lane)
        finally:
            self._post(PlaceEnded(now=self._now(), order=intent.index, outcome=outcome))
        self._tell_of(intent, outcome)

    def _tell_of(self, intent: Intent, outcome: PlaceOutcome) -> None:
        leg = self._trade.decision.legs[intent.leg]
        name = f"order {self._trade.trade_id}/{intent.index} on {leg.exchange}"
        if isinstance(outcome, InDoubt):
            logger.warning(
                "%s: %s (%s); %s %s stays reserved until observed",
                name,
                outcome.message,
                outcome.code,
                intent.amount,
                leg.base,
            )
        elif isinstance(outcome, Refused):
            logger.warning("%s: refused: %s (%s)", name, outcome.message, outcome.code)
        self._services.metrics.count("placed", venue=leg.exchange, outcome=type(outcome).__name__)

    async def _cancel(self, order: Order, look: Look, *, alone: bool = True) -> None:
        """Ask for a cancel; *alone*: no look at the order is out meanwhile."""
        event: Event = Ticked(now=self._now())  # wakes the driver, which else would sleep past the next look
        try:
            reply = await self._desk(order.intent.leg).cancel(ref_of(self._trade, order, self._services.clock))
            if reply is not None:
                event = CancelEnded(now=self._now(), order=order.intent.index, reply=reply)
            else:
                logger.warning("%s: a cancel got no answer; the order stays live", order.intent.client_order_id)
        finally:
            look.next_at = self._now()  # a cancel proves nothing: look at once
            if alone:
                look.busy = False
            self._post(event)

    async def _look(self, order: Order, look: Look, lane: Lane) -> None:
        index, asked_at = order.intent.index, self._now()
        event: Event = Ticked(now=asked_at)  # wakes the driver, which else would sleep past the next look
        try:
            seen = await self._desk(order.intent.leg).observe(ref_of(self._trade, order, self._services.clock), lane)
            if isinstance(seen, Found):
                event = Observed(now=self._now(), order=index, snapshot=seen.snapshot, wire=seen.wire)
            elif isinstance(seen, NotFound):
                event = Missed(now=self._now(), order=index, asked_at=asked_at, covered=seen.covered)
            else:
                venue = self._trade.decision.legs[order.intent.leg].exchange
                self._services.metrics.count("unanswered", venue=venue, code=seen.code)
                logger.info("%s: %s (%s); nothing is concluded from it", venue, seen.message, seen.code)
        finally:
            look.looked(self._now(), seconds_ns(self._trade.policy.poll_interval_s), live=look.live)
            self._hurry(look, event)
            self._post(event)

    def _hurry(self, look: Look, event: Event) -> None:
        """Look soon at what may be absent: as the fence ends, and then at once again until absence is proven."""
        if not (isinstance(event, Missed) and event.covered):
            return
        order, policy = self._trade.orders[event.order], self._trade.policy
        if order.in_doubt and not order.mismatch and order.placing_ended_at is not None:
            fence_ends = order.placing_ended_at + seconds_ns(policy.absence_fence_s)
            soon = max(fence_ends, event.now + seconds_ns(policy.poll_interval_s))
            look.next_at = min(look.next_at, soon)

    async def _survey(self) -> None:
        """Ask both venues at once what a remedy would cost there."""
        try:
            legs = self._trade.decision.legs
            answers = await asyncio.gather(*(self._desk(index).look(leg.symbol) for index, leg in enumerate(legs)))
            first, second = (LegSurvey(book=a[0], balances=a[1]) if a else None for a in answers)
            self._surveying = False
            self._post(Surveyed(now=self._now(), legs=(first, second)))
        finally:
            self._surveying = False

    # -------------------------------------------------------------- small things

    def _desk(self, leg: int) -> Desk:
        return self._services.desks[self._trade.decision.legs[leg].exchange]

    def _now(self) -> int:
        return self._services.clock.monotonic_ns()
