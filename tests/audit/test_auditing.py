"""A whole journal audited: what passes, what does not, and which record is named."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from forging import LIVE, forged, round_trip, seq_of
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_arb.audit.auditing import NO_MARK, Audit, audit
from fsm_arb.codec import dumps
from fsm_arb.errors import JournalError
from fsm_arb.journal.reader import mark_path
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Batch, Draft, Record
from fsm_arb.residuals import Leftover
from fsm_arb.risk.history import RiskHistory
from fsm_arb.testing.crash.damage import CutOff, Edited, Flipped, Overwritten, Restored, copied, pictured
from fsm_arb.testing.filing import file_disk
from fsm_arb.testing.swarm import running

RECORDS = len(round_trip())


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal to be copied and not touched."""
    return forged(tmp_path_factory.mktemp("sound") / "trades.db")


def named(found: Audit) -> int:
    """The record that is named first."""
    assert not found.ok
    return found.findings[0].seq


# ------------------------------------------------------------------ what passes


def test_a_sound_journal_passes(sound: Path) -> None:
    """And it is told what stands in it."""
    found = audit(sound)
    assert found.ok
    assert (found.records, found.head[0], found.epochs) == (RECORDS, RECORDS, 1)
    assert (found.trades, found.positions, found.halted) == ({"success": 2}, {"CLOSED": 1}, [])
    assert not found.notes


def test_a_journal_of_real_trades_passes(ended: Path) -> None:
    """With faults, restarts, remedies and what ccxt said."""
    told: list[tuple[int, int]] = []
    found = audit(ended / "trades.db", tell=lambda done, whole: told.append((done, whole)))
    assert found.findings == []
    assert found.trades.total() == 8
    assert told[-1] == (found.records, found.head[0])


class Kept(running.World):
    """A world whose journal is looked at afterwards."""

    last: running.World

    def __init__(self, parts: Any) -> None:
        super().__init__(parts)
        Kept.last = self


@pytest.mark.parametrize("seed", range(1, 21))
def test_whatever_trading_went_through_passes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost replies, late fills, busts, kills, operators: none of it makes a journal contradict itself."""
    monkeypatch.setattr(running, "World", Kept)
    told = running.run_episode(running.Order(seed=seed))
    file_disk(tmp_path / "trades.db", Kept.last.disk)
    found = audit(tmp_path / "trades.db")
    assert told.violations == ()
    assert found.findings == []
    assert found.trades.total() == len({each.stream for each in Kept.last.disk.records if "trade/" in each.stream})


def test_an_empty_journal_passes(tmp_path: Path) -> None:
    """Nothing was written, so nothing is wrong."""
    found = audit(_empty(tmp_path / "trades.db"))
    assert (found.ok, found.records, found.head) == (True, 0, (0, "0" * 64))


def _empty(path: Path) -> Path:
    async def make() -> None:
        async with SqliteJournal(path, reserve_bytes=0):
            pass

    asyncio.run(make())
    return path


def test_several_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own stretch; what they found is put together."""
    monkeypatch.setattr("fsm_arb.audit.survey.STRETCH_RECORDS", 7)
    path = forged(tmp_path / "trades.db", seq_of("booked"), lambda body: body | {"booked": "2"})
    one, two = audit(path), audit(path, jobs=2)
    assert one == two
    assert named(one) == seq_of("booked")


def test_a_missing_mark_is_a_note(sound: Path, tmp_path: Path) -> None:
    """It is no error to copy a journal without it, but a cut tail would not show then."""
    path = copied(sound, tmp_path / "trades.db")
    mark_path(path).unlink()
    found = audit(path)
    assert found.ok
    assert found.notes == {NO_MARK: 1}


def test_a_clock_that_went_back_is_a_note(tmp_path: Path) -> None:
    """Wall clocks are set; nothing is decided by them."""
    seq = seq_of("planned")
    found = audit(forged(tmp_path / "trades.db", seq, at_ns=round_trip()[seq - 1].at_ns - 10**9))
    assert found.ok
    assert [(note.startswith("records whose wall clock"), count) for note, count in found.notes.items()] == [(True, 1)]


def test_what_a_bot_writes_meanwhile_is_not_looked_at(sound: Path, tmp_path: Path) -> None:
    """The audit ends where the journal ended when it began."""
    path = copied(sound, tmp_path / "trades.db")

    async def write() -> None:
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            at = round_trip()[0]
            draft = Draft(at_ns=1, trigger="x", state_before="", state_after="", payload=at.payload)
            await journal.append([Batch(stream="other/1", expected_seq=0, drafts=(draft,), live=True)])

    found = audit(path, tell=lambda *_: asyncio.run(write()))
    assert (found.ok, found.records) == (True, RECORDS)
    assert any("written to meanwhile" in note for note in found.notes)


@pytest.mark.parametrize(
    ("stream", "fact"),
    [("risk/2026-01-01", RiskHistory()), ("dust/1", Leftover(assets=(), trade_id=""))],
)
def test_what_stands_whole_in_each_record_is_read(tmp_path: Path, stream: str, fact: Any) -> None:
    """Sums of risk and of dust have streams of their own."""
    record = evolve(round_trip()[0], stream=stream, trigger="sums", payload=dumps(fact))
    assert audit(forged(tmp_path / "sound.db", records=[*round_trip(), record])).ok
    wrong = evolve(record, payload=round_trip()[0].payload)
    found = audit(forged(tmp_path / "wrong.db", records=[*round_trip(), wrong]))
    assert named(found) == RECORDS + 1
    assert "tells of a Begun on a stream" in str(found.findings[0])
    unreadable = evolve(record, payload="{}")
    assert named(audit(forged(tmp_path / "unreadable.db", records=[*round_trip(), unreadable]))) == RECORDS + 1
    unknown = evolve(record, stream="other/1")
    assert named(audit(forged(tmp_path / "unknown.db", records=[*round_trip(), unknown]))) == RECORDS + 1


# ------------------------------------------------------------------ what restarts would do


def test_an_unfinished_stream_that_is_marked_as_over_is_named(tmp_path: Path) -> None:
    """A restart would leave it lying with its orders on the venue."""
    found = audit(forged(tmp_path / "trades.db", live=["trade/d1"]))
    assert [str(each) for each in found.findings] == [
        "stream trade/d2 is unfinished, and a restart would not take it up"
    ]


def test_a_stream_that_is_over_and_marked_as_unfinished_is_named(tmp_path: Path) -> None:
    """The other way round."""
    found = audit(forged(tmp_path / "trades.db", live=[*LIVE, "position/P-d1"]))
    assert [str(each) for each in found.findings] == ["stream position/P-d1 is over, and a restart would take it up"]


# ------------------------------------------------------------------ forgeries under a sound chain


def test_the_first_record_that_is_wrong_is_named_first(tmp_path: Path) -> None:
    """With its number, stream and time; later ones follow."""
    late, early = seq_of("booked", "trade/d2"), seq_of("booked")
    records = list(round_trip())
    for seq in (late, early):
        payload = records[seq - 1].payload.replace('"success"', '"partial_hedged"')
        records[seq - 1] = evolve(records[seq - 1], payload=payload)
    found = audit(forged(tmp_path / "trades.db", records=records))
    assert [each.seq for each in found.findings] == [early, late]
    said = str(found.findings[0])
    assert said.startswith(f"record {early} (stream trade/d1, its record {records[early - 1].stream_seq}, 20")
    assert said.endswith("says that the trade ended partial_hedged, its fills say success")


def test_two_orders_of_one_id_are_named(tmp_path: Path) -> None:
    """The second one: an exchange would take it for the first."""
    one = round_trip()[seq_of("intended") - 1].payload.split('"client_order_id":"')[1].split('"')[0]
    other = round_trip()[seq_of("intended", "trade/d2") - 1].payload.split('"client_order_id":"')[1].split('"')[0]
    records = [evolve(each, payload=each.payload.replace(other, one)) for each in round_trip()]
    found = audit(forged(tmp_path / "trades.db", records=records))
    assert named(found) == seq_of("intended", "trade/d2")
    assert f"intends an order {one}, as record {seq_of('intended')} has done" in str(found.findings[0])
    assert found.findings[0].stream == "trade/d2"


def test_a_position_that_is_not_what_its_trade_filled_is_named(tmp_path: Path) -> None:
    """Its chain is sound, and so is each stream by itself."""
    records = list(round_trip())
    for record in round_trip():
        if record.stream == "position/P-d1":
            records[record.seq - 1] = evolve(
                record, payload=record.payload.replace('"entry_prices":["100"', '"entry_prices":["99"')
            )
    found = audit(forged(tmp_path / "trades.db", records=records))
    assert named(found) == seq_of("opened", "position/P-d1")
    assert "was entered at 99 on leg 0, the fills of trade d1 say 100" in str(found.findings[0])


def test_a_position_that_was_never_told_of_is_named(tmp_path: Path) -> None:
    """Whoever reads positions would not know what is held."""
    records = [each for each in round_trip()[: seq_of("begun", "trade/d2") - 1] if each.stream == "trade/d1"]
    found = audit(forged(tmp_path / "trades.db", records=records, live=["trade/d1"]))
    assert named(found) == seq_of("booked")
    assert "books 1" in str(found.findings[0])
    assert "no position tells of it" in str(found.findings[0])


# ------------------------------------------------------------------ damage, in every way


COLUMNS = ("stream_seq", "epoch", "at_ns", "trigger", "state_before", "state_after", "previous_hash", "hash", "payload")


@settings(max_examples=60)
@given(seq=st.integers(1, RECORDS), column=st.sampled_from((*COLUMNS, "stream_id", "stream_previous")), data=st.data())
def test_a_column_that_was_changed_names_its_record(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, seq: int, column: str, data: st.DataObject
) -> None:
    """Whatever was put there, of whatever type."""
    path = copied(sound, tmp_path_factory.mktemp("changed") / "trades.db")
    value = data.draw(
        st.integers(0, 10**6) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.binary(max_size=5)
    )
    with contextlib.closing(sqlite3.connect(path)) as sql:
        ((before,),) = sql.execute(f'SELECT "{column}" FROM records WHERE seq = ?', (seq,)).fetchall()  # noqa: S608
    if value == before and type(value) is type(before):
        return
    Edited(f'UPDATE records SET "{column}" = ? WHERE seq = ?', (value, seq))(path)  # noqa: S608
    with contextlib.closing(sqlite3.connect(path)) as sql:
        ((after,),) = sql.execute(f'SELECT "{column}" FROM records WHERE seq = ?', (seq,)).fetchall()  # noqa: S608
    if after == before and type(after) is type(before):
        return  # SQLite has made the same of it: a number from its digits
    assert named(audit(path)) == seq


@settings(max_examples=30)
@given(seq=st.integers(1, RECORDS))
def test_a_record_that_was_dropped_is_named(sound: Path, tmp_path_factory: pytest.TempPathFactory, seq: int) -> None:
    """Also the last one."""
    path = copied(sound, tmp_path_factory.mktemp("dropped") / "trades.db")
    Edited("DELETE FROM records WHERE seq = ?", (seq,))(path)
    found = audit(path)
    assert named(found) in {seq, *([seq - 1] if seq == RECORDS else [])}
    assert found.findings[0].stream


@settings(max_examples=30)
@given(pair=st.sets(st.integers(1, RECORDS), min_size=2, max_size=2).map(sorted))
def test_of_two_records_that_were_swapped_the_first_is_named(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, pair: list[int]
) -> None:
    """Each is whole, and none stands where it was written."""
    path = copied(sound, tmp_path_factory.mktemp("swapped") / "trades.db")
    one, other = pair
    for seq, to in ((one, -1), (other, one), (-1, other)):
        Edited("UPDATE records SET seq = ? WHERE seq = ?", (to, seq))(path)
    assert named(audit(path)) == one


@settings(max_examples=20)
@given(seq=st.integers(1, RECORDS), at=st.just(RECORDS + 1) | st.integers(RECORDS + 2, RECORDS + 9))
def test_a_record_that_was_repeated_is_named(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, seq: int, at: int
) -> None:
    """At the end, where there is room for it, or after a gap."""
    path = copied(sound, tmp_path_factory.mktemp("repeated") / "trades.db")
    columns = ", ".join(f'"{name}"' for name in ("stream_id", "stream_previous", *COLUMNS))
    Edited(f"INSERT INTO records (seq, {columns}) SELECT ?, {columns} FROM records WHERE seq = ?", (at, seq))(path)  # noqa: S608
    assert named(audit(path)) == RECORDS + 1


@pytest.mark.parametrize("column", ["id", "name", "first_seq", "last_seq", "length", "live", "seal"])
@pytest.mark.parametrize("stream", ["trade/d1", "position/P-d1"])
def test_a_row_of_a_stream_that_was_changed_shows(sound: Path, tmp_path: Path, column: str, stream: str) -> None:
    """No record's hash covers it."""
    path = copied(sound, tmp_path / "trades.db")
    value = {"name": "'trade/other'", "seal": "x'00'", "live": "1 - live"}.get(column, f"{column} + 1")
    if column == "id":
        value = "id + 1000"
    Edited(f"UPDATE streams SET {column} = {value} WHERE name = ?", (stream,))(path)  # noqa: S608
    assert not audit(path).ok


def test_a_stream_that_is_no_longer_found_by_its_name_shows(sound: Path, tmp_path: Path) -> None:
    """One bit in SQLite's index of names hides a finished trade from whoever asks for it."""
    path = copied(sound, tmp_path / "trades.db")
    content = path.read_bytes()
    names = [at for at in range(len(content)) if content.startswith(b"position/P-d1", at)]
    hidden = 0
    for at in names:
        spoilt = copied(sound, tmp_path / f"{at}" / "trades.db")
        Flipped(at + 12, 2)(spoilt)
        found = audit(spoilt)
        hidden += not found.ok
    assert hidden == len(names)
    assert len(names) >= 2  # the table's and the index's; payloads hold it without the prefix


def test_an_older_copy_shows_by_its_mark(sound: Path, tmp_path: Path) -> None:
    """A cut tail leaves a chain that is sound."""
    older = forged(tmp_path / "older.db", records=round_trip()[:10], live=["trade/d1"])
    path = copied(sound, tmp_path / "trades.db")
    Restored(older)(path)
    assert named(audit(path)) == 11


def test_a_truncated_file_shows(sound: Path, tmp_path: Path) -> None:
    """At any length."""
    size = sound.stat().st_size
    for length in range(0, size, 4096 * 3 + 17):
        path = copied(sound, tmp_path / f"{length}" / "trades.db")
        CutOff(length)(path)
        assert _refused(path)


def _refused(path: Path) -> bool:
    try:
        return not audit(path).ok
    except JournalError:
        return True


SIZE = 64 * 1024


@settings(max_examples=120)
@given(
    damage=st.builds(Flipped, st.integers(0, 1 << 20), st.integers(1, 255))
    | st.builds(Overwritten, st.integers(0, SIZE), st.binary(min_size=1, max_size=64))
)
def test_whatever_is_spoilt_is_seen_or_says_the_same(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, damage: Callable[[Path], None]
) -> None:
    """A byte that holds nothing, in a free part of a page, may be another: then every record reads as it was."""
    path = copied(sound, tmp_path_factory.mktemp("spoilt") / "trades.db")
    damage(path)
    try:
        found = audit(path)
    except JournalError:
        return
    if found.ok:
        assert pictured(path) == pictured(sound)
        assert evolve(found, path=sound) == audit(sound)


def test_damage_to_several_records_names_the_first(sound: Path, tmp_path: Path) -> None:
    """Every stretch is looked at, and the records are told in their order."""
    path = copied(sound, tmp_path / "trades.db")
    for seq in (20, 3, 12):
        Edited("UPDATE records SET payload = '{}' WHERE seq = ?", (seq,))(path)
    found = audit(path)
    assert (named(found), found.findings[0].stream, found.findings[0].stream_seq) == (3, "trade/d1", 3)


def rewound(record: Record) -> Record:
    return evolve(record, payload="{}")


def test_more_findings_than_can_be_shown_are_counted(tmp_path: Path) -> None:
    """A journal in which everything is wrong is told in bounded words."""
    records = [evolve(rewound(round_trip()[0]), stream=f"risk/{n}") for n in range(150)]
    found = audit(forged(tmp_path / "trades.db", records=records, live=()))
    assert (len(found.findings), found.more) == (20, 130)
