"""Markets that are drawn: each is one that a venue could have, and together they reach the awkward ones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.testing.strategies.markets import LEGS, market_pairs, market_rules
from fsm_arb.values import FeeIn, MarketRules, Side, floor_to

D = Decimal


@given(market_rules("ETH/KRW", price=D(5_000_000)))
def test_rules_are_of_the_symbol_and_on_their_own_grid(rules: MarketRules) -> None:
    """A least amount that is no multiple of the lot could not be ordered."""
    assert (rules.symbol, rules.base, rules.quote) == ("ETH/KRW", "ETH", "KRW")
    assert rules.spot
    assert floor_to(rules.amount_min, rules.lot) == rules.amount_min
    assert rules.least_order(D(5_000_000)) >= rules.amount_min
    assert abs(rules.bound_price(Side.BUY, D(5_000_000)) - D(5_000_000)) <= 5_000


@given(market_rules("BTC/USDT:USDT"))
def test_a_contract_keeps_no_base(rules: MarketRules) -> None:
    """Derivatives are charged in what they settle in."""
    assert not rules.spot
    assert rules.fee_in is FeeIn.QUOTE
    assert rules.quote == "USDT"


@pytest.mark.parametrize(
    "wanted",
    [
        lambda rules: rules.fee_in is FeeIn.BASE_ON_BUY and rules.taker_fee > 0,
        lambda rules: rules.notional_min > rules.amount_min * 100,
        lambda rules: rules.lot == D("0.003"),
        lambda rules: not rules.enforces_expiry,
    ],
)
def test_awkward_markets_are_reached(wanted: Callable[[MarketRules], bool]) -> None:
    """A base fee, a minimum by value, a lot that is no power of ten, a venue that lets requests come late."""
    assert wanted(find(market_rules(), wanted))


@given(market_rules(lots=st.just(D("0.5")), fee_in=st.just(FeeIn.UNKNOWN)))
def test_what_is_given_is_kept(rules: MarketRules) -> None:
    """A bot's author knows his own venue."""
    assert rules.lot == D("0.5")
    assert rules.fee_in is FeeIn.UNKNOWN


@given(market_pairs())
def test_a_pair_is_of_its_legs(pair: tuple[MarketRules, MarketRules]) -> None:
    """In their order."""
    assert [rules.symbol for rules in pair] == [leg.symbol for leg in LEGS]
