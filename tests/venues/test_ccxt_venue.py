"""The adapter over objects that only look like ccxt: the default row, in every direction."""

from __future__ import annotations

import asyncio
import traceback
from decimal import Decimal
from typing import Any

import ccxt as synchronous
import ccxt.async_support as ccxt
import pytest
from fakes import FakeExchange, without
from lab import OUR_ID, SECRETS, SINCE_MS

from fsm_arb.clock import SystemClock
from fsm_arb.errors import InvalidInput, UnknownSymbol, VenueUnanswered
from fsm_arb.ports import (
    Acknowledged,
    Found,
    InDoubt,
    NotFound,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Refused,
    Unanswered,
    Venue,
)
from fsm_arb.values import Fee, OrderType, Side
from fsm_arb.venues import CcxtVenue, as_venue
from fsm_arb.venues.window import UNASKED_MS

SYMBOL = "BTC/USDT"


def venue_of(exchange: Any, **kwargs: Any) -> CcxtVenue:
    return CcxtVenue(exchange, name="fake", clock=SystemClock(), **kwargs)


def request(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "symbol": SYMBOL, "side": Side.BUY, "amount": Decimal("0.00012"), "order_type": OrderType.IOC,
        "bound": Decimal("67900.5"), "client_order_id": OUR_ID,
    }  # fmt: skip
    return OrderRequest(**(values | changes))


def ref(**changes: Any) -> OrderRef:
    values: dict[str, Any] = {
        "symbol": SYMBOL, "side": Side.BUY, "amount": Decimal("0.00012"), "client_order_id": OUR_ID,
        "since_ms": SINCE_MS,
    }  # fmt: skip
    return OrderRef(**(values | changes))


def test_it_is_a_venue() -> None:
    """What stands above asks for the port and nothing else."""
    assert isinstance(venue_of(FakeExchange()), Venue)


async def test_an_order_goes_out_in_unified_words() -> None:
    """The amount is exact, the id and the time in force ride in params."""
    exchange = FakeExchange()
    outcome = await venue_of(exchange).place(request(), lambda: True)
    assert isinstance(outcome, Acknowledged)
    assert (outcome.snapshot.venue_order_id, outcome.snapshot.client_order_id) == ("f1", OUR_ID)
    assert outcome.snapshot.amount == Decimal("0.00012")
    _, (symbol, kind, side, amount, price, params) = exchange.calls[-1]
    assert (symbol, kind, side) == (SYMBOL, "limit", "buy")
    assert (amount, price) == (Decimal("0.00012"), Decimal("67900.5"))
    assert type(amount) is Decimal
    assert params == {"clientOrderId": OUR_ID, "timeInForce": "IOC"}
    assert outcome.wire.sent_at_ns is not None


async def test_a_market_order_carries_no_price() -> None:
    """A price beside a market order means a sum of quote to many exchanges."""
    exchange = FakeExchange()
    await venue_of(exchange).place(request(order_type=OrderType.MARKET, side=Side.SELL), lambda: True)
    assert exchange.calls[-1][1][1:5] == ("market", "sell", Decimal("0.00012"), None)


async def test_a_market_buy_that_would_spend_quote_becomes_a_bounded_one() -> None:
    """ccxt marks such exchanges by an option; the quantity asked for is what counts."""
    exchange = FakeExchange()
    exchange.options = {"createMarketBuyOrderRequiresPrice": True}  # type: ignore[attr-defined]
    await venue_of(exchange).place(request(order_type=OrderType.MARKET), lambda: True)
    assert exchange.calls[-1][1][1] == "limit"
    assert exchange.calls[-1][1][5]["timeInForce"] == "IOC"


async def test_an_order_that_is_too_old_never_leaves() -> None:
    """The question is asked after markets are loaded and before the call."""
    exchange = FakeExchange()
    outcome = await venue_of(exchange).place(request(), lambda: False)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.wire.sent_at_ns) == ("too_old", None)
    assert exchange.created == []


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (synchronous.RequestTimeout("x"), InDoubt, "timeout"),
        (synchronous.InsufficientFunds("x"), Refused, "insufficient_funds"),
        (TimeoutError(), InDoubt, "timeout"),
        (RuntimeError("x"), InDoubt, "unexpected_error"),
        (synchronous.ExchangeError("x"), InDoubt, "exchange_error"),
    ],
)
async def test_errors_of_a_look_alike_are_told_apart(error: Exception, kind: type, code: str) -> None:
    """Where the wire is hidden, only the class of the error speaks."""
    outcome = await venue_of(FakeExchange(fails={"create_order": error})).place(request(), lambda: True)
    assert isinstance(outcome, kind)
    assert outcome.code == code


@pytest.mark.parametrize("reply", [None, {}, {"id": None}, "text", []])
async def test_a_reply_without_an_id_is_in_doubt(reply: Any) -> None:
    """The order may well exist; only its name was lost."""
    exchange = FakeExchange()

    async def create_order(*_args: Any, **_kwargs: Any) -> Any:
        return reply

    exchange.create_order = create_order  # type: ignore[method-assign]
    outcome = await venue_of(exchange).place(request(), lambda: True)
    assert isinstance(outcome, InDoubt)
    assert outcome.code == "reply_without_id"


async def test_a_subclass_that_answers_by_itself_is_not_taken_for_unsent() -> None:
    """A create_order that never reaches ccxt's own fetch proves nothing by not reaching it."""

    class Mine(ccxt.binance):
        async def create_order(self, *_args: Any, **_kwargs: Any) -> Any:
            raise ccxt.RequestTimeout("the order may be there")

    exchange = Mine()
    exchange.markets = await FakeExchange().load_markets()
    asked = []
    outcome = await venue_of(exchange).place(request(), lambda: asked.append(1) is None)
    assert isinstance(outcome, InDoubt)
    assert asked
    await exchange.close()


async def test_a_symbol_that_is_not_listed_is_named_with_its_neighbours() -> None:
    """No guess is made, but help is given."""
    venue = venue_of(FakeExchange())
    with pytest.raises(UnknownSymbol) as caught:
        await venue.rules("BTC/USD")
    assert (caught.value.field, caught.value.value) == ("symbol", "BTC/USD")
    assert "BTC/USDT" in str(caught.value)
    outcome = await venue.place(request(symbol="BTC/USD"), lambda: True)
    assert isinstance(outcome, Refused)


async def test_a_found_order_is_read_from_floats() -> None:
    """A float stands for the shortest number that it prints as."""
    order = {
        "id": "f7", "clientOrderId": OUR_ID, "symbol": SYMBOL, "side": "buy", "status": "closed", "amount": 0.00012,
        "filled": 0.0001, "average": 67880.1, "fee": {"cost": 1e-07, "currency": "BTC"},
    }  # fmt: skip
    observed = await venue_of(FakeExchange(orders=[order])).observe(ref())
    assert isinstance(observed, Found)
    snapshot = observed.snapshot
    assert (snapshot.status, snapshot.filled, snapshot.average) == (
        OrderStatus.ENDED,
        Decimal("0.0001"),
        Decimal("67880.1"),
    )
    assert snapshot.fees == (Fee(Decimal("0.0000001"), "BTC"),)


async def test_missing_fees_are_fetched_with_the_trades_of_the_order() -> None:
    """Where a buyer may be charged in base, what he received is not known without them."""
    order = {"id": "f7", "clientOrderId": OUR_ID, "symbol": SYMBOL, "side": "buy", "status": "canceled",
             "amount": 0.00012, "filled": 0.0001}  # fmt: skip
    trades = [
        {"id": "t1", "order": "f7", "amount": 0.0001, "price": 67880.5, "fee": {"cost": 1e-07, "currency": "BTC"}},
        {"id": "t2", "order": "other", "amount": 5, "price": 1, "fee": {"cost": 1, "currency": "BTC"}},
    ]
    observed = await venue_of(FakeExchange([order], trades)).observe(ref())
    assert isinstance(observed, Found)
    assert observed.snapshot.fees == (Fee(Decimal("0.0000001"), "BTC"),)
    assert observed.snapshot.average == Decimal("67880.5")
    assert [fill.fill_id for fill in observed.snapshot.fills] == ["t1"]


async def test_trades_that_cannot_be_read_do_not_hide_the_order() -> None:
    """What is known is handed on; the rest is asked for at the next poll."""
    order = {"id": "f7", "clientOrderId": OUR_ID, "symbol": SYMBOL, "side": "buy", "status": "open",
             "amount": 0.00012, "filled": 0.0001}  # fmt: skip
    exchange = FakeExchange([order], fails={"fetch_my_trades": synchronous.RequestTimeout("x")})
    observed = await venue_of(exchange).observe(ref())
    assert isinstance(observed, Found)
    assert observed.snapshot.fees is None


async def test_an_exchange_that_offers_nothing_cannot_be_observed() -> None:
    """That is said, and taken for no answer."""
    names = ("fetch_order", "fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders", "fetch_orders",
             "fetch_my_trades")  # fmt: skip
    observed = await venue_of(without(FakeExchange(), *names)).observe(ref())
    assert isinstance(observed, Unanswered)
    assert observed.code == "not_supported"


async def test_a_cancel_is_answered_never_raised() -> None:
    """A cancel proves nothing either way, so it has no error to raise."""
    venue = venue_of(FakeExchange())
    assert (await venue.cancel(ref())).accepted
    refused = await venue_of(FakeExchange(fails={"cancel_order": synchronous.OrderNotFound("gone")})).cancel(ref())
    assert (refused.accepted, refused.code) == (False, "order_not_found")
    lost = await venue_of(FakeExchange(fails={"cancel_order": synchronous.RequestTimeout("x")})).cancel(ref())
    assert (lost.accepted, lost.code) == (False, "timeout")


async def test_a_cancel_by_our_id_and_by_theirs() -> None:
    """The venue's id is the better name, where it is known."""
    exchange = FakeExchange()
    venue = venue_of(exchange)
    await venue.cancel(ref())
    await venue.cancel(ref(venue_order_id="f1"))
    assert [args for name, args in exchange.calls if name == "cancel_order"] == [
        (None, SYMBOL, {"clientOrderId": OUR_ID}),
        ("f1", SYMBOL, None),
    ]


async def test_orders_go_through_an_instance_of_their_own() -> None:
    """Reads queue on the one, orders and cancels on the other."""
    reads, orders = FakeExchange(), FakeExchange()
    venue = venue_of(reads, orders=orders)
    await venue.place(request(), lambda: True)
    await venue.cancel(ref())
    await venue.observe(ref())
    assert [name for name in orders.asked() if name != "load_markets"] == ["create_order", "cancel_order"]
    assert "fetch_order" in reads.asked()


async def test_balances_and_books_are_decimal() -> None:
    """A float that reaches the core is an error; none does."""
    venue = venue_of(FakeExchange())
    balances = await venue.balances()
    assert (balances.of("USDT"), balances.of("ODD"), balances.of("NONE")) == (Decimal("1000.1"), 0, 0)
    book = await venue.book(SYMBOL)
    assert (book.bids[0].price, book.asks[0].amount) == (Decimal("67880.1"), Decimal("0.1"))


async def test_reads_that_fail_say_so_without_secrets() -> None:
    """An exception of a foreign library is translated once, at the edge."""
    exchange = FakeExchange(fails={"fetch_balance": synchronous.NetworkError(f"GET /?apiKey={SECRETS['apiKey']}")})
    exchange.apiKey = SECRETS["apiKey"]  # type: ignore[attr-defined]
    with pytest.raises(VenueUnanswered) as caught:
        await venue_of(exchange).balances()
    assert "NetworkError" in str(caught.value)
    assert SECRETS["apiKey"] not in "".join(traceback.format_exception(caught.value))


async def test_markets_that_fail_say_so_without_secrets() -> None:
    """Neither the message nor what led to it repeats what the foreign error said."""
    exchange = FakeExchange(fails={"load_markets": synchronous.NetworkError(f"GET /?apiKey={SECRETS['apiKey']}")})
    exchange.apiKey = SECRETS["apiKey"]  # type: ignore[attr-defined]
    with pytest.raises(VenueUnanswered, match="NetworkError") as caught:
        await venue_of(exchange).rules(SYMBOL)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert SECRETS["apiKey"] not in "".join(traceback.format_exception(caught.value))


async def test_trades_of_a_later_moment_do_not_outrun_the_order() -> None:
    """Read after the order, they may show more than it did; then the order's own numbers hold."""
    order = {"id": "f7", "clientOrderId": OUR_ID, "symbol": SYMBOL, "side": "buy", "status": "open",
             "amount": 0.00012, "filled": 0.0001, "average": 67880.5}  # fmt: skip
    trades = [{"id": "t1", "order": "f7", "amount": 0.00012, "price": 67880.5, "fee": {"cost": 0, "currency": "BTC"}}]
    observed = await venue_of(FakeExchange([order], trades)).observe(ref())
    assert isinstance(observed, Found)
    snapshot = observed.snapshot
    assert (snapshot.filled, snapshot.fills, snapshot.fees) == (Decimal("0.0001"), (), None)
    assert snapshot.average == Decimal("67880.5")


async def test_closing_leaves_what_was_lent_open() -> None:
    """The exchange is its owner's."""
    exchange = ccxt.binance()
    venue = venue_of(exchange)
    await venue.close()
    assert exchange.closed_by_user is False


async def test_a_cancelled_reader_does_not_cancel_the_others() -> None:
    """Many trades ask for the same market at start-up, and share one load."""
    gate = asyncio.Event()

    class Slow(FakeExchange):
        async def load_markets(self) -> dict[str, Any]:
            await gate.wait()
            return await super().load_markets()

    exchange = Slow()
    venue = venue_of(exchange)
    tasks = [asyncio.create_task(venue.rules(SYMBOL)) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    gate.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert len(set(map(id, done[1:]))) == 1
    assert exchange.loads == 1


async def test_a_failed_load_is_tried_again() -> None:
    """A venue that was down when first asked is not down for ever."""
    exchange = FakeExchange(fails={"load_markets": synchronous.NetworkError("x")})
    venue = venue_of(exchange)
    with pytest.raises(VenueUnanswered):
        await venue.rules(SYMBOL)
    exchange.fails.clear()
    assert (await venue.rules(SYMBOL)).lot == Decimal("0.00001")


class Timed(FakeExchange):
    """Tells the time."""

    async def fetch_time(self) -> int:
        self._called("fetch_time")
        return SystemClock().time_ns() // 1_000_000


async def test_clocks_that_were_never_compared_are_compared_for_the_sake_of_an_old_order() -> None:
    """A new process may have no entry to read a venue's health for, and an order in doubt that is hours old."""
    exchange = Timed()
    venue = venue_of(exchange)
    old = ref(since_ms=SINCE_MS - 2 * UNASKED_MS)
    first = await venue.observe(old)
    assert isinstance(first, NotFound)
    assert not first.covered, "what reaches back by itself does not reach that far"
    assert exchange.asked().count("fetch_time") == 1
    for _ in range(2):
        later = await venue.observe(old)
        assert isinstance(later, NotFound)
        assert later.covered, "asked from a time, a list reaches back to it"
    assert exchange.asked().count("fetch_time") == 1


async def test_clocks_are_compared_for_nothing_else() -> None:
    """Absence that is proven needs no further call; a venue that tells no time is asked for none."""
    timed = Timed()
    recent = await venue_of(timed).observe(ref())
    assert isinstance(recent, NotFound)
    assert recent.covered
    assert "fetch_time" not in timed.asked()
    untimed = FakeExchange()
    for _ in range(2):
        old = await venue_of(untimed).observe(ref(since_ms=SINCE_MS - 2 * UNASKED_MS))
        assert isinstance(old, NotFound)
        assert not old.covered


def test_a_venue_of_our_port_stays_itself() -> None:
    """Wrapping is for foreigners."""
    venue = venue_of(FakeExchange())
    assert as_venue(venue, "x", SystemClock()) is venue
    assert isinstance(as_venue(FakeExchange(), "x", SystemClock()), CcxtVenue)


@pytest.mark.parametrize("bad", [object(), None, "upbit", 3])
def test_what_is_no_venue_is_refused_by_name(bad: Any) -> None:
    """The error names the key under which it was handed in."""
    with pytest.raises(InvalidInput) as caught:
        as_venue(bad, "left", SystemClock())
    assert caught.value.field == "venues['left']"


def test_a_synchronous_exchange_is_refused() -> None:
    """Its calls would stop the event loop, and with it every other trade."""
    with pytest.raises(InvalidInput, match="async_support"):
        as_venue(synchronous.upbit(), "left", SystemClock())

    class Blocking:
        def create_order(self) -> None: ...

        def fetch_order(self) -> None: ...

    with pytest.raises(InvalidInput, match="synchronous"):
        as_venue(Blocking(), "left", SystemClock())


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    """The representation names the venue and its row, nothing of its account."""
    exchange = ccxt.upbit({"apiKey": SECRETS["apiKey"], "secret": SECRETS["secret"]})
    venue = as_venue(exchange, "left", SystemClock())
    assert SECRETS["apiKey"] not in repr(venue)
    assert venue.has_secrets
