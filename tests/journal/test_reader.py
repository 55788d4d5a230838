"""Reading names what was altered, wherever in the file that was."""
# ruff: noqa: S608 - the names of our own columns

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_arb.errors import JournalCorrupt, JournalError, JournalFailed, JournalForeign
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal.chain import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsm_arb.ports import Batch, Record

COLUMNS = [
    "seq",
    "stream_id",
    "stream_seq",
    "stream_previous",
    "epoch",
    "at_ns",
    '"trigger"',
    "state_before",
    "state_after",
    "previous_hash",
    "hash",
    "payload",
]
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def first_wrong(path: Path) -> int:
    with JournalReader(path) as reader, pytest.raises(JournalCorrupt) as caught:
        reader.verify()
    return caught.value.seq


def flipped(value: Any, bit: int) -> Any:
    if isinstance(value, int):
        return value ^ (1 << bit % 62)
    content = bytearray(value.encode() if isinstance(value, str) else value)
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    return bytes(content)


def test_an_untouched_journal_passes(filled: Path) -> None:
    """Every record is counted."""
    with JournalReader(filled) as reader:
        assert reader.verify() == 30
        assert len(list(reader.records())) == 30
        assert [record.payload for record in reader.read("trade/1")] == [f'{{"n":{n}}}' for n in range(1, 30, 3)]


@shared
@given(seq=st.integers(1, 30), column=st.sampled_from(COLUMNS), bit=st.integers(0, 600))
def test_any_bit_flipped_in_a_row_is_named(  # noqa: PLR0917 - fixtures and what is drawn
    filled: Path, whole: Path, sql: Callable[..., list[Any]], seq: int, column: str, bit: int
) -> None:
    """One bit of one column of one record, whichever: verification names that record."""
    shutil.copy(whole, filled)
    value = sql(filled, f"SELECT {column} FROM records WHERE seq = ?", seq)[0][0]
    new = flipped(value, bit)
    if column == "seq" and 1 <= new <= 30:
        return
    place = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
    sql(filled, f"UPDATE records SET {column} = {place} WHERE seq = ?", new, seq)
    assert first_wrong(filled) == seq


@shared
@given(seq=st.integers(1, 30), column=st.sampled_from(COLUMNS[6:9] + COLUMNS[11:]), bit=st.integers(0, 600))
def test_reading_a_stream_names_an_altered_record(  # noqa: PLR0917 - fixtures and what is drawn
    filled: Path, whole: Path, sql: Callable[..., list[Any]], seq: int, column: str, bit: int
) -> None:
    """A trade is never rebuilt from a record that was altered; the other trades still can be."""
    shutil.copy(whole, filled)
    value = sql(filled, f"SELECT {column} FROM records WHERE seq = ?", seq)[0][0]
    sql(filled, f"UPDATE records SET {column} = CAST(? AS TEXT) WHERE seq = ?", flipped(value, bit), seq)
    with JournalReader(filled) as reader:
        with pytest.raises(JournalCorrupt) as caught:
            list(reader.read(f"trade/{(seq - 1) % 3}"))
        assert len(list(reader.read(f"trade/{seq % 3}"))) == 10
    assert caught.value.seq == seq


@shared
@given(seq=st.integers(1, 30))
def test_a_dropped_record_is_named(filled: Path, whole: Path, sql: Callable[..., list[Any]], seq: int) -> None:
    """Also the last one, even without a mark: its stream still counts it. Its stream cannot be read."""
    shutil.copy(whole, filled)
    filled.with_name("trades.db.mark").unlink(missing_ok=True)
    sql(filled, "DELETE FROM records WHERE seq = ?", seq)
    assert first_wrong(filled) == seq
    with JournalReader(filled) as reader, pytest.raises(JournalCorrupt) as caught:
        list(reader.read(f"trade/{(seq - 1) % 3}"))
    assert caught.value.seq in {seq, seq + 3}


@shared
@given(places=st.sets(st.integers(1, 30), min_size=2, max_size=2))
def test_records_that_changed_places_are_named(
    filled: Path, whole: Path, sql: Callable[..., list[Any]], places: set[int]
) -> None:
    """The earlier of the two places is the first wrong one."""
    shutil.copy(whole, filled)
    first, second = sorted(places)
    for old, new in ((first, -1), (second, first), (-1, second)):
        sql(filled, "UPDATE records SET seq = ? WHERE seq = ?", new, old)
    assert first_wrong(filled) == first


@shared
@given(seq=st.integers(1, 30))
def test_a_record_that_stands_twice_is_named(
    filled: Path, whole: Path, sql: Callable[..., list[Any]], seq: int
) -> None:
    """A copy at the end does not follow from the record before it."""
    shutil.copy(whole, filled)
    others = ", ".join(COLUMNS[1:])
    sql(filled, f"INSERT INTO records SELECT 31, {others} FROM records WHERE seq = ?", seq)
    assert first_wrong(filled) == 31


def test_a_cut_off_end_is_named(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """Where even the streams were brought in line with the loss, the mark still knows."""
    sql(filled, "DELETE FROM records WHERE seq > 27")
    sql(filled, "UPDATE streams SET length = 9, last_seq = last_seq - 3")
    assert first_wrong(filled) == 28
    filled.with_name("trades.db.mark").unlink()
    with JournalReader(filled) as reader:
        assert reader.verify() == 27  # nothing is left that could know


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE streams SET live = 0 WHERE id = 2", 29),
        ("UPDATE streams SET live = 2 WHERE id = 2", 29),
        ("UPDATE streams SET live = NULL WHERE id = 2", 29),
        ("UPDATE streams SET name = 'trade/9' WHERE id = 2", 2),
        ("UPDATE streams SET length = 9 WHERE id = 2", 29),
        ("UPDATE streams SET last_seq = 26 WHERE id = 2", 26),
        ("UPDATE streams SET length = 9, last_seq = 26 WHERE id = 2", 29),
        ("UPDATE streams SET first_seq = 5 WHERE id = 2", 29),
        ("UPDATE streams SET seal = x'00' WHERE id = 2", 29),
        ("UPDATE records SET stream_previous = 25 WHERE seq = 29", 29),
        ("DELETE FROM streams WHERE id = 2", 2),
        ("INSERT INTO streams VALUES (4, 'trade/3', 1, 0, 0, 1, x'')", 0),
        ("UPDATE meta SET value = 0 WHERE key = 'epoch'", 1),
        ("UPDATE meta SET value = 1 WHERE key = 'live'", 0),
        ("DELETE FROM meta", 0),
        ("DROP TABLE streams", 1),
    ],
)
def test_what_no_hash_covers_is_checked_too(filled: Path, sql: Callable[..., list[Any]], change: str, seq: int) -> None:
    """A stream that is made to look finished, shorter or other than it is does not pass."""
    filled.with_name("trades.db.mark").unlink()
    statement = change.replace("streams SET live = NULL", "streams SET live = ''")
    sql(filled, statement)
    assert first_wrong(filled) == seq


def test_a_finished_stream_listed_for_a_live_one_is_noticed(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """The list of live streams may be as long as it was, and still not be the list."""
    with contextlib.closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("PRAGMA writable_schema = 1")
        change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'streams_live'"
        connection.execute(change, ("live = 1", "id IN (1, 3)"))
    with contextlib.closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("REINDEX streams_live")
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(change, ("id IN (1, 3)", "live = 1"))
    with JournalReader(filled) as reader:
        assert list(reader.streams("", live=True)) == ["trade/0", "trade/2"]
        for check in (reader.verify, reader.verify_tail):
            with pytest.raises(JournalCorrupt, match="its stream trade/0 was altered"):
                check()


def test_a_record_that_its_stream_does_not_lead_to_is_noticed(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """Also one that fits the chain and pretends to be a record that is there already."""
    (at_ns, previous) = sql(filled, "SELECT at_ns, hash FROM records WHERE seq = 30")[0]
    own = digest(previous, 31, "trade/0", 10, 1, at_ns, "t", "A", "B", "{}")
    sql(
        filled,
        "INSERT INTO records VALUES (31, 1, 10, 25, 1, ?, 't', 'A', 'B', ?, ?, '{}')",
        at_ns,
        previous,
        own,
    )
    with JournalReader(filled) as reader, pytest.raises(JournalCorrupt, match="streams count 30 records"):
        reader.verify()


def test_a_stream_that_counts_too_many_is_not_read(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """A trade is never rebuilt from fewer records than it has."""
    sql(filled, "UPDATE streams SET length = 11 WHERE id = 2")
    with JournalReader(filled) as reader, pytest.raises(JournalCorrupt, match="11 records of stream trade/1"):
        list(reader.read("trade/1"))


def test_the_record_at_the_mark_is_checked_itself(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """However far the mark lags behind the verified tail."""
    with JournalReader(filled) as reader:
        mark = reader.mark()
        sql(filled, "UPDATE records SET payload = '{}' WHERE seq = 30")
        with pytest.raises(JournalCorrupt, match="record 30: its content does not give its hash"):
            reader.check_mark(mark)


@shared
@given(seq=st.integers(1, 30), column=st.sampled_from([*COLUMNS, ""]))
def test_the_stream_of_a_wrong_record_is_named(
    filled: Path, whole: Path, sql: Callable[..., list[Any]], seq: int, column: str
) -> None:
    """Also where the record is gone, or claims to be another's: those that point at it know better."""
    shutil.copy(whole, filled)
    change = f"UPDATE records SET {column} = 2 WHERE seq = ?" if column else "DELETE FROM records WHERE seq = ?"
    if column == "seq":
        change = "UPDATE records SET seq = 99 WHERE seq = ?"
    sql(filled, change, seq)
    with JournalReader(filled) as reader:
        before = (seq - 1) % 3 == 1 and column == "stream_id"  # it was that stream's all along
        if before or (column == "stream_seq" and (seq + 2) // 3 == 2) or (column == "stream_previous" and seq == 5):
            assert reader.verify() == 30
            return
        with pytest.raises(JournalCorrupt) as caught:
            reader.verify()
    assert (caught.value.seq, caught.value.stream) == (seq, f"trade/{(seq - 1) % 3}")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_the_file_matters_or_is_noticed(filled: Path, whole: Path, data: st.DataObject) -> None:
    """Whichever byte is changed: the journal is refused, or every record and stream reads as before."""
    content = bytearray(whole.read_bytes())
    with JournalReader(whole) as reader:
        before = picture(reader)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    for suffix in ("-wal", "-shm"):
        filled.with_name(filled.name + suffix).unlink(missing_ok=True)
    filled.write_bytes(content)
    try:
        with JournalReader(filled) as reader:
            reader.verify()
            reader.verify_tail()
            assert picture(reader) == before
    except JournalError:
        pass


def picture(reader: JournalReader) -> tuple[list[Record], list[list[str]], list[list[Record]]]:
    names = [list(reader.streams("", live=live)) for live in (None, True, False)]
    return list(reader.records()), names, [list(reader.read(name)) for name in names[0]]


async def test_a_journal_is_read_while_it_is_driven(path: Path, batch: Callable[..., Batch]) -> None:
    """An operator may look into the journal of a running bot, and sees what is durable."""
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        with JournalReader(path) as reader:
            for i in range(3):
                await journal.append([batch("trade/1", i, "{}")])
                assert reader.last()[0] == i + 1 == reader.verify()


async def test_a_read_that_dawdles_does_not_keep_the_log_from_being_reused(
    path: Path, batch: Callable[..., Batch]
) -> None:
    """Between two records no transaction is open."""
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        await journal.append([batch("trade/1", 0, *["{}"] * 300)])
        reading = journal.read("trade/1")
        next(reading)
        names = journal.streams("")
        next(names)
        assert journal._writer is not None
        busy, log, done = journal._writer._store._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        assert (busy, log - done) == (0, 0)
        assert len(list(reading)) == 299


def test_a_file_that_is_not_a_journal_is_named(tmp_path: Path, sql: Callable[..., list[Any]]) -> None:
    """A reader refuses what it does not know, and what is not there."""
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 20)
    sql(tmp_path / "other", "CREATE TABLE t (x)")
    for name, error in (("text", JournalForeign), ("other", JournalForeign), ("absent", JournalFailed)):
        with pytest.raises(error, match=name):
            JournalReader(tmp_path / name).open()


def test_a_reader_that_is_not_open_says_so(filled: Path) -> None:
    """Also a read that was under way when it closed."""
    with JournalReader(filled) as reader:
        reading = reader.records()
        next(reading)
    with pytest.raises(JournalFailed, match="not open"):
        JournalReader(filled).last()
    with pytest.raises(JournalFailed, match="not open"):
        reader.verify()


# ------------------------------------------------------------------ in stretches


@pytest.mark.parametrize("size", [1, 7, 30])
def test_stretches_together_are_the_journal(filled: Path, size: int) -> None:
    """Each record once, with the ends of its stream; what is left is one check of all streams."""
    with JournalReader(filled) as reader:
        told = [each for after in range(0, 30, size) for each in reader.stretch(after, min(after + size, 30))]
        assert [record for record, _, _ in told] == list(reader.records())
        assert {(record.stream, first, last) for record, first, last in told} == {
            (f"trade/{n}", n + 1, n + 28) for n in range(3)
        }
        assert [record.seq for record, _, _ in reader.stretch(28)] == [29, 30]
        reader.verify_streams()


@pytest.mark.parametrize("seq", [10, 11, 20])
def test_a_record_that_is_missing_where_a_stretch_begins_or_ends_is_named(
    filled: Path, sql: Callable[..., list[Any]], seq: int
) -> None:
    """No record lies between two stretches, unseen by both."""
    sql(filled, "DELETE FROM records WHERE seq = ?", seq)
    wrong = set()
    with JournalReader(filled) as reader:
        for after in (0, 10, 20):
            try:
                list(reader.stretch(after, after + 10))
            except JournalCorrupt as error:
                wrong.add(error.seq)
    assert min(wrong) == seq


def test_where_a_record_stands_is_told_though_it_is_wrong(filled: Path, sql: Callable[..., list[Any]]) -> None:
    """So that a person finds it; one that is not there stands nowhere."""
    sql(filled, "UPDATE records SET payload = '' WHERE seq = 5")
    with JournalReader(filled) as reader:
        place = reader.place(5)
        assert place is not None
        assert (place[0], reader.place(31)) == (2, None)
