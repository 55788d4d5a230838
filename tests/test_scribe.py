"""Between live objects and the journal: what is written is what is read back."""

from __future__ import annotations

import pytest
from worlds import Walk, remembered

from fsm_arb.errors import JournalConflict, MachineError
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.memory import Entry
from fsm_arb.messages import Moved
from fsm_arb.position import Position
from fsm_arb.scribe import POSITION, TRADE, Page, Scribe, position_drafts, trade_drafts


def fresh() -> str:
    raise AssertionError("reading asked for a client order id")


async def test_a_trade_is_read_back_as_it_was() -> None:
    """Field by field, by another process, with its place on the journal."""
    disk = MemoryDisk()
    walk = Walk(remedy="complete").fills(0).refuse(1).look().doubt(2)
    page = Page(TRADE + "t1")
    async with MemoryJournal(disk) as journal:
        scribe = Scribe(journal)
        for cut in (5, len(walk.entries)):
            drafts = trade_drafts(walk.entries[page.seq : cut])
            await scribe.write([(page, page.batch(drafts, live=True))])
            assert page.seq == cut
    async with MemoryJournal(disk) as journal:
        found = Scribe(journal).trade("t1", fresh)
        assert list(Scribe(journal).entries("t1")) == walk.entries
    assert found is not None
    trade, again = found
    assert remembered(trade) == remembered(walk.trade)
    assert (again.stream, again.seq) == ("trade/t1", len(walk.entries))


async def test_a_position_is_read_back_as_it_was() -> None:
    """In one commit with its trade."""
    walk = Walk().fills(0).fills(1)
    position, opened = Position.opened("P-t1", walk.trade)
    started = position.exit_started("t2")
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        trade_page, page = Page(TRADE + "t1"), Page(POSITION + "P-t1")
        await scribe.write(
            [
                (trade_page, trade_page.batch(trade_drafts(walk.entries), live=True)),
                (page, page.batch(position_drafts(opened, 9), live=True)),
            ]
        )
        await scribe.write([(page, page.batch(position_drafts(started, 10), live=True))])
        found = scribe.position("P-t1")
        assert found is not None
        assert found[0].value == position.value
        assert (found[1].stream, found[1].seq) == ("position/P-t1", 2)
        assert [(record.at_ns, record.trigger) for record in journal.read("position/P-t1")] == [
            (9, "opened"),
            (10, "exit_started"),
        ]


async def test_two_batches_of_one_stream_are_one() -> None:
    """An exit that begins and ends in one commit leaves both records, in order."""
    walk = Walk(begin=False)
    page = Page(TRADE + "t1")
    first = page.batch(trade_drafts(walk.entries), live=True)
    walk.abort()
    second = page.batch(trade_drafts(walk.entries[1:]), live=False)
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        await scribe.write([(page, first), (page, second)])
        assert page.seq == len(walk.entries) == 3
        assert list(scribe.entries("t1")) == walk.entries
        assert list(scribe.trade_ids(live=True)) == []


async def test_what_is_not_there_is_none() -> None:
    """Neither is an error."""
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        assert scribe.trade("t1", fresh) is None
        assert scribe.position("P-1") is None
        assert list(scribe.entries("t1")) == []


async def test_names_are_told_by_kind_and_by_what_is_live() -> None:
    """Oldest first, without the kind in front."""
    walk = Walk(begin=False)
    drafts = trade_drafts(walk.entries)
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        for name, live in (("trade/b", True), ("position/p", True), ("trade/a", False), ("position/q", False)):
            page = Page(name)
            await scribe.write([(page, page.batch(drafts, live=live))])
        assert list(scribe.trade_ids()) == ["b", "a"]
        assert list(scribe.trade_ids(live=True)) == ["b"]
        assert list(scribe.trade_ids(live=False)) == ["a"]
        assert list(scribe.position_ids()) == ["p", "q"]
        assert list(scribe.position_ids(live=True)) == ["p"]


async def test_a_page_that_could_not_be_written_stays_where_it_was() -> None:
    """None of the commit is durable, so none of its pages moves on."""
    walk = Walk(begin=False)
    drafts = trade_drafts(walk.entries)
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        page, stale, other = Page(TRADE + "t1"), Page(TRADE + "t1"), Page(TRADE + "t2")
        await scribe.write([(page, page.batch(drafts, live=True))])
        with pytest.raises(JournalConflict):
            await scribe.write([(other, other.batch(drafts, live=True)), (stale, stale.batch(drafts, live=True))])
        assert (stale.seq, other.seq) == (0, 0)
        assert list(scribe.trade_ids()) == ["t1"]


async def test_records_that_contradict_the_table_are_refused() -> None:
    """A chain that verifies may still have been written by another machine."""
    walk = Walk(begin=False)
    stray = Entry(0, "booked", "PRECHECK", "DONE", Moved(now=0))
    page = Page(TRADE + "t1")
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        await scribe.write([(page, page.batch(trade_drafts([*walk.entries, stray]), live=True))])
        with pytest.raises(MachineError, match="no row PRECHECK -- booked --> DONE"):
            scribe.trade("t1", fresh)


async def test_what_is_durable_is_heard_once_it_is() -> None:
    """With its place; what is refused is not heard of."""
    heard: list[tuple[int | None, list[str], int]] = []
    walk = Walk()
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        page = Page(TRADE + "t1")
        scribe.heard = lambda last, batches: heard.append((last, [each.stream for each in batches], page.seq))
        drafts = trade_drafts(walk.entries)
        await scribe.write([(page, page.batch(drafts[:2], live=True))])
        with pytest.raises(JournalConflict):
            await scribe.write([(Page(TRADE + "t1", 7), Page(TRADE + "t1", 7).batch(drafts[2:], live=True))])
        await scribe.write([(page, page.batch(drafts[2:3], live=True))])
    assert heard == [(2, ["trade/t1"], 2), (3, ["trade/t1"], 3)]
