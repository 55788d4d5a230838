"""Orders, executions, markets, books and balances in the shape that ccxt gives them."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb.matching.orders import Kind, Status, TimeInForce
from fsm_arb.testing.loopback.dialect import plain
from fsm_arb.values import EXACT, ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsm_arb.matching.accounts import Balance
    from fsm_arb.matching.liquidity import LiveBook
    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import Execution
    from fsm_arb.testing.simulated.options import VenueOptions
    from fsm_arb.testing.simulated.views import View

_STATUS = {Status.OPEN: "open", Status.FILLED: "closed", Status.CANCELED: "canceled"}
_TIMES = {
    TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.POST_ONLY: "PO",
}  # fmt: skip
_STRANGE = {"wholly_new_field": {"nested": [1, None, "x"]}, "remaining": None, "lastTradeTimestamp": "soon"}


def iso(at_ms: int) -> str:
    """Return a time as ccxt writes it."""
    seconds, rest = divmod(at_ms, 1_000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@functools.lru_cache(maxsize=1_024)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Words:
    """Says things as one venue does.

    Args:
        options: Its habits.
        number: What a Decimal's text becomes: ``str`` as with ``exchange.number = str``, or ``float``.
    """

    def __init__(self, options: VenueOptions, number: Callable[[str], Any] = str) -> None:
        self.options = options
        self.number = number
        self.offset_ms = 0  # the venue's clock minus the time it really is
        self._sizes = options.contract_sizes

    def _say(self, value: Decimal) -> Any:
        return self.number(plain(value))

    def size(self, symbol: str) -> Decimal:
        """Return base per unit of amount: one, but for contracts that count more or less."""
        return self._sizes.get(symbol, ONE)

    def _amount(self, symbol: str, value: Decimal) -> Any:
        size = self._sizes.get(symbol)
        return self._say(value if size is None else EXACT.divide(value, size))

    # -------------------------------------------------------------- orders

    def order(self, view: View, *, whole: bool = True) -> dict[str, Any]:
        """Return an order as ccxt does.

        Args:
            view: What is shown of it.
            whole: Whether it was asked for alone, and shows what only such an answer does.
        """
        order, new, options = view.order, view.order.new, self.options
        client_id = new.client_id if options.ids_on_orders else None
        at_ms = order.created_ms + self.offset_ms
        status = view.word or _STATUS.get(order.status) or options.expired_word
        average = self._average(view)
        fees = self._fees(order.fills) if view.fees and options.fees_on_orders else []
        trades = [self.trade(fill) for fill in view.fills] if whole and options.trades_on_orders else []
        told = {
            "info": {"id": order.order_id, "clientOrderId": client_id, "state": status, "filled": plain(order.filled)},
            "id": order.order_id,
            "clientOrderId": client_id,
            "timestamp": at_ms,
            "datetime": iso(at_ms),
            "lastTradeTimestamp": order.fills[-1].at_ms + self.offset_ms if order.fills else None,
            "lastUpdateTimestamp": order.updated_ms + self.offset_ms,
            "symbol": new.symbol,
            "type": "limit" if new.kind is Kind.LIMIT else "market",
            "timeInForce": _TIMES[new.time_in_force],
            "postOnly": new.time_in_force is TimeInForce.POST_ONLY,
            "reduceOnly": new.reduce_only,
            "side": new.side.value,
            "price": None if new.price is None else self._say(new.price),
            "stopPrice": None,
            "triggerPrice": None,
            "takeProfitPrice": None,
            "stopLossPrice": None,
            "amount": self._amount(new.symbol, order.amount),
            "filled": self._amount(new.symbol, order.filled),
            "remaining": self._amount(new.symbol, order.remaining),
            "average": None if average is None else self._say(average),
            "cost": self._cost(order.filled, average),
            "status": status,
            "fee": fees[0] if len(fees) == 1 else None,
            "fees": fees,
            "trades": trades,
        }
        return told | _STRANGE if view.strange else told

    def _cost(self, filled: Decimal, average: Decimal | None) -> Any:
        if average is None and filled:
            return None
        return self._say(filled * (average or ZERO))

    @staticmethod
    def _average(view: View) -> Decimal | None:
        order = view.order
        if view.average == "missing" or not order.filled:
            return None
        if view.average == "limit" and order.new.price is not None:
            return order.new.price
        return EXACT.divide(order.spent, order.filled)

    def _fees(self, fills: list[Execution]) -> list[dict[str, Any]]:
        sums: dict[str, Decimal] = {}
        for fill in fills:
            sums[fill.fee_asset] = EXACT.add(sums.get(fill.fee_asset, ZERO), fill.fee)
        return [{"currency": asset, "cost": self._say(cost)} for asset, cost in sums.items()]

    def little(self, view: View) -> dict[str, Any]:
        """Return the order of a venue whose reply to a create is little more than an id."""
        order = view.order
        nothing = dict.fromkeys(
            ("timestamp", "datetime", "lastTradeTimestamp", "type", "timeInForce", "side", "price", "amount", "filled",
             "remaining", "average", "cost", "status", "fee")
        )  # fmt: skip
        client_id = order.new.client_id if self.options.ids_on_orders else None
        return {
            **nothing,
            "info": {"id": order.order_id, "clientOrderId": client_id},
            "id": order.order_id,
            "clientOrderId": client_id,
            "symbol": order.new.symbol,
            "fees": [],
            "trades": [],
        }

    @staticmethod
    def nameless(symbol: str) -> dict[str, Any]:
        """Return what ccxt makes of a reply that holds no order."""
        keys = ("id", "clientOrderId", "timestamp", "datetime", "type", "side", "price", "amount", "filled",
                "remaining", "average", "cost", "status", "fee")  # fmt: skip
        return {**dict.fromkeys(keys), "info": {}, "symbol": symbol, "fees": [], "trades": []}

    def trade(self, fill: Execution, *, fees: bool = True, strange: bool = False) -> dict[str, Any]:
        """Return an execution as ccxt does."""
        at_ms = fill.at_ms + self.offset_ms
        fee = {"currency": fill.fee_asset, "cost": self._say(fill.fee)} if fees else None
        told = {
            "info": {"id": str(fill.trade_id)}
            | ({"clientOrderId": fill.client_id} if self.options.ids_on_trades else {}),
            "id": str(fill.trade_id),
            "order": fill.order_id,
            "timestamp": at_ms,
            "datetime": iso(at_ms),
            "symbol": fill.symbol,
            "type": None,
            "side": fill.side.value,
            "takerOrMaker": "maker" if fill.maker else "taker",
            "price": self._say(fill.price),
            "amount": self._amount(fill.symbol, fill.amount),
            "cost": self._say(fill.cost),
            "fee": fee,
            "fees": [] if fee is None else [fee],
        }
        return told | {"wholly_new_field": None, "takerOrMaker": 7} if strange else told

    # -------------------------------------------------------------- the rest

    def market(self, market: Market, tick: Decimal) -> dict[str, Any]:
        """Return a market as ccxt does, which knows of one *tick* alone."""
        size = self._sizes.get(market.symbol)
        contract_size = None if not market.contract else self._say(size or ONE)
        return {
            "id": market.market_id,
            "symbol": market.symbol,
            "base": market.base,
            "quote": market.quote,
            "settle": market.quote if market.contract else None,
            "baseId": market.base,
            "quoteId": market.quote,
            "type": "swap" if market.contract else "spot",
            "spot": not market.contract,
            "margin": False,
            "swap": market.contract,
            "future": False,
            "option": False,
            "contract": market.contract,
            "linear": True if market.contract else None,
            "inverse": False if market.contract else None,
            "contractSize": contract_size,
            "active": True,
            "taker": self._say(market.taker_fee),
            "maker": self._say(market.maker_fee),
            "precision": {"amount": self._amount(market.symbol, market.lot), "price": self._say(tick)},
            "limits": {
                "amount": {"min": self._amount(market.symbol, max(market.amount_min, market.lot)), "max": None},
                "price": {"min": None, "max": None},
                "cost": {"min": self._say(market.notional_min), "max": None},
                "leverage": {"min": None, "max": None},
            },
            "info": {},
            "lowercaseId": market.market_id.lower(),
            "settleId": market.quote if market.contract else None,
            "subType": "linear" if market.contract else None,
            "marginModes": {"cross": None, "isolated": None},
            **dict.fromkeys(("index", "expiry", "expiryDatetime", "strike", "optionType", "created")),
        }

    def book(self, symbol: str, live: LiveBook, at_ms: int, limit: int | None) -> dict[str, Any]:
        """Return an order book as ccxt does: in floats, whatever `number` is."""
        size = self.size(symbol)
        bids = [[float(price), float(amount / size)] for price, amount in live.bids[:limit]]
        asks = [[float(price), float(amount / size)] for price, amount in live.asks[:limit]]
        at_ms += self.offset_ms
        return {"symbol": symbol, "bids": bids, "asks": asks, "timestamp": at_ms, "datetime": iso(at_ms), "nonce": None}

    def balance(self, balances: Mapping[str, Balance], at_ms: int) -> dict[str, Any]:
        """Return balances as ccxt does."""
        at_ms += self.offset_ms
        told: dict[str, Any] = {"info": {}, "timestamp": at_ms, "datetime": iso(at_ms)}
        free, used, total = {}, {}, {}
        for asset, balance in balances.items():
            free[asset], used[asset] = self._say(balance.free), self._say(balance.used)
            total[asset] = self._say(balance.free + balance.used)
            told[asset] = {"free": free[asset], "used": used[asset], "total": total[asset]}
        return told | {"free": free, "used": used, "total": total}
