"""Binance spot's REST dialect.

What bites a careless bot, and is true of the venue: a client id is unique
among open orders only, so a blind resend after a fill executes twice; reads of
an order carry no fees; a partial immediate-or-cancel order ends EXPIRED; the
client id in a cancel's reply is the cancel's own.
"""

from __future__ import annotations

from typing import Any

from fsm_arb.matching.accounts import SpotAccount
from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import (
    Execution,
    Kind,
    Order,
    OrderRefused,
    Refusal,
    TimeInForce,
    UnknownOrder,
)
from fsm_arb.testing.loopback.binance_common import BinanceDialect, error, status_word, time_word
from fsm_arb.testing.loopback.dialect import Call, Route, eight
from fsm_arb.testing.loopback.faults import Operation
from fsm_arb.testing.loopback.markets import BINANCE
from fsm_arb.values import Side

REFUSALS = {
    Refusal.UNKNOWN_MARKET: (-1121, "Invalid symbol."),
    Refusal.HALTED: (-1013, "Market is closed."),
    Refusal.DUPLICATE: (-2010, "Duplicate order sent."),
    Refusal.LOT: (-1013, "Filter failure: LOT_SIZE"),
    Refusal.TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Refusal.BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Refusal.AMOUNT_MIN: (-1013, "Filter failure: LOT_SIZE"),
    Refusal.NOTIONAL_MIN: (-1013, "Filter failure: NOTIONAL"),
    Refusal.POST_ONLY: (-2010, "Order would immediately match and take."),
    Refusal.REDUCE_ONLY: (-1106, "Parameter 'reduceOnly' sent when not required."),
    Refusal.FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Refusal.INJECTED: (-2010, "This symbol is not permitted for this account."),
}


class SpotDialect(BinanceDialect):
    """Binance spot."""

    name = BINANCE
    refusals = REFUSALS

    def build_routes(self) -> dict[tuple[str, str], Route]:
        """Return every (method, path) that is served."""
        return {
            ("GET", "/api/v3/ping"): Route(Operation.META, self.ping, signed=False),
            ("GET", "/api/v3/time"): Route(Operation.META, self.time, signed=False),
            ("GET", "/api/v3/exchangeInfo"): Route(Operation.META, self._exchange_info, signed=False),
            ("GET", "/api/v3/depth"): Route(Operation.BOOK, self._depth, signed=False),
            ("GET", "/api/v3/ticker/bookTicker"): Route(Operation.BOOK, self.tickers, signed=False),
            ("GET", "/api/v3/ticker/24hr"): Route(Operation.BOOK, self.day, signed=False),
            ("GET", "/api/v3/account"): Route(Operation.BALANCE, self._account),
            ("POST", "/api/v3/order"): Route(Operation.CREATE, self._create),
            ("GET", "/api/v3/order"): Route(Operation.FETCH, self._fetch),
            ("DELETE", "/api/v3/order"): Route(Operation.CANCEL, self._cancel),
            ("GET", "/api/v3/openOrders"): Route(Operation.LIST, self._open),
            ("GET", "/api/v3/allOrders"): Route(Operation.LIST, self._all),
            ("GET", "/api/v3/myTrades"): Route(Operation.LIST, self._trades),
            ("GET", "/sapi/v1/system/status"): Route(Operation.META, self.status, signed=False),
            ("GET", "/sapi/v1/asset/tradeFee"): Route(Operation.META, self._fees),
            ("GET", "/sapi/v1/bnbBurn"): Route(Operation.META, self._bnb_burn),
        }

    # -------------------------------------------------------------- public

    def _exchange_info(self, call: Call) -> Any:
        symbols = []
        for market in self.exchange.markets.values():
            tick = market.ticks[0].tick
            symbols.append(
                {
                    "symbol": market.market_id,
                    "status": "BREAK" if market.halted else "TRADING",
                    "baseAsset": market.base,
                    "baseAssetPrecision": 8,
                    "quoteAsset": market.quote,
                    "quotePrecision": 8,
                    "quoteAssetPrecision": 8,
                    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
                    "icebergAllowed": False,
                    "quoteOrderQtyMarketAllowed": True,
                    "isSpotTradingAllowed": True,
                    "isMarginTradingAllowed": False,
                    "filters": [
                        {
                            "filterType": "PRICE_FILTER",
                            "minPrice": str(tick),
                            "maxPrice": "1000000",
                            "tickSize": str(tick),
                        },
                        {
                            "filterType": "LOT_SIZE",
                            "minQty": eight(market.amount_min),
                            "maxQty": "9000.00000000",
                            "stepSize": eight(market.lot),
                        },
                        {
                            "filterType": "NOTIONAL",
                            "minNotional": eight(market.notional_min),
                            "applyMinToMarket": True,
                            "maxNotional": "9000000.00000000",
                            "applyMaxToMarket": False,
                            "avgPriceMins": 5,
                        },
                    ],
                    "permissions": [],
                    "permissionSets": [["SPOT"]],
                    "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
                }
            )
        return {"timezone": "UTC", "serverTime": self.clock_ms(call), "rateLimits": [], "symbols": symbols}

    def _depth(self, call: Call) -> Any:
        live = self.exchange.liquidity.book(self.market(call).symbol, call.now_ms)
        count = self.integer(call, "limit") or 100
        return {
            "lastUpdateId": max(1, live.version),
            "bids": [[eight(price), eight(amount)] for price, amount in live.bids[:count]],
            "asks": [[eight(price), eight(amount)] for price, amount in live.asks[:count]],
        }

    def _fees(self, call: Call) -> Any:
        named = self.market_of(call)
        return [
            {
                "symbol": market.market_id,
                "makerCommission": str(market.maker_fee),
                "takerCommission": str(market.taker_fee),
            }
            for market in ([named] if named else self.exchange.markets.values())
        ]

    # -------------------------------------------------------------- the account

    def _bnb_burn(self, _call: Call) -> Any:
        account = self.exchange.account
        pays_in_bnb = isinstance(account, SpotAccount) and account.fee_rule is FeeRule.BNB
        return {"spotBNBBurn": pays_in_bnb, "interestBNBBurn": False}

    def _account(self, call: Call) -> Any:
        return {
            "makerCommission": 10,
            "takerCommission": 10,
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "updateTime": self.venue_ms(call.now_ms),
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": eight(balance.free), "locked": eight(balance.used)}
                for asset, balance in self.exchange.account.balances().items()
            ],
            "permissions": ["SPOT"],
        }

    # -------------------------------------------------------------- orders

    def _create(self, call: Call) -> Any:
        try:
            order = self.place(call, self.new_order(call))
        except OrderRefused as refused:
            raise self.refused(refused) from None
        answer = self._order(order)
        answer["transactTime"] = self.venue_ms(order.created_ms)
        del answer["time"], answer["updateTime"], answer["stopPrice"], answer["icebergQty"], answer["isWorking"]
        kind = call.get("newOrderRespType") or ("ACK" if answer["type"] == "LIMIT_MAKER" else "FULL")
        if kind == "ACK":
            return {key: answer[key] for key in ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")}
        if kind == "FULL":
            answer["fills"] = [
                {
                    "price": eight(fill.price),
                    "qty": eight(fill.amount),
                    "commission": eight(fill.fee),
                    "commissionAsset": fill.fee_asset,
                    "tradeId": fill.trade_id,
                }
                for fill in order.fills
            ]
        return answer

    def _fetch(self, call: Call) -> Any:
        return self.fetch(call, self._order)

    def _cancel(self, call: Call) -> Any:
        try:
            order = self.find(call)
            answer = self._order(self.cancel(call, order))
        except UnknownOrder:
            raise error(-2011, "Unknown order sent.") from None
        answer["origClientOrderId"] = answer["clientOrderId"]
        answer["clientOrderId"] = call.get("newClientOrderId") or f"cancel{order.number}"
        answer["transactTime"] = self.venue_ms(call.now_ms)
        del answer["time"], answer["updateTime"], answer["stopPrice"], answer["icebergQty"], answer["isWorking"]
        return answer

    def _open(self, call: Call) -> Any:
        market = self.market(call) if call.get("symbol") else None
        return [self._order(order) for order in self.open_shown(call, market.symbol if market else None)]

    def _all(self, call: Call) -> Any:
        return [self._order(order) for order in self.all_orders(call)]

    def _trades(self, call: Call) -> Any:
        return [self._trade(fill) for fill in self.trades(call)]

    def _order(self, order: Order) -> dict[str, Any]:
        new, market = order.new, self.exchange.markets[order.new.symbol]
        post_only = new.time_in_force is TimeInForce.POST_ONLY
        return {
            "symbol": market.market_id,
            "orderId": order.number,
            "orderListId": -1,
            "clientOrderId": new.client_id,
            "price": eight(new.price) if new.price is not None else "0.00000000",
            "origQty": eight(order.amount),
            "executedQty": eight(order.filled),
            "origQuoteOrderQty": eight(new.cost) if new.cost is not None else "0.00000000",
            "cummulativeQuoteQty": eight(order.spent),
            "status": status_word(order),
            "timeInForce": "GTC" if post_only else time_word(order),
            "type": "LIMIT_MAKER" if post_only else ("LIMIT" if new.kind is Kind.LIMIT else "MARKET"),
            "side": "BUY" if new.side is Side.BUY else "SELL",
            "stopPrice": "0.00000000",
            "icebergQty": "0.00000000",
            "time": self.venue_ms(order.created_ms),
            "updateTime": self.venue_ms(order.updated_ms),
            "isWorking": True,
            "workingTime": self.venue_ms(order.created_ms),
            "selfTradePreventionMode": "EXPIRE_MAKER",
        }

    def _trade(self, fill: Execution) -> dict[str, Any]:
        return {
            "symbol": self.exchange.markets[fill.symbol].market_id,
            "id": fill.trade_id,
            "orderId": int(fill.order_id),
            "orderListId": -1,
            "price": eight(fill.price),
            "qty": eight(fill.amount),
            "quoteQty": eight(fill.cost),
            "commission": eight(fill.fee),
            "commissionAsset": fill.fee_asset,
            "time": self.venue_ms(fill.at_ms),
            "isBuyer": fill.side is Side.BUY,
            "isMaker": fill.maker,
            "isBestMatch": True,
        }
