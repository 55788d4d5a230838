"""The numbers behind a record: what stands in it beside the sentence that `words` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import fields

from fsm_arb.audit.figures import amount
from fsm_arb.messages import (
    Begun,
    CancelEnded,
    Checked,
    Intended,
    Moved,
    Observed,
    Option,
    PlaceEnded,
    Sized,
    Stalled,
    Surveyed,
)
from fsm_arb.policy import POLICY_FIELDS, ExecutionPolicy
from fsm_arb.values import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsm_arb.memory import Memory
    from fsm_arb.messages import Choice, LegSurvey
    from fsm_arb.plan import LegPlan
    from fsm_arb.ports import Wire

NS_PER_MS = 1_000_000
DEFAULTS = {each.name: each.default for each in fields(ExecutionPolicy)}


def details(trade: Memory, fact: object) -> tuple[str, ...]:
    """Return the numbers of *fact*, a line each. *trade* is as it stood after it."""
    tell = _TELLERS.get(type(fact))
    return tuple(tell(trade, fact)) if tell else ()


def policy_said(policy: ExecutionPolicy) -> str:
    """Return the numbers of a policy that are not the defaults."""
    given = {name: getattr(policy, name) for name in POLICY_FIELDS}
    other = [f"{name} {_plain(value)}" for name, value in given.items() if value != DEFAULTS[name]]
    return ", ".join(other) or "every number at its default"


def option_said(trade: Memory, option: Option) -> str:
    """Return one remedy as it was weighed: the order, the book it looked at, and what it would cost."""
    leg = trade.decision.legs[option.leg]
    return option_words(option, f" {leg.base} on {leg.exchange}", f" {trade.decision.legs[0].quote}")


def option_words(option: Option, where: str = "", quote: str = "") -> str:
    """Return one remedy as it was weighed, where its market is told otherwise."""
    what = f"{option.kind.value}: {option.side.value} {amount(option.amount)}{where or f' on leg {option.leg}'}"
    seen = [
        f"{name} {price:f}"
        for name, price in (("touch", option.touch), ("average for all of it", option.vwap), ("limit", option.bound))
        if price is not None
    ]
    blocked = f"not possible: {option.blocked}" if option.blocked else ""
    cost = f"costs {option.cost:,.4f}{quote}" if option.cost is not None else ""
    return "; ".join(part for part in (what, ", ".join(seen), blocked, cost) if part)


def round_trip(wire: Wire) -> str:
    """Return how long a call was on its way; empty where nobody measured it."""
    if wire.sent_at_ns is None or wire.received_at_ns is None:
        return ""
    status = f", HTTP {wire.http_status}" if wire.http_status is not None else ""
    return f"{(wire.received_at_ns - wire.sent_at_ns) / NS_PER_MS:,.1f} ms on the wire{status}"


def _begun(_trade: Memory, fact: Begun) -> Iterator[str]:
    for leg, book in zip(fact.decision.legs, fact.decision.books, strict=True):
        if book is not None:
            bid, ask = book.touch(Side.SELL) or "none", book.touch(Side.BUY) or "none"
            yield f"book of {leg.exchange} then: bid {bid}, ask {ask}"
    if fact.decision.decided_at is not None:
        yield f"decided at {fact.decision.decided_at.isoformat()}"
    yield f"policy: {policy_said(fact.policy)}"


def _checked(_trade: Memory, fact: Checked) -> Iterator[str]:
    for name, value in fact.readings.items():
        if value:
            yield f"{name}: {value}"


def _sized(trade: Memory, fact: Sized) -> Iterator[str]:
    plan = fact.plan
    if plan is None:
        return
    for leg in plan.legs:
        yield _leg(leg)
    first, second = (leg.rules.quote for leg in plan.legs)
    yield f"1 {second} is {plan.fx:f} {first} ({plan.fx_source})"
    if plan.carried:
        yield f"trades away {plan.carried:f} {trade.decision.legs[0].base} that earlier trades left"


def _leg(leg: LegPlan) -> str:
    fee = f", {amount(leg.fee_on_buy * 100)} % of what is bought is kept in base" if leg.fee_on_buy else ""
    return (
        f"{leg.leg.exchange}: {leg.side.value} {amount(leg.amount)} {leg.rules.base}, decided at {leg.price:f},"
        f" no worse than {leg.bound:f} {leg.rules.quote}, lot {amount(leg.rules.lot)},"
        f" least order {amount(leg.least)}{fee}"
    )


def _intended(trade: Memory, fact: Intended) -> Iterator[str]:
    yield from _weighed(trade, fact.choice)


def _stalled(trade: Memory, fact: Stalled) -> Iterator[str]:
    yield from _weighed(trade, fact.choice)


def _moved(trade: Memory, fact: Moved) -> Iterator[str]:
    if fact.choice is not None and fact.choice.option is None:  # else the order that follows tells the same
        yield from _weighed(trade, fact.choice)


def _weighed(trade: Memory, choice: Choice) -> Iterator[str]:
    for option in choice.weighed:
        yield option_said(trade, option)


def _place_ended(_trade: Memory, fact: PlaceEnded) -> Iterator[str]:
    yield from filter(None, (round_trip(fact.outcome.wire),))


def _cancel_ended(_trade: Memory, fact: CancelEnded) -> Iterator[str]:
    yield from filter(None, (round_trip(fact.reply.wire),))


def _observed(_trade: Memory, fact: Observed) -> Iterator[str]:
    yield from filter(None, (round_trip(fact.wire),))


def _surveyed(trade: Memory, fact: Surveyed) -> Iterator[str]:
    for leg, survey in zip(trade.decision.legs, fact.legs, strict=True):
        if survey is not None:
            yield f"free on {leg.exchange}: {_free(survey, (leg.base, leg.quote))}"


def _free(survey: LegSurvey, currencies: tuple[str, str]) -> str:
    if survey.balances is None:
        return "could not be read"
    return ", ".join(f"{amount(survey.balances.of(currency))} {currency}" for currency in currencies)


def _plain(value: object) -> str:
    return str(getattr(value, "value", value))


_TELLERS: dict[type, Callable[[Memory, Any], Iterator[str]]] = {
    Begun: _begun,
    Checked: _checked,
    Sized: _sized,
    Intended: _intended,
    Stalled: _stalled,
    Moved: _moved,
    PlaceEnded: _place_ended,
    CancelEnded: _cancel_ended,
    Observed: _observed,
    Surveyed: _surveyed,
}
