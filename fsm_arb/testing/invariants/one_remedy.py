"""Invariant 4: one remedy at a time, and only while nothing else of the trade can execute.

Asked of our own ledger at the moment a remedy is written, and of the venue's
books for as long as it lives. An order that the venue had called over and that
comes back is the venue's doing, and is left out; so is one that was in doubt
when the policy `act_on_known` acted, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.messages import Purpose
from fsm_arb.policy import DoubtRemedy
from fsm_arb.testing.invariants.reckoning import called_over, touched
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.ledger import Ledger
    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade


class OneRemedy(Silent):
    """At most one live remedy of a trade, and none while another of its orders is live."""

    number = 4
    name = "one remedy"
    claim = "at most one remedy of a trade is live, and none while another order of the trade may execute"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every trade that has a live remedy."""
        for old, trade in touched(before, after):
            ledger = trade.ledger
            if ledger is None:
                continue
            for remedy in ledger.live:
                if remedy.intent.purpose is not Purpose.FIRST:
                    yield from _beside(after, trade, ledger, remedy, len(old.orders) if old else 0)


def _beside(after: Glimpse, trade: Trade, ledger: Ledger, remedy: Order, known: int) -> Iterator[str]:
    """Yield every order that may execute beside *remedy*, of orders that were written before it."""
    acts = trade.policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN
    fresh = remedy.intent.index >= known
    for other in ledger.orders[: remedy.intent.index]:
        true = after.orders.get(other.intent.client_order_id)
        over = called_over(other, true, trade.policy)
        if acts and (other.in_doubt or other.unsure_since is not None):
            continue
        if other.live and (fresh or not over):
            what = f"{other.intent.client_order_id} is {other.lifecycle.value} as we know it"
        elif true is not None and true.live and not over:
            what = f"{other.intent.client_order_id} may still execute on {true.venue}, which never said that it is over"
        else:
            continue
        yield f"trade {trade.trade_id}: remedy {remedy.intent.client_order_id} is live while {what}"
