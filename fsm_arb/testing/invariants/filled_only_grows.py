"""Invariant 6: what is known to be filled never shrinks from one step to the next, save by a bust record.

A property of the edge: each of two states may look right alone. What was known
and not durable is lost in a crash, and only that: so where something shrank,
the durable records from before the step are what it is held against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.messages import Busted
from fsm_arb.testing.invariants.reckoning import added, never_asked, relearnt
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.trade import Trade
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Glimpse


class FilledOnlyGrows(Silent):
    """Known filled only grows, order by order, and no order is forgotten."""

    number = 6
    name = "filled only grows"
    claim = "the known filled quantity of an order never shrinks from one step to the next, save by a bust record"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Compare each order of each trade with itself."""
        for old, trade in relearnt(before, after):
            if old is None:
                continue
            shrunk = tuple(_shrunk(old.orders, trade.orders))
            if shrunk and _may_be_lost(before, after, trade.trade_id):
                durable = Trade.fold(trade.trade_id, before.entries[trade.trade_id], never_asked)
                shrunk = tuple(_shrunk(durable.orders, trade.orders))
            for what in shrunk:
                yield f"trade {trade.trade_id}: {what}"
            yield from _busts(before, after, old, trade)
        for trade_id in before.trades.keys() - after.trades.keys():
            if before.entries.get(trade_id):
                yield f"trade {trade_id} is forgotten"


def _shrunk(then: tuple[Order, ...], now: tuple[Order, ...]) -> Iterator[str]:
    for order in then[len(now) :]:
        yield f"order {order.intent.client_order_id} is forgotten"
    for was, order in zip(then, now, strict=False):
        if was is order:
            continue
        name = f"order {order.intent.client_order_id}"
        if order.intent.client_order_id != was.intent.client_order_id:
            yield f"{name} stands where {was.intent.client_order_id} stood"
        elif order.gross < was.gross:
            yield f"{name}: known filled shrank from {was.gross:f} to {order.gross:f} {order.base}"
        elif order.busted < was.busted:
            yield f"{name}: of {was.busted:f} {order.base} taken back, {order.busted:f} is left"


def _may_be_lost(before: Glimpse, after: Glimpse, trade_id: str) -> bool:
    """Whether something may have been known that was not durable, and is gone; without a journal nothing ever is."""
    if not before.entries.get(trade_id):
        return False
    return trade_id not in before.on_the_way or added(before, after, trade_id) is None


def _busts(before: Glimpse, after: Glimpse, old: Trade, trade: Trade) -> Iterator[str]:
    """Yield every quantity that was taken back without a record of it."""
    for was, order in zip(old.orders, trade.orders, strict=False):
        if was is order or order.busted <= was.busted or trade.trade_id not in after.entries:
            continue
        new = added(before, after, trade.trade_id) or ()
        recorded = sum(
            (
                entry.fact.amount
                for entry in new
                if isinstance(entry.fact, Busted) and entry.fact.order == order.intent.index
            ),
            ZERO,
        )
        if recorded < order.busted - was.busted:
            yield (
                f"trade {trade.trade_id}: order {order.intent.client_order_id}: {order.busted - was.busted:f} "
                f"{order.base} taken back, and records of {recorded:f}"
            )
