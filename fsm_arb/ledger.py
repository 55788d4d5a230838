"""What a trade's orders have done and may still do: filled, received, reserved, exposure.

Three facts about an order are kept apart and never folded into one status:
its lifecycle, whether we asked to cancel it, and its cumulative filled
quantity. Quantities that an order has filled only grow, whatever a later
reading says; only an explicit bust takes some back.

Everything here is a pure function from a ledger to the next one.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from fsm_arb.errors import LedgerBroken
from fsm_arb.messages import Busted, ExternalFill, Intent, Judged, Missed, Observed, PlaceEnded, Purpose
from fsm_arb.plan import LegPlan, Plan
from fsm_arb.ports import Acknowledged, InDoubt, OrderSnapshot, OrderStatus, Refused
from fsm_arb.values import ONE, ZERO, Fee, FeeIn, Fill, Side, divide, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSES_MIN = 3  # covered misses before absence is believed, the last one past the fence
FEE_LOOKS_MIN = 3  # looks at an ended order before a venue that never tells fees is believed to charge none in base


class Lifecycle(enum.Enum):
    """Where an order stands on its venue, as far as it is proven."""

    PENDING = "pending"  # written; it may or may not exist
    OPEN = "open"  # it exists and may execute
    CLOSED = "closed"  # it existed and has ended; its quantity is revisable upwards
    DEAD = "dead"  # refused, or absent past every doubt; a late discovery brings it back


@frozen(kw_only=True, slots=False)  # with a dict, so that a later version of it is one copy and one update
class Order:
    """One instruction to a venue, and all that is known of it."""

    intent: Intent
    base: str
    deadline: int  # monotonic ns
    lifecycle: Lifecycle = Lifecycle.PENDING
    placing_ended_at: int | None = None  # None while the placing call is out
    cancel_asked_at: int | None = None
    ended_at: int | None = None
    venue_order_id: str | None = None
    accepted: Decimal | None = None  # base, the amount the venue took; None until it says
    gross: Decimal = ZERO  # base, the most that any reading has shown as filled
    busted: Decimal = ZERO  # base, taken back by the venue
    fills: tuple[Fill, ...] = ()
    average: Decimal | None = None  # quote per base over all that is filled; None: unknown
    fees: tuple[Fee, ...] = ()
    fees_known: bool = False  # whether what was charged in base is known
    fees_told: bool = False  # whether `fees` cover all that is filled
    fee_looks: int = 0  # readings of the ended order that told no fee
    base_fee: Decimal = ZERO  # base, charged or, while not known, assumed
    misses: int = 0  # covered misses since the placing call ended
    refusal: str = ""  # why it is DEAD, or CLOSED because it was no longer found
    mismatch: str = ""  # why what the venue shows under our id cannot be ours
    unsure_since: int | None = None  # since when an answer is overdue

    def changed(self, **changes: Any) -> Order:
        """Return a later version of the order. What `attrs.evolve` does, at a tenth of its cost."""
        later = object.__new__(Order)
        later.__dict__.update(self.__dict__, **changes)
        return later

    @property
    def filled(self) -> Decimal:
        """Base quantity executed and not taken back."""
        return self.gross - self.busted

    @property
    def received(self) -> Decimal:
        """Signed base that the fills brought: less any base fee when buying, and minus it when selling."""
        return self.filled - self.base_fee if self.intent.side is Side.BUY else -self.filled - self.base_fee

    @property
    def live(self) -> bool:
        """Whether it may still execute: resting, being sent, or in doubt."""
        return self.lifecycle is Lifecycle.PENDING or self.lifecycle is Lifecycle.OPEN or bool(self.mismatch)

    @property
    def in_doubt(self) -> bool:
        """Whether it may or may not exist, the placing call being over; or what exists cannot be it."""
        return bool(self.mismatch) or (self.lifecycle is Lifecycle.PENDING and self.placing_ended_at is not None)

    @property
    def resting(self) -> bool:
        """Whether it is known to exist and may execute."""
        return self.lifecycle is Lifecycle.OPEN and not self.mismatch

    @property
    def provisional(self) -> bool:
        """Whether it has ended while a base fee is only assumed."""
        return self.lifecycle is Lifecycle.CLOSED and not self.fees_known

    def reserved(self, leg: LegPlan) -> tuple[Decimal, Decimal]:
        """Return the interval of received base from what it has brought to what it would bring if it filled whole."""
        if not self.live:
            return self.received, self.received
        whole = max(self.accepted or self.intent.amount, self.filled)
        if self.intent.side is Side.BUY:
            return self.received, max(self.received, whole * (ONE - leg.fee_on_buy))
        return min(self.received, -whole), self.received


@frozen(kw_only=True)
class Ledger:
    """A sized trade's orders and an operator's own fills."""

    plan: Plan
    orders: tuple[Order, ...] = ()
    external: tuple[ExternalFill, ...] = ()
    received: tuple[Decimal, Decimal] = field(init=False)  # signed base, by leg
    live: tuple[Order, ...] = field(init=False)
    provisional: bool = field(init=False)  # an ended order's base fee is not known yet

    def __attrs_post_init__(self) -> None:
        sums = [ZERO, ZERO]
        live: list[Order] = []
        provisional = False
        for order in self.orders:
            sums[order.intent.leg] += order.received
            if order.live:
                live.append(order)
            elif order.provisional:
                provisional = True
        for fill in self.external:
            sums[fill.leg] += _external_received(fill, self.plan.legs[fill.leg])
        object.__setattr__(self, "received", (sums[0], sums[1]))
        object.__setattr__(self, "live", tuple(live))
        object.__setattr__(self, "provisional", provisional)

    @property
    def exposure(self) -> Decimal:
        """Base that is naked now, + for long."""
        return self.received[0] + self.received[1]

    @property
    def worst_exposure(self) -> Decimal:
        """The far end of the interval of exposure, were each live order to fill whole or not at all."""
        low = high = self.exposure
        for order in self.live:
            least, most = order.reserved(self.plan.legs[order.intent.leg])
            low += least - order.received
            high += most - order.received
        return low if abs(low) > abs(high) else high

    @property
    def known(self) -> bool:
        """Whether nothing is live and every quantity and base fee is known."""
        return not self.live and not self.provisional

    def progress(self, leg: int) -> Decimal:
        """What the leg has received in its own direction: positive once it has done some of its work."""
        return self.received[leg] * self.plan.legs[leg].side.sign

    @property
    def matched_quantity(self) -> Decimal:
        """What both legs have received, the smaller of the two, never below zero."""
        return max(min(self.progress(0), self.progress(1)), ZERO)

    @property
    def flat(self) -> bool:
        """Whether each leg's net is below its venue's least order and no more than dust is naked."""
        first, second = self.plan.legs
        return abs(self.received[0]) < first.least and abs(self.received[1]) < second.least and self.within_dust

    @property
    def within_dust(self) -> bool:
        """Whether the exposure is too small for either venue to trade."""
        return abs(self.exposure) < self.plan.dust

    def first_order(self, leg: int) -> Order | None:
        """Return the leg's first order, or None while it has none."""
        for order in self.orders:
            if order.intent.leg == leg and order.intent.purpose is Purpose.FIRST:
                return order
        return None

    def average_price(self, leg: int) -> Decimal | None:
        """Average of the leg's fills in its own direction, quote per base; None: nothing filled, or a price unknown."""
        side = self.plan.legs[leg].side
        filled = cost = ZERO
        for order in self.orders:
            if order.intent.leg == leg and order.intent.side is side and order.filled:
                if order.average is None:
                    return None
                filled += order.filled
                cost += order.filled * order.average
        return divide(cost, filled) if filled else None

    def replace(self, order: Order) -> Ledger:
        """Return the ledger with one order replaced by a later version of itself."""
        index = order.intent.index
        return self.with_orders((*self.orders[:index], order, *self.orders[index + 1 :]))

    def with_orders(self, orders: tuple[Order, ...]) -> Ledger:
        """Return the ledger with these orders."""
        return Ledger(plan=self.plan, orders=orders, external=self.external)


def _external_received(fill: ExternalFill, leg: LegPlan) -> Decimal:
    fee = fill.fee.amount if fill.fee and fill.fee.currency == leg.rules.base else ZERO
    return fill.side.sign * fill.amount - fee


# ------------------------------------------------------------------ what happens to an order


def intended(ledger: Ledger, intents: Iterable[Intent]) -> Ledger:
    """Return the ledger with new orders, each reserved in full from now on.

    Raises:
        LedgerBroken: An intent is out of sequence.
    """
    orders = list(ledger.orders)
    for intent in intents:
        if intent.index != len(orders):
            raise LedgerBroken(f"intent {intent.index} written where {len(orders)} was due")
        base = ledger.plan.legs[intent.leg].rules.base
        orders.append(Order(intent=intent, base=base, deadline=intent.deadline))
    return ledger.with_orders(tuple(orders))


def place_ended(ledger: Ledger, fact: PlaceEnded) -> Ledger:
    """Return the ledger after a placing call came back. A refusal never overrides what a venue has shown."""
    order = ledger.orders[fact.order]
    ended = order.changed(placing_ended_at=fact.now)
    outcome = fact.outcome
    if isinstance(outcome, Acknowledged):
        return ledger.replace(_merged(ended, outcome.snapshot, ledger.plan.legs[order.intent.leg], fact.now))
    if order.lifecycle is not Lifecycle.PENDING:
        return ledger.replace(ended)
    if isinstance(outcome, Refused):
        refusal = f"{outcome.code}: {outcome.message}"
        unsure_since = order.unsure_since if order.mismatch else None  # what is shown under its id is in doubt still
        return ledger.replace(
            ended.changed(lifecycle=Lifecycle.DEAD, refusal=refusal, ended_at=fact.now, unsure_since=unsure_since)
        )
    if isinstance(outcome, InDoubt):
        return ledger.replace(ended.changed(unsure_since=fact.now))
    raise LedgerBroken(f"order {fact.order}: unknown outcome {outcome!r}")


def observed(ledger: Ledger, fact: Observed) -> Ledger:
    """Return the ledger after a venue showed an order, in whatever state we believed it."""
    order = ledger.orders[fact.order]
    merged = _merged(order, fact.snapshot, ledger.plan.legs[order.intent.leg], fact.now)
    return ledger if merged == order else ledger.replace(merged)


def missed(ledger: Ledger, fact: Missed, fence_ns: int) -> Ledger:
    """Return the ledger after a venue did not show an order.

    Absence is believed after `MISSES_MIN` covered misses, the last of them
    asked past the fence. An order that had been seen ends then with what is
    known of it; one that never was, is dead. Either comes back if it is found.
    """
    order = ledger.orders[fact.order]
    since = order.placing_ended_at
    if not order.live or order.mismatch or since is None or not fact.covered or fact.asked_at < since:
        return ledger
    if order.lifecycle is Lifecycle.OPEN:
        if order.cancel_asked_at is None:
            return ledger  # it was acknowledged and nobody asked it to go: keep looking
        since = max(since, order.cancel_asked_at)
    counted = order.changed(misses=order.misses + 1)
    if counted.misses < MISSES_MIN or fact.asked_at < since + fence_ns:
        return ledger.replace(counted)
    since_what = "it was asked to go" if order.lifecycle is Lifecycle.OPEN else "it was sent"
    absent = f"absent: not found {counted.misses} times, {(fact.asked_at - since) / 1e9:.1f} s after {since_what}"
    if order.lifecycle is Lifecycle.OPEN:
        return ledger.replace(_ended(counted.changed(refusal=absent), fact.now))
    return ledger.replace(
        counted.changed(lifecycle=Lifecycle.DEAD, refusal=absent, ended_at=fact.now, unsure_since=None)
    )


def cancel_asked(ledger: Ledger, orders: Iterable[int], now: int) -> Ledger:
    """Return the ledger with *orders* to be cancelled. They stay reserved in full until seen to have ended."""
    for index in orders:
        order = ledger.orders[index]
        if order.cancel_asked_at is None:
            ledger = ledger.replace(order.changed(cancel_asked_at=now, unsure_since=now, misses=0))
    return ledger


def busted(ledger: Ledger, fact: Busted) -> Ledger:
    """Return the ledger after a venue took executions back.

    Raises:
        LedgerBroken: More is taken back than had filled.
    """
    order = ledger.orders[fact.order]
    if fact.amount > order.filled:
        raise LedgerBroken(f"order {fact.order}: bust of {fact.amount} exceeds the {order.filled} that filled")
    kept = divide(order.filled - fact.amount, order.filled)
    return ledger.replace(
        order.changed(busted=order.busted + fact.amount, base_fee=order.base_fee * kept),
    )


def judged(ledger: Ledger, fact: Judged) -> Ledger:
    """Return the ledger after an operator's verdict. A venue that shows the order all the same brings it back."""
    order = ledger.orders[fact.order]
    return ledger.replace(
        order.changed(
            lifecycle=Lifecycle.CLOSED,
            mismatch="",
            refusal=f"settled by an operator: {fact.reason}",
            gross=fact.filled + order.busted,
            average=fact.price if fact.price is not None else order.average,
            fees_known=True,
            ended_at=fact.now,
            unsure_since=None,
        )
    )


def fees_believed(ledger: Ledger) -> Ledger:
    """Return the ledger with every base fee that was assumed, and that no reading tells, taken as it was assumed.

    Else a fee that is never told would keep a trade halted for ever; one that
    is told after all corrects it.
    """
    for order in ledger.orders:
        if order.provisional:
            ledger = ledger.replace(order.changed(fees_known=True, unsure_since=None))
    return ledger


def restarted(ledger: Ledger, now: int) -> Ledger:
    """Return the ledger as a new process takes it up: calls that were out are over, every deadline has passed."""
    orders = tuple(
        order.changed(
            deadline=now,
            placing_ended_at=now,
            cancel_asked_at=None if order.cancel_asked_at is None else now,
            unsure_since=now,
            misses=0,
        )
        if order.live or order.provisional
        else order
        for order in ledger.orders
    )
    return ledger.with_orders(orders)


# ------------------------------------------------------------------ merging a snapshot


def _merged(order: Order, snapshot: OrderSnapshot, leg: LegPlan, now: int) -> Order:
    mismatch = _mismatch(order, snapshot, leg)
    if mismatch:
        return order.changed(mismatch=mismatch, unsure_since=now if order.unsure_since is None else order.unsure_since)
    fills = _fills(order, snapshot)
    by_fills = sum((fill.amount for fill in fills), ZERO)
    gross = max(order.gross, snapshot.filled, by_fills)
    fees, told = _fees(order, snapshot, fills, gross, by_fills)
    ended = snapshot.status is OrderStatus.ENDED
    # What was only believed absent is back; what a venue has called over stays over, whatever an older reading says.
    back = order.lifecycle is Lifecycle.DEAD or (order.lifecycle is Lifecycle.CLOSED and bool(order.refusal))
    was_ended = order.lifecycle is Lifecycle.CLOSED and not back
    looks = order.fee_looks
    if ended and snapshot.filled >= gross and not told:
        looks = min(looks + 1, FEE_LOOKS_MIN)
    taken_on_trust = leg.rules.fee_in is FeeIn.UNKNOWN and looks >= FEE_LOOKS_MIN
    told = told or taken_on_trust or not gross
    shown = told or leg.rules.fee_in is FeeIn.QUOTE
    known = shown or (order.fees_known and gross == order.gross)  # believed once, for want of a word
    merged = order.changed(
        mismatch="",
        venue_order_id=order.venue_order_id or snapshot.venue_order_id,
        accepted=snapshot.amount if snapshot.amount is not None else order.accepted,
        fills=fills,
        gross=gross,
        fees=fees,
        fees_known=known,
        fees_told=told,
        fee_looks=looks,
        base_fee=_base_fee(order, leg, fees, gross, known=shown),
        average=_average(order, snapshot, fills, gross, by_fills),
        lifecycle=Lifecycle.CLOSED if was_ended else Lifecycle.OPEN,
        refusal="",
        misses=0,
        ended_at=order.ended_at if was_ended else None,
        unsure_since=None if back or order.cancel_asked_at is None else order.unsure_since,
    )
    if back:  # its time is long over, and its clocks may be those of another process
        merged = merged.changed(deadline=now, placing_ended_at=now, cancel_asked_at=None)
    if was_ended:
        since = now if order.unsure_since is None else order.unsure_since
        return merged.changed(unsure_since=None if known else since)
    return _ended(merged, now) if ended else merged


def _ended(order: Order, now: int) -> Order:
    """A terminal word of the venue, or absence past doubt: its quantity is what is known, and revisable upwards."""
    return order.changed(lifecycle=Lifecycle.CLOSED, ended_at=now, unsure_since=None if order.fees_known else now)


def _mismatch(order: Order, snapshot: OrderSnapshot, leg: LegPlan) -> str:
    """Say why what a venue shows under our id cannot be the order we meant; empty: it can."""
    intent = order.intent
    # Under the id that the venue gave this very order it is ours, however the venue writes our own.
    named = order.venue_order_id is not None and order.venue_order_id == snapshot.venue_order_id
    if not named and snapshot.client_order_id is not None and snapshot.client_order_id != intent.client_order_id:
        return f"client order id {snapshot.client_order_id} instead of {intent.client_order_id}"
    if snapshot.symbol is not None and snapshot.symbol != leg.leg.symbol:
        return f"symbol {snapshot.symbol} instead of {leg.leg.symbol}"
    if snapshot.side is not None and snapshot.side is not intent.side:
        return f"side {snapshot.side.value} instead of {intent.side.value}"
    # A venue or its library may round what we asked for, and then its amount counts; it may not make it more.
    if snapshot.amount is not None and snapshot.amount - intent.amount > leg.rules.lot:
        return f"amount {snapshot.amount} instead of {intent.amount}"
    return ""


def _fills(order: Order, snapshot: OrderSnapshot) -> tuple[Fill, ...]:
    """Return the executions known by now. More of them than the order can have filled is a count gone wrong."""
    seen = sum((fill.amount for fill in snapshot.fills), ZERO)
    if seen and seen == snapshot.filled >= order.gross:
        return _united(_same_ids(order.fills, snapshot.fills), snapshot.fills)  # it shows all there is
    united = _united(order.fills, snapshot.fills)
    whole = max(order.accepted or ZERO, snapshot.amount or ZERO, order.intent.amount)
    return united if sum((fill.amount for fill in united), ZERO) <= whole else order.fills


def _same_ids(known: tuple[Fill, ...], seen: tuple[Fill, ...]) -> tuple[Fill, ...]:
    ids = {fill.fill_id for fill in seen}
    return tuple(fill for fill in known if fill.fill_id in ids)


def _united(known: tuple[Fill, ...], seen: tuple[Fill, ...]) -> tuple[Fill, ...]:
    """Return all executions, one each by id; a later report of one replaces the earlier (a fee may have come)."""
    if not seen:
        return known
    by_id = {fill.fill_id: fill for fill in known}
    for fill in seen:
        earlier = by_id.get(fill.fill_id)
        if earlier is None or fill.fee is not None:
            by_id[fill.fill_id] = fill
    return tuple(sorted(by_id.values(), key=lambda fill: fill.fill_id))


def _fees(
    order: Order, snapshot: OrderSnapshot, fills: tuple[Fill, ...], gross: Decimal, by_fills: Decimal
) -> tuple[tuple[Fee, ...], bool]:
    """Return the fees known so far and whether they cover all that is filled."""
    if fills and by_fills == gross and all(fill.fee is not None for fill in fills):
        return _summed(fill.fee for fill in fills if fill.fee is not None), True
    if snapshot.fees is not None and snapshot.filled >= gross:
        return _summed(snapshot.fees), True
    if snapshot.fees is not None and order.busted and ZERO < gross - order.busted <= snapshot.filled:
        # Told after a bust, for what is left: kept as for the whole, of which what was taken back is taken off.
        whole = divide(gross, snapshot.filled)
        return _summed(Fee(fee.amount * whole, fee.currency) for fee in snapshot.fees), True
    return order.fees, order.fees_told and gross == order.gross


def _summed(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    by_currency: dict[str, Decimal] = {}
    for fee in fees:
        by_currency[fee.currency] = by_currency.get(fee.currency, ZERO) + fee.amount
    return tuple(Fee(amount, currency) for currency, amount in sorted(by_currency.items()))


def _base_fee(order: Order, leg: LegPlan, fees: tuple[Fee, ...], gross: Decimal, *, known: bool) -> Decimal:
    """Return what was charged in base, or what is assumed while it is not known; less what a bust took back."""
    if known:
        charged = sum((fee.amount for fee in fees if fee.currency == leg.rules.base), ZERO)
    else:
        charged = gross * leg.fee_on_buy if order.intent.side is Side.BUY else ZERO
    if order.busted and gross:
        return charged * divide(gross - order.busted, gross)
    return charged


def _average(
    order: Order, snapshot: OrderSnapshot, fills: tuple[Fill, ...], gross: Decimal, by_fills: Decimal
) -> Decimal | None:
    if not gross:
        return None
    if by_fills == gross:
        return divide(sum((fill.amount * fill.price for fill in fills), ZERO), gross)
    if snapshot.average is not None and snapshot.filled == gross:
        return snapshot.average
    return order.average if gross == order.gross else None


def will_not_reduce(ledger: Ledger, leg: int) -> bool:
    """Whether the venue has refused a reduce-only order of this leg: other positions of ours net it away."""
    refusals = (order.refusal.lower() for order in ledger.orders if order.intent.leg == leg)
    return any("reduceonly" in said.replace("-", "").replace(" ", "") for said in refusals)


def gross_up(received: Decimal, leg: LegPlan, side: Side) -> Decimal:
    """Return the order quantity that brings *received* base after the venue's base fee, floored to the lot."""
    # Floor only: one lot rounded up turns a hedge into a position.
    ordered = divide(received, ONE - leg.fee_on_buy) if side is Side.BUY and leg.fee_on_buy else received
    return floor_to(ordered, leg.rules.lot)
