"""The public face: hand it decisions, get results; enter it, and it takes up what its journal holds."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Self

from fsm_arb.alerts import Alerts
from fsm_arb.clock import SystemClock
from fsm_arb.errors import (
    DecisionConflict,
    ExecutorClosed,
    InvalidInput,
    JournalFenced,
    UnknownTrade,
    UnknownVenue,
)
from fsm_arb.executor.commit import write
from fsm_arb.executor.desk import Desk
from fsm_arb.executor.opening import Opening, held_by, understood
from fsm_arb.executor.positions import CrossExchangePositionManager
from fsm_arb.executor.runner import Runner
from fsm_arb.executor.services import Services
from fsm_arb.funds import Funds
from fsm_arb.fx import FxProvider, StaticFx
from fsm_arb.ids import client_order_ids
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.messages import AbortAsked, ExternalFill, Resumed
from fsm_arb.metrics import Metrics, NoMetrics
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.recovery import take_up, unfinished
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.scribe import TRADE, Page, Scribe
from fsm_arb.trade import Step, Trade
from fsm_arb.values import ZERO, OperatorFill
from fsm_arb.venues.ccxt_venue import as_venue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.opening import Order
    from fsm_arb.memory import Entry
    from fsm_arb.ports import AlertSink, Clock, Journal
    from fsm_arb.position import CrossExchangePosition

logger = logging.getLogger(__name__)


class CrossExchangeExecutor:
    """Executes cross-exchange decisions, each exactly once, to a matched or flat end.

    An async context manager. Entering it takes the journal's lock and takes up
    every unfinished trade; leaving it stops entries, brings running trades to
    DONE or HALTED, and returns.

    Args:
        venues: By the name that legs use: ccxt async exchanges, or venues of `fsm_arb.ports.Venue`.
        journal: A path, or a journal of `fsm_arb.ports.Journal`.
        fx: Where rates between the legs' quote currencies come from; needed where they differ.
        policy: The numbers trades run under, each to its end.
        risk_guard: Asked before entries: ``check_cross_exchange_trade(decision)`` returns a verdict with ``approved``.
        metrics: Where numbers go.
        alerts: Who is called when a trade halts; without one it is an ERROR in the log, repeated.
        clock: Where time comes from.

    Raises:
        InvalidInput: A venue is neither a ccxt async exchange nor of our port.
    """

    def __init__(
        self,
        *,
        venues: Mapping[str, Any],
        journal: str | os.PathLike[str] | Journal,
        fx: FxProvider | None = None,
        policy: ExecutionPolicy | None = None,
        risk_guard: Any = None,
        metrics: Metrics | None = None,
        alerts: AlertSink | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.policy = policy or ExecutionPolicy()
        clock = clock or SystemClock()
        timeout_s = float(self.policy.request_timeout_s)
        desks = {name: Desk(name, as_venue(lent, name, clock), clock, timeout_s) for name, lent in venues.items()}
        self._journal: Journal = SqliteJournal(journal) if isinstance(journal, str | os.PathLike) else journal
        scribe = Scribe(self._journal)
        self._services = Services(
            desks=desks,
            scribe=scribe,
            positions=CrossExchangePositionManager(scribe),
            funds=Funds(),
            alerts=Alerts(alerts),
            metrics=metrics or NoMetrics(),
            clock=clock,
            fresh_id=client_order_ids(0),
            stop_entries=self._stop_entries,
        )
        self._opening = Opening(self._services, self.policy, fx or StaticFx({}), risk_guard)
        self._runners: dict[str, Runner] = {}
        self._opened: dict[str, tuple[CrossExchangeDecision, asyncio.Task[Runner]]] = {}
        self._reading = False  # the journal is open
        self._closed = "it has not been entered"
        self._entries_stopped = ""

    # -------------------------------------------------------------- coming and going

    async def __aenter__(self) -> Self:
        epoch = await self._journal.open()
        try:
            self._reading = True
            self._services.fresh_id = client_order_ids(epoch)
            self._services.positions.recover()
            await self._take_up()
        except BaseException:
            await self._shut()
            raise
        self._closed = ""
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
            self._closed = "it was left"  # exits end as well; nothing runs, and nothing is awaited from here to there
        finally:
            await self._shut()

    async def _take_up(self) -> None:
        """Fold every unfinished trade and go on with it."""
        clock, services = self._services.clock, self._services
        found = list(unfinished(services.scribe, services.fresh_id))
        for trade, _ in found:
            for leg in trade.decision.legs:
                if leg.exchange not in services.desks:
                    raise UnknownVenue("venues", sorted(services.desks), f"trade {trade.trade_id} needs {leg.exchange}")

        async def go_on(trade: Trade, page: Page) -> None:
            step = take_up(trade, clock.monotonic_ns(), clock.time_ns())
            if step.entries:
                await write(services, trade, page, step.entries)
            self._drive(trade, page, step)

        await asyncio.gather(*(go_on(trade, page) for trade, page in found))
        if found:
            logger.info("took up %d unfinished trades", len(found))

    async def _shut(self) -> None:
        self._closed = self._closed or "it was left"
        openings = [opening for _, opening in self._opened.values()]
        for opening in openings:
            opening.cancel()
        await asyncio.gather(*openings, return_exceptions=True)
        await asyncio.gather(*(runner.close() for runner in list(self._runners.values())))
        await self._services.alerts.close()
        self._reading = False
        await self._journal.close()
        await asyncio.gather(*(desk.close() for desk in self._services.desks.values()), return_exceptions=True)

    async def stop(self) -> None:
        """Begin no new entry, and wait until every running trade is DONE or HALTED. Positions can still be left."""
        self._entries_stopped = self._entries_stopped or "it was stopped"
        await self.settled()

    async def settled(self) -> None:
        """Wait until no trade runs: each is DONE or HALTED."""
        while True:
            opening = [task for _, task in self._opened.values()]
            running = [runner for runner in self._runners.values() if not runner.resting]
            if not opening and not running:
                return
            await asyncio.gather(*opening, *(runner.at_rest() for runner in running), return_exceptions=True)

    def _stop_entries(self, why: str) -> None:
        if not self._entries_stopped:
            self._services.alerts.raise_alert("entries stopped", why)
        self._entries_stopped = why

    # -------------------------------------------------------------- executing

    async def execute_decision(self, decision: CrossExchangeDecision) -> CrossExecutionResult:
        """Execute one decision, once ever, and return when it is DONE or first HALTED.

        The same decision again returns the same trade's result and sends nothing.
        Cancelling the caller does not cancel the trade.

        Raises:
            InvalidInput: A leg names an unknown venue or symbol, or an exit does not fit its position.
            DecisionConflict: Another decision was executed under this id.
            PositionNotOpen: The position that an exit names is unknown, closing or closed.
            ExecutorClosed: Nothing new is begun any more.
            JournalError: The trade could not be begun durably; nothing was sent.
        """
        trade_id = decision.decision_id
        known = self._known(decision)
        if known is not None:
            return await known.at_rest() if isinstance(known, Runner) else known
        if trade_id not in self._opened:
            closed = self._closed_to(decision)
            if closed:
                raise ExecutorClosed(f"decision {trade_id} was not begun: {closed}")
            task = asyncio.get_running_loop().create_task(self._open(decision), name=f"opening {trade_id}")
            self._opened[trade_id] = decision, task
            task.add_done_callback(lambda done: self._opening_ended(trade_id, done))
        runner = await asyncio.shield(self._opened[trade_id][1])
        return await runner.at_rest()

    def _closed_to(self, decision: CrossExchangeDecision) -> str:
        """Return why *decision* may not be begun any more; empty: it may."""
        return self._closed or (self._entries_stopped if decision.action.is_entry else "")

    def _opening_ended(self, trade_id: str, task: asyncio.Task[Runner]) -> None:
        self._opened.pop(trade_id, None)
        if not task.cancelled() and task.exception() is not None:
            # Whoever asked may have gone away.
            logger.info("decision %s was not begun: %s", trade_id, task.exception())

    def _known(self, decision: CrossExchangeDecision) -> Runner | CrossExecutionResult | None:
        """Return the trade of this decision if there is one: the driven one, or the result of a finished one."""
        trade_id = decision.decision_id
        runner = self._runners.get(trade_id)
        if runner is not None:
            _same(runner.trade.decision, decision)
            return runner
        if trade_id in self._opened:
            _same(self._opened[trade_id][0], decision)
            return None
        if not self._reading:
            return None
        found = self._services.scribe.trade(trade_id, self._services.fresh_id)
        if found is None:
            return None
        _same(found[0].decision, decision)
        return result_of(found[0], self._services.positions.of_trade(found[0]))

    async def _open(self, decision: CrossExchangeDecision) -> Runner:
        """Take a decision up to its first durable records, and start driving it."""
        services, clock = self._services, self._services.clock
        order = understood(decision, services)
        await self._entry_at_rest(order)
        rules = await self._opening.rules(decision)
        order = understood(decision, services)  # what its position holds may have changed meanwhile
        trade, step = Trade.begin(
            decision.decision_id,
            decision,
            self.policy,
            services.fresh_id,
            now=clock.monotonic_ns(),
            at_ns=clock.time_ns(),
            sides=order.sides,
            quantity=order.quantity,
        )
        page = Page(TRADE + trade.trade_id)
        entries, also = list(step.entries), []
        if decision.position_id is not None:
            also.append(services.positions.start_exit(decision.position_id, trade.trade_id, clock.time_ns()))
        try:
            if not self._opening.warm(decision):
                await write(services, trade, page, entries, also)
                entries, also = [], []
            step = await self._begun(trade, order, rules)
            entries += step.entries
            await write(services, trade, page, entries, also)
        except BaseException as error:
            services.funds.release(trade.trade_id, clock.monotonic_ns())
            if decision.position_id is not None:
                services.positions.reread(decision.position_id)
            if not page.seq or isinstance(error, JournalFenced) or not isinstance(error, Exception):
                raise
            # It stands on the journal as begun: it is driven to its end, and so is its position.
            return self._drive(trade, page, Step(), error)
        return self._drive(trade, page, Step(tuple(entries), step.sends))

    async def _begun(self, trade: Trade, order: Order, rules: Any) -> Step:
        """Check and size. An error of ours ends the trade before its first intent; nothing is left half begun."""
        clock = self._services.clock
        entries: list[Entry] = []
        try:
            checked, fx = await self._opening.check(order, rules)
            entries += trade.handle(checked, clock.time_ns()).entries
            if trade.done or isinstance(fx, str):
                return Step(tuple(entries))
            sized = await self._opening.plan(order, rules, fx)
        except Exception as error:
            logger.exception("%s: could not be begun", trade.trade_id)
            step = trade.handle(AbortAsked(now=clock.monotonic_ns(), reason=_words(error)), clock.time_ns())
            return Step((*entries, *step.entries))
        closed = self._closed_to(order.decision)
        if closed:
            step = trade.handle(AbortAsked(now=clock.monotonic_ns(), reason=closed), clock.time_ns())
        else:
            step = trade.handle(sized, clock.time_ns())
        return Step((*entries, *step.entries), step.sends)

    async def _entry_at_rest(self, order: Order) -> None:
        """An exit waits until the entry it closes, if disturbed, has settled."""
        entry = self._runners.get(order.position.entry_trade_id) if order.position else None
        if entry is not None and not entry.resting:
            await entry.at_rest()

    def _drive(self, trade: Trade, page: Page, step: Step, failure: Exception | None = None) -> Runner:
        if trade.ledger is not None and not trade.done and failure is None:
            self._services.funds.reserve(trade.trade_id, held_by(trade.ledger.plan))
        runner = Runner(self._services, trade, page)
        self._runners[trade.trade_id] = runner
        runner.start(step, failure)
        runner.when_ended(lambda: self._forget(trade.trade_id, runner))
        return runner

    def _forget(self, trade_id: str, runner: Runner) -> None:
        """Let go of a trade that is finished; one whose driver failed stays in sight."""
        if runner.trade.finished and self._runners.get(trade_id) is runner:
            del self._runners[trade_id]

    # -------------------------------------------------------------- operating

    async def resume(self, trade_id: str) -> CrossExecutionResult:
        """Ask a halted trade to try again now, with a fresh budget; return when it settles or halts again.

        Raises:
            UnknownTrade: It is not among the trades being driven.
        """
        runner = self._running(trade_id)
        await runner.tell(Resumed(now=self._services.clock.monotonic_ns(), reason="an operator asked"))
        return await runner.answered()

    async def resolve(self, trade_id: str, fill: OperatorFill, reason: str) -> CrossExecutionResult:
        """Record an operator's own trade on a venue, which makes a trade's exposure smaller.

        Args:
            trade_id: The trade it belongs to.
            fill: What was traded, where, at what price.
            reason: For the audit.

        Raises:
            UnknownTrade: It is not among the trades being driven.
            InvalidInput: It does not make the exposure smaller, or is on neither leg.
        """
        runner = self._running(trade_id)
        legs = [leg.exchange for leg in runner.trade.decision.legs]
        if fill.exchange not in legs:
            raise InvalidInput("fill.exchange", fill.exchange, f"is on neither leg of {trade_id}: {', '.join(legs)}")
        await runner.tell(
            ExternalFill(
                now=self._services.clock.monotonic_ns(),
                leg=legs.index(fill.exchange),
                side=fill.side,
                amount=fill.amount,
                price=fill.price,
                reason=reason,
                fee=fill.fee,
            )
        )
        return runner.result()

    def _running(self, trade_id: str) -> Runner:
        runner = self._runners.get(trade_id)
        if runner is None or runner.ended:
            raise UnknownTrade(f"trade {trade_id} is not being driven: it is finished, or was never begun")
        return runner

    # -------------------------------------------------------------- asking

    def trade(self, trade_id: str) -> CrossExecutionResult:
        """Return what is true of one trade now.

        Raises:
            UnknownTrade: It is not on the journal.
        """
        runner = self._runners.get(trade_id)
        if runner is not None:
            return runner.result()
        found = self._services.scribe.trade(trade_id, self._services.fresh_id)
        if found is None:
            raise UnknownTrade(f"no trade {trade_id} on this journal")
        return result_of(found[0], self._services.positions.of_trade(found[0]))

    def trades(self, live: bool | None = None) -> Iterator[CrossExecutionResult]:  # noqa: FBT001 - reads as a question
        """Yield the results of all trades on the journal, oldest first, read lazily.

        Args:
            live: True: only those not DONE; False: only those DONE; None: all.
        """
        for trade_id in self._services.scribe.trade_ids(live=True if live else None):
            result = self.trade(trade_id)
            if live is None or live == (result.state != "DONE"):
                yield result

    def positions(self) -> tuple[CrossExchangePosition, ...]:
        """Return every position that is not closed, and those closed since the start."""
        return self._services.positions.all()

    def exposure(self) -> dict[str, Decimal]:
        """Return what is naked now over all unfinished trades, by base asset, + for long."""
        total: dict[str, Decimal] = {}
        for runner in self._runners.values():
            if not runner.trade.done:
                base = runner.trade.decision.legs[0].base
                total[base] = total.get(base, ZERO) + runner.trade.exposure
        return total


def _same(known: CrossExchangeDecision, asked: CrossExchangeDecision) -> None:
    if known != asked:
        raise DecisionConflict(f"decision {asked.decision_id} was executed before with other content: {known}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
