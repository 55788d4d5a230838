"""Taking up what another process left: folded, told, and on it goes."""

from __future__ import annotations

import pytest
from worlds import Walk

from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.messages import Restarted
from fsm_arb.recovery import take_up, unfinished
from fsm_arb.scribe import TRADE, Page, Scribe, trade_drafts
from fsm_arb.trade import Step


async def keep(scribe: Scribe, name: str, walk: Walk) -> None:
    page = Page(TRADE + name)
    batch = page.batch(trade_drafts(walk.entries), live=not walk.trade.finished)
    await scribe.write([(page, batch)])


async def test_what_is_unfinished_is_found_as_it_was_left() -> None:
    """In the order of its birth; what is finished is not even read."""
    disk = MemoryDisk()
    async with MemoryJournal(disk) as journal:
        scribe = Scribe(journal)
        await keep(scribe, "resting", Walk(order_type="limit").ack(0))
        await keep(scribe, "over", Walk().fills(0).fills(1).end_watch())
        await keep(scribe, "watched", Walk().fills(0).fills(1))
        await keep(scribe, "begun", Walk(begin=False))
    async with MemoryJournal(disk) as journal:
        found = list(unfinished(Scribe(journal), lambda: "x"))
    assert [(trade.trade_id, trade.state) for trade, _ in found] == [
        ("resting", "PLACING"),
        ("watched", "DONE"),
        ("begun", "PRECHECK"),
    ]
    assert [page.seq for _, page in found] == [7, 11, 1]


async def test_a_stream_that_is_named_and_empty_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to take up."""
    async with MemoryJournal() as journal:
        scribe = Scribe(journal)
        monkeypatch.setattr(scribe, "trade_ids", lambda **_: iter(["ghost"]))
        assert list(unfinished(scribe, lambda: "x")) == []


def test_a_live_trade_is_told_and_sends_nothing() -> None:
    """Its orders rest past their deadlines now, so the cancels are its first records."""
    walk = Walk(order_type="limit").ack(0).ack(1)
    step = take_up(walk.trade, now=5, at_ns=7)
    assert [entry.trigger for entry in step.entries] == ["restarted", "deadline", "cancel_asked"]
    assert step.entries[0].fact == Restarted(now=5)
    assert {entry.at_ns for entry in step.entries} == {7}
    assert step.sends == ()


def test_a_trade_without_an_intent_is_aborted() -> None:
    """The decision is too old to be begun."""
    walk = Walk(begin=False)
    step = take_up(walk.trade, now=5, at_ns=7)
    assert [entry.trigger for entry in step.entries] == ["restarted", "abort"]
    assert walk.trade.done


def test_a_finished_trade_is_only_watched() -> None:
    """Nothing is told and nothing recorded."""
    assert take_up(Walk().fills(0).fills(1).trade, now=5, at_ns=7) == Step()
