"""From ticks to trades: decided, and executed or not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import papers
import pytest
from papers import book, desk
from worlds import entry, leaving

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput, UnknownTrade
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.orchestrator import CrossExchangeOrchestrator, TickResult
from fsm_arb.values import Leg
from fsm_arb.virtual import VirtualClock, run


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


# ------------------------------------------------------------------ on paper


class Scripted:
    """Says what it was told to say, once for each kind of tick, and remembers what it was shown."""

    def __init__(self, *decisions: CrossExchangeDecision) -> None:
        self.decisions = list(decisions)
        self.shown: list[Any] = []

    def tick_entry(self, context: Any) -> list[CrossExchangeDecision]:
        return self._tick(context, entries=True)

    def tick_exit(self, context: Any) -> list[CrossExchangeDecision]:
        return self._tick(context, entries=False)

    def _tick(self, context: Any, *, entries: bool) -> list[CrossExchangeDecision]:
        self.shown.append(context)
        said = [each for each in self.decisions if each.action.is_entry is entries]
        self.decisions = [each for each in self.decisions if each not in said]
        return said


def test_a_tick_on_paper_executes_on_the_books_of_its_context() -> None:
    """In and out again: the whole path of real trading, no real venue, and no order anywhere else."""
    clock, disk = VirtualClock(), MemoryDisk()
    real = Executor()

    async def play() -> None:
        async with desk(clock, disk=disk) as paper:
            said = Scripted(papers.entry())
            orchestrator = CrossExchangeOrchestrator(said, real, paper=paper)  # type: ignore[arg-type]
            assert orchestrator.executes is paper
            (entered,) = (await orchestrator.process_entry_tick(papers.context((book(), book())))).results
            assert (entered.status, entered.legs[0].avg_price, entered.legs[1].avg_price) == ("success", 100, 101)
            said.decisions.append(papers.leaving(entered.position_id))
            higher = papers.context((book(asks=((103, 5),)), book(bids=((102, 5),), asks=((104, 1),))))
            (left,) = (await orchestrator.process_exit_tick(iter([higher]))).results
            assert (left.status, left.position_id) == ("success", entered.position_id)
            assert said.shown[-1] == (higher,)
            assert [each.state for each in paper.executor.positions()] == ["CLOSED"]

    run(play(), clock)
    assert real.executed == []
    trade = [record.state_after for record in disk.records if record.stream == "trade/d1"]
    assert list(dict.fromkeys(trade)) == ["PRECHECK", "SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"]


def test_a_position_opens_only_from_a_hedged_trade_and_closes_only_from_a_matched_exit() -> None:
    """An entry of one leg is traded back and opens none; an exit of one leg leaves it open."""
    clock, disk = VirtualClock(), MemoryDisk()

    async def play() -> None:
        async with desk(clock, disk=disk, policy={"remedy": "unwind"}) as paper:
            thin = papers.context((book(), book(bids=((100, 3),), asks=())))
            said = Scripted(papers.entry())
            orchestrator = CrossExchangeOrchestrator(said, paper=paper)  # type: ignore[arg-type]
            (result,) = (await orchestrator.process_entry_tick(thin)).results
            assert (result.status, result.position_id, paper.executor.positions()) == ("rolled_back", None, ())
            both = papers.context((book(((100, 5),)), book(((100, 5),), ((101, 3),))))
            said.decisions.append(papers.entry(decision_id="d3"))
            (entered,) = (await orchestrator.process_entry_tick(both)).results
            assert entered.status == "success"
            said.decisions.append(papers.leaving(entered.position_id))
            (left,) = (await orchestrator.process_exit_tick(papers.context((book(((100, 4),)), book((), ()))))).results
            assert left.status == "rolled_back"
            (position,) = paper.executor.positions()
            assert (position.state, position.quantity) == ("OPEN", 1)

    run(play(), clock)
    opened = [record for record in disk.records if record.stream.startswith("position/") and record.trigger == "opened"]
    assert len(opened) == 1
    before = [record for record in disk.records if record.seq < opened[0].seq and record.stream == "trade/d3"]
    assert [record.state_after for record in before][-2:] == ["HEDGED", "DONE"]


class Slowly(Executor):
    """Executes when it is let; then a trade has ended as it was told to."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.status, self.state = "success", "DONE"

    async def execute_decision(self, decision: CrossExchangeDecision) -> Any:
        self.executed.append(decision.decision_id)
        await self.let.wait()
        return SimpleNamespace(status=self.status)

    def trade(self, trade_id: str) -> Any:
        if trade_id not in self.executed:
            raise UnknownTrade(trade_id)
        return SimpleNamespace(state=self.state)


@pytest.mark.parametrize(("most", "begun"), [(1, ["a"]), (2, ["a", "b"]), (None, ["a", "b", "c"])])
async def test_so_many_trades_of_a_pair_are_at_work_and_no_more(most: int | None, begun: list[str]) -> None:
    """One, unless told otherwise; what is left out is told, concluded, and never executed."""
    executor, told = Slowly(), Told()
    orchestrator = CrossExchangeOrchestrator(told, executor, True, trades_per_pair=most)  # type: ignore[arg-type]
    ticks = []
    for name in "abc":
        ticks.append(asyncio.create_task(orchestrator.process_entry_tick([name])))
        await asyncio.sleep(0)
    assert executor.executed == begun
    left_out = [name for name in "abc" if name not in begun]
    assert told.heard == [(name, None) for name in left_out]
    executor.let.set()
    done = await asyncio.gather(*ticks)
    assert [each.decision_id for tick in done for each in tick.left_out] == left_out
    assert sum(len(tick.results) for tick in done) == len(begun)
    assert len((await orchestrator.process_entry_tick(["d"])).results) == 1


async def test_another_pair_and_an_exit_are_never_left_out() -> None:
    """What is at work on one pair holds up no other, and nothing holds up a way out."""
    executor = Slowly()
    other = entry(decision_id="b", legs=(Leg("alpha", "BTC/USD"), Leg("gamma", "BTC/USDT")))
    said = [[entry(decision_id="a")], [other], [leaving(decision_id="c")]]
    orchestrator = CrossExchangeOrchestrator(
        SimpleNamespace(tick_entry=lambda _: said.pop(0), tick_exit=lambda _: said.pop(0)),
        executor,  # type: ignore[arg-type]
        True,
    )
    ticks = [asyncio.create_task(orchestrator.process_entry_tick({})) for _ in range(2)]
    await asyncio.sleep(0)
    ticks.append(asyncio.create_task(orchestrator.process_exit_tick({})))
    await asyncio.sleep(0)
    assert executor.executed == ["a", "b", "c"]
    executor.let.set()
    assert [len(tick.results) for tick in await asyncio.gather(*ticks)] == [1, 1, 1]


async def test_a_halted_trade_is_at_work_until_it_is_done() -> None:
    """It still holds one leg more than the other."""
    executor = Slowly()
    executor.let.set()
    executor.status, executor.state = "halted", "HALTED"
    orchestrator = CrossExchangeOrchestrator(Integration(), executor, True)  # type: ignore[arg-type]
    assert len((await orchestrator.process_entry_tick(["a"])).results) == 1
    tick = await orchestrator.process_entry_tick(["b"])
    assert ([each.decision_id for each in tick.left_out], tick.results) == (["b"], ())
    assert len((await orchestrator.process_entry_tick(["a"])).results) == 1  # asking again is no second trade
    executor.state = "DONE"
    assert len((await orchestrator.process_entry_tick(["c"])).results) == 1


async def test_a_trade_that_nobody_waits_for_any_more_is_at_work_still() -> None:
    """Whoever asked was cancelled, the trade was not; one that was never begun is not in the way."""
    executor = Slowly()
    executor.state = "PARTIAL"
    orchestrator = CrossExchangeOrchestrator(Integration(), executor, True)  # type: ignore[arg-type]
    tick = asyncio.create_task(orchestrator.process_entry_tick(["a"]))
    await asyncio.sleep(0)
    tick.cancel()
    await asyncio.gather(tick, return_exceptions=True)
    executor.let.set()
    assert (await orchestrator.process_entry_tick(["b"])).results == ()
    executor.executed.clear()
    assert len((await orchestrator.process_entry_tick(["c"])).results) == 1


def test_what_cannot_be_is_said_at_once() -> None:
    """Execution without an executor, and a pair that may never be traded."""
    with pytest.raises(InvalidInput, match="executor"):
        CrossExchangeOrchestrator(Integration(), enable_execution=True)
    with pytest.raises(InvalidInput, match="trades_per_pair"):
        CrossExchangeOrchestrator(Integration(), trades_per_pair=0)


async def test_nobody_executes_where_there_is_nobody() -> None:
    """Neither money nor paper: decisions and nothing else."""
    orchestrator = CrossExchangeOrchestrator(Integration())
    assert orchestrator.executes is None
    done = await orchestrator.process_entry_tick(["a"])
    assert ([each.decision_id for each in done.decisions], done.results, done.left_out) == (["a"], (), ())
