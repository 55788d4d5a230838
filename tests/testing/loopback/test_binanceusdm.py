"""Binance USD-M's dialect, as the real ccxt class meets it."""

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
PERP = "BTC/USDT:USDT"


async def test_markets_book_balance_mode_and_fees(desk: Desks) -> None:
    """All that a bot reads before it trades."""
    usdm = desk("binanceusdm")
    markets = await usdm.ccxt.load_markets()
    market = markets[PERP]
    assert set(markets) == {PERP, "ETH/USDT:USDT"}
    assert (D(market["precision"]["amount"]), D(market["contractSize"])) == (D("0.001"), 1)
    assert D(market["limits"]["cost"]["min"]) == 100
    book = await usdm.ccxt.fetch_order_book(PERP, 20)
    assert (book["asks"][0], book["timestamp"] > 0) == ([67_910.0, 0.2], True)
    assert D((await usdm.ccxt.fetch_balance())["USDT"]["free"]) == 500_000
    assert (await usdm.ccxt.fetch_position_mode())["hedged"] is False
    assert D((await usdm.ccxt.fetch_trading_fee(PERP))["taker"]) == D("0.0005")
    assert PERP in await usdm.ccxt.fetch_trading_fees()
    assert (await usdm.ccxt.fetch_status())["status"] == "ok"
    assert abs(await usdm.ccxt.fetch_time() - usdm.ccxt.milliseconds()) < 1000
    assert PERP in await usdm.ccxt.fetch_leverages()
    assert D((await usdm.ccxt.fetch_ticker(PERP))["last"]) == 67_905
    assert D((await usdm.ccxt.fetch_bids_asks([PERP]))[PERP]["ask"]) == 67_910


async def test_a_create_answers_with_filled_and_average_and_no_fee(desk: Desks) -> None:
    """The fee is in the trades, in USDT."""
    usdm = desk("binanceusdm")
    created = await usdm.ioc("buy", "0.3", usdm.top, "a1")
    assert (created["status"], D(created["filled"]), created["fee"]) == ("closed", D("0.3"), None)
    assert D(created["average"]) == D("67913.33333")
    trades = await usdm.ccxt.fetch_my_trades(PERP, None, None, {"orderId": created["id"]})
    fee = sum(D(trade["fee"]["cost"]) for trade in trades)
    assert (fee, trades[0]["fee"]["currency"]) == ((D("0.2") * 67_910 + D("0.1") * 67_920) * D("0.0005"), "USDT")


async def test_a_position_opens_is_shown_and_closes(desk: Desks, server: LoopbackExchange) -> None:
    """Reduce-only stops at zero, and is refused where there is nothing to reduce."""
    usdm = desk("binanceusdm")
    await usdm.buy("a1")
    (position,) = await usdm.ccxt.fetch_positions([PERP])
    assert (position["side"], D(position["contracts"]), D(position["entryPrice"])) == ("long", D("0.1"), 67_910)
    balance = await usdm.ccxt.fetch_balance()
    assert D(balance["USDT"]["used"]) == D(6_791) / 20
    done = await usdm.limit("sell", "0.2", usdm.bid, "a2", timeInForce="IOC", reduceOnly=True)
    assert (done["status"], D(done["filled"])) == ("expired", D("0.1"))
    assert await usdm.ccxt.fetch_positions([PERP]) == []
    with pytest.raises(ccxt.BaseError, match="ReduceOnly"):
        await usdm.limit("sell", "0.2", usdm.bid, "a3", timeInForce="IOC", reduceOnly=True)
    venue = await server.venue("binanceusdm")
    fees = (D(6_791) + D(6_790)) * D("0.0005")
    assert venue.wallet["USDT"] == 500_000 - 1 - fees


async def test_market_orders_and_partial_ioc(desk: Desks) -> None:
    """A partial immediate-or-cancel order expires."""
    usdm = desk("binanceusdm")
    market = await usdm.ccxt.create_order(PERP, "market", "buy", D("0.1"))
    assert (market["status"], D(market["filled"])) == ("closed", D("0.1"))
    partial = await usdm.ioc("buy", "0.5", usdm.touch, "a1")
    assert (partial["status"], D(partial["filled"])) == ("expired", D("0.1"))


async def test_resting_orders_are_listed_cancelled_and_filled(desk: Desks, server: LoopbackExchange) -> None:
    """They fill as the book moves to them, a part at a time, as maker."""
    usdm = desk("binanceusdm")
    await usdm.rest("r1")
    await usdm.rest("r2")
    assert [row["clientOrderId"] for row in await usdm.ccxt.fetch_open_orders(PERP)] == ["r1", "r2"]
    cancelled = await usdm.cancel("r2")
    assert (cancelled["status"], cancelled["clientOrderId"]) == ("canceled", "r2")
    await server.set_book("binanceusdm", PERP, asks=[("66990", "0.04")])
    read = await usdm.look_up("r1")
    assert (read["status"], D(read["filled"]), D(read["average"])) == ("open", D("0.04"), 67_000)
    (trade,) = await usdm.ccxt.fetch_my_trades(PERP)
    assert (trade["takerOrMaker"], D(trade["fee"]["cost"])) == ("maker", D(2_680) * D("0.0002"))


@pytest.mark.parametrize(
    ("amount", "price", "error"),
    [
        ("0.001", "67910", ccxt.InvalidOrder),
        ("200", "67910", ccxt.InsufficientFunds),
    ],
)
async def test_refusals_on_production_urls(desk: Desks, amount: str, price: str, error: type[Exception]) -> None:
    """ccxt's table for this market maps them."""
    with pytest.raises(error):
        await desk("binanceusdm", production_urls=True).ioc("buy", amount, price, "a1")


async def test_refusals_on_our_urls_are_mapped_by_the_general_table(desk: Desks) -> None:
    """So a lack of margin is an OperationFailed or bare error there: lend the session to see production's mapping."""
    with pytest.raises(ccxt.BaseError, match="-2019") as caught:
        await desk("binanceusdm").ioc("buy", "200", "67910", "a1")
    assert not isinstance(caught.value, ccxt.InsufficientFunds)


async def test_a_duplicate_and_a_post_only_order_are_refused(desk: Desks) -> None:
    """In the venue's own codes."""
    usdm = desk("binanceusdm", production_urls=True)
    await usdm.rest("r1")
    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        await usdm.rest("r1")
    with pytest.raises(ccxt.OrderNotFillable, match="-5022"):
        await usdm.limit("buy", "0.1", usdm.touch, "p1", postOnly=True)


async def test_leverage_can_be_set(desk: Desks) -> None:
    """It changes the margin of what is opened."""
    usdm = desk("binanceusdm")
    await usdm.ccxt.set_leverage(10, PERP)
    await usdm.buy()
    assert D((await usdm.ccxt.fetch_balance())["USDT"]["used"]) == D("679.1")
