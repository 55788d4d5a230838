"""Replies have ccxt's unified shape, which the adapter reads exactly."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from stages import SYMBOL, Stage, alpha

from fsm_arb.ports import OrderStatus
from fsm_arb.testing.simulated import Created, market
from fsm_arb.testing.simulated.words import Words, iso
from fsm_arb.values import EXACT, Fee
from fsm_arb.venues.dialects import DEFAULT
from fsm_arb.venues.parse import parse_balances, parse_book, parse_fills, parse_order

D = Decimal
UNIFIED = {
    "id", "clientOrderId", "timestamp", "datetime", "lastTradeTimestamp", "symbol", "type", "timeInForce", "postOnly",
    "reduceOnly", "side", "price", "amount", "cost", "average", "filled", "remaining", "status", "fee", "fees",
    "trades", "info", "stopPrice", "triggerPrice", "lastUpdateTimestamp", "takeProfitPrice", "stopLossPrice",
}  # fmt: skip


def parsed(row: dict[str, Any]) -> Any:
    return parse_order(row, DEFAULT, size=None, client_order_id="ours", scrub=lambda raw: raw)


def test_times_are_written_as_ccxt_writes_them() -> None:
    """With milliseconds and a Z."""
    assert iso(1_700_000_000_007) == "2023-11-14T22:13:20.007Z"


def test_an_order_has_every_field_of_ccxt_s(stage: Stage) -> None:
    """Numbers are text, and the adapter reads from them what happened."""
    row = stage.run(stage.buy("1.5", "102"))
    assert set(row) == UNIFIED
    assert (row["amount"], row["filled"], row["average"], row["cost"]) == (
        "1.5",
        "1.5",
        D(row["average"]).__str__(),
        "152",
    )
    snapshot = parsed(row)
    assert (snapshot.status, snapshot.filled, snapshot.amount) == (OrderStatus.ENDED, D("1.5"), D("1.5"))
    assert snapshot.average == EXACT.divide(D(152), D("1.5"))
    assert snapshot.fees == (Fee(D("0.152"), "USDT"),)
    assert [(fill.amount, fill.price) for fill in snapshot.fills] == [(D(1), D(101)), (D("0.5"), D(102))]


def test_replies_have_all_the_fields_that_ccxt_fills_in(stage: Stage) -> None:
    """So that a bot which reads one of them finds it."""
    theirs, it = ccxt.Exchange(), stage.exchange
    markets = stage.run(it.load_markets())
    assert set(theirs.safe_market_structure()) <= set(markets[SYMBOL])
    assert set(theirs.safe_order({})) <= set(stage.run(stage.buy()))
    assert set(theirs.safe_trade({})) <= set(stage.run(it.fetch_my_trades(SYMBOL))[0])
    assert set(theirs.safe_ticker({})) <= set(stage.run(it.fetch_ticker(SYMBOL)))
    assert set(theirs.safe_balance({"info": {}})) <= set(stage.run(it.fetch_balance()))


def test_numbers_may_be_floats_as_with_a_fresh_ccxt_exchange(stage: Stage) -> None:
    """Bots that have set nothing get those."""
    stage.exchange.number = float
    row = stage.run(stage.buy())
    assert (row["filled"], row["price"], row["fee"]["cost"]) == (0.5, 101.0, 0.0505)
    assert stage.run(stage.exchange.fetch_balance())["free"]["BTC"] == 10.5


@pytest.mark.parametrize(
    ("options", "trades", "fees", "client_id"),
    [
        ({}, 1, 1, "ours"),
        ({"trades_on_orders": False}, 0, 1, "ours"),
        ({"fees_on_orders": False}, 1, 0, "ours"),
        ({"ids_on_orders": False}, 1, 1, None),
    ],
)
def test_a_venue_tells_what_it_is_used_to_tell(
    make: Callable[..., Stage], options: dict[str, Any], trades: int, fees: int, client_id: str | None
) -> None:
    """Executions, fees and the caller's id each may be missing."""
    stage = make(**options)
    row = stage.run(stage.buy())
    assert (len(row["trades"]), len(row["fees"]), row["clientOrderId"]) == (trades, fees, client_id)
    assert row["info"]["clientOrderId"] == client_id


def test_an_order_without_executions_has_no_average(stage: Stage) -> None:
    """Never one that comes from its limit."""
    row = stage.run(stage.rest())
    assert (row["status"], row["filled"], row["average"], row["cost"]) == ("open", "0", None, "0")


def test_an_execution_names_its_order_and_its_fee(stage: Stage) -> None:
    """Whose id is the execution's own."""
    stage.run(stage.buy())
    (row,) = stage.run(stage.exchange.fetch_my_trades(SYMBOL))
    (fill,) = parse_fills([row], None)
    assert (fill.amount, fill.price, fill.fee) == (D("0.5"), D(101), Fee(D("0.0505"), "USDT"))
    assert row["order"] == stage.run(stage.exchange.fetch_order(None, SYMBOL, {"clientOrderId": "ours"}))["id"]
    assert (row["info"], row["takerOrMaker"], row["side"]) == ({"id": row["id"]}, "taker", "buy")


def test_an_execution_may_name_the_caller_s_id(make: Callable[..., Stage]) -> None:
    """Where a venue does that."""
    stage = make(ids_on_trades=True)
    stage.run(stage.buy())
    assert stage.run(stage.exchange.fetch_my_trades(SYMBOL))[0]["info"]["clientOrderId"] == "ours"


def test_contracts_are_counted_in_contracts(make: Callable[..., Stage]) -> None:
    """The adapter multiplies them by what one holds."""
    symbol = "BTC/USDT:USDT"
    stage = make(
        markets=(market(symbol, lot="0.01", tick="0.01", notional_min="1"),),
        margin=True,
        balances={"USDT": D(1_000)},
        contract_sizes={symbol: D("0.01")},
        price={symbol: D(100)},
    )
    row = stage.run(stage.exchange.create_order(symbol, "limit", "buy", "50", "101", {"timeInForce": "IOC"}))
    assert (row["amount"], row["filled"], row["cost"]) == ("50", "50", "50.5")
    assert row["trades"][0]["amount"] == "50"
    assert stage.sim.venue_orders()["nameless 1"].filled == D("0.5")
    book = stage.run(stage.exchange.fetch_order_book(symbol))
    assert parse_book(book, D("0.01")).bids[0].amount == 1
    told = stage.run(stage.exchange.load_markets())[symbol]
    assert (told["contractSize"], told["precision"]["amount"], told["limits"]["amount"]["min"]) == ("0.01", "1", "1")
    assert (told["swap"], told["linear"], told["inverse"], told["settle"]) == (True, True, False, "USDT")


def test_a_reply_may_be_little_more_than_an_id(make: Callable[..., Stage]) -> None:
    """Status and quantity are then unknown, not zero."""
    stage = make(created=Created.ID)
    row = stage.run(stage.buy())
    assert (row["id"], row["clientOrderId"], row["status"], row["filled"]) == ("1000001", "ours", None, None)
    assert parsed(row).status is OrderStatus.UNKNOWN


def test_a_reply_may_show_the_order_as_it_came(make: Callable[..., Stage]) -> None:
    """Open and unfilled, though it has filled by then."""
    stage = make(created=Created.AS_PLACED)
    row = stage.run(stage.buy())
    assert (row["status"], row["filled"], row["trades"]) == ("open", "0", [])
    assert stage.sim.venue_orders()["ours"].filled == D("0.5")


def test_balances_are_told_by_asset_and_by_column(stage: Stage) -> None:
    """Both ways, as ccxt does; what an order holds is used."""
    stage.run(stage.rest("2", "99"))
    told = stage.run(stage.exchange.fetch_balance())
    assert told["USDT"] == {"free": "801.802", "used": "198.198", "total": "1000"}
    assert {name: told[name]["USDT"] for name in ("free", "used", "total")} == told["USDT"]
    assert parse_balances(told).of("USDT") == D("801.802")


def test_the_venue_s_clock_is_in_every_stamp(stage: Stage) -> None:
    """Where it is off, they all are."""
    words, stamps = Words(alpha()), []
    for words.offset_ms in (0, 700):
        stamps.append(words.balance({}, 1_000)["timestamp"])
    assert stamps == [1_000, 1_700]


def test_what_ccxt_makes_of_a_reply_without_an_order() -> None:
    """An order of nothing, whose symbol alone is known."""
    row = Words.nameless(SYMBOL)
    assert (row["id"], row["status"], row["symbol"], row["info"]) == (None, None, SYMBOL, {})


def test_a_market_states_lot_tick_minimums_and_fees(stage: Stage) -> None:
    """As text."""
    told = stage.run(stage.exchange.load_markets())[SYMBOL]
    assert told["precision"] == {"amount": "0.001", "price": "0.01"}
    assert (told["limits"]["amount"]["min"], told["limits"]["cost"]["min"]) == ("0.001", "5")
    assert (told["taker"], told["maker"], told["spot"], told["contractSize"]) == ("0.001", "0.001", True, None)
    assert re.fullmatch(r"\w+", told["id"])
