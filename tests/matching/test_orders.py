"""Orders as they are remembered."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.orders import NewOrder, Status, TimeInForce
from fsm_arb.values import Side

D = Decimal
Make = Callable[..., Exchange]
NewOrders = Callable[..., NewOrder]


def test_an_order_is_remembered_as_it_stood(make: Make, order: NewOrders) -> None:
    """A stale read needs the past: fills and status as of any moment."""
    exchange = make("binance")
    resting = exchange.place(order(Side.BUY, "0.1", "59000", time_in_force=TimeInForce.GTC), 10)
    exchange.set_book("BTC/USDT", [], [(D(58_900), D("0.04"))], 20)
    exchange.cancel(resting, 30)
    views = [resting.as_of(at) for at in (5, 15, 25, 35)]
    assert [(view.status, view.filled) for view in views] == [
        (Status.OPEN, 0),
        (Status.OPEN, 0),
        (Status.OPEN, D("0.04")),
        (Status.CANCELED, D("0.04")),
    ]
