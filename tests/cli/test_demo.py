"""The demonstration itself: it goes on where another run of it stopped, and asks for nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest

from fsm_arb.audit.tales import Tale
from fsm_arb.cli.demo import Demo, log_to, policy
from fsm_arb.cli.folder import Asked, Folder
from fsm_arb.cli.judge import Verdict
from fsm_arb.errors import JournalLocked
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.policy import Placement

ASKED = Asked(seed=9, record=None, trades=12, faults="some", latency_ms=5, concurrency=3)


class Count:
    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> None:
        self.number += 1


async def run(folder: Folder, *, stop_after_s: float | None = None) -> tuple[list[Tale], Verdict, int] | None:
    """Run on a folder, to the end or until the task is cancelled; the exchange lives on."""
    exchange = await folder.exchange(ASKED)
    advanced = Count()
    try:
        async with asyncio.timeout(stop_after_s):
            tales, verdict = await Demo(ASKED, folder, exchange, advanced, lambda: None).run()
    except TimeoutError:
        return None
    finally:
        await exchange.aclose()
    return tales, verdict, advanced.number


async def end(folder: Folder) -> None:
    await folder.close(await folder.exchange(ASKED))


async def test_a_run_that_was_stopped_is_gone_on_with(tmp_path: Path) -> None:
    """What the first run began is answered from the journal; each decision became one trade."""
    folder = Folder(tmp_path / "demo")
    try:
        assert await run(folder, stop_after_s=0.4) is None
        finished = await run(folder)
        assert finished is not None
        tales, verdict, advanced = finished
        assert verdict.problems == ()
        assert len(tales) == advanced == ASKED.trades
        assert {line.record.epoch for tale in tales for line in tale.lines} > {1}  # both runs wrote
    finally:
        await end(folder)


async def test_a_finished_demonstration_can_be_judged_again(tmp_path: Path) -> None:
    """While its exchange lives, asking once more sends nothing and says the same."""
    folder = Folder(tmp_path / "demo")
    try:
        first, again = await run(folder), await run(folder)
        assert first is not None
        assert again is not None
        assert (again[1].orders, again[1].fills) == (first[1].orders, first[1].fills)
        assert again[1].problems == ()
    finally:
        await end(folder)


async def test_both_placements_and_both_directions_are_traded(tmp_path: Path) -> None:
    """Entries and exits, at once and in turn, selling here and buying there and the reverse."""
    folder = Folder(tmp_path / "demo")
    try:
        finished = await run(folder)
        assert finished is not None
        trades = [tale.trade for tale in finished[0]]
        assert {trade.policy.placement for trade in trades} == {Placement.SIMULTANEOUS, Placement.SEQUENTIAL}
        assert len({trade.begun.sides for trade in trades if trade.decision.action.is_entry}) == 2
        exits = [trade for trade in trades if trade.decision.action.is_exit]
        assert exits
        assert len({trade.decision.position_id for trade in exits}) == len(exits)
    finally:
        await end(folder)


async def test_two_runs_on_one_folder_do_not_meet(tmp_path: Path) -> None:
    """The journal's lock keeps the second out, and the first goes on."""
    folder = Folder(tmp_path / "demo")
    exchange = await folder.exchange(ASKED)
    journal = SqliteJournal(folder.journal)
    await journal.open()
    try:
        with pytest.raises(JournalLocked):
            await Demo(ASKED, folder, exchange, Count(), Count()).run()
    finally:
        await journal.close()
        await folder.close(exchange)


def test_the_policy_is_fast_and_otherwise_the_default() -> None:
    """What the demonstration shows is what a bot gets: only times are shorter."""
    chosen = policy(Placement.SEQUENTIAL)
    assert chosen.placement is Placement.SEQUENTIAL
    assert chosen.absence_fence_s < chosen.doubt_max_s
    # A late fill comes within 0.2 s and is looked for at 0.2, 0.4 and 0.8 s.
    assert chosen.watch_after_done_s >= 4 * 5 * chosen.poll_interval_s


def test_the_log_goes_to_a_file_and_no_further(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A terminal is for the table; afterwards everything is as it was."""
    library = logging.getLogger("fsm_arb")
    before = library.level, library.propagate, list(library.handlers)
    with log_to(tmp_path / "log"), contextlib.suppress(KeyError):
        logging.getLogger("fsm_arb.venues").info("a look failed")
        raise KeyError
    assert "a look failed" in (tmp_path / "log").read_text()
    assert not caplog.records
    assert (library.level, library.propagate, list(library.handlers)) == before
