"""The venue's books, without a server."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.orders import Kind, NewOrder, OrderRefused, Refusal, Status, TimeInForce, UnknownOrder
from fsm_arb.values import Side

D = Decimal
Make = Callable[..., Exchange]
NewOrders = Callable[..., NewOrder]


def test_an_order_takes_the_best_prices_first_and_leaves_the_rest(make: Make, order: NewOrders) -> None:
    """Liquidity that was taken is gone for whoever comes next."""
    exchange = make("binance")
    done = exchange.place(order(Side.BUY, "0.3", "60020"), 1)
    assert [(fill.price, fill.amount) for fill in done.fills] == [(D(60010), D("0.2")), (D(60020), D("0.1"))]
    assert exchange.liquidity.book("BTC/USDT", 1).asks == [(D(60020), D("0.2"))]
    assert done.status is Status.FILLED


def test_a_partial_ioc_expires_with_what_it_got(make: Make, order: NewOrders) -> None:
    """The rest of an immediate-or-cancel order ends at once."""
    exchange = make("binance")
    done = exchange.place(order(Side.BUY, "0.5", "60010"), 1)
    assert (done.status, done.filled, done.held) == (Status.EXPIRED, D("0.2"), 0)


def test_fill_or_kill_takes_all_or_nothing(make: Make, order: NewOrders) -> None:
    """An order that cannot fill whole fills nothing."""
    exchange = make("binance")
    done = exchange.place(order(Side.BUY, "0.6", "60020", time_in_force=TimeInForce.FOK), 1)
    assert (done.status, done.filled) == (Status.EXPIRED, 0)


def test_a_resting_order_fills_at_its_own_price_when_the_book_comes(make: Make, order: NewOrders) -> None:
    """It stood there first, so the newcomer pays its price; parts fill as liquidity comes."""
    exchange = make("binance")
    resting = exchange.place(order(Side.BUY, "0.1", "59000", time_in_force=TimeInForce.GTC), 1)
    exchange.set_book("BTC/USDT", [], [(D(58_900), D("0.04"))], 2)
    assert (resting.status, resting.filled, resting.average) == (Status.OPEN, D("0.04"), D(59_000))
    exchange.set_book("BTC/USDT", [], [(D(58_900), D(1))], 3)
    assert (resting.status, resting.filled) == (Status.FILLED, D("0.1"))
    assert all(fill.maker for fill in resting.fills)


def test_better_prices_then_earlier_orders_fill_first(make: Make, order: NewOrders) -> None:
    """Price, then time."""
    exchange = make("binance")
    late = {"time_in_force": TimeInForce.GTC}
    first = exchange.place(order(Side.BUY, "0.1", "59000", **late), 1)
    second = exchange.place(order(Side.BUY, "0.1", "59000", **late), 2)
    better = exchange.place(order(Side.BUY, "0.1", "59500", **late), 3)
    exchange.set_book("BTC/USDT", [], [(D(58_000), D("0.15"))], 4)
    assert (better.filled, first.filled, second.filled) == (D("0.1"), D("0.05"), 0)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"symbol": "DOGE/USDT"}, Refusal.UNKNOWN_MARKET),
        ({"amount": D("0.200001")}, Refusal.LOT),
        ({"price": D("60010.001")}, Refusal.TICK),
        ({"amount": D(0)}, Refusal.AMOUNT_MIN),
        ({"amount": D("0.00008")}, Refusal.NOTIONAL_MIN),
        ({"time_in_force": TimeInForce.POST_ONLY}, Refusal.POST_ONLY),
        ({"amount": D(100)}, Refusal.FUNDS),
        ({"side": Side.SELL, "amount": D(11)}, Refusal.FUNDS),
    ],
)
def test_what_breaks_a_rule_is_refused_and_remembered(
    make: Make, order: NewOrders, changes: dict[str, Any], refusal: Refusal
) -> None:
    """A refused order changes nothing but the list of creates that were received."""
    exchange = make("binance")
    with pytest.raises(OrderRefused) as caught:
        exchange.place(evolve(order(Side.BUY, "0.2", "60010"), **changes), 1)
    assert caught.value.refusal is refusal
    assert [received.refusal for received in exchange.received] == [refusal]
    assert not exchange.orders
    assert exchange.account.balances()["USDT"].free == D(1_000_000)


def test_a_halted_market_and_a_price_band_refuse(make: Make, order: NewOrders) -> None:
    """Both can be set while the server runs."""
    exchange = make("binance")
    exchange.change_market("BTC/USDT", band=D("0.001"))
    with pytest.raises(OrderRefused, match="band"):
        exchange.place(order(Side.BUY, "0.1", "61000"), 1)
    exchange.change_market("BTC/USDT", band=D(0), halted=True)
    with pytest.raises(OrderRefused, match="halted"):
        exchange.place(order(Side.BUY, "0.1", "61000"), 1)


def test_upbit_identifiers_are_used_up_for_ever(make: Make, order: NewOrders) -> None:
    """Even by a request that was refused."""
    exchange = make("upbit")
    new = order(Side.BUY, "100", "95100000", symbol="BTC/KRW", client_id="a")
    with pytest.raises(OrderRefused, match="funds"):
        exchange.place(new, 1)
    with pytest.raises(OrderRefused, match="duplicate"):
        exchange.place(order(Side.BUY, "0.1", "95100000", symbol="BTC/KRW", client_id="a"), 2)


def test_binance_client_ids_are_unique_among_open_orders_only(make: Make, order: NewOrders) -> None:
    """After a fill the same id is taken again: a blind resend executes twice."""
    exchange = make("binance")
    exchange.place(order(Side.BUY, "0.1", "60010", client_id="a"), 1)
    exchange.place(order(Side.BUY, "0.1", "60010", client_id="a"), 2)
    exchange.place(order(Side.BUY, "0.1", "50000", client_id="b", time_in_force=TimeInForce.GTC), 3)
    with pytest.raises(OrderRefused, match="duplicate"):
        exchange.place(order(Side.BUY, "0.1", "60020", client_id="b"), 4)


def test_a_cost_order_buys_whole_lots_and_keeps_the_change(make: Make, order: NewOrders) -> None:
    """Upbit's market buy spends KRW; the fee comes on top."""
    exchange = make("upbit")
    new = order(Side.BUY, None, None, symbol="BTC/KRW", kind=Kind.COST, cost=D(1_000_000))
    done = exchange.place(new, 1)
    assert done.filled == D("0.01051524")
    assert done.spent == D("0.01051524") * D(95_100_000)
    assert exchange.account.balances()["KRW"].free == D(1_000_000_000) - done.spent * D("1.0005")


def test_post_only_on_upbit_is_accepted_and_cancelled(make: Make, order: NewOrders) -> None:
    """It never takes; it ends with nothing filled."""
    exchange = make("upbit")
    new = order(Side.BUY, "0.1", "95100000", symbol="BTC/KRW", time_in_force=TimeInForce.POST_ONLY)
    done = exchange.place(new, 1)
    assert (done.status, done.filled) == (Status.CANCELED, 0)
    assert exchange.account.balances()["KRW"].used == 0


def test_reduce_only_closes_and_never_opens(make: Make, order: NewOrders) -> None:
    """Without a position it is refused; with one it stops at zero."""
    exchange = make("binanceusdm")
    perp = {"symbol": "BTC/USDT:USDT"}
    with pytest.raises(OrderRefused, match="reduce_only"):
        exchange.place(order(Side.SELL, "0.3", "60000", reduce_only=True, **perp), 1)
    exchange.place(order(Side.BUY, "0.2", "60010", **perp), 2)
    done = exchange.place(order(Side.SELL, "0.3", "60000", reduce_only=True, **perp), 3)
    assert (done.filled, done.status) == (D("0.2"), Status.EXPIRED)
    account = exchange.account
    assert isinstance(account, MarginAccount)
    assert account.position("BTC/USDT:USDT").amount == 0


def test_a_forced_fill_lands_after_a_cancel(make: Make, order: NewOrders) -> None:
    """A late fill changes what is filled, and the balances, not the status."""
    exchange = make("binance")
    resting = exchange.place(order(Side.SELL, "0.1", "70000", time_in_force=TimeInForce.GTC), 1)
    exchange.cancel(resting, 2)
    exchange.schedule(5, lambda at_ms: exchange.fill(resting, resting.remaining, at_ms) and None)
    exchange.advance(4)
    assert resting.filled == 0
    exchange.advance(5)
    assert (resting.status, resting.filled) == (Status.CANCELED, D("0.1"))
    assert exchange.account.balances()["BTC"].free == D("9.9")


def test_a_forced_fill_stops_at_the_amount(make: Make, order: NewOrders) -> None:
    """And whole orders take no more."""
    exchange = make("binance")
    resting = exchange.place(order(Side.BUY, "0.1", "59000", time_in_force=TimeInForce.GTC), 1)
    assert exchange.fill(resting, D(5), 2) == D("0.1")
    assert (resting.status, exchange.fill(resting, D(1), 3)) == (Status.FILLED, 0)
    with pytest.raises(UnknownOrder):
        exchange.bust(1, 4)


def test_a_reduce_only_order_that_rests_ends_when_there_is_nothing_left(make: Make, order: NewOrders) -> None:
    """It must not turn into an opening order."""
    exchange = make("binanceusdm")
    perp = {"symbol": "BTC/USDT:USDT"}
    exchange.place(order(Side.BUY, "0.2", "60010", **perp), 1)
    rest = {"reduce_only": True, "time_in_force": TimeInForce.GTC, **perp}
    resting = exchange.place(order(Side.SELL, "0.2", "61000", **rest), 2)
    exchange.place(order(Side.SELL, "0.2", "60000", **perp), 3)
    exchange.set_book("BTC/USDT:USDT", [(D(61_500), D(1))], [], 4)
    assert (resting.status, resting.filled) == (Status.EXPIRED, 0)


def test_a_partial_fault_on_a_cost_order_spends_its_share(make: Make, order: NewOrders) -> None:
    """Half of the budget, here."""
    exchange = make("upbit")
    new = order(Side.BUY, None, None, symbol="BTC/KRW", kind=Kind.COST, cost=D(1_902_000))
    done = exchange.place(new, 1, share=D("0.5"))
    assert (done.filled, done.status) == (D("0.01"), Status.EXPIRED)
