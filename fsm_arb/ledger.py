"""What a trade's orders have brought and may still bring: received, reserved, exposure.

Everything here is a pure function from a ledger to the next one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.errors import LedgerBroken
from fsm_arb.messages import Busted, ExternalFill, Intent, Judged, Missed, Observed, PlaceEnded, Purpose
from fsm_arb.orders import JUDGED, Lifecycle, Order, ended_order, merged
from fsm_arb.plan import LegPlan, Plan
from fsm_arb.ports import Acknowledged, InDoubt, Refused
from fsm_arb.values import ONE, ZERO, Side, divide, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSES_MIN = 3  # covered misses past the fence before absence is believed


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
        """What both legs have received, the smaller of the two; below zero where both stand the wrong way round."""
        first, second = self.progress(0), self.progress(1)
        return max(min(first, second), ZERO) or min(max(first, second), ZERO)

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
        return ledger.replace(merged(ended, outcome.snapshot, ledger.plan.legs[order.intent.leg], fact.now))
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
    later = merged(order, fact.snapshot, ledger.plan.legs[order.intent.leg], fact.now)
    return ledger if later == order else ledger.replace(later)


def missed(ledger: Ledger, fact: Missed, fence_ns: int) -> Ledger:
    """Return the ledger after a venue did not show an order.

    Absence is believed after `MISSES_MIN` covered misses that were asked past the
    fence; before it a list may lag, and a miss says nothing. An order that had
    been seen ends then with what is known of it; one that never was, is dead.
    Either comes back if it is found.
    """
    order = ledger.orders[fact.order]
    since = order.placing_ended_at
    if not order.live or order.mismatch or since is None or not fact.covered:
        return ledger
    if order.lifecycle is Lifecycle.OPEN:
        if order.cancel_asked_at is None:
            return ledger  # it was acknowledged and nobody asked it to go: keep looking
        since = max(since, order.cancel_asked_at)
    if fact.asked_at < since + fence_ns:
        return ledger
    counted = order.changed(misses=order.misses + 1)
    if counted.misses < MISSES_MIN:
        return ledger.replace(counted)
    since_what = "it was asked to go" if order.lifecycle is Lifecycle.OPEN else "it was sent"
    absent = f"absent: not found {counted.misses} times, {(fact.asked_at - since) / 1e9:.1f} s after {since_what}"
    if order.lifecycle is Lifecycle.OPEN:
        return ledger.replace(ended_order(counted.changed(refusal=absent), fact.now))
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
    """Return the ledger after an operator's verdict.

    A venue that shows the order open, ended or with more filled brings it back;
    a status that nobody knows does not, or the verdict would never be over.
    """
    order = ledger.orders[fact.order]
    gross = fact.filled + order.busted
    same = gross == order.gross
    told = order.fees_told and same
    # Of a fee nothing was said: one in base is taken as it is usual, else a buyer would reckon with more than it has.
    usual = ledger.plan.legs[order.intent.leg].fee_on_buy if order.intent.side is Side.BUY else ZERO
    return ledger.replace(
        order.changed(
            lifecycle=Lifecycle.CLOSED,
            mismatch="",
            refusal=f"{JUDGED}: {fact.reason}",
            gross=gross,
            average=fact.price if fact.price is not None else order.average,
            fees_known=True,
            fees=order.fees if same else (),  # they were those of another quantity
            fees_of=order.fees_of if same else ZERO,
            fees_told=told,
            base_fee=order.base_fee if told else fact.filled * usual,
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


def will_not_reduce(ledger: Ledger, leg: int) -> bool:
    """Whether the venue has refused a reduce-only order of this leg: other positions of ours net it away.

    Venues say it in words of their own: "ReduceOnly Order is rejected", "cannot
    fix reduce-only order qty", "no positions in this direction to reduce or close".
    """
    for order in ledger.orders:
        said = order.refusal.lower().replace("-", "").replace(" ", "")
        if order.intent.leg == leg and ("reduceonly" in said or (order.intent.reduce_only and "reduce" in said)):
            return True
    return False


def gross_up(received: Decimal, leg: LegPlan, side: Side) -> Decimal:
    """Return the order quantity that brings *received* base after the venue's base fee, floored to the lot."""
    # Floor only: one lot rounded up turns a hedge into a position.
    ordered = divide(received, ONE - leg.fee_on_buy) if side is Side.BUY else received
    return floor_to(ordered, leg.rules.lot)
