"""The file is made whole or not at all, and one commit writes what it was given."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalFenced, JournalForeign
from fsm_arb.journal import store as module
from fsm_arb.journal.mark import Mark
from fsm_arb.journal.store import APPLICATION_ID, FORMAT, End, Store, connect, create, recognise, refuse_if_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    create(path)
    with closing(Store(path)) as opened:
        opened.begin_epoch()
        yield opened


def row(seq: int, stream: int = 1) -> list[Any]:
    return [seq, stream, seq, seq - 1, 1, 5, "t", "A", "B", b"p", b"h%d" % seq, "{}"]


def test_a_new_file_says_what_it_is(path: Path) -> None:
    """Before any write-ahead log: tools that look at the first page know it."""
    create(path)
    header = path.read_bytes()[:100]
    assert header[:16] == b"SQLite format 3\x00"
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
    assert int.from_bytes(header[60:64], "big") == FORMAT
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_crash_while_making_leaves_nothing_in_the_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a half-made file at the path nor its leftovers stop the next attempt."""
    path.with_name(path.name + ".new").write_bytes(b"half")
    path.with_name(path.name + ".new-journal").write_bytes(b"half")
    create(path)
    assert path.stat().st_size > 0
    path.unlink()
    monkeypatch.setattr(module, "_SCHEMA", ("CREATE TABLE a (x)", "no SQL"))
    with pytest.raises(sqlite3.OperationalError):
        create(path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA user_version = 2", r"is of format 2; this version of fsm_arb knows format 1"),
        ("PRAGMA user_version = 0", r"is of format 0"),
        ("PRAGMA application_id = 7", r"application id 0x7, ours is 0x46534d41"),
    ],
)
def test_what_is_not_ours_is_refused_by_name(
    path: Path, sql: Callable[..., list[Any]], statement: str, said: str
) -> None:
    """The message has the path and what was found there."""
    create(path)
    sql(path, statement)
    with closing(connect(path, "ro")) as connection, pytest.raises(JournalForeign, match=f"{path.name}.*{said}"):
        recognise(connection, path)


def test_a_commit_writes_any_number_of_rows(store: Store, path: Path, sql: Callable[..., list[Any]]) -> None:
    """However they fall into statements."""
    seq = 0
    for count in (1, 3, 64, 65, 150):
        rows = [column for each in range(seq + 1, seq + count + 1) for column in row(each)]
        seq += count
        store.commit(rows, [1, "s", 1, seq, seq, 1, b"seal"], live=1)
        assert store.last() == (seq, b"h%d" % seq)
    assert [each for (each,) in sql(path, "SELECT seq FROM records")] == list(range(1, seq + 1))
    assert store.end() == End(epoch=1, seq=seq, hash=b"h%d" % seq, stream_id=1, live=1)
    head = store.head("s")
    assert head is not None
    assert head == (1, 1, seq, seq, True, b"seal")
    assert store.head("other") is None


def test_a_commit_that_fails_leaves_nothing(store: Store) -> None:
    """Not the rows before the one that was refused, either."""
    store.commit(row(1), [], None)
    with pytest.raises(sqlite3.IntegrityError):
        store.commit(row(2) + row(1), [1, "s", 1, 2, 2, 1, b""], 1)
    store.roll_back()
    store.roll_back()
    assert store.end() == End(epoch=1, seq=1, hash=b"h1", stream_id=0, live=0)
    store.overwrite_failed_commit()
    assert store.meta("failed_commits") == 1


def test_every_commit_is_forced_to_the_disk(store: Store) -> None:
    """Full synchronisation, a write-ahead log, and no checkpoint between a commit and its answer."""
    settings = [
        store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "wal_autocheckpoint")
    ]
    assert settings == [2, "wal", 0]


def test_each_opening_begins_an_epoch(store: Store, path: Path) -> None:
    """And the one before may write no more."""
    with closing(Store(path)) as successor:
        successor.begin_epoch()
        assert successor.epoch == 2
        with pytest.raises(JournalFenced, match="epoch 2 has taken over from our epoch 1"):
            store.commit(row(1), [], None)
        store.roll_back()
        successor.commit(row(1), [], None)


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_nothing_is_written_into_a_file_that_is_gone(store: Store, path: Path, suffix: str) -> None:
    """SQLite would go on writing into a deleted file, to be lost with the process."""
    lost = path.with_name(path.name + suffix)
    kept = path.with_name("kept")
    lost.rename(kept)
    with pytest.raises(JournalFailed, match="removed or replaced"):
        store.commit(row(1), [], None)
    kept.rename(lost)
    store.commit(row(1), [], None)


def test_a_checkpoint_empties_the_log_into_the_file(store: Store, path: Path) -> None:
    """Afterwards the file alone holds everything."""
    store.commit(row(1), [], None)
    store.checkpoint("TRUNCATE")
    assert store.wal_path.stat().st_size == 0
    assert b"h1" in path.read_bytes()


def test_people_read_the_journal_with_any_sqlite_shell(store: Store, path: Path, sql: Callable[..., list[Any]]) -> None:
    """One view has names, times and payloads in clear."""
    record = row(1)
    record[5] = 1_700_000_000_500_000_000
    store.commit(record, [1, "trade/1", 1, 1, 1, 1, b""], 1)
    assert sql(path, "SELECT stream, at_utc, payload FROM journal") == [("trade/1", "2023-11-14 22:13:20.500", "{}")]


def test_a_journal_that_was_lost_is_not_begun_anew(path: Path) -> None:
    """What stands beside it still tells that it was there."""
    refuse_if_lost(path, None)
    refuse_if_lost(path, Mark(0, "00", 4))
    with pytest.raises(JournalCorrupt, match=r"record 1: is missing.*has seen record 7"):
        refuse_if_lost(path, Mark(7, "00", 1))
    path.with_name(path.name + "-wal").write_bytes(b"frames")
    with pytest.raises(JournalCorrupt, match="still holds records"):
        refuse_if_lost(path, None)
