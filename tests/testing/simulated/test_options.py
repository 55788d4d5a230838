"""Venues to choose from, and venues of one's own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.matching.market import FeeRule
from fsm_arb.testing.simulated.options import OFFERS, VENUES, binance, binanceusdm, market, upbit


def test_the_three_charge_their_fees_as_the_real_ones_do() -> None:
    """In quote, in what is received, in quote on margin."""
    assert [each().fee_rule for each in (upbit, binance, binanceusdm)] == [
        FeeRule.QUOTE,
        FeeRule.RECEIVED,
        FeeRule.QUOTE,
    ]
    assert binanceusdm().margin
    assert not binance().margin
    assert {name: make().name for name, make in VENUES.items()} == {name: name for name in VENUES}


def test_upbit_has_no_list_of_own_trades() -> None:
    """As ccxt has it."""
    assert "fetchMyTrades" not in upbit().offers
    assert "fetchMyTrades" in binance().offers


def test_what_a_venue_offers_can_be_taken_away() -> None:
    """By ccxt's own words; the rest stays."""
    weak = binance().without("fetchOrders", "fetchMyTrades")
    assert binance().offers - weak.offers == {"fetchOrders", "fetchMyTrades"}


def test_only_what_there_is_can_be_taken_away() -> None:
    """A typo would leave a venue strong, and a test of a weak one would prove nothing."""
    with pytest.raises(ValueError, match="offers fetchOrder_s: must be among"):
        binance().without("fetchOrder_s")
    assert len(set(OFFERS)) == len(OFFERS)


def test_a_market_of_one_s_own() -> None:
    """Spot, or a contract where the symbol says what it is settled in."""
    spot = market("DOGE/EUR", lot="1", tick="0.0001", fee="0.002", maker_fee="0.001")
    assert (spot.base, spot.quote, spot.lot, spot.contract) == ("DOGE", "EUR", Decimal(1), False)
    assert (spot.taker_fee, spot.maker_fee) == (Decimal("0.002"), Decimal("0.001"))
    swap = market("DOGE/USDT:USDT")
    assert (swap.quote, swap.contract) == ("USDT", True)
    assert swap.maker_fee == swap.taker_fee
    assert swap.market_id != market("DOGE/USDT").market_id
