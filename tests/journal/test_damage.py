"""Whatever becomes of a journal on its disk, it is refused with a name, or it tells what it told."""
# ruff: noqa: S608 - the names of our own columns

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_arb.errors import JournalCorrupt, JournalError, JournalForeign
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.testing.crash.damage import (
    CutOff,
    Damage,
    Edited,
    Flipped,
    Lost,
    Overwritten,
    Picture,
    Restored,
    beside,
    copied,
    examined,
    pictured,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsm_arb.ports import Batch

RECORDS = 36
PAGE = 4096
COLUMNS = {
    "seq": int,
    "stream_id": int,
    "stream_seq": int,
    "stream_previous": int,
    "epoch": int,
    "at_ns": int,
    '"trigger"': str,
    "state_before": str,
    "state_after": str,
    "previous_hash": bytes,
    "hash": bytes,
    "payload": str,
}
shared = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@frozen
class Specimen:
    """Copies of one journal: closed, and as a kill -9 leaves it, with its log; and both some records earlier."""

    closed: Path
    killed: Path
    closed_earlier: Path
    killed_earlier: Path
    picture: Picture = field(repr=False)

    def copy(self, to: Path, *, killed: bool) -> Path:
        return copied(self.killed if killed else self.closed, to / "trades.db")


async def written(path: Path, batch: Callable[..., Batch]) -> None:
    """Streams in turn, finished and live, under two epochs, with payloads that fill several pages."""
    copies = path.parent
    for part in range(2):
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            for i in range(part * RECORDS // 2, (part + 1) * RECORDS // 2):
                text = f'{{"n":{i},"text":"{"x" * (i * 37 % 900)}"}}'
                await journal.append([batch(f"trade/{i % 4}", i // 4, text, live=i % 4 > 1)])
                if i == RECORDS - 8:
                    await marked(path, i + 1)
                    copied(path, copies / "killed_earlier" / "trades.db")
            if part:
                await marked(path, RECORDS)
                copied(path, copies / "killed" / "trades.db")
        copied(path, copies / ("closed", "closed_earlier")[not part] / "trades.db")


async def marked(path: Path, seq: int) -> None:
    """Wait until the mark, which is written after the answer, has seen record *seq*."""
    deadline = time.monotonic() + 10
    with JournalReader(path) as reader:
        while (mark := reader.mark()) is None or mark.seq < seq:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory, batch: Callable[..., Batch]) -> Specimen:
    folder = tmp_path_factory.mktemp("specimen")
    asyncio.run(written(folder / "trades.db", batch))
    names = ("closed", "killed", "closed_earlier", "killed_earlier")
    paths = [folder / name / "trades.db" for name in names]
    for path in paths[:2]:
        assert len(pictured(path).records) == RECORDS
    return Specimen(*paths, pictured(paths[0]))


def refused(path: Path, before: Picture) -> tuple[JournalError, JournalError | None]:
    """Return how verification refused it, and how opening did if it did."""
    found = examined(path, before)
    assert found.noticed, found.wrong
    assert found.verified is not None
    return found.verified, found.opened


# ------------------------------------------------------------------ one record, by SQL


def other_value(kind: type, old: Any) -> st.SearchStrategy[Any]:
    """Anything of the column's type, near or far; and another type, and nothing."""
    near: st.SearchStrategy[Any]
    if kind is int:
        near = st.sampled_from([old - 1, old + 1, -old, 0, old + 4]) | st.integers(-(2**62), 2**62)
    elif kind is bytes:
        near = st.binary(max_size=40) | st.sampled_from([old[:-1], old + b"\x00", bytes(32)])
    else:
        near = st.text(max_size=12) | st.sampled_from([old[:-1], old + " ", old.upper(), old.replace("n", "m")])
    return (near | st.sampled_from([1, "1", b"1", 1.5])).filter(
        lambda new: new != old and str(new) != str(old) and not (kind is int and _same_number(new, old))
    )


def _same_number(new: Any, old: Any) -> bool:
    """Whether SQLite's affinity makes it the same integer."""
    try:
        return float(new) == old
    except (TypeError, ValueError):
        return False


@shared
@given(data=st.data(), seq=st.integers(1, RECORDS), column=st.sampled_from(list(COLUMNS)))
def test_any_column_of_any_record_is_guarded(
    specimen: Specimen, tmp_path: Path, data: st.DataObject, seq: int, column: str
) -> None:
    """Altered by SQL to whatever it may be: refused by verification, which names the record and its stream."""
    path = specimen.copy(tmp_path, killed=False)
    record = specimen.picture.records[seq - 1]
    with JournalReader(path) as reader:
        ((old,),) = reader._rows(f"SELECT {column} FROM records WHERE seq = ?", (seq,), 0)
    new = data.draw(other_value(COLUMNS[column], old))
    if column == "seq":
        # A row id is a whole number, and there is one of each.
        new = data.draw(st.integers(-5, 0) | st.integers(RECORDS + 1, 2**40))
    Edited(f"UPDATE records SET {column} = ? WHERE seq = ?", (new, seq))(path)
    error, _ = refused(path, specimen.picture)
    assert isinstance(error, JournalCorrupt)
    assert (error.seq, error.stream) == (seq, record.stream)


@shared
@given(seq=st.integers(1, RECORDS), killed=st.booleans())
def test_a_removed_record_is_refused_by_name(specimen: Specimen, tmp_path: Path, seq: int, *, killed: bool) -> None:
    """At start and by verification; the last one too, which only its stream and the mark remember."""
    path = specimen.copy(tmp_path, killed=killed)
    Edited("DELETE FROM records WHERE seq = ?", (seq,))(path)
    verified, opened = refused(path, specimen.picture)
    for error in (verified, opened):
        assert isinstance(error, JournalCorrupt)
        assert (error.seq, error.stream) == (seq, specimen.picture.records[seq - 1].stream)


@shared
@given(places=st.sets(st.integers(1, RECORDS), min_size=2, max_size=2))
def test_records_that_changed_places_are_refused_by_name(specimen: Specimen, tmp_path: Path, places: set[int]) -> None:
    """At start and by verification: the earlier place is the first wrong one."""
    path = specimen.copy(tmp_path, killed=False)
    first, second = sorted(places)
    for old, new in ((first, -1), (second, first), (-1, second)):
        Edited("UPDATE records SET seq = ? WHERE seq = ?", (new, old))(path)
    for error in refused(path, specimen.picture):
        assert isinstance(error, JournalCorrupt)
        assert error.seq == first
        assert error.stream


@shared
@given(seq=st.integers(1, RECORDS), at=st.integers(RECORDS + 1, RECORDS + 3))
def test_a_doubled_record_is_refused_by_name(specimen: Specimen, tmp_path: Path, seq: int, at: int) -> None:
    """Wherever after the end its copy stands, the first place that is wrong is the one after the end."""
    path = specimen.copy(tmp_path, killed=False)
    others = ", ".join(list(COLUMNS)[1:])
    Edited(f"INSERT INTO records SELECT {at}, {others} FROM records WHERE seq = ?", (seq,))(path)
    for error in refused(path, specimen.picture):
        assert isinstance(error, JournalCorrupt)
        assert error.seq == RECORDS + 1


@shared
@given(kept=st.integers(0, RECORDS - 1))
def test_a_tail_taken_off_with_care_is_known_to_the_mark(specimen: Specimen, tmp_path: Path, kept: int) -> None:
    """Streams brought in line and all: what remains is whole, and is refused at start, by the first that is missing."""
    path = specimen.copy(tmp_path, killed=False)
    Edited("DELETE FROM records WHERE seq > ?", (kept,))(path)
    Edited("DELETE FROM streams WHERE first_seq > ?", (kept,))(path)
    newest = "SELECT max(r.{0}) FROM records r WHERE r.stream_id = streams.id"
    Edited(f"UPDATE streams SET last_seq = ({newest.format('seq')}), length = ({newest.format('stream_seq')})")(path)
    Edited("UPDATE meta SET value = (SELECT count(*) FROM streams WHERE live = 1) WHERE key = 'live'")(path)
    for error in refused(path, specimen.picture):
        assert isinstance(error, JournalCorrupt)
        assert error.seq == kept + 1
        assert "is missing" in error.reason
    Lost(".mark")(path)
    with JournalReader(path) as reader:
        assert reader.verify() == kept  # the mark was all that knew


# ------------------------------------------------------------------ the files, byte by byte


def any_damage(size: int, older: bytes, suffix: str) -> st.SearchStrategy[Damage]:
    """What a disk may do to a file of *size* bytes of which *older* is an earlier state."""
    places = st.integers(0, size - 1)
    pages = st.integers(0, size // PAGE - 1)
    earlier = st.integers(0, min(size, len(older)) // PAGE - 1)
    return st.one_of(
        st.builds(Flipped, places, st.integers(1, 255), st.just(suffix)),
        st.builds(Flipped, places, st.sampled_from([1 << bit for bit in range(8)]), st.just(suffix)),
        st.builds(CutOff, places, st.just(suffix)),
        st.builds(Overwritten, pages.map(lambda n: n * PAGE), st.just(bytes(PAGE)), st.just(suffix)),
        st.builds(Overwritten, places, st.binary(min_size=1, max_size=64), st.just(suffix)),
        # A write that never reached the disk.
        earlier.map(lambda n: Overwritten(n * PAGE, older[n * PAGE : (n + 1) * PAGE], suffix)),
    )


@settings(shared, max_examples=80)
@given(data=st.data())
def test_whatever_a_disk_does_to_the_file_nothing_false_is_believed(
    specimen: Specimen, tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes flipped, torn, zeroed, cut off, taken from before: refused at start and by verification, or unchanged."""
    path = specimen.copy(tmp_path, killed=False)
    damages = any_damage(specimen.closed.stat().st_size, specimen.closed_earlier.read_bytes(), "")
    for damage in data.draw(st.lists(damages, min_size=1, max_size=2)):
        damage(path)
    found = examined(path, specimen.picture)
    assert found.noticed, found.wrong
    for error in (found.verified, found.opened):
        assert error is None or names_something(error, path)


@settings(shared, max_examples=80)
@given(data=st.data())
def test_whatever_a_disk_does_to_the_log_nothing_false_is_believed(
    specimen: Specimen, tmp_path: Path, data: st.DataObject
) -> None:
    """What a kill -9 left in the log counts as much: with a frame lost, the mark misses a record or an opening."""
    path = specimen.copy(tmp_path, killed=True)
    log, older = (beside(each, "-wal").read_bytes() for each in (specimen.killed, specimen.killed_earlier))
    for damage in data.draw(st.lists(any_damage(len(log), older, "-wal"), min_size=1, max_size=2)):
        damage(path)
    found = examined(path, specimen.picture)
    assert found.noticed, found.wrong
    for error in (found.verified, found.opened):
        assert error is None or names_something(error, path)


def names_something(error: JournalError, path: Path) -> bool:
    """Whether an operator learns from it which record, or at least which file."""
    named = re.match(r"journal record \d+: ", str(error)) if isinstance(error, JournalCorrupt) else None
    return bool(named) or str(path) in str(error)


@pytest.mark.parametrize("killed", [False, True])
def test_an_older_copy_is_refused(specimen: Specimen, tmp_path: Path, *, killed: bool) -> None:
    """Restored without its mark's leave: its next client order ids might be some that were used."""
    path = specimen.copy(tmp_path, killed=killed)
    Restored(specimen.killed_earlier if killed else specimen.closed_earlier)(path)
    for error in refused(path, specimen.picture):
        assert isinstance(error, JournalCorrupt)
        assert error.seq == (RECORDS - 6 if killed else RECORDS // 2 + 1)


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_lost_file_is_refused(specimen: Specimen, tmp_path: Path, suffix: str) -> None:
    """The journal without its log, and the log without its journal."""
    path = specimen.copy(tmp_path, killed=True)
    Lost(suffix)(path)
    found = examined(path, specimen.picture)
    assert isinstance(found.opened, JournalCorrupt)
    assert found.verified is not None


def test_what_is_no_journal_any_more_is_refused_by_its_file(specimen: Specimen, tmp_path: Path) -> None:
    """Its head overwritten, no record can be named; the file is, and it is left as it was."""
    path = specimen.copy(tmp_path, killed=False)
    Overwritten(0, bytes(100))(path)
    spoilt = path.read_bytes()
    for error in refused(path, specimen.picture):
        assert isinstance(error, JournalForeign)
        assert str(path) in str(error)
    assert path.read_bytes() == spoilt


def test_a_flip_in_a_free_page_changes_nothing(specimen: Specimen, tmp_path: Path) -> None:
    """A journal is not refused for what nobody reads."""
    path = specimen.copy(tmp_path, killed=False)
    Edited("CREATE TABLE scratch (x)")(path)
    Edited("INSERT INTO scratch VALUES (zeroblob(20000))")(path)
    Edited("DROP TABLE scratch")(path)
    Flipped(path.stat().st_size - 2000, 255)(path)
    found = examined(path, specimen.picture)
    assert (found.verified, found.opened, found.same) == (None, None, True)


def test_a_finished_stream_that_is_no_longer_found_by_its_name_is_left_to_verification(
    specimen: Specimen, tmp_path: Path
) -> None:
    """Opening looks at the end and at what is live; one bit in the index of names is beyond it."""
    path = specimen.copy(tmp_path, killed=False)
    content = path.read_bytes()
    at = max(match.start() for match in re.finditer(b"trade/0", content[: 5 * PAGE]))  # in the index of names
    Flipped(at + len("trade/"), 1)(path)
    found = examined(path, specimen.picture)
    assert (found.opened, found.forgotten) == (None, ("trade/0",))
    assert isinstance(found.verified, JournalCorrupt)
    assert found.verified.stream == "trade/0"
