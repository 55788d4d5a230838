"""A journal file written at once is one that a bot could have written."""

from __future__ import annotations

import asyncio
from pathlib import Path

from forging import round_trip

from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Batch, Draft
from fsm_arb.testing.filing import Filing, file_disk, file_records


def draft(number: int) -> Draft:
    return Draft(at_ns=number, trigger="t", state_before="A", state_after="B", payload="{}")


def test_what_is_filed_is_verified_and_goes_on(tmp_path: Path) -> None:
    """Its chain, streams and mark are sound, and a bot opens it."""
    path = tmp_path / "trades.db"
    file_records(path, round_trip(), ["trade/d1"])
    with JournalReader(path) as reader:
        assert reader.verify() == len(round_trip())
        assert list(reader.records()) == list(round_trip())
        assert list(reader.streams("", live=True)) == ["trade/d1"]
        mark = reader.mark()
    assert mark is not None
    assert (mark.seq, mark.epoch) == (len(round_trip()), 1)

    async def go_on() -> int:
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            await journal.append([Batch(stream="x/1", expected_seq=0, drafts=(draft(1),), live=False)])
            return journal.verify()

    assert asyncio.run(go_on()) == len(round_trip()) + 1


def test_each_record_is_of_the_process_that_wrote_it(tmp_path: Path) -> None:
    """Epochs grow as they did in memory; the hashes are the same."""
    disk = MemoryDisk()

    async def live(number: int) -> None:
        async with MemoryJournal(disk) as journal:
            await journal.append([Batch(stream=f"x/{number}", expected_seq=0, drafts=(draft(number),), live=True)])

    for number in range(3):
        asyncio.run(live(number))
    file_disk(tmp_path / "trades.db", disk)
    with JournalReader(tmp_path / "trades.db") as reader:
        assert list(reader.records()) == disk.records
        assert [record.epoch for record in reader.records()] == [1, 2, 3]
        assert list(reader.streams("", live=True)) == ["x/0", "x/1", "x/2"]


def test_what_waits_is_written_in_large_commits(tmp_path: Path) -> None:
    """Every batch, however many there are."""
    with Filing(tmp_path / "trades.db") as filing:
        for number in range(5):
            filing.add([Batch(stream="x/1", expected_seq=number, drafts=(draft(number),), live=True)])
    with JournalReader(tmp_path / "trades.db") as reader:
        assert len(list(reader.read("x/1"))) == 5
