"""Invariant 15: at most one edge is true at any time, and where none is, something with an end is awaited.

A trade that awaits nothing is forgotten: nobody would ever ask about it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.errors import FsmArbError
from fsm_arb.machines.trade import TRADE_TABLE, TradeState
from fsm_arb.messages import Kind
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade

_DRIVERS = frozenset({TradeState.PRECHECK, TradeState.SIZING})  # checks and plan are the driver's to bring
_PASSIVE = frozenset({Kind.WAIT, Kind.PROBE})


class OneEdge(Silent):
    """A trade has one way to go, or a reason to wait that ends."""

    number = 15
    name = "one edge"
    claim = "at most one edge is true, over all triggers; where none is, a reply, a deadline or a retry is awaited"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every trade that has changed."""
        for trade_id, trade in after.trades.items():
            if before.trades.get(trade_id) is not trade:
                yield from _judged(trade, after.now)

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Judge them all at the time it has become."""
        for trade in glimpse.trades.values():
            yield from _judged(trade, glimpse.now)


def _judged(trade: Trade, now: int) -> Iterable[str]:
    name = f"trade {trade.trade_id} in {trade.state}"
    try:
        choice, view = trade.outlook(now)
    except FsmArbError as error:
        return (f"{name} cannot tell what to do: {error}",)
    rows = TRADE_TABLE.enabled(trade.state, view)
    if len(rows) > 1:
        return (f"{name}: {len(rows)} edges are true at once: {'; '.join(map(str, rows))}",)
    # What is about to be done when it is next told the time needs nothing to wait for.
    if rows or (choice is not None and choice.kind not in _PASSIVE) or awaits(trade, now):
        return ()
    return (f"{name}: no edge is true, and nothing is awaited that has an end",)


def awaits(trade: Trade, now: int) -> bool:
    """Whether *trade* has ended, or a reply is out, a reading is asked for, or a time is set after *now* (ns)."""
    if trade.done or trade.state in _DRIVERS or trade.wakes_at(now) is not None or trade.wants_survey(now):
        return True
    return trade.ledger is not None and any(order.placing_ended_at is None for order in trade.ledger.live)
