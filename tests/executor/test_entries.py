"""Whether new entries may begin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hall import Sink, Watched, papers, until

from fsm_arb.alerts import Alerts
from fsm_arb.errors import ExecutorClosed, JournalFailed, JournalFull
from fsm_arb.executor.entries import Cause, Entries

if TYPE_CHECKING:
    from hall import Hall


class Disk:
    """The part of a journal that tells whether there is room."""

    full = True


def entries(journal: Any = None, sink: Sink | None = None) -> Entries:
    return Entries(Alerts(sink), journal or object())


def test_a_commit_that_succeeds_lifts_what_a_failed_one_stopped() -> None:
    """And nothing else."""
    for cause in Cause:
        switch = entries()
        switch.stop("why", cause)
        assert switch.stopped == "why"
        switch.committed()
        assert switch.stopped == ("" if cause is Cause.COMMIT else "why")


def test_a_full_disk_is_over_when_the_journal_says_so() -> None:
    """A journal that does not tell leaves it to an operator."""
    disk = Disk()
    switch = entries(disk)
    switch.stop("no space left", Cause.FULL)
    switch.committed()
    assert switch.stopped == "no space left"
    disk.full = False
    switch.committed()
    assert switch.stopped == ""


def test_an_operator_lifts_everything_but_a_fence() -> None:
    """Two drivers of one journal are never allowed."""
    switch = entries()
    for cause in Cause:
        switch.stop(cause.value, cause)
    switch.allow()
    assert switch.stopped == "fenced"


async def test_a_person_is_called_once_for_as_long_as_it_lasts() -> None:
    """And not for what somebody asked for."""
    sink = Sink()
    switch = entries(sink=sink)
    switch.stop("it was stopped", Cause.ASKED)
    switch.allow()
    for _ in range(2):
        switch.stop("the disk is gone", Cause.COMMIT)
        switch.stop("the disk is gone", Cause.COMMIT)
        switch.committed()
    await until(lambda: len(sink.alerts) == 2)
    assert [subject for subject, _, _ in sink.alerts] == ["entries stopped"] * 2


async def test_entries_go_on_after_a_hiccup_of_the_journal(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that failed once, at whichever record, does not stop entries until the process ends."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.01, 0.1))
    journal = Watched(hall.path)
    async with hall.executor(venues=papers(), journal=journal) as executor:
        for trigger in ("begun", "place_ended", "booked"):
            failures = [JournalFailed("a hiccup")]

            def fail(batches: Any, failures: list[Any] = failures, trigger: str = trigger) -> Any:
                hit = any(draft.trigger == trigger for batch in batches for draft in batch.drafts)
                return failures.pop() if hit and failures else None

            journal.fail = fail
            try:
                await asyncio.wait_for(executor.execute_decision(hall.entry()), 5)
            except JournalFailed:
                assert trigger == "begun"
            assert failures == []
            await until(lambda: not executor._entries_stopped)
            assert (await executor.execute_decision(hall.entry())).status == "success"


async def test_an_operator_lets_entries_begin_again(hall: Hall) -> None:
    """After a full disk, and after a stop."""
    async with hall.executor(venues=papers()) as executor:
        executor._entries.stop("no space left", Cause.FULL)
        with pytest.raises(ExecutorClosed, match="no space left"):
            await executor.execute_decision(hall.entry())
        executor.allow_entries()
        assert (await executor.execute_decision(hall.entry())).status == "success"
        await executor.stop()
        with pytest.raises(ExecutorClosed, match="stopped"):
            await executor.execute_decision(hall.entry())
        executor.allow_entries()
        assert (await executor.execute_decision(hall.entry())).status == "success"


async def test_room_on_the_disk_is_noticed(hall: Hall) -> None:
    """A journal that has room again says so, and the next commit lets entries begin."""
    journal = Watched(hall.path)
    journal.full = True  # type: ignore[attr-defined]
    async with hall.executor(venues=papers(), journal=journal) as executor:
        entered = await executor.execute_decision(hall.entry())
        full = [JournalFull("no space left")]
        journal.fail = lambda _: full.pop() if full else None
        with pytest.raises(JournalFull):
            await executor.execute_decision(hall.entry())
        with pytest.raises(ExecutorClosed, match="no space left"):
            await executor.execute_decision(hall.entry())
        journal.full = False  # type: ignore[attr-defined]
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
        assert (await executor.execute_decision(hall.entry())).status == "success"
