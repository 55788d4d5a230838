"""Binance spot's dialect, as the real ccxt class meets it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

Desks = Callable[..., Any]
D = Decimal


async def test_markets_book_balance_status_and_fees(desk: Desks) -> None:
    """All that a bot reads before it trades."""
    binance = desk("binance")
    markets = await binance.ccxt.load_markets()
    market = markets["BTC/USDT"]
    assert set(markets) == {"BTC/USDT", "ETH/USDT", "XRP/USDT"}
    assert (D(market["precision"]["amount"]), D(market["limits"]["cost"]["min"])) == (D("0.00001"), 5)
    book = await binance.ccxt.fetch_order_book("BTC/USDT", 20)
    assert book["asks"] == [[67_910.0, 0.2], [67_920.0, 0.3]]
    assert D((await binance.ccxt.fetch_balance())["USDT"]["free"]) == 1_000_000
    assert (await binance.ccxt.fetch_status())["status"] == "ok"
    assert D((await binance.ccxt.fetch_trading_fee("BTC/USDT"))["taker"]) == D("0.001")
    assert set(await binance.ccxt.fetch_trading_fees()) == set(markets)
    assert D((await binance.ccxt.fetch_bids_asks(["BTC/USDT"]))["BTC/USDT"]["bid"]) == 67_900
    assert D((await binance.ccxt.fetch_ticker("BTC/USDT"))["last"]) == 67_905
    assert abs(await binance.ccxt.fetch_time() - binance.ccxt.milliseconds()) < 1000


async def test_a_create_answers_with_its_fills_and_fees(desk: Desks) -> None:
    """The fee of a buy comes off the base."""
    binance = desk("binance")
    created = await binance.ioc("buy", "0.3", binance.top, "a1")
    assert (created["status"], D(created["filled"]), created["clientOrderId"]) == ("closed", D("0.3"), "a1")
    assert D(created["cost"]) == D("0.2") * 67_910 + D("0.1") * 67_920
    assert (D(created["fee"]["cost"]), created["fee"]["currency"]) == (D("0.0003"), "BTC")
    assert len(created["trades"]) == 2


async def test_reads_of_an_order_carry_no_fee_but_its_trades_do(desk: Desks) -> None:
    """`fetch_order_trades` is where the fee of a lost reply is found."""
    binance = desk("binance")
    created = await binance.ioc("sell", "0.1", binance.bid, "a1")
    read = await binance.look_up("a1")
    assert (read["fee"], read["trades"], D(read["average"])) == (None, [], 67_900)
    (trade,) = await binance.ccxt.fetch_order_trades(created["id"], "BTC/USDT")
    assert (D(trade["fee"]["cost"]), trade["fee"]["currency"], trade["side"]) == (D("6.79"), "USDT", "sell")
    assert [row["id"] for row in await binance.ccxt.fetch_my_trades("BTC/USDT")] == [trade["id"]]


async def test_a_partial_ioc_expires(desk: Desks) -> None:
    """With what it got."""
    binance = desk("binance")
    created = await binance.ioc("buy", "0.5", binance.touch, "a1")
    assert (created["status"], D(created["filled"])) == ("expired", D("0.2"))
    assert (await binance.look_up("a1"))["status"] == "expired"


async def test_a_market_order_with_a_price_spends_quote(desk: Desks) -> None:
    """Buys and sells alike; without a price the amount is base."""
    binance = desk("binance")
    by_cost = await binance.ccxt.create_order("BTC/USDT", "market", "buy", D("0.01"), D(67_910))
    assert (D(by_cost["filled"]), by_cost["info"]["origQuoteOrderQty"]) == (D("0.01"), "679.10000000")
    by_amount = await binance.ccxt.create_order("BTC/USDT", "market", "sell", D("0.01"))
    assert (D(by_amount["filled"]), by_amount["info"]["origQuoteOrderQty"]) == (D("0.01"), "0.00000000")


async def test_the_client_id_in_a_cancels_reply_is_the_cancels_own(desk: Desks) -> None:
    """The order's own stands in `info`."""
    binance = desk("binance")
    await binance.rest()
    reply = await binance.cancel("r1")
    assert reply["status"] == "canceled"
    assert (reply["clientOrderId"] != "r1", reply["info"]["origClientOrderId"]) == (True, "r1")
    with pytest.raises(ccxt.OrderNotFound):
        await binance.cancel("r1")


async def test_lists_show_every_order_once(desk: Desks) -> None:
    """Open, all, closed and cancelled orders."""
    binance = desk("binance")
    await binance.buy("a1")
    await binance.rest("r1")
    await binance.rest("r2")
    await binance.cancel("r2")
    now_ms = binance.ccxt.milliseconds()

    async def ids(call: str, *more: Any) -> list[str]:
        return [row["clientOrderId"] for row in await getattr(binance.ccxt, call)("BTC/USDT", *more)]

    assert await ids("fetch_open_orders") == ["r1"]
    assert await ids("fetch_orders") == ["a1", "r1", "r2"]
    assert await ids("fetch_orders", now_ms - 60_000, 2) == ["a1", "r1"]
    assert await ids("fetch_orders", now_ms + 60_000) == []
    assert await ids("fetch_closed_orders") == ["a1"]
    assert await ids("fetch_canceled_orders") == ["r2"]
    assert len(await binance.ccxt.fetch_open_orders()) == 1


async def test_the_same_client_id_is_taken_again_after_a_fill(desk: Desks, server: LoopbackExchange) -> None:
    """A blind resend executes twice; while one rests it is refused."""
    binance = desk("binance")
    await binance.ioc("buy", "0.05", binance.touch, "a1")
    await binance.ioc("buy", "0.05", binance.touch, "a1")
    venue = await server.venue("binance")
    assert (venue.bought("BTC/USDT"), venue.sent_twice()) == (D("0.0999"), ["a1"])
    await binance.rest("r1")
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate"):
        await binance.rest("r1")


@pytest.mark.parametrize("production_urls", [False, True])
@pytest.mark.parametrize(
    ("amount", "price", "error", "words"),
    [
        ("100", "67910", ccxt.InsufficientFunds, "insufficient balance"),
        ("0.00002", "67910", (ccxt.InvalidOrder, ccxt.BadRequest), "NOTIONAL"),
    ],
)
async def test_refusals_in_the_venues_own_words(
    desk: Desks, amount: str, price: str, error: type[Exception], words: str, *, production_urls: bool
) -> None:
    """On our URLs and on those of production."""
    with pytest.raises(error, match=words):
        await desk("binance", production_urls=production_urls).ioc("buy", amount, price, "a1")


async def test_post_only_that_would_take_is_refused(desk: Desks) -> None:
    """And one that would not, rests."""
    binance = desk("binance")
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        await binance.limit("buy", "0.1", binance.touch, "p1", postOnly=True)
    await binance.limit("buy", "0.1", binance.below, "p2", postOnly=True)
    read = await binance.look_up("p2")
    assert (read["status"], read["postOnly"]) == ("open", True)


async def test_a_late_request_is_refused(desk: Desks, server: LoopbackExchange) -> None:
    """Outside the request window nothing executes, whichever way the clock is off."""
    binance = desk("binance")
    await binance.ccxt.load_markets()
    await server.set_clock("binance", 20_000)
    with pytest.raises(ccxt.InvalidNonce, match="outside of the recvWindow"):
        await binance.buy("a1")
    await server.set_clock("binance", -5_000)
    with pytest.raises(ccxt.InvalidNonce, match="ahead"):
        await binance.buy("a2")
    await server.set_clock("binance", 3_000)
    await binance.buy("a3")
    assert [order.client_id for order in (await server.venue("binance")).orders] == ["a3"]


@pytest.mark.parametrize("config", [{"apiKey": "x" * 20}, {"secret": "x" * 40}])
async def test_a_wrong_key_is_refused(desk: Desks, config: dict[str, str]) -> None:
    """Key and signature are both checked."""
    with pytest.raises(ccxt.AuthenticationError):
        await desk("binance", **config).ccxt.fetch_balance()
