"""Try one position's records: each must follow from the one before, and change only what its trade may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, fields

from fsm_arb.audit.findings import Claim, moment, text
from fsm_arb.audit.recount import fees_text
from fsm_arb.audit.trial import CLOCK_BACK, Trial
from fsm_arb.codec import loads
from fsm_arb.machines.position import POSITION_TABLE, Cause, PositionState, PositionView, Remainder
from fsm_arb.position import CrossExchangePosition, PositionFact
from fsm_arb.scribe import POSITION
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.ports import Record
    from fsm_arb.values import Fee

OPENED, STARTED, AMENDED = "opened", "exit_started", "amended"
# All that a record may change; the rest is as it was opened.
CHANGING = frozenset(
    {
        "state",
        "sides",
        "reversed",
        "entry_quantity",
        "entry_prices",
        "exits",
        "exit_trade_id",
        "pnls",
        "charged",
        "closed_at_ns",
    }
)
FIXED = tuple(each.name for each in fields(CrossExchangePosition) if each.name not in CHANGING)


@define
class PositionTrial(Trial):
    """One position as far as its records have been tried. What is wrong ends it."""

    value: CrossExchangePosition | None = None

    def close(self) -> None:
        """Take in that no record follows."""
        if self.value is None:
            return
        self.part.positions[self.value.state] += 1
        if self.value.state != PositionState.CLOSED:
            self.part.live.append(POSITION + self.value.position_id)

    # -------------------------------------------------------------- one record

    def _tried(self, record: Record) -> str:
        fact = loads(record.payload)
        if not isinstance(fact, PositionFact):
            return f"tells of a {type(fact).__name__} on the stream of a position"
        if self.last is not None and record.at_ns < self.last.at_ns:
            self.part.notes[CLOCK_BACK] += 1
        value, before = fact.position, self.value
        wrong = next(iter(self._wrong(record, fact, before)), "")
        if wrong:
            return wrong
        if record.trigger != STARTED:
            self.part.claims.append(_claim(record, fact))
        self.value = value
        return ""

    def _wrong(self, record: Record, fact: PositionFact, before: CrossExchangePosition | None) -> Iterator[str]:
        value = fact.position
        if record.stream != POSITION + value.position_id:
            yield f"tells of position {value.position_id}"
        if record.state_after != value.state:
            yield f"ends in {record.state_after}, and tells of a position that is {value.state}"
        if before is None:
            yield from _badly_opened(record, fact)
            return
        if record.state_before != before.state:
            yield f"leaves {record.state_before}, but it is {before.state}"
        yield from _badly_moved(record, fact)
        yield from _badly_changed(record, fact, before)


def _badly_opened(record: Record, fact: PositionFact) -> Iterator[str]:
    value = fact.position
    first = POSITION_TABLE.initial
    if (record.trigger, record.state_before, record.state_after) != (OPENED, first, first):
        yield f"is {record.trigger} where a position has to be opened"
    if value.entry_trade_id != fact.trade_id:
        yield f"is opened by trade {fact.trade_id}, and entered by {value.entry_trade_id}"
    if value.exits or value.exit_trade_id or [name for name, _ in value.pnls] != [fact.trade_id]:
        yield "is opened with what other trades did to it"
    yield from _unsound(value)


def _badly_moved(record: Record, fact: PositionFact) -> Iterator[str]:
    """Yield how a record's move is no row of the table, or one whose guards were not true."""
    value = fact.position
    edge = f"{record.state_before} -- {record.trigger} --> {record.state_after}"
    if fact.cause is None:
        if record.trigger != AMENDED or record.state_after != record.state_before:
            yield f"takes an edge without a cause: {edge}"
        due = {PositionState.OPEN: Remainder.DUST, PositionState.CLOSED: Remainder.TRADABLE}.get(
            PositionState(record.state_before)
        )
        if due is _remainder(value):
            yield f"stays {record.state_after} with {value.quantity:f} left, which is {due.value}"
        return
    view = PositionView(_remainder(value), fact.cause)
    rows = POSITION_TABLE.enabled(record.state_before, view)
    if all((row.trigger, row.dest) != (record.trigger, record.state_after) for row in rows):
        yield f"takes no row of the table: {edge}, {value.quantity:f} left ({view.remainder.value}), {fact.cause.value}"


def _remainder(value: CrossExchangePosition) -> Remainder:
    left = value.entry_quantity - sum((closed for _, closed in value.exits), ZERO)
    return Remainder.TRADABLE if abs(left) >= max(value.leasts) else Remainder.DUST


def _badly_changed(record: Record, fact: PositionFact, before: CrossExchangePosition) -> Iterator[str]:
    """Yield what changed that this record's trade may not change."""
    value, name = fact.position, fact.trade_id
    for each in FIXED:
        if getattr(value, each) != getattr(before, each):
            yield f"changes {each}, which no record may"
    if name != value.entry_trade_id and (value.entry_quantity, value.entry_prices) != (
        before.entry_quantity,
        before.entry_prices,
    ):
        yield f"changes what was entered, and is of trade {name}, which did not enter it"
    for each in ("exits", "pnls", "charged"):
        if _others(getattr(value, each), name) != _others(getattr(before, each), name):
            yield f"changes {each} of another trade than {name}"
    if name == value.entry_trade_id and name in dict(value.exits):
        yield f"lets trade {name} both enter and exit it"
    started = record.trigger == STARTED
    if started and evolve(value, state=before.state, exit_trade_id=before.exit_trade_id) != before:
        yield "changes more than that an exit has begun"
    due = name if started else None if fact.cause is Cause.EXIT else before.exit_trade_id
    if value.exit_trade_id != due:
        yield f"says that exit {value.exit_trade_id} is at work, where {due} should be"
    if fact.cause is Cause.EXIT and not started and before.exit_trade_id != name:
        yield f"ends exit {name}, and {before.exit_trade_id} was at work"
    yield from _unsound(value)


def _others(pairs: tuple[tuple[str, object], ...], name: str) -> tuple[tuple[str, object], ...]:
    return tuple(pair for pair in pairs if pair[0] != name)


def _unsound(value: CrossExchangePosition) -> Iterator[str]:
    left = value.entry_quantity - sum((closed for _, closed in value.exits), ZERO)
    if value.reversed is not (left < ZERO):
        yield f"holds {left:f} of what was entered, and says that it is {'' if value.reversed else 'not '}reversed"
    if value.sides[0] is value.sides[1]:
        yield "is on one side on both venues"
    if value.closed_at_ns is not None and value.state != PositionState.CLOSED:
        yield f"was closed at {moment(value.closed_at_ns)}, and is {value.state}"


def _claim(record: Record, fact: PositionFact) -> Claim:
    value, name = fact.position, fact.trade_id
    entry = name == value.entry_trade_id
    pnl: Decimal | None = dict(value.pnls).get(name)
    charged: tuple[Fee, ...] | None = dict(value.charged).get(name)
    return Claim(
        trade_id=name,
        record=evolve(record, payload=""),
        position_id=value.position_id,
        side=value.entry_sides[0].value,
        entry=entry,
        quantity=str(value.entry_quantity if entry else dict(value.exits).get(name, ZERO)),
        prices=(text(value.entry_prices[0]), text(value.entry_prices[1])) if entry else (None, None),
        pnl=text(pnl),
        fees=None if charged is None else fees_text({fee.currency: fee.amount for fee in charged}),
    )
