"""Generated books are cheap, on the grid, and the same for the same seed."""

from __future__ import annotations

import decimal
import itertools
from decimal import Decimal

import pytest

from fsm_arb.testing.loopback.markets import MARKETS
from fsm_arb.testing.simulated.books import MISSED_STEPS_MAX, RATES, SteppedBooks, Walk

KRW = {market.symbol: market for market in MARKETS["upbit"]}
USDT = {market.symbol: market for market in MARKETS["binance"]}


def books(venue: str = "binance", seed: int = 1, **changes: int) -> SteppedBooks:
    walk = Walk(seed=seed, **changes)
    markets = KRW if venue == "upbit" else USDT
    return SteppedBooks(venue, markets, walk, prices={}, started_ms=1_000, levels=5, depth=Decimal(100))


@pytest.mark.parametrize(("venue", "symbol"), [("binance", "BTC/USDT"), ("upbit", "BTC/KRW"), ("upbit", "XRP/KRW")])
def test_a_book_is_sorted_apart_and_on_the_grid(venue: str, symbol: str) -> None:
    """Whoever reads it may trade at every price of it."""
    markets = KRW if venue == "upbit" else USDT
    for step in range(50):
        bids, asks = books(venue).levels(symbol, step)
        prices = [price for price, _ in bids][::-1] + [price for price, _ in asks]
        assert prices == sorted(set(prices))
        assert len(bids) == len(asks) == 5
        for price, amount in bids + asks:
            assert markets[symbol].on_tick(price)
            assert markets[symbol].on_lot(amount)
            assert amount > 0


def test_the_same_seed_gives_the_same_books() -> None:
    """Another seed, or step, gives others."""
    assert books().levels("BTC/USDT", 7) == books().levels("BTC/USDT", 7)
    assert books().levels("BTC/USDT", 7) != books(seed=2).levels("BTC/USDT", 7)
    assert books().levels("BTC/USDT", 7) != books().levels("BTC/USDT", 8)


def test_books_do_not_depend_on_the_thread_s_own_precision() -> None:
    """Which ccxt's helpers change."""
    usual = books("upbit").levels("BTC/KRW", 3), books("upbit").middle("BTC/KRW", 3)
    with decimal.localcontext(decimal.Context(prec=6)):
        assert (books("upbit").levels("BTC/KRW", 3), books("upbit").middle("BTC/KRW", 3)) == usual


def test_prices_stay_near_their_start_and_move_in_small_steps() -> None:
    """Within the swing; and no step jumps further than an eighth of it all."""
    made = books(swing_bps=40, basis_bps=6)
    start = made.start("BTC/USDT")
    prices = [made.middle("BTC/USDT", step) for step in range(300)]
    assert all(abs(price / start - 1) <= Decimal("0.0046") for price in prices)
    assert len(set(prices)) > 200
    assert max(abs(one / other - 1) for one, other in itertools.pairwise(prices)) < Decimal("0.0012")


def test_venues_share_what_an_asset_is_worth() -> None:
    """They differ by their own swings and nothing else."""
    krw, usdt = books("upbit"), books("binance")
    for step in range(100):
        ratio = krw.middle("BTC/KRW", step) / usdt.middle("BTC/USDT", step) / RATES["KRW"]
        assert abs(ratio - 1) < Decimal("0.0013")


def test_a_step_lasts_as_long_as_it_says() -> None:
    """Zero: the books stand still."""
    made, still = books(step_ms=100), books(step_ms=0)
    assert [made.version("BTC/USDT", ms) for ms in (500, 1_000, 1_099, 1_100, 2_000)] == [0, 0, 0, 1, 10]
    assert still.version("BTC/USDT", 10**9) == 0


def test_a_resting_order_meets_the_latest_books_only() -> None:
    """However long nobody looked."""
    made = books(step_ms=100)
    assert list(made.missed("BTC/USDT", 3, 1_500)) == [4, 5]
    assert list(made.missed("BTC/USDT", 0, 101_000)) == list(range(1_001 - MISSED_STEPS_MAX, 1_001))
    assert list(made.missed("BTC/USDT", 5, 1_500)) == []
    assert [made.began_ms(version) for version in (-1, 0, 3)] == [1_000, 1_000, 1_300]


def test_a_price_of_one_s_own_is_where_the_walk_begins() -> None:
    """For markets nobody has heard of."""
    made = SteppedBooks(
        "x", USDT, Walk(seed=1), prices={"BTC/USDT": Decimal(5)}, started_ms=0, levels=2, depth=Decimal(1)
    )
    assert made.start("BTC/USDT") == 5
    assert abs(made.middle("BTC/USDT", 3) - 5) < Decimal("0.03")
