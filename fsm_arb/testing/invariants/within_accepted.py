"""Invariant 5: no order executes more than the venue accepted, on its books or in ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.testing.invariants.reckoning import relearnt
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.testing.glimpse import Glimpse


class WithinAccepted(Silent):
    """Filled is at most the accepted amount."""

    number = 5
    name = "within accepted"
    claim = "filled is at most the amount that the venue accepted, for every order"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every order that changed, on the venue and as we know it."""
        if before.orders is not after.orders:
            for name, true in after.orders.items():
                if before.orders.get(name) is not true and true.filled > true.amount:
                    yield f"order {name}: {true.venue} accepted {true.amount:f} and has executed {true.filled:f}"
        for old, trade in relearnt(before, after):
            known = old.orders if old else ()
            for index, order in enumerate(trade.orders):
                if (index < len(known) and known[index] is order) or not order.filled:
                    continue
                name = order.intent.client_order_id
                most = order.accepted or order.intent.amount
                # What was taken back may be executed once more.
                if order.filled > most and name in after.orders:
                    most = max(most, after.orders[name].amount)
                if order.filled > most:
                    yield f"order {name}: we reckon with {order.filled:f} {order.base} of an order of {most:f}"
