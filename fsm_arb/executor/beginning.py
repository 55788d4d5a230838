"""Taking a decision up to its first durable records."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fsm_arb.errors import JournalError, JournalFailed, JournalFenced
from fsm_arb.executor.commit import write
from fsm_arb.executor.limits import CallAborted, asked_to_stop
from fsm_arb.executor.opening import understood
from fsm_arb.messages import AbortAsked
from fsm_arb.scribe import TRADE, Page
from fsm_arb.trade import Step, Trade
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.crew import Crew
    from fsm_arb.executor.opening import Opening, Order
    from fsm_arb.executor.runner import Runner
    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Entry
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.ports import Batch

logger = logging.getLogger(__name__)


class Beginning:
    """Begins trades.

    Args:
        services: The executor's parts.
        policy: The numbers new trades run under.
        opening: Asks the venues what must be known.
        crew: Drives what has begun.
        closed_to: Why a decision may not be begun any more; empty: it may.
    """

    def __init__(
        self,
        services: Services,
        policy: ExecutionPolicy,
        opening: Opening,
        crew: Crew,
        closed_to: Callable[[CrossExchangeDecision], str],
    ) -> None:
        self._services = services
        self._policy = policy
        self._opening = opening
        self._crew = crew
        self._closed_to = closed_to

    async def begin(self, decision: CrossExchangeDecision) -> Runner:
        """Take a decision up to its first durable records, and start driving it."""
        services, clock = self._services, self._services.clock
        order = understood(decision, services)
        await self._others_at_rest(order)
        rules = await self._opening.rules(decision)
        order = understood(decision, services)  # what its position holds may have changed meanwhile
        trade, step = Trade.begin(
            decision.decision_id,
            decision,
            self._policy,
            services.fresh_id,
            now=clock.monotonic_ns(),
            at_ns=clock.time_ns(),
            sides=order.sides,
            quantity=order.quantity,
        )
        page = Page(TRADE + trade.trade_id)
        try:
            step = await self._write(trade, page, step, order, rules)
        except BaseException as error:
            services.funds.release(trade.trade_id, clock.monotonic_ns())
            services.residuals.note(trade.trade_id, decision.legs[0].base, ZERO)
            services.guarding.let_go(trade.trade_id)
            if isinstance(error, JournalError) and not page.seq:
                services.entries.not_begun()
            foreign = isinstance(error, asyncio.CancelledError) and not asked_to_stop()
            if isinstance(error, JournalFenced) or not (foreign or isinstance(error, Exception)):
                raise
            if not page.seq:
                if foreign:
                    raise JournalFailed(f"trade {trade.trade_id}: its commit was cancelled from within") from error
                raise
            # It stands on the journal as begun: it is driven to its end, and so is its position.
            failure = error if isinstance(error, Exception) else CallAborted("its opening was cancelled from within")
            return self._crew.drive(trade, page, Step(), failure)
        return self._crew.drive(trade, page, step)

    async def _write(self, trade: Trade, page: Page, begun: Step, order: Order, rules: Any) -> Step:
        """Check and size, and make it durable: in one commit where nothing has to be asked, else in two."""
        services = self._services
        if self._opening.warm(order.decision):
            step = await self._checked(trade, order, rules)
            entries = (*begun.entries, *step.entries)
            async with self._exit_started(trade) as also:
                await write(services, trade, page, entries, also, held=bool(also))
            return Step(entries, step.sends)
        async with self._exit_started(trade) as also:
            await write(services, trade, page, begun.entries, also, held=bool(also))
        step = await self._checked(trade, order, rules)
        await write(services, trade, page, step.entries)
        return step

    @asynccontextmanager
    async def _exit_started(self, trade: Trade) -> AsyncIterator[list[tuple[Page, Batch]]]:
        """Hold an exit's position while its first records are written, with what begins the exit there."""
        services, position_id = self._services, trade.decision.position_id
        if position_id is None:
            yield []
            return
        async with services.positions.holding(position_id):
            yield [services.positions.start_exit(position_id, trade.trade_id, services.clock.time_ns())]

    async def _checked(self, trade: Trade, order: Order, rules: Any) -> Step:
        """Check and size. An error of ours ends the trade before its first intent; nothing is left half begun."""
        clock = self._services.clock
        entries: list[Entry] = []
        try:
            checked, fx, room = await self._opening.check(order, rules)
            entries += trade.handle(checked, clock.time_ns()).entries
            if trade.done or isinstance(fx, str):
                return Step(tuple(entries))
            sized = await self._opening.plan(order, rules, fx, room)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and asked_to_stop():
                raise
            logger.exception("%s: could not be begun", trade.trade_id)
            why = f"{type(error).__name__}: {error}"
            step = trade.handle(AbortAsked(now=clock.monotonic_ns(), reason=why), clock.time_ns())
            return Step((*entries, *step.entries))
        closed = self._closed_to(order.decision)
        if closed:
            step = trade.handle(AbortAsked(now=clock.monotonic_ns(), reason=closed), clock.time_ns())
        else:
            step = trade.handle(sized, clock.time_ns())
        return Step((*entries, *step.entries), step.sends)

    async def _others_at_rest(self, order: Order) -> None:
        """An exit waits until its entry and earlier exits of the position, if disturbed, have settled."""
        if order.position is None:
            return
        others = {order.position.entry_trade_id, *(trade_id for trade_id, _ in order.position.exits)}
        others.discard(order.position.exit_trade_id or "")
        for trade_id in sorted(others):
            runner = self._crew.runners.get(trade_id)
            if runner is not None and not runner.resting:
                await runner.at_rest()
