"""Commits are shared, answered once, and taken back whole when the disk says no."""
# ruff: noqa: ASYNC240 - a test may wait for its disk

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.errors import JournalConflict, JournalFailed, JournalFenced, JournalFull
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal import writer as module
from fsm_arb.journal.mark import MarkFile
from fsm_arb.journal.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from fsm_arb.ports import Batch

resource = pytest.importorskip("resource", reason="no limits on this system")


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path, reserve_bytes=64 << 10) as opened:
        yield opened


def connection_of(journal: SqliteJournal) -> sqlite3.Connection:
    """Return what the writer thread uses; only to be touched while it is idle."""
    assert journal._writer is not None
    return journal._writer._store._connection


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows' columns each commit wrote."""
    sizes: list[int] = []
    real = Store.commit

    def commit(self: Store, records: list[Any], *rest: Any) -> None:
        sizes.append(len(records))
        real(self, records, *rest)

    monkeypatch.setattr(Store, "commit", commit)
    return sizes


# ------------------------------------------------------------------ sharing


async def test_what_waits_together_is_one_commit(
    journal: SqliteJournal, batch: Callable[..., Batch], commits: list[int]
) -> None:
    """A hundred trades cost a few fsyncs, not a hundred, and each commit is answered in one call of the loop."""
    told = []
    loop = asyncio.get_running_loop()
    real = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *args: (told.append(args), real(*args))[1]  # type: ignore[method-assign, assignment, return-value]
    await asyncio.gather(*(journal.append([batch(f"trade/{i}", 0, "1", "2")]) for i in range(100)))
    del loop.call_soon_threadsafe  # type: ignore[method-assign]
    assert len(commits) <= 5
    assert len(told) == len(commits)
    assert journal.verify() == 200


async def test_a_refused_call_does_not_spoil_its_commit(
    journal: SqliteJournal, batch: Callable[..., Batch], commits: list[int]
) -> None:
    """Right and wrong calls in turn, together: the right ones are durable in order."""
    assert journal._writer is not None
    calls = [journal.append([batch("trade/1", i // 2 if i % 2 == 0 else 99, f"{i}")]) for i in range(20)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, JournalConflict] * 10
    assert len({id(outcome) for outcome in outcomes[1::2]}) == 10
    assert [record.payload for record in journal.read("trade/1")] == [f"{i}" for i in range(0, 20, 2)]
    assert len(commits) <= 3


async def test_one_commit_takes_only_so_many_calls(
    journal: SqliteJournal, batch: Callable[..., Batch], commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load nobody waits for everybody."""
    monkeypatch.setattr(module, "GROUP_CALLS_MAX", 8)
    await asyncio.gather(*(journal.append([batch(f"trade/{i}", 0, "{}")]) for i in range(50)))
    assert max(commits) <= 8 * 12
    assert journal.verify() == 50


async def test_the_event_loop_runs_while_the_disk_is_slow(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch]
) -> None:
    """An append that waits for the file blocks its own task and nothing else."""
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    append = asyncio.create_task(journal.append([batch("trade/1", 0, "{}")]))
    ticks, longest = 0, 0.0
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
        ticks += 1
    assert not append.done()
    blocker.execute("ROLLBACK")
    blocker.close()
    await append
    assert ticks > 50
    assert longest < 0.15


async def test_a_file_that_somebody_else_holds_fails_the_call_and_no_more(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they let go, appends work as before."""
    connection_of(journal).execute("PRAGMA busy_timeout = 20")
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalFailed, match="locked"):
        await journal.append([batch("trade/1", 0, "{}")])
    blocker.close()
    await journal.append([batch("trade/1", 0, "{}")])
    assert journal.verify() == 1


# ------------------------------------------------------------------ a full disk


async def test_a_full_disk_refuses_the_commit_and_lets_remedies_through(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself says full; nothing of that commit is durable, the next one continues what is."""
    monkeypatch.setattr(module, "RESERVE_RETRY_S", 0.02)
    reserve = path.with_name(path.name + ".reserve")
    await journal.append([batch("trade/1", 0, "{}")])
    connection = connection_of(journal)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    assert reserve.exists()
    calls = [journal.append([batch(f"trade/{i}", 0, "x" * 20_000)]) for i in (2, 3)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [JournalFull, JournalFull]
    assert outcomes[0] is not outcomes[1]  # two tasks that raised one error would mix their tracebacks
    assert journal.verify() == 1
    await journal.append([batch("trade/1", 1, "remedy")])
    connection.execute("PRAGMA max_page_count = 1000000")
    await journal.append([batch("trade/2", 0, "{}")])
    assert [record.payload for record in journal.records()] == ["{}", "remedy", "{}"]
    for _ in range(200):
        if not journal.full:
            break
        await asyncio.sleep(0.01)
    assert not journal.full
    assert reserve.exists()


async def test_a_disk_that_is_really_full(
    tiny_disk: Path, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's file takes the last byte: entries fail, remedies are journaled, room comes back, all is whole."""
    path = tiny_disk / "trades.db"
    filler = tiny_disk / "filler"
    journal = SqliteJournal(path, reserve_bytes=256 << 10)
    await journal.open()
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
    durable = 0
    while not journal.full:
        try:
            await journal.append([batch("trade/1", durable, "x" * 2000)])
            durable += 1
        except JournalFull:
            assert journal.full
    assert journal.full
    assert not path.with_name(path.name + ".reserve").exists()
    for _ in range(10):
        await journal.append([batch("trade/1", durable, "remedy")])
        durable += 1
    assert journal.full
    assert journal.verify() == durable
    filler.unlink()
    monkeypatch.setattr(module, "RESERVE_RETRY_S", 0)
    await journal.append([batch("trade/1", durable, "entry")])
    await asyncio.sleep(0.1)
    assert not journal.full
    assert path.with_name(path.name + ".reserve").stat().st_size == 256 << 10
    await journal.close()
    async with journal:
        assert journal.verify() == durable + 1


# ------------------------------------------------------------------ other failures


async def test_an_error_of_the_disk_fails_its_call_and_no_more(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch]
) -> None:
    """The kernel refuses to let the log grow; once it lets it, sequence and hash continue what is durable."""
    await journal.append([batch("trade/1", 0, "{}")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, hard))
    try:
        with pytest.raises(JournalFailed, match="disk I/O error"):
            await journal.append([batch("trade/1", 1, "lost"), batch("trade/2", 0, "lost")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not journal.full
    assert journal.verify() == 1
    await journal.append([batch("trade/1", 1, "kept"), batch("trade/2", 0, "kept")])
    assert [record.payload for record in journal.records()] == ["{}", "kept", "kept"]
    assert journal.verify() == 3


async def test_a_read_only_file_fails_the_call_and_no_more(journal: SqliteJournal, batch: Callable[..., Batch]) -> None:
    """SQLite refuses to write; later it does not."""
    connection_of(journal).execute("PRAGMA query_only = 1")
    with pytest.raises(JournalFailed, match="readonly"):
        await journal.append([batch("trade/1", 0, "{}")])
    connection_of(journal).execute("PRAGMA query_only = 0")
    await journal.append([batch("trade/1", 0, "{}")])
    assert journal.verify() == 1


async def test_a_commit_whose_answer_was_lost_is_found(
    journal: SqliteJournal, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it happened is asked of the file, never guessed."""
    real = Store.commit

    def commit_then_fail(self: Store, *values: Any) -> None:
        real(self, *values)
        raise sqlite3.OperationalError("the answer was lost")

    monkeypatch.setattr(Store, "commit", commit_then_fail)
    await journal.append([batch("trade/1", 0, "1")])
    monkeypatch.setattr(Store, "commit", real)
    await journal.append([batch("trade/1", 1, "2")])
    assert journal.verify() == 2


async def test_a_failed_commit_cannot_come_back(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a failed commit left in the log is written over at once; if that fails too, by the next commit."""
    reals = {name: getattr(Store, name) for name in ("commit", "last")}

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("broken")

    monkeypatch.setattr(Store, "commit", fail)
    with pytest.raises(JournalFailed, match="broken"):
        await journal.append([batch("trade/1", 0, "1")])
    with JournalReader(path) as reader:
        assert reader._meta("failed_commits", 0) == 1
    monkeypatch.setattr(Store, "last", fail)
    for _ in range(2):  # the second is refused before anything is tried
        with pytest.raises(JournalFailed, match="broken"):
            await journal.append([batch("trade/1", 0, "1")])
    for name, real in reals.items():
        monkeypatch.setattr(Store, name, real)
    await journal.append([batch("trade/1", 0, "1")])
    assert journal.verify() == 1


async def test_our_own_bug_is_answered_and_the_writer_lives(
    journal: SqliteJournal, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever, and the next append works."""

    def broken(_: object) -> None:
        raise ZeroDivisionError

    for name in ("_prepare", "_stage", "_tidy"):
        with monkeypatch.context() as patch:
            patch.setattr(module.Writer, name, broken if name != "_stage" else lambda *_: 1 / 0)
            if name == "_tidy":
                await journal.append([batch("trade/1", 0, "1")])
            else:
                with pytest.raises(JournalFailed, match="ZeroDivisionError"):
                    await journal.append([batch("trade/1", 0, "1")])
    await journal.append([batch("trade/1", 1, "2")])
    assert journal.verify() == 2


# ------------------------------------------------------------------ who writes


async def test_a_later_epoch_ends_ours(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], sql: Callable[..., list[Any]]
) -> None:
    """Whoever got past the lock has taken over; nothing of ours is written, now or later."""
    await journal.append([batch("trade/1", 0, "{}")])
    sql(path, "UPDATE meta SET value = 2 WHERE key = 'epoch'")
    for _ in range(2):
        with pytest.raises(JournalFenced, match="epoch 2 has taken over"):
            await journal.append([batch("trade/1", 1, "{}")])
    sql(path, "UPDATE meta SET value = 1 WHERE key = 'epoch'")
    with pytest.raises(JournalFenced):
        await journal.append([batch("trade/1", 1, "{}")])
    assert journal.verify() == 1


async def test_somebody_else_s_record_ends_ours(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], sql: Callable[..., list[Any]]
) -> None:
    """A record that we did not write stands where ours belongs."""
    sql(path, "INSERT INTO records VALUES (1, 1, 1, 0, 1, 0, 't', 'A', 'B', x'', x'', '{}')")
    with pytest.raises(JournalFailed, match="UNIQUE"):
        await journal.append([batch("trade/1", 0, "{}")])
    with pytest.raises(JournalFenced, match="ends at record 1, not at 0"):
        await journal.append([batch("trade/1", 0, "{}")])


# ------------------------------------------------------------------ house-keeping


async def test_the_mark_follows_and_never_leads(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch]
) -> None:
    """At every moment it names a record that is there; soon it names the last."""
    file = MarkFile(path.with_name(path.name + ".mark"))
    for i in range(30):
        append = asyncio.create_task(journal.append([batch("trade/1", i, "{}")]))
        while not append.done():
            mark = file.read()
            assert mark is not None
            with JournalReader(path) as reader:
                reader.check_mark(mark)
            await asyncio.sleep(0)
    for _ in range(100):
        mark = file.read()
        if mark and mark.seq == 30:
            break
        await asyncio.sleep(0.01)
    assert mark is not None
    assert (mark.seq, mark.epoch) == (30, 1)


async def test_the_log_does_not_grow_for_ever(
    journal: SqliteJournal, path: Path, batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is moved into the file as often as it must, and then written over."""
    monkeypatch.setattr(module, "CHECKPOINT_IDLE_BYTES", 200_000)
    monkeypatch.setattr(module, "CHECKPOINT_FORCED_BYTES", 200_000)
    for i in range(60):
        await journal.append([batch("trade/1", i, "x" * 20_000)])
    assert path.with_name(path.name + "-wal").stat().st_size < 600_000
    assert path.stat().st_size > 800_000


async def test_closing_leaves_one_file_and_what_stands_beside_it(path: Path, batch: Callable[..., Batch]) -> None:
    """The log is folded into the database, so that a copy of the one file is the journal."""
    async with SqliteJournal(path, reserve_bytes=4096) as journal:
        await journal.append([batch("trade/1", 0, "{}")])
    assert sorted(file.name for file in path.parent.iterdir()) == [
        path.name + suffix for suffix in ("", ".lock", ".mark", ".reserve")
    ]
