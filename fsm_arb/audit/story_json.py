"""A story as JSON: decimals as text, times both ways, names that stay. The schema stands in ``docs/reading.md``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fsm_arb.clock import NS_PER_S
from fsm_arb.policy import POLICY_FIELDS

if TYPE_CHECKING:
    from decimal import Decimal

    from fsm_arb.audit.order_story import OrderStory, Trip
    from fsm_arb.audit.story import Step, Story, Weighing
    from fsm_arb.audit.summary import Summary
    from fsm_arb.ledger import Ledger
    from fsm_arb.memory import Memory
    from fsm_arb.messages import Choice, Option
    from fsm_arb.plan import LegPlan, Plan
    from fsm_arb.values import Fee

STORY = "fsm_arb.story/1"


def story_json(story: Story) -> dict[str, Any]:
    """Return one trade's story."""
    trade = story.trade
    return {
        "schema": STORY,
        "trade_id": story.trade_id,
        "as_of": time_json(story.as_of_ns),
        "whole": story.whole,
        "head": head_json(story),
        "decision": _decision(trade),
        "checks": {"refusal": trade.checks.refusal, "readings": dict(trade.checks.readings)} if trade.checks else None,
        "plan": _plan(trade.ledger.plan) if trade.ledger else None,
        "size_refused": trade.sizing.refusal if trade.sizing else "",
        "orders": [_order(order) for order in story.orders],
        "decisions": [_weighing(story, weighing) for weighing in story.weighings],
        "exposure": [_moment(step) for step in _changes(story.steps)],
        "money": _money(trade, story.summary),
        "naked": _naked(story.summary),
        "steps": [_step(step) for step in story.steps],
        "what_to_do": list(story.advice),
    }


def head_json(story: Story) -> dict[str, Any]:
    """Return how a trade stands, in short."""
    summary, result = story.summary, story.result
    return {
        "trade_id": story.trade_id,
        "action": summary.action,
        "status": result.status if story.trade.done or story.trade.halted else None,
        "state": story.trade.state,
        "note": result.note,
        "path": list(summary.path),
        "began": time_json(summary.began_ns),
        "ended": time_json(summary.ended_ns),
        "ever_halted": summary.ever_halted,
        "position_id": summary.position_id,
        "exposure": text(story.exposure),
        "dust": text(story.dust),
        "is_naked": story.naked,
        "matched": text(summary.quantity),
        "pnl": text(summary.net) if story.trade.ledger else None,
        "orders": len(story.orders),
        "records": len(story.steps),
    }


def text(value: Decimal | None) -> str | None:
    """Return a decimal as text, without an exponent."""
    return None if value is None else f"{value:f}"


def time_json(at_ns: int | None) -> dict[str, Any] | None:
    """Return a wall clock time, ISO 8601 in UTC to the nanosecond and as whole nanoseconds."""
    if at_ns is None:
        return None
    seconds, rest = divmod(at_ns, NS_PER_S)
    return {"utc": f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z", "ns": at_ns}


def choice_json(choice: Choice | None) -> dict[str, Any] | None:
    """Return one decision and all that it compared."""
    if choice is None:
        return None
    return {
        "kind": choice.kind.value,
        "reason": choice.reason,
        "attempt": choice.attempt,
        "exposure": text(choice.exposure),
        "worst": text(choice.worst),
        "orders": list(choice.orders),
        "legs": list(choice.legs),
        "chosen": _option(choice.option) if choice.option else None,
        "weighed": [_option(option) for option in choice.weighed],
    }


def plain(value: Any) -> Any:
    """Return a number of a policy: counts as numbers, all else as text."""
    if isinstance(value, int):
        return value
    return str(getattr(value, "value", value))


def _decision(trade: Memory) -> dict[str, Any]:
    decision = trade.decision
    sides = zip(decision.legs, trade.begun.sides, decision.prices, strict=True)
    notional = decision.notional
    return {
        "action": decision.action.value,
        "reason": decision.reason,
        "notional": {"amount": text(notional.amount), "currency": notional.currency} if notional else None,
        "quantity": text(trade.begun.quantity),
        "position_id": decision.position_id,
        "decided_at": decision.decided_at.isoformat() if decision.decided_at else None,
        "legs": [
            {"exchange": leg.exchange, "symbol": leg.symbol, "side": side.value, "price": text(price)}
            for leg, side, price in sides
        ],
        "policy": {name: plain(getattr(trade.policy, name)) for name in POLICY_FIELDS},
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "quantity": text(plan.quantity),
        "dust": text(plan.dust),
        "fx": text(plan.fx),
        "fx_source": plan.fx_source,
        "leads": plan.leads,
        "carried": text(plan.carried),
        "note": plan.note,
        "legs": [_leg_plan(leg) for leg in plan.legs],
    }


def _leg_plan(leg: LegPlan) -> dict[str, Any]:
    return {
        "exchange": leg.leg.exchange,
        "symbol": leg.leg.symbol,
        "side": leg.side.value,
        "price": text(leg.price),
        "bound": text(leg.bound),
        "amount": text(leg.amount),
        "least": text(leg.least),
        "lot": text(leg.rules.lot),
    }


def _order(order: OrderStory) -> dict[str, Any]:
    return {
        "index": order.index,
        "leg": order.leg,
        "exchange": order.exchange,
        "symbol": order.symbol,
        "purpose": order.purpose,
        "side": order.side,
        "amount": text(order.amount),
        "order_type": order.order_type,
        "bound": text(order.bound),
        "reduce_only": order.reduce_only,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "step": order.step,
        "intended": time_json(order.intended_at_ns),
        "placing_ended": time_json(order.placing_ended_at_ns),
        "answer": order.answer,
        "round_trip_ns": order.round_trip_ns,
        "answered_in_ns": order.answered_in_ns,
        "first_fill": time_json(order.first_fill_at_ns),
        "cancel_asked": time_json(order.cancel_asked_at_ns),
        "ended": time_json(order.ended_at_ns),
        "standing": order.standing,
        "filled": text(order.filled),
        "average": text(order.average),
        "fees": [_fee(fee) for fee in order.fees],
        "fees_told": order.fees_told,
        "note": order.note,
        "calls": [_trip(trip) for trip in order.trips],
    }


def _fee(fee: Fee) -> dict[str, Any]:
    return {"amount": text(fee.amount), "currency": fee.currency}


def _trip(trip: Trip) -> dict[str, Any]:
    return {
        "what": trip.what,
        "recorded": time_json(trip.at_ns),
        "sent": time_json(trip.sent_at_ns),
        "received": time_json(trip.received_at_ns),
        "round_trip_ns": trip.round_trip_ns,
        "http_status": trip.http_status,
        "said": trip.said,
    }


def _weighing(story: Story, weighing: Weighing) -> dict[str, Any]:
    return {
        "step": weighing.step,
        "at": time_json(weighing.at_ns),
        "elapsed_ns": weighing.elapsed_ns,
        **(choice_json(weighing.choice) or {}),
        "cost_currency": story.trade.decision.legs[0].quote,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "kind": option.kind.value,
        "leg": option.leg,
        "side": option.side.value,
        "amount": text(option.amount),
        "touch": text(option.touch),
        "vwap": text(option.vwap),
        "bound": text(option.bound),
        "cost": text(option.cost),
        "blocked": option.blocked,
    }


def _changes(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps at which the exposure, or what it could become, was another one."""
    changes = [steps[0]]
    for step in steps[1:]:
        if (step.exposure, step.worst) != (changes[-1].exposure, changes[-1].worst):
            changes.append(step)
    return changes


def _moment(step: Step) -> dict[str, Any]:
    return {
        "step": step.number,
        "at": time_json(step.at_ns),
        "elapsed_ns": step.elapsed_ns,
        "exposure": text(step.exposure),
        "worst": text(step.worst),
        "is_naked": step.naked,
    }


def _money(trade: Memory, summary: Summary) -> dict[str, Any] | None:
    ledger: Ledger | None = trade.ledger
    if ledger is None:
        return None
    return {
        "currency": trade.decision.legs[0].quote,
        "pnl": text(summary.net),
        "gross": text(summary.gross),
        "fees": text(summary.fees),
        "slippage": text(summary.slippage),
        "matched": text(summary.quantity),
        "base": trade.decision.legs[0].base,
    }


def _naked(summary: Summary) -> dict[str, Any]:
    return {
        "seconds": text(summary.naked_s),
        "worst_exposure": text(summary.worst_exposure),
        "worst_worth": text(summary.worst_worth),
        "pieces": [
            {"from": time_json(each.from_ns), "to": time_json(each.to_ns), "exposure": text(each.exposure)}
            for each in summary.naked
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "seq": step.seq,
        "epoch": step.epoch,
        "at": time_json(step.at_ns),
        "elapsed_ns": step.elapsed_ns,
        "trigger": step.trigger,
        "before": step.before,
        "after": step.after,
        "decided": step.decided,
        "what": step.what,
        "why": step.why,
        "details": list(step.details),
        "exposure": text(step.exposure),
        "worst": text(step.worst),
        "is_naked": step.naked,
    }
