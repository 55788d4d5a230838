"""What a record says, in words. Numbers carry their units; ids stand in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsm_arb.messages import (
    AbortAsked,
    Begun,
    Busted,
    CancelAsked,
    CancelEnded,
    Checked,
    ExternalFill,
    Intended,
    Judged,
    Missed,
    Moved,
    Observed,
    PlaceEnded,
    Restarted,
    Resumed,
    Sized,
    Stalled,
    Surveyed,
    WatchEnded,
)
from fsm_arb.ports import Acknowledged, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.memory import Memory
    from fsm_arb.messages import Choice, Intent, Option
    from fsm_arb.ports import OrderSnapshot


def words(trade: Memory, fact: object) -> str:
    """Return what *fact* says. *trade* is as it stood after it."""
    say = _SAYINGS.get(type(fact))
    return say(trade, fact) if say else type(fact).__name__


def _begun(trade: Memory, fact: Begun) -> str:
    decision = fact.decision
    first, second = (
        f"{side.value} {leg.symbol} on {leg.exchange} at {price:f}"
        for side, leg, price in zip(fact.sides, decision.legs, decision.prices, strict=True)
    )
    if decision.position_id:
        size = f", closing {fact.quantity or 0:f} {trade.decision.legs[0].base} of position {decision.position_id}"
    else:
        size = f", for {decision.notional}"
    why = f" ({decision.reason})" if decision.reason else ""
    return f"decided to {first} and {second}{size}{why}"


def _checked(_trade: Memory, fact: Checked) -> str:
    readings = ", ".join(f"{name} {value}" for name, value in fact.readings.items() if value)
    passed = f"checks passed: {readings}" if readings else "checks passed"
    return f"refused: {fact.refusal}" if fact.refusal else passed


def _sized(trade: Memory, fact: Sized) -> str:
    plan = fact.plan
    if plan is None:
        return f"not sized: {fact.refusal}"
    base = trade.decision.legs[0].base
    return f"sized to {plan.quantity:f} {base}, dust below {plan.dust:f}{f' ({plan.note})' if plan.note else ''}"


def _intended(trade: Memory, fact: Intended) -> str:
    orders = " and ".join(_order(trade, intent) for intent in fact.intents)
    option = fact.choice.option
    return f"will {orders}: {fact.choice.reason}{_weighed(fact.choice) if option else ''}"


def _order(trade: Memory, intent: Intent) -> str:
    leg = trade.decision.legs[intent.leg]
    return (
        f"{intent.side.value} {intent.amount:f} {leg.base} on {leg.exchange} ({intent.purpose.value},"
        f" {intent.order_type.value}, no worse than {intent.bound:f} {leg.quote})"
        f" as {intent.client_order_id}"
    )


def _weighed(choice: Choice) -> str:
    return f" [{'; '.join(_option(option) for option in choice.weighed)}]" if choice.weighed else ""


def _option(option: Option) -> str:
    if option.blocked:
        return f"to {option.kind.value}: {option.blocked}"
    cost = "can be sent" if option.cost is None else f"costs {option.cost:.2f}"
    return f"to {option.kind.value} {option.amount:f} {cost}"


def _place_ended(trade: Memory, fact: PlaceEnded) -> str:
    name, outcome = _name(trade, fact.order), fact.outcome
    if isinstance(outcome, Acknowledged):
        return f"{name} acknowledged: {_snapshot(outcome.snapshot)}"
    if isinstance(outcome, Refused):
        return f"{name} refused: {outcome.message} ({outcome.code})"
    return f"{name} is in doubt: {outcome.message} ({outcome.code})"


def _observed(trade: Memory, fact: Observed) -> str:
    return f"{_name(trade, fact.order)} seen: {_snapshot(fact.snapshot)}"


def _snapshot(snapshot: OrderSnapshot) -> str:
    at = f" at {snapshot.average:f}" if snapshot.average is not None else ""
    fees = ", ".join(f"{fee.amount:f} {fee.currency}" for fee in snapshot.fees or ())
    known = f" as {snapshot.venue_order_id}" if snapshot.venue_order_id else ""
    return f"{snapshot.status.value}, filled {snapshot.filled:f}{at}{f', fees {fees}' if fees else ''}{known}"


def _missed(trade: Memory, fact: Missed) -> str:
    how = "in any list that could show it" if fact.covered else "where it was looked for"
    return f"{_name(trade, fact.order)} not found {how}"


def _cancel_asked(trade: Memory, fact: CancelAsked) -> str:
    return f"will cancel {', '.join(_name(trade, order) for order in fact.orders)}: {fact.choice.reason}"


def _cancel_ended(trade: Memory, fact: CancelEnded) -> str:
    reply = fact.reply
    answer = "was taken" if reply.accepted else f"was refused: {reply.message} ({reply.code})"
    return f"the cancel of {_name(trade, fact.order)} {answer}"


def _surveyed(trade: Memory, fact: Surveyed) -> str:
    told = []
    for leg, survey in zip(trade.decision.legs, fact.legs, strict=True):
        if survey is None:
            told.append(f"{leg.exchange} gives no answer")
            continue
        bid, ask = (levels[0].price if levels else None for levels in (survey.book.bids, survey.book.asks))
        told.append(f"{leg.exchange} {bid} / {ask}")
    return f"books: {'; '.join(told)}"


def _stalled(_trade: Memory, fact: Stalled) -> str:
    return f"no remedy sent: {fact.choice.reason}{_weighed(fact.choice)}"


def _moved(trade: Memory, fact: Moved) -> str:
    parts = []
    if fact.choice is not None:
        parts.append(fact.choice.reason)
    if fact.outcome is not None:
        parts.append(f"outcome {fact.outcome.value}")
    if fact.booked is not None:
        parts.append(f"booked {fact.booked:f} {trade.decision.legs[0].base}")
    if fact.note and fact.note not in parts:
        parts.append(fact.note)
    return "; ".join(parts)


def _external(trade: Memory, fact: ExternalFill) -> str:
    leg = trade.decision.legs[fact.leg]
    traded = f"{fact.side.value} {fact.amount:f} {leg.base} on {leg.exchange} at {fact.price:f}"
    return f"an operator's own trade: {traded} ({fact.reason})"


def _busted(trade: Memory, fact: Busted) -> str:
    return f"{_name(trade, fact.order)}: the venue took back {fact.amount:f} ({fact.reason})"


def _judged(trade: Memory, fact: Judged) -> str:
    at = f" at {fact.price:f}" if fact.price is not None else ""
    return f"{_name(trade, fact.order)}: an operator says that it ended, filled {fact.filled:f}{at} ({fact.reason})"


def _name(trade: Memory, order: int) -> str:
    intent = trade.orders[order].intent
    return f"order {order} on {trade.decision.legs[intent.leg].exchange} ({intent.client_order_id})"


_SAYINGS: dict[type, Callable[[Memory, Any], str]] = {
    Begun: _begun,
    Checked: _checked,
    Sized: _sized,
    Intended: _intended,
    PlaceEnded: _place_ended,
    Observed: _observed,
    Missed: _missed,
    CancelAsked: _cancel_asked,
    CancelEnded: _cancel_ended,
    Surveyed: _surveyed,
    Stalled: _stalled,
    Moved: _moved,
    Resumed: lambda _, fact: f"to be tried again: {fact.reason}",
    Restarted: lambda *_: "taken up by another process; every deadline counts as passed, nothing is sent again",
    ExternalFill: _external,
    Busted: _busted,
    Judged: _judged,
    AbortAsked: lambda _, fact: f"to end before its first order: {fact.reason}",
    WatchEnded: lambda *_: "its orders are no longer watched",
}
