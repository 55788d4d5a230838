"""The surface that bots see: ccxt's methods, words and errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.async_support
import pytest
from stages import SYMBOL, Stage

from fsm_arb.testing.simulated import OFFERS, SimulatedExchange, market
from fsm_arb.venues.settings import is_ccxt, is_synchronous

D = Decimal
METHODS = [name for name, _ in inspect.getmembers(SimulatedExchange, inspect.isfunction) if not name.startswith("_")]
CALLS: dict[str, Callable[[SimulatedExchange], Any]] = {
    "createOrder": lambda it: it.create_order(SYMBOL, "limit", "buy", 1, 99),
    "cancelOrder": lambda it: it.cancel_order("1", SYMBOL),
    "editOrder": lambda it: it.edit_order("1", SYMBOL, "limit", "buy", 1, 99),
    "fetchOrder": lambda it: it.fetch_order("1", SYMBOL),
    "fetchOpenOrders": lambda it: it.fetch_open_orders(SYMBOL),
    "fetchClosedOrders": lambda it: it.fetch_closed_orders(SYMBOL),
    "fetchCanceledOrders": lambda it: it.fetch_canceled_orders(SYMBOL),
    "fetchOrders": lambda it: it.fetch_orders(SYMBOL),
    "fetchMyTrades": lambda it: it.fetch_my_trades(SYMBOL),
    "fetchOrderTrades": lambda it: it.fetch_order_trades("1", SYMBOL),
    "fetchBalance": lambda it: it.fetch_balance(),
    "fetchOrderBook": lambda it: it.fetch_order_book(SYMBOL),
    "fetchTicker": lambda it: it.fetch_ticker(SYMBOL),
    "fetchTime": lambda it: it.fetch_time(),
    "fetchStatus": lambda it: it.fetch_status(),
    "fetchMarkets": lambda it: it.fetch_markets(),
    "fetchTradingFee": lambda it: it.fetch_trading_fee(SYMBOL),
    "fetchPositionMode": lambda it: it.fetch_position_mode(SYMBOL),
    "fetchLeverage": lambda it: it.fetch_leverage(SYMBOL),
}


def test_it_is_no_exchange_of_ccxt_s_but_asynchronous(stage: Stage) -> None:
    """So nothing is hooked into it that expects a socket."""
    assert not is_ccxt(stage.exchange)
    assert not is_synchronous(stage.exchange)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_arguments_of_ccxt_s(name: str) -> None:
    """In ccxt's order and by ccxt's names, so that a bot may pass them either way."""
    real = getattr(ccxt.async_support.Exchange, name, None)
    assert real is not None
    ours = [word for word in inspect.signature(getattr(SimulatedExchange, name)).parameters if word != "self"]
    theirs = [word for word in inspect.signature(real).parameters if word != "self"]
    assert ours == theirs[: len(ours)]


@pytest.mark.parametrize("word", OFFERS)
def test_what_a_venue_does_not_offer_it_refuses(make: Callable[..., Stage], word: str) -> None:
    """`has` says so beforehand; and what it has it answers, or says there is no such order."""
    without = make(offers=frozenset(OFFERS) - {word})
    assert not without.exchange.has[word]
    with pytest.raises(ccxt.NotSupported):
        without.run(CALLS[word](without.exchange))
    full = make()
    assert full.exchange.has[word]
    try:
        assert full.run(CALLS[word](full.exchange)) is not None
    except ccxt.OrderNotFound:
        assert word in {"cancelOrder", "editOrder", "fetchOrder", "fetchOrderTrades"}


def test_a_call_takes_its_time(stage: Stage) -> None:
    """There and back."""
    stage.run(stage.exchange.fetch_time())
    assert stage.clock.monotonic_ns() == pytest.approx(20_000_000, abs=10_000)


def test_markets_are_loaded_once(stage: Stage) -> None:
    """Until then there are none."""
    assert stage.exchange.markets == {}
    with pytest.raises(ccxt.BadSymbol):
        stage.exchange.market(SYMBOL)
    first = stage.run(stage.exchange.load_markets())
    assert stage.run(stage.exchange.load_markets()) is first
    assert stage.exchange.market(SYMBOL)["base"] == "BTC"
    assert (stage.exchange.symbols, sorted(stage.exchange.currencies)) == ([SYMBOL], ["BTC", "USDT"])
    assert stage.run(stage.exchange.fetch_markets()) == list(first.values())


@pytest.mark.parametrize(
    ("amount", "text"), [("1.23456", "1.234"), (1.2, "1.2"), (D("0.001"), "0.001"), ("1000000.0019", "1000000.001")]
)
def test_amounts_are_cut_to_the_lot(stage: Stage, amount: object, text: str) -> None:
    """Never rounded up."""
    assert stage.exchange.amount_to_precision(SYMBOL, amount) == text


@pytest.mark.parametrize("amount", ["0.0009", 0, "much"])
def test_an_amount_of_which_nothing_is_left_is_refused(stage: Stage, amount: object) -> None:
    """As ccxt does, before anything is sent."""
    with pytest.raises(ccxt.InvalidOrder):
        stage.exchange.amount_to_precision(SYMBOL, amount)


@pytest.mark.parametrize(("price", "text"), [("100.004", "100"), (100.005, "100.01"), (D("99.99"), "99.99")])
def test_prices_are_rounded_to_nearest(stage: Stage, price: object, text: str) -> None:
    """Even across a caller's bound, as ccxt does."""
    assert stage.exchange.price_to_precision(SYMBOL, price) == text


def test_the_key_may_be_missing(stage: Stage) -> None:
    """Whoever asks is told, one way or the other."""
    assert stage.exchange.check_required_credentials()
    assert stage.exchange.number is str
    stage.exchange.credentials_there = False
    assert not stage.exchange.check_required_credentials(error=False)
    with pytest.raises(ccxt.AuthenticationError):
        stage.exchange.check_required_credentials()


def test_milliseconds_are_the_caller_s_own(stage: Stage) -> None:
    """His wall clock, jumps and all."""
    before = stage.exchange.milliseconds()
    stage.clock.jump_wall(5_000_000_000)
    assert stage.exchange.milliseconds() == before + 5_000


def test_the_short_names_place_the_same_orders(stage: Stage) -> None:
    """Each is `create_order` with some of its arguments filled in."""
    it = stage.exchange
    rows = [
        stage.run(it.create_limit_order(SYMBOL, "buy", "0.1", "99")),
        stage.run(it.create_limit_buy_order(SYMBOL, "0.1", "99")),
        stage.run(it.create_limit_sell_order(SYMBOL, "0.1", "101")),
        stage.run(it.create_market_order(SYMBOL, "sell", "0.1")),
        stage.run(it.create_market_buy_order(SYMBOL, "0.1")),
        stage.run(it.create_market_sell_order(SYMBOL, "0.1")),
    ]
    assert [(row["type"], row["side"], row["status"]) for row in rows] == [
        ("limit", "buy", "open"),
        ("limit", "buy", "open"),
        ("limit", "sell", "open"),
        ("market", "sell", "closed"),
        ("market", "buy", "closed"),
        ("market", "sell", "closed"),
    ]


def test_a_market_buy_may_say_what_it_spends(stage: Stage) -> None:
    """In quote; the amount is then left out."""
    row = stage.run(stage.exchange.create_order(SYMBOL, "market", "buy", None, None, {"cost": "50.5"}))
    assert (row["filled"], row["cost"], row["status"]) == ("0.5", "50.5", "closed")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("XRP/USDT", "limit", "buy", "1", "1"), ccxt.BadSymbol),
        ((SYMBOL, "limit", "buy", "0.04", "99"), ccxt.InvalidOrder),  # below the minimum notional
        ((SYMBOL, "limit", "buy", "11", "99"), ccxt.InsufficientFunds),
        ((SYMBOL, "limit", "buy", "1", "101", {"postOnly": True}), ccxt.OrderImmediatelyFillable),
    ],
)
def test_a_venue_s_refusals_are_ccxt_s_errors(stage: Stage, arguments: Any, error: type[Exception]) -> None:
    """And there is no such order afterwards."""
    with pytest.raises(error):
        stage.run(stage.exchange.create_order(*arguments))
    assert stage.sim.venue_orders() == {}


def test_an_order_is_cancelled_by_either_id(stage: Stage) -> None:
    """And only while it is open."""
    for params in ({"clientOrderId": "one"}, {"clientOrderId": "two"}):
        row = stage.run(stage.rest(**params))
        order_id = row["id"] if params["clientOrderId"] == "two" else None
        done = stage.run(stage.exchange.cancel_order(order_id, SYMBOL, params))
        assert (done["id"], done["status"]) == (row["id"], "canceled")
        with pytest.raises(ccxt.OrderNotFound):
            stage.run(stage.exchange.cancel_order(order_id, SYMBOL, params))


def test_some_venues_know_orders_by_their_own_id_only(make: Callable[..., Stage]) -> None:
    """Asked otherwise they want an id."""
    stage = make(finds_by_client_id=False)
    row = stage.run(stage.rest())
    for call in (stage.exchange.fetch_order, stage.exchange.cancel_order):
        with pytest.raises(ccxt.ArgumentsRequired):
            stage.run(call(None, SYMBOL, {"clientOrderId": "ours"}))
    assert stage.run(stage.exchange.fetch_order(row["id"], SYMBOL))["status"] == "open"


def test_an_edited_order_is_cancelled_and_another_placed(stage: Stage) -> None:
    """Under the new id."""
    old = stage.run(stage.rest())
    new = stage.run(stage.exchange.edit_order(old["id"], SYMBOL, "limit", "buy", "0.2", "98", {"clientOrderId": "b"}))
    orders = stage.sim.venue_orders()
    assert (orders["ours"].live, orders["b"].live, new["price"]) == (False, True, "98")


def test_an_edit_may_leave_the_old_order_alive(stage: Stage) -> None:
    """Nothing in the reply says so."""
    old = stage.run(stage.rest())
    stage.sim.inject("alpha", "replace_loses_old")
    stage.run(stage.exchange.edit_order(old["id"], SYMBOL, "limit", "buy", "0.2", "98", {"clientOrderId": "b"}))
    orders = stage.sim.venue_orders()
    assert (orders["ours"].live, orders["b"].live) == (True, True)
    assert [hit.client_id for hit in stage.seen.hits()] == ["ours"]


def test_closing_is_allowed(stage: Stage) -> None:
    """Bots do it at the end."""
    stage.run(stage.exchange.close())
    assert repr(stage.exchange) == "SimulatedExchange('alpha')"


def test_a_reduce_only_order_closes_what_there_is_and_no_more(make: Callable[..., Stage]) -> None:
    """On margin; and where there is no position it is refused."""
    symbol = "BTC/USDT:USDT"
    stage = make(
        markets=(market(symbol, lot="0.001", tick="0.01"),),
        margin=True,
        balances={"USDT": D(1_000)},
        price={symbol: D(100)},
    )
    stage.run(stage.exchange.create_order(symbol, "market", "buy", "0.5"))
    closing = stage.exchange.create_order(
        symbol, "limit", "sell", "0.8", "99", {"timeInForce": "IOC", "reduceOnly": True}
    )
    row = stage.run(closing)
    assert (row["filled"], row["reduceOnly"]) == ("0.5", True)
    assert stage.sim.moved()["alpha"]["BTC"] == 0
    with pytest.raises(ccxt.InvalidOrder, match="no position"):
        stage.run(stage.exchange.create_order(symbol, "market", "sell", "0.1", None, {"reduceOnly": True}))
