"""A trade's calls to its venues: placing, cancelling, looking, surveying. What comes back is posted as an event."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fsm_arb.executor.gate import Lane
from fsm_arb.executor.polling import Look
from fsm_arb.messages import CancelEnded, LegSurvey, Missed, Observed, PlaceEnded, Surveyed, Ticked
from fsm_arb.policy import seconds_ns
from fsm_arb.ports import Found, InDoubt, NotFound, OrderRef, OrderRequest, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from fsm_arb.executor.desk import Desk
    from fsm_arb.executor.services import Services
    from fsm_arb.ledger import Order
    from fsm_arb.messages import Event, Intent
    from fsm_arb.trade import Trade

logger = logging.getLogger(__name__)

NS_PER_MS = 1_000_000
SINCE_SLACK_MS = 60_000  # how far before we sent it a venue's clock may have put an order


class Tending:
    """Makes the calls of one trade. Holds no truth: what it forgets is asked for again."""

    def __init__(self, services: Services, trade: Trade, post: Callable[[Event], None]) -> None:
        self._services = services
        self._trade = trade
        self._post = post
        self._looks: dict[int, Look] = {}
        self._surveying = False
        self._calls: set[asyncio.Task[None]] = set()
        self._placing: set[asyncio.Task[None]] = set()

    def take_over(self, trade: Trade) -> None:
        """Tend another object of the same trade: it was folded again from what is durable."""
        self._trade = trade
        self._looks.clear()

    async def close(self) -> None:
        """Give up every call. An order whose placing is given up is in doubt, and is asked for at the next start."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    # -------------------------------------------------------------- what is due

    def tend(self, now: int, *, watching: bool) -> None:
        """Start every call that is due."""
        trade = self._trade
        interval = seconds_ns(trade.policy.poll_interval_s)
        for order in trade.orders:
            if order.placing_ended_at is None:
                continue
            active = order.live or order.provisional
            if not active and not watching:
                continue
            index = order.intent.index
            look = self._looks.get(index)
            if look is None:
                look = self._looks[index] = Look.now(now, interval) if active else Look.watching(now, interval)
            if order.resting and order.cancel_asked_at is not None and not look.hurried:
                # The first cancel waits for no look, however long the pause or slow the answer.
                look.hurried, look.cancel_next = True, False
                self._start(self._cancel(order, look, alone=False))
            elif look.due(now):
                look.busy = True
                cancels = order.resting and order.cancel_asked_at is not None and look.cancel_next
                look.cancel_next = not cancels
                self._start(self._cancel(order, look) if cancels else self._look(order, look, active=active))
        if not self._surveying and trade.wants_survey(now):
            self._surveying = True
            self._start(self._survey())

    def wakes_at(self, now: int) -> int | None:
        """Return the next monotonic ns at which a call is due; None: only an answer or the trade's clock matters."""
        times = [look.next_at for look in self._looks.values() if not look.busy]
        return min((max(time, now) for time in times), default=None)

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
        outcome = await self._desk(intent.leg).place(request, fresh, lane)
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
        self._post(PlaceEnded(now=self._now(), order=intent.index, outcome=outcome))

    async def _cancel(self, order: Order, look: Look, *, alone: bool = True) -> None:
        """Ask for a cancel; *alone*: no look at the order is out meanwhile."""
        reply = await self._desk(order.intent.leg).cancel(self._ref(order))
        now = self._now()
        look.next_at = now  # a cancel proves nothing: look at once
        if alone:
            look.busy = False
        if reply is not None:
            self._post(CancelEnded(now=now, order=order.intent.index, reply=reply))
        else:
            logger.warning("%s: a cancel got no answer; the order stays live", order.intent.client_order_id)
            self._post(Ticked(now=now))  # wakes the driver, which else would sleep past the next look

    async def cancel_unrecorded(self, orders: Iterable[Order]) -> None:
        """Cancel without a record, for when the journal fails: it can only make the worst case smaller."""
        if not self._services.fenced:
            await asyncio.gather(*(self._desk(order.intent.leg).cancel(self._ref(order)) for order in orders))

    async def _look(self, order: Order, look: Look, *, active: bool) -> None:
        asked_at = self._now()
        lane = Lane.OBSERVE if active else Lane.ENTER
        seen = await self._desk(order.intent.leg).observe(self._ref(order), lane)
        now = self._now()
        look.looked(now, seconds_ns(self._trade.policy.poll_interval_s), live=active)
        index = order.intent.index
        if isinstance(seen, Found):
            self._post(Observed(now=now, order=index, snapshot=seen.snapshot, wire=seen.wire))
        elif isinstance(seen, NotFound):
            self._post(Missed(now=now, order=index, asked_at=asked_at, covered=seen.covered))
        else:
            venue = self._trade.decision.legs[order.intent.leg].exchange
            self._services.metrics.count("unanswered", venue=venue, code=seen.code)
            logger.info("%s: %s (%s); nothing is concluded from it", venue, seen.message, seen.code)
            self._post(Ticked(now=now))  # wakes the driver, which else would sleep past the next look

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

    def _ref(self, order: Order) -> OrderRef:
        intent = order.intent
        return OrderRef(
            symbol=self._trade.decision.legs[intent.leg].symbol,
            side=intent.side,
            amount=intent.amount,
            client_order_id=intent.client_order_id,
            venue_order_id=order.venue_order_id,
            since_ms=self._trade.begun_at_ns // NS_PER_MS - SINCE_SLACK_MS,
        )

    def _now(self) -> int:
        return self._services.clock.monotonic_ns()
