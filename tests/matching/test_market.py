"""One instrument: its grid and its band."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from fsm_arb.testing.loopback.markets import MARKETS
from fsm_arb.values import Side

D = Decimal


@pytest.mark.parametrize(
    ("price", "tick"),
    [("999", "1"), ("5000", "5"), ("49990", "10"), ("50000", "50"), ("999500", "500"), ("1000000", "1000")],
)
def test_upbits_ticks_grow_with_the_price(price: str, tick: str) -> None:
    """The table of 2025-07-31."""
    market = MARKETS["upbit"][0]
    assert market.tick_at(D(price)) == D(tick)
    assert market.on_tick(D(price))
    assert not market.on_tick(D(price) + D(tick) / 2)


def test_a_band_bounds_how_far_through_the_touch_a_limit_may_go() -> None:
    """Behind the touch there is no bound."""
    market = evolve(MARKETS["binance"][0], band=D("0.1"))
    assert market.outside_band(Side.BUY, D("111"), D(100))
    assert not market.outside_band(Side.BUY, D("110"), D(100))
    assert not market.outside_band(Side.BUY, D("10"), D(100))
    assert market.outside_band(Side.SELL, D("89"), D(100))
    assert not MARKETS["binance"][0].outside_band(Side.SELL, D(1), D(100))
