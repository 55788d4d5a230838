"""How ccxt's orders, trades and books become ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.values import Fee, Side
from fsm_arb.venues.dialects import BINANCE, COINONE, DEFAULT, UPBIT
from fsm_arb.venues.parse import (
    average_of,
    client_id_of,
    contract_size,
    filled_by,
    number,
    parse_balances,
    parse_book,
    parse_fills,
    parse_order,
    plain,
)

ORDER: dict[str, Any] = {
    "id": "V1", "clientOrderId": "abc", "symbol": "BTC/USDT", "side": "sell", "status": "closed", "amount": "2",
    "filled": "2", "price": "100", "average": None, "cost": None, "info": {"k": 1},
}  # fmt: skip


def read(order: dict[str, Any], dialect: Any = DEFAULT, size: Decimal | None = None, **kwargs: Any) -> OrderSnapshot:
    return parse_order(order, dialect, size=size, client_order_id="abc", scrub=lambda raw: raw, **kwargs)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.1", "0.1"),
        (0.1, "0.1"),
        (1e-08, "1E-8"),
        (3, "3"),
        (Decimal("1.50"), "1.50"),
        (None, None),
        (True, None),
        ("nan", None),
        ("inf", None),
        (float("nan"), None),
        ("x", None),
        ([], None),
    ],
)
def test_numbers_are_exact_or_nothing(value: Any, expected: str | None) -> None:
    """A float stands for its shortest text; what is no finite number is none."""
    assert number(value) == (None if expected is None else Decimal(expected))


def test_text_has_no_exponent() -> None:
    """What goes on a wire is read by people and parsers alike."""
    assert [plain(Decimal(text)) for text in ("1E-8", "1.500", "1E+3", "7")] == ["0.00000001", "1.5", "1000", "7"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("open", OrderStatus.OPEN),
        ("closed", OrderStatus.ENDED),
        ("canceled", OrderStatus.ENDED),
        ("cancelled", OrderStatus.ENDED),
        ("expired", OrderStatus.ENDED),
        ("rejected", OrderStatus.ENDED),
        ("canceling", OrderStatus.UNKNOWN),
        ("brand-new-word", OrderStatus.UNKNOWN),
        (None, OrderStatus.UNKNOWN),
    ],
)
def test_an_unknown_word_is_unknown(word: Any, expected: OrderStatus) -> None:
    """Never taken for an end."""
    assert read(ORDER | {"status": word}).status is expected


def test_an_end_without_a_quantity_is_no_end() -> None:
    """Nothing filled is a fact to be told, never a conclusion from a status."""
    assert read(ORDER | {"status": "canceled", "filled": None}).status is OrderStatus.UNKNOWN
    assert read(ORDER | {"status": "canceled", "filled": "0"}).status is OrderStatus.ENDED


def test_the_venues_own_word_wins_over_a_wrong_translation() -> None:
    """ccxt calls Coinone's partly cancelled orders open, and knows no Upbit order that was prevented."""
    order = ORDER | {"status": "open", "info": {"status": "partially_canceled"}}
    assert read(order, COINONE).status is OrderStatus.ENDED
    assert read(ORDER | {"status": "prevented", "info": {"state": "prevented"}}, UPBIT).status is OrderStatus.ENDED


def test_the_average_is_never_the_limit_price() -> None:
    """A cost that was made from the limit price makes no average."""
    assert read(ORDER | {"cost": "200"}).average is None
    assert read(ORDER | {"average": "99.5"}).average == Decimal("99.5")
    assert read(ORDER | {"average": "100", "info": {"state": "done"}}, UPBIT).average is None
    assert read(ORDER | {"info": {"executed_funds": "199"}}, UPBIT).average == Decimal("99.5")


def test_trades_say_what_was_paid() -> None:
    """Where they cover all that is filled, average and fees come from them."""
    trades = [
        {"id": "t1", "amount": "0.5", "price": "100", "fee": {"cost": "0.1", "currency": "USDT"}, "timestamp": 5},
        {"id": "t2", "amount": "1.5", "price": "102", "fees": [{"cost": "0.3", "currency": "USDT"}]},
    ]
    snapshot = read(ORDER | {"trades": trades, "average": "1"})
    assert snapshot.average == Decimal("101.5")
    assert snapshot.fees == (Fee(Decimal("0.4"), "USDT"),)
    assert [(fill.fill_id, fill.at_ms) for fill in snapshot.fills] == [("t1", 5), ("t2", None)]
    assert (average_of(snapshot.fills), filled_by(snapshot.fills)) == (Decimal("101.5"), 2)


def test_trades_that_cover_less_do_not_speak_for_the_rest() -> None:
    """The order's own numbers hold until all executions are known."""
    trades = [{"id": "t1", "amount": "0.5", "price": "100", "fee": {"cost": "0.1", "currency": "USDT"}}]
    snapshot = read(ORDER | {"trades": trades, "average": "101"})
    assert (snapshot.average, snapshot.fees, snapshot.filled) == (Decimal(101), None, 2)


def test_trades_that_cover_more_than_is_filled_are_not_believed() -> None:
    """Something was counted twice, or the order has moved on since: its own numbers hold, the next look tells more."""
    trades = [{"id": f"t{index}", "amount": "1.5", "price": "90"} for index in range(2)]
    snapshot = read(ORDER | {"trades": trades, "average": "101", "fee": {"cost": "1", "currency": "USDT"}})
    assert (snapshot.filled, snapshot.fills, snapshot.average) == (2, (), 101)
    assert snapshot.fees == (Fee(Decimal(1), "USDT"),)
    assert read(ORDER | {"filled": 0.0, "trades": trades}).filled == 0


def test_trades_tell_what_is_filled_where_the_order_does_not() -> None:
    """There is nothing to hold them against."""
    trades = [{"id": "t1", "amount": "2.5", "price": "100"}]
    assert read(ORDER | {"filled": None, "trades": trades}).filled == Decimal("2.5")


def test_floats_that_do_not_add_up_are_no_excess() -> None:
    """What a look-alike summed up in floats may lie a hair below its trades."""
    trades = [{"id": "t1", "amount": 0.7, "price": 1.0}, {"id": "t2", "amount": 0.1, "price": 1.0}]
    snapshot = read(ORDER | {"filled": 0.7 + 0.1, "trades": trades})
    assert (len(snapshot.fills), snapshot.filled) == (2, Decimal("0.8"))


def test_fees_in_two_assets_are_known_once_every_trade_names_its_own() -> None:
    """A trade paid half in a third asset leaves nothing open, also where the trades were read apart."""
    both = [{"cost": "0.1", "currency": "USDT"}, {"cost": "0.2", "currency": "BNB"}]
    trades = [
        {"id": "t1", "amount": "0.5", "price": "100", "fees": both},
        {"id": "t2", "amount": "1.5", "price": "100", "fee": {"cost": "0.3", "currency": "BNB"}},
    ]
    assert read(ORDER, trades=trades).fees == (Fee(Decimal("0.5"), "BNB"), Fee(Decimal("0.1"), "USDT"))
    assert read(ORDER, trades=[trades[0], trades[1] | {"fee": None}]).fees is None


def test_fees_are_unknown_until_they_are_named() -> None:
    """None and nothing are not the same."""
    assert read(ORDER).fees is None
    assert read(ORDER | {"fees": []}).fees is None
    assert read(ORDER | {"fee": {"cost": None, "currency": "BTC"}}).fees is None
    assert read(ORDER | {"fee": {"cost": "0.1", "currency": None}}).fees is None
    assert read(ORDER | {"filled": "0"}).fees == ()
    assert read(ORDER | {"fee": {"cost": "1", "currency": "USDT"}}).fees == (Fee(Decimal(1), "USDT"),)
    both = [{"cost": "1", "currency": "USDT"}, {"cost": "2", "currency": "BNB"}]
    assert read(ORDER | {"fees": both}).fees == (Fee(Decimal(2), "BNB"), Fee(Decimal(1), "USDT"))


def test_contracts_become_base() -> None:
    """Amounts are scaled, prices are not."""
    trades = [{"id": "t1", "amount": "2", "price": "100"}]
    snapshot = read(ORDER | {"trades": trades}, size=Decimal("0.01"))
    assert (snapshot.filled, snapshot.amount, snapshot.average) == (Decimal("0.02"), Decimal("0.02"), 100)
    assert snapshot.fills[0].amount == Decimal("0.02")
    assert contract_size({"swap": True, "contractSize": 0.01}) == Decimal("0.01")
    assert contract_size({"spot": True, "contractSize": None}) is None
    assert contract_size({"contract": True}) == 1


def test_ids_are_read_where_the_venue_keeps_them() -> None:
    """In a cancel's reply Binance shows the cancel's own id beside the order's."""
    order = ORDER | {"clientOrderId": "cancel-id", "info": {"clientOrderId": "cancel-id", "origClientOrderId": "abc"}}
    assert read(order, BINANCE).client_order_id == "abc"
    assert client_id_of({"clientOrderId": None, "info": {}}, DEFAULT) is None
    assert read(ORDER | {"side": None, "symbol": None, "amount": None}).side is None
    assert read(ORDER).side is Side.SELL


def test_trades_without_ids_are_told_apart_by_what_they_are() -> None:
    """Two that look alike in one reply are two; rubbish is left out."""
    trade = {"order": "V1", "timestamp": 7, "amount": "1", "price": "10"}
    assert len(parse_fills([trade, dict(trade)], None)) == 2
    assert parse_fills([{"amount": None, "price": "1"}, {"amount": "0", "price": "1"}, "x"], None) == ()
    assert len(parse_fills([{"id": "t1"} | trade, {"id": "t1"} | trade], None)) == 1
    assert parse_fills(None, None) == ()


def test_a_trade_without_an_id_keeps_its_name() -> None:
    """Newest first or last, alone or among others, as text or as a float: it is the same trade."""
    first = {"order": "V1", "timestamp": 1, "amount": "0.40", "price": "10"}
    second = {"order": "V1", "timestamp": 2, "amount": 0.2, "price": 10.0}
    alone = parse_fills([first], None)
    later = parse_fills([second, first], None)
    other_way = parse_fills([first | {"amount": 0.4, "price": 10.0}, second], None)
    assert {fill.fill_id for fill in alone} < {fill.fill_id for fill in later}
    assert {fill.fill_id for fill in later} == {fill.fill_id for fill in other_way}
    unsaid = [{key: value for key, value in first.items() if key != "order"}]
    assert parse_fills(unsaid, None, "V1") == alone, "named by the order it came with"


def test_books_keep_only_levels_that_are_numbers() -> None:
    """A third column, which some venues send, is not read."""
    book = parse_book({"bids": [["1.5", 2.0, 9], ["x", 1]], "asks": None, "timestamp": None}, Decimal("0.1"))
    assert [(level.price, level.amount) for level in book.bids] == [(Decimal("1.5"), Decimal("0.20"))]
    assert (book.asks, book.at_ms) == ((), None)


def test_balances_are_read_from_either_form() -> None:
    """By asset, or by kind."""
    assert parse_balances({"free": {"BTC": 0.1, "X": None}}).free == {"BTC": Decimal("0.1")}
    assert parse_balances({"BTC": {"free": "0.2"}, "info": []}).of("BTC") == Decimal("0.2")
