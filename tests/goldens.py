"""Journals that are kept for ever, as text: how one is made, read, and what was true of it when it was made.

Run as a program it makes another one from today's code::

    python tests/goldens.py v1-2027-03

One that is there is never edited. A new one is due when a test says that a
fact or a field is in none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from worlds import ALPHA, BETA_KEEPS_BASE, D, Walk, book, entry, fill, leaving

from fsm_arb.codec import dumps
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal.store import APPLICATION_ID, FORMAT, connect
from fsm_arb.messages import Checked, Judged, PlaceEnded, Sized
from fsm_arb.ports import Acknowledged, Batch, Draft, OrderSnapshot, OrderStatus, Wire
from fsm_arb.position import Position
from fsm_arb.residuals import Leftover
from fsm_arb.results import result_of
from fsm_arb.risk.history import Counted, RiskHistory, RouteHistory, SymbolHistory
from fsm_arb.scribe import Scribe, position_drafts, trade_drafts
from fsm_arb.values import Fee, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent / "journal" / "golden"
BEGAN_NS = 1_700_000_000_000_000_000  # wall clock UTC
DECIDED = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


# ------------------------------------------------------------------ making one


def _entered(name: str, **changes: Any) -> Walk:
    decision = entry(
        decision_id=f"d-{name}", decided_at=DECIDED, books=(book(), None), reason="스프레드 1.2 %", **changes
    )
    return Walk(decision, name=name, rules=(ALPHA, BETA_KEEPS_BASE))


def _filled(walk: Walk, order: int) -> None:
    """Acknowledge an order that has filled whole, with everything that a venue may tell."""
    intent = walk.sent[order]
    fee = Fee(D("0.01"), "USD" if intent.leg == 0 else "BTC")
    snapshot = OrderSnapshot(
        status=OrderStatus.ENDED,
        filled=intent.amount,
        venue_order_id=f"V-{order}",
        client_order_id=intent.client_order_id,
        symbol=walk.plan.legs[intent.leg].leg.symbol,
        side=intent.side,
        amount=intent.amount,
        average=D("100.005"),
        fills=(fill(f"f-{order}", intent.amount, "100.005", fee),),
        fees=(fee,),
        raw={"info": {"status": "closed", "trades": [1, None, True]}},
    )
    wire = Wire(sent_at_ns=BEGAN_NS, received_at_ns=BEGAN_NS + 5, http_status=200)
    walk.tell(PlaceEnded(now=walk.ns, order=order, outcome=Acknowledged(snapshot=snapshot, wire=wire)))


def _walks() -> Iterator[Walk]:
    """Yield trades that between them record every kind of fact."""
    for name in ("success", "amended"):
        walk = _entered(name)
        _filled(walk, 0)
        _filled(walk, 1)
        yield walk
    yield _entered("completed").fills(0).refuse(1).look().fills(2).end_watch()
    unwound = _entered("unwound").fills(0).doubt(1)
    yield unwound.vanish(1).look(second=book(None, None)).fills(2)
    yield Walk(entry(decision_id="d-blocked"), name="blocked", begin=False)
    yield Walk(entry(decision_id="d-small"), name="small", begin=False)
    yield Walk(entry(decision_id="d-aborted"), name="aborted", begin=False).abort()
    yield _entered("stalled").fills(0).refuse(1).silence(0, 1)
    yield _halted()


def _halted() -> Walk:
    """Return a trade that met a wall, was taken up by another process, looked up, traded by hand, and busted."""
    walk = Walk(entry(decision_id="d-halted"), name="halted", order_type="limit", attempts_max=0)
    walk.ack(0).doubt(1).at(6).answer_cancel(0).see(0, 4, ended=True)
    walk.restart().later(200).miss(1)
    walk.tell(Judged(now=walk.ns, order=1, filled=D(0), price=None, reason="looked up: it never arrived"))
    walk.later(1).resume()
    walk.by_hand(0, Side.BUY, 1, fee=Fee(D("0.001"), "BTC"))
    walk.bust(0, 1)
    return walk


def _end(walk: Walk) -> Walk:
    if walk.trade.trade_id == "blocked":
        walk.tell(Checked(now=0, refusal="health: beta is down", readings={"alpha": "up, 12 ms"}))
    if walk.trade.trade_id == "small":
        walk.tell(Checked(now=0))
        walk.tell(Sized(now=0, refusal="below the least order of beta"))
    return walk


def _batches() -> Iterator[Batch]:
    walks = {walk.trade.trade_id: _end(walk) for walk in _walks()}
    for walk in walks.values():
        yield _batch(f"trade/{walk.trade.trade_id}", trade_drafts(walk.entries), live=not walk.trade.finished)
    first = walks["success"]
    position, opened = Position.opened("P-1", first.trade)
    started = position.exit_started("exit")
    out = Walk(
        leaving(position_id="P-1", decision_id="d-exit"),
        name="exit",
        sides=(Side.BUY, Side.SELL),
        quantity=position.value.quantity,
    )
    out.fills(0).fills(1)
    ended = position.trade_ended(out.trade)
    yield _batch("trade/exit", trade_drafts(out.entries), live=not out.trade.finished)
    yield _batch("position/P-1", position_drafts([*opened, *started, *ended], 7), live=not position.closed)
    _, opened = Position.opened("P-2", walks["amended"].trade)
    yield _batch("position/P-2", position_drafts(opened, 7), live=True)
    counted = Counted(route="alpha/beta", asset="BTC", pnl=D("-1.5"), day=19675, rates={"USDT": D("1.01")})
    history = RiskHistory(
        day=19675,
        daily=D("-1.5"),
        result=D("-1.5"),
        losses=1,
        cooldown_until_ns=BEGAN_NS,
        routes={"alpha/beta": RouteHistory(losses=1, cooldown_until_ns=BEGAN_NS)},
        symbols={"BTC": SymbolHistory(result=D("-1.5"), best=D(0))},
        counted={"success": counted},
    )
    yield _notes("risk/19675", "counted", history)
    yield _notes("counted/success", "counted", counted)
    yield _notes("dust/1", "left", Leftover(assets=(("BTC", D("0.0001")),), trade_id="completed"))


def _notes(stream: str, trigger: str, fact: Any) -> Batch:
    draft = Draft(at_ns=9, trigger=trigger, state_before="", state_after="", payload=dumps(fact))
    return _batch(stream, [draft], live=False)


def _batch(stream: str, drafts: list[Draft], *, live: bool) -> Batch:
    timed = tuple(evolve(draft, at_ns=BEGAN_NS + draft.at_ns) for draft in drafts)
    return Batch(stream=stream, expected_seq=0, drafts=timed, live=live)


async def _write(path: Path) -> None:
    for batch in _batches():  # each under an epoch of its own
        async with SqliteJournal(path, reserve_bytes=0) as journal:
            await journal.append([batch])


# ------------------------------------------------------------------ as text


def dumped(path: Path) -> str:
    """Return a journal as SQL text: what makes it a journal, then every row."""
    with contextlib.closing(connect(path, "ro")) as connection:
        rows = "\n".join(connection.iterdump())
    return f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {FORMAT};\n{rows}\n"


def loaded(text: str, path: Path) -> Path:
    """Make the journal that `dumped` wrote."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)
    return path


# ------------------------------------------------------------------ what is true of one


def results(path: Path) -> dict[str, Any]:
    """Return what today's code makes of every trade and position of a journal, in plain words and numbers."""
    found: dict[str, Any] = {}
    with JournalReader(path) as reader:
        scribe = Scribe(reader)  # type: ignore[arg-type] - only read from
        found["records"] = reader.verify()
        found["last hash"] = reader.last()[1]
        found["live"] = list(reader.streams("", live=True))
        for trade_id in scribe.trade_ids():
            read = scribe.trade(trade_id, _no_ids)
            assert read is not None
            found[f"trade/{trade_id}"] = _of_trade(read[0])
        for position_id in scribe.position_ids():
            known = scribe.position(position_id)
            assert known is not None
            value = known[0].value
            found[f"position/{position_id}"] = {
                "state": value.state,
                "quantity": str(value.quantity),
                "sides": [side.value for side in value.sides],
                "realised pnl": str(value.realised_pnl),
            }
    return found


def _of_trade(trade: Any) -> dict[str, Any]:
    result = result_of(trade)
    return {
        "state": trade.state,
        "status": result.status,
        "exposure": str(trade.exposure),
        "pnl": str(result.pnl),
        "booked": str(trade.booked_quantity),
        "legs": [[leg.status, str(leg.filled_qty), str(leg.received_qty), str(leg.avg_price)] for leg in result.legs],
        "orders": [
            [order.intent.client_order_id, order.lifecycle.value, str(order.filled), str(order.received), order.refusal]
            for order in trade.orders
        ],
    }


def _no_ids() -> str:
    raise AssertionError("what is folded asks for no id")


def names() -> list[str]:
    """Return every journal that is kept, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def main(name: str) -> None:
    """Make one, and note its hash down."""
    text = FOLDER / f"{name}.sql"
    if text.exists():
        raise SystemExit(f"{text.name} is there; it is never edited")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trades.db"
        asyncio.run(_write(path))
        text.write_text(dumped(path), encoding="utf-8")
        told = json.dumps(results(path), indent=1, ensure_ascii=False) + "\n"
    text.with_suffix(".json").write_text(told, encoding="utf-8")
    with (FOLDER / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        for each in (text, text.with_suffix(".json")):
            sums.write(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n")


if __name__ == "__main__":
    main(sys.argv[1])
