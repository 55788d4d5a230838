"""Invariant 8: at rest our books and the venues' are the same, fill by fill, and the balances moved by nothing else.

A venue that tells no executions one by one, only how much has filled, is held
to that. Balances of derivatives move by realised profit, not by what changed
hands, so the venue's own sum stands for them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from fsm_arb.testing.invariants.reckoning import excuses
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import EXACT, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Glimpse, VenueOrder

ROUNDING = EXACT.create_decimal("1e-8")  # base; a bust takes its share of a fee off to 60 digits, a venue to 8


class BooksAgree(Silent):
    """What we know is what the venues have, and balances moved by exactly fills less fees."""

    number = 8
    name = "books agree"
    claim = "at rest our fills are the venues' by trade id; per asset balances moved by exactly fills less fees"

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Compare every order, then every asset of every venue."""
        for trade in glimpse.trades.values():
            late = {each.client_order_id for each in excuses(trade, glimpse.orders)} if trade.watch_ended else set()
            for order in trade.orders:
                name = order.intent.client_order_id
                if name not in late:
                    yield from _order(order, glimpse.orders.get(name))
        yield from _balances(glimpse)
        yield from _operators(glimpse)


def _order(order: Order, true: VenueOrder | None) -> Iterator[str]:
    name = f"order {order.intent.client_order_id}"
    if true is None:
        if order.filled:
            yield f"{name}: we know of {order.filled:f} {order.base}, no venue has such an order"
        return
    name = f"{name} on {true.venue}"
    if order.filled != true.filled:
        yield f"{name}: we know of {order.filled:f} {order.base}, the venue has executed {true.filled:f}"
    elif abs(order.received - true.received) > ROUNDING:
        yield f"{name}: we know of {order.received:f} {order.base} received, the venue says {true.received:f}"
    # What was taken back is known by its amount; executions may be known by their sum alone.
    if order.fills and not order.busted:
        yield from _one_by_one(name, order, true)


def _one_by_one(name: str, order: Order, true: VenueOrder) -> Iterator[str]:
    ours = {fill.fill_id: fill.amount for fill in order.fills}
    theirs = {fill.fill_id: fill.amount for fill in true.fills}
    if sum(ours.values(), ZERO) == order.filled:  # else the rest is known by its sum
        for fill_id in sorted(theirs.keys() - ours.keys()):
            yield f"{name}: execution {fill_id} of {theirs[fill_id]:f} is not known"
    for fill_id in sorted(ours.keys() - theirs.keys()):
        yield f"{name}: execution {fill_id} of {ours[fill_id]:f} is none of the venue's"
    for fill_id in sorted(ours.keys() & theirs.keys()):
        if ours[fill_id] != theirs[fill_id]:
            yield f"{name}: execution {fill_id} is {ours[fill_id]:f} in our books, {theirs[fill_id]:f} in the venue's"


def _balances(glimpse: Glimpse) -> Iterator[str]:
    for venue, moved in glimpse.moved.items():
        due, derivative = _due(glimpse, venue)
        for asset, amount in glimpse.external.get(venue, {}).items():
            due[asset] = EXACT.add(due[asset], amount)
        for asset in sorted(moved.keys() | due.keys()):
            if asset in derivative:
                continue
            gap = EXACT.subtract(moved.get(asset, ZERO), due.get(asset, ZERO))
            if gap:
                yield (
                    f"{venue}: {asset} moved by {moved.get(asset, ZERO):f}, fills less fees "
                    f"and operators' trades make {due.get(asset, ZERO):f}"
                )


def _due(glimpse: Glimpse, venue: str) -> tuple[dict[str, Decimal], set[str]]:
    """Return by how much each asset should have moved, and the assets that derivatives are settled in."""
    due: dict[str, Decimal] = defaultdict(lambda: ZERO)
    derivative: set[str] = set()
    for order in glimpse.orders.values():
        if order.venue != venue:
            continue
        pair, _, settled_in = order.symbol.partition(":")
        base, _, quote = pair.partition("/")
        if settled_in:
            derivative.add(settled_in)
            continue
        for fill in order.fills:
            signed = fill.amount * order.side.sign
            due[base] = EXACT.add(due[base], signed)
            due[quote] = EXACT.subtract(due[quote], EXACT.multiply(signed, fill.price))
            if fill.fee:
                due[fill.fee_currency] = EXACT.subtract(due[fill.fee_currency], fill.fee)
    return due, derivative


def _operators(glimpse: Glimpse) -> Iterator[str]:
    """Compare what operators told with what they did."""
    if not glimpse.external:
        return
    told: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for trade in glimpse.trades.values():
        for fill in trade.ledger.external if trade.ledger else ():
            leg = trade.decision.legs[fill.leg]
            key = leg.exchange, leg.base
            fee = fill.fee.amount if fill.fee and fill.fee.currency == leg.base else ZERO
            told[key] += fill.amount * fill.side.sign - fee
    bases = {leg.base for trade in glimpse.trades.values() for leg in trade.decision.legs}
    done = {(venue, asset): amount for venue, row in glimpse.external.items() for asset, amount in row.items()}
    for venue, asset in sorted(told.keys() | {key for key in done if key[1] in bases}):
        if told.get((venue, asset), ZERO) != done.get((venue, asset), ZERO):
            yield (
                f"{venue}: operators told of {told.get((venue, asset), ZERO):f} {asset} "
                f"and traded {done.get((venue, asset), ZERO):f}"
            )
