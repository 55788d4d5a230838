"""From ticks to trades: decided, and executed or not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from worlds import entry, leaving

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.orchestrator import CrossExchangeOrchestrator, TickResult


class Executor:
    """Executes by name."""

    def __init__(self) -> None:
        self.executed: list[str] = []

    async def execute_decision(self, decision: CrossExchangeDecision) -> str:
        self.executed.append(decision.decision_id)
        return f"result of {decision.decision_id}"


class Integration:
    """Decides on what it is handed, at once."""

    def tick_entry(self, context: Any) -> Any:
        return [entry(decision_id=name) for name in context]

    def tick_exit(self, context: Any) -> Any:
        return tuple(leaving(decision_id=name) for name in context)


class Slow(Integration):
    """Decides after having asked somebody."""

    async def tick_entry(self, context: Any) -> Any:
        return super().tick_entry(context)

    async def tick_exit(self, context: Any) -> Any:
        return super().tick_exit(context)


@pytest.mark.parametrize("integration", [Integration(), Slow()])
@pytest.mark.parametrize("tick", ["entry", "exit"])
async def test_a_real_tick_executes_each_decision_in_order(integration: Any, tick: str) -> None:
    """One result a decision."""
    executor = Executor()
    orchestrator = CrossExchangeOrchestrator(integration, executor, True)  # type: ignore[arg-type]
    done = await getattr(orchestrator, f"process_{tick}_tick")(["a", "b"])
    assert executor.executed == ["a", "b"]
    assert [decision.decision_id for decision in done.decisions] == ["a", "b"]
    assert done.results == ("result of a", "result of b")
    assert all(decision.action.is_exit is (tick == "exit") for decision in done.decisions)


@pytest.mark.parametrize("tick", ["entry", "exit"])
async def test_a_paper_tick_decides_and_executes_nothing(tick: str) -> None:
    """Which is the default."""
    executor = Executor()
    orchestrator = CrossExchangeOrchestrator(Integration(), executor)  # type: ignore[arg-type]
    done = await getattr(orchestrator, f"process_{tick}_tick")(["a"])
    assert ([decision.decision_id for decision in done.decisions], done.results, executor.executed) == (["a"], (), [])


async def test_no_decision_is_no_result() -> None:
    """A quiet market."""
    orchestrator = CrossExchangeOrchestrator(Integration(), Executor(), True)  # type: ignore[arg-type]
    assert await orchestrator.process_entry_tick([]) == TickResult()


class Told(Integration):
    """Wants to hear what became of its decisions."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None]] = []

    def concluded(self, decision: CrossExchangeDecision, status: str | None) -> None:
        self.heard.append((decision.decision_id, status))


class Failing(Executor):
    """Blocks the first, and fails on the second."""

    async def execute_decision(self, decision: CrossExchangeDecision) -> Any:
        await super().execute_decision(decision)
        if len(self.executed) > 1:
            raise RuntimeError("the journal is gone")
        return SimpleNamespace(status="blocked")


async def test_an_integration_that_wants_to_hears_what_became_of_each_decision() -> None:
    """Its status, each when it is over."""
    told, executor = Told(), Failing()
    done = await CrossExchangeOrchestrator(told, executor, True).process_entry_tick(["a"])  # type: ignore[arg-type]
    assert (told.heard, len(done.results)) == ([("a", "blocked")], 1)


async def test_a_paper_decision_is_over_at_once() -> None:
    """Nothing became of it, which is no failure."""
    told = Told()
    await CrossExchangeOrchestrator(told, Executor()).process_exit_tick(["a", "b"])  # type: ignore[arg-type]
    assert told.heard == [("a", None), ("b", None)]


async def test_what_was_never_asked_for_is_over_when_the_executor_raises() -> None:
    """Of the one that it raised on nobody knows."""
    told, executor = Told(), Failing()
    orchestrator = CrossExchangeOrchestrator(told, executor, True)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="the journal is gone"):
        await orchestrator.process_entry_tick(["a", "b", "c", "d"])
    assert told.heard == [("a", "blocked"), ("c", None), ("d", None)]
    assert executor.executed == ["a", "b"]
