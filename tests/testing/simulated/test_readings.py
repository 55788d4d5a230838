"""What is read, how faults bend it, and what whoever reads has then been told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from stages import SYMBOL, Stage

from fsm_arb.testing.simulated import FaultKind, Operation

D = Decimal


async def outcome(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except ccxt.BaseError as error:
        return error


def placed(stage: Stage, *names: str) -> None:
    """One that rests, one that filled in two executions, one that was cancelled; or some of these."""
    for name in names or ("rests", "filled", "gone"):
        if name == "filled":
            stage.run(stage.buy("1.5", "102", clientOrderId="filled"))
            continue
        stage.run(stage.rest("0.2", "98", clientOrderId=name))
        if name == "gone":
            stage.run(stage.exchange.cancel_order(None, SYMBOL, {"clientOrderId": "gone"}))
        stage.pass_ms(10)


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["clientOrderId"] for row in rows]


def found(stage: Stage, name: str = "filled") -> Any:
    return stage.run(outcome(stage.exchange.fetch_order(None, SYMBOL, {"clientOrderId": name})))


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("fetch_open_orders", ["rests"]),
        ("fetch_closed_orders", ["filled"]),
        ("fetch_canceled_orders", ["gone"]),
        ("fetch_orders", ["rests", "filled", "gone"]),
    ],
)
def test_each_list_shows_its_own_orders(stage: Stage, method: str, shown: list[str]) -> None:
    """Oldest first; of every market where none is named."""
    placed(stage)
    assert names(stage.run(getattr(stage.exchange, method)(SYMBOL))) == shown
    assert names(stage.run(getattr(stage.exchange, method)())) == shown
    assert stage.run(getattr(stage.exchange, method)("ETH/USDT")) == []


def test_a_list_is_asked_from_a_time_on_or_cut(stage: Stage) -> None:
    """From a time on it holds the earliest that fit, else the latest there are."""
    placed(stage)
    rows = stage.run(stage.exchange.fetch_orders(SYMBOL))
    since = rows[1]["timestamp"]
    assert names(stage.run(stage.exchange.fetch_orders(SYMBOL, since))) == ["filled", "gone"]
    assert names(stage.run(stage.exchange.fetch_orders(SYMBOL, since, 1))) == ["filled"]
    assert names(stage.run(stage.exchange.fetch_orders(SYMBOL, None, 1))) == ["gone"]


def test_a_venue_cuts_its_lists_at_its_page(make: Callable[..., Stage]) -> None:
    """Whatever it is asked for."""
    stage = make(page=2)
    placed(stage)
    assert names(stage.run(stage.exchange.fetch_orders(SYMBOL, None, 50))) == ["filled", "gone"]


def test_own_trades_are_those_of_all_orders_or_of_one(stage: Stage) -> None:
    """By the venue's id."""
    placed(stage, "filled")
    stage.run(stage.buy("0.1", "102", clientOrderId="other"))
    order_id = found(stage)["id"]
    assert len(stage.run(stage.exchange.fetch_my_trades(SYMBOL))) == 3
    rows = stage.run(stage.exchange.fetch_order_trades(order_id, SYMBOL))
    assert [(row["order"], row["amount"]) for row in rows] == [(order_id, "1"), (order_id, "0.5")]
    assert isinstance(stage.run(outcome(stage.exchange.fetch_order_trades("7", SYMBOL))), ccxt.OrderNotFound)


# ------------------------------------------------------------------ what has been told


def told(stage: Stage) -> dict[str, bool]:
    return {name: order.told_over for name, order in stage.sim.venue_orders().items()}


def test_reading_that_an_order_is_over_is_being_told(stage: Stage) -> None:
    """By whichever way; an open one is not."""
    stage.sim.inject("alpha", FaultKind.LOST_AFTER, operation=Operation.CREATE)
    stage.run(outcome(stage.buy()))
    stage.run(stage.rest(clientOrderId="rests"))
    assert told(stage) == {"ours": False, "rests": False}
    found(stage, "ours")
    found(stage, "rests")
    assert told(stage) == {"ours": True, "rests": False}


@pytest.mark.parametrize(("method", "is_told"), [("fetch_orders", True), ("fetch_closed_orders", False)])
def test_a_list_of_all_that_does_not_show_an_order_says_it_is_not_there(
    stage: Stage, method: str, is_told: bool
) -> None:
    """One that would not show open orders says nothing."""
    stage.sim.inject("alpha", FaultKind.HIDDEN, ms=10_000)
    stage.run(stage.rest())
    stage.run(getattr(stage.exchange, method)(SYMBOL))
    assert told(stage) == {"ours": is_told}


def test_a_list_says_nothing_of_an_order_that_was_sent_while_it_was_on_its_way(stage: Stage) -> None:
    """Though that order is there when the list is read."""

    async def main() -> None:
        asking = asyncio.ensure_future(stage.exchange.fetch_open_orders(SYMBOL))
        await asyncio.sleep(0.005)
        placing = asyncio.ensure_future(stage.rest())
        assert await asking == []
        assert told(stage) == {"ours": False}
        await placing

    stage.run(main())


def test_a_list_that_was_cut_says_nothing_of_what_it_leaves_out(stage: Stage) -> None:
    """It may stand on the next page."""
    placed(stage, "rests", "later")
    stage.run(stage.exchange.fetch_open_orders(SYMBOL, None, 1))
    assert told(stage) == {"rests": False, "later": False}


def test_not_found_is_being_told(stage: Stage) -> None:
    """Also of a request that is still on its way."""
    stage.sim.inject("alpha", FaultKind.ACCEPTED_LATE, ms=60_000)
    stage.run(outcome(stage.rest()))
    assert isinstance(found(stage, "ours"), ccxt.OrderNotFound)
    assert told(stage) == {"ours": True}


def test_a_reading_that_is_lost_tells_nothing(stage: Stage) -> None:
    """Nobody has seen it."""
    stage.sim.inject("alpha", FaultKind.LOST_AFTER, operation=Operation.CREATE)
    stage.run(outcome(stage.buy()))
    stage.sim.inject("alpha", FaultKind.LOST_BEFORE, operation=Operation.FETCH)
    found(stage, "ours")
    assert told(stage) == {"ours": False}


# ------------------------------------------------------------------ faults


def bent(stage: Stage, kind: FaultKind, operation: Operation, *, draw: float = 0.0, ms: int | None = None) -> None:
    stage.sim.inject("alpha", kind, operation=operation, draw=draw, ms=ms)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.LOST_BEFORE, ccxt.NetworkError),
        (FaultKind.ERROR_BEFORE, ccxt.ExchangeNotAvailable),
        (FaultKind.RATE_LIMITED, ccxt.RateLimitExceeded),
        (FaultKind.NONCE, ccxt.InvalidNonce),
        (FaultKind.DOWN, ccxt.ExchangeNotAvailable),
        (FaultKind.MAINTENANCE, ccxt.OnMaintenance),
        (FaultKind.BANNED, ccxt.DDoSProtection),
        (FaultKind.REVOKED, ccxt.AuthenticationError),
        (FaultKind.READS_FAIL, ccxt.ExchangeNotAvailable),
    ],
)
def test_a_read_may_fail(stage: Stage, kind: FaultKind, error: type[Exception]) -> None:
    """The hit names the order that was asked for."""
    placed(stage, "filled")
    bent(stage, kind, Operation.FETCH)
    assert isinstance(found(stage), error)
    assert [(hit.kind, hit.client_id) for hit in stage.seen.hits()] == [(kind, "filled")]


def test_five_reads_in_a_row_may_fail(stage: Stage) -> None:
    """Of orders, whichever way they are asked for; then they answer again."""
    placed(stage, "filled")
    bent(stage, FaultKind.READS_FAIL, Operation.LIST)
    results = [stage.run(outcome(stage.exchange.fetch_orders(SYMBOL))), *(found(stage) for _ in range(5))]
    assert [isinstance(result, ccxt.ExchangeNotAvailable) for result in results] == [True] * 5 + [False]
    assert len({hit.key for hit in stage.seen.hits()}) == 1


@pytest.mark.parametrize(
    ("kind", "trades"),
    [(FaultKind.DUPLICATED_FILL, 3), (FaultKind.MISSING_FILL, 1), (FaultKind.REORDERED, 2), (FaultKind.STALE, 0)],
)
@pytest.mark.parametrize("operation", [Operation.FETCH, Operation.TRADES])
def test_executions_may_be_shown_wrongly(stage: Stage, kind: FaultKind, trades: int, operation: Operation) -> None:
    """Once; the next reading is right."""
    placed(stage, "filled")
    bent(stage, kind, operation, ms=60_000)
    for expected in (trades, 2):
        rows = found(stage)["trades"] if operation is Operation.FETCH else None
        rows = stage.run(stage.exchange.fetch_my_trades(SYMBOL)) if rows is None else rows
        assert len(rows) == expected
    assert stage.seen.kinds() == [kind]


def test_fees_may_be_left_out_of_trades(stage: Stage) -> None:
    """And fields be strange."""
    placed(stage, "filled")
    bent(stage, FaultKind.FEE_MISSING, Operation.TRADES)
    assert stage.run(stage.exchange.fetch_my_trades(SYMBOL))[0]["fee"] is None
    bent(stage, FaultKind.UNKNOWN_FIELDS, Operation.TRADES)
    assert "wholly_new_field" in stage.run(stage.exchange.fetch_my_trades(SYMBOL))[0]
    assert stage.seen.kinds() == [FaultKind.FEE_MISSING, FaultKind.UNKNOWN_FIELDS]


def test_a_list_may_come_in_reverse(stage: Stage) -> None:
    """Whoever takes the last for the latest is wrong."""
    placed(stage)
    bent(stage, FaultKind.REORDERED, Operation.LIST)
    assert names(stage.run(stage.exchange.fetch_orders(SYMBOL))) == ["gone", "filled", "rests"]
    assert FaultKind.REORDERED in stage.seen.kinds()


def test_a_stale_list_shows_an_order_as_open_that_has_filled(stage: Stage) -> None:
    """As it stood then; which tells nobody that it is over."""
    stage.sim.inject("alpha", FaultKind.LOST_AFTER, operation=Operation.CREATE)
    stage.run(outcome(stage.buy()))
    bent(stage, FaultKind.STALE, Operation.LIST, ms=60_000)
    (row,) = stage.run(stage.exchange.fetch_open_orders(SYMBOL))
    assert (row["status"], row["filled"]) == ("open", "0")
    assert told(stage) == {"ours": False}


@pytest.mark.parametrize(
    ("operation", "call", "instead"),
    [
        (Operation.FETCH, lambda it: it.fetch_order(None, SYMBOL, {"clientOrderId": "filled"}), {}),
        (Operation.LIST, lambda it: it.fetch_open_orders(SYMBOL), "<html></html>"),
        (Operation.TRADES, lambda it: it.fetch_my_trades(SYMBOL), "<html></html>"),
        (Operation.BALANCE, lambda it: it.fetch_balance(), "<html></html>"),
        (Operation.BOOK, lambda it: it.fetch_order_book(SYMBOL), "<html></html>"),
        (Operation.BOOK, lambda it: it.fetch_ticker(SYMBOL), "<html></html>"),
        (Operation.TIME, lambda it: it.fetch_time(), "<html></html>"),
        (Operation.STATUS, lambda it: it.fetch_status(), {}),
        (Operation.MARKETS, lambda it: it.load_markets(), {}),
    ],
)
def test_something_else_may_come_than_was_asked_for(
    stage: Stage, operation: Operation, call: Any, instead: Any
) -> None:
    """Of another type, or of nothing."""
    placed(stage, "filled")
    bent(stage, FaultKind.GARBLED, operation)
    assert stage.run(call(stage.exchange)) == instead
    assert stage.seen.kinds() == [FaultKind.GARBLED]
    assert stage.run(call(stage.exchange)) != instead


def test_balances_may_be_those_of_the_last_look(stage: Stage) -> None:
    """Whatever has filled since; where nothing has, that is no hit."""
    first = stage.run(stage.exchange.fetch_balance())
    bent(stage, FaultKind.OLD_BALANCE, Operation.BALANCE)
    stage.run(stage.exchange.fetch_balance())
    assert stage.seen.hits() == []
    stage.run(stage.buy())
    bent(stage, FaultKind.OLD_BALANCE, Operation.BALANCE)
    assert stage.run(stage.exchange.fetch_balance())["BTC"] == first["BTC"]
    assert stage.run(stage.exchange.fetch_balance())["BTC"]["free"] == "10.5"
    assert stage.seen.kinds() == [FaultKind.OLD_BALANCE]


def test_a_clock_may_be_off_for_a_while(stage: Stage) -> None:
    """In all its stamps; then it is right again."""
    bent(stage, FaultKind.SKEW, Operation.TIME, draw=0.9, ms=1_000)
    real_ms = stage.venue.now_ms()
    off_ms = stage.run(stage.exchange.fetch_time()) - real_ms - 10
    assert -3_000 <= off_ms <= -100
    assert stage.run(stage.exchange.fetch_balance())["timestamp"] - stage.venue.now_ms() == pytest.approx(
        off_ms, abs=11
    )
    stage.pass_ms(1_000)
    assert stage.run(stage.exchange.fetch_time()) - stage.venue.now_ms() == pytest.approx(0, abs=11)


def test_maintenance_is_told_as_status(stage: Stage) -> None:
    """While every other call is turned away."""
    assert stage.run(stage.exchange.fetch_status())["status"] == "ok"
    bent(stage, FaultKind.MAINTENANCE, Operation.BOOK, ms=60_000)
    assert isinstance(stage.run(outcome(stage.exchange.fetch_order_book(SYMBOL))), ccxt.OnMaintenance)
    assert stage.run(stage.exchange.fetch_status())["status"] == "maintenance"


def test_a_delisted_market_has_no_book(stage: Stage) -> None:
    """Nor a ticker."""
    stage.sim.delist("alpha", SYMBOL)
    for call in (stage.exchange.fetch_order_book, stage.exchange.fetch_ticker):
        assert isinstance(stage.run(outcome(call(SYMBOL))), ccxt.BadSymbol)


def test_a_book_and_a_ticker_tell_the_same_prices(stage: Stage) -> None:
    """In floats, as ccxt's books are."""
    book = stage.run(stage.exchange.fetch_order_book(SYMBOL, 1))
    assert (book["bids"], book["asks"]) == ([[99.0, 1.0]], [[101.0, 1.0]])
    ticker = stage.run(stage.exchange.fetch_ticker(SYMBOL))
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (99.0, 101.0, 100.0)


def test_an_empty_side_has_no_price(stage: Stage) -> None:
    """Nor has the ticker a last one then."""
    stage.sim.set_book("alpha", SYMBOL, [], [(101, 1)])
    ticker = stage.run(stage.exchange.fetch_ticker(SYMBOL))
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (None, 101.0, None)


def test_fees_leverage_and_mode_are_told(make: Callable[..., Stage]) -> None:
    """As the adapter asks for them."""
    stage = make()
    assert stage.run(stage.exchange.fetch_trading_fee(SYMBOL))["taker"] == "0.001"
    assert stage.run(stage.exchange.fetch_leverage(SYMBOL))["longLeverage"] == 1
    on_margin = make(margin=True)
    assert on_margin.run(on_margin.exchange.fetch_leverage(SYMBOL))["longLeverage"] == 20
    assert stage.run(stage.exchange.fetch_position_mode(SYMBOL))["hedged"] is False
