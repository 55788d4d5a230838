"""Whole scenarios: a decision, the policy it runs under, and the two markets it is to be executed on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import field, frozen
from hypothesis import strategies as st

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import StaticFx
from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.sizing import SizeRefused, SizingInputs, common_lot, size
from fsm_arb.testing.strategies.amounts import decimals
from fsm_arb.testing.strategies.books import rich
from fsm_arb.testing.strategies.decisions import ENTRIES
from fsm_arb.testing.strategies.markets import LEGS, PRICE, market_pairs
from fsm_arb.testing.strategies.policies import policies as any_policies
from fsm_arb.values import ONE, ZERO, Action, Balances, Leg, MarketRules, Money, ceil_to

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


_TOO_SMALL = Decimal("0.5")  # least orders
_BOUND = Decimal("0.95")  # of a price; no policy that is drawn here bounds a first order further away
_SELDOM = 19  # one in as many, and one


@frozen(kw_only=True)
class Scenario:
    """What one trade begins with."""

    decision: CrossExchangeDecision
    policy: ExecutionPolicy
    rules: tuple[MarketRules, MarketRules]
    fx: Mapping[str, Decimal] = field(factory=dict)  # as `fsm_arb.StaticFx` takes it
    carried: Decimal = ZERO  # base, + for long: what earlier trades have left

    def free(self) -> tuple[Balances, Balances]:
        """Return balances that pay for any trade."""
        return rich(self.rules[0]), rich(self.rules[1])

    def sized(self) -> Plan | SizeRefused:
        """Return the plan of its trade, or why there is none."""
        first, second = self.decision.legs
        return size(
            SizingInputs(
                decision=self.decision,
                policy=self.policy,
                sides=self.decision.entry_sides(),
                rules=self.rules,
                fx=StaticFx(self.fx).rate(second.quote, first.quote),
                free=self.free(),
                carried=self.carried,
            )
        )


def _fx(legs: tuple[Leg, Leg], prices: tuple[Decimal, Decimal]) -> dict[str, Decimal]:
    """Return the rate at which both prices are worth the same."""
    first, second = legs
    return {} if first.quote == second.quote else {f"{second.quote}/{first.quote}": prices[0] / prices[1]}


def scenarios(
    *,
    legs: tuple[Leg, Leg] = LEGS,
    prices: tuple[Decimal, Decimal] = (PRICE, PRICE),
    policies: SearchStrategy[ExecutionPolicy] | None = None,
    markets: SearchStrategy[tuple[MarketRules, MarketRules]] | None = None,
    actions: SearchStrategy[Action] | None = None,
    too_small: bool = True,
) -> SearchStrategy[Scenario]:
    """Draw scenarios of entries that both venues would take, and now and then of one that they would not.

    Args:
        legs: The two markets.
        prices: What is decided on, quote per base, one a leg.
        policies: None: `fsm_arb.testing.strategies.policies`.
        markets: None: `fsm_arb.testing.strategies.market_pairs`.
        actions: None: both entries.
        too_small: Whether a trade may be too small to be sized.
    """
    # Sizes are counted in least orders: at one or two of them every remainder is dust or close to it.
    usual = st.sampled_from((Decimal(10), Decimal(2), Decimal(100))) | decimals(Decimal("1.2"), Decimal(5), ONE / 10)
    # Seldom, and never in what a failure shrinks to.
    seldom = st.integers(0, _SELDOM).flatmap(lambda dice: st.just(_TOO_SMALL) if dice == _SELDOM else usual)
    return _scenarios(
        legs,
        prices,
        rules=markets if markets is not None else market_pairs(legs, prices=prices),
        times=seldom if too_small else usual,
        action=actions if actions is not None else st.sampled_from(ENTRIES),
        policy=policies if policies is not None else any_policies(),
        left=st.sampled_from((ZERO, ONE, -ONE, Decimal(100), Decimal(-100))),
    )


@st.composite
def _scenarios(
    draw: st.DrawFn,
    legs: tuple[Leg, Leg],
    prices: tuple[Decimal, Decimal],
    *,
    rules: SearchStrategy[tuple[MarketRules, MarketRules]],
    times: SearchStrategy[Decimal],
    action: SearchStrategy[Action],
    policy: SearchStrategy[ExecutionPolicy],
    left: SearchStrategy[Decimal],
) -> Scenario:
    drawn = draw(rules)
    # At the worst price that a bound may have, and on the common grid: what is floored to it is still enough.
    least = max(each.least_order(price * _BOUND) for each, price in zip(drawn, prices, strict=True))
    largest = ceil_to(least, common_lot(drawn[0].lot, drawn[1].lot))
    decision = CrossExchangeDecision(
        action=draw(action),
        legs=legs,
        notional=Money(largest * draw(times) * prices[0], legs[0].quote),
        prices=prices,
        decision_id="d1",
    )
    lot = min(each.lot for each in drawn)
    return Scenario(decision=decision, policy=draw(policy), rules=drawn, fx=_fx(legs, prices), carried=draw(left) * lot)
