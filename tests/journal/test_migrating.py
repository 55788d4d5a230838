"""Taking over a journal of an earlier format: the same chain in a new file, or nothing at all."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalForeign, JournalLocked
from fsm_arb.journal import JournalReader, SqliteJournal, migrating, store
from fsm_arb.journal.mark import Mark
from fsm_arb.journal.migrating import STEPS, migrate
from fsm_arb.journal.staging import seal
from fsm_arb.journal.store import FORMAT, OLDEST_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsm_arb.ports import Batch

    Sql = Callable[..., list[Any]]

BEFORE = FORMAT - 1  # a format that never was: no seals, no count of what is live, one more column


def add_seals(connection: sqlite3.Connection) -> None:
    """From the format before: guard each stream's row, count what is live, drop what nobody read."""
    connection.create_function("seal", 4, seal, deterministic=True)
    connection.execute("ALTER TABLE streams ADD COLUMN seal BLOB NOT NULL DEFAULT x''")
    connection.execute("UPDATE streams SET seal = seal(id, name, first_seq, live)")
    connection.execute("INSERT INTO meta SELECT 'live', count(*) FROM streams WHERE live = 1")
    connection.execute("ALTER TABLE records DROP COLUMN remark")


@pytest.fixture
def old(filled: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of 30 records in the format before, and a code that knows how to take it over."""
    monkeypatch.setattr(store, "OLDEST_FORMAT", BEFORE)
    monkeypatch.setattr(migrating, "OLDEST_FORMAT", BEFORE)
    monkeypatch.setattr(migrating, "STEPS", {BEFORE: add_seals})
    sql(filled, "ALTER TABLE streams DROP COLUMN seal")
    sql(filled, "DELETE FROM meta WHERE key = 'live'")
    sql(filled, "ALTER TABLE records ADD COLUMN remark TEXT NOT NULL DEFAULT ''")
    sql(filled, f"PRAGMA user_version = {BEFORE}")
    return filled


def records(path: Path) -> list[Any]:
    with JournalReader(path) as reader:
        return list(reader.records())


def test_there_is_a_step_from_every_format_to_the_next() -> None:
    """One without it could not be taken over."""
    assert sorted(STEPS) == list(range(OLDEST_FORMAT, FORMAT))


def test_every_record_keeps_its_content_its_hash_and_its_place(old: Path, whole: Path, tmp_path: Path) -> None:
    """The chain of the new file is the chain of the old one."""
    new = tmp_path / "new.db"
    told = migrate(old, new)
    assert records(new) == records(whole)
    assert (told.format, told.records, told.hash) == (BEFORE, 30, records(whole)[-1].hash)
    with JournalReader(new) as reader:
        assert reader.verify() == 30
        assert list(reader.streams("trade/", live=True)) == ["trade/1", "trade/2"]


def test_the_old_file_is_left_as_it_was(old: Path, tmp_path: Path) -> None:
    """To the byte, and nothing new stands beside it."""
    before = {path.name: path.read_bytes() for path in old.parent.iterdir()}
    migrate(old, tmp_path / "elsewhere.db")
    beside = {path.name: path.read_bytes() for path in old.parent.iterdir() if path.name in before}
    assert beside == before
    left = {path.name for path in old.parent.iterdir()} - set(before)
    assert left <= {"elsewhere.db", "elsewhere.db.mark", f"{old.name}-shm", f"{old.name}-wal"}


async def test_the_new_file_is_driven_on(old: Path, tmp_path: Path, batch: Callable[..., Batch]) -> None:
    """Its epoch goes on from the old one's, its chain from the old one's end, and its mark knows both."""
    new = tmp_path / "new.db"
    migrate(old, new)
    async with SqliteJournal(new, reserve_bytes=0) as journal:
        await journal.append([batch("trade/1", 10, "{}")])
    with JournalReader(new) as reader:
        assert reader.verify() == 31
        assert (reader.epoch(), reader.mark()) == (2, Mark(31, reader.last()[1], 2))


async def test_an_old_file_is_not_opened_and_says_what_to_do(old: Path) -> None:
    """Neither to be read nor to be driven; it is never changed in passing."""
    with pytest.raises(JournalForeign, match=rf"is of format {BEFORE}; .* fsm-arb migrate .* --out NEW"):
        JournalReader(old).open()
    with pytest.raises(JournalForeign, match="fsm-arb migrate"):
        await SqliteJournal(old).open()


def test_a_file_of_todays_format_is_nothing_to_do(filled: Path, tmp_path: Path) -> None:
    """And no copy is made of it."""
    with pytest.raises(JournalForeign, match=rf"is of format {FORMAT} already; there is nothing to do"):
        migrate(filled, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("number", [FORMAT + 1, BEFORE - 1])
def test_a_format_that_is_not_known_is_refused(old: Path, sql: Sql, tmp_path: Path, number: int) -> None:
    """Later, or earlier than any."""
    sql(old, f"PRAGMA user_version = {number}")
    with pytest.raises(JournalForeign, match=rf"is of format {number}, which this version does not know"):
        migrate(old, tmp_path / "new.db")
    with pytest.raises(JournalForeign, match=rf"is of format {number}; this version of fsm_arb knows format {FORMAT}$"):
        JournalReader(old).open()


def test_what_is_no_journal_is_refused(tmp_path: Path, sql: Sql) -> None:
    """Another application's database is not laid out anew."""
    path = tmp_path / "other.db"
    sql(path, "CREATE TABLE t (x)")
    with pytest.raises(JournalForeign, match="application id"):
        migrate(path, tmp_path / "new.db")


async def test_a_journal_that_a_bot_drives_is_not_taken_over(filled: Path, tmp_path: Path) -> None:
    """What it writes meanwhile would be lost."""
    async with SqliteJournal(filled, reserve_bytes=0):
        with pytest.raises(JournalLocked):
            await asyncio.to_thread(migrate, filled, tmp_path / "new.db")


@pytest.mark.parametrize("suffix", ["", ".mark", "-wal"])
def test_nothing_is_written_over(old: Path, tmp_path: Path, suffix: str) -> None:
    """Neither a file of that name nor what belongs to one."""
    there = tmp_path / f"new.db{suffix}"
    there.write_text("something")
    with pytest.raises(JournalFailed, match="exists already"):
        migrate(old, tmp_path / "new.db")
    assert there.read_text() == "something"


def _nothing_left(new: Path) -> bool:
    return not list(new.parent.glob(new.name + "*"))


def test_an_altered_record_is_not_taken_over(old: Path, sql: Sql, tmp_path: Path) -> None:
    """A migration is no way to launder a chain; nothing of the new file is left."""
    new = tmp_path / "new.db"
    sql(old, "UPDATE records SET payload = '{}' WHERE seq = 7")
    with pytest.raises(JournalCorrupt, match="record 7"):
        migrate(old, new)
    assert _nothing_left(new)


def test_a_lost_tail_is_not_taken_over(old: Path, sql: Sql, tmp_path: Path) -> None:
    """What the old file's mark has seen must be there."""
    new = tmp_path / "new.db"
    sql(old, "DELETE FROM records WHERE seq > 27")
    sql(old, "UPDATE streams SET last_seq = 24 + id, length = 9")
    with pytest.raises(JournalCorrupt, match="its mark has seen record 30"):
        migrate(old, new)
    assert _nothing_left(new)


def test_a_damaged_mark_promises_nothing(old: Path, tmp_path: Path) -> None:
    """As at an opening: what is there is taken over."""
    old.with_name(old.name + ".mark").write_bytes(b"no mark")
    assert migrate(old, tmp_path / "new.db").records == 30


def test_a_step_that_loses_a_record_is_found_out(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file must end where the old one does."""

    def careless(connection: sqlite3.Connection) -> None:
        add_seals(connection)
        connection.execute("DELETE FROM records WHERE seq > 27")
        connection.execute("UPDATE streams SET last_seq = 24 + id, length = 9")

    old.with_name(old.name + ".mark").unlink()
    monkeypatch.setattr(migrating, "STEPS", {BEFORE: careless})
    new = tmp_path / "new.db"
    with pytest.raises(JournalCorrupt, match=r"record 30.*is the end of .* ends with 27"):
        migrate(old, new)
    assert _nothing_left(new)


def test_a_step_that_fails_leaves_nothing(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which file it was about."""
    monkeypatch.setattr(migrating, "STEPS", {BEFORE: lambda connection: connection.execute("SELECT 1 FROM nowhere")})
    new = tmp_path / "new.db"
    with pytest.raises(JournalFailed, match=r"cannot be taken over into .*nowhere"):
        migrate(old, new)
    assert _nothing_left(new)


def test_an_empty_journal_is_taken_over(old: Path, sql: Sql, tmp_path: Path) -> None:
    """There is nothing to keep, and it is kept."""
    sql(old, "DELETE FROM records")
    sql(old, "DELETE FROM streams")
    old.with_name(old.name + ".mark").unlink()
    assert migrate(old, tmp_path / "new.db").records == 0


def test_what_a_crash_left_of_an_earlier_try_is_in_nobodys_way(old: Path, tmp_path: Path) -> None:
    """A draft is never taken for a journal."""
    shutil.copy(old, tmp_path / "new.db.new")
    assert migrate(old, tmp_path / "new.db").records == 30
    assert not (tmp_path / "new.db.new").exists()
