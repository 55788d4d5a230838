"""Invariant 3: every order on a venue was written down before it was sent, once, and is what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.messages import Intended
from fsm_arb.testing.invariants.reckoning import owner
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Create, Glimpse, VenueOrder
    from fsm_arb.trade import Trade


class IntentFirst(Silent):
    """Intent before effect: one durable intent for each order, one order for each client order id."""

    number = 3
    name = "intent first"
    claim = "every order on a venue matches exactly one intent that was durable before it was sent; no id is sent twice"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge what was sent in this step, every order that appeared on a venue, and every new intent."""
        if after.creates is not before.creates:
            yield from _sent(before, after)
        if after.orders is not before.orders:
            for name, true in after.orders.items():
                if name not in before.orders:
                    yield from _appeared(after, true)
        yield from _ids(before, after)


def _sent(before: Glimpse, after: Glimpse) -> Iterator[str]:
    count = len(before.creates)
    for index, create in enumerate(after.creates[count:], start=count):
        name = f"order {create.client_order_id}"
        if any(each.client_order_id == create.client_order_id for each in after.creates[:index]):
            yield f"{name} was sent to {create.venue} twice"
        if not create.durable:
            yield f"{name} was sent to {create.venue} before its intent was durable"
        elif after.entries and not _recorded(after, create):
            yield f"{name} was sent to {create.venue} and stands in no durable record"


def _recorded(glimpse: Glimpse, create: Create) -> bool:
    for entries in glimpse.entries.values():
        for entry in reversed(entries):
            if isinstance(entry.fact, Intended) and any(
                intent.client_order_id == create.client_order_id for intent in entry.fact.intents
            ):
                return True
    return False


def _appeared(glimpse: Glimpse, true: VenueOrder) -> Iterator[str]:
    name = f"order {true.client_order_id} on {true.venue}"
    found = owner(glimpse.trades.values(), true.client_order_id)
    if found is None:
        yield f"{name} belongs to no intent of any trade"
        return
    trade, order = found
    for what in _differs(trade, order, true):
        yield f"{name}: its intent says {what}"


def _differs(trade: Trade, order: Order, true: VenueOrder) -> Iterator[str]:
    ledger = trade.ledger
    if ledger is None:
        return
    leg = ledger.plan.legs[order.intent.leg]
    if true.venue != leg.leg.exchange:
        yield f"{leg.leg.exchange}"
    if true.symbol != leg.leg.symbol:
        yield f"{leg.leg.symbol}, the venue has {true.symbol}"
    if true.side is not order.intent.side:
        yield f"{order.intent.side.value}, the venue has {true.side.value}"
    # A venue or its library may round what it was asked for.
    if true.amount - order.intent.amount > leg.rules.lot:
        yield f"{order.intent.amount:f} {order.base}, the venue has {true.amount:f}"


def _ids(before: Glimpse, after: Glimpse) -> Iterator[str]:
    """Yield ids of new intents that another intent carries too."""
    if after.trades is before.trades:
        return
    for trade_id, trade in after.trades.items():
        old = before.trades.get(trade_id)
        known = len(old.orders) if old else 0
        orders = trade.orders
        if old is trade or len(orders) <= known:
            continue
        for order in orders[known:]:
            name = order.intent.client_order_id
            carried = sum(
                each.intent.client_order_id == name for other in after.trades.values() for each in other.orders
            )
            if carried > 1:
                yield f"trade {trade_id}: {carried} intents carry the id {name}"
