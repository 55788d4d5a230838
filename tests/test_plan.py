"""What a trade was sized to."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, sized

from fsm_arb.values import FeeIn

D = Decimal


def test_the_fee_on_a_buy_is_the_taker_s_where_base_is_kept() -> None:
    """Zero where quote is charged, and where nobody knows."""
    assert sized(rules=(ALPHA, BETA_KEEPS_BASE)).legs[1].fee_on_buy == D("0.001")
    assert sized(rules=(ALPHA, BETA)).legs[1].fee_on_buy == 0
    assert sized(rules=(ALPHA, evolve(BETA, fee_in=FeeIn.UNKNOWN))).legs[1].fee_on_buy == 0


def test_amounts_of_leg_one_are_converted_and_those_of_leg_zero_are_not() -> None:
    """Into the quote of legs[0]."""
    plan = evolve(sized(), fx=D(1400))
    assert (plan.worth(0, D(3)), plan.worth(1, D(3))) == (3, 4200)
