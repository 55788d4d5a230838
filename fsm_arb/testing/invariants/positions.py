"""Invariant 12: positions move along their table, are flat once closed, and agree with the trades that made them.

A position is what its entry booked less what its exits booked. Where that is
below zero both legs are held the other way round: its sides must say so, it
must be OPEN like any other that venues would take, and a person must know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.machines.position import POSITION_TABLE, PositionState
from fsm_arb.machines.trade import TradeState
from fsm_arb.testing.invariants.reckoning import excuses, written
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade

_EDGES = {(row.source, row.dest) for row in POSITION_TABLE.rows}
# One step may hold two moves: an exit that begins and ends in one commit.
_PATHS = _EDGES | {(a, d) for a, b in _EDGES for c, d in _EDGES if b == c and str(PositionState.CLOSED) not in {a, b}}


@define(eq=False)
class Positions(Silent):
    """OPEN, CLOSING, CLOSED, and back from CLOSING; only a trade that was disturbed reopens.

    Attributes:
        alerts: Whether the instrument hears alerts; one that cannot is not asked for them.
    """

    alerts: bool = True
    number = 12
    name = "positions"
    claim = "positions move along their table; CLOSED is flat; the quantities of entry and exits agree"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every position that changed, and that no two exits of one are at work."""
        if after.positions is not before.positions:
            for position_id in before.positions.keys() - after.positions.keys():
                yield f"position {position_id} is forgotten"
            for position_id, position in after.positions.items():
                old = before.positions.get(position_id)
                if old is not position:
                    yield from _edge(after, old, position)
                    yield from _sound(position)
        if after.trades is not before.trades:
            yield from _exits(after)

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Compare every position with its trades, and every booked entry with its position."""
        for position in glimpse.positions.values():
            yield from _sound(position)
            yield from _agrees(glimpse, position)
            if self.alerts and position.reversed and position.tradable:
                yield from _told(glimpse, position)
        if glimpse.positions:
            yield from _missing(glimpse)


def _edge(after: Glimpse, old: CrossExchangePosition | None, position: CrossExchangePosition) -> Iterator[str]:
    name = f"position {position.position_id}"
    if old is None or old.state == position.state:
        return
    if (old.state, position.state) not in _PATHS:
        yield f"{name} went from {old.state} to {position.state}, which is no row of its table"
    if old.state == PositionState.CLOSED and not any(_disturbed(after, trade) for trade in _trades(after, position)):
        yield f"{name} was CLOSED and is {position.state}, and none of its trades was disturbed"


def _trades(glimpse: Glimpse, position: CrossExchangePosition) -> list[Trade]:
    names = (position.entry_trade_id, *(trade_id for trade_id, _ in position.exits))
    return [glimpse.trades[name] for name in names if name in glimpse.trades]


def _disturbed(glimpse: Glimpse, trade: Trade) -> bool:
    """Whether a late fact has brought *trade* back after it was DONE."""
    entries = written(glimpse, trade.trade_id)
    return any(entry.before == TradeState.DONE != entry.after for entry in entries)


def _sound(position: CrossExchangePosition) -> Iterator[str]:
    name = f"position {position.position_id}"
    if position.state == PositionState.CLOSED and position.tradable:
        yield f"{name} is CLOSED with {position.quantity:f} left, which both venues would take"
    if (position.state == PositionState.CLOSING) is not (position.exit_trade_id is not None):
        yield f"{name} is {position.state} and its exit is {position.exit_trade_id or 'nobody'}"
    closed = sum((amount for _, amount in position.exits), ZERO)
    if position.reversed is not (closed > position.entry_quantity):
        way = "the other way round" if position.reversed else "as it was entered"
        yield f"{name} stands {way}: its exits closed {closed:f} of the {position.entry_quantity:f} that were entered"


def _told(glimpse: Glimpse, position: CrossExchangePosition) -> Iterator[str]:
    name = f"position {position.position_id}"
    if not any(name in alert and plain(position.quantity) in alert for alert in glimpse.alerts):
        yield f"{name} stands the other way round with {position.quantity:f}, and no alert says so"


def _exits(after: Glimpse) -> Iterator[str]:
    """Yield every position that two exits work on; one that had ended and was disturbed may join the next."""
    at_work: dict[str, list[str]] = {}
    for trade_id, trade in after.trades.items():
        position_id = trade.begun.decision.position_id
        if position_id and not trade.done and trade.ended_at_ns is None:
            at_work.setdefault(position_id, []).append(trade_id)
    for position_id, exits in at_work.items():
        if len(exits) > 1:
            yield f"position {position_id}: the exits {', '.join(exits)} are at work at once"


def _agrees(glimpse: Glimpse, position: CrossExchangePosition) -> Iterator[str]:
    name = f"position {position.position_id}"
    entry = glimpse.trades.get(position.entry_trade_id)
    if entry is not None and entry.done and position.entry_quantity != (entry.booked_quantity or ZERO):
        yield f"{name} was entered with {position.entry_quantity:f}, trade {entry.trade_id} booked {_booked(entry)}"
    for trade_id, closed in position.exits:
        trade = glimpse.trades.get(trade_id)
        if trade is None or not trade.done:
            continue
        against = trade.begun.sides != position.entry_sides
        if closed != (trade.booked_quantity or ZERO) * (1 if against else -1):
            yield f"{name}: exit {trade_id} closed {closed:f}, and booked {_booked(trade)}"
    closing = glimpse.trades.get(position.exit_trade_id) if position.exit_trade_id else None
    if closing is not None and closing.done:
        yield f"{name} is {position.state} and its exit {closing.trade_id} is DONE"
    trades = _trades(glimpse, position)
    if len(trades) == 1 + len(position.exits) and all(trade.done for trade in trades):
        yield from _held(glimpse, position, trades)


def _booked(trade: Trade) -> str:
    return f"{trade.booked_quantity:f}" if trade.booked_quantity is not None else "nothing"


def _held(glimpse: Glimpse, position: CrossExchangePosition, trades: list[Trade]) -> Iterator[str]:
    """Compare each leg on the venues with the position: its quantity in its direction, within the trades' dust."""
    if any(excuses(trade, glimpse.orders) for trade in trades):
        return
    dust = sum((trade.ledger.plan.dust for trade in trades if trade.ledger), ZERO)
    for index, leg in enumerate(position.legs):
        held = sum((_received(glimpse, trade, leg.exchange, leg.symbol) for trade in trades), ZERO)
        due = position.quantity * position.sides[index].sign
        if abs(held - due) >= max(dust, *position.leasts):
            yield (
                f"position {position.position_id} is {position.state} with {due:f} {leg.base} on {leg.exchange}, "
                f"its trades brought {held:f} there"
            )


def _received(glimpse: Glimpse, trade: Trade, exchange: str, symbol: str) -> Decimal:
    total = ZERO
    for order in trade.orders:
        true = glimpse.orders.get(order.intent.client_order_id)
        if true is not None and true.venue == exchange and true.symbol == symbol:
            total += true.received
    for fill in trade.ledger.external if trade.ledger else ():
        leg = trade.decision.legs[fill.leg]
        if leg.exchange == exchange and leg.symbol == symbol:
            fee = fill.fee.amount if fill.fee and fill.fee.currency == leg.base else ZERO
            total += fill.amount * fill.side.sign - fee
    return total


def _missing(glimpse: Glimpse) -> Iterator[str]:
    entered = {position.entry_trade_id for position in glimpse.positions.values()}
    for trade_id, trade in glimpse.trades.items():
        if trade.ledger is None or not trade.done or not trade.decision.action.is_entry or trade_id in entered:
            continue
        least = max(leg.least for leg in trade.ledger.plan.legs)
        if abs(trade.booked_quantity or ZERO) >= least:
            yield f"trade {trade_id} booked {_booked(trade)}, and no position holds it"
