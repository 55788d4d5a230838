"""What hedged entries hold and exits close, without I/O: trades in, records out."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from fsm_arb.errors import MachineError, PositionNotOpen
from fsm_arb.machines.position import (
    POSITION_TABLE,
    Cause,
    PositionMachine,
    PositionState,
    PositionView,
    Remainder,
)
from fsm_arb.results import result_of
from fsm_arb.values import EXACT, ZERO, Fee, Leg, OrderBook, Side, added

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.machines.table import Row
    from fsm_arb.memory import Memory

ONE = Decimal(1)


@frozen(kw_only=True)
class CrossExchangePosition:
    """What is held on two venues against each other.

    Attributes:
        position_id: Its name; an exit names it.
        state: OPEN, CLOSING or CLOSED.
        legs: The two markets, in the entry's order.
        sides: Which way each leg is held: as it was entered, or the other way round where it is *reversed*.
        quantity: Base that is still hedged, the same on both legs within dust, whichever way round.
        reversed: Whether exits took more than was entered, so that what stands is hedged the other way round. It
            comes of an execution that was taken back and could be completed nowhere. It is exited like any other.
        entry_trade_id: The trade that opened it.
        entry_quantity: Base it was opened with, amendments included; below zero where a bust left only the wrong
            way round to hedge it.
        entry_prices: Average of the entry's fills, quote per base, one a leg; None where unknown.
        leasts: Each venue's least order when the entry was sized, base.
        fx: What one unit of legs[1]'s quote was worth in legs[0]'s at entry.
        exits: What each exit trade has taken off what was entered, base, by trade id; below zero where it added.
        exit_trade_id: The exit that is at work; None outside CLOSING.
        pnls: Each trade's PnL in the quote of legs[0]; None where unknown.
        charged: The fees of each trade, as far as its venues have told them, by trade id.
        opened_at_ns: When its entry was booked, wall clock UTC; zero where a record of an older version does not say.
        closed_at_ns: When nothing but dust was left of it; None: it is not closed.
    """

    position_id: str
    state: str
    legs: tuple[Leg, Leg]
    sides: tuple[Side, Side]
    entry_trade_id: str
    entry_quantity: Decimal
    entry_prices: tuple[Decimal | None, Decimal | None]
    leasts: tuple[Decimal, Decimal]
    fx: Decimal
    exits: tuple[tuple[str, Decimal], ...] = ()
    exit_trade_id: str | None = None
    pnls: tuple[tuple[str, Decimal | None], ...] = ()
    reversed: bool = False
    charged: tuple[tuple[str, tuple[Fee, ...]], ...] = ()
    opened_at_ns: int = 0
    closed_at_ns: int | None = None

    @property
    def net(self) -> Decimal:
        """Base that is held as it was entered; below zero: that much stands the other way round."""
        return self.entry_quantity - sum((closed for _, closed in self.exits), ZERO)

    @property
    def quantity(self) -> Decimal:
        """Base that is still hedged."""
        return abs(self.net)

    @property
    def entry_sides(self) -> tuple[Side, Side]:
        """Which way each leg was entered."""
        return _opposite(self.sides) if self.reversed else self.sides

    @property
    def tradable(self) -> bool:
        """Whether both venues would take an order for what is left."""
        return self.quantity >= max(self.leasts)

    @property
    def realised_pnl(self) -> Decimal | None:
        """Entry's and exits' PnL together, in the quote of legs[0]; None where one is unknown."""
        total = ZERO
        for _, pnl in self.pnls:
            if pnl is None:
                return None
            total += pnl
        return total

    @property
    def fees(self) -> tuple[Fee, ...]:
        """What entry and exits were charged together, one sum an asset."""
        return added(fee for _, fees in self.charged for fee in fees)

    def held_ns(self, now_ns: int) -> int:
        """Return how long it has been held, or was, ns. *now_ns* is the wall clock, UTC."""
        return (now_ns if self.closed_at_ns is None else self.closed_at_ns) - self.opened_at_ns

    def unrealised_pnl(self, books: tuple[OrderBook, OrderBook], fx: Decimal | None = None) -> Decimal | None:
        """Return what closing it now would bring, in the quote of legs[0], before the fees of doing so.

        Added to `realised_pnl` it is the position's result if it were closed at these books.

        Args:
            books: Of both legs.
            fx: What one unit of legs[1]'s quote is worth in legs[0]'s now; None: what it was at entry.

        Returns:
            None where a book does not hold as much as would be traded.
        """
        if not self.quantity:
            return ZERO
        total = ZERO
        for side, book, rate in zip(self.sides, books, (ONE, self.fx if fx is None else fx), strict=True):
            price = book.vwap(side.opposite, self.quantity)
            if price is None:
                return None
            worth = EXACT.multiply(EXACT.multiply(self.quantity, price), rate)
            total = EXACT.add(total, EXACT.multiply(worth, Decimal(side.sign)))
        return total


def _opposite(sides: tuple[Side, Side]) -> tuple[Side, Side]:
    return sides[0].opposite, sides[1].opposite


def _facing(value: CrossExchangePosition) -> CrossExchangePosition:
    """Return the position with its sides as what is left of it stands."""
    turned = value.net < ZERO
    return value if turned is value.reversed else evolve(value, reversed=turned, sides=_opposite(value.sides))


def _fees(trade: Memory) -> tuple[Fee, ...]:
    return added(fee for leg in result_of(trade).legs for fee in leg.fees)


@frozen(kw_only=True)
class PositionFact:
    """How a position stands after a record. Whole, so that the last record of a stream is enough to read."""

    position: CrossExchangePosition
    trade_id: str  # the trade that made this record
    cause: Cause | None = None  # why it moved; None where it did not


@frozen
class PositionEntry:
    """One record to be."""

    trigger: str
    before: str
    after: str
    fact: PositionFact


@define(eq=False)
class Position:
    """One position and its machine."""

    value: CrossExchangePosition
    _entries: list[PositionEntry] = field(factory=list)

    @classmethod
    def opened(cls, position_id: str, trade: Memory) -> tuple[Position, tuple[PositionEntry, ...]]:
        """Open a position from a trade that is booked."""
        ledger, ended_at = trade.ledger, trade.ended_at_ns
        if ledger is None or ended_at is None or not trade.booked_quantity:
            raise MachineError(f"{trade.trade_id}: nothing was booked, no position can open")
        first, second = ledger.plan.legs
        value = CrossExchangePosition(
            position_id=position_id,
            state=POSITION_TABLE.initial,
            legs=(first.leg, second.leg),
            sides=(first.side, second.side),
            entry_trade_id=trade.trade_id,
            entry_quantity=trade.booked_quantity,
            entry_prices=(ledger.average_price(0), ledger.average_price(1)),
            leasts=(first.least, second.least),
            fx=ledger.plan.fx,
            pnls=((trade.trade_id, result_of(trade).pnl),),
            charged=((trade.trade_id, _fees(trade)),),
            opened_at_ns=ended_at,
        )
        value = _facing(value)
        position = cls(value)
        position._note("opened", trade.trade_id, value)
        return position, position._drain()

    @classmethod
    def fold(cls, facts: Iterable[PositionFact]) -> Position | None:
        """Return the position that these records describe; None for no record."""
        last = deque(facts, maxlen=1)
        return cls(last[0].position) if last else None

    @property
    def closed(self) -> bool:
        """Whether nothing but dust is left."""
        return self.value.state == PositionState.CLOSED

    def exit_started(self, trade_id: str) -> tuple[PositionEntry, ...]:
        """Begin an exit.

        Raises:
            PositionNotOpen: It is closing or closed.
        """
        if self.value.state != PositionState.OPEN:
            raise PositionNotOpen(f"position {self.value.position_id} is {self.value.state}, not OPEN")
        self._fire("exit_started", Cause.EXIT, trade_id, evolve(self.value, exit_trade_id=trade_id))
        return self._drain()

    def trade_ended(self, trade: Memory) -> tuple[PositionEntry, ...]:
        """Take in how an entry or exit of this position ended, the first time or after it was disturbed."""
        value = self._with(trade)
        if trade.trade_id == value.exit_trade_id:
            self._fire("exit_ended", Cause.EXIT, trade.trade_id, evolve(value, exit_trade_id=None), trade.ended_at_ns)
        elif value != self.value:
            self._amend(trade, value)
        return self._drain()

    def _with(self, trade: Memory) -> CrossExchangePosition:
        """Return the position with what *trade* has done by now."""
        value = self.value
        quantity = trade.booked_quantity or ZERO
        pnls = dict(value.pnls) | {trade.trade_id: result_of(trade).pnl if trade.ledger else ZERO}
        charged = dict(value.charged) | {trade.trade_id: _fees(trade)}
        value = evolve(value, pnls=tuple(pnls.items()), charged=tuple(charged.items()))
        if trade.trade_id == value.entry_trade_id:
            ledger = trade.ledger
            prices = (ledger.average_price(0), ledger.average_price(1)) if ledger else value.entry_prices
            return _facing(evolve(value, entry_quantity=quantity, entry_prices=prices))
        if trade.begun.sides == value.entry_sides:  # it left what stood the other way round
            quantity = -quantity
        return _facing(evolve(value, exits=tuple((dict(value.exits) | {trade.trade_id: quantity}).items())))

    def _amend(self, trade: Memory, value: CrossExchangePosition) -> None:
        cause = Cause.BUST if any(order.busted for order in trade.orders) else Cause.AMENDMENT
        if value.state == PositionState.OPEN and not value.tradable:
            self._fire("amended", cause, trade.trade_id, value, trade.ended_at_ns)
        elif value.state == PositionState.CLOSED and value.tradable:
            self._fire("reopened", cause, trade.trade_id, value)
        else:
            self._note("amended", trade.trade_id, value)

    def _fire(
        self, trigger: str, cause: Cause, trade_id: str, value: CrossExchangePosition, at_ns: int | None = None
    ) -> None:
        def record(row: Row) -> None:
            closed_at = at_ns if row.dest == PositionState.CLOSED else None
            self._note(trigger, trade_id, evolve(value, state=row.dest, closed_at_ns=closed_at), cause)

        machine = PositionMachine(record, self.value.state)
        remainder = Remainder.TRADABLE if value.tradable else Remainder.DUST
        getattr(machine, trigger)(PositionView(remainder, cause))

    def _note(self, trigger: str, trade_id: str, value: CrossExchangePosition, cause: Cause | None = None) -> None:
        before = self.value.state
        fact = PositionFact(position=value, trade_id=trade_id, cause=cause)
        self._entries.append(PositionEntry(trigger, before, value.state, fact))
        self.value = value

    def _drain(self) -> tuple[PositionEntry, ...]:
        entries = tuple(self._entries)
        self._entries.clear()
        return entries
