"""Each row of the table, run through the real ccxt class against a server that writes down what it is asked."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest
from capture import Capture, Reply, Seen
from lab import OUR_ID, Lab
from wires import WIRES, Wires, words_of

from fsm_arb.ports import Acknowledged, Found, NotFound, OrderStatus, Refused
from fsm_arb.values import OrderType, Side
from fsm_arb.venues.dialects import COINONE, DEFAULT, DIALECTS, dialect_of

HALF = Decimal("0.006")
PLACED = [
    ("ioc_buy", OrderType.IOC, Side.BUY),
    ("limit_sell", OrderType.LIMIT, Side.SELL),
    ("market_buy", OrderType.MARKET, Side.BUY),
    ("market_sell", OrderType.MARKET, Side.SELL),
]
NO_TRADES: dict[str, Any] = {
    "/api/v3/myTrades": [],
    "/fapi/v1/userTrades": [],
}


def prepare(capture: Capture) -> None:
    """Answer what some classes ask before the first order."""
    capture.on("GET", "/v5/user/query-api", {"retCode": 0, "result": {"uta": 1, "unified": 0}})
    capture.on("GET", "/v5/account/info", {"retCode": 0, "result": {"unifiedMarginStatus": 6}})
    capture.on("GET", "/api/ua/v1/account/mode", {"code": "200000", "data": {"selfAccountMode": "CLASSIC"}})
    capture.on("GET", "/api/v4/account/detail", {"user_id": 1, "unified_account_mode": "classic"})
    for path, reply in NO_TRADES.items():
        capture.on("GET", path, reply)


def last(lab: Lab, method: str, path: str) -> Seen:
    found = lab.capture.sent(method, path)
    assert found, [f"{one.method} {one.path}" for one in lab.capture.seen]
    return found[-1]


def said(lab: Lab, method: str, path: str, words: dict[str, Any]) -> bool:
    """Whether some request of this path held at least these words."""
    return any(words.items() <= flat(words_of(one)).items() for one in lab.capture.sent(method, path))


def flat(words: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in words.items() if not isinstance(value, list) or key == "order_ids"}


def test_every_row_is_covered_here() -> None:
    """No row stands in the table that no real class has spoken."""
    assert set(WIRES) == set(DIALECTS)
    assert all(row.why for row in DIALECTS.values())


@pytest.mark.parametrize("kind", PLACED, ids=lambda kind: kind[0])
@pytest.mark.parametrize("exchange_id", WIRES)
async def test_an_order_goes_out_in_the_words_of_the_exchange(make_lab: Any, exchange_id: str, kind: Any) -> None:
    """Quantity, limit, time in force and our id arrive as the exchange reads them, and come back as one order."""
    name, order_type, side = kind
    wires: Wires = WIRES[exchange_id]
    lab: Lab = make_lab(exchange_id)
    prepare(lab.capture)
    lab.capture.on("POST", wires.create, wires.created)
    outcome = await lab.place(order_type=order_type, side=side)
    expected = getattr(wires, name)
    if not expected:
        assert outcome.code == "order_type_not_supported"
        assert lab.capture.seen == []
        return
    assert isinstance(outcome, Acknowledged), outcome
    assert outcome.snapshot.venue_order_id == wires.venue_id
    assert outcome.snapshot.status in {OrderStatus.OPEN, OrderStatus.UNKNOWN}
    assert outcome.snapshot.filled == 0
    assert outcome.wire.http_status == 200
    assert outcome.wire.sent_at_ns is not None
    assert outcome.wire.received_at_ns >= outcome.wire.sent_at_ns
    sent = words_of(last(lab, "POST", wires.create))
    assert {key: sent.get(key) for key in expected} == expected
    if order_type is OrderType.MARKET and DIALECTS[exchange_id].market_buy.value == "base":
        assert not {"price", "quoteOrderQty", "px", "funds"} & set(sent)


@pytest.mark.parametrize("exchange_id", WIRES)
async def test_small_amounts_go_out_in_full(make_lab: Any, exchange_id: str) -> None:
    """No amount is ever written with an exponent."""
    wires = WIRES[exchange_id]
    amount = {"binanceusdm": "0.001", "hyperliquid": "0.00012", "bithumb": "0.0001"}.get(exchange_id, "0.00001012")
    lab: Lab = make_lab(exchange_id)
    prepare(lab.capture)
    lab.capture.on("POST", wires.create, wires.created)
    outcome = await lab.place(order_type=OrderType.LIMIT, amount=Decimal(amount))
    assert isinstance(outcome, Acknowledged), outcome
    assert amount in words_of(last(lab, "POST", wires.create)).values()


@pytest.mark.parametrize("exchange_id", WIRES)
async def test_an_order_is_found_by_our_id(make_lab: Any, exchange_id: str) -> None:
    """A lost reply is looked up by the id we chose, and what was filled is read whatever the status says."""
    wires = WIRES[exchange_id]
    lab: Lab = make_lab(exchange_id)
    prepare(lab.capture)
    for method, path, _, empty in wires.lists:
        lab.capture.on(method, path, empty)
    if wires.shown is None:
        observed = await lab.venue.observe(lab.ref())
        assert isinstance(observed, NotFound)
        assert not observed.covered, "an exchange that takes no client id proves no absence"
        return
    method, path = wires.look_up[:2] if wires.look_up else wires.lists[-1][:2]
    lab.capture.on(method, path, wires.shown)
    observed = await lab.venue.observe(lab.ref())
    assert isinstance(observed, Found), observed
    snapshot = observed.snapshot
    assert (snapshot.venue_order_id, snapshot.client_order_id) == (wires.venue_id, OUR_ID)
    assert (snapshot.status, snapshot.filled) == (OrderStatus.ENDED, HALF)
    assert (snapshot.amount, snapshot.side) == (HALF * 2, Side.BUY)
    assert snapshot.average in {Decimal(67_880), Decimal(95_090_000)} or exchange_id == "hyperliquid"
    if wires.look_up:
        assert said(lab, *wires.look_up)


@pytest.mark.parametrize("exchange_id", [name for name, wires in WIRES.items() if wires.shown is not None])
async def test_absence_is_proven_by_every_list_that_could_show_it(make_lab: Any, exchange_id: str) -> None:
    """Only when all lists of the row answered and reached back is an order said not to be there."""
    wires = WIRES[exchange_id]
    lab: Lab = make_lab(exchange_id)
    prepare(lab.capture)
    for method, path, _, empty in wires.lists:
        lab.capture.on(method, path, empty)
    _absent(lab, exchange_id)
    observed = await lab.venue.observe(lab.ref())
    assert isinstance(observed, NotFound), observed
    assert observed.covered, observed.raw
    for method, path, words, _ in wires.lists:
        assert said(lab, method, path, words), (path, [words_of(one) for one in lab.capture.seen])


def _absent(lab: Lab, exchange_id: str) -> None:
    """Answer the direct question as the exchange does when it knows no such order."""
    on = lab.capture.on
    if exchange_id in {"upbit", "bithumb"}:
        on("GET", "/v1/order", {"error": {"name": "order_not_found", "message": "no"}}, status=404)
    elif exchange_id == "binance":
        on("GET", "/api/v3/order", {"code": -2013, "msg": "Order does not exist."}, status=400)
    elif exchange_id == "binanceusdm":
        on("GET", "/fapi/v1/order", {"code": -2013, "msg": "Order does not exist."}, status=400)
    elif exchange_id == "okx":
        on("GET", "/api/v5/trade/order", {"code": "51603", "msg": "Order does not exist", "data": []})
    elif exchange_id == "gate":
        body = {"label": "ORDER_NOT_FOUND", "message": "Order not found"}
        on("GET", f"/api/v4/spot/orders/t-{OUR_ID}", body, status=404)
    elif exchange_id == "kucoin":
        on("GET", f"/api/v1/order/client-order/{OUR_ID}", {"code": "400100", "msg": "order not exist"})
    elif exchange_id == "hyperliquid":

        def info(seen: Seen) -> Any:
            return {"status": "unknownOid"} if words_of(seen).get("type") == "orderStatus" else []

        on("POST", "/info", info)


@pytest.mark.parametrize("exchange_id", WIRES)
async def test_a_cancel_names_the_order(make_lab: Any, exchange_id: str) -> None:
    """By the venue's id where it is known, else by ours where the exchange knows such a thing."""
    wires = WIRES[exchange_id]
    lab: Lab = make_lab(exchange_id)
    prepare(lab.capture)
    reply = await lab.venue.cancel(lab.ref())
    if wires.cancel is None:
        assert (reply.accepted, reply.code) == (False, "not_supported")
        assert lab.capture.seen == []
    else:
        lab.capture.on(*wires.cancel[:2], wires.cancelled)
        reply = await lab.venue.cancel(lab.ref())
        assert reply.accepted, reply
        assert said(lab, *wires.cancel)
    assert wires.cancel_known is not None
    lab.capture.on(*wires.cancel_known[:2], wires.cancelled)
    reply = await lab.venue.cancel(lab.ref(venue_order_id=wires.venue_id))
    assert reply.accepted, reply
    assert said(lab, *wires.cancel_known)


async def test_an_id_that_begins_with_t_keeps_its_prefix_on_gate(make_lab: Any) -> None:
    """ccxt takes such an id for one that is prefixed already; the exchange would refuse it."""
    lab: Lab = make_lab("gate")
    prepare(lab.capture)
    lab.capture.on("POST", "/spot/orders", WIRES["gate"].created)
    await lab.place(client_order_id="tuvwxyz01234567890"[:18])
    assert last(lab, "POST", "/spot/orders").body["text"] == "t-tuvwxyz01234567890"[:20]


async def test_contracts_are_counted_in_contracts_on_the_wire_only(make_lab: Any) -> None:
    """0.012 BTC is one and a fifth contracts of 0.01, so 0.02 is two, and comes back as 0.02."""
    lab: Lab = make_lab("okx", "BTC/USDT:USDT")
    lab.capture.on("POST", "/trade/batch-orders", WIRES["okx"].created)
    shown = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "ordId": "V1", "clOrdId": OUR_ID, "px": "67900", "sz": "2",
             "ordType": "ioc", "side": "buy", "state": "filled", "accFillSz": "2", "avgPx": "67880",
             "fee": "-0.5", "feeCcy": "USDT", "cTime": "1767225600000", "uTime": "1767225600000"}  # fmt: skip
    lab.capture.on("GET", "/trade/order", {"code": "0", "data": [shown]})
    outcome = await lab.place(amount=Decimal("0.02"), reduce_only=True)
    assert isinstance(outcome, Acknowledged)
    sent = words_of(last(lab, "POST", "/trade/batch-orders"))
    assert (sent["sz"], sent["reduceOnly"]) == ("2", True)
    observed = await lab.venue.observe(lab.ref(amount=Decimal("0.02")))
    assert isinstance(observed, Found)
    assert (observed.snapshot.filled, observed.snapshot.amount) == (Decimal("0.02"), Decimal("0.02"))
    assert observed.snapshot.average == Decimal(67_880)


async def test_post_only_rests_or_is_refused(make_lab: Any) -> None:
    """A maker's order says so; asked for together with immediate-or-cancel it is a contradiction."""
    lab: Lab = make_lab("binance")
    lab.capture.on("POST", "/api/v3/order", WIRES["binance"].created)
    await lab.place(order_type=OrderType.LIMIT, post_only=True)
    assert last(lab, "POST", "/api/v3/order").body["type"] == "LIMIT_MAKER"
    outcome = await lab.place(order_type=OrderType.IOC, post_only=True)
    assert isinstance(outcome, Refused)
    assert outcome.code == "invalid_order"


def test_an_unlisted_exchange_gets_the_default_and_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody finds out from a lost order that his exchange has no row."""
    with caplog.at_level(logging.WARNING):
        assert dialect_of(ccxt.bitstamp(), "mine") is DEFAULT
    assert "mine" in caplog.text
    assert "bitstamp" in caplog.text


def test_a_subclass_of_a_listed_class_keeps_its_row() -> None:
    """Who overrides one method still talks to the same exchange."""

    class Mine(ccxt.upbit):
        pass

    assert dialect_of(Mine(), "mine") is DIALECTS["upbit"]


def test_a_look_alike_with_a_listed_id_gets_the_default() -> None:
    """An object that only calls itself upbit need not speak upbit's private endpoints."""

    class Fake:
        id = "upbit"

    assert dialect_of(Fake(), "fake") is DEFAULT


def test_the_hyperliquid_id_is_128_bits_and_always_the_same() -> None:
    """After a restart the same intent asks for the same order."""
    cloid = DIALECTS["hyperliquid"].wire_id(OUR_ID)
    assert cloid == DIALECTS["hyperliquid"].wire_id(OUR_ID)
    assert len(cloid) == 34
    assert int(cloid, 16) < 2**128
    assert cloid != DIALECTS["hyperliquid"].wire_id("another")


def test_an_exchange_without_client_ids_warns(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever trades there knows that a lost reply cannot be looked up."""
    with caplog.at_level(logging.WARNING):
        assert dialect_of(ccxt.coinone(), "mine") is COINONE
    assert "takes no client id" in caplog.text


@pytest.mark.parametrize("bad", ["with space", "x" * 40, ""])
async def test_an_id_the_venue_would_alter_is_never_sent(make_lab: Any, bad: str) -> None:
    """An order under an id other than the intent's could not be found again."""
    lab: Lab = make_lab("binance")
    outcome = await lab.place(client_order_id=bad)
    assert isinstance(outcome, Refused)
    assert outcome.code == "invalid_client_order_id"
    assert lab.capture.seen == []


async def test_a_partly_cancelled_order_has_ended_on_coinone(make_lab: Any) -> None:
    """ccxt calls it open for ever."""
    lab: Lab = make_lab("coinone")
    order = {"order_id": "V1", "status": "partially_canceled", "side": "BID", "type": "LIMIT", "price": "95100000",
             "qty": "0.012", "original_qty": "0.012", "remain_qty": "0.006", "executed_qty": "0.006", "fee": "0.00001",
             "quote_currency": "KRW", "target_currency": "BTC"}  # fmt: skip
    lab.capture.on("POST", "/order/query_order", {"result": "success", "error_code": "0", **order})
    lab.capture.on("POST", "/complete_orders", {"result": "success", "error_code": "0", "completeOrders": []})
    observed = await lab.venue.observe(lab.ref(venue_order_id="V1"))
    assert isinstance(observed, Found), observed
    assert observed.snapshot.status is OrderStatus.ENDED
    assert observed.snapshot.filled == HALF


async def test_a_reply_that_is_late_still_counts(make_lab: Any) -> None:
    """A slow venue is slow, not silent."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("POST", "/v1/orders", Reply(data=WIRES["upbit"].created, delay_s=0.1))
    assert isinstance(await lab.place(), Acknowledged)
