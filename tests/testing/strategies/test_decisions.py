"""Decisions that are drawn are ones that a bot may make."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.decision import DECISION_ID_MAX, CrossExchangeDecision
from fsm_arb.testing.strategies.decisions import decision_ids, decisions
from fsm_arb.values import Action, Leg

D = Decimal
LEGS = (Leg("upbit", "ETH/KRW"), Leg("binance", "ETH/USDT"))


@given(decisions(legs=LEGS, prices=(D(5_000_000), D(3_500))))
def test_a_decision_is_over_its_legs(decision: CrossExchangeDecision) -> None:
    """Sized in the quote currency of the first."""
    assert decision.legs == LEGS
    assert decision.action.is_entry
    assert decision.notional is not None
    assert decision.notional.currency == "KRW"
    assert D("0.01") <= decision.notional.amount / 5_000_000 <= 1000


def test_both_ways_round_are_reached() -> None:
    """A sign that is wrong one way round is found the other way round."""
    for action in (Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE):
        assert find(decisions(), lambda drawn, action=action: drawn.action is action).action is action


@given(decisions(notionals=st.just(D(7)), actions=st.just(Action.ENTRY_NEGATIVE), ids=decision_ids()))
def test_what_is_given_is_kept(decision: CrossExchangeDecision) -> None:
    """And any id that a decision accepts may be drawn."""
    assert decision.notional is not None
    assert decision.notional.amount == 7
    assert decision.action is Action.ENTRY_NEGATIVE
    assert 1 <= len(decision.decision_id) <= DECISION_ID_MAX
