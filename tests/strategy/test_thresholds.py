"""The numbers of a strategy: what they may be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import fields

from fsm_arb.errors import InvalidInput
from fsm_arb.spread import Basis
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.values import Money

D = Decimal


@pytest.mark.parametrize("value", [2, 2.5, "2.5", D("2.5")])
def test_a_number_may_be_given_in_any_form(value: Any) -> None:
    """A float by the digits it prints."""
    thresholds = StrategyThresholds(entry_pct=value, volatility_reference_pct=value)
    assert thresholds.entry_pct == thresholds.volatility_reference_pct == D(str(value))


@pytest.mark.parametrize("name", ["entry_basis", "exit_basis"])
def test_a_basis_may_be_given_by_name_or_member_and_nothing_else(name: str) -> None:
    """The error lists what there is."""
    assert getattr(StrategyThresholds(**{name: "gross"}), name) is Basis.GROSS
    assert getattr(StrategyThresholds(**{name: Basis.NET}), name) is Basis.NET
    with pytest.raises(InvalidInput, match=f"{name}='mid': must be one of gross, executable, net"):
        StrategyThresholds(**{name: "mid"})


NONSENSE: list[tuple[str, Any, str]] = [
    *[
        (name, value, reason)
        for name in ("entry_pct", "take_profit_pct", "stop_loss_pct", "liquidity_band_pct")
        for value, reason in ((0, "greater than zero"), (-1, "greater than zero"), (100, "below 100 %"))
    ],
    ("neutral_pct", -1, "must not be negative"),
    ("fx_cost_pct", 100, "below 100 %"),
    ("hold_max_s", 0, "greater than zero"),
    ("hold_max_s", "soon", "is not a number"),
    ("hold_max_s", float("nan"), "must be finite"),
    ("hold_max_s", True, "not bool"),
    ("hold_max_s", None, "not NoneType"),
    ("fx_max_age_s", 0, "greater than zero"),
    ("book_max_age_s", 0, "greater than zero"),
    ("fx_min_confidence", "1.1", "from 0 to 1"),
    ("fx_min_confidence", "-0.1", "from 0 to 1"),
    ("liquidity_min", Money(D(-1), "KRW"), "must be Money, zero or more"),
    ("liquidity_min", 100_000_000, "must be Money, zero or more"),
    ("positions_max", 0, "a whole number, 1 or more"),
    ("positions_max", True, "a whole number, 1 or more"),
    ("positions_max", 1.5, "a whole number, 1 or more"),
    ("volatility_samples_min", 1, "a whole number, 2 or more"),
    ("volatility_reference_pct", 0, "greater than zero"),
    ("volatility_reference_pct", "wild", "is not a number"),
    ("exit_on_degraded", "yes", "must be True or False"),
    ("scale_min", 0, "greater than zero"),
    ("scale_min", 4, "must not be above scale_max=3"),
    ("scale_max", "0.5", "must not be above scale_max=0.5"),
    ("neutral_pct", "0.6", "must not be above entry_pct=0.5"),
]


@pytest.mark.parametrize(("name", "value", "reason"), NONSENSE)
def test_nonsense_is_refused_by_name(name: str, value: Any, reason: str) -> None:
    """With field and value, before any tick."""
    with pytest.raises(InvalidInput, match=reason):
        StrategyThresholds(**{name: value})


def test_limits_are_allowed() -> None:
    """At most and at least mean that; static thresholds have no reference."""
    thresholds = StrategyThresholds(neutral_pct="0.5", scale_min=3, fx_min_confidence=1, liquidity_min=Money(0, "KRW"))
    assert (thresholds.neutral_pct, thresholds.scale_min, thresholds.volatility_reference_pct) == (D("0.5"), 3, None)
    assert StrategyThresholds(neutral_pct=0, fx_min_confidence=0, fx_cost_pct=0).neutral_pct == 0


def test_every_field_is_described() -> None:
    """A bot's author reads the class."""
    doc = StrategyThresholds.__doc__ or ""
    assert [each.name for each in fields(StrategyThresholds) if f"\n        {each.name}: " not in doc] == []
