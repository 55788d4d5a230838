"""Decisions to enter: either way round, of any size from what no venue takes to far more than a book holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from fsm_arb.decision import DECISION_ID_MAX, CrossExchangeDecision
from fsm_arb.testing.strategies.amounts import decimals
from fsm_arb.testing.strategies.markets import LEGS, PRICE
from fsm_arb.values import Action, Leg, Money

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ENTRIES = (Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE)


def decision_ids() -> SearchStrategy[str]:
    """Draw ids that a decision accepts, the short and plain ones first."""
    return st.text(st.characters(codec="utf-8"), min_size=1, max_size=DECISION_ID_MAX)


def decisions(
    *,
    legs: tuple[Leg, Leg] = LEGS,
    prices: tuple[Decimal, Decimal] = (PRICE, PRICE),
    notionals: SearchStrategy[Decimal] | None = None,
    actions: SearchStrategy[Action] | None = None,
    ids: SearchStrategy[str] | None = None,
) -> SearchStrategy[CrossExchangeDecision]:
    """Draw entries.

    Args:
        legs: The two markets.
        prices: What it is decided on, quote per base, one a leg.
        notionals: In the quote currency of ``legs[0]``; None: a hundredth to a thousand base.
        actions: None: both entries.
        ids: None: ``"d1"``.
    """
    price = prices[0]
    amounts = notionals if notionals is not None else decimals(price / 100, price * 1000, price / 100)
    return st.builds(
        CrossExchangeDecision,
        action=actions if actions is not None else st.sampled_from(ENTRIES),
        legs=st.just(legs),
        notional=amounts.map(lambda amount: Money(amount, legs[0].quote)),
        prices=st.just(prices),
        decision_id=ids if ids is not None else st.just("d1"),
    )
