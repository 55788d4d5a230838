"""From rules to what is matched by them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from papers import QUOTED, SPOT, SWAP

from fsm_arb.errors import InvalidInput
from fsm_arb.matching.accounts import MarginAccount, SpotAccount
from fsm_arb.matching.market import FeeRule
from fsm_arb.paper.markets import account_of, market_of
from fsm_arb.values import FeeIn

D = Decimal


@pytest.mark.parametrize("rules", [SPOT, QUOTED, SWAP])
def test_a_market_has_every_number_of_its_rules(rules: Any) -> None:
    """Lots, steps, minimums and fees."""
    market = market_of(rules)
    names = ("symbol", "base", "quote", "lot", "ticks", "amount_min", "notional_min", "taker_fee", "maker_fee")
    assert [getattr(market, name) for name in names] == [getattr(rules, name) for name in names]
    assert market.contract is (rules is SWAP)


@pytest.mark.parametrize(
    ("fee_in", "rule"),
    [(FeeIn.BASE_ON_BUY, FeeRule.RECEIVED), (FeeIn.QUOTE, FeeRule.QUOTE), (FeeIn.UNKNOWN, FeeRule.QUOTE)],
)
def test_a_fee_is_kept_of_the_base_only_where_the_rules_say_so(fee_in: FeeIn, rule: FeeRule) -> None:
    """Unknown costs the same, in quote."""
    account = account_of("paper", [evolve(SPOT, fee_in=fee_in)], {"USDT": "5"})
    assert isinstance(account, SpotAccount)
    assert account.fee_rule is rule
    assert account.balances()["USDT"].free == 5


def test_contracts_have_a_margin_account() -> None:
    """In their quote currency, at the leverage of each market."""
    other = evolve(SWAP, symbol="ETH/USDT:USDT", base="ETH", leverage=D(3))
    account = account_of("paper", [SWAP, other], {"USDT": 100})
    assert isinstance(account, MarginAccount)
    assert (account.asset, account.leverage(SWAP.symbol), account.leverage(other.symbol)) == ("USDT", 10, 3)


@pytest.mark.parametrize(
    ("rules", "balances", "what"),
    [
        ([], {}, "needs the rules"),
        ([SPOT, SWAP], {}, "mixes spot and contracts"),
        ([SPOT, evolve(QUOTED, symbol="ETH/USDT")], {}, "fees in base on one"),
        ([SWAP, evolve(SWAP, symbol="BTC/USDC:USDC", quote="USDC")], {}, "margin in USDC and USDT"),
        ([SPOT], {"BTC": -1}, "must not be negative"),
        ([SPOT], {"BTC": "many"}, "is not a number"),
    ],
)
def test_what_makes_no_account_is_said(rules: Any, balances: Any, what: str) -> None:
    """Before anything is traded on it."""
    with pytest.raises(InvalidInput, match=what):
        account_of("paper", rules, balances)
