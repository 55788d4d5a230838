"""Rows of each table, one trade or position at a time, so that a journal of any length is exported in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.audit.summary import Reading, entry_of, no_ids
from fsm_arb.codec import loads
from fsm_arb.export.columns import FILLS, ORDERS, POSITIONS, TRADES
from fsm_arb.export.fills import cost_of, fills_of
from fsm_arb.export.moments import ALWAYS
from fsm_arb.machines.position import PositionState
from fsm_arb.memory import Memory
from fsm_arb.messages import Intended, PlaceEnded
from fsm_arb.scribe import POSITION, TRADE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fsm_arb.export.columns import Row, Table
    from fsm_arb.export.moments import Window
    from fsm_arb.journal.reader import JournalReader
    from fsm_arb.orders import Order
    from fsm_arb.ports import Record
    from fsm_arb.position import CrossExchangePosition


def rows_of(reader: JournalReader, table: Table, window: Window = ALWAYS) -> Iterator[Row]:
    """Yield the rows of one table: trades and positions by their birth, what is of one trade by its records.

    Args:
        reader: The journal.
        table: Which.
        window: Only rows whose `Table.moment` lies in it.

    Raises:
        JournalError: The journal cannot be read, or was altered.
        MachineError: A trade's records contradict the table.
    """
    prefix, rows = _ROWS[table.name]
    for stream in reader.streams(prefix):
        for row in rows(reader.read(stream)):
            at_ns = row[table.moment]
            if isinstance(at_ns, int) and window.holds(at_ns):
                yield row


# ------------------------------------------------------------------ orders


@define
class Times:
    """When what happened to one order, wall clock UTC."""

    intended_ns: int
    sent_ns: int | None = None
    answered_ns: int | None = None
    ended_ns: int | None = None


def orders_of(records: Iterable[Record]) -> Iterator[Row]:
    """Yield one row for each order of one trade, as they were intended."""
    trade: Memory | None = None
    times: list[Times] = []
    for record in records:
        entry = entry_of(record)
        if trade is None:
            trade = Memory.fold(record.stream.removeprefix(TRADE), [entry], no_ids)
        else:
            trade.remember(entry)
        fact = entry.fact
        if isinstance(fact, Intended):
            times += [Times(record.at_ns) for _ in fact.intents]
        if isinstance(fact, PlaceEnded):
            wire = fact.outcome.wire
            times[fact.order].sent_ns, times[fact.order].answered_ns = wire.sent_at_ns, wire.received_at_ns
        for order, each in zip(trade.orders, times, strict=True):
            if order.live:
                each.ended_ns = None
            elif each.ended_ns is None:
                each.ended_ns = record.at_ns
    if trade is not None:
        for order, each in zip(trade.orders, times, strict=True):
            yield _order_row(trade, order, each)


def _order_row(trade: Memory, order: Order, times: Times) -> Row:
    intent = order.intent
    leg = trade.decision.legs[intent.leg]
    return {
        "intended_at": times.intended_ns,
        "sent_at": times.sent_ns,
        "answered_at": times.answered_ns,
        "ended_at": times.ended_ns,
        "trade_id": trade.trade_id,
        "number": intent.index,
        "exchange": leg.exchange,
        "symbol": leg.symbol,
        "client_order_id": intent.client_order_id,
        "venue_order_id": order.venue_order_id,
        "side": intent.side.value,
        "purpose": intent.purpose.value,
        "order_type": intent.order_type.value,
        "reduce_only": intent.reduce_only,
        "amount": intent.amount,
        "bound": intent.bound,
        "filled": order.filled,
        "busted": order.busted,
        "average": order.average if order.filled else None,
        "cost": cost_of(order),
        "fees": "; ".join(f"{fee.amount:f} {fee.currency}" for fee in order.fees) or None,
        "fees_told": order.fees_told,
        "status": order.lifecycle.value,
        "in_doubt": order.in_doubt,
        "error": order.mismatch or order.refusal or None,
    }


# ------------------------------------------------------------------ trades


def trades_of(records: Iterable[Record]) -> Iterator[Row]:
    """Yield the row of one trade."""
    reading: Reading | None = None
    for record in records:
        if reading is None:
            reading = Reading.begin(record)
        else:
            reading.take(record)
    if reading is None:
        return
    told, trade = reading.summary(), reading.memory
    first, second = trade.decision.legs
    side_1, side_2 = trade.begun.sides
    yield {
        "began_at": told.began_ns,
        "ended_at": told.ended_ns if trade.done else None,
        "trade_id": told.trade_id,
        "position_id": told.position_id,
        "action": told.action,
        "reason": trade.decision.reason or None,
        "status": told.status,
        "state": told.state,
        "ever_halted": told.ever_halted,
        "exchange_1": first.exchange,
        "symbol_1": first.symbol,
        "side_1": side_1.value,
        "exchange_2": second.exchange,
        "symbol_2": second.symbol,
        "side_2": side_2.value,
        "quantity": told.quantity,
        "exposure": trade.exposure,
        "dust": trade.ledger.plan.dust if trade.ledger else None,
        "currency": first.quote,
        "gross": told.gross,
        "fees": told.fees,
        "net": told.net,
        "slippage": told.slippage,
        "orders": told.orders,
        "naked_seconds": told.naked_s,
        "worst_exposure": told.worst_exposure,
        "path": " ".join(told.path),
        "note": told.note or None,
    }


# ------------------------------------------------------------------ positions


def positions_of(records: Iterable[Record]) -> Iterator[Row]:
    """Yield the row of one position."""
    first: Record | None = None
    last: Record | None = None
    closed_ns: int | None = None
    for record in records:
        first, last = first or record, record
        if record.state_after != PositionState.CLOSED:
            closed_ns = None
        elif closed_ns is None:
            closed_ns = record.at_ns
    if first is not None and last is not None:
        yield _position_row(loads(last.payload).position, first.at_ns, closed_ns)


def _position_row(position: CrossExchangePosition, opened_ns: int, closed_ns: int | None) -> Row:
    first, second = position.legs
    return {
        "opened_at": opened_ns,
        "closed_at": closed_ns,
        "position_id": position.position_id,
        "state": position.state,
        "exchange_1": first.exchange,
        "symbol_1": first.symbol,
        "side_1": position.sides[0].value,
        "exchange_2": second.exchange,
        "symbol_2": second.symbol,
        "side_2": position.sides[1].value,
        "reversed": position.reversed,
        "entry_trade_id": position.entry_trade_id,
        "entry_quantity": position.entry_quantity,
        "entry_price_1": position.entry_prices[0],
        "entry_price_2": position.entry_prices[1],
        "quantity": position.quantity,
        "exit_trade_ids": "; ".join(trade_id for trade_id, taken in position.exits if taken) or None,
        "exiting_trade_id": position.exit_trade_id,
        "fx": position.fx,
        "currency": first.quote,
        "realised_pnl": position.realised_pnl,
    }


_ROWS: dict[str, tuple[str, Callable[[Iterable[Record]], Iterator[Row]]]] = {
    FILLS.name: (TRADE, fills_of),
    ORDERS.name: (TRADE, orders_of),
    TRADES.name: (TRADE, trades_of),
    POSITIONS.name: (POSITION, positions_of),
}
