"""Journals on disk that hold trades walked by hand: for the tests of what reads journals."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from worlds import Walk, fill, leaving

from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.position import Position
from fsm_arb.scribe import POSITION, TRADE, Page, Scribe, position_drafts, trade_drafts
from fsm_arb.values import Fee, Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fsm_arb.ports import Record
    from fsm_arb.position import PositionEntry

D = Decimal


def keep(
    path: Path, walks: Mapping[str, Walk], positions: Mapping[str, Sequence[tuple[PositionEntry, int]]] | None = None
) -> Path:
    """Write trades, then positions (each record with its time), to a new journal; return its path."""

    async def write() -> None:
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            scribe = Scribe(journal)
            for trade_id, walk in walks.items():
                page = Page(TRADE + trade_id)
                await scribe.write([(page, page.batch(trade_drafts(walk.entries), live=not walk.trade.finished))])
            for position_id, entries in (positions or {}).items():
                page = Page(POSITION + position_id)
                drafts = [draft for entry, at_ns in entries for draft in position_drafts([entry], at_ns)]
                await scribe.write([(page, page.batch(drafts, live=True))])

    asyncio.run(write())
    return path


def records(walk: Walk) -> list[Record]:
    """Return a trade's records as a journal would give them."""

    async def write() -> list[Record]:
        async with MemoryJournal() as journal:
            page = Page(TRADE + walk.trade.trade_id)
            await Scribe(journal).write([(page, page.batch(trade_drafts(walk.entries), live=True))])
            return list(journal.records())

    return asyncio.run(write())


def matched() -> Walk:
    """A trade whose first leg fills at once in two executions, whose second fills bit by bit, without executions."""
    walk = Walk()
    told = (fill("x1", 4, 100, Fee(D("0.4"), "USD")), fill("x2", 6, 101, Fee(D("0.6"), "USD")))
    fees = (Fee(D(1), "USD"),)
    walk.fills(0, fills=told, average=D("100.6"), fees=fees, venue_order_id="v0")
    walk.later(1).ack(1, 3, average=D(100), fees=(Fee(D("0.3"), "USDT"),), venue_order_id="v1")
    walk.later(1).see(1, 5, average=D("100.4"), fees=(Fee(D("0.5"), "USDT"),))
    return walk.later(1).see(1, 10, ended=True, average=D("100.7"), fees=(Fee(D("0.7"), "USDT"), Fee(D("0.01"), "BNB")))


def mended() -> Walk:
    """A trade whose second leg is refused and completed; then a venue takes some back, and a person puts that right."""
    walk = Walk(remedy="complete", name="t2").fills(0).refuse(1).later(1).look().later(1)
    walk.fills(2).later(1).bust(2, 2)
    return walk.by_hand(1, Side.BUY, 2, 99, Fee(D("0.2"), "USDT"))


def halted() -> Walk:
    """A trade that stands at a wall: one leg filled, the other refused, and no remedy allowed."""
    return Walk(attempts_max=0, name="t3").fills(0).refuse(1)


def a_round(path: Path) -> Path:
    """Write a journal with an entry that was left again, a mended trade and a halted one."""
    entry, out = matched(), Walk(leaving(), name="t4", quantity=D(10), sides=(Side.BUY, Side.SELL))
    out.fills(0).fills(1)
    position, opened = Position.opened("P-t1", entry.trade)
    started, ended = position.exit_started("t4"), position.trade_ended(out.trade)
    records = [(opened[0], 10), (started[0], 20), *((each, 30) for each in ended)]
    walks = {"t1": entry, "t2": mended(), "t3": halted(), "t4": out}
    return keep(path, walks, {"P-t1": records})
