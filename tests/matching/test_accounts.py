"""What an account owns after each trade."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import NewOrder, OrderRefused, TimeInForce, UnknownOrder
from fsm_arb.values import Side

D = Decimal
Make = Callable[..., Exchange]
NewOrders = Callable[..., NewOrder]


def test_spot_fees_come_off_what_is_received(make: Make, order: NewOrders) -> None:
    """Binance spot: base on buys, quote on sells, 0.1 %."""
    exchange = make("binance")
    bought = exchange.place(order(Side.BUY, "0.2", "60010"), 1).fills[0]
    sold = exchange.place(order(Side.SELL, "0.1", "60000"), 1).fills[0]
    assert (bought.fee, bought.fee_asset) == (D("0.0002"), "BTC")
    assert (sold.fee, sold.fee_asset) == (D(6), "USDT")
    balances = exchange.account.balances()
    assert balances["BTC"].free == D("10.0998")
    assert balances["USDT"].free == D(1_000_000) - D(12_002) + D(6_000) - D(6)


def test_bnb_pays_the_fee_at_a_discount(make: Make, order: NewOrders) -> None:
    """With the discount on, base and quote move by the trade alone."""
    exchange = make("binance", FeeRule.BNB)
    fill = exchange.place(order(Side.BUY, "0.2", "60010"), 1).fills[0]
    assert (fill.fee_asset, fill.fee) == ("BNB", D("0.01500250"))
    assert exchange.account.balances()["BTC"].free == D("10.2")


def test_a_resting_order_holds_its_cost_and_gives_it_back(make: Make, order: NewOrders) -> None:
    """What is held moves from free to used, and back on cancel."""
    exchange = make("binance")
    resting = exchange.place(order(Side.BUY, "0.1", "50000", time_in_force=TimeInForce.GTC), 1)
    balance = exchange.account.balances()["USDT"]
    assert (balance.free, balance.used) == (D(995_000), D(5_000))
    exchange.cancel(resting, 2)
    assert (balance.free, balance.used) == (D(1_000_000), 0)
    with pytest.raises(UnknownOrder):
        exchange.cancel(resting, 3)


def test_contracts_move_a_position_and_realise_profit(make: Make, order: NewOrders) -> None:
    """One-way mode: selling more than is long turns the position short."""
    exchange = make("binanceusdm")
    perp = {"symbol": "BTC/USDT:USDT"}
    exchange.place(order(Side.BUY, "0.2", "60010", **perp), 1)
    done = exchange.place(order(Side.SELL, "0.3", "60000", **perp), 2)
    account = exchange.account
    assert isinstance(account, MarginAccount)
    assert account.position("BTC/USDT:USDT").amount == D("-0.1")
    assert account.position("BTC/USDT:USDT").entry == D(60_000)
    assert done.fills[0].realised == D(-2)
    fees = D(12_002) * D("0.0005") + D(18_000) * D("0.0005")
    assert account.wallet["USDT"] == D(500_000) - 2 - fees


def test_margin_bounds_what_may_be_opened(make: Make, order: NewOrders) -> None:
    """Twenty times the margin, and no more."""
    exchange = make("binanceusdm")
    with pytest.raises(OrderRefused, match="funds"):
        exchange.place(order(Side.BUY, "200", "60010", symbol="BTC/USDT:USDT"), 1)


def test_a_bust_takes_a_trade_back(make: Make, order: NewOrders) -> None:
    """Balances are as if it had never been."""
    exchange = make("binance")
    done = exchange.place(order(Side.BUY, "0.2", "60010"), 1)
    exchange.bust(done.fills[0].trade_id, 2)
    assert done.filled == 0
    assert exchange.account.balances()["USDT"].free == D(1_000_000)
    assert exchange.account.balances()["BTC"].free == D(10)


def test_margin_is_tied_up_in_the_asset_that_it_is_in() -> None:
    """Whatever that is called: what is used of it cannot be used again, and no other asset is touched."""
    account = MarginAccount({"USDC": D(100), "USDT": D(5)}, asset="USDC")
    account.held = D(30)
    balances = account.balances()
    assert (balances["USDC"].free, balances["USDC"].used, balances["USDT"].free) == (70, 30, 5)
    account.put("USDC", D(50))
    account.put("USDT", D(6))
    assert account.wallet == {"USDC": D(80), "USDT": D(6)}
