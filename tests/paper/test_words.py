"""What a paper venue says, in the words of the port."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from papers import request

from fsm_arb.matching.orders import Execution, Kind, Order, Status, TimeInForce
from fsm_arb.paper.words import fill_of, new_order, snapshot_of
from fsm_arb.ports import OrderStatus
from fsm_arb.values import Fee, OrderType, Side

D = Decimal


@pytest.mark.parametrize(
    ("changes", "kind", "time_in_force", "price"),
    [
        ({}, Kind.LIMIT, TimeInForce.IOC, D(100)),
        ({"order_type": OrderType.LIMIT}, Kind.LIMIT, TimeInForce.GTC, D(100)),
        ({"order_type": OrderType.MARKET}, Kind.MARKET, TimeInForce.IOC, None),
        ({"order_type": OrderType.LIMIT, "post_only": True}, Kind.LIMIT, TimeInForce.POST_ONLY, D(100)),
    ],
)
def test_an_order_is_asked_for_as_it_was_meant(changes: Any, kind: Any, time_in_force: Any, price: Any) -> None:
    """A market order's bound is an estimate and bounds nothing."""
    new = new_order(request(Side.SELL, 2, 100, reduce_only=True, **changes))
    assert (new.kind, new.time_in_force, new.price) == (kind, time_in_force, price)
    assert (new.side, new.amount, new.client_id, new.reduce_only) == (Side.SELL, D(2), "c1", True)


def executed(amount: str, price: str, fee: str, asset: str) -> Execution:
    return Execution(
        trade_id=5,
        trade_uuid="u",
        order_id="7",
        client_id="c1",
        symbol="BTC/USDT",
        side=Side.BUY,
        amount=D(amount),
        price=D(price),
        fee=D(fee),
        fee_asset=asset,
        maker=False,
        at_ms=9,
    )


def test_an_order_is_told_as_it_stands() -> None:
    """Open or ended, what filled at what price, and fees summed by asset."""
    new = new_order(request(Side.BUY, 3, 101))
    order = Order(number=7, order_id="7", new=new, created_ms=1, updated_ms=1)
    told = snapshot_of(order)
    assert (told.status, told.filled, told.average, told.fees, told.fills) == (OrderStatus.OPEN, 0, None, (), ())
    order.fills = [executed("1", "100", "0.1", "USDT"), executed("1", "101", "0.2", "USDT")]
    order.filled, order.spent, order.status = D(2), D(201), Status.EXPIRED
    told = snapshot_of(order)
    assert (told.status, told.filled, told.average) == (OrderStatus.ENDED, 2, D("100.5"))
    assert told.fees == (Fee(D("0.3"), "USDT"),)
    assert (told.venue_order_id, told.client_order_id, told.symbol) == ("7", "c1", "BTC/USDT")
    assert (told.side, told.amount, len(told.fills)) == (Side.BUY, 3, 2)


def test_a_fill_is_told_with_its_fee() -> None:
    """And its venue's id and time."""
    fill = fill_of(executed("1", "100", "0.001", "BTC"))
    assert (fill.fill_id, fill.amount, fill.price, fill.fee, fill.at_ms) == ("5", 1, 100, Fee(D("0.001"), "BTC"), 9)
