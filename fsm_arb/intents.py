"""From a choice to an order, written down before it is sent."""

from __future__ import annotations

from fsm_arb.choice import first_amount
from fsm_arb.errors import LedgerBroken
from fsm_arb.ledger import Ledger, will_not_reduce
from fsm_arb.messages import Begun, Intent, Kind, Option, Purpose
from fsm_arb.policy import seconds_ns
from fsm_arb.values import OrderType


def first_intent(begun: Begun, ledger: Ledger, leg: int, *, index: int, client_order_id: str, now: int) -> Intent:
    """Return a leg's first order.

    Args:
        begun: The trade's decision and policy.
        ledger: Its books.
        leg: Which leg.
        index: The order's place within the trade.
        client_order_id: Fresh, never used before.
        now: Monotonic ns.
    """
    plan = ledger.plan.legs[leg]
    return Intent(
        index=index,
        leg=leg,
        purpose=Purpose.FIRST,
        side=plan.side,
        amount=first_amount(ledger, begun.policy, leg),
        order_type=begun.policy.order_type,
        bound=plan.bound,
        client_order_id=client_order_id,
        reduce_only=begun.decision.action.is_exit and not plan.rules.spot,
        deadline=now + seconds_ns(begun.policy.fill_timeout_s),
    )


def remedy_intent(begun: Begun, ledger: Ledger, option: Option, *, client_order_id: str, now: int) -> Intent:
    """Return the order of a remedy: always with a limit, whatever the policy's first orders are.

    Args:
        begun: The trade's decision and policy.
        ledger: Its books.
        option: The remedy as it was weighed.
        client_order_id: Fresh, never used before.
        now: Monotonic ns.

    Raises:
        LedgerBroken: The remedy was never given a limit.
    """
    if option.bound is None:
        raise LedgerBroken(f"to {option.kind.value} without a limit")
    unwinds = option.kind is Kind.UNWIND
    # An exit that completes makes its position smaller; an entry does so when it unwinds.
    reduces = unwinds is begun.decision.action.is_entry
    reduces = reduces and not will_not_reduce(ledger, option.leg)  # then it goes out plain
    return Intent(
        index=len(ledger.orders),
        leg=option.leg,
        purpose=Purpose.UNWIND if unwinds else Purpose.COMPLETE,
        side=option.side,
        amount=option.amount,
        order_type=OrderType.LIMIT if begun.policy.order_type is OrderType.LIMIT else OrderType.IOC,
        bound=option.bound,
        client_order_id=client_order_id,
        reduce_only=reduces and not ledger.plan.legs[option.leg].rules.spot,
        deadline=now + seconds_ns(begun.policy.fill_timeout_s),
    )
