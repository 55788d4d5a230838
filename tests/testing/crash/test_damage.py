"""Damage does what it says, and whoever examines a journal tells three things apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fsm_arb.errors import JournalCorrupt, JournalError
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.ports import Batch, Draft
from fsm_arb.testing.crash import damage
from fsm_arb.testing.crash.damage import (
    CutOff,
    Edited,
    Flipped,
    Lost,
    Overwritten,
    Restored,
    beside,
    copied,
    examined,
    pictured,
)


def draft(n: int) -> Draft:
    return Draft(at_ns=n, trigger="t", state_before="A", state_after="B", payload=f'{{"n":{n}}}')


async def written(path: Path, *records: int) -> None:
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        for n in records:
            stream = f"trade/{n % 2}"
            seq = len(list(journal.read(stream)))
            await journal.append([Batch(stream=stream, expected_seq=seq, drafts=(draft(n),), live=n % 2 == 0)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "trades.db"
    asyncio.run(written(path, 0, 1, 2, 3))
    return path


def test_bytes_are_spoilt_where_it_is_said(tmp_path: Path) -> None:
    """One flipped, a stretch overwritten, an end cut off, a file gone; nothing grows."""
    file = tmp_path / "x"
    file.write_bytes(b"abcdef")
    Flipped(7, 1)(file)
    assert file.read_bytes() == b"accdef"
    Overwritten(4, b"xyz")(file)
    assert file.read_bytes() == b"accdxy"
    CutOff(2)(file)
    assert file.read_bytes() == b"ac"
    CutOff(0)(file)
    Flipped(0, 1)(file)
    assert file.read_bytes() == b""
    Lost("")(file)
    assert not file.exists()


def test_a_file_beside_the_journal_can_be_spoilt(tmp_path: Path) -> None:
    """By its suffix."""
    (tmp_path / "x-wal").write_bytes(b"abc")
    Flipped(0, 1, "-wal")(tmp_path / "x")
    assert beside(tmp_path / "x", "-wal").read_bytes() == b"`bc"


def test_a_whole_journal_is_the_same(path: Path) -> None:
    """Opening it once more changes nothing that it tells."""
    before = pictured(path)
    found = examined(path, before)
    assert (found.verified, found.opened, found.same, found.forgotten, found.noticed) == (None, None, True, (), True)
    assert [record.seq for record in before.records] == [1, 2, 3, 4]
    assert before.live == ("trade/0",)
    assert [(name, len(records)) for name, records in before.streams] == [("trade/0", 2), ("trade/1", 2)]


def test_an_edited_journal_is_refused(path: Path) -> None:
    """By whoever verifies it, and by whoever would drive it."""
    before = pictured(path)
    Edited("UPDATE records SET payload = ? WHERE seq = ?", ("{}", 3))(path)
    found = examined(path, before)
    for error in (found.verified, found.opened):
        assert isinstance(error, JournalCorrupt)
        assert (error.seq, error.stream) == (3, "trade/0")
    assert (found.same, found.noticed) == (False, True)


def test_an_older_copy_is_put_in_place(path: Path, tmp_path: Path) -> None:
    """And its mark stays the newer one."""
    older = copied(path, tmp_path / "older" / "trades.db")
    asyncio.run(written(path, 4))
    before = pictured(path)
    Restored(older)(path)
    assert len(pictured(path).records) == 4
    assert isinstance(examined(path, before).opened, JournalCorrupt)


def test_a_copy_takes_the_place_of_what_was_there(path: Path, tmp_path: Path) -> None:
    """Nothing of an earlier journal is left beside it."""
    to = tmp_path / "copy" / "trades.db"
    to.parent.mkdir()
    beside(to, "-wal").write_bytes(b"old")
    copied(path, to)
    assert not beside(to, "-wal").exists()
    assert pictured(to) == pictured(path)


def test_what_is_believed_falsely_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were nobody to verify, a journal that tells something else would be found out by its picture."""
    before = pictured(path)
    Edited("UPDATE streams SET live = 1 WHERE name = 'trade/1'")(path)
    monkeypatch.setattr(JournalReader, "verify", lambda _: 4)
    assert examined(path, before).wrong == "verification passes what tells something else"
    monkeypatch.undo()
    monkeypatch.setattr(damage, "_refusal_to_open", no_refusal)
    assert examined(path, before).wrong == "a driver takes up other trades than were unfinished"


async def no_refusal(_: Path) -> JournalError | None:
    return None


def test_a_stream_that_reads_otherwise_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither opening nor reading would object to a record that was altered."""
    before = pictured(path)
    Edited("UPDATE records SET payload = '[]' WHERE seq = 2")(path)
    monkeypatch.setattr("fsm_arb.journal.reader.check", lambda _: b"")
    monkeypatch.setattr(damage, "_refusal_to_open", no_refusal)
    assert examined(path, before).wrong == "a driver reads stream trade/1 otherwise than it was written"


def test_a_stream_that_is_not_found_must_be_noticed_by_somebody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished trade that is unknown would be executed again."""
    before = pictured(path)
    read = JournalReader.read
    monkeypatch.setattr(damage, "_told", lambda _: before)
    monkeypatch.setattr(JournalReader, "read", lambda self, name: iter(()) if name == "trade/1" else read(self, name))
    found = examined(path, before)
    assert found.forgotten == ("trade/1",)
    assert found.wrong == "nobody notices that trade/1 is not found any more"


def test_a_journal_that_cannot_be_told_from_is_not_believed(path: Path) -> None:
    """Its pages are gone, and that is said."""
    before = pictured(path)
    Overwritten(4096, bytes(8 * 4096))(path)
    found = examined(path, before)
    assert isinstance(found.verified, JournalError)
    assert found.noticed
