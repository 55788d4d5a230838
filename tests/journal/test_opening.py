"""Opening refuses what is not whole or not ours, and never what an honest crash has left."""
# ruff: noqa: ASYNC240 - a test may wait for its disk

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalForeign, JournalFull, JournalLocked
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal.mark import MarkFile
from fsm_arb.journal.reader import TAIL_RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Batch


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


async def opening_fails(path: Path, error: type[Exception], match: str) -> None:
    journal = SqliteJournal(path, reserve_bytes=0)
    with pytest.raises(error, match=match):
        await journal.open()
    await journal.close()


async def reopened(path: Path) -> int:
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        return journal.verify()


# ------------------------------------------------------------------ foreign, missing, forbidden


async def test_a_foreign_file_is_left_as_it_was(tmp_path: Path, sql: Callable[..., list[Any]]) -> None:
    """It is named, not a byte of it changes, and nothing is left beside it."""
    sql(tmp_path / "other.db", "CREATE TABLE t (x)")
    (tmp_path / "notes.txt").write_text("dear diary, " * 100)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    await opening_fails(tmp_path / "other.db", JournalForeign, "other.db is not a journal: it is a SQLite database")
    await opening_fails(tmp_path / "notes.txt", JournalForeign, "notes.txt is not a journal: it is no SQLite database")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


async def test_a_newer_format_is_refused(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """An old version does not guess at what a newer one has written."""
    sql(filled, "PRAGMA user_version = 99")
    await opening_fails(filled, JournalForeign, "of format 99")


async def test_what_cannot_be_a_file_is_said_so(tmp_path: Path) -> None:
    """A directory, and a path in no directory."""
    await opening_fails(tmp_path, JournalFailed, "is a directory; a file is needed")
    await opening_fails(tmp_path / "absent" / "j.db", JournalFailed, "there is no directory .*absent")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no file system here refuses even root")
async def test_a_place_that_cannot_be_written_is_said_so() -> None:
    """The system's own words, whoever asks."""
    await opening_fails(Path("/proc/trades.db"), JournalFailed, "trades.db.lock cannot be opened")


async def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    """As a temporary file is, made to be filled."""
    path.touch()
    assert await reopened(path) == 0


async def test_two_names_of_one_file_have_one_lock(filled: Path, tmp_path: Path) -> None:
    """A link does not let a second process in."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "link.db").symlink_to(filled)
    async with SqliteJournal(filled, reserve_bytes=0):
        await opening_fails(other / "link.db", JournalLocked, "is held by")
    assert list(other.iterdir()) == [other / "link.db"]


# ------------------------------------------------------------------ torn, altered, lost


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE records SET payload = '{}' WHERE seq = 30", 30),
        ("UPDATE records SET payload = '{}' WHERE seq = 3", 3),
        ("DELETE FROM records WHERE seq = 30", 30),
        ("DELETE FROM records WHERE seq = 17", 17),
        ("UPDATE records SET hash = previous_hash WHERE seq = 29", 29),
        ("UPDATE streams SET last_seq = 26, length = 9 WHERE id = 2", 29),
        ("UPDATE streams SET live = 0 WHERE id = 2", 0),
        ("UPDATE meta SET value = 0 WHERE key = 'epoch'", 1),
    ],
)
async def test_an_altered_tail_is_refused(filled: Path, sql: Callable[..., list[Any]], change: str, seq: int) -> None:
    """Before anything is written, and named; a copy of the file is as it was."""
    sql(filled, change)
    before = filled.read_bytes()
    await opening_fails(filled, JournalCorrupt, f"journal record {seq}:" if seq else "journal record")
    assert filled.read_bytes() == before


async def test_only_the_tail_is_verified_at_opening(
    path: Path, batch: Callable[..., Batch], sql: Callable[..., list[Any]]
) -> None:
    """So that opening does not take longer with every trade; the full verification sees the rest."""
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        await journal.append([batch("old", 0, *["{}"] * (TAIL_RECORDS + 10), live=False)])
    sql(path, "UPDATE records SET payload = '[]' WHERE seq = 10")
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        with pytest.raises(JournalCorrupt, match="record 10"):
            journal.verify()
    sql(path, "UPDATE records SET payload = '[]' WHERE seq = 11")
    await opening_fails(path, JournalCorrupt, "record 11")


async def test_a_lost_tail_is_noticed_by_the_mark(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """A journal that is whole in itself, but ends before what was durable once."""
    sql(filled, "DELETE FROM records WHERE seq > 27")
    sql(filled, "UPDATE streams SET length = 9, last_seq = last_seq - 3")
    await opening_fails(filled, JournalCorrupt, "record 28: is missing: .* ends at record 27, .* has seen record 30")
    beside(filled, ".mark").unlink()
    assert await reopened(filled) == 27


async def test_another_history_is_noticed_by_the_mark(filled: Path, whole: Path, batch: Callable[..., Batch]) -> None:
    """A journal restored from a copy that went another way since."""
    async with SqliteJournal(filled, reserve_bytes=0) as journal:
        await journal.append([batch("trade/9", 0, "one way")])
    kept = beside(filled, ".mark").read_bytes()
    shutil.copy(whole, filled)
    async with SqliteJournal(filled, mark=False, reserve_bytes=0) as journal:
        await journal.append([batch("trade/9", 0, "another way")])
    beside(filled, ".mark").write_bytes(kept)
    await opening_fails(filled, JournalCorrupt, "record 31: is not the record that the mark")


async def test_an_older_copy_without_new_records_is_noticed(filled: Path, whole: Path) -> None:
    """Its next epoch would be one that was already used on the wire."""
    assert await reopened(filled) == 30
    shutil.copy(whole, filled)
    await opening_fails(filled, JournalCorrupt, "is an older copy: it knows of 1 openings, its mark of 2")


@pytest.mark.parametrize("lose", ["unlink", "empty"])
async def test_a_journal_that_is_gone_is_not_begun_anew(filled: Path, lose: str) -> None:
    """Its mark remembers it; who means the loss removes the mark too."""
    filled.unlink()
    if lose == "empty":
        filled.touch()
    await opening_fails(filled, JournalCorrupt, "record 1: is missing")
    assert not filled.exists() or filled.stat().st_size == 0
    beside(filled, ".mark").unlink()
    beside(filled, "-wal").write_bytes(b"frames")
    await opening_fails(filled, JournalCorrupt, "still holds records")
    beside(filled, "-wal").unlink()
    assert await reopened(filled) == 0


async def test_a_lost_mark_is_made_anew_and_said(filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bot with open legs must start; a person should know. Damaged is like missing."""
    for damage in (Path.unlink, lambda mark: mark.write_bytes(b"x" * 1024)):
        damage(beside(filled, ".mark"))
        caplog.clear()
        assert await reopened(filled) == 30
        warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
        assert len(warnings) == 1
        assert "made anew" in warnings[0]
        mark = MarkFile(beside(filled, ".mark")).read()
        assert mark is not None
        assert mark.seq == 30
    caplog.clear()
    assert await reopened(filled) == 30
    assert caplog.records == []


async def test_a_mark_that_cannot_be_written_stops_nobody(
    filled: Path, batch: Callable[..., Batch], caplog: pytest.LogCaptureFixture
) -> None:
    """The journal itself is whole; the warning says what is no longer guarded."""
    beside(filled, ".mark").unlink()
    beside(filled, ".mark").mkdir()
    async with SqliteJournal(filled, reserve_bytes=0) as journal:
        await journal.append([batch("trade/9", 0, "{}")])
        assert journal.verify() == 31
    assert "cannot be written" in caplog.text


async def test_no_mark_is_kept_where_none_is_wanted(path: Path) -> None:
    """One file fewer."""
    async with SqliteJournal(path, mark=False, reserve_bytes=0):
        pass
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


async def test_a_log_cut_anywhere_leaves_a_whole_prefix(
    path: Path, batch: Callable[..., Batch], tmp_path: Path
) -> None:
    """As a power cut may. Without a mark what remains is taken; with one, what is missing is named."""
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        for i in range(12):
            await journal.append([batch(f"trade/{i % 2}", i // 2, f"{i}")])
        database, log = path.read_bytes(), beside(path, "-wal").read_bytes()
    mark = beside(path, ".mark").read_bytes()
    lengths = set()
    for number, cut in enumerate(range(len(log), 0, -len(log) // 17 - 1)):
        copy = tmp_path / str(number) / "trades.db"
        copy.parent.mkdir()
        copy.write_bytes(database)
        beside(copy, "-wal").write_bytes(log[:cut])
        beside(copy, ".mark").write_bytes(mark)
        with JournalReader(copy) as reader:
            last, _ = reader.last()
        lengths.add(last)
        if last < 12:
            with pytest.raises(JournalCorrupt, match=f"record {last + 1}: is missing|older copy"):
                await reopened(copy)
            beside(copy, ".mark").unlink()
        assert await reopened(copy) == last
    assert len(lengths) > 5


# ------------------------------------------------------------------ a full disk


async def test_a_journal_opens_on_a_full_disk(tiny_disk: Path, batch: Callable[..., Batch]) -> None:
    """The reserve gives way, entries stop, and what is live can be flattened."""
    path = tiny_disk / "trades.db"
    async with SqliteJournal(path, reserve_bytes=512 << 10) as journal:
        await journal.append([batch("trade/1", 0, "{}")])
    with (tiny_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            try:
                filler.write(bytes(4096))
            except OSError:
                break
    async with SqliteJournal(path, reserve_bytes=512 << 10) as journal:
        assert journal.full
        await journal.append([batch("trade/1", 1, "{}")])
        assert journal.verify() == 2
    os.truncate(tiny_disk / "filler", 0)
    async with SqliteJournal(path, reserve_bytes=512 << 10) as journal:
        assert not journal.full
        assert beside(path, ".reserve").exists()


async def test_a_new_journal_on_a_full_disk_is_refused(tiny_disk: Path) -> None:
    """There is nothing to flatten, and nothing half-made stays."""
    (tiny_disk / "filler").write_bytes(bytes((2 << 20) - 8192))
    await opening_fails(tiny_disk / "trades.db", JournalFull, "no room")
    assert not (tiny_disk / "trades.db").exists()
    assert not (tiny_disk / "trades.db.new").exists()
