"""Invariant 1: what is naked on the venues is never more than we reckon with, and never more than was sized.

The sum |a_v + b_v| <= |a_k + b_k| + U is proven order by order: each order's
executions on the venue lie between what we know of and what the order could
still bring. So the sum follows, and the message can name the order.

What may differ beyond that is excused by name (`reckoning.excuses`) while it is
not seen, by exactly its own amount: executions of an order that the venue
itself, or an operator, had called over; executions that the venue took back; a
base fee that the venue has not told. An operator's own trades count as told.

The second half, |a_v + b_v| <= Q, is proven of the worst that could be naked
were each live order to fill or not, and of the edge: a step may carry that past
the sized quantity (with its base-fee gross-up, and one lot) only by what a
venue does with an order it had called over: executes it, shows it alive again,
or takes an execution back; and by what an operator trades by hand beside orders
that live, by exactly that amount. An order that was in doubt when the policy
`act_on_known` acted is left out of it, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.policy import DoubtRemedy
from fsm_arb.testing.invariants.reckoning import (
    called_over,
    coarser_lot,
    fee_is_told,
    slack,
    touched,
    true_exposure,
)
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from fsm_arb.ledger import Ledger
    from fsm_arb.orders import Order
    from fsm_arb.plan import LegPlan, Plan
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.testing.glimpse import Glimpse, VenueOrder
    from fsm_arb.trade import Trade


class ExposureBounded(Silent):
    """What is naked on the venues lies within what we know and what may still execute."""

    number = 1
    name = "exposure bounded"
    claim = "the exposure on the venues is at most the known one and all that is live, and never more than was sized"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge each order that changed, then the sum of each trade that the venues moved."""
        for old, trade in touched(before, after):
            ledger = trade.ledger
            if ledger is None:
                continue
            moved = False
            known = old.orders if old else ()
            for index, order in enumerate(ledger.orders):
                name = order.intent.client_order_id
                was, now = before.orders.get(name), after.orders.get(name)
                moved = moved or was is not now
                if was is now and index < len(known) and known[index] is order:
                    continue
                yield from _order(order, now, ledger.plan.legs[order.intent.leg], trade.policy)
            grown = moved or old is None or old.ledger is not ledger
            if grown and trade.policy.doubt_remedy is not DoubtRemedy.ACT_ON_KNOWN:
                yield from _sum(old, trade, before.orders, after.orders)


def _order(order: Order, true: VenueOrder | None, leg: LegPlan, policy: ExecutionPolicy) -> Iterator[str]:
    name = f"order {order.intent.client_order_id} on {leg.leg.exchange}"
    if true is None:
        if order.filled:
            yield f"{name}: we reckon with {order.filled:f} {order.base} of an order that the venue never had"
        return
    unseen = true.filled - order.filled
    if unseen < 0 and -unseen > true.busted - order.busted:
        yield f"{name}: we reckon with {order.filled:f} {order.base}, the venue has executed {true.filled:f}"
    elif unseen > 0 and order.live:
        most = max(order.accepted or order.intent.amount, true.amount)
        if true.filled > most:
            yield f"{name}: it may bring {most:f} {order.base} as we know it, the venue has executed {true.filled:f}"
    elif unseen > 0 and not called_over(order, true, policy):
        yield (
            f"{name}: it is {order.lifecycle.value} with {order.filled:f} {order.base} as we know it, "
            f"the venue has executed {true.filled:f} and had not called it over"
        )
    elif not unseen and fee_is_told(order) and true.busted == order.busted:
        charged = true.filled * order.intent.side.sign - true.received
        if abs(charged - order.base_fee) >= leg.rules.lot:
            yield f"{name}: the venue kept {charged:f} {order.base} as its fee, we reckon with {order.base_fee:f}"


def _sum(
    old: Trade | None, trade: Trade, before: Mapping[str, VenueOrder], after: Mapping[str, VenueOrder]
) -> Iterator[str]:
    ledger = trade.ledger
    if ledger is None:
        return
    worst, sized = worst_on_venues(trade, after), largest(ledger.plan)
    if worst <= sized:
        return
    was = worst_on_venues(old, before) if old else ZERO
    not_ours = slack(trade, after) + _late(old, trade, before, after) + _told_by_hand(old, ledger)
    if worst > max(sized, was) + not_ours:
        base = ledger.plan.legs[0].rules.base
        yield (
            f"trade {trade.trade_id}: {worst:f} {base} may be naked on the venues, more than the {sized:f} that were "
            f"sized; what they did with orders they had called over, and an operator by hand, explains no more than "
            f"{not_ours:f}"
        )


def worst_on_venues(trade: Trade, orders: Mapping[str, VenueOrder]) -> Decimal:
    """Return the most that may be naked by the venues' own books, were each live order to fill or not, base."""
    low = high = true_exposure(trade, orders)
    for order in trade.orders:
        left = _left(order, orders.get(order.intent.client_order_id))
        if order.intent.side.sign > 0:
            high += left
        else:
            low -= left
    return max(-low, high)


def _left(order: Order, true: VenueOrder | None) -> Decimal:
    """Return how much of an order may still execute: it lives as we know it, or the venue never called it over."""
    if not order.live and (true is None or not true.live or true.told_over):
        return ZERO
    whole = order.accepted or order.intent.amount
    return whole if true is None else max(max(whole, true.amount) - true.filled, ZERO)


def _late(
    old: Trade | None, trade: Trade, before: Mapping[str, VenueOrder], after: Mapping[str, VenueOrder]
) -> Decimal:
    """Return what the venues did in this step with orders that they, or an operator, had called over, base."""
    known = old.orders if old else ()
    total = ZERO
    for index, order in enumerate(trade.orders):
        was, now = before.get(order.intent.client_order_id), after.get(order.intent.client_order_id)
        if was is not None and now is not None and (was.told_over or now.busted != was.busted):
            total += abs(now.received - was.received)
        if index < len(known) and order.live and not known[index].live:
            total += _left(order, now)
    return total


def _told_by_hand(old: Trade | None, ledger: Ledger) -> Decimal:
    """Return what an operator was said in this step to have traded by hand, base: beside orders that live it adds."""
    known = old.ledger.external if old is not None and old.ledger is not None else ()
    return sum((fill.amount for fill in ledger.external[len(known) :]), ZERO)


def largest(plan: Plan) -> Decimal:
    """Return the most that may be naked of a trade: its larger first order, the fee on it, and one lot, base."""
    most = ZERO
    for leg in plan.legs:
        most = max(most, leg.amount * (ONE + leg.rules.taker_fee))
    return most + coarser_lot(plan)
