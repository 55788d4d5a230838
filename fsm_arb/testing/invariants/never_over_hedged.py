"""Invariant 2: a remedy only ever makes the exposure smaller.

Judged when a remedy is written: nothing, a part or all of it may fill, and none
of that makes |exposure| greater or turns it at all; only one that trades back a
whole leg, whose twin holds no more than dust, turns it by that dust. And on
every later step while it lives: were every live and doubtful order to fill, it
would not turn by more than a lot or dust, save by what moved elsewhere after it was sent through no
fault of ours (an order that the venue or an operator had called over, a bust, a
fee that was told late, an operator's own trade). And by the venue's own books:
what a remedy executes never carries the exposure past that same bound.

The policy `act_on_known` acts although an order is in doubt, and says so: there
the doubtful order is left out of the sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.messages import Intended, Purpose
from fsm_arb.policy import DoubtRemedy
from fsm_arb.testing.invariants.reckoning import (
    added,
    excused,
    judged_over,
    never_asked,
    tolerance,
    touched,
    true_exposure,
)
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.trade import Trade
from fsm_arb.values import ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.ledger import Ledger
    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Glimpse


class NeverOverHedged(Silent):
    """A remedy's fill never makes the exposure greater, nor turns it."""

    number = 2
    name = "never over-hedged"
    claim = "whatever a remedy fills makes the exposure smaller, and turns it by no more than a lot or dust"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge each remedy that was written, and each that is at work."""
        for old, trade in touched(before, after):
            ledger = trade.ledger
            if ledger is None or all(order.intent.purpose is Purpose.FIRST for order in ledger.orders):
                continue
            known = old.ledger if old else None
            if known is not ledger:
                yield from _written(before, after, trade, known)
                yield from _at_work(after, trade, known)
            if before.orders is not after.orders:
                yield from _executed(before, after, trade)


def _written(before: Glimpse, after: Glimpse, trade: Trade, known: Ledger | None) -> Iterator[str]:
    ledger = trade.ledger
    if ledger is None:
        return
    old = known.orders if known else ()
    for order in ledger.orders[len(old) :]:
        if order.intent.purpose is Purpose.FIRST:
            continue
        exposure = _exposure_then(before, after, trade, order, known)
        whole = ahead(ledger, order, order.intent.amount)
        rest = exposure + whole
        to_zero = order.intent.purpose is Purpose.UNWIND and abs(rest) < ledger.plan.dust
        if abs(rest) > abs(exposure):
            yield f"{_name(trade, order)} makes the exposure of {exposure:f} greater: {rest:f} if it fills whole"
        elif rest * exposure < 0 and not to_zero:
            yield f"{_name(trade, order)} turns the exposure of {exposure:f} into {rest:f} if it fills whole"


def _exposure_then(before: Glimpse, after: Glimpse, trade: Trade, order: Order, known: Ledger | None) -> Decimal:
    """Return the exposure at the moment when *order* was written."""
    ledger = trade.ledger
    if ledger is None:
        return ZERO
    index = order.intent.index
    same_hand = known is not None and known.external is ledger.external
    if known is not None and same_hand and len(ledger.orders) == index + 1:
        unmoved = all(a is b for a, b in zip(known.orders, ledger.orders, strict=False))
        if unmoved:
            return known.exposure
    replayed = _replayed(before, after, trade, index)
    return ledger.exposure - order.received if replayed is None else replayed


def _replayed(before: Glimpse, after: Glimpse, trade: Trade, index: int) -> Decimal | None:
    """Return the exposure when order *index* was written, told by the records; None where there are none."""
    told = before.trades.get(trade.trade_id)
    entries = added(before, after, trade.trade_id)
    if not entries:
        return None
    if told is None:
        replayed, entries = Trade.fold(trade.trade_id, entries[:1], never_asked), entries[1:]
    else:
        replayed = told.copy()
    for entry in entries:
        if isinstance(entry.fact, Intended) and any(each.index == index for each in entry.fact.intents):
            return replayed.exposure
        replayed.remember(entry)
    return None


def _name(trade: Trade, order: Order) -> str:
    intent = order.intent
    exchange = trade.decision.legs[intent.leg].exchange
    return (
        f"trade {trade.trade_id}: remedy {intent.client_order_id} ({intent.purpose.value}, "
        f"{intent.side.value} {intent.amount:f} {order.base} on {exchange})"
    )


def ahead(ledger: Ledger, order: Order, amount: Decimal) -> Decimal:
    """Return the signed base that *amount* of an order brings, its assumed base fee taken off a buy."""
    sign = order.intent.side.sign
    fee = ledger.plan.legs[order.intent.leg].fee_on_buy if sign > 0 else ZERO
    return amount * (ONE - fee) * sign


def far_end(ledger: Ledger, order: Order) -> Decimal:
    """Return the received base of an order that fills whole, where it lives; else what it has brought."""
    if not order.live:
        return order.received
    low, high = order.reserved(ledger.plan.legs[order.intent.leg])
    return high if order.intent.side.sign > 0 else low


def _at_work(after: Glimpse, trade: Trade, known: Ledger | None) -> Iterator[str]:
    ledger = trade.ledger
    if ledger is None or known is None or trade.policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN:
        return
    for order in ledger.live:
        index, sign = order.intent.index, order.intent.side.sign
        if order.intent.purpose is Purpose.FIRST or index >= len(known.orders) or not known.orders[index].live:
            continue
        over = _turned(ledger, sign)
        least = tolerance(ledger.plan)
        if over < least or over <= (was := _turned(known, sign)):
            continue
        explained = max(sign * (_external(ledger) - _external(known)), ZERO)
        for now, then in zip(ledger.orders, known.orders, strict=False):
            if now is not then and now.intent.index != index and _not_ours(after, now, then):
                explained += max(sign * (far_end(ledger, now) - far_end(known, then)), ZERO)
        if over >= max(was, ZERO) + least + explained:
            yield f"{_name(trade, order)} would leave {sign * over:f} naked the other way if all that lives filled"


def _turned(ledger: Ledger, sign: int) -> Decimal:
    """Return how far the exposure would lie in the direction of a remedy, were all that lives to fill."""
    total = ledger.exposure
    for order in ledger.live:
        total += far_end(ledger, order) - order.received
    return total * sign


def _external(ledger: Ledger) -> Decimal:
    if not ledger.external:
        return ZERO
    return ledger.exposure - sum((order.received for order in ledger.orders), ZERO)


def _not_ours(after: Glimpse, now: Order, then: Order) -> bool:
    """Whether what changed of this order is the venue's doing, or an operator's, since the remedy was sent."""
    true = after.orders.get(now.intent.client_order_id)
    called_over = judged_over(now) or judged_over(then) or (true is not None and true.told_over)
    return called_over or now.busted != then.busted or now.filled == then.filled


def _executed(before: Glimpse, after: Glimpse, trade: Trade) -> Iterator[str]:
    """Judge what remedies have executed in this step by the venues' own books."""
    ledger = trade.ledger
    if ledger is None or trade.policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN:
        return
    for order in ledger.orders:
        if order.intent.purpose is Purpose.FIRST:
            continue
        name, sign = order.intent.client_order_id, order.intent.side.sign
        then, now = before.orders.get(name), after.orders.get(name)
        if now is None or now is then or now.told_over or not order.live:
            continue  # one that was called over is late: `exposure_bounded` names it
        grown = now.received - (then.received if then else ZERO)
        if not grown:
            continue
        reached = sign * (true_exposure(trade, after.orders) - excused(trade, after.orders))
        fee = ledger.plan.legs[order.intent.leg].rules.taker_fee * order.intent.amount
        if reached >= max(_turned(ledger, sign), ZERO) + tolerance(ledger.plan) + fee:
            yield f"{_name(trade, order)} has executed, and {sign * reached:f} {order.base} is naked on the venues"
