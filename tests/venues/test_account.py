"""What a market costs and allows on this very account."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from capture import Reply
from fakes import FakeExchange
from lab import Lab

from fsm_arb.clock import SystemClock
from fsm_arb.errors import VenueMisconfigured, VenueUnanswered
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus
from fsm_arb.values import Fee, FeeIn, Side
from fsm_arb.venues import account
from fsm_arb.venues.account import RulesReader
from fsm_arb.venues.ccxt_venue import CcxtVenue
from fsm_arb.venues.dialects import BINANCE
from fsm_arb.venues.scrub import Scrubber

SYMBOL = "BTC/USDT"


def venue_of(exchange: Any) -> CcxtVenue:
    return CcxtVenue(exchange, name="fake", clock=SystemClock())


async def test_rules_are_read_from_floats() -> None:
    """A look-alike's numbers are what they print as."""
    rules = await venue_of(FakeExchange()).rules(SYMBOL)
    assert (rules.lot, rules.ticks[0].tick) == (Decimal("0.00001"), Decimal("0.01"))
    assert (rules.amount_min, rules.amount_max, rules.notional_min) == (Decimal("0.0001"), 100, 5)
    assert (rules.taker_fee, rules.maker_fee, rules.fee_in) == (Decimal("0.001"), Decimal("0.0008"), FeeIn.UNKNOWN)
    assert rules.spot
    assert not rules.enforces_expiry


async def test_upbits_rules_come_from_the_account_and_the_live_step(make_lab: Any) -> None:
    """ccxt's markets carry neither; three questions fill them in."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/orders/chance", {"bid_fee": "0.0005", "ask_fee": "0.0005", "maker_bid_fee": "0.0004",
                                                "maker_ask_fee": "0.0004", "market": {"id": "KRW-BTC"}})  # fmt: skip
    lab.capture.on("GET", "/v1/orderbook/instruments", [{"market": "KRW-BTC", "tick_size": "2000"}])
    unit = {"ask_price": 95_100_000, "bid_price": 95_098_000, "ask_size": 0.1, "bid_size": 0.2}
    lab.capture.on("GET", "/v1/orderbook", [{"market": "KRW-BTC", "timestamp": 1, "orderbook_units": [unit]}])
    rules = await lab.venue.rules(lab.symbol)
    assert rules.tick_at(Decimal(95_000_000)) == 2000
    assert rules.tick_at(Decimal(600_000)) == 500
    assert (rules.notional_min, rules.taker_fee, rules.maker_fee) == (5000, Decimal("0.0005"), Decimal("0.0004"))
    before = len(lab.capture.seen)
    await lab.venue.rules(lab.symbol)
    assert len(lab.capture.seen) == before, "read once"


async def test_upbits_table_holds_where_the_live_step_is_silent(make_lab: Any) -> None:
    """A venue that answers half is traded on what is known."""
    lab: Lab = make_lab("upbit")
    rules = await lab.venue.rules(lab.symbol)
    assert rules.tick_at(Decimal(95_000_000)) == 1000
    assert rules.taker_fee == Decimal("0.001"), "the market's default"


@pytest.mark.parametrize(("dual", "refused"), [(True, True), (False, False)])
async def test_hedge_mode_is_refused(make_lab: Any, dual: bool, refused: bool) -> None:
    """There a sell opens a second position instead of closing the first."""
    lab: Lab = make_lab("binanceusdm")
    lab.capture.on("GET", "/fapi/v1/positionSide/dual", {"dualSidePosition": dual})
    lab.capture.on("GET", "/fapi/v1/commissionRate", {"symbol": "BTCUSDT", "takerCommissionRate": "0.0004",
                                                      "makerCommissionRate": "0.0002"})  # fmt: skip
    lab.capture.on("GET", "/fapi/v1/symbolConfig", [{"symbol": "BTCUSDT", "leverage": 3, "marginType": "CROSSED"}])
    lab.capture.on("GET", "/fapi/v1/leverageBracket", [])
    if refused:
        with pytest.raises(VenueMisconfigured, match="one-way"):
            await lab.venue.rules(lab.symbol)
        return
    rules = await lab.venue.rules(lab.symbol)
    assert (rules.taker_fee, rules.contract_size, rules.fee_in) == (Decimal("0.0004"), 1, FeeIn.QUOTE)
    assert rules.leverage == 3


async def test_an_unknown_position_mode_is_presumed_and_said(make_lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Silence about a mode is no reason to stop, and no reason to be silent."""
    lab: Lab = make_lab("binanceusdm")
    lab.capture.on("GET", "/fapi/v1/positionSide/dual", Reply(status=503, text=""))
    assert (await lab.venue.rules(lab.symbol)).leverage == 1
    assert "position mode is unknown" in caplog.text


async def test_fees_of_all_markets_are_read_where_one_cannot_be_asked_for() -> None:
    """Whatever the exchange offers is enough."""

    class All(FakeExchange):
        async def fetch_trading_fees(self) -> dict[str, Any]:
            return {SYMBOL: {"taker": 0.0004, "maker": 0.0}}

    rules = await venue_of(All()).rules(SYMBOL)
    assert (rules.taker_fee, rules.maker_fee) == (Decimal("0.0004"), 0)


async def test_markets_that_do_not_come_are_unanswered() -> None:
    """No rule is made up."""
    for exchange in (
        FakeExchange(fails={"load_markets": ccxt.NetworkError("x")}),
        FakeExchange(has={"loadMarkets": 0}),
    ):
        with pytest.raises(VenueUnanswered):
            await venue_of(exchange).rules(SYMBOL)

    class Empty(FakeExchange):
        async def load_markets(self) -> dict[str, Any]:
            return {}

    with pytest.raises(VenueUnanswered, match="none"):
        await venue_of(Empty()).rules(SYMBOL)


async def test_markets_are_handed_to_the_instance_that_places(make_lab: Any) -> None:
    """It loads none itself, so the first order waits for nothing."""
    lab: Lab = make_lab("upbit")
    other = make_lab("upbit").exchange
    other.markets = None
    venue = CcxtVenue(lab.exchange, name="upbit", orders=other, clock=SystemClock())
    await venue.place(lab.request(), lambda: True)
    assert "BTC/KRW" in other.markets
    assert not lab.capture.sent("GET", "/v1/market/all")


async def test_closing_stops_a_read_that_runs() -> None:
    """Nothing of the adapter's own outlives it."""

    class Slow(FakeExchange):
        async def load_markets(self) -> dict[str, Any]:
            await asyncio.sleep(60)
            return {}

    venue = venue_of(Slow())
    waiting = asyncio.create_task(venue.rules(SYMBOL))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await venue.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Hung(FakeExchange):
    """The first load never comes back."""

    heeds = True

    async def load_markets(self) -> dict[str, Any]:
        markets = await super().load_markets()
        if self.loads == 1:
            self.markets = {}
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if self.heeds:
                    raise
                await asyncio.sleep(60)
        return markets


@pytest.mark.parametrize("heeds", [True, False])
async def test_a_load_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch, heeds: bool) -> None:
    """The next caller asks anew, whether the load lets itself be stopped or not."""
    monkeypatch.setattr(account, "SHARED_S_MAX", 0.05)
    exchange = Hung()
    exchange.heeds = heeds
    venue = venue_of(exchange)
    with pytest.raises((VenueUnanswered, TimeoutError)):
        await asyncio.wait_for(venue.rules(SYMBOL), 0.2)
    assert (await asyncio.wait_for(venue.rules(SYMBOL), 1)).lot == Decimal("0.00001")
    await asyncio.wait_for(venue.close(), 1)


def snapshot_with(*fees: Fee, filled: str = "1") -> OrderSnapshot:
    return OrderSnapshot(status=OrderStatus.ENDED, filled=Decimal(filled), fees=fees)


async def test_fills_tell_whether_a_buyer_is_charged_in_base() -> None:
    """No fee in base is presumed where the last buy was charged none, and again once one was."""
    exchange = FakeExchange()
    reader = RulesReader(exchange, exchange, BINANCE, "fake", Scrubber())
    market = await reader.market(SYMBOL)
    tenth = Decimal("0.1")
    for side, snapshot, expected in (
        (Side.BUY, snapshot_with(filled="0"), FeeIn.BASE_ON_BUY),
        (Side.BUY, OrderSnapshot(status=OrderStatus.ENDED, filled=tenth), FeeIn.BASE_ON_BUY),
        (Side.SELL, snapshot_with(Fee(tenth, "USDT")), FeeIn.BASE_ON_BUY),
        (Side.BUY, snapshot_with(Fee(tenth, "BNB")), FeeIn.UNKNOWN),
        (Side.SELL, snapshot_with(Fee(tenth, "USDT")), FeeIn.UNKNOWN),
        (Side.BUY, snapshot_with(Fee(tenth, "BNB"), Fee(tenth, "BTC")), FeeIn.BASE_ON_BUY),
    ):
        reader.learn(market, side, snapshot)
        assert (await reader.rules(SYMBOL)).fee_in is expected


@pytest.mark.parametrize("seen", ["placed", "observed"])
async def test_a_bought_order_teaches_its_venue(make_lab: Any, seen: str) -> None:
    """Fees come with the reply to create, or with the trades that are read later."""
    lab: Lab = make_lab("binance")
    assert (await lab.venue.rules(lab.symbol)).fee_in is FeeIn.BASE_ON_BUY
    order = {"symbol": "BTCUSDT", "orderId": 7, "clientOrderId": lab.ref().client_order_id, "status": "FILLED",
             "origQty": "0.012", "executedQty": "0.012", "price": "67900", "cummulativeQuoteQty": "814.8",
             "type": "LIMIT", "timeInForce": "IOC", "side": "BUY", "time": 1, "transactTime": 1}  # fmt: skip
    paid = {"price": "67900", "qty": "0.012", "commission": "0.001", "commissionAsset": "BNB"}
    if seen == "placed":
        lab.capture.on("POST", "/api/v3/order", order | {"fills": [paid | {"tradeId": 1}]})
        assert isinstance(await lab.place(), Acknowledged)
    else:
        lab.capture.on("GET", "/api/v3/order", order)
        trade = {"symbol": "BTCUSDT", "id": 1, "orderId": 7, "time": 1, "isBuyer": True, "isMaker": False}
        lab.capture.on("GET", "/api/v3/myTrades", [trade | paid])
        await lab.venue.observe(lab.ref())
    assert (await lab.venue.rules(lab.symbol)).fee_in is FeeIn.UNKNOWN


@pytest.mark.parametrize(
    ("burns", "expected"), [(True, FeeIn.UNKNOWN), (False, FeeIn.BASE_ON_BUY), (None, FeeIn.BASE_ON_BUY)]
)
async def test_binance_is_asked_whether_the_account_pays_in_bnb(make_lab: Any, burns: bool, expected: FeeIn) -> None:
    """Known before the first order where it answers; once, as the fills tell the rest."""
    lab: Lab = make_lab("binance")
    if burns is not None:
        lab.capture.on("GET", "/sapi/v1/bnbBurn", {"spotBNBBurn": burns, "interestBNBBurn": True})
    for _ in range(2):
        assert (await lab.venue.rules(lab.symbol)).fee_in is expected
    assert len(lab.capture.sent("GET", "/sapi/v1/bnbBurn")) == 1
