"""What of a trade stands in its spans: names, ids, attributes, events. Words of ours and ids, never a venue's reply.

Ids are hashes of what they name, so that the same trade told twice, by a
running executor and from its journal, gives the same spans.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fsm_arb.messages import (
    AbortAsked,
    Busted,
    CancelAsked,
    CancelEnded,
    ExternalFill,
    Judged,
    Missed,
    Moved,
    Observed,
    PlaceEnded,
    Purpose,
    Restarted,
    Resumed,
    Stalled,
)
from fsm_arb.ports import Acknowledged, Refused
from fsm_arb.results import result_of
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsm_arb.memory import Entry, Memory
    from fsm_arb.orders import Order

    Attributes = Mapping[str, str | int | bool | Sequence[str]]

PREFIX = "fsm_arb."
TRADE_SPAN = "fsm_arb.trade"
REOPENED_SPAN = "fsm_arb.reopened"
ORDER_SPAN = "fsm_arb.order"

# Facts that are events of the trade's own span; moves are too.
TRADE_EVENTS = (Stalled, Resumed, Restarted, ExternalFill, Busted, Judged, AbortAsked)


def trace_id(trade_id: str) -> int:
    """Return the 128 bits that name a trade's trace; never zero."""
    return _bits(16, trade_id)


def span_id(trade_id: str, kind: str, number: int = 0) -> int:
    """Return the 64 bits that name one of a trade's spans; never zero."""
    return _bits(8, trade_id, kind, str(number))


def _bits(size: int, *names: str) -> int:
    text = "\0".join(("fsm_arb", *names)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:size], "big") or 1


def beginning(trade: Memory) -> Attributes:
    """Return what is known of a trade from its first record on."""
    decision = trade.decision
    known = {
        "trade_id": trade.trade_id,
        "action": decision.action.value,
        "base": decision.legs[0].base,
        "exchanges": [leg.exchange for leg in decision.legs],
        "symbols": [leg.symbol for leg in decision.legs],
        "sides": [side.value for side in trade.begun.sides],
        "placement": trade.policy.placement.value,
    }
    if decision.position_id:
        known["position_id"] = decision.position_id
    return _named(known)


def ending(trade: Memory) -> Attributes:
    """Return what a trade has come to."""
    result = result_of(trade)
    known: dict[str, str | int | bool | Sequence[str]] = {
        "status": result.status,
        "state": trade.state,
        "exposure": plain(trade.exposure),
        "orders": len(trade.orders),
        "ever_halted": trade.ever_halted,
    }
    if trade.ledger is not None:
        known["quantity"] = plain(trade.ledger.matched_quantity)
    if result.pnl is not None:
        known |= {"pnl": plain(result.pnl), "pnl_currency": trade.decision.legs[0].quote}
    return _named(known)


def order_beginning(trade: Memory, order: Order) -> Attributes:
    """Return what is known of an order from its intent on."""
    intent = order.intent
    leg = trade.decision.legs[intent.leg]
    return _named(
        {
            "trade_id": trade.trade_id,
            "order": intent.index,
            "exchange": leg.exchange,
            "symbol": leg.symbol,
            "client_order_id": intent.client_order_id,
            "side": intent.side.value,
            "purpose": intent.purpose.value,
            "order_type": intent.order_type.value,
            "amount": plain(intent.amount),
            "bound": plain(intent.bound),
        }
    )


def order_ending(order: Order) -> Attributes:
    """Return what an order has come to."""
    known = {"filled": plain(order.filled), "lifecycle": order.lifecycle.value}
    if order.venue_order_id:
        known["venue_order_id"] = order.venue_order_id
    if order.filled and order.average is not None:
        known["average"] = plain(order.average)
    return _named(known)


def mended_by(trade: Memory, order: Order) -> list[int]:
    """Return the orders that a remedy makes up for: all earlier ones of the leg that it trades."""
    intent = order.intent
    if intent.purpose is Purpose.FIRST:
        return []
    return [each.intent.index for each in trade.orders[: intent.index] if each.intent.leg == intent.leg]


def trade_event(trade: Memory, entry: Entry) -> Attributes | None:
    """Return what an event of the trade's span says of a record; None where the record is no such event."""
    fact = entry.fact
    known: dict[str, str | int | bool | Sequence[str]] = {"exposure": plain(trade.exposure)}
    if isinstance(fact, Moved):
        known |= {"state_before": entry.before, "state_after": entry.after}
    elif not isinstance(fact, TRADE_EVENTS):
        return None
    choice = fact.choice if isinstance(fact, Moved | Stalled) else None
    if choice is not None:
        known |= {"reason": choice.reason, "attempt": choice.attempt}
    if isinstance(fact, Busted | Judged):
        known["order"] = fact.order
    return _named(known)


def order_events(before: Sequence[Order], entry: Entry) -> list[tuple[int, Attributes]]:
    """Return which orders a record is an event of, and what it says of each. Looks that tell nothing new are none.

    Args:
        before: The trade's orders as they stood before the record.
        entry: The record.
    """
    fact = entry.fact
    if isinstance(fact, CancelAsked):
        return [(order, {}) for order in fact.orders]
    if isinstance(fact, CancelEnded):
        return [(fact.order, _named({"accepted": fact.reply.accepted, "code": fact.reply.code}))]
    if isinstance(fact, Missed):
        return [(fact.order, _named({"covered": fact.covered}))]
    if isinstance(fact, PlaceEnded):
        outcome = fact.outcome
        if isinstance(outcome, Acknowledged):
            known = {"outcome": "acknowledged", "filled": plain(outcome.snapshot.filled)}
        else:
            known = {"outcome": "refused" if isinstance(outcome, Refused) else "in_doubt", "code": outcome.code}
        return [(fact.order, _named(known))]
    if isinstance(fact, Observed):
        seen, order = fact.snapshot, before[fact.order]
        if seen.filled > order.gross or seen.status.value == "ended" or not order.venue_order_id:
            return [(fact.order, _named({"status": seen.status.value, "filled": plain(seen.filled)}))]
    return []


def _named(known: Mapping[str, str | int | bool | Sequence[str]]) -> Attributes:
    return {PREFIX + name: value for name, value in known.items()}
