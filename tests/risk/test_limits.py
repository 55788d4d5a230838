"""Limits: nonsense is refused with the field's name."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.risk.limits import GlobalLimits, RiskLimits, RouteLimits, SymbolLimits, VenueLimits, VolatilityScaling
from fsm_arb.values import Money

WON = Money(1_000_000, "KRW")


@pytest.mark.parametrize(
    ("made", "given", "named"),
    [
        (RouteLimits, {"consecutive_losses": 0}, "consecutive_losses=0"),
        (RouteLimits, {"consecutive_losses": True}, "consecutive_losses=True"),
        (RouteLimits, {"cooldown_s": -1}, "cooldown_s"),
        (SymbolLimits, {"exposure": "1.1"}, "exposure"),
        (SymbolLimits, {"drawdown": "-0.1"}, "drawdown"),
        (VenueLimits, {"exposure": Money(-1, "KRW")}, "exposure"),
        (VolatilityScaling, {"multiplier": 2}, "multiplier"),
        (RiskLimits, {"daily_loss": Money(-1, "KRW")}, "daily_loss"),
        (RiskLimits, {"daily_loss": WON, "directional_bias": "x"}, "x"),
    ],
)
def test_nonsense_is_refused_by_name(made: Any, given: dict[str, Any], named: str) -> None:
    """Before any trade is judged by it."""
    with pytest.raises(InvalidInput, match=named):
        made(**given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("capital", {"capital": Money(1, "USDT")}),
        ("venue.exposure", {"venue": VenueLimits(exposure=Money(1, "USDT"))}),
        ("overall.loss", {"overall": GlobalLimits(loss=Money(1, "USDT"))}),
        ("overall.exposure", {"overall": GlobalLimits(exposure=Money(1, "USDT"))}),
    ],
)
def test_all_money_is_in_one_currency(name: str, given: dict[str, Any]) -> None:
    """That of the day's loss."""
    with pytest.raises(CurrencyMismatch, match=name):
        RiskLimits(daily_loss=WON, **given)


def test_sizes_matter_only_where_a_limit_is_set() -> None:
    """Else no rate is needed for them."""
    assert not RiskLimits(daily_loss=WON).judges_exposure
    assert RiskLimits(daily_loss=WON, capital=WON).judges_exposure
    assert RiskLimits(daily_loss=WON, overall=GlobalLimits(exposure=WON)).judges_exposure
    assert RiskLimits(daily_loss=WON, venue=VenueLimits(exposure=WON)).currency == "KRW"
