"""One durable record as whoever follows an executor gets it."""

from __future__ import annotations

import pytest
from attrs.exceptions import FrozenInstanceError
from worlds import Walk

from fsm_arb import Committed
from fsm_arb.errors import JournalForeign
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.ports import Record
from fsm_arb.scribe import TRADE, Page, Scribe, trade_drafts


async def records() -> list[Committed]:
    walk = Walk().fills(0).fills(1)
    async with MemoryJournal() as journal:
        page = Page(TRADE + "t1")
        drafts = trade_drafts(walk.entries)
        await Scribe(journal).write([(page, page.batch(drafts, live=True))])
        found = [Committed.read(record) for record in journal.records()]
    written = [
        Committed.written(draft, seq=seq, stream=TRADE + "t1", stream_seq=seq) for seq, draft in enumerate(drafts, 1)
    ]
    assert written == found
    assert [each.fact for each in found] == [entry.fact for entry in walk.entries]
    return found


async def test_what_was_written_is_what_is_read() -> None:
    """Both ways to a record give the same one, fact included."""
    assert len(await records()) > 5


async def test_a_record_names_its_trade_or_its_position() -> None:
    """Never both."""
    record = (await records())[0]
    assert (record.trade_id, record.position_id) == ("t1", None)
    other = Committed.read(record_of("position/P-1"))
    assert (other.trade_id, other.position_id) == (None, "P-1")


async def test_a_record_tells_whether_an_edge_was_taken() -> None:
    """Observations leave the state alone."""
    found = await records()
    assert {record.trigger for record in found if record.moved} >= {"checks_passed", "sized", "placed", "settled"}
    assert {record.trigger for record in found if not record.moved} >= {"begun", "intended", "place_ended"}


async def test_a_record_cannot_be_changed() -> None:
    """One subscriber cannot alter what another one gets; its fact is read once."""
    record = (await records())[0]
    with pytest.raises(FrozenInstanceError):
        record.trigger = "other"  # type: ignore[misc]
    assert record.fact is record.fact
    assert record.payload not in repr(record)


async def test_a_fact_that_this_code_does_not_know_is_said_when_it_is_asked_for() -> None:
    """Who only follows states goes on."""
    record = Committed.read(record_of("trade/t1"))
    assert record.trigger == "begun"
    with pytest.raises(JournalForeign, match="version 9"):
        _ = record.fact


def record_of(stream: str) -> Record:
    return Record(
        seq=1,
        stream=stream,
        stream_seq=1,
        epoch=1,
        at_ns=5,
        trigger="begun",
        state_before="A",
        state_after="A",
        payload='{"v":9,"fact":"begun","body":{}}',
        previous_hash="",
        hash="",
    )
