"""The public face: hand it decisions, get results; enter it, and it takes up what its journal holds."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Self

from fsm_arb.alerts import SINK_TIMEOUT_S, Alerts
from fsm_arb.clock import SystemClock
from fsm_arb.errors import DecisionConflict, ExecutorClosed, MachineError, UnknownVenue
from fsm_arb.executor.asking import Asking
from fsm_arb.executor.beginning import Beginning
from fsm_arb.executor.commit import write
from fsm_arb.executor.crew import Crew
from fsm_arb.executor.desk import Desk
from fsm_arb.executor.entries import Cause, Entries
from fsm_arb.executor.guarding import Guarding
from fsm_arb.executor.limits import asked_to_stop
from fsm_arb.executor.notices import tell_turned
from fsm_arb.executor.opening import Opening
from fsm_arb.executor.operating import Operating
from fsm_arb.executor.positions import CrossExchangePositionManager, position_of
from fsm_arb.executor.quiet import QuietMetrics
from fsm_arb.executor.retreat import Retreats
from fsm_arb.executor.runner import Runner
from fsm_arb.executor.services import Services
from fsm_arb.executor.subscribers import Subscribers
from fsm_arb.fx import FxProvider, StaticFx
from fsm_arb.ids import client_order_ids
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.metrics import Metrics, NoMetrics
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.recovery import take_up, unfinished
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.scribe import Scribe
from fsm_arb.venues.ccxt_venue import as_venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.ports import AlertSink, Clock, Journal, Venue
    from fsm_arb.scribe import Page
    from fsm_arb.trade import Trade
    from fsm_arb.values import OperatorFill

logger = logging.getLogger(__name__)

CLOSING_S = 30.0  # how long leaving waits for a journal to let go


class CrossExchangeExecutor(Asking):
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
        ids: Where client order ids come from, given the journal's epoch; every id must be fresh for ever.
            None: `fsm_arb.ids.client_order_ids`, from the system's randomness.

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
        ids: Callable[[int], Callable[[], str]] | None = None,
    ) -> None:
        self.policy = policy or ExecutionPolicy()
        self._clock = clock or SystemClock()
        self._ids = ids or client_order_ids
        self._venues: dict[str, Venue] = {name: as_venue(lent, name, self._clock) for name, lent in venues.items()}
        self._journal: Journal = SqliteJournal(journal) if isinstance(journal, str | os.PathLike) else journal
        self._fx, self._risk_guard = fx or StaticFx({}), risk_guard
        self._metrics, self._sink = QuietMetrics(metrics or NoMetrics()), alerts
        self._reading = False  # the journal is open
        self._left = False
        self._furnish()

    def _furnish(self) -> None:
        """Set out everything that belongs to one entering."""
        alerts, scribe = Alerts(self._sink), Scribe(self._journal)
        self._subscribers = Subscribers(self._journal)
        scribe.heard = self._subscribers.committed
        wait_s, call = float(self.policy.request_timeout_s), alerts.raise_alert
        self._entries = Entries(alerts, self._journal)
        self._services = Services(
            desks={name: Desk(name, venue, self._clock, wait_s, call) for name, venue in self._venues.items()},
            scribe=scribe,
            positions=(positions := CrossExchangePositionManager(scribe)),
            alerts=alerts,
            metrics=self._metrics,
            clock=self._clock,
            fresh_id=self._ids(0),
            entries=self._entries,
            guarding=Guarding(self._risk_guard, scribe, positions, clock=self._clock, timeout_s=wait_s, alert=call),
        )
        opening = Opening(self._services, self.policy, self._fx)
        self._retreats = Retreats(self._services, self.policy, self.execute_decision)
        self._crew = Crew(self._services, self._retreats.ended)
        self._runners = self._crew.runners
        self._operating = Operating(self._services, self._crew)
        self._beginning = Beginning(self._services, self.policy, opening, self._crew, self._closed_to)
        self._opened: dict[str, tuple[CrossExchangeDecision, asyncio.Task[Runner]]] = {}
        self._closed = "it has not been entered"

    @property
    def _entries_stopped(self) -> str:
        return self._entries.stopped

    # -------------------------------------------------------------- coming and going

    async def __aenter__(self) -> Self:
        if self._reading:
            raise MachineError("the executor has been entered already; it can be entered again once it was left")
        if self._left:
            self._furnish()
        epoch = await self._journal.open()
        try:
            self._reading, self._left = True, False
            self._services.fresh_id = self._ids(epoch)
            self._services.positions.recover()
            tell_turned(self._services.alerts, self._services.positions.all())
            self._services.guarding.recover()
            self._services.leavings.recover()
            await self._take_up()
        except BaseException:
            await self._shut()
            raise
        self._closed = ""
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._services.leaving.set()
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
            if trade.bookings:
                services.positions.reread(position_of(trade))  # closed or not: a late fee amends it
            services.guarding.take_up(trade)
            self._crew.drive(trade, page, step)

        await asyncio.gather(*(go_on(trade, page) for trade, page in found))
        if found:
            logger.info("took up %d unfinished trades", len(found))

    async def _shut(self) -> None:
        self._closed, self._left = self._closed or "it was left", True
        await self._retreats.close()
        openings = [opening for _, opening in self._opened.values()]
        for opening in openings:
            opening.cancel()
        await asyncio.gather(*openings, return_exceptions=True)
        await asyncio.gather(*(runner.close() for runner in list(self._runners.values())))
        # A sink or a disk that never answers holds nobody for ever.
        closing = {asyncio.ensure_future(each.close()) for each in (self._services.alerts, self._services.guarding)}
        await asyncio.wait(closing, timeout=SINK_TIMEOUT_S + 1)
        await self._subscribers.close()
        self._reading = False
        last = asyncio.ensure_future(self._journal.close())
        done, _ = await asyncio.wait({last}, timeout=CLOSING_S)
        await asyncio.gather(*(desk.close() for desk in self._services.desks.values()), return_exceptions=True)
        if not done:
            last.add_done_callback(lambda late: late.cancelled() or late.exception())
            logger.error("the journal could not be closed in %s s and is left as it is", CLOSING_S)
        else:
            last.result()

    async def stop(self) -> None:
        """Begin no new entry, and wait until every running trade is DONE or HALTED. Positions can still be left."""
        self._entries.stop("it was stopped", Cause.ASKED)
        await self.settled()

    def allow_entries(self) -> None:
        """Let new entries begin again, whatever has stopped them, `stop` included.

        For operators: an error of our own and a full disk stop entries until
        somebody has looked. Only a journal that another process has taken over
        stays closed to this one.
        """
        self._entries.allow()

    async def settled(self) -> None:
        """Wait until no trade runs: each is DONE or HALTED."""
        while True:
            opening = [task for _, task in self._opened.values()]
            running = [runner for runner in self._runners.values() if not runner.resting]
            if not opening and not running:
                return
            await asyncio.gather(*opening, *(runner.at_rest() for runner in running), return_exceptions=True)

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
            JournalError: The trade could not be begun durably, and nothing was sent; or what it does can no
                longer be made durable: it is driven on, and asking again tells what is true by then.
        """
        trade_id = decision.decision_id
        known = self._known(decision)
        if known is not None:
            return await self._at_rest(known) if isinstance(known, Runner) else known
        if trade_id not in self._opened:
            closed = self._closed_to(decision)
            if closed:
                raise ExecutorClosed(f"decision {trade_id} was not begun: {closed}")
            begun = self._beginning.begin(decision)
            task = asyncio.get_running_loop().create_task(begun, name=f"opening {trade_id}")
            self._opened[trade_id] = decision, task
            task.add_done_callback(lambda done: self._opening_ended(trade_id, done))
        try:
            opened = asyncio.shield(self._opened[trade_id][1])
            runner = await self._services.troubles.unless(trade_id, opened)
        except asyncio.CancelledError:
            if asked_to_stop():
                raise
            raise ExecutorClosed(f"decision {trade_id} was not begun: {self._closed}") from None
        return await self._at_rest(runner)

    async def _at_rest(self, runner: Runner) -> CrossExecutionResult:
        return await self._services.troubles.unless(runner.trade.trade_id, runner.at_rest())

    def _closed_to(self, decision: CrossExchangeDecision) -> str:
        """Return why *decision* may not be begun any more; empty: it may."""
        return self._closed or (self._entries.stopped if decision.action.is_entry else "")

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

    # -------------------------------------------------------------- operating

    async def resume(self, trade_id: str) -> CrossExecutionResult:
        """Ask a halted trade to try again now, with a fresh budget; return when it settles or halts again.

        Raises:
            UnknownTrade: It is not among the trades being driven.
        """
        return await self._operating.resume(trade_id)

    async def resolve(self, trade_id: str, fill: OperatorFill, reason: str) -> CrossExecutionResult:
        """Record an operator's own trade on a venue, which makes a trade's exposure smaller.

        Args:
            trade_id: The trade it belongs to.
            fill: What was traded, where, at what price.
            reason: For the audit.

        Raises:
            UnknownTrade: It is not among the trades being driven.
            InvalidInput: It does not make the exposure smaller, is on neither leg, or might be on either:
                both are on one venue, and the fill names no symbol.
        """
        return await self._operating.resolve(trade_id, fill, reason)

    async def bust(self, trade_id: str, client_order_id: str, amount: Decimal, reason: str) -> CrossExecutionResult:
        """Record that a venue took executions of an order back; return when the trade is DONE or HALTED again.

        A trade that ended long ago is taken up again where this leaves it unmatched.

        Args:
            trade_id: The trade.
            client_order_id: The order, as the trade's result names it.
            amount: Base that was taken back, in all.
            reason: For the audit.

        Raises:
            UnknownTrade: It is not on the journal.
            InvalidInput: It has no such order, or less has filled.
        """
        return await self._operating.bust(trade_id, client_order_id, amount, reason)

    async def settle_order(
        self, trade_id: str, client_order_id: str, filled: Decimal, reason: str, price: Decimal | None = None
    ) -> CrossExecutionResult:
        """Record that an order which no venue shows has ended; return when the trade is DONE or HALTED.

        What a venue shows of it later counts all the same, and disturbs the trade.

        Args:
            trade_id: The trade.
            client_order_id: The order, as the trade's result names it.
            filled: Base that it executed, in all; zero: nothing.
            reason: For the audit.
            price: Quote per base; None where it is unknown.

        Raises:
            UnknownTrade: It is not on the journal.
            InvalidInput: It has no such order, or the verdict does not fit what is known of it.
        """
        return await self._operating.settle_order(trade_id, client_order_id, filled, reason, price)


def _same(known: CrossExchangeDecision, asked: CrossExchangeDecision) -> None:
    if known != asked:
        raise DecisionConflict(f"decision {asked.decision_id} was executed before with other content: {known}")
