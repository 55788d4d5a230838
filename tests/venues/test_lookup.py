"""When an order is found, when its absence is proven, and when nothing is known."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest
from fakes import FakeExchange, without
from lab import OUR_ID, SINCE_MS, Lab

from fsm_arb.clock import SystemClock
from fsm_arb.ports import Found, NotFound, OrderRef, OrderStatus, Unanswered
from fsm_arb.values import Side
from fsm_arb.venues.ccxt_venue import CcxtVenue
from fsm_arb.venues.dialect import Ask
from fsm_arb.venues.dialects import UPBIT
from fsm_arb.venues.lookup import fill_in, offers, words_for
from fsm_arb.venues.window import SKEW_MS, UNASKED_MS

SYMBOL = "BTC/USDT"
ORDER = {"id": "f7", "clientOrderId": OUR_ID, "symbol": SYMBOL, "side": "buy", "status": "canceled", "amount": 1.0,
         "filled": 0.0}  # fmt: skip
OTHER = ORDER | {"id": "f8", "clientOrderId": "somebody-elses"}
LOST = ccxt.RequestTimeout("x")


def ref(**changes: Any) -> OrderRef:
    values: dict[str, Any] = {
        "symbol": SYMBOL, "side": Side.BUY, "amount": 1, "client_order_id": OUR_ID, "since_ms": SINCE_MS,
    }  # fmt: skip
    return OrderRef(**(values | changes))


async def observe(exchange: Any, **changes: Any) -> Any:
    return await CcxtVenue(exchange, name="fake", clock=SystemClock()).observe(ref(**changes))


async def test_an_order_is_found_by_our_id_at_once() -> None:
    """The direct question is the cheapest; no list is asked after it."""
    exchange = FakeExchange([OTHER, ORDER])
    observed = await observe(exchange)
    assert isinstance(observed, Found)
    assert observed.snapshot.venue_order_id == "f7"
    assert exchange.asked() == ["load_markets", "fetch_order"]


@pytest.mark.parametrize("status", ["open", "closed", "canceled"])
async def test_an_order_is_found_in_the_list_of_its_state(status: str) -> None:
    """An exchange that cannot look up by client id still lists the order."""
    exchange = FakeExchange([OTHER, ORDER | {"status": status}], fails={"fetch_order": ccxt.NotSupported("x")})
    observed = await observe(exchange)
    assert isinstance(observed, Found)
    assert observed.snapshot.client_order_id == OUR_ID


async def test_an_order_is_found_in_spite_of_a_list_that_fails() -> None:
    """What one source shows, another's silence does not hide."""
    exchange = FakeExchange([ORDER], fails={"fetch_order": LOST, "fetch_open_orders": LOST})
    assert isinstance(await observe(exchange), Found)


async def test_an_order_that_answers_to_another_id_is_not_ours() -> None:
    """An exchange that ignores the question's id answers with whatever it has."""

    class Ignorant(FakeExchange):
        async def fetch_order(self, order_id: Any, symbol: Any = None, params: Any = None) -> dict[str, Any]:
            return OTHER

    observed = await observe(Ignorant([OTHER]))
    assert isinstance(observed, NotFound)


async def test_an_order_without_any_id_of_ours_is_not_taken_on_trust() -> None:
    """Of an unlisted exchange nobody knows what it answered to."""

    class Bare(FakeExchange):
        async def fetch_order(self, order_id: Any, symbol: Any = None, params: Any = None) -> dict[str, Any]:
            return {"id": "f9", "status": "closed", "filled": 1.0}

    observed = await observe(Bare())
    assert isinstance(observed, NotFound)
    assert not observed.covered, "it may be ours all the same"


async def test_an_order_like_ours_without_a_name_leaves_a_doubt() -> None:
    """An exchange that does not echo client ids cannot show that ours is not among its orders."""
    nameless = ORDER | {"id": "f9", "clientOrderId": None, "status": "closed", "amount": 1.0}
    exchange = FakeExchange([nameless], fails={"fetch_order": ccxt.NotSupported("x")})
    assert not (await observe(exchange)).covered
    exchange.orders = [nameless | {"amount": 2.0}, nameless | {"side": "sell"}]
    assert (await observe(exchange)).covered, "those are not like ours"


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ({"amount": 0.6}, False),
        ({"amount": None}, False),
        ({"amount": 1.0000000000000002}, False),
        ({"amount": 0.6, "side": "BUY"}, False),
        ({"amount": 0.6, "timestamp": SINCE_MS}, False),
        ({"amount": 0.6, "timestamp": SINCE_MS // 1000}, False),
        ({"amount": 0.6, "timestamp": SINCE_MS - 3 * 86_400_000}, True),
        ({"amount": 0.6, "side": "SELL"}, True),
    ],
)
async def test_a_nameless_order_of_less_may_be_ours_as_well(row: dict[str, Any], covered: bool) -> None:
    """Some exchanges show as the amount of an order that has ended what it has filled."""
    nameless = ORDER | {"id": "f9", "clientOrderId": None, "status": "closed"} | row
    exchange = FakeExchange([nameless], fails={"fetch_order": ccxt.NotSupported("x")})
    assert (await observe(exchange)).covered is covered


async def test_a_direct_no_of_an_unlisted_exchange_says_nothing() -> None:
    """It may not have understood the question; the lists speak."""
    for error in (ccxt.ExchangeError("what?"), ccxt.BadRequest("x"), KeyError("id"), ccxt.InvalidOrder("x")):
        observed = await observe(FakeExchange(fails={"fetch_order": error}))
        assert isinstance(observed, NotFound)
        assert observed.covered


async def test_a_list_that_refuses_is_not_a_list_without_the_order() -> None:
    """Only an exchange that has no such list may leave it out."""
    for error in (ccxt.BadRequest("since too old"), ccxt.ExchangeError("x"), TypeError("x")):
        assert isinstance(await observe(FakeExchange(fails={"fetch_canceled_orders": error})), Unanswered)
    assert (await observe(FakeExchange(fails={"fetch_canceled_orders": ccxt.NotSupported("x")}))).covered


async def test_what_is_no_list_proves_nothing() -> None:
    """A look-alike that answers None has not answered."""

    class Odd(FakeExchange):
        async def fetch_open_orders(self, *args: Any) -> Any:
            return None

    observed = await observe(Odd())
    assert isinstance(observed, Unanswered)
    assert observed.code == "bad_response"


async def test_absence_needs_every_list() -> None:
    """Open, closed, canceled and all orders were asked, and the direct question."""
    exchange = FakeExchange([OTHER])
    observed = await observe(exchange)
    assert isinstance(observed, NotFound)
    assert observed.covered
    assert {"fetch_order", "fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders", "fetch_orders"} <= set(
        exchange.asked()
    )


@pytest.mark.parametrize(
    "failing",
    ["fetch_order", "fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders", "fetch_orders",
     "fetch_my_trades"],
)  # fmt: skip
async def test_a_source_that_fails_leaves_the_order_in_doubt(failing: str) -> None:
    """One silent list is where the order may stand."""
    observed = await observe(FakeExchange(fails={failing: LOST}))
    assert isinstance(observed, Unanswered)
    assert observed.code == "timeout"
    assert failing in observed.message or "client_order_id" in observed.message


async def test_a_direct_not_found_is_no_proof() -> None:
    """Right after create it is the normal answer to an order that exists."""
    lists = ("fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders", "fetch_orders", "fetch_my_trades")
    observed = await observe(without(FakeExchange(), *lists))
    assert isinstance(observed, NotFound)
    assert not observed.covered


async def test_open_orders_alone_prove_nothing() -> None:
    """The order may have filled and gone."""
    lists = ("fetch_closed_orders", "fetch_canceled_orders", "fetch_orders", "fetch_my_trades")
    assert not (await observe(without(FakeExchange(), *lists))).covered


async def test_open_and_closed_orders_prove_nothing_without_the_cancelled_ones() -> None:
    """Some exchanges call only the filled ones closed; what filled in part and was cancelled is then in no list."""
    assert not (
        await observe(without(FakeExchange(), "fetch_canceled_orders", "fetch_orders", "fetch_my_trades"))
    ).covered
    assert (await observe(without(FakeExchange(), "fetch_orders", "fetch_my_trades"))).covered


async def test_trades_that_may_be_ours_leave_a_doubt_whatever_the_lists_say() -> None:
    """A fill that belongs to no order we can name may be the order that no list shows."""
    trade = {"id": "t1", "order": "f9", "side": "buy", "amount": 0.6, "price": 10.0, "timestamp": SINCE_MS}
    exchange = FakeExchange(trades=[trade])
    assert not (await observe(exchange)).covered
    exchange.orders = [OTHER | {"id": "f9"}]
    assert (await observe(exchange)).covered, "it is a fill of somebody else's order"
    exchange.orders = [OTHER | {"id": "f9", "clientOrderId": None, "amount": 1.5, "filled": 1.5}]
    assert (await observe(exchange)).covered, "of an order without a name that has filled more than ours asks for"
    exchange.orders = [OTHER | {"id": "f9", "clientOrderId": None, "amount": 5000.0, "filled": 0.6}]
    assert not (await observe(exchange)).covered, "it may be ours, shown by its cost"
    exchange.orders = [OTHER | {"id": "f9", "clientOrderId": None, "amount": 0.6}]
    assert not (await observe(exchange)).covered
    exchange.orders, exchange.trades = [], [trade | {"side": "sell"}, trade | {"amount": 1.5}]
    assert (await observe(exchange)).covered, "neither can be a fill of ours"


async def test_open_orders_and_own_trades_do_where_every_trade_names_its_order() -> None:
    """An order that neither rests nor filled did nothing and will do nothing."""
    lists = ("fetch_closed_orders", "fetch_canceled_orders", "fetch_orders")
    assert (await observe(without(FakeExchange(), *lists))).covered
    nameless = [{"id": "t1", "order": "x", "amount": 1.0, "price": 1.0}]
    assert not (await observe(without(FakeExchange(trades=nameless), *lists))).covered


@pytest.mark.parametrize(("rows", "with_lists"), [(19, True), (20, True), (19, False), (20, False)])
async def test_own_trades_that_may_be_cut_short_leave_it_to_the_lists_of_orders(rows: int, with_lists: bool) -> None:
    """As many fills as a page may hold say no more than none; where no list shows ended orders, that is too little."""
    lists = () if with_lists else ("fetch_closed_orders", "fetch_canceled_orders", "fetch_orders")
    trades = [{"id": str(index), "order": "x", "side": "sell", "amount": 1.0, "price": 1.0} for index in range(rows)]
    observed = await observe(without(FakeExchange(trades=trades), *lists))
    assert observed.raw["fetch_my_trades"] == ("absent" if rows < 20 else "partial")
    assert observed.covered is (with_lists or rows < 20)


async def test_own_trades_show_an_order_that_no_list_holds() -> None:
    """Its fills are counted; whether it still lives stays open."""
    lists = ("fetch_order", "fetch_closed_orders", "fetch_canceled_orders", "fetch_orders")
    trades = [{"id": "t1", "order": "f7", "clientOrderId": OUR_ID, "side": "buy", "amount": 0.4, "price": 10.0,
               "fee": {"cost": 0.1, "currency": "USDT"}}]  # fmt: skip
    observed = await observe(without(FakeExchange(trades=trades), *lists))
    assert isinstance(observed, Found)
    assert observed.snapshot.status is OrderStatus.UNKNOWN
    assert str(observed.snapshot.filled) == "0.4"
    assert observed.snapshot.venue_order_id == "f7"


async def test_has_rules_over_the_methods_that_are_there() -> None:
    """ccxt's base class has every method; only `has` tells which of them mean anything."""
    exchange = FakeExchange([ORDER], has={"fetchOrder": False, "fetchOpenOrders": None, "fetchClosedOrders": None})
    await observe(exchange)
    assert not {"fetch_order", "fetch_open_orders", "fetch_closed_orders"} & set(exchange.asked())


@pytest.mark.parametrize(("rows", "covered"), [(19, True), (20, False), (50, False), (57, True), (100, False)])
async def test_a_list_of_a_pages_length_may_have_been_cut(rows: int, covered: bool) -> None:
    """Nobody knows the page of an unlisted exchange; the usual ones are not trusted."""
    orders = [OTHER | {"id": str(index), "status": "closed"} for index in range(rows)]
    assert (await observe(FakeExchange(orders))).covered is covered


async def test_without_a_time_nothing_is_proven() -> None:
    """A list reaches back to some time or other; which one must be known."""
    assert not (await observe(FakeExchange(), since_ms=None)).covered


async def test_a_full_page_proves_nothing(make_lab: Any) -> None:
    """The thousandth order of the page may have pushed ours off it."""
    lab: Lab = make_lab("binance")
    lab.capture.on("GET", "/api/v3/order", {"code": -2013, "msg": "Order does not exist."}, status=400)
    row = {"symbol": "BTCUSDT", "clientOrderId": "other", "status": "FILLED", "origQty": "1", "executedQty": "1",
           "price": "1", "cummulativeQuoteQty": "1", "type": "LIMIT", "side": "BUY", "time": SINCE_MS + 1}  # fmt: skip
    lab.capture.on("GET", "/api/v3/allOrders", [row | {"orderId": index} for index in range(1000)])
    observed = await lab.venue.observe(lab.ref())
    assert isinstance(observed, NotFound)
    assert not observed.covered


async def test_a_window_that_does_not_reach_proves_nothing(make_lab: Any) -> None:
    """Asked eight days later, a list of seven days cannot show the order."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/order", {"error": {"name": "order_not_found", "message": "no"}}, status=404)
    lab.capture.on("GET", "/v1/orders/open", [])
    lab.capture.on("GET", "/v1/orders/closed", [])
    late = await lab.venue.observe(lab.ref(since_ms=SINCE_MS - 8 * 86_400_000))
    assert isinstance(late, NotFound)
    assert not late.covered
    assert (await lab.venue.observe(lab.ref())).covered


async def test_a_venue_whose_clock_is_behind_still_shows_the_order(make_lab: Any) -> None:
    """Its lists are cut by its own clock, so they are asked from a little earlier."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/order", {"error": {"name": "order_not_found", "message": "no"}}, status=404)
    lab.capture.on("GET", "/v1/orders/open", [])
    lab.capture.on("GET", "/v1/orders/closed", [])
    await lab.venue.observe(lab.ref())
    asked = int(lab.capture.sent("GET", "/v1/orders/closed")[0].query["start_time"])
    assert SINCE_MS - SKEW_MS - 2_000 < asked <= SINCE_MS - SKEW_MS


class Ahead(SystemClock):
    """Five minutes ahead of the world."""

    def time_ns(self) -> int:
        return super().time_ns() + 300 * 1_000_000_000


class Cutting(FakeExchange):
    """Cuts its lists by its own clock, which is right."""

    def _listed(self, name: str, args: tuple[Any, ...], *statuses: str) -> list[dict[str, Any]]:
        since = args[1] if len(args) > 1 else None
        rows = super()._listed(name, args, *statuses)
        return [row for row in rows if since is None or row["timestamp"] >= since]


async def test_a_clock_that_is_ahead_does_not_hide_the_order() -> None:
    """Where no offset was ever measured, nothing is asked from a time that may lie in the venue's future."""
    exchange = Cutting([ORDER | {"timestamp": SINCE_MS}], fails={"fetch_order": ccxt.NotSupported("x")})
    venue = CcxtVenue(exchange, name="fake", clock=Ahead())
    observed = await venue.observe(ref(since_ms=SINCE_MS + 300_000))
    assert isinstance(observed, Found)
    assert observed.snapshot.venue_order_id == "f7"


async def test_a_list_that_is_not_asked_from_a_time_proves_only_what_is_recent() -> None:
    """How far back it reaches by itself is unknown, save that it is some time."""
    assert (await observe(FakeExchange(), since_ms=SINCE_MS - UNASKED_MS // 2)).covered
    assert not (await observe(FakeExchange(), since_ms=SINCE_MS - UNASKED_MS)).covered
    assert not (await observe(FakeExchange(), since_ms=SINCE_MS + 86_400_000)).covered, "our clock was set back"


async def test_a_measured_offset_is_applied_to_the_question() -> None:
    """Once the venue has told its time, its lists are asked in that."""

    class Timed(Cutting):
        async def fetch_time(self) -> int:
            return SystemClock().time_ns() // 1_000_000

    exchange = Timed(fails={"fetch_order": ccxt.NotSupported("x")})
    venue = CcxtVenue(exchange, name="fake", clock=Ahead())
    await venue.health()
    late = await venue.observe(ref(since_ms=SINCE_MS + 300_000 - 2 * UNASKED_MS))
    assert isinstance(late, NotFound)
    assert late.covered, "asked from a time that is known, a list reaches back to it"
    asked = next(args for name, args in exchange.calls if name == "fetch_closed_orders")[1]
    assert abs(asked - (SINCE_MS - 2 * UNASKED_MS - SKEW_MS)) < 1_000


async def test_the_date_of_a_reply_measures_a_clock_that_nobody_tells(make_lab: Any) -> None:
    """Upbit has no endpoint for its time, and dates each reply all the same."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/order", {"error": {"name": "order_not_found", "message": "no"}}, status=404)
    lab.capture.on("GET", "/v1/orders/open", [])
    lab.capture.on("GET", "/v1/orders/closed", [])
    venue = CcxtVenue(lab.exchange, name="upbit", clock=Ahead())
    observed = await venue.observe(lab.ref(since_ms=SINCE_MS + 300_000))
    assert isinstance(observed, NotFound)
    assert observed.covered
    asked = int(lab.capture.sent("GET", "/v1/orders/closed")[0].query["start_time"])
    assert abs(asked - (SINCE_MS - SKEW_MS)) < 2_000


async def test_an_unknown_venue_id_is_looked_for_under_ours(make_lab: Any) -> None:
    """A reply may have been misread; the id that we chose was not."""
    lab: Lab = make_lab("upbit")
    seen: list[str] = []

    def answer(request: Any) -> Any:
        seen.extend(request.query)
        return {"uuid": "V1", "identifier": OUR_ID, "state": "wait", "market": "KRW-BTC", "side": "bid",
                "volume": "1", "executed_volume": "0", "remaining_volume": "1"}  # fmt: skip

    lab.capture.on("GET", "/v1/order", answer)
    observed = await lab.venue.observe(lab.ref(venue_order_id="V2"))
    assert isinstance(observed, Found)
    assert seen == ["uuid", "identifier"]


def test_what_is_asked_is_filled_in() -> None:
    """Words in braces are replaced, flags stay flags."""
    words = words_for(UPBIT, {"symbol": "BTC/KRW", "id": "KRW-BTC"}, "abc", "V1")
    assert fill_in({"a": "{id}", "b": True, "c": "{market}/{order_id}"}, words) == {"a": "abc", "b": True,
                                                                                  "c": "KRW-BTC/V1"}  # fmt: skip
    assert Ask(method="x").path is None


def test_offers_reads_has_first_and_methods_where_it_is_silent() -> None:
    """Keys that `has` lacks are told by the object itself."""
    exchange = FakeExchange(has={"fetchOrder": "emulated", "fetchOrders": False})
    assert offers(exchange, "fetch_order")
    assert not offers(exchange, "fetch_orders")
    assert offers(exchange, "fetch_open_orders")
    assert not offers(exchange, "fetch_order_trades")
