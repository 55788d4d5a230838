"""From ticks to trades: an integration decides, the executor executes, or in paper mode nobody does."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.integration import Integration
    from fsm_arb.results import CrossExecutionResult


@frozen(kw_only=True)
class TickResult:
    """What one tick led to."""

    decisions: tuple[CrossExchangeDecision, ...] = ()
    results: tuple[CrossExecutionResult, ...] = ()  # one a decision; none where nothing is executed


class CrossExchangeOrchestrator:
    """Runs an integration's decisions.

    Args:
        integration: Decides. Where it has a method ``concluded(decision, status)``, that is told of each decision
            that has run its course, with the result's status; with None where nothing was executed.
        executor: Executes; entered by the caller.
        enable_execution: False: decisions are returned and none is executed.
    """

    def __init__(
        self,
        integration: Integration,
        executor: CrossExchangeExecutor,
        enable_execution: bool = False,  # noqa: FBT001, FBT002 - the name callers know
    ) -> None:
        self._integration = integration
        self._executor = executor
        self.enable_execution = enable_execution

    async def process_entry_tick(self, context: Any) -> TickResult:
        """Decide on entries, and execute them one after the other.

        Raises:
            FsmArbError: As `CrossExchangeExecutor.execute_decision`.
        """
        return await self._process(self._integration.tick_entry(context))

    async def process_exit_tick(self, context: Any) -> TickResult:
        """Decide on exits, and execute them one after the other.

        Raises:
            FsmArbError: As `CrossExchangeExecutor.execute_decision`.
        """
        return await self._process(self._integration.tick_exit(context))

    async def _process(self, answer: Any) -> TickResult:
        decided: Sequence[CrossExchangeDecision] = await answer if inspect.isawaitable(answer) else answer
        decisions = tuple(decided)
        results: list[CrossExecutionResult] = []
        for at, decision in enumerate(decisions):
            if not self.enable_execution:
                self._conclude(decision, None)
                continue
            try:
                results.append(await self._executor.execute_decision(decision))
            except BaseException:
                for unasked in decisions[at + 1 :]:
                    self._conclude(unasked, None)
                raise
            self._conclude(decision, results[-1])
        return TickResult(decisions=decisions, results=tuple(results))

    def _conclude(self, decision: CrossExchangeDecision, result: CrossExecutionResult | None) -> None:
        concluded = getattr(self._integration, "concluded", None)
        if concluded is not None:
            concluded(decision, None if result is None else result.status)
