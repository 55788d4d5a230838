"""What was executed, piece by piece, so that sums over the pieces are what the orders' totals say.

Where a venue tells single executions and they add up to all that an order has
filled, they are the pieces. Elsewhere a piece is what one reading of the order
says more than the ones before it. Either way, over the pieces of an order,
amounts add up to what is filled, costs to filled times average, fees to fees.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from fsm_arb.audit.summary import entry_of, no_ids
from fsm_arb.memory import Memory
from fsm_arb.messages import Busted, ExternalFill, Judged
from fsm_arb.scribe import TRADE
from fsm_arb.values import EXACT, ZERO, Fee, Fill, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.export.columns import Row
    from fsm_arb.orders import Order
    from fsm_arb.ports import Record

NS_PER_MS = 1_000_000
# An average is a quotient to 60 digits: its product with the quantity is the cost again when rounded to fewer.
ROUNDED = Context(prec=50)


@frozen(kw_only=True)
class Piece:
    """One row to be, of one order or of an operator's own trade."""

    at_ns: int
    seq: int
    kind: str
    amount: Decimal = ZERO
    price: Decimal | None = None
    price_from: str = ""
    cost: Decimal | None = None
    fee: Fee | None = None
    fill: Fill | None = None


@define
class Book:
    """What the pieces of one order have told so far."""

    order: Order
    quote: str
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    cost_of: Decimal = ZERO  # base, the part of the amount that the cost is of
    fees: dict[str, Decimal] = field(factory=dict)
    pieces: list[Piece] = field(factory=list)
    first_seen: dict[str, tuple[int, int]] = field(factory=dict)  # executions, by id: when, and by which record
    judged: bool = False

    def take(self, record: Record, order: Order, fact: object) -> None:
        """Take in how the order stands after a record."""
        self.order = order
        self.judged = self.judged or isinstance(fact, Judged)
        for fill in order.fills:
            self.first_seen.setdefault(fill.fill_id, (record.at_ns, record.seq))
        amount = EXACT.subtract(order.filled, self.amount)
        price, price_from, cost = self._priced(order, amount)
        fees = self._more_fees(order)
        if not (amount or cost or fees):
            return
        kind = {Judged: "judged", Busted: "bust"}.get(type(fact), "fill" if amount > 0 else "correction")
        first = Piece(
            at_ns=record.at_ns,
            seq=record.seq,
            kind=kind,
            amount=amount,
            price=price,
            price_from=price_from,
            cost=cost,
            fee=fees[0] if fees else None,
        )
        # A second asset that was charged has no amount of its own.
        rest = [Piece(at_ns=record.at_ns, seq=record.seq, kind="correction", fee=fee) for fee in fees[1:]]
        self.pieces += [first, *rest]
        self.amount = order.filled

    def _priced(self, order: Order, amount: Decimal) -> tuple[Decimal | None, str, Decimal | None]:
        """Return price, where it is from, and cost of what is new: *amount*, and what had no cost before."""
        total = cost_of(order)
        if total is None:
            return None, "", None
        more, had, complete = EXACT.subtract(total, self.cost), self.cost_of, self.cost_of == self.amount
        self.cost, self.cost_of = total, order.filled
        if not amount:
            return None, "", more or None
        if not had and complete:
            return order.average, "average", more
        price = ROUNDED.divide(more, amount)
        if complete and EXACT.multiply(price, amount) == more:
            return price.normalize(EXACT), "difference", more
        return None, "", more

    def _more_fees(self, order: Order) -> list[Fee]:
        now = {fee.currency: fee.amount for fee in order.fees}
        currencies = sorted(now.keys() | self.fees.keys(), key=lambda each: (each != self.quote, each))
        more = [
            Fee(EXACT.subtract(now.get(each, ZERO), self.fees.get(each, ZERO)), each)
            for each in currencies
            if now.get(each, ZERO) != self.fees.get(each, ZERO)
        ]
        self.fees = now
        return more

    def told(self) -> Iterable[Piece]:
        """Return the pieces: the venue's own executions where they are all of it."""
        order = self.order
        executed = ZERO
        for fill in order.fills:
            executed = EXACT.add(executed, fill.amount)
        if self.judged or order.busted or not executed or executed != order.filled:
            return self.pieces
        found, fees = [], {fee.currency: fee.amount for fee in order.fees}
        for fill in order.fills:
            at_ns, seq = self.first_seen[fill.fill_id]
            found.append(_execution(fill, at_ns, seq))
            if fill.fee is not None:
                fees[fill.fee.currency] = EXACT.subtract(fees.get(fill.fee.currency, ZERO), fill.fee.amount)
        last = self.pieces[-1]
        for currency, amount in sorted(fees.items()):  # told for the order, and not for its executions
            if amount and len(found) == 1 and found[0].fee is None:
                found[0] = evolve(found[0], fee=Fee(amount, currency))
            elif amount:
                found.append(Piece(at_ns=last.at_ns, seq=last.seq, kind="correction", fee=Fee(amount, currency)))
        return found


def _execution(fill: Fill, at_ns: int, seq: int) -> Piece:
    return Piece(
        at_ns=at_ns,
        seq=seq,
        kind="fill",
        amount=fill.amount,
        price=fill.price,
        price_from="execution",
        cost=EXACT.multiply(fill.amount, fill.price),
        fee=fill.fee if fill.fee and fill.fee.amount else None,
        fill=fill,
    )


def cost_of(order: Order) -> Decimal | None:
    """Return what an order's executions cost or brought, quote; None where no price is known."""
    if not order.filled:
        return ZERO
    return None if order.average is None else ROUNDED.multiply(order.filled, order.average).normalize(EXACT)


def fills_of(records: Iterable[Record]) -> Iterator[Row]:
    """Yield the rows of one trade, in the order of the records that tell them.

    Raises:
        JournalError: A record cannot be read.
        MachineError: The records contradict the table.
    """
    trade: Memory | None = None
    books: list[Book] = []
    by_hand: list[tuple[Piece, ExternalFill]] = []
    for record in records:
        entry = entry_of(record)
        if trade is None:
            trade = Memory.fold(record.stream.removeprefix(TRADE), [entry], no_ids)
        else:
            trade.remember(entry)
        for index, order in enumerate(trade.orders):
            if index == len(books):
                books.append(Book(order, trade.decision.legs[order.intent.leg].quote))
            if order is not books[index].order:
                books[index].take(record, order, entry.fact)
        if isinstance(entry.fact, ExternalFill):
            by_hand.append((_by_hand(record, entry.fact), entry.fact))
    if trade is None:
        return
    rows = [(piece, _order_row(trade, book.order, piece)) for book in books for piece in book.told()]
    rows += [(piece, _hand_row(trade, fill, piece)) for piece, fill in by_hand]
    for _, row in sorted(rows, key=lambda each: each[0].seq):  # stable: executions of one record stay in order
        yield row


def _by_hand(record: Record, fact: ExternalFill) -> Piece:
    return Piece(
        at_ns=record.at_ns,
        seq=record.seq,
        kind="external",
        amount=fact.amount,
        price=fact.price,
        price_from="execution",
        cost=EXACT.multiply(fact.amount, fact.price),
        fee=fact.fee,
    )


def _order_row(trade: Memory, order: Order, piece: Piece) -> Row:
    intent = order.intent
    ids = intent.client_order_id, order.venue_order_id
    return _row(trade, intent.leg, piece, side=intent.side, purpose=intent.purpose.value, ids=ids)


def _hand_row(trade: Memory, fact: ExternalFill, piece: Piece) -> Row:
    return _row(trade, fact.leg, piece, side=fact.side, purpose="operator", ids=(None, None))


def _row(trade: Memory, leg: int, piece: Piece, *, side: Side, purpose: str, ids: tuple[str | None, str | None]) -> Row:
    where, fill = trade.decision.legs[leg], piece.fill
    return {
        "at": piece.at_ns,
        "executed_at": fill.at_ms * NS_PER_MS if fill and fill.at_ms is not None else None,
        "exchange": where.exchange,
        "symbol": where.symbol,
        "trade_id": trade.trade_id,
        "client_order_id": ids[0],
        "venue_order_id": ids[1],
        "venue_trade_id": fill.fill_id if fill else None,
        "side": side.value,
        "purpose": purpose,
        "kind": piece.kind,
        "amount": piece.amount,
        "price": piece.price,
        "price_from": piece.price_from or None,
        "cost": piece.cost,
        "fee": piece.fee.amount if piece.fee else None,
        "fee_currency": piece.fee.currency if piece.fee else None,
        "seq": piece.seq,
    }
