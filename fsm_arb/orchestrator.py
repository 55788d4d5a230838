"""From ticks to trades: an integration decides, an executor executes: for money, on paper, or nobody does.

Paper and real differ in the venue alone: the same integration, the same
machine, the same kind of journal. On paper the venues are `PaperVenue`, fed
with the books of the very context that was decided on.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from fsm_arb.errors import InvalidInput, UnknownTrade

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.integration import Integration
    from fsm_arb.paper.desk import PaperDesk
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.values import Leg

HALTED = "halted"
DONE = "DONE"


@frozen(kw_only=True)
class TickResult:
    """What one tick led to.

    Attributes:
        decisions: What was decided.
        results: One for each decision that was executed, in their order; none where nothing is executed.
        left_out: Entries that were not executed, since a trade of their pair was at work.
    """

    decisions: tuple[CrossExchangeDecision, ...] = ()
    results: tuple[CrossExecutionResult, ...] = ()
    left_out: tuple[CrossExchangeDecision, ...] = field(default=())


class CrossExchangeOrchestrator:
    """Runs an integration's decisions.

    ================  ==============  =====================================================
    enable_execution  paper           a tick
    ================  ==============  =====================================================
    True              (any)           decides, and executes on *executor*'s venues
    False             a `PaperDesk`   feeds the desk the context's books, decides, and
                                      executes on the desk's
    False             None            decides; nothing is executed and no order is sent
    ================  ==============  =====================================================

    Args:
        integration: Decides. Where it has a method ``concluded(decision, status)``, that is told of each decision
            that has run its course, with the result's status; with None where nothing was executed.
        executor: Executes for money; entered by the caller. None: nothing can be.
        enable_execution: False: nothing is executed for money.
        paper: Executes on paper where nothing is executed for money; entered by the caller.
        trades_per_pair: How many trades of one pair may be at work before further entries of it are left out;
            None: any number. An exit is never left out.

    Raises:
        InvalidInput: Execution is enabled without an executor, or the number of trades is below one.
    """

    def __init__(
        self,
        integration: Integration,
        executor: CrossExchangeExecutor | None = None,
        enable_execution: bool = False,  # noqa: FBT001, FBT002 - the name callers know
        *,
        paper: PaperDesk | None = None,
        trades_per_pair: int | None = 1,
    ) -> None:
        if enable_execution and executor is None:
            raise InvalidInput("executor", executor, "is needed where execution is enabled")
        if trades_per_pair is not None and trades_per_pair < 1:
            raise InvalidInput("trades_per_pair", trades_per_pair, "must be one at least, or None")
        self._integration = integration
        self._executor = executor
        self._paper = paper
        self._most = trades_per_pair
        self._at_work: dict[
            frozenset[Leg], dict[str, Any]
        ] = {}  # by pair, by trade: who executes it; None while it is awaited here
        self.enable_execution = enable_execution

    @property
    def executes(self) -> CrossExchangeExecutor | PaperDesk | None:
        """Who executes what is decided now; None: nobody."""
        return self._executor if self.enable_execution else self._paper

    async def process_entry_tick(self, context: Any) -> TickResult:
        """Decide on entries, and execute them one after the other.

        Args:
            context: What the integration takes; a paper desk is fed with each `MarketContext` in it.

        Raises:
            FsmArbError: As `CrossExchangeExecutor.execute_decision`.
        """
        context = self._seen(context)
        return await self._process(self._integration.tick_entry(context))

    async def process_exit_tick(self, context: Any) -> TickResult:
        """Decide on exits, and execute them one after the other.

        Args:
            context: As for an entry.

        Raises:
            FsmArbError: As `CrossExchangeExecutor.execute_decision`.
        """
        context = self._seen(context)
        return await self._process(self._integration.tick_exit(context))

    def _seen(self, context: Any) -> Any:
        """Feed the paper desk, if that is who executes; return the context, to be read once more."""
        if self.enable_execution or self._paper is None:
            return context
        if isinstance(context, Iterator):
            context = tuple(context)
        self._paper.feed(context)
        return context

    async def _process(self, answer: Any) -> TickResult:
        decided: Sequence[CrossExchangeDecision] = await answer if inspect.isawaitable(answer) else answer
        decisions = tuple(decided)
        results: list[CrossExecutionResult] = []
        left_out: list[CrossExchangeDecision] = []
        executes = self.executes
        for at, decision in enumerate(decisions):
            if executes is None:
                self._conclude(decision, None)
                continue
            if decision.action.is_entry and self._busy(decision):
                left_out.append(decision)
                self._conclude(decision, None)
                continue
            try:
                results.append(await self._execute(executes, decision))
            except BaseException:
                for unasked in decisions[at + 1 :]:
                    self._conclude(unasked, None)
                raise
            self._conclude(decision, results[-1])
        return TickResult(decisions=decisions, results=tuple(results), left_out=tuple(left_out))

    async def _execute(self, executes: Any, decision: CrossExchangeDecision) -> CrossExecutionResult:
        pair, name = frozenset(decision.legs), decision.decision_id
        at_work = self._at_work.setdefault(pair, {})
        at_work[name] = None
        try:
            result: CrossExecutionResult = await executes.execute_decision(decision)
        except BaseException:
            at_work[name] = executes  # it may run on, though nobody waits here any more
            raise
        if getattr(result, "status", "") == HALTED:
            at_work[name] = executes
        else:
            del at_work[name]
        return result

    def _busy(self, decision: CrossExchangeDecision) -> bool:
        """Whether as many trades of the decision's pair are at work as may be; forgets those that have ended since."""
        at_work = self._at_work.get(frozenset(decision.legs), {})
        for name in [name for name, executes in at_work.items() if executes is not None and _over(executes, name)]:
            del at_work[name]
        others = len(at_work) - (decision.decision_id in at_work)
        return self._most is not None and others >= self._most

    def _conclude(self, decision: CrossExchangeDecision, result: CrossExecutionResult | None) -> None:
        concluded = getattr(self._integration, "concluded", None)
        if concluded is not None:
            concluded(decision, None if result is None else result.status)


def _over(executes: Any, trade_id: str) -> bool:
    """Whether a trade that nobody waits for has ended, or was never begun."""
    try:
        return bool(executes.trade(trade_id).state == DONE)
    except UnknownTrade:
        return True
