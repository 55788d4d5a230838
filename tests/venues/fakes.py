"""An object with ccxt's unified surface and nothing of ccxt in it."""

from __future__ import annotations

from typing import Any

import ccxt

METHODS = {
    "fetchOrder": "fetch_order",
    "fetchOpenOrders": "fetch_open_orders",
    "fetchClosedOrders": "fetch_closed_orders",
    "fetchCanceledOrders": "fetch_canceled_orders",
    "fetchOrders": "fetch_orders",
    "fetchMyTrades": "fetch_my_trades",
}


class FakeExchange:
    """Keeps orders in a list. Numbers are floats, as ccxt's are unless told otherwise.

    Args:
        orders: ccxt's orders that stand on the venue.
        trades: ccxt's own trades.
        fails: Method name → exception it raises.
        has: What it says that it offers; keys that are left out are told by its methods.
    """

    id = "fakex"

    def __init__(
        self,
        orders: list[dict[str, Any]] | None = None,
        trades: list[dict[str, Any]] | None = None,
        fails: dict[str, Exception] | None = None,
        has: dict[str, Any] | None = None,
    ) -> None:
        self.orders = orders or []
        self.trades = trades or []
        self.fails = fails or {}
        self.has = has or {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.created: list[dict[str, Any]] = []
        self.loads = 0
        self.markets: dict[str, Any] = {}

    def _called(self, name: str, *args: Any) -> None:
        self.calls.append((name, args))
        if name in self.fails:
            raise self.fails[name]

    def asked(self) -> list[str]:
        return [name for name, _ in self.calls]

    async def load_markets(self) -> dict[str, Any]:
        self.loads += 1
        self._called("load_markets")
        self.markets = {
            "BTC/USDT": {
                "id": "BTCUSDT",
                "symbol": "BTC/USDT",
                "base": "BTC",
                "quote": "USDT",
                "spot": True,
                "precision": {"amount": 1e-05, "price": 0.01},
                "limits": {"amount": {"min": 0.0001, "max": 100.0}, "cost": {"min": 5.0}},
                "taker": 0.001,
                "maker": 0.0008,
            }
        }
        return self.markets

    async def create_order(  # noqa: PLR0917 - the surface of ccxt
        self, symbol: str, kind: str, side: str, amount: Any, price: Any = None, params: Any = None
    ) -> dict[str, Any]:
        order = {
            "id": f"f{len(self.created) + 1}",
            "clientOrderId": (params or {}).get("clientOrderId"),
            "symbol": symbol,
            "type": kind,
            "side": side,
            "amount": float(amount),
            "price": None if price is None else float(price),
            "filled": 0.0,
            "status": "open",
            "params": params,
        }
        self.created.append(order)
        self.orders.append(order)
        self._called("create_order", symbol, kind, side, amount, price, params)
        return order

    async def cancel_order(self, order_id: Any, symbol: Any = None, params: Any = None) -> dict[str, Any]:
        self._called("cancel_order", order_id, symbol, params)
        return {"id": order_id, "status": "canceled"}

    async def fetch_order(self, order_id: Any, symbol: Any = None, params: Any = None) -> dict[str, Any]:
        self._called("fetch_order", order_id, symbol, params)
        wanted = (params or {}).get("clientOrderId")
        for order in self.orders:
            if (order_id is not None and order["id"] == order_id) or (wanted and order.get("clientOrderId") == wanted):
                return order
        raise ccxt.OrderNotFound("no such order")

    def _listed(self, name: str, args: tuple[Any, ...], *statuses: str) -> list[dict[str, Any]]:
        self._called(name, *args)
        return [order for order in self.orders if not statuses or order["status"] in statuses]

    async def fetch_open_orders(self, *args: Any) -> list[dict[str, Any]]:
        return self._listed("fetch_open_orders", args, "open")

    async def fetch_closed_orders(self, *args: Any) -> list[dict[str, Any]]:
        return self._listed("fetch_closed_orders", args, "closed")

    async def fetch_canceled_orders(self, *args: Any) -> list[dict[str, Any]]:
        return self._listed("fetch_canceled_orders", args, "canceled")

    async def fetch_orders(self, *args: Any) -> list[dict[str, Any]]:
        return self._listed("fetch_orders", args)

    async def fetch_my_trades(self, *args: Any) -> list[dict[str, Any]]:
        self._called("fetch_my_trades", *args)
        return self.trades

    async def fetch_balance(self) -> dict[str, Any]:
        self._called("fetch_balance")
        return {"free": {"BTC": 0.5, "USDT": 1000.1, "ODD": None}, "BTC": {"free": 0.5}}

    async def fetch_order_book(self, symbol: str, limit: int | None = None) -> dict[str, Any]:
        self._called("fetch_order_book", symbol, limit)
        return {"bids": [[67880.1, 0.3], [67880.0, 1.0]], "asks": [[67881.0, 0.1, 7]], "timestamp": 1}


def without(exchange: FakeExchange, *names: str) -> Any:
    """Return the exchange as if it had never had some methods."""

    class Less(FakeExchange):
        pass

    for name in names:
        setattr(Less, name, None)
    exchange.__class__ = Less
    return exchange
