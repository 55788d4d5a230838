"""What one trade came to: money, time naked, worst exposure; gathered record by record, in bounded memory."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from attrs import define, evolve, field, frozen

from fsm_arb.clock import NS_PER_S
from fsm_arb.codec import loads
from fsm_arb.memory import Entry, Memory
from fsm_arb.results import result_of
from fsm_arb.scribe import TRADE
from fsm_arb.values import EXACT, ZERO, Fee, Leg, divide

if TYPE_CHECKING:
    from fsm_arb.ledger import Ledger
    from fsm_arb.ports import Record


@frozen(kw_only=True)
class Naked:
    """How long, and how far, one side of a trade stood without the other, beyond dust."""

    from_ns: int  # wall clock UTC
    to_ns: int
    exposure: Decimal  # base, + for long

    @property
    def seconds(self) -> Decimal:
        """How long."""
        return divide(Decimal(self.to_ns - self.from_ns), Decimal(NS_PER_S))


@frozen(kw_only=True)
class Summary:
    """What one trade came to. All money is in the quote currency of its first leg, at the rate that it was sized at.

    Attributes:
        trade_id: Its name on the journal.
        action: What was decided: ``entry_positive``, ``exit_tp``, ...
        status: How it ended, or ``halted``.
        path: The states it went through.
        began_ns: Wall clock UTC.
        ended_ns: When it was DONE; None: it is not.
        quantity: Base that was matched.
        gross: Sells less buys, as if nothing had been charged; what is left over is valued at the decision's price.
        fees: What was charged; a fee in base is valued at the decision's price of its leg.
        net: Gross less fees; None where a price or fee is unknown.
        slippage: What the fills were worse than the decision's prices, remedies included; negative: better.
        orders: How many were sent.
        naked: When one side stood without the other, in pieces of one exposure each.
        worst_exposure: Base; the most that was naked for any time, as far as it was known then.
        worst_worth: The same at the decision's price.
        note: Why, in words.
        state: The machine's state.
        ever_halted: Whether it was ever HALTED.
        legs: In the decision's order.
        position_id: The position that an exit closes; None: it is an entry.
    """

    trade_id: str
    action: str
    status: str
    path: tuple[str, ...]
    began_ns: int
    ended_ns: int | None
    quantity: Decimal = ZERO
    gross: Decimal | None = ZERO
    fees: Decimal = ZERO
    net: Decimal | None = ZERO
    slippage: Decimal = ZERO
    orders: int = 0
    naked: tuple[Naked, ...] = ()
    worst_exposure: Decimal = ZERO
    worst_worth: Decimal = ZERO
    note: str = ""
    state: str = ""
    ever_halted: bool = False
    legs: tuple[Leg, ...] = ()
    position_id: str | None = None

    @property
    def is_entry(self) -> bool:
        """Whether it was to open a position."""
        return self.action.startswith("entry")

    @property
    def naked_s(self) -> Decimal:
        """Seconds for which one side stood without the other, beyond dust."""
        return sum((each.seconds for each in self.naked), ZERO)


@define
class Reading:
    """One trade as far as its records have been read."""

    memory: Memory
    path: list[str]
    at_ns: int
    exposure: Decimal = ZERO
    naked: list[Naked] = field(factory=list)

    @classmethod
    def begin(cls, record: Record) -> Self:
        """Take up a trade with its first record.

        Raises:
            JournalForeign: Its payload cannot be read.
            MachineError: It is no beginning.
        """
        memory = Memory.fold(record.stream.removeprefix(TRADE), [entry_of(record)], no_ids)
        return cls(memory, [record.state_before], record.at_ns)

    def take(self, record: Record) -> None:
        """Take in the next record of the trade.

        Raises:
            JournalForeign: Its payload cannot be read.
            MachineError: It does not follow from the one before by a row of the table.
        """
        self.goes_on(record.at_ns)
        self.memory.remember(entry_of(record))
        self.exposure = self.memory.exposure
        if record.state_after != record.state_before:
            self.path.append(record.state_after)

    def goes_on(self, at_ns: int) -> None:
        """Take in that the exposure of before has lasted until now."""
        dust = self.memory.ledger.plan.dust if self.memory.ledger else ZERO
        if abs(self.exposure) >= dust and self.exposure and at_ns > self.at_ns:
            # Two replies of one moment are two records, and between them is no time to be naked in.
            self.naked.append(Naked(from_ns=self.at_ns, to_ns=at_ns, exposure=self.exposure))
        self.at_ns = at_ns

    def summary(self) -> Summary:
        """Return what it has come to."""
        return _told(self)


def entry_of(record: Record) -> Entry:
    """Return a record as the trade wrote it.

    Raises:
        JournalForeign: Its payload cannot be read.
    """
    return Entry(record.at_ns, record.trigger, record.state_before, record.state_after, loads(record.payload))


def _told(tale: Reading) -> Summary:
    memory, result = tale.memory, result_of(tale.memory)
    known = Summary(
        trade_id=memory.trade_id,
        action=memory.decision.action.value,
        status=result.status,
        path=tuple(tale.path),
        began_ns=memory.begun_at_ns,
        ended_ns=memory.ended_at_ns,
        note=result.note,
        state=memory.state,
        ever_halted=memory.ever_halted,
        legs=memory.decision.legs,
        position_id=memory.decision.position_id,
    )
    ledger = memory.ledger
    if ledger is None:
        return known
    fees, worst = _fees(ledger), max((abs(each.exposure) for each in tale.naked), default=ZERO)
    return evolve(
        known,
        quantity=ledger.matched_quantity,
        gross=None if result.pnl is None else EXACT.add(result.pnl, fees),
        fees=fees,
        net=result.pnl,
        slippage=_slippage(ledger),
        orders=len(ledger.orders),
        naked=tuple(tale.naked),
        worst_exposure=worst,
        worst_worth=EXACT.multiply(worst, ledger.plan.legs[0].price),
    )


def _fees(ledger: Ledger) -> Decimal:
    total = ZERO
    for order in ledger.orders:
        kept = divide(order.filled, order.gross) if order.gross else ZERO  # of what was taken back, no fee is charged
        for fee in order.fees:
            total = EXACT.add(total, EXACT.multiply(_fee(ledger, order.intent.leg, fee), kept))
    for fill in ledger.external:
        if fill.fee is not None:
            total = EXACT.add(total, _fee(ledger, fill.leg, fill.fee))
    return total


def _fee(ledger: Ledger, index: int, fee: Fee) -> Decimal:
    leg = ledger.plan.legs[index]
    # A fee in a third currency leaves the PnL unknown, and is no part of it.
    unit = {leg.rules.quote: Decimal(1), leg.rules.base: leg.price}.get(fee.currency, ZERO)
    return ledger.plan.worth(index, EXACT.multiply(fee.amount, unit))


def _slippage(ledger: Ledger) -> Decimal:
    total = ZERO
    for order in ledger.orders:
        if order.average is None or not order.filled:
            continue
        leg = ledger.plan.legs[order.intent.leg]
        worse = EXACT.multiply(EXACT.subtract(order.average, leg.price), Decimal(order.intent.side.sign))
        total = EXACT.add(total, ledger.plan.worth(order.intent.leg, EXACT.multiply(worse, order.filled)))
    return total


def no_ids() -> str:
    """Refuse to name an order."""
    raise AssertionError("a trade that is only read sends nothing")
