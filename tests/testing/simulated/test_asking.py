"""What a caller's words ask for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt
import pytest

from fsm_arb.matching.orders import Kind, TimeInForce
from fsm_arb.testing.simulated.asking import Asked
from fsm_arb.testing.simulated.options import market

MARKET = market("BTC/USDT")
D = Decimal


@pytest.mark.parametrize(
    ("params", "time_in_force"),
    [
        ({}, TimeInForce.GTC),
        ({"timeInForce": "ioc"}, TimeInForce.IOC),
        ({"timeInForce": "FOK"}, TimeInForce.FOK),
        ({"timeInForce": "PO"}, TimeInForce.POST_ONLY),
        ({"timeInForce": "GTC", "postOnly": True}, TimeInForce.POST_ONLY),
    ],
)
def test_how_long_an_order_stands(params: dict[str, Any], time_in_force: TimeInForce) -> None:
    """Post-only wins over good till cancelled."""
    assert Asked(params).order(MARKET, "limit", "buy", D(1), D(100)).time_in_force is time_in_force


@pytest.mark.parametrize("key", ["clientOrderId", "newClientOrderId", "identifier", "clientOid"])
def test_a_caller_s_id_is_known_by_several_names(key: str) -> None:
    """ccxt's, and those that exchanges have for it."""
    assert Asked({key: 17}).client_id == "17"
    assert Asked(None).client_id is None


def test_a_market_order_has_no_price() -> None:
    """Some callers give one, as an estimate."""
    new = Asked({}).order(MARKET, "market", "sell", D(1), D(100))
    assert (new.kind, new.price, new.amount) == (Kind.MARKET, None, D(1))


def test_a_cost_says_how_much_quote_is_spent() -> None:
    """Then there is no amount."""
    new = Asked({"cost": "50"}).order(MARKET, "market", "buy", None, None)
    assert (new.kind, new.cost, new.amount) == (Kind.COST, D(50), None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("limit", "buy", D(1), None), ccxt.ArgumentsRequired),
        (("stop", "buy", D(1), D(1)), ccxt.InvalidOrder),
        (("limit", "long", D(1), D(1)), ccxt.InvalidOrder),
    ],
)
def test_what_cannot_be_ordered_is_refused_before_it_leaves(arguments: Any, error: type[Exception]) -> None:
    """As ccxt does."""
    with pytest.raises(error):
        Asked({}).order(MARKET, *arguments)


@pytest.mark.parametrize("params", [{"timeInForce": "DAY"}, {"cost": "much"}])
def test_words_nobody_knows_are_refused(params: dict[str, Any]) -> None:
    """Not passed over."""
    with pytest.raises(ccxt.InvalidOrder):
        Asked(params).order(MARKET, "market", "buy", D(1), None)


def test_reduce_only_is_passed_on() -> None:
    """It may only make a position smaller."""
    assert Asked({"reduceOnly": True}).order(MARKET, "limit", "buy", D(1), D(1)).reduce_only
