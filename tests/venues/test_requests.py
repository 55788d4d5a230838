"""How an order is said, and what is never said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fakes import FakeExchange
from lab import MARKETS, OUR_ID, Lab

from fsm_arb.ports import OrderRequest, Refused
from fsm_arb.values import OrderType, Side
from fsm_arb.venues.dialects import COINONE, DEFAULT, DIALECTS
from fsm_arb.venues.requests import Unplaceable, order_arguments

SPOT = {"symbol": "BTC/USDT", "id": "X", "spot": True}


def request(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "symbol": "BTC/USDT", "side": Side.BUY, "amount": Decimal("1E-7"), "order_type": OrderType.LIMIT,
        "bound": Decimal(10), "client_order_id": OUR_ID,
    }  # fmt: skip
    return OrderRequest(**(values | changes))


async def test_a_limit_that_ccxt_would_cross_is_not_sent(make_lab: Any) -> None:
    """It rounds to nearest, and a buy at 95,123,000 would become one at 95,120,000 or 95,130,000."""
    lab: Lab = make_lab("bithumb")
    refused = await lab.place(bound=Decimal(95_126_000))
    assert isinstance(refused, Refused)
    assert refused.code == "price_off_grid"
    assert lab.capture.seen == []
    rules = await lab.venue.rules(lab.symbol)
    assert rules.bound_price(Side.BUY, Decimal(95_126_000)) == 95_120_000


async def test_an_amount_that_ccxt_would_cut_is_cut(make_lab: Any) -> None:
    """Less than asked is safe, and the reply says how much it was."""
    lab: Lab = make_lab("binance")
    lab.capture.on("POST", "/api/v3/order", {"orderId": 1, "symbol": "BTCUSDT", "status": "NEW"})
    await lab.place(amount=Decimal("0.0120000019"))
    assert lab.capture.seen[-1].body["quantity"] == "0.012"


def test_reduce_only_is_said_of_contracts_only() -> None:
    """A spot market knows no such thing."""
    fake = FakeExchange()
    assert "reduceOnly" not in order_arguments(request(reduce_only=True), SPOT, DEFAULT, fake).params
    swap = MARKETS["binanceusdm"][0]
    assert order_arguments(request(reduce_only=True), swap, DEFAULT, fake).params["reduceOnly"] is True


def test_amounts_are_counted_in_contracts() -> None:
    """Exactly, also where the quotient is long."""
    swap = {"symbol": "BTC/USDT:USDT", "swap": True, "contractSize": "0.001"}
    said = order_arguments(request(amount=Decimal("0.123")), swap, DEFAULT, FakeExchange()).positional
    assert said[3] == 123


def test_an_exchange_without_immediate_or_cancel_says_so() -> None:
    """An order that would rest instead is another order."""
    with pytest.raises(Unplaceable, match="immediate-or-cancel") as caught:
        order_arguments(request(order_type=OrderType.IOC), SPOT, COINONE, FakeExchange())
    assert caught.value.code == "order_type_not_supported"


@pytest.mark.parametrize("row", DIALECTS.values(), ids=lambda row: row.exchange_id)
def test_our_own_ids_fit_every_row(row: Any) -> None:
    """Eighteen lowercase letters and digits, whatever they begin with."""
    for client_order_id in (OUR_ID, "t" * 18, "0" * 18):
        arguments = order_arguments(request(client_order_id=client_order_id), SPOT, row, FakeExchange())
        if row.client_id_param is not None:
            assert arguments.params[row.client_id_param] == row.wire_id(client_order_id)
