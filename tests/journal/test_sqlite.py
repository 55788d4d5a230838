"""The journal as a bot sees it: killed at any moment, opened twice, cancelled half-way."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import InvalidInput, JournalFailed, JournalLocked
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal.mark import MarkFile
from fsm_arb.ports import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Batch

ROOT = Path(__file__).resolve().parents[2]
BOT = """
import asyncio, sys
from fsm_arb.journal import SqliteJournal
from fsm_arb.ports import Batch, Draft

async def trade(journal, stream):
    for i in range(100_000):
        drafts = tuple(
            Draft(at_ns=i, trigger="filled", state_before="A", state_after="B", payload="x" * 300) for _ in range(2)
        )
        await journal.append([Batch(stream=stream, expected_seq=2 * i, drafts=drafts, live=True)])
        print(stream, 2 * i + 2, flush=True)

async def main():
    journal = SqliteJournal(sys.argv[1], reserve_bytes=0)
    epoch = await journal.open()
    print("open", epoch, flush=True)
    await asyncio.gather(*(trade(journal, f"trade/{epoch}-{i}") for i in range(int(sys.argv[2]))))

asyncio.run(main())
"""


def start(path: Path, trades: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", BOT, str(path), str(trades)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("open")
    return process


async def test_what_was_answered_survives_kill_9(path: Path) -> None:
    """At any moment: every answered append is there, the chain is whole, and the mark does not lead."""
    chance = random.Random(20)
    answered: dict[str, int] = {}
    for round_ in range(1, 9):
        process = start(path, trades=chance.choice([1, 20]))
        await asyncio.sleep(chance.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        for line in output.splitlines(keepends=True):
            if line.endswith("\n"):
                stream, length = line.split()
                answered[stream] = int(length)
        mark = MarkFile(path.with_name(path.name + ".mark")).read()
        with JournalReader(path) as reader:
            last, _ = reader.last()
        assert mark is not None
        assert mark.seq <= last
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            records = journal.verify()
            assert records == last
            for stream, length in answered.items():
                found = len(list(journal.read(stream)))
                assert found >= length
                assert found % 2 == 0  # no half of a call
            assert {record.epoch for record in journal.records(records - 1)} <= {2 * round_ - 1}
    assert len(answered) > 20


def test_a_second_process_is_refused_until_the_first_is_killed(path: Path) -> None:
    """The refusal names the path and the process that drives it."""
    process = start(path, trades=1)
    with pytest.raises(JournalLocked, match=rf"trades\.db\.lock is held by process {process.pid}"):
        asyncio.run(SqliteJournal(path).open())
    process.kill()
    process.communicate()

    async def take_over() -> int:
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            return journal.verify()

    assert asyncio.run(take_over()) >= 0


async def test_cancelling_an_opening_lets_go_of_everything(path: Path) -> None:
    """Whoever tries again soon gets the journal."""
    journal = SqliteJournal(path, reserve_bytes=0)
    for _ in range(5):
        task = asyncio.create_task(journal.open())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    end = time.monotonic() + 5
    while True:
        try:
            await journal.open()
            break
        except JournalLocked:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
    await journal.close()


async def test_cancelling_a_closing_still_closes(path: Path, batch: Callable[..., Batch]) -> None:
    """And closing again waits for it."""
    journal = SqliteJournal(path, reserve_bytes=0)
    await journal.open()
    append = asyncio.create_task(journal.append([batch("trade/1", 0, "{}")]))
    await asyncio.sleep(0)
    task = asyncio.create_task(journal.close())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(JournalFailed, match="not open"):
        await journal.append([batch("trade/1", 1, "{}")])
    await asyncio.gather(journal.close(), journal.close())
    await append
    async with SqliteJournal(path, reserve_bytes=0) as successor:
        assert successor.verify() == 1


@pytest.mark.parametrize("make", [str, Path, os.path.abspath])
def test_nothing_is_touched_before_opening(path: Path, make: Callable[[Path], str | Path]) -> None:
    """A path is text or anything that is one; naming it makes no file."""
    journal = SqliteJournal(make(path))
    assert journal.full is False
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "reserve_bytes", "field"), [("", 0, "path"), (":memory:", 0, "path"), ("x", -1, "reserve_bytes")]
)
def test_what_can_be_no_journal_is_refused_at_once(path: str, reserve_bytes: int, field: str) -> None:
    """Before anything is opened; the field is named."""
    with pytest.raises(InvalidInput, match=f"^{field}="):
        SqliteJournal(path, reserve_bytes=reserve_bytes)


def test_another_event_loop_is_refused(path: Path, batch: Callable[..., Batch]) -> None:
    """Its answer would come to a loop that nobody runs."""
    journal = SqliteJournal(path, reserve_bytes=0)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(journal.open())
    with pytest.raises(JournalFailed, match="another event loop"):
        asyncio.run(journal.append([batch("trade/1", 0, "{}")]))
    loop.run_until_complete(journal.close())
    loop.close()


async def test_a_strange_name_is_a_name(tmp_path: Path, batch: Callable[..., Batch]) -> None:
    """What means something in a URI means nothing in a path."""
    path = tmp_path / "a ?mode=memory#%41 é.db"
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        await journal.append([batch("trade/1", 0, "{}")])
    assert path.stat().st_size > 0


def test_it_is_a_journal(path: Path) -> None:
    """The port and the adapter have the same methods."""
    journal: Journal = SqliteJournal(path)
    names = [name for name in vars(Journal) if not name.startswith("_")]
    assert sorted(names) == ["append", "close", "open", "read", "streams"]
    assert all(callable(getattr(journal, name)) for name in names)
