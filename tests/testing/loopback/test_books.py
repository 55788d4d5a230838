"""Books that move by themselves."""

from __future__ import annotations

import itertools
import math
import time

import pytest

from fsm_arb.testing.loopback.books import LEVELS, MISSED_STEPS_MAX, GeneratedBooks, StepClock, Walk
from fsm_arb.testing.loopback.markets import DIALECTS, MARKETS


def books(dialect: str, seed: int = 7, step_ms: int = 50) -> GeneratedBooks:
    markets = {market.symbol: market for market in MARKETS[dialect]}
    return GeneratedBooks(dialect, markets, Walk(seed=seed), StepClock(0, step_ms))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_books_lie_on_the_grid_and_do_not_cross(dialect: str) -> None:
    """Twenty levels a side, best first, every price on its tick and every amount on its lot."""
    source = books(dialect)
    for market in MARKETS[dialect]:
        for step in range(0, 5000, 250):
            bids, asks = source.levels(market.symbol, step)
            assert (len(bids), len(asks)) == (LEVELS, LEVELS)
            assert bids[0][0] < asks[0][0]
            assert bids == sorted(bids, reverse=True)
            assert asks == sorted(asks)
            for price, amount in bids + asks:
                assert price > 0
                assert amount > 0
                assert market.on_lot(amount)
                assert math.isclose(price % market.tick_at(bids[0][0]), 0)


def test_the_same_seed_shows_the_same_books_in_any_order() -> None:
    """A step is computed from its number alone."""
    one, two, other = books("upbit"), books("upbit"), books("upbit", seed=8)
    forward = [one.levels("BTC/KRW", step) for step in range(10)]
    backward = [two.levels("BTC/KRW", step) for step in reversed(range(10))]
    assert forward == backward[::-1]
    assert other.levels("BTC/KRW", 3) != forward[3]


def test_prices_walk_and_stay_in_sight() -> None:
    """Each step moves a little; ten minutes move no more than some percent."""
    source = books("binance")
    prices = [source.middle("BTC/USDT", step) for step in range(12_000)]
    moves = [abs(b / a - 1) for a, b in itertools.pairwise(prices)]
    assert 0 < max(moves) < 0.001
    assert 0.001 < max(prices) / min(prices) - 1 < 0.1


def test_the_premium_makes_arbitrage_possible_both_ways() -> None:
    """After fees of 15 bps, selling on Upbit pays at some moments and buying there at others."""
    upbit, binance = books("upbit"), books("binance")
    gaps = []
    for step in range(0, 4000, 10):
        krw = float(upbit.levels("BTC/KRW", step)[0][0][0])
        rate = float(upbit.levels("USDT/KRW", step)[1][0][0])
        usd = float(binance.levels("BTC/USDT", step)[1][0][0])
        gaps.append(krw / rate / usd - 1)
    assert sum(gap > 0.003 for gap in gaps) > 20
    assert sum(gap < -0.003 for gap in gaps) > 20


def test_the_clock_steps_by_itself_or_by_hand() -> None:
    """Changing the pace does not jump."""
    clock = StepClock(1000, 50)
    assert [clock.step(at) for at in (900, 1000, 1049, 1050, 2000)] == [0, 0, 0, 1, 20]
    clock.move(5)
    assert clock.step(2000) == 25
    clock.set_pace(0, 2000)
    assert clock.step(9999) == 25
    clock.set_pace(100, 3000)
    assert clock.step(3100) == 26


def test_resting_orders_meet_every_step_since_the_last_look() -> None:
    """Bounded, so that a long sleep costs little."""
    source = books("upbit")
    assert list(source.missed("BTC/KRW", 3, 350)) == [4, 5, 6, 7]
    assert list(source.missed("BTC/KRW", 7, 350)) == []
    assert len(source.missed("BTC/KRW", 0, 10_000_000)) == MISSED_STEPS_MAX + 1


def test_a_book_is_cheap() -> None:
    """Well under a millisecond each."""
    source = books("upbit")
    started = time.perf_counter()
    for step in range(200):
        source.levels("BTC/KRW", step)
    assert time.perf_counter() - started < 0.4
