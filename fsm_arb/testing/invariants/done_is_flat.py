"""Invariant 7: DONE means that nothing may execute any more and nothing is naked, and what is left is recorded.

What the venue executes after it had called an order over makes a trade that is
DONE naked without its knowledge: excused by name, until it is seen. At rest all
has been seen, save by a trade whose watch the policy has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.machines.trade import TradeState
from fsm_arb.testing.invariants.reckoning import (
    UNTOLD_FEE,
    added,
    called_over,
    coarser_lot,
    excuses,
    touched,
    true_exposure,
)
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.ledger import Ledger
    from fsm_arb.memory import Entry
    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.testing.invariants.reckoning import Excuse
    from fsm_arb.trade import Trade


class DoneIsFlat(Silent):
    """A trade that is DONE has no live order, and what is naked of it is dust that it has recorded."""

    number = 7
    name = "done is flat"
    claim = "DONE: no order is live or in doubt, the exposure on the venues is within dust, the residual is recorded"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every trade that is DONE, and each that was, if only for the length of one record."""
        for old, trade in touched(before, after):
            if old is not None and old is not trade and trade.ledger is not None:
                new = added(before, after, trade.trade_id) or ()
                if any(entry.after == TradeState.DONE != entry.before for entry in new):
                    yield from _recorded(old, new)
            if trade.done and trade.ledger is not None:
                yield from _done(after, trade, trade.ledger, excuses(trade, after.orders))

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Judge them all once more."""
        for trade in glimpse.trades.values():
            if trade.done and trade.ledger is not None:
                found = excuses(trade, glimpse.orders)
                still = (each for each in found if trade.watch_ended or each.why == UNTOLD_FEE)
                yield from _done(glimpse, trade, trade.ledger, still)


def _recorded(old: Trade, new: Iterable[Entry]) -> Iterator[str]:
    """Judge what was known each time when a record said DONE: a crash right after it would leave it at that."""
    name, folded = f"trade {old.trade_id} was DONE by its record", old.copy()
    for entry in new:
        folded.remember(entry)
        ledger = folded.ledger
        if entry.after == TradeState.DONE != entry.before and ledger is not None:
            for order in ledger.live:
                yield f"{name} while order {order.intent.client_order_id} might execute"
            if not ledger.within_dust:
                yield f"{name} with {ledger.exposure:f} naked as it knew"


def _done(glimpse: Glimpse, trade: Trade, ledger: Ledger, excused: Iterable[Excuse]) -> Iterator[str]:
    name, plan = f"trade {trade.trade_id} is DONE", ledger.plan
    for order in ledger.live:
        yield f"{name} while order {order.intent.client_order_id} may execute, as we know it"
    if ledger.provisional:
        yield f"{name} while a base fee is only assumed"
    for order in ledger.orders:
        true = glimpse.orders.get(order.intent.client_order_id)
        if true is not None and true.live and not called_over(order, true, trade.policy):
            yield f"{name} while order {true.client_order_id} may execute on {true.venue}, which never called it over"
    exposure = true_exposure(trade, glimpse.orders) - sum((each.amount for each in excused), ZERO)
    base = plan.legs[0].rules.base
    if abs(exposure) >= plan.dust:
        yield f"{name} with {exposure:f} {base} naked on the venues; dust is below {plan.dust:f}"
    if abs(exposure - trade.exposure) >= coarser_lot(plan):
        yield f"{name} and has recorded a residual of {trade.exposure:f} {base}, the venues hold {exposure:f}"
