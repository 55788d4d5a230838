"""What is set on an exchange object before it may trade."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import ccxt as synchronous
import ccxt.async_support as ccxt
import pytest
from fakes import FakeExchange

from fsm_arb.clock import SystemClock
from fsm_arb.errors import VenueMisconfigured
from fsm_arb.venues.ccxt_venue import CcxtVenue
from fsm_arb.venues.dialects import BINANCE, DEFAULT
from fsm_arb.venues.settings import is_ccxt, is_synchronous, make_safe


def test_a_real_exchange_is_made_safe() -> None:
    """Exact numbers, no retries, market orders that count base."""
    exchange = ccxt.binance({"options": {"createOrder": {"quoteOrderQty": True}}})
    CcxtVenue(exchange, name="binance", clock=SystemClock())
    assert exchange.number is str
    assert exchange.maxRetriesOnFailure == 0
    assert exchange.options["maxRetriesOnFailure"] == 0
    assert exchange.options["createOrder"]["quoteOrderQty"] is False


def test_a_changed_option_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its owner should know that his setting was not safe."""
    exchange = ccxt.binance({"options": {"createOrder": {"quoteOrderQty": True}}})
    with caplog.at_level(logging.INFO):
        make_safe(exchange, BINANCE, "mine")
    assert "createOrder.quoteOrderQty" in caplog.text


def test_both_instances_are_made_safe() -> None:
    """The one that places is the one that matters."""
    reads, orders = ccxt.upbit(), ccxt.upbit()
    CcxtVenue(reads, name="upbit", orders=orders, clock=SystemClock())
    assert (reads.number, orders.number) == (str, str)


@pytest.mark.parametrize(("options", "named"), [(["x"], "options"), ({"createOrder": "x"}, "createOrder")])
def test_what_cannot_be_set_is_named(options: Any, named: str) -> None:
    """Better no venue than one that buys a multiple."""
    exchange = ccxt.binance()
    exchange.options = options
    with pytest.raises(VenueMisconfigured, match=named):
        make_safe(exchange, BINANCE, "mine")


def test_a_setting_that_does_not_stay_is_named() -> None:
    """A subclass may insist on its floats."""

    class Stubborn(ccxt.upbit):
        number = property(lambda _self: float, lambda _self, _value: None)

    with pytest.raises(VenueMisconfigured, match="number"):
        make_safe(Stubborn(), DEFAULT, "mine")

    class Frozen(ccxt.upbit):
        number = property(lambda _self: float)

    with pytest.raises(VenueMisconfigured, match="number"):
        make_safe(Frozen(), DEFAULT, "mine")


def test_look_alikes_are_left_as_they_are() -> None:
    """Nobody knows what their attributes mean."""
    exchange = FakeExchange()
    before = dict(vars(exchange))
    make_safe(exchange, DEFAULT, "mine")
    assert vars(exchange) == before


def test_families_are_told_apart() -> None:
    """By what ccxt's classes declare, else by their methods."""
    assert is_ccxt(ccxt.upbit())
    assert not is_ccxt(FakeExchange())
    assert is_synchronous(synchronous.upbit())
    assert not is_synchronous(ccxt.upbit())
    assert not is_synchronous(FakeExchange())
    assert not is_synchronous(SimpleNamespace(create_order=AsyncMock()))
    assert is_synchronous(SimpleNamespace(create_order=lambda: None))


def test_what_a_verbose_exchange_prints_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Told to be verbose, ccxt prints whole requests past every logger; what it says else stays."""
    exchange = ccxt.binance({"apiKey": "planted-api-key-77aa", "verbose": True})
    CcxtVenue(exchange, name="binance", clock=SystemClock())
    exchange.log("\nfetch Request:", "binance", "GET", "https://x/o?signature=abcdef", {"X": "planted-api-key-77aa"})
    printed = capsys.readouterr().out
    assert printed == "\nfetch Request: binance GET https://x/o?signature=*** {'X': '***'}\n"


def test_an_exchange_that_is_wrapped_twice_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    """As by a second executor over the same object."""
    exchange = ccxt.binance()
    for _ in range(2):
        CcxtVenue(exchange, name="binance", clock=SystemClock())
    before = exchange.log
    CcxtVenue(exchange, name="binance", clock=SystemClock())
    exchange.log("once")
    assert exchange.log is before
    assert capsys.readouterr().out == "once\n"
