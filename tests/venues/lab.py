"""Real ccxt classes with markets by hand and planted secrets, on a session that reaches loopback only."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt.async_support as ccxt
from attrs import define
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fsm_arb.ports import OrderRef, OrderRequest
from fsm_arb.values import OrderType, Side

if TYPE_CHECKING:
    from capture import Capture

    from fsm_arb.venues.ccxt_venue import CcxtVenue

# Planted: none of these may ever come out again.
SECRETS = {
    "apiKey": "planted-api-key-77aa",
    "secret": "cGxhbnRlZC1zZWNyZXQtODhiYg==",
    "password": "planted-password-99cc",
    "uid": "planted-uid-5511",
    "privateKey": "0x" + "4c" * 32,
    "walletAddress": "0x" + "ab" * 20,
}
SINCE_MS = int(time.time() * 1000) - 5_000
OUR_ID = "k3x9q1z7m2w8v4b6ta"  # 18 lowercase letters and digits


@define(eq=False)
class Lab:
    """A real ccxt class on loopback, and the venue over it."""

    capture: Capture
    exchange: Any
    venue: CcxtVenue
    symbol: str

    def request(self, **changes: Any) -> OrderRequest:
        """Return an order; a small limit buy, immediate or cancel, unless told otherwise."""
        values: dict[str, Any] = {
            "symbol": self.symbol,
            "side": Side.BUY,
            "amount": Decimal("0.012"),
            "order_type": OrderType.IOC,
            "bound": Decimal(95_100_000) if self.symbol.endswith("KRW") else Decimal(67_900),
            "client_order_id": OUR_ID,
        }
        return OrderRequest(**(values | changes))

    def ref(self, **changes: Any) -> OrderRef:
        """Return what is known of that order after it was sent."""
        values: dict[str, Any] = {
            "symbol": self.symbol,
            "side": Side.BUY,
            "amount": Decimal("0.012"),
            "client_order_id": OUR_ID,
            "since_ms": SINCE_MS,
        }
        return OrderRef(**(values | changes))

    async def place(self, **changes: Any) -> Any:
        """Place an order that is still fresh."""
        return await self.venue.place(self.request(**changes), lambda: True)


def spot_market(symbol: str, market_id: str, **changes: Any) -> dict[str, Any]:
    """A spot market by hand, as ccxt would have parsed it."""
    base, quote = symbol.split("/")
    market = {
        "id": market_id, "symbol": symbol, "base": base, "quote": quote, "baseId": base, "quoteId": quote,
        "settle": None, "settleId": None, "type": "spot", "spot": True, "margin": False, "swap": False,
        "future": False, "option": False, "contract": False, "linear": None, "inverse": None, "active": True,
        "taker": 0.001, "maker": 0.001, "contractSize": None, "percentage": True, "tierBased": False,
        "precision": {"amount": "0.00000001", "price": "0.01"},
        "limits": {"amount": {"min": "0.00001", "max": "9000"}, "price": {}, "cost": {"min": "5"}, "leverage": {}},
        "info": {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"]},
    }  # fmt: skip
    return market | changes


def swap_market(symbol: str, market_id: str, size: str, **changes: Any) -> dict[str, Any]:
    """A linear perpetual by hand."""
    pair, settle = symbol.split(":")
    market = spot_market(pair, market_id)
    market |= {
        "symbol": symbol, "settle": settle, "settleId": settle, "type": "swap", "spot": False, "swap": True,
        "contract": True, "linear": True, "inverse": False, "contractSize": size,
        "precision": {"amount": "1" if size != "1" else "0.001", "price": "0.1"},
    }  # fmt: skip
    return market | changes


MARKETS: dict[str, list[dict[str, Any]]] = {
    "upbit": [spot_market("BTC/KRW", "KRW-BTC", precision={"amount": "0.00000001", "price": "0.00000001"},
                          limits={"amount": {}, "price": {}, "cost": {}})],
    "binance": [spot_market("BTC/USDT", "BTCUSDT")],
    "binanceusdm": [swap_market("BTC/USDT:USDT", "BTCUSDT", "1")],
    "bybit": [spot_market("BTC/USDT", "BTCUSDT"), swap_market("BTC/USDT:USDT", "BTCUSDT", "1")],
    "okx": [spot_market("BTC/USDT", "BTC-USDT"), swap_market("BTC/USDT:USDT", "BTC-USDT-SWAP", "0.01")],
    "gate": [spot_market("BTC/USDT", "BTC_USDT"), swap_market("BTC/USDT:USDT", "BTC_USDT", "0.0001")],
    "kucoin": [spot_market("BTC/USDT", "BTC-USDT")],
    "kraken": [spot_market("BTC/USD", "XXBTZUSD", baseId="XXBT", quoteId="ZUSD", wsId="XBT/USD")],
    "bithumb": [spot_market("BTC/KRW", "BTC", precision={"amount": 4, "price": 4})],
    "coinone": [spot_market("BTC/KRW", "BTC", precision={"amount": "0.00000001", "price": "1000"})],
    "coinbase": [spot_market("BTC/USD", "BTC-USD", precision={"amount": "0.00000001", "price": "0.01"})],
    "hyperliquid": [swap_market("BTC/USDC:USDC", "0", "1", baseId="0", precision={"amount": "0.00001", "price": "1"},
                                info={"szDecimals": "5", "name": "BTC"}, baseName="BTC")],
}  # fmt: skip


def _pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


# What some classes want beside the planted secrets.
CONFIG: dict[str, dict[str, Any]] = {
    "coinbase": {"secret": _pem(), "apiKey": "organizations/planted/apiKeys/planted-api-key-77aa"},
    "hyperliquid": {"options": {"builderFee": False, "approvedBuilderFee": True, "refSet": True}},
}


def real_exchange(exchange_id: str, session: Any, **config: Any) -> Any:
    """Return a real ccxt exchange on a lent session, with markets by hand and planted secrets."""
    settings = {
        **SECRETS,
        "session": session,
        "timeout": 2_000,
        "enableRateLimit": False,
        **CONFIG.get(exchange_id, {}),
        **config,
    }
    exchange = getattr(ccxt, exchange_id)(settings)
    exchange.set_markets([dict(market) for market in MARKETS[exchange_id]], _currencies(exchange_id))
    return exchange


def _currencies(exchange_id: str) -> dict[str, Any]:
    codes = set(itertools.chain.from_iterable((market["base"], market["quote"]) for market in MARKETS[exchange_id]))
    return {code: {"id": code, "code": code, "precision": "0.00000001"} for code in codes}
