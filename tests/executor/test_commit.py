"""One commit: a trade's records and what they do to its position, together or not at all."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import FX, IN_DOUBT, PaperVenue, Watched, breaks, mends, placed, quick, shows, until

from fsm_arb import CrossExchangeRiskGuard, Money
from fsm_arb.errors import JournalConflict, JournalFull, VenueUnanswered
from fsm_arb.executor.commit import write
from fsm_arb.journal import SqliteJournal
from fsm_arb.messages import Resumed
from fsm_arb.ports import Refused
from fsm_arb.risk import GlobalLimits, RiskLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hall import Hall

    from fsm_arb.ports import Batch

D = Decimal


class Numbers:
    """Metrics that remember."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, dict[str, str]]] = []
        self.observed: list[tuple[str, float]] = []

    def count(self, name: str, /, **labels: str) -> None:
        self.counted.append((name, labels))

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        self.observed.append((name, value))


def venues() -> dict[str, PaperVenue]:
    return {name: PaperVenue(name) for name in ("upbit", "binance")}


class Counting(Watched):
    """A journal that keeps what was committed together."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self.together: list[list[tuple[str, list[str], bool]]] = []

    async def append(self, batches: Sequence[Batch]) -> None:
        await super().append(batches)
        self.together.append(
            [(batch.stream.partition("/")[0], [d.trigger for d in batch.drafts], batch.live) for batch in batches]
        )


async def test_a_booked_trade_and_its_position_are_one_commit(hall: Hall) -> None:
    """There is no moment at which a hedge is durable and its position is not; the same for the exit."""
    journal = Counting(hall.path)
    async with hall.executor(venues=venues(), journal=journal) as executor:
        entered = await executor.execute_decision(hall.entry())
        booking = [commit for commit in journal.together if any("booked" in triggers for _, triggers, _ in commit)]
        assert [[stream for stream, _, _ in commit] for commit in booking] == [["trade", "position"]]
        journal.together.clear()
        await executor.execute_decision(hall.exit(entered))
        begun = [commit for commit in journal.together if any("begun" in triggers for _, triggers, _ in commit)]
        assert [sorted(stream for stream, _, _ in commit) for commit in begun] == [["position", "trade"]]
        ended = [commit for commit in journal.together if any("booked" in triggers for _, triggers, _ in commit)]
        assert [[stream for stream, _, _ in commit] for commit in ended] == [["trade", "position"]]
        assert ended[0][1][2] is False  # a closed position is not taken up again


async def test_an_intent_and_the_state_it_leads_to_are_one_commit(hall: Hall) -> None:
    """A first trade is begun in one record, then checked, sized and intended in one commit; a later one in one."""
    journal = Counting(hall.path)
    async with hall.executor(venues=venues(), journal=journal) as executor:
        for commits in (2, 1):
            journal.together.clear()
            await executor.execute_decision(hall.entry())
            intended = next(i for i, commit in enumerate(journal.together) if "intended" in commit[0][1])
            assert intended == commits - 1
            assert journal.together[0][0][1][0] == "begun"
            assert {"checks_passed", "planned", "sized", "intended"} <= set(journal.together[intended][0][1])


async def test_a_finished_trade_is_no_longer_live(hall: Hall) -> None:
    """Only when its watch is over; one that sent nothing, at once."""
    journal = Counting(hall.path)
    poor = venues()
    poor["binance"].free = {}
    async with hall.executor(venues=poor, journal=journal) as executor:
        assert (await executor.execute_decision(hall.entry())).status == "failed"
        assert journal.together[-1][0][2] is False
    rich = venues()
    async with hall.executor(venues=rich, journal=Watched(hall.path), policy=quick(watch_after_done_s=0)) as executor:
        result = await executor.execute_decision(hall.entry())
        await executor._runners[result.trade_id]._task if result.trade_id in executor._runners else None
    async with SqliteJournal(hall.path) as kept:
        assert list(kept.streams("trade/", live=True)) == []
        assert len(list(kept.streams("trade/"))) == 2


async def test_commits_are_measured(hall: Hall) -> None:
    """How long each took, every edge, every placing call and every end."""
    numbers = Numbers()
    async with hall.executor(venues=venues(), metrics=numbers) as executor:
        await executor.execute_decision(hall.entry())
    assert {name for name, _ in numbers.observed} == {"commit_seconds"}
    assert all(0 <= value < 5 for _, value in numbers.observed)
    assert ("trades", {"outcome": "success"}) in numbers.counted
    assert {labels["venue"] for name, labels in numbers.counted if name == "placed"} == {"upbit", "binance"}
    edges = [(labels["before"], labels["after"]) for name, labels in numbers.counted if name == "transitions"]
    assert edges[0] == ("PRECHECK", "SIZING")
    assert edges[-1] == ("HEDGED", "DONE")


async def test_a_failed_commit_moves_no_page(hall: Hall) -> None:
    """What is not durable is not counted as written: the same records can be written again."""
    journal = Watched(hall.path)
    async with hall.executor(venues=venues(), journal=journal) as executor:
        result = await executor.execute_decision(hall.entry())
        runner = executor._runners[result.trade_id]
        before = runner.page.seq
        step = runner.trade.handle(Resumed(now=0, reason="a test"), 0)
        journal.fail = lambda _: JournalConflict("the stream has moved on")
        with pytest.raises(JournalConflict):
            await write(executor._services, runner.trade, runner.page, step.entries)
        assert runner.page.seq == before
        journal.fail = lambda _: None
        await write(executor._services, runner.trade, runner.page, step.entries)
        assert runner.page.seq == before + len(step.entries)


async def test_a_full_disk_is_tried_once_more_for_what_is_live(hall: Hall) -> None:
    """The first failure releases the reserve; a second one is a failure. Entries stop at the first."""
    journal = Watched(hall.path)
    async with hall.executor(venues=venues(), journal=journal) as executor:
        result = await executor.execute_decision(hall.entry())
        runner = executor._runners[result.trade_id]
        step = runner.trade.handle(Resumed(now=0, reason="a test"), 0)
        full = [JournalFull("no space left")] * 2
        journal.fail = lambda _: full.pop() if full else None
        with pytest.raises(JournalFull):
            await write(executor._services, runner.trade, runner.page, step.entries)
        full.append(JournalFull("no space left"))
        await write(executor._services, runner.trade, runner.page, step.entries)
        assert full == []
        assert executor._entries_stopped == "no space left"


async def test_what_ended_with_nothing_and_is_disturbed_holds_its_risk_again(hall: Hall) -> None:
    """From the very commit in which a late fill shows up, and until it is put right."""
    there = venues()
    there["binance"].outcomes = [IN_DOUBT]
    there["upbit"].outcomes = [Refused(code="invalid_order", message="no")]
    limits = RiskLimits(daily_loss=Money(10**9, "KRW"), overall=GlobalLimits(exposure=Money(10**9, "KRW")))
    guard = CrossExchangeRiskGuard(limits, time.time_ns, fx=FX)
    policy = quick(absence_fence_s="0.05", attempts_max=1, halted_retry_s="0.2")
    async with hall.executor(venues=there, risk_guard=guard, policy=policy) as executor:
        result = await executor.execute_decision(hall.entry())
        assert (result.status, guard.held.amount) == ("failed", 0)
        for venue in there.values():
            breaks(venue, "book", error=VenueUnanswered("nobody"))
        (request,) = placed(there["binance"])
        shows(there["binance"], request, request.amount)
        await until(lambda: guard.held.amount > 0)
        assert executor.trade(result.trade_id).state != "DONE"
        for venue in there.values():
            mends(venue)
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        await until(lambda: guard.held.amount == 0 or executor.positions())
        assert (guard.held.amount > 0) is bool(executor.positions())
