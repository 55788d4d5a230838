"""What every adapter of the journal port keeps, whatever it is made of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import JournalConflict, JournalFailed, JournalLocked
from fsm_arb.journal import MemoryJournal, SqliteJournal
from fsm_arb.journal.chain import GENESIS_HEX, verify
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.ports import Batch, Draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from fsm_arb.ports import Record

    AnyJournal = SqliteJournal | MemoryJournal


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], AnyJournal]:
    """Journals, not yet open, that all stand on the same store."""
    if request.param == "sqlite":
        return lambda: SqliteJournal(tmp_path / "trades.db", reserve_bytes=65536)
    disk = MemoryDisk()
    return lambda: MemoryJournal(disk)


@pytest.fixture
async def journal(make: Callable[[], AnyJournal]) -> AsyncIterator[AnyJournal]:
    async with make() as opened:
        yield opened


def batch(stream: str, expected_seq: int, *payloads: str, live: bool = True) -> Batch:
    drafts = tuple(
        Draft(at_ns=1_700_000_000_000_000_000 + i, trigger="placed", state_before="A", state_after="B", payload=payload)
        for i, payload in enumerate(payloads)
    )
    return Batch(stream=stream, expected_seq=expected_seq, drafts=drafts, live=live)


def payloads(records: object) -> list[str]:
    return [record.payload for record in records]  # type: ignore[attr-defined]


async def test_what_was_appended_is_read_back_field_by_field(journal: AnyJournal) -> None:
    """A record carries every field of its draft, its place, its epoch and its chain."""
    draft = Draft(at_ns=-5, trigger="t\n", state_before="", state_after="é\u4e2d\U0001f600", payload='{"a":"\x00"}')
    await journal.append([Batch(stream="trade/1", expected_seq=0, drafts=(draft, draft), live=True)])
    first, second = journal.read("trade/1")
    assert (first.seq, first.stream, first.stream_seq, first.epoch) == (1, "trade/1", 1, 1)
    assert (first.at_ns, first.trigger, first.state_before, first.state_after, first.payload) == (
        draft.at_ns,
        draft.trigger,
        draft.state_before,
        draft.state_after,
        draft.payload,
    )
    assert first.previous_hash == GENESIS_HEX
    assert (second.seq, second.stream_seq, second.previous_hash) == (2, 2, first.hash)


async def test_both_adapters_make_the_same_chain(tmp_path: Path) -> None:
    """The hash of a record depends on what it says, not on where it is kept."""
    chains = []
    for journal in (SqliteJournal(tmp_path / "x.db", reserve_bytes=0), MemoryJournal()):
        async with journal:
            await journal.append([batch("trade/1", 0, "{}", "[1]"), batch("trade/2", 0, "{}")])
            await journal.append([batch("trade/1", 2, "{}", live=False)])
            chains.append(list(journal.records()))
    assert chains[0] == chains[1]


async def test_one_call_writes_all_of_its_batches_or_none(journal: AnyJournal) -> None:
    """A batch that conflicts takes the other batches of its call along, and nothing else."""
    await journal.append([batch("trade/1", 0, "1")])
    with pytest.raises(JournalConflict, match="trade/1"):
        await journal.append([batch("trade/2", 0, "a"), batch("trade/1", 0, "b")])
    assert list(journal.read("trade/2")) == []
    await journal.append([batch("trade/2", 0, "c"), batch("trade/1", 1, "d")])
    assert payloads(journal.records()) == ["1", "c", "d"]


@pytest.mark.parametrize("expected_seq", [0, 1, 3, -1])
async def test_a_writer_that_knows_of_another_number_of_records_is_refused(
    journal: AnyJournal, expected_seq: int
) -> None:
    """Too few and too many both mean that somebody's picture of the stream is wrong."""
    await journal.append([batch("trade/1", 0, "1", "2")])
    with pytest.raises(JournalConflict, match="holds 2"):
        await journal.append([batch("trade/1", expected_seq, "3")])
    assert journal.verify() == 2


async def test_one_stream_may_stand_in_a_call_twice(journal: AnyJournal) -> None:
    """The second batch goes on from the first."""
    await journal.append([batch("trade/1", 0, "1"), batch("trade/1", 1, "2")])
    assert payloads(journal.read("trade/1")) == ["1", "2"]


async def test_of_concurrent_calls_only_the_conflicting_one_fails(journal: AnyJournal) -> None:
    """A refused call costs the calls that share its commit nothing."""
    calls = [journal.append([batch(f"trade/{i % 9}", 0, f"{i}")]) for i in range(10)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int] * 9 + [JournalConflict]
    assert journal.verify() == 9


async def test_concurrent_calls_keep_their_order(journal: AnyJournal) -> None:
    """Calls become records in the order in which they were made."""
    await asyncio.gather(*(journal.append([batch("trade/1", i, f"{i}")]) for i in range(50)))
    assert payloads(journal.records()) == [f"{i}" for i in range(50)]


async def test_a_draft_that_cannot_be_stored_fails_alone(journal: AnyJournal) -> None:
    """Half a surrogate pair, which JSON can spell and UTF-8 cannot, spoils its own call only."""
    good, bad = journal.append([batch("trade/1", 0, "1")]), journal.append([batch("trade/2", 0, "\ud800")])
    outcomes = await asyncio.gather(bad, good, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [JournalFailed, int]
    assert payloads(journal.records()) == ["1"]


@pytest.mark.parametrize("change", [{"at_ns": 1 << 63}, {"at_ns": 1.5}, {"payload": b"{}"}, {"trigger": None}])
async def test_a_draft_of_other_types_is_refused(journal: AnyJournal, change: dict[str, object]) -> None:
    """What would be read back as something else is not written."""
    fields = {"at_ns": 1, "trigger": "t", "state_before": "A", "state_after": "B", "payload": "{}"} | change
    with pytest.raises(JournalFailed):
        await journal.append([Batch(stream="s", expected_seq=0, drafts=(Draft(**fields),), live=True)])  # type: ignore[arg-type]
    assert journal.verify() == 0


async def test_streams_are_named_oldest_first_by_prefix_and_life(journal: AnyJournal) -> None:
    """A stream counts as live as its last batch said."""
    for name in ("trade/b", "position/1", "trade/a", "trade/c"):
        await journal.append([batch(name, 0, "{}")])
    await journal.append([batch("trade/a", 1, "{}", live=False)])
    assert list(journal.streams("trade/")) == ["trade/b", "trade/a", "trade/c"]
    assert list(journal.streams("trade/", live=True)) == ["trade/b", "trade/c"]
    assert list(journal.streams("trade/", live=False)) == ["trade/a"]
    assert list(journal.streams("")) == ["trade/b", "position/1", "trade/a", "trade/c"]
    assert list(journal.streams("trade/%")) == []
    await journal.append([batch("trade/a", 2, "{}", live=True)])
    assert list(journal.streams("trade/", live=True)) == ["trade/b", "trade/a", "trade/c"]


async def test_a_batch_without_drafts_only_says_whether_its_stream_lives(journal: AnyJournal) -> None:
    """It writes no record, and makes no stream of one that does not exist."""
    await journal.append([batch("trade/1", 0, "{}")])
    await journal.append([batch("trade/1", 1, live=False), batch("trade/2", 0)])
    await journal.append([])
    assert list(journal.streams("", live=False)) == ["trade/1"]
    assert list(journal.streams("")) == ["trade/1"]
    with pytest.raises(JournalConflict):
        await journal.append([batch("trade/1", 7)])
    assert journal.verify() == 1


async def test_an_append_tells_where_its_last_record_stands(journal: AnyJournal) -> None:
    """Each call its own, also where several share a commit and one of them is refused."""
    assert await journal.append([batch("trade/1", 0, "a", "b"), batch("trade/2", 0, "c")]) == 3
    calls = [journal.append([batch(f"trade/{n}", 0, *"xyz"[: n % 3 + 1])]) for n in range(10, 16)]
    bad = journal.append([batch("trade/1", 9, "no")])
    *lasts, refused = await asyncio.gather(*calls, bad, return_exceptions=True)
    assert isinstance(refused, JournalConflict)
    last_of = {record.stream: record.seq for record in journal.records()}
    assert lasts == [last_of[f"trade/{n}"] for n in range(10, 16)]


async def test_an_unknown_stream_has_no_records(journal: AnyJournal) -> None:
    """Asking for it is no error."""
    assert list(journal.read("trade/none")) == []


async def test_a_long_stream_is_read_lazily_and_in_order(journal: AnyJournal) -> None:
    """Records written between two steps of a read do not disturb it."""
    for i in range(5):
        await journal.append([batch("trade/1", i * 100, *(f"{n}" for n in range(i * 100, i * 100 + 100)))])
        await journal.append([batch("trade/2", i, "x")])
    reading = journal.read("trade/1")
    assert next(reading).payload == "0"
    await journal.append([batch("trade/1", 500, "late")])
    assert payloads(reading)[:499] == [f"{n}" for n in range(1, 500)]
    assert payloads(journal.records(after=505)) == ["late"]


async def test_everything_is_there_after_reopening(make: Callable[[], AnyJournal]) -> None:
    """Each opening is a new epoch, greater than any before; streams go on where they stood."""
    kept: list[Record] = []
    for opening in range(1, 4):
        journal = make()
        assert await journal.open() == opening
        assert list(journal.records()) == kept
        await journal.append([batch("trade/1", opening - 1, f"{opening}")])
        kept = list(journal.records())
        await journal.close()
    assert [record.epoch for record in kept] == [1, 2, 3]
    assert verify(kept) == 3


async def test_one_object_may_be_opened_again(make: Callable[[], AnyJournal]) -> None:
    """Closing leaves nothing behind that would stand in the way."""
    journal = make()
    assert [await journal.open(), await journal.close(), await journal.open()] == [1, None, 2]
    await journal.close()


async def test_a_second_driver_is_refused(make: Callable[[], AnyJournal]) -> None:
    """Nobody else may open it, not even in this process, until it is closed."""
    first, second = make(), make()
    await first.open()
    for journal in (second, first):
        with pytest.raises(JournalLocked):
            await journal.open()
    await first.append([batch("trade/1", 0, "{}")])
    await first.close()
    assert await second.open() == 2
    await second.close()


async def test_nothing_works_while_it_is_not_open(make: Callable[[], AnyJournal]) -> None:
    """Before opening and after closing, everything but closing says so."""
    journal = make()
    for _ in range(2):
        with pytest.raises(JournalFailed, match="not open"):
            await journal.append([batch("trade/1", 0, "{}")])
        for read in (lambda: list(journal.read("x")), lambda: list(journal.streams("")), journal.verify):
            with pytest.raises(JournalFailed, match="not open"):
                read()
        await journal.close()
        await journal.open()
        await journal.close()


async def test_closing_waits_for_what_is_being_written(make: Callable[[], AnyJournal]) -> None:
    """A call made before closing is answered."""
    journal = make()
    await journal.open()
    calls = [asyncio.create_task(journal.append([batch(f"trade/{i}", 0, "{}")])) for i in range(20)]
    await asyncio.sleep(0)
    await journal.close()
    await asyncio.wait_for(asyncio.gather(*calls), 5)
    await journal.open()
    assert journal.verify() == 20
    await journal.close()


async def test_cancelling_who_waits_loses_nothing(journal: AnyJournal) -> None:
    """The records are written all the same, whole, and the next append goes on from them."""
    tasks = [asyncio.create_task(journal.append([batch("trade/1", i, f"{i}")])) for i in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 3
    await journal.append([batch("trade/1", 3, "3")])
    assert payloads(journal.read("trade/1")) == ["0", "1", "2", "3"]


async def test_the_disk_is_not_full(journal: AnyJournal) -> None:
    """An executor may ask before every entry."""
    assert journal.full is False
