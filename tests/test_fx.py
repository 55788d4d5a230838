"""Rates that do not change: both directions, one hop, and no guess beyond."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import FxRate, StaticFx

D = Decimal


def test_a_rate_serves_both_directions() -> None:
    """And one currency is worth itself."""
    fx = StaticFx({"USDT/KRW": "1400"})
    assert fx.rate("USDT", "KRW") == FxRate(base="USDT", quote="KRW", rate=D(1400), source="static")
    assert abs(fx.rate("KRW", "USDT").rate * 1400 - 1) < D("1e-20")
    assert fx.rate("EUR", "EUR").rate == 1
    assert (fx.rate("USDT", "KRW").confidence, fx.rate("USDT", "KRW").at_ns) == (1, None)


def test_a_rate_may_be_found_over_one_currency_between() -> None:
    """Not over two."""
    fx = StaticFx({"USDC/USDT": D("0.999"), "USDT/KRW": 1400, "EUR/GBP": "0.85"})
    assert fx.rate("USDC", "KRW").rate == D("1398.6")
    assert abs(fx.rate("KRW", "USDC").rate * D("1398.6") - 1) < D("1e-20")
    with pytest.raises(FxUnavailable, match="no rate from EUR to KRW among EUR/GBP, GBP/EUR, KRW/USDT"):
        fx.rate("EUR", "KRW")


def test_a_direction_that_is_given_is_not_derived() -> None:
    """Two sources may differ by their spread, in either order."""
    for rates in ({"A/B": 2, "B/A": "0.4"}, {"B/A": "0.4", "A/B": 2}):
        fx = StaticFx(rates)
        assert (fx.rate("A", "B").rate, fx.rate("B", "A").rate) == (2, D("0.4"))


@pytest.mark.parametrize(
    ("pair", "value"), [("USDT", 1), ("/KRW", 1), ("USDT/", 1), ("A/B", 0), ("A/B", -1), ("A/B", 1.5), ("A/B", "x")]
)
def test_a_rate_that_makes_no_sense_is_refused_by_name(pair: str, value: Any) -> None:
    """When it is given, not when it is needed."""
    with pytest.raises(InvalidInput, match=rf"rates.*{pair}|rates"):
        StaticFx({pair: value})


def test_nothing_is_known_of_nothing() -> None:
    """An executor may be built without rates."""
    with pytest.raises(FxUnavailable):
        StaticFx({}).rate("USDT", "KRW")
