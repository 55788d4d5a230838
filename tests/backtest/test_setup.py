"""What a backtest is run with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from recorded_books import BINANCE, SWAP, UPBIT, rules, setup

from fsm_arb.backtest.setup import SPOT, USDM, binance_setup
from fsm_arb.errors import InvalidInput
from fsm_arb.values import Leg, Money

D = Decimal


def test_numbers_may_be_given_as_they_are_written() -> None:
    """An int, a float by its shortest text, a str."""
    made = setup(tick_s=0.1, latency_ms="30", jitter_ms=5)
    assert (made.tick_s, made.latency_ms, made.jitter_ms, made.seed) == (D("0.1"), 30, 5, 7)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"legs": (UPBIT, UPBIT)}, "two different markets"),
        ({"legs": (UPBIT, Leg("binance", "ETH/USDT"))}, "of one base asset"),
        ({"rules": (rules(BINANCE), rules(UPBIT))}, "are not those of BTC/KRW"),
        ({"balances": {"upbit": {}}}, "name none of binance"),
        ({"notional": Money(D(5), "EUR")}, "must be in KRW or USDT"),
        ({"fx_book": Leg("upbit", "EUR/KRW")}, "is no rate between KRW and USDT"),
        ({"rates": {}}, "what one USDT is worth in KRW"),
        ({"tick_s": 0}, "tick_s"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"jitter_ms": -1}, "jitter_ms"),
        ({"tick_s": "soon"}, "is not a number"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_run_is_said(changes: dict[str, Any], what: str) -> None:
    """The field and the value, before any book is read."""
    with pytest.raises(InvalidInput, match=what):
        setup(**changes)


def test_one_currency_needs_no_rate() -> None:
    """A dollar is a dollar."""
    assert binance_setup().rates == {}
    assert setup(legs=(BINANCE, SWAP), rules=(rules(BINANCE), rules(SWAP)), rates={}, notional=Money(D(5), "USDT"),
                 balances={"binance": {}, "usdm": {}}).fx_book is None  # fmt: skip


def test_the_setup_of_the_recordings_is_binance_s() -> None:
    """Spot keeps its fee of the base that is bought; futures are margined twenty to one."""
    made = binance_setup(seed=9)
    assert (made.legs, made.seed) == ((SPOT, USDM), 9)
    assert [each.spot for each in made.rules] == [True, False]
    assert made.rules[1].leverage == 20
