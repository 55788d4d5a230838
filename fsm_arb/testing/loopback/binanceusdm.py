"""Binance USD-M's REST dialect: contracts in one-way mode, cross margin.

What bites a careless bot, and is true of the venue: a create's reply has
filled and average but no fee and no time of its own; a client id is unique
among open orders only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.market import Market
from fsm_arb.matching.orders import Execution, Kind, Order, OrderRefused, Refusal, UnknownOrder
from fsm_arb.testing.loopback.binance_common import BinanceDialect, error, status_word, time_word
from fsm_arb.testing.loopback.dialect import Call, Route, eight, plain
from fsm_arb.testing.loopback.faults import Operation
from fsm_arb.testing.loopback.markets import BINANCEUSDM
from fsm_arb.values import ZERO, Side

MAINTENANCE = Decimal("0.004")  # of the notional
REFUSALS = {
    Refusal.UNKNOWN_MARKET: (-1121, "Invalid symbol."),
    Refusal.HALTED: (-4140, "Invalid symbol status for opening position."),
    Refusal.DUPLICATE: (-4116, "ClientOrderId is duplicated."),
    Refusal.LOT: (-1111, "Precision is over the maximum defined for this asset."),
    Refusal.TICK: (-4014, "Price not increased by tick size."),
    Refusal.BAND: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    Refusal.AMOUNT_MIN: (-4003, "Quantity less than or equal to zero."),
    Refusal.NOTIONAL_MIN: (-4164, "Order's notional must be no smaller than {} (unless you choose reduce only)."),
    Refusal.POST_ONLY: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Refusal.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Refusal.FUNDS: (-2019, "Margin is insufficient."),
    Refusal.INJECTED: (-2010, "NEW_ORDER_REJECTED"),
}


class UsdmDialect(BinanceDialect):
    """Binance USD-M futures."""

    name = BINANCEUSDM
    refusals = REFUSALS

    def build_routes(self) -> dict[tuple[str, str], Route]:
        """Return every (method, path) that is served."""
        return {
            ("GET", "/fapi/v1/ping"): Route(Operation.META, self.ping, signed=False),
            ("GET", "/fapi/v1/time"): Route(Operation.META, self.time, signed=False),
            ("GET", "/fapi/v1/exchangeInfo"): Route(Operation.META, self._exchange_info, signed=False),
            ("GET", "/fapi/v1/depth"): Route(Operation.BOOK, self._depth, signed=False),
            ("GET", "/fapi/v1/ticker/bookTicker"): Route(Operation.BOOK, self.tickers, signed=False),
            ("GET", "/fapi/v1/ticker/24hr"): Route(Operation.BOOK, self.day, signed=False),
            ("GET", "/fapi/v1/positionSide/dual"): Route(Operation.META, self._dual),
            ("GET", "/fapi/v1/leverageBracket"): Route(Operation.META, self._brackets),
            ("GET", "/fapi/v1/commissionRate"): Route(Operation.META, self._fees),
            ("GET", "/fapi/v1/accountConfig"): Route(Operation.META, self._config),
            ("GET", "/fapi/v1/symbolConfig"): Route(Operation.META, self._symbols),
            ("POST", "/fapi/v1/leverage"): Route(Operation.META, self._leverage),
            ("GET", "/fapi/v3/account"): Route(Operation.BALANCE, self._account),
            ("GET", "/fapi/v2/account"): Route(Operation.BALANCE, self._account),
            ("GET", "/fapi/v3/balance"): Route(Operation.BALANCE, self._balance),
            ("GET", "/fapi/v2/balance"): Route(Operation.BALANCE, self._balance),
            ("GET", "/fapi/v3/positionRisk"): Route(Operation.BALANCE, self._risk),
            ("GET", "/fapi/v2/positionRisk"): Route(Operation.BALANCE, self._risk),
            ("POST", "/fapi/v1/order"): Route(Operation.CREATE, self._create),
            ("GET", "/fapi/v1/order"): Route(Operation.FETCH, self._fetch),
            ("DELETE", "/fapi/v1/order"): Route(Operation.CANCEL, self._cancel),
            ("GET", "/fapi/v1/openOrders"): Route(Operation.LIST, self._open),
            ("GET", "/fapi/v1/allOrders"): Route(Operation.LIST, self._all),
            ("GET", "/fapi/v1/userTrades"): Route(Operation.LIST, self._trades),
            ("GET", "/sapi/v1/system/status"): Route(Operation.META, self.status, signed=False),
        }

    @property
    def margin(self) -> MarginAccount:
        """The account."""
        account = self.exchange.account
        if not isinstance(account, MarginAccount):
            raise TypeError("USD-M needs a margin account")
        return account

    def refused(self, refused: OrderRefused) -> Any:
        """Return what the venue says to an order it does not take."""
        code, text = REFUSALS[refused.refusal]
        return error(code, text.format("the market's minimum"))

    # -------------------------------------------------------------- public

    def _exchange_info(self, call: Call) -> Any:
        symbols = []
        for market in self.exchange.markets.values():
            tick = plain(market.ticks[0].tick)
            lots = {"minQty": plain(market.amount_min), "maxQty": "1000", "stepSize": plain(market.lot)}
            symbols.append(
                {
                    "symbol": market.market_id,
                    "pair": market.market_id,
                    "contractType": "PERPETUAL",
                    "deliveryDate": 4133404800000,
                    "onboardDate": 1569398400000,
                    "status": "SETTLING" if market.halted else "TRADING",
                    "baseAsset": market.base,
                    "quoteAsset": market.quote,
                    "marginAsset": market.quote,
                    "pricePrecision": 2,
                    "quantityPrecision": 3,
                    "baseAssetPrecision": 8,
                    "quotePrecision": 8,
                    "underlyingType": "COIN",
                    "filters": [
                        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "4529764", "tickSize": tick},
                        {"filterType": "LOT_SIZE", **lots},
                        {"filterType": "MARKET_LOT_SIZE", **lots},
                        {"filterType": "MIN_NOTIONAL", "notional": plain(market.notional_min)},
                    ],
                    "orderTypes": ["LIMIT", "MARKET"],
                    "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
                }
            )
        return {"timezone": "UTC", "serverTime": self.clock_ms(call), "rateLimits": [], "symbols": symbols}

    def _depth(self, call: Call) -> Any:
        live = self.exchange.liquidity.book(self.market(call).symbol, call.now_ms)
        count, now_ms = self.integer(call, "limit") or 500, self.venue_ms(call.now_ms)
        return {
            "lastUpdateId": max(1, live.version),
            "E": now_ms,
            "T": now_ms,
            "bids": [[plain(price), plain(amount)] for price, amount in live.bids[:count]],
            "asks": [[plain(price), plain(amount)] for price, amount in live.asks[:count]],
        }

    # -------------------------------------------------------------- how the account is set up

    def _dual(self, _call: Call) -> Any:
        return {"dualSidePosition": False}

    def _brackets(self, _call: Call) -> Any:
        bracket = {
            "bracket": 1,
            "initialLeverage": 125,
            "notionalCap": 300_000_000,
            "notionalFloor": 0,
            "maintMarginRatio": float(MAINTENANCE),
            "cum": 0.0,
        }
        return [{"symbol": market.market_id, "brackets": [bracket]} for market in self.exchange.markets.values()]

    def _fees(self, call: Call) -> Any:
        market = self.market(call)
        return {
            "symbol": market.market_id,
            "makerCommissionRate": plain(market.maker_fee),
            "takerCommissionRate": plain(market.taker_fee),
        }

    def _config(self, _call: Call) -> Any:
        return {"feeTier": 0, "canTrade": True, "dualSidePosition": False, "multiAssetsMargin": False}

    def _symbols(self, call: Call) -> Any:
        named = self.market_of(call)
        return [
            {
                "symbol": market.market_id,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": int(self.margin.leverage(market.symbol)),
                "maxNotionalValue": "300000000",
            }
            for market in ([named] if named else self.exchange.markets.values())
        ]

    def _leverage(self, call: Call) -> Any:
        market, leverage = self.market(call), self.integer(call, "leverage")
        if leverage is None or leverage < 1:
            raise error(-4028, "Leverage is not valid")
        self.margin.leverages[market.symbol] = Decimal(leverage)
        return {"symbol": market.market_id, "leverage": leverage, "maxNotionalValue": "300000000"}

    # -------------------------------------------------------------- the account

    def _profit(self, market: Market, now_ms: int) -> Decimal:
        position = self.margin.position(market.symbol)
        if not position.amount:
            return ZERO
        return (self.exchange.liquidity.mark(market.symbol, now_ms) - position.entry) * position.amount

    def _account(self, call: Call) -> Any:
        profit = sum((self._profit(market, call.now_ms) for market in self.exchange.markets.values()), ZERO)
        assets = []
        for asset, balance in self.exchange.account.balances().items():
            own = profit if asset == "USDT" else ZERO
            wallet = balance.free + balance.used
            assets.append(
                {
                    "asset": asset,
                    "walletBalance": eight(wallet),
                    "unrealizedProfit": eight(own),
                    "marginBalance": eight(wallet + own),
                    "maintMargin": eight(balance.used * MAINTENANCE),
                    "initialMargin": eight(balance.used),
                    "positionInitialMargin": eight(balance.used),
                    "openOrderInitialMargin": eight(ZERO),
                    "crossWalletBalance": eight(wallet),
                    "crossUnPnl": eight(own),
                    "availableBalance": eight(balance.free + min(ZERO, own)),
                    "maxWithdrawAmount": eight(balance.free),
                    "updateTime": self.venue_ms(call.now_ms),
                }
            )
        return {
            "totalWalletBalance": assets[0]["walletBalance"] if assets else "0",
            "totalUnrealizedProfit": eight(profit),
            "assets": assets,
            "positions": [row for row in self._positions(call) if row["positionAmt"] != "0"],
        }

    def _balance(self, call: Call) -> Any:
        return [
            {
                "asset": asset,
                "balance": eight(balance.free + balance.used),
                "crossWalletBalance": eight(balance.free + balance.used),
                "crossUnPnl": eight(ZERO),
                "availableBalance": eight(balance.free),
                "maxWithdrawAmount": eight(balance.free),
                "updateTime": self.venue_ms(call.now_ms),
            }
            for asset, balance in self.exchange.account.balances().items()
        ]

    def _positions(self, call: Call) -> list[dict[str, Any]]:
        rows = []
        for market in self.exchange.markets.values():
            position, mark = (
                self.margin.position(market.symbol),
                self.exchange.liquidity.mark(market.symbol, call.now_ms),
            )
            margin = eight(self.margin.margin(market.symbol))
            rows.append(
                {
                    "symbol": market.market_id,
                    "positionSide": "BOTH",
                    "positionAmt": plain(position.amount),
                    "entryPrice": eight(position.entry),
                    "breakEvenPrice": eight(position.entry),
                    "markPrice": eight(mark),
                    "unRealizedProfit": eight(self._profit(market, call.now_ms)),
                    "unrealizedProfit": eight(self._profit(market, call.now_ms)),
                    "liquidationPrice": "0",
                    "isolatedMargin": "0",
                    "isolatedWallet": "0",
                    "notional": eight(position.amount * mark),
                    "marginAsset": market.quote,
                    "initialMargin": margin,
                    "positionInitialMargin": margin,
                    "openOrderInitialMargin": "0",
                    "maintMargin": eight(abs(position.amount) * mark * MAINTENANCE),
                    "adl": 1,
                    "updateTime": self.venue_ms(call.now_ms),
                }
            )
        return rows

    def _risk(self, call: Call) -> Any:
        named = self.market_of(call)
        rows = [row for row in self._positions(call) if row["positionAmt"] != "0"]
        return [row for row in rows if named is None or row["symbol"] == named.market_id]

    # -------------------------------------------------------------- orders

    def _create(self, call: Call) -> Any:
        try:
            order = self.place(call, self.new_order(call))
        except OrderRefused as refused:
            raise self.refused(refused) from None
        answer = self._order(order)
        del answer["time"]
        if call.get("newOrderRespType") != "RESULT":
            answer |= {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}
        return answer

    def _fetch(self, call: Call) -> Any:
        return self.fetch(call, self._order)

    def _cancel(self, call: Call) -> Any:
        try:
            answer = self._order(self.cancel(call, self.find(call)))
        except UnknownOrder:
            raise error(-2011, "Unknown order sent.") from None
        del answer["time"], answer["avgPrice"]
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
        word = "LIMIT" if new.kind is Kind.LIMIT else "MARKET"
        return {
            "orderId": order.number,
            "symbol": market.market_id,
            "status": status_word(order),
            "clientOrderId": new.client_id,
            "price": plain(new.price) if new.price is not None else "0",
            "avgPrice": format(order.average, ".5f"),
            "origQty": plain(order.amount),
            "executedQty": plain(order.filled),
            "cumQty": plain(order.filled),
            "cumQuote": format(order.spent, ".5f"),
            "timeInForce": time_word(order),
            "type": word,
            "origType": word,
            "reduceOnly": new.reduce_only,
            "closePosition": False,
            "side": "BUY" if new.side is Side.BUY else "SELL",
            "positionSide": "BOTH",
            "stopPrice": "0",
            "workingType": "CONTRACT_PRICE",
            "priceProtect": False,
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": 0,
            "time": self.venue_ms(order.created_ms),
            "updateTime": self.venue_ms(order.updated_ms),
        }

    def _trade(self, fill: Execution) -> dict[str, Any]:
        market = self.exchange.markets[fill.symbol]
        return {
            "symbol": market.market_id,
            "id": fill.trade_id,
            "orderId": int(fill.order_id),
            "side": "BUY" if fill.side is Side.BUY else "SELL",
            "positionSide": "BOTH",
            "price": plain(fill.price),
            "qty": plain(fill.amount),
            "quoteQty": plain(fill.cost),
            "realizedPnl": eight(fill.realised),
            "marginAsset": market.quote,
            "commission": eight(fill.fee),
            "commissionAsset": fill.fee_asset,
            "time": self.venue_ms(fill.at_ms),
            "buyer": fill.side is Side.BUY,
            "maker": fill.maker,
        }
