"""From what a venue accepts, as its rules say, to markets and an account that are matched by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.errors import InvalidInput
from fsm_arb.matching.accounts import MarginAccount, SpotAccount
from fsm_arb.matching.market import FeeRule, Market
from fsm_arb.values import FeeIn, to_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from fsm_arb.matching.accounts import Account
    from fsm_arb.values import MarketRules


def market_of(rules: MarketRules) -> Market:
    """Return the market that the matching engine trades by these rules."""
    return Market(
        symbol=rules.symbol,
        market_id=rules.symbol,
        base=rules.base,
        quote=rules.quote,
        lot=rules.lot,
        ticks=rules.ticks,
        amount_min=rules.amount_min,
        notional_min=rules.notional_min,
        taker_fee=rules.taker_fee,
        maker_fee=rules.maker_fee,
        contract=not rules.spot,
    )


def account_of(name: str, rules: Sequence[MarketRules], balances: Mapping[str, Decimal | int | str]) -> Account:
    """Return the account of one venue: assets for spot, margin and positions for contracts.

    Args:
        name: The venue's, for errors.
        rules: Of every market it trades.
        balances: What it begins with, by asset.

    Raises:
        InvalidInput: There is no market, spot and contracts are mixed, markets disagree on how fees or margin
            are paid, or a balance is negative or no number.
    """
    if not rules:
        raise InvalidInput("rules", rules, f"{name} needs the rules of one market at least")
    if len({each.spot for each in rules}) > 1:
        raise InvalidInput("rules", name, "mixes spot and contracts; make a paper venue of each")
    begins = {asset: to_decimal(amount, f"balances[{asset!r}]") for asset, amount in balances.items()}
    for asset, amount in begins.items():
        if amount < 0:
            raise InvalidInput(f"balances[{asset!r}]", amount, "must not be negative")
    if rules[0].spot:
        fee_rules = {_fee_rule(each) for each in rules}
        if len(fee_rules) > 1:
            raise InvalidInput("rules", name, "takes its fees in base on one market and in quote on another")
        return SpotAccount(begins, fee_rules.pop())
    quotes = {each.quote for each in rules}
    if len(quotes) > 1:
        raise InvalidInput("rules", name, f"has margin in {' and '.join(sorted(quotes))}; make a paper venue of each")
    account = MarginAccount(begins, asset=quotes.pop())
    account.leverages.update({each.symbol: each.leverage for each in rules})
    return account


def _fee_rule(rules: MarketRules) -> FeeRule:
    # Where the rules do not know, nothing is kept of the base: the fee is the same money either way.
    return FeeRule.RECEIVED if rules.fee_in is FeeIn.BASE_ON_BUY else FeeRule.QUOTE
