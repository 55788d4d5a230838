"""Journals to draw pages from: what went well, what was traded back, what halted, and what a hostile venue said."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from worlds import Walk, book, entry

from fsm_arb.audit.summary import Naked, Summary
from fsm_arb.audit.tales import Tale, tell
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.messages import Checked
from fsm_arb.ports import Batch, Refused, Wire
from fsm_arb.report.rows import Row
from fsm_arb.scribe import TRADE, trade_drafts
from fsm_arb.values import Leg

if TYPE_CHECKING:
    from pathlib import Path

D = Decimal
SECOND = 1_000_000_000
SCRIPT = "<script>alert('naked')</script>"


def well(name: str = "t-well") -> Walk:
    """Both legs fill, one in two parts."""
    walk = Walk(entry(decision_id=name), name=name).at(0.02).fills(0)
    return walk.at(0.05).ack(1, 4).at(0.4).see(1, 10, ended=True).at(6).end_watch()


def traded_back(name: str = "t-back") -> Walk:
    """The second leg is refused, and the first bought back."""
    walk = Walk(entry(decision_id=name), name=name, remedy="unwind").at(0.02).fills(0).at(0.09).refuse(1)
    walk.at(0.3).look(first=book("99.90", "100.50")).at(0.35).ack(2, 4, average=D("100.50"))
    return walk.at(0.6).see(2, 10, ended=True, average=D("100.50"))


def stuck(name: str = "t-stuck") -> Walk:
    """The second leg is refused and no remedy can be sent: halted, and a slow retry in vain."""
    walk = Walk(entry(decision_id=name), name=name, attempts_max=2).at(0.03).fills(0).at(0.08).refuse(1)
    walk.at(0.2).silence(0, 1).at(2).look(book("99.99", None), book("99.99", "130.00"))
    assert walk.state == "HALTED"
    return walk.at(65).silence(0, 1)


def in_doubt(name: str = "t-doubt") -> Walk:
    """The second leg has never answered."""
    walk = Walk(entry(decision_id=name), name=name, doubt_max_s=30).at(0.03).fills(0).at(5).doubt(1).at(10)
    walk.at(12).miss(1, covered=False)
    return walk.at(36)


def blocked(name: str = "t-blocked") -> Walk:
    """A check says no."""
    walk = Walk(entry(decision_id=name), name=name, begin=False)
    walk.tell(Checked(now=0, refusal="health: beta is down"))
    return walk


def hostile(name: str = f"{SCRIPT}") -> Walk:
    """Every word that comes from outside is an attack."""
    walk = Walk(entry(decision_id="hostile", reason=SCRIPT), name=name, attempts_max=1).at(0.02)
    walk.fills(0, venue_order_id=f'"><img src=x onerror=alert(1)>{SCRIPT}')
    wire = Wire(sent_at_ns=10_000_000, received_at_ns=30_000_000, http_status=418)
    said = f"</title></style></pre>{SCRIPT}\u202egnp.exe\x00"
    walk.place(1, Refused(code="<b>code</b>", message=said, raw={"html": said}, wire=wire))
    return walk.at(1).silence(0, 1)


def journal(path: Path, *walks: Walk) -> Path:
    """Write these trades as a bot would have, one after the other."""

    path.parent.mkdir(parents=True, exist_ok=True)

    async def write() -> None:
        written = SqliteJournal(path, reserve_bytes=0)
        await written.open()
        for walk in walks:
            drafts = tuple(trade_drafts(walk.entries))
            stream = TRADE + walk.trade.trade_id
            await written.append([Batch(stream=stream, expected_seq=0, drafts=drafts, live=not walk.trade.finished)])
        await written.close()

    asyncio.run(write())
    return path


def tale(path: Path, walk: Walk) -> Tale:
    """Return one trade, written and read back."""
    with JournalReader(journal(path, walk)) as reader:
        told = tell(reader, walk.trade.trade_id)
    assert told is not None
    return told


def every(**changes: Any) -> tuple[Walk, ...]:
    """Return one of each."""
    return (well(), traded_back(), stuck(), in_doubt(), blocked(), hostile(**changes))


def summary(**changes: Any) -> Summary:
    """Return an entry that was naked for two seconds and lost three."""
    told: dict[str, Any] = {
        "trade_id": "t1",
        "action": "entry_negative",
        "status": "rolled_back",
        "path": ("PRECHECK", "DONE"),
        "began_ns": 5 * SECOND,
        "ended_ns": 9 * SECOND,
        "net": D(-3),
        "orders": 3,
        "naked": (Naked(from_ns=6 * SECOND, to_ns=8 * SECOND, exposure=D("0.5")),),
        "worst_exposure": D("0.5"),
        "worst_worth": D(50),
        "note": "beta: no",
        "state": "DONE",
        "legs": (Leg("alpha", "BTC/USD"), Leg("beta", "BTC/USDT")),
    }
    return Summary(**(told | changes))


def row(name: str = "t1", **changes: Any) -> Row:
    """Return such an entry as an index tells it."""
    return Row.of(summary(trade_id=name, **changes))
