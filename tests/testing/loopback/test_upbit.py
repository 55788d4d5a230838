"""Upbit's dialect, as the real ccxt class meets it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt
import pytest

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

Desks = Callable[..., Any]
D = Decimal


async def test_markets_book_balance_ticks_and_fees(desk: Desks) -> None:
    """All that a bot reads before it trades."""
    upbit = desk("upbit")
    markets = await upbit.ccxt.load_markets()
    assert set(markets) == {"BTC/KRW", "ETH/KRW", "XRP/KRW", "USDT/KRW"}
    book = await upbit.ccxt.fetch_order_book("BTC/KRW")
    assert (book["bids"][0], book["asks"]) == ([95_000_000.0, 0.3], [[95_100_000.0, 0.2]])
    balance = await upbit.ccxt.fetch_balance()
    assert D(balance["KRW"]["free"]) == 1_000_000_000
    instruments = await upbit.ccxt.publicGetOrderbookInstruments({"markets": "KRW-BTC,KRW-XRP"})
    assert [row["tick_size"] for row in instruments] == ["1000", "1"]
    fee = await upbit.ccxt.fetch_trading_fee("BTC/KRW")
    assert (fee["taker"], fee["info"]["market"]["bid"]["min_total"]) == ("0.0005", "5000")
    ticker = await upbit.ccxt.fetch_ticker("BTC/KRW")
    assert D(ticker["last"]) == 95_050_000


async def test_a_create_answers_open_and_empty_whatever_happened(desk: Desks) -> None:
    """The order has filled by then; only the next read says so, with its trades and its fee in KRW."""
    upbit = desk("upbit")
    created = await upbit.buy()
    assert (created["status"], D(created["filled"]), created["clientOrderId"]) == ("open", 0, "a1")
    read = await upbit.ccxt.fetch_order(created["id"])
    assert (read["status"], D(read["filled"]), D(read["average"])) == ("closed", D("0.1"), 95_100_000)
    assert (D(read["fee"]["cost"]), read["fee"]["currency"]) == (D("4755"), "KRW")
    assert len(read["trades"]) == 1
    assert (await upbit.look_up("a1"))["id"] == created["id"]


async def test_a_partial_ioc_ends_canceled_with_what_it_got(desk: Desks) -> None:
    """Canceled does not mean that nothing filled."""
    upbit = desk("upbit")
    await upbit.ioc("buy", "0.5", upbit.touch, "a1")
    read = await upbit.look_up("a1")
    assert (read["status"], D(read["filled"]), D(read["remaining"])) == ("canceled", D("0.2"), D("0.3"))


async def test_market_buys_spend_krw_and_end_canceled(desk: Desks) -> None:
    """Both forms: `price`, and the better `best` with IOC."""
    upbit = desk("upbit")
    await upbit.ccxt.create_order("BTC/KRW", "market", "buy", None, None, {"cost": "951000", "clientOrderId": "m1"})
    best = {"cost": "951000", "ordType": "best", "timeInForce": "IOC", "clientOrderId": "m2"}
    await upbit.ccxt.create_order("BTC/KRW", "market", "buy", None, None, best)
    for client_id, word in (("m1", "price"), ("m2", "best")):
        read = await upbit.look_up(client_id)
        assert (read["status"], D(read["filled"]), read["info"]["ord_type"]) == ("canceled", D("0.01"), word)


async def test_market_and_best_sells_give_base(desk: Desks) -> None:
    """A whole market sell ends closed."""
    upbit = desk("upbit")
    await upbit.ccxt.create_order("BTC/KRW", "market", "sell", D("0.1"), None, {"clientOrderId": "m1"})
    best = {"ordType": "best", "timeInForce": "IOC", "clientOrderId": "m2"}
    await upbit.ccxt.create_order("BTC/KRW", "market", "sell", D("0.3"), None, best)
    first, second = await upbit.look_up("m1"), await upbit.look_up("m2")
    assert (first["status"], D(first["filled"])) == ("closed", D("0.1"))
    assert (second["status"], D(second["filled"])) == ("canceled", D("0.2"))


async def test_a_cancel_answers_with_the_state_before_it(desk: Desks) -> None:
    """Only the next read shows that it ended; a second cancel finds nothing."""
    upbit = desk("upbit")
    created = await upbit.rest()
    assert (await upbit.ccxt.cancel_order(created["id"]))["status"] == "open"
    assert (await upbit.look_up("r1"))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await upbit.cancel("r1")


async def test_lists_carry_no_trades_and_cost_from_the_limit_price(desk: Desks, server: LoopbackExchange) -> None:
    """What was really spent stands in `info` only."""
    upbit = desk("upbit")
    await upbit.ioc("buy", "0.1", upbit.top, "a1")
    await upbit.ioc("buy", "0.5", upbit.touch, "a2")
    await upbit.rest()
    (closed,) = await upbit.ccxt.fetch_closed_orders("BTC/KRW")
    (canceled,) = await upbit.ccxt.fetch_canceled_orders("BTC/KRW")
    (resting,) = await upbit.ccxt.fetch_open_orders("BTC/KRW")
    assert [row["clientOrderId"] for row in (closed, canceled, resting)] == ["a1", "a2", "r1"]
    assert (closed["trades"], D(closed["cost"])) == ([], D(9_520_000))
    assert D(closed["info"]["executed_funds"]) == D(9_510_000)
    both = await upbit.ccxt.privateGetOrdersUuids({"identifiers[]": "a1"})
    assert [row["identifier"] for row in both] == ["a1"]


async def test_closed_orders_reach_back_to_a_time(desk: Desks) -> None:
    """A start in the future shows nothing; the limit cuts."""
    upbit = desk("upbit")
    for number in range(3):
        await upbit.ioc("buy", "0.001", upbit.touch, f"a{number}")
    now_ms = upbit.ccxt.milliseconds()
    assert len(await upbit.ccxt.fetch_closed_orders("BTC/KRW", now_ms - 60_000)) == 3
    assert await upbit.ccxt.fetch_closed_orders("BTC/KRW", now_ms + 60_000) == []
    assert len(await upbit.ccxt.fetch_closed_orders("BTC/KRW", now_ms - 60_000, 2)) == 2


async def test_an_identifier_is_used_up_even_by_a_refusal(desk: Desks, server: LoopbackExchange) -> None:
    """So a resend cannot double, and a duplicate error proves nothing."""
    upbit = desk("upbit")
    with pytest.raises(ccxt.InsufficientFunds):
        await upbit.ioc("buy", "100", upbit.touch, "a1")
    with pytest.raises(ccxt.ExchangeError, match="identifier"):
        await upbit.buy("a1")
    assert (await server.venue("upbit")).sent_twice() == ["a1"]
    with pytest.raises(ccxt.OrderNotFound):
        await upbit.look_up("a1")


@pytest.mark.parametrize(
    ("amount", "price", "error", "name"),
    [
        ("0.1", "95100500", ccxt.ExchangeError, "invalid_price_bid"),
        ("0.00001", "95100000", ccxt.ExchangeError, "under_min_total_bid"),
        ("100", "95100000", ccxt.InsufficientFunds, "insufficient_funds_bid"),
    ],
)
async def test_refusals_in_the_venues_own_words(
    desk: Desks, amount: str, price: str, error: type[Exception], name: str
) -> None:
    """An off-tick price and a small order are a bare ExchangeError."""
    with pytest.raises(ccxt.BaseError, match=name) as caught:
        await desk("upbit").ioc("buy", amount, price, "a1")
    assert type(caught.value) is error


async def test_post_only_ends_canceled_and_empty(desk: Desks) -> None:
    """It is accepted first."""
    upbit = desk("upbit")
    await upbit.limit("buy", "0.1", upbit.touch, "p1", postOnly=True)
    await upbit.limit("buy", "0.1", upbit.below, "p2", postOnly=True)
    assert [(await upbit.look_up(name))["status"] for name in ("p1", "p2")] == ["canceled", "open"]


async def test_what_rests_locks_the_cost_and_the_fee(desk: Desks) -> None:
    """Seen in the balance."""
    upbit = desk("upbit")
    await upbit.rest()
    balance = await upbit.ccxt.fetch_balance()
    assert D(balance["KRW"]["used"]) == D("9400000") * D("1.0005")


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"apiKey": "x" * 20}, ccxt.AuthenticationError),
        ({"secret": "x" * 40}, ccxt.AuthenticationError),
    ],
)
async def test_a_wrong_key_is_refused(desk: Desks, config: dict[str, str], error: type[Exception]) -> None:
    """Key and signature are both checked."""
    with pytest.raises(error):
        await desk("upbit", **config).ccxt.fetch_balance()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"side": "up"}, "side is missing"),
        ({"ord_type": "stop"}, "ord_type"),
        ({"price": "x"}, "not a number"),
        ({"price": None}, "Missing request parameter"),
        ({"ord_type": "best"}, "Missing request parameter"),
        ({"market": "KRW-DOGE"}, "invalid_parameter"),
    ],
)
async def test_a_malformed_create_is_refused(desk: Desks, changes: dict[str, Any], words: str) -> None:
    """Before it comes near the books."""
    upbit = desk("upbit")
    create = {"market": "KRW-BTC", "side": "bid", "ord_type": "limit", "price": "94000000", "volume": "0.1"}
    with pytest.raises(ccxt.BaseError, match=words):
        await upbit.ccxt.privatePostOrders({k: v for k, v in (create | changes).items() if v is not None})


async def test_any_call_may_be_refused(desk: Desks, server: LoopbackExchange) -> None:
    """A create uses up its identifier by that."""
    upbit = desk("upbit")
    for operation, error in (("create", ccxt.InvalidOrder), ("fetch", ccxt.OrderNotFound)):
        await server.inject("upbit", operation, "refused")
        with pytest.raises(error):
            await (upbit.buy("a1") if operation == "create" else upbit.look_up("a1"))
    await server.inject("upbit", "balance", "refused")
    with pytest.raises(ccxt.PermissionDenied):
        await upbit.ccxt.fetch_balance()
    with pytest.raises(ccxt.ExchangeError, match="identifier"):
        await upbit.buy("a1")


async def test_closed_orders_take_times_in_words(desk: Desks) -> None:
    """As its documentation writes them."""
    upbit = desk("upbit")
    await upbit.buy("a1")
    start = {"start_time": "2026-01-01T00:00:00+09:00", "state": "done"}
    assert await upbit.ccxt.privateGetOrdersClosed({**start, "end_time": "2026-01-02T00:00:00"}) == []
    rows = await upbit.ccxt.privateGetOrdersClosed({"states[]": "done", "order_by": "asc"})
    assert [row["identifier"] for row in rows] == ["a1"]


async def test_a_token_that_is_none_is_refused(server: LoopbackExchange) -> None:
    """No header, a wrong scheme, no JSON in it."""
    async with aiohttp.ClientSession() as session:
        for header in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer a.b.c"}):
            async with session.get(f"{server.url}/upbit/v1/accounts", headers=header) as reply:
                assert (reply.status, (await reply.json())["error"]["name"]) == (401, "jwt_verification")
