"""Invariant 14: what we do not understand changes nothing or calls a person, and never breaks a trade.

Unknown is a status that is no word we know, and what a venue shows under our
id that cannot be our order. The first leaves the order live, whatever filled
is believed; the second moves no quantity and raises an alert that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.messages import Observed, PlaceEnded
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus
from fsm_arb.testing.invariants.reckoning import added, relearnt
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.memory import Entry
    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade


@define(eq=False)
class UnknownIsHarmless(Silent):
    """No input breaks a trade, and none that is not understood moves it.

    Attributes:
        alerts: Whether the instrument hears alerts; one that cannot is not asked for them.
    """

    alerts: bool = True
    number = 14
    name = "unknown is harmless"
    claim = "unknown input changes nothing or raises an alert; it never crashes a trade"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge new errors of our own code, and each unknown reading that was taken in."""
        if after.errors is not before.errors:
            for error in after.errors[len(before.errors) :]:
                yield f"our own code failed: {error}"
        for old, trade in relearnt(before, after):
            if old is None or old.ledger is None:
                continue
            for was, order in zip(old.orders, trade.orders, strict=False):
                if was is order:
                    continue
                told = _told(added(before, after, trade.trade_id) or (), order)
                if order.mismatch and not was.mismatch and len(told) <= 1:
                    yield from _moved(was, order)
                if was.live and not order.live and len(told) == 1:
                    yield from _ended(told[0], trade, order)

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Judge that every order which cannot be ours was told of."""
        if not self.alerts:
            return
        for trade in glimpse.trades.values():
            for order in trade.orders:
                name = order.intent.client_order_id
                if order.mismatch and not any(name in alert for alert in glimpse.alerts):
                    yield f"order {name}: {order.mismatch}, and nobody was told"


def _told(new: tuple[Entry, ...], order: Order) -> list[object]:
    """Return what was told of an order in a step; an instrument without a journal tells one thing at a time."""
    return [entry.fact for entry in new if getattr(entry.fact, "order", None) == order.intent.index]


def _moved(was: Order, order: Order) -> Iterator[str]:
    """Judge a reading that cannot be of our order."""
    name = f"order {order.intent.client_order_id}"
    if order.filled != was.filled:
        yield f"{name}: {order.mismatch}, and yet {order.filled - was.filled:f} {order.base} of it were believed"
    if not order.live:
        yield f"{name}: {order.mismatch}, and yet it counts as ended"


def _ended(fact: object, trade: Trade, order: Order) -> Iterator[str]:
    """Judge the reading by which an order has ended: it must say so in a word we know."""
    shown = _shown(fact)
    if shown is not None and shown.status is OrderStatus.UNKNOWN:
        yield (
            f"trade {trade.trade_id}: order {order.intent.client_order_id} counts as ended by a reading "
            f"whose status is no word we know"
        )


def _shown(fact: object) -> OrderSnapshot | None:
    if isinstance(fact, Observed):
        return fact.snapshot
    if isinstance(fact, PlaceEnded) and isinstance(fact.outcome, Acknowledged):
        return fact.outcome.snapshot
    return None
