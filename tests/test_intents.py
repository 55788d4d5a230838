"""What is written down for an order, before it is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from worlds import BETA_PERPETUAL, LEGS, PERPETUAL, SECOND, Walk, entry

from fsm_arb.errors import LedgerBroken
from fsm_arb.intents import first_intent, remedy_intent
from fsm_arb.messages import Kind, Option, Purpose
from fsm_arb.policy import OrderType
from fsm_arb.values import Side

D = Decimal
BUY_BACK = Option(kind=Kind.UNWIND, leg=0, side=Side.BUY, amount=D(10), bound=D("100.2"))
BUY_MORE = Option(kind=Kind.COMPLETE, leg=1, side=Side.BUY, amount=D(10), bound=D("100.2"))


def test_a_first_order_is_the_plan() -> None:
    """Amount and limit as sized, the policy's type, and its deadline from now."""
    walk = Walk(order_type="limit", fill_timeout_s=3)
    intent = first_intent(walk.trade.begun, walk.ledger, 1, index=1, client_order_id="c9", now=7 * SECOND)
    plan = walk.plan.legs[1]
    assert (intent.index, intent.leg, intent.purpose, intent.client_order_id) == (1, 1, Purpose.FIRST, "c9")
    assert (intent.side, intent.amount, intent.bound) == (plan.side, plan.amount, plan.bound)
    assert (intent.order_type, intent.reduce_only, intent.deadline) == (OrderType.LIMIT, False, 10 * SECOND)


@pytest.mark.parametrize(("first", "remedy"), [("ioc", "ioc"), ("limit", "limit"), ("market", "ioc")])
def test_a_remedy_is_always_bounded(first: str, remedy: str) -> None:
    """A market order has no limit, so no remedy is one."""
    walk = Walk(order_type=first)
    intent = remedy_intent(walk.trade.begun, walk.ledger, BUY_MORE, client_order_id="c9", now=0)
    assert (intent.order_type.value, intent.bound, intent.index) == (remedy, D("100.2"), 2)


@pytest.mark.parametrize("option", [BUY_BACK, BUY_MORE])
def test_spot_knows_no_reduce_only(option: Option) -> None:
    """It is a word of derivatives."""
    walk = Walk()
    intent = remedy_intent(walk.trade.begun, walk.ledger, option, client_order_id="c9", now=0)
    assert not intent.reduce_only


def test_unwinding_an_entry_on_a_derivative_only_reduces() -> None:
    """Completing it opens more."""
    walk = Walk(entry(legs=(LEGS[0], PERPETUAL)), rules=(Walk().plan.legs[0].rules, BETA_PERPETUAL))
    back = evolve(BUY_BACK, leg=1, side=Side.SELL)
    for option, reduces in ((back, True), (BUY_MORE, False)):
        intent = remedy_intent(walk.trade.begun, walk.ledger, option, client_order_id="c9", now=0)
        assert intent.reduce_only is reduces


def test_a_remedy_without_a_limit_is_our_bug() -> None:
    """None can come from a choice that was made."""
    walk = Walk()
    with pytest.raises(LedgerBroken, match="without a limit"):
        remedy_intent(walk.trade.begun, walk.ledger, evolve(BUY_MORE, bound=None), client_order_id="c9", now=0)
