"""How ccxt's description of a market becomes rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lab import spot_market, swap_market

from fsm_arb.errors import UnknownSymbol, VenueMisconfigured
from fsm_arb.values import FeeIn, Side, TickBand
from fsm_arb.venues.dialects import BINANCE, DEFAULT, HYPERLIQUID, UPBIT
from fsm_arb.venues.markets import (
    DECIMAL_PLACES,
    SIGNIFICANT_DIGITS,
    TICK_SIZE,
    check_tradable,
    coarser,
    find_market,
    rules_of,
    significant_bands,
    step_of,
    ticks_of,
    upbit_ticks,
    with_live_tick,
)


@pytest.mark.parametrize(
    ("value", "mode", "floor", "expected"),
    [
        (1e-05, TICK_SIZE, None, "0.00001"),
        ("0.5", TICK_SIZE, None, "0.5"),
        (8, DECIMAL_PLACES, None, "0.00000001"),
        (4, SIGNIFICANT_DIGITS, None, "0.0001"),
        (5, TICK_SIZE, None, "5"),
        (8, None, "0.001", "0.00000001"),
        (0, None, None, "1"),
        (0.01, None, None, "0.01"),
        (10, None, "10", "10"),
        (None, TICK_SIZE, None, None),
        (0, TICK_SIZE, None, None),
    ],
)
def test_a_precision_is_a_step_or_a_count_of_places(value: Any, mode: Any, floor: Any, expected: Any) -> None:
    """ccxt has three ways to say it, and look-alikes may not say which."""
    step = step_of(value, mode, None if floor is None else Decimal(floor))
    assert step == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("price", "tick"),
    [("1500000", "1000"), ("1000000", "1000"), ("999999", "500"), ("100000", "100"), ("50000", "50"), ("10000", "10"),
     ("5000", "5"), ("4999", "1"), ("100", "1"), ("99", "0.1"), ("0.00000003", "0.00000001")],
)  # fmt: skip
def test_upbits_steps_grow_with_the_price(price: str, tick: str) -> None:
    """The table of the exchange, of which ccxt carries nothing."""
    rules = rules_of(spot_market("BTC/KRW", "KRW-BTC"), UPBIT, mode=TICK_SIZE, ticks=upbit_ticks("KRW", None))
    assert rules.tick_at(Decimal(price)) == Decimal(tick)


def test_the_live_step_replaces_its_own_band_only() -> None:
    """The exchange may have moved one band since the table was written."""
    ticks = with_live_tick(upbit_ticks("KRW", None), Decimal(700_000), Decimal(100))
    by_start = {band.price_from: band.tick for band in ticks}
    assert (by_start[Decimal(500_000)], by_start[Decimal(1_000_000)]) == (100, 1000)
    assert with_live_tick(ticks, None, Decimal(1)) == ticks
    assert upbit_ticks("BTC", Decimal("0.00000001")) == (TickBand(Decimal(0), Decimal("0.00000001")),)


def test_upbits_minimum_is_5000_krw() -> None:
    """Below it every order is refused."""
    market = spot_market("BTC/KRW", "KRW-BTC", limits={"amount": {}, "cost": {}, "price": {}})
    rules = rules_of(market, UPBIT, mode=TICK_SIZE, ticks=upbit_ticks("KRW", None))
    assert rules.notional_min == 5000
    assert rules.fee_in is FeeIn.QUOTE


def test_significant_digits_become_bands() -> None:
    """Five digits at 95,123 are whole numbers, at 9.5123 they are ten-thousandths."""
    rules = rules_of(spot_market("A/B", "AB", precision={"amount": 4, "price": 5}), DEFAULT, mode=SIGNIFICANT_DIGITS)
    assert rules.lot == Decimal("0.0001")
    assert [rules.tick_at(Decimal(price)) for price in ("95123", "9.5123")] == [1, Decimal("0.0001")]
    assert rules.bound_price(Side.BUY, Decimal("95123.7")) == 95123


def test_hyperliquids_prices_have_five_digits_and_few_places() -> None:
    """Whole numbers are always taken; decimals are six less the lot's for contracts."""
    market = swap_market("BTC/USDC:USDC", "0", "1", precision={"amount": "0.00001", "price": "1"})
    rules = rules_of(market, HYPERLIQUID, mode=TICK_SIZE)
    ticks = [rules.tick_at(Decimal(price)) for price in ("123456", "12345", "1234.5", "5")]
    assert ticks == [1, 1, Decimal("0.1"), Decimal("0.1")]
    assert next(iter(significant_bands(5))).price_from == 0


def test_steps_of_two_grids_are_joined_by_the_coarser() -> None:
    """Bithumb's own steps and ccxt's four digits must both hold."""
    sevens = (TickBand(Decimal(0), Decimal(1)), TickBand(Decimal(100), Decimal(10)))
    fives = (TickBand(Decimal(0), Decimal(5)),)
    assert [(band.price_from, band.tick) for band in coarser(sevens, fives)] == [(0, 5), (100, 10)]


def test_contracts_are_ruled_in_base() -> None:
    """A lot of one contract of 0.01 is a lot of 0.01 BTC."""
    market = swap_market("BTC/USDT:USDT", "X", "0.01", limits={"amount": {"min": "1", "max": "500"}, "cost": {}})
    rules = rules_of(market, DEFAULT, mode=TICK_SIZE, leverage=Decimal(3))
    assert (rules.lot, rules.amount_min, rules.amount_max) == (Decimal("0.01"), Decimal("0.01"), Decimal("5.00"))
    assert (rules.contract_size, rules.leverage, rules.fee_in) == (Decimal("0.01"), 3, FeeIn.QUOTE)
    assert not rules.spot


def test_fees_of_the_account_beat_the_markets_default() -> None:
    """The market's numbers are nobody's tier."""
    market = spot_market("BTC/USDT", "BTCUSDT")
    assert rules_of(market, BINANCE, mode=TICK_SIZE).taker_fee == Decimal("0.001")
    own = rules_of(market, BINANCE, mode=TICK_SIZE, fees=(Decimal("0.0004"), Decimal(0)))
    assert (own.taker_fee, own.maker_fee) == (Decimal("0.0004"), 0)
    assert own.enforces_expiry


def test_what_cannot_be_said_in_base_is_refused() -> None:
    """An inverse contract counts dollars; an option is another thing altogether."""
    for kind in ("inverse", "option"):
        with pytest.raises(VenueMisconfigured, match=kind):
            check_tradable(spot_market("BTC/USD", "X") | {kind: True}, "BTC/USD:BTC", "v")


def test_near_names_are_offered() -> None:
    """The likeliest is what was meant."""
    markets = {name: {"symbol": name} for name in ("BTC/USDT", "BTC/USDC", "ETH/USDT")}
    with pytest.raises(UnknownSymbol, match="BTC/USDT"):
        find_market(markets, "BTC/USD", "v")
    with pytest.raises(UnknownSymbol, match="nothing"):
        find_market({}, "BTC/USD", "v")


def test_a_market_that_says_nothing_gets_the_finest_grid() -> None:
    """The venue will refuse what it does not like; no step is made up."""
    rules = rules_of({"symbol": "A/B:C", "precision": None, "limits": None}, DEFAULT, mode=None)
    assert (rules.lot, rules.quote, rules.base) == (Decimal("0.00000001"), "B", "A")
    assert ticks_of({"precision": {}}, TICK_SIZE, DEFAULT)[0].tick == Decimal("0.00000001")
