"""How Upbit says it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fsm_arb.matching.orders import Kind, TimeInForce
from fsm_arb.testing.loopback.upbit_words import order_json, seoul, state_word
from fsm_arb.values import Side

D = Decimal


def test_times_are_written_in_seoul() -> None:
    """With milliseconds and the offset."""
    assert seoul(1_700_000_000_123) == "2023-11-15T07:13:20.123+09:00"


def test_an_order_by_cost_names_no_volume(make: Callable[..., Any], order: Callable[..., Any]) -> None:
    """Its price is what it spends, and it ends `cancel`."""
    upbit = make("upbit")
    new = order(Side.BUY, None, None, symbol="BTC/KRW", kind=Kind.COST, cost=D(100_000), time_in_force=TimeInForce.GTC)
    done = upbit.place(new, 1)
    shown = order_json(done, upbit, 0, trades=True)
    assert (shown["ord_type"], shown["price"], shown["volume"], shown["state"]) == ("price", "100000", None, "cancel")
    assert D(shown["executed_funds"]) == done.spent == D(shown["trades"][0]["funds"])


def test_an_open_order_waits(make: Callable[..., Any], order: Callable[..., Any]) -> None:
    """And locks what it may cost."""
    upbit = make("upbit")
    new = order(Side.BUY, "0.1", "90000000", symbol="BTC/KRW", time_in_force=TimeInForce.GTC, client_id="x")
    resting = upbit.place(new, 1)
    shown = order_json(resting, upbit, 0)
    assert (state_word(resting), shown["locked"], shown["identifier"]) == ("wait", "9004500", "x")
    assert "trades" not in shown
