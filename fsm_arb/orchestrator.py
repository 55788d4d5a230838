"""From ticks to trades: an integration decides, the executor executes, or in paper mode nobody does."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.results import CrossExecutionResult


class CrossExchangeIntegration(Protocol):
    """What looks at a context (books, FX, balances, health) and decides. May be sync or async."""

    def tick_entry(self, context: Any) -> Any:
        """Return the entries to execute now: a sequence of decisions, maybe empty."""
        ...

    def tick_exit(self, context: Any) -> Any:
        """Return the exits to execute now: a sequence of decisions, maybe empty."""
        ...


@frozen(kw_only=True)
class TickResult:
    """What one tick led to."""

    decisions: tuple[CrossExchangeDecision, ...] = ()
    results: tuple[CrossExecutionResult, ...] = ()  # one a decision; none where nothing is executed


class CrossExchangeOrchestrator:
    """Runs an integration's decisions.

    Args:
        integration: Decides.
        executor: Executes; entered by the caller.
        enable_execution: False: decisions are returned and none is executed.
    """

    def __init__(
        self,
        integration: CrossExchangeIntegration,
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
        if not self.enable_execution:
            return TickResult(decisions=decisions)
        results = [await self._executor.execute_decision(decision) for decision in decisions]
        return TickResult(decisions=decisions, results=tuple(results))
