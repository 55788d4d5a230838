"""Realised volatility: by head, by scale, and where there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.volatility import NS_PER_MINUTE, SpreadSample, realised_volatility

D = Decimal


def walk(*steps: tuple[str, str]) -> list[SpreadSample]:
    """Return samples from minutes and percents."""
    return [SpreadSample(int(D(minutes) * NS_PER_MINUTE), D(pct)) for minutes, pct in steps]


def test_one_move_a_minute_is_its_own_volatility() -> None:
    """Up or down."""
    assert realised_volatility(walk(("0", "1"), ("1", "1.1"), ("2", "1.0"), ("3", "0.9"))) == D("0.1")


def test_twice_the_move_in_four_times_the_time_is_the_same() -> None:
    """Per square root of a minute, so that samples need not be evenly spaced."""
    assert realised_volatility(walk(("0", "1"), ("4", "1.2"))) == D("0.1")
    assert realised_volatility(walk(("0", "1"), ("1", "1.1"), ("5", "0.9"))) == D("0.1")


def test_a_spread_that_stands_still_has_none() -> None:
    """Which is zero, and known."""
    assert realised_volatility(walk(("0", "1"), ("9", "1"))) == 0


@pytest.mark.parametrize("samples", [[], walk(("0", "1")), walk(("1", "1"), ("1", "2"))])
def test_samples_that_cover_no_time_tell_nothing(samples: list[SpreadSample]) -> None:
    """None is not zero."""
    assert realised_volatility(samples) is None


def test_samples_may_come_in_any_order() -> None:
    """They carry their times."""
    samples = walk(("0", "1"), ("1", "1.1"), ("2", "1.0"), ("3", "0.9"))
    assert realised_volatility(samples[::-1]) == realised_volatility([*samples[2:], *samples[:2]]) == D("0.1")


@given(st.lists(st.decimals(-5, 5, places=4), min_size=2, max_size=20), st.decimals("0.1", 10, places=2))
def test_it_grows_with_the_moves(moves: list[Decimal], factor: Decimal) -> None:
    """A spread that moves k times as far is k times as volatile."""
    plain = realised_volatility([SpreadSample(i * NS_PER_MINUTE, pct) for i, pct in enumerate(moves)])
    scaled = realised_volatility([SpreadSample(i * NS_PER_MINUTE, pct * factor) for i, pct in enumerate(moves)])
    assert plain is not None
    assert scaled is not None
    assert abs(scaled - plain * factor) < D("1e-20")
