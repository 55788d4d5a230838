"""Whole scenarios: nearly all can be traded, at sizes where rounding bites, and both currencies are worth the same."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.sizing import SizeRefused
from fsm_arb.testing.strategies.policies import policies
from fsm_arb.testing.strategies.scenarios import Scenario, scenarios
from fsm_arb.values import Action, Leg, Side

D = Decimal
LEGS = (Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT"))
PRICES = (D(95_000_000), D(68_000))


@given(scenarios(too_small=False, policies=policies(max_remedy_loss_bps=300, slippage_bps=20)))
def test_what_is_not_too_small_can_be_sized(scenario: Scenario) -> None:
    """Both orders are such as the venues take, and no more than a lot and a fee apart."""
    plan = scenario.sized()
    assert isinstance(plan, Plan), plan
    assert all(leg.amount >= leg.least for leg in plan.legs)
    assert 0 < plan.dust <= plan.quantity


def test_a_trade_that_no_venue_takes_is_reached() -> None:
    """And is refused by sizing, before any order."""
    found = find(
        scenarios(),
        lambda drawn: isinstance(drawn.sized(), SizeRefused),
        settings=settings(max_examples=1000, phases=[Phase.generate], database=None),
    )
    assert isinstance(found.sized(), SizeRefused)


@given(scenarios(legs=LEGS, prices=PRICES, policies=st.just(ExecutionPolicy()), actions=st.just(Action.ENTRY_POSITIVE)))
def test_the_rate_makes_both_prices_worth_the_same(scenario: Scenario) -> None:
    """So that completing and unwinding cost about the same, and either may be chosen."""
    plan = scenario.sized()
    if isinstance(plan, Plan):
        assert abs(plan.worth(1, PRICES[1]) - PRICES[0]) < D("0.01")
        assert plan.legs[0].side is Side.SELL
    assert scenario.policy == ExecutionPolicy()


def test_one_currency_needs_no_rate() -> None:
    """Two venues of one quote currency."""
    legs = (Leg("alpha", "BTC/USD"), Leg("beta", "BTC/USD"))
    assert find(scenarios(legs=legs), lambda _: True).fx == {}


@given(scenarios())
def test_all_of_it_is_money_and_none_of_it_floats(scenario: Scenario) -> None:
    """Down to what earlier trades have left."""
    assert isinstance(scenario.carried, Decimal)
    assert all(isinstance(rate, Decimal) for rate in scenario.fx.values())
    assert all(balances.of(rules.base) > 10**6 for balances, rules in zip(scenario.free(), scenario.rules, strict=True))
