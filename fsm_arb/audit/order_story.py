"""One order from its intent to its end: when each thing was known, and how long each call was on its way."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.messages import CancelEnded, Intended, Observed, PlaceEnded
from fsm_arb.orders import JUDGED, Lifecycle, Order
from fsm_arb.ports import Acknowledged, InDoubt, Refused, Wire
from fsm_arb.values import ZERO, Fee

if TYPE_CHECKING:
    from fsm_arb.memory import Entry, Memory

ANSWERS: dict[type, str] = {Acknowledged: "acknowledged", Refused: "refused", InDoubt: "in doubt"}


@frozen(kw_only=True)
class Trip:
    """One call about an order, as far as its record tells. A look that showed nothing new has no record.

    Attributes:
        what: ``place``, ``cancel`` or ``look``.
        at_ns: When its answer was recorded, wall clock UTC.
        sent_at_ns: When the call left; None: nothing reached the socket, or nobody measured it.
        received_at_ns: When the answer came; None: none did, or nobody measured it.
        http_status: None where there was none.
        said: The answer in a word or two.
    """

    what: str
    at_ns: int
    sent_at_ns: int | None
    received_at_ns: int | None
    http_status: int | None
    said: str

    @property
    def round_trip_ns(self) -> int | None:
        """How long the answer took; None where that was not measured."""
        if self.sent_at_ns is None or self.received_at_ns is None:
            return None
        return self.received_at_ns - self.sent_at_ns


@frozen(kw_only=True)
class OrderStory:
    """What became of one order. Times are wall clock UTC, ns; None: it has not happened.

    Attributes:
        index: Within the trade, from 0.
        leg: 0 or 1.
        exchange: The key of its venue.
        symbol: The unified symbol.
        purpose: ``first``, ``complete`` or ``unwind``.
        side: ``buy`` or ``sell``.
        amount: Base ordered.
        order_type: ``ioc``, ``limit`` or ``market``.
        bound: Quote per base, the worst price.
        reduce_only: Whether it could only make a position smaller.
        client_order_id: Ours.
        venue_order_id: The venue's.
        step: The number of the record that intended it.
        intended_at_ns: When it was written down.
        placing_ended_at_ns: When the placing call came back or was given up.
        answer: What that call said: ``acknowledged``, ``refused``, ``in doubt``, or nothing yet.
        first_fill_at_ns: When a fill was first known.
        cancel_asked_at_ns: When it was decided to cancel it.
        ended_at_ns: When it was known that it had ended, or never was.
        standing: Where it stands, in words.
        filled: Base executed and not taken back.
        average: Quote per base over all that filled; None: nothing filled, or unknown.
        fees: As far as the venue has told them.
        fees_told: Whether they cover all that filled.
        note: Why it was refused, believed absent, or is not believed to be ours.
        trips: Its calls, oldest first.
    """

    index: int
    leg: int
    exchange: str
    symbol: str
    purpose: str
    side: str
    amount: Decimal
    order_type: str
    bound: Decimal
    reduce_only: bool
    client_order_id: str
    venue_order_id: str | None
    step: int
    intended_at_ns: int
    placing_ended_at_ns: int | None
    answer: str
    first_fill_at_ns: int | None
    cancel_asked_at_ns: int | None
    ended_at_ns: int | None
    standing: str
    filled: Decimal
    average: Decimal | None
    fees: tuple[Fee, ...]
    fees_told: bool
    note: str
    trips: tuple[Trip, ...]

    @property
    def round_trip_ns(self) -> int | None:
        """How long the placing call took on the wire; None where that was not measured."""
        return next((trip.round_trip_ns for trip in self.trips if trip.what == "place"), None)

    @property
    def answered_in_ns(self) -> int | None:
        """From the record of its intent to that of its answer: the commit and our own work are in it."""
        return None if self.placing_ended_at_ns is None else self.placing_ended_at_ns - self.intended_at_ns


@define
class _Notes:
    """What is noted of one order while the records are read."""

    step: int
    intended_at_ns: int
    placing_ended_at_ns: int | None = None
    answer: str = ""
    first_fill_at_ns: int | None = None
    cancel_asked_at_ns: int | None = None
    ended_at_ns: int | None = None
    trips: list[Trip] = field(factory=list)

    def follow(self, order: Order, at_ns: int) -> None:
        """Note when something was first known of *order*; what came back to life has not ended."""
        if order.placing_ended_at is not None and self.placing_ended_at_ns is None:
            self.placing_ended_at_ns = at_ns
        if order.filled and self.first_fill_at_ns is None:
            self.first_fill_at_ns = at_ns
        if order.cancel_asked_at is not None and self.cancel_asked_at_ns is None:
            self.cancel_asked_at_ns = at_ns
        if order.live:
            self.ended_at_ns = None
        elif self.ended_at_ns is None:
            self.ended_at_ns = at_ns


class Orders:
    """Follows the orders of one trade, record by record."""

    def __init__(self) -> None:
        self._notes: list[_Notes] = []

    def take(self, number: int, entry: Entry, trade: Memory) -> None:
        """Take in record *number* (from 1); *trade* is as it stands after it."""
        fact = entry.fact
        if isinstance(fact, Intended):
            self._notes += [_Notes(number, entry.at_ns) for _ in fact.intents]
        elif isinstance(fact, PlaceEnded):
            notes, outcome = self._notes[fact.order], fact.outcome
            notes.answer = ANSWERS[type(outcome)]
            code = "" if isinstance(outcome, Acknowledged) else f": {outcome.code}"
            notes.trips.append(_trip("place", entry.at_ns, outcome.wire, notes.answer + code))
        elif isinstance(fact, CancelEnded):
            said = "taken" if fact.reply.accepted else f"refused: {fact.reply.code}"
            self._notes[fact.order].trips.append(_trip("cancel", entry.at_ns, fact.reply.wire, said))
        elif isinstance(fact, Observed):
            said = f"{fact.snapshot.status.value}, filled {fact.snapshot.filled:f}"
            self._notes[fact.order].trips.append(_trip("look", entry.at_ns, fact.wire, said))
        for notes, order in zip(self._notes, trade.orders, strict=True):
            notes.follow(order, entry.at_ns)

    def told(self, trade: Memory) -> tuple[OrderStory, ...]:
        """Return every order as it is known now."""
        return tuple(_told(trade, order, notes) for order, notes in zip(trade.orders, self._notes, strict=True))


def _trip(what: str, at_ns: int, wire: Wire, said: str) -> Trip:
    return Trip(
        what=what,
        at_ns=at_ns,
        sent_at_ns=wire.sent_at_ns,
        received_at_ns=wire.received_at_ns,
        http_status=wire.http_status,
        said=said,
    )


def _told(trade: Memory, order: Order, notes: _Notes) -> OrderStory:
    intent = order.intent
    leg = trade.decision.legs[intent.leg]
    return OrderStory(
        index=intent.index,
        leg=intent.leg,
        exchange=leg.exchange,
        symbol=leg.symbol,
        purpose=intent.purpose.value,
        side=intent.side.value,
        amount=intent.amount,
        order_type=intent.order_type.value,
        bound=intent.bound,
        reduce_only=intent.reduce_only,
        client_order_id=intent.client_order_id,
        venue_order_id=order.venue_order_id,
        step=notes.step,
        intended_at_ns=notes.intended_at_ns,
        placing_ended_at_ns=notes.placing_ended_at_ns,
        answer=notes.answer,
        first_fill_at_ns=notes.first_fill_at_ns,
        cancel_asked_at_ns=notes.cancel_asked_at_ns,
        ended_at_ns=notes.ended_at_ns,
        standing=standing_of(order),
        filled=order.filled,
        average=order.average if order.filled else None,
        fees=order.fees,
        fees_told=order.fees_told,
        note=order.mismatch or order.refusal,
        trips=tuple(notes.trips),
    )


def standing_of(order: Order) -> str:
    """Return where an order stands, in words."""
    if order.mismatch:
        return "in doubt: what is shown cannot be ours"
    match order.lifecycle:
        case Lifecycle.PENDING:
            return "in doubt" if order.in_doubt else "being sent"
        case Lifecycle.OPEN:
            return "open, asked to go" if order.cancel_asked_at is not None else "open"
        case Lifecycle.DEAD:
            return "believed absent" if order.refusal.startswith("absent") else "refused"
        case _:
            return _ending(order)


def _ending(order: Order) -> str:
    if order.refusal.startswith(JUDGED):
        return "ended, as an operator says"
    if order.busted:
        return "ended, part of it taken back"
    if order.fulfilled:
        return "filled whole"
    return "ended in part" if order.filled > ZERO else "ended, nothing filled"
