"""What each exchange answers to an order of ours, and what must have been sent to it.

One row an exchange. Words are what query and body must hold at least; a body
that is a list or is encoded is read by `words_of`.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from lab import OUR_ID

from fsm_arb.venues.dialects import DIALECTS

if TYPE_CHECKING:
    from capture import Seen

CLOID = DIALECTS["hyperliquid"].wire_id(OUR_ID)
AT_MS = int(time.time() * 1000)
AT_TEXT = "2026-01-01T00:00:00+00:00"


@frozen(kw_only=True)
class Wires:
    """One exchange's dialect, as it is seen from the other end."""

    create: str  # path
    created: Any  # reply
    ioc_buy: dict[str, Any]
    limit_sell: dict[str, Any]
    market_buy: dict[str, Any]
    market_sell: dict[str, Any]
    venue_id: str = "V1"
    symbol: str | None = None
    look_up: tuple[str, str, dict[str, Any]] | None = None  # method, path, words
    shown: Any = None  # reply to the look-up: our order, half filled, over
    lists: tuple[tuple[str, str, dict[str, Any], Any], ...] = ()  # method, path, words, empty reply
    cancel: tuple[str, str, dict[str, Any]] | None = None
    cancelled: Any = field(factory=dict)
    cancel_known: tuple[str, str, dict[str, Any]] | None = None


def words_of(seen: Seen) -> dict[str, Any]:
    """Return what a request says, query and body together, flat."""
    words: dict[str, Any] = dict(seen.query)
    text = seen.text
    if seen.host.endswith("coinone.co.kr") and text:
        text = base64.b64decode(text).decode()
    try:
        body = json.loads(text) if text else {}
    except ValueError:
        body = seen.body
    if isinstance(body, list):
        body = body[0]
    if isinstance(body, dict):
        words |= {key: value for key, value in body.items() if not isinstance(value, dict)}
        for key in ("order_configuration", "action"):
            if isinstance(body.get(key), dict):
                words |= _flat(body[key])
    return words


def _flat(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            found |= _flat(item[0])
        elif isinstance(item, dict) and key != "builder":
            found[key] = "..."
            found |= _flat(item)
        else:
            found[key] = item
    return found


def _upbit(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "V1", "side": "bid", "ord_type": "limit", "price": "95100000", "state": "wait", "market": "KRW-BTC",
        "created_at": "2026-01-01T09:00:00+09:00", "volume": "0.012", "remaining_volume": "0.012",
        "executed_volume": "0", "paid_fee": "0", "identifier": OUR_ID,
    } | changes  # fmt: skip


def _binance(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": 1001, "clientOrderId": OUR_ID, "time": AT_MS, "updateTime": AT_MS,
        "price": "67900", "origQty": "0.012", "executedQty": "0", "cummulativeQuoteQty": "0", "status": "NEW",
        "timeInForce": "IOC", "type": "LIMIT", "side": "BUY",
    } | changes  # fmt: skip


def _bybit(**changes: Any) -> dict[str, Any]:
    return {
        "orderId": "V1", "orderLinkId": OUR_ID, "symbol": "BTCUSDT", "price": "67900", "qty": "0.012", "side": "Buy",
        "orderStatus": "PartiallyFilledCanceled", "avgPrice": "67880", "leavesQty": "0", "cumExecQty": "0.006",
        "cumExecValue": "407.28", "cumExecFee": "0.000006", "timeInForce": "IOC", "orderType": "Limit",
        "createdTime": str(AT_MS), "updatedTime": str(AT_MS),
    } | changes  # fmt: skip


def _okx(**changes: Any) -> dict[str, Any]:
    return {
        "instId": "BTC-USDT", "instType": "SPOT", "ordId": "V1", "clOrdId": OUR_ID, "px": "67900", "sz": "0.012",
        "ordType": "ioc", "side": "buy", "state": "canceled", "accFillSz": "0.006", "avgPx": "67880",
        "fee": "-0.000006", "feeCcy": "BTC", "cTime": str(AT_MS), "uTime": str(AT_MS), "tgtCcy": "base_ccy",
    } | changes  # fmt: skip


def _gate(**changes: Any) -> dict[str, Any]:
    return {
        "id": "V1", "text": f"t-{OUR_ID}", "status": "cancelled", "currency_pair": "BTC_USDT", "type": "limit",
        "account": "spot", "side": "buy", "amount": "0.012", "price": "67900", "time_in_force": "ioc",
        "left": "0.006", "filled_total": "407.28", "avg_deal_price": "67880", "fee": "0.000006",
        "fee_currency": "BTC", "create_time_ms": str(AT_MS), "update_time_ms": str(AT_MS),
    } | changes  # fmt: skip


def _kucoin(**changes: Any) -> dict[str, Any]:
    return {
        "id": "V1", "clientOid": OUR_ID, "symbol": "BTC-USDT", "opType": "DEAL", "type": "limit", "side": "buy",
        "price": "67900", "size": "0.012", "dealSize": "0.006", "dealFunds": "407.28", "fee": "0.4",
        "feeCurrency": "USDT", "timeInForce": "IOC", "isActive": False, "cancelExist": True, "createdAt": AT_MS,
    } | changes  # fmt: skip


def _kraken(**changes: Any) -> dict[str, Any]:
    return {
        "refid": None, "userref": None, "cl_ord_id": OUR_ID, "status": "canceled", "opentm": AT_MS / 1000,
        "descr": {"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "price": "67900"}, "vol": "0.012",
        "vol_exec": "0.006", "cost": "407.28", "fee": "0.4", "price": "67880", "misc": "", "oflags": "fciq",
    } | changes  # fmt: skip


def _bithumb(**changes: Any) -> dict[str, Any]:
    return _upbit(client_order_id=OUR_ID) | changes


def _coinbase(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "V1", "product_id": "BTC-USD", "side": "BUY", "client_order_id": OUR_ID, "status": "CANCELLED",
        "time_in_force": "IMMEDIATE_OR_CANCEL", "created_time": AT_TEXT, "filled_size": "0.006",
        "average_filled_price": "67880", "total_fees": "0.4", "order_type": "LIMIT",
        "order_configuration": {"sor_limit_ioc": {"base_size": "0.012", "limit_price": "67900"}},
    } | changes  # fmt: skip


def _hyperliquid(**changes: Any) -> dict[str, Any]:
    order = {
        "coin": "BTC", "side": "B", "limitPx": "67900", "sz": "0.006", "oid": 1001, "timestamp": AT_MS,
        "origSz": "0.012", "orderType": "Limit", "tif": "Ioc", "cloid": CLOID, "reduceOnly": False,
    } | changes  # fmt: skip
    return {"status": "order", "order": {"order": order, "status": "canceled", "statusTimestamp": AT_MS}}


KRW, USD = "95100000", "67900"

WIRES: dict[str, Wires] = {
    "upbit": Wires(
        create="/v1/orders",
        created=_upbit(),
        ioc_buy={"market": "KRW-BTC", "side": "bid", "ord_type": "limit", "price": KRW, "volume": "0.012",
                 "identifier": OUR_ID, "time_in_force": "ioc"},
        limit_sell={"side": "ask", "ord_type": "limit", "price": KRW, "volume": "0.012", "identifier": OUR_ID},
        market_buy={"side": "bid", "ord_type": "limit", "price": KRW, "volume": "0.012", "time_in_force": "ioc"},
        market_sell={"side": "ask", "ord_type": "market", "volume": "0.012"},
        look_up=("GET", "/v1/order", {"identifier": OUR_ID}),
        shown=_upbit(state="cancel", executed_volume="0.006", remaining_volume="0.006", paid_fee="285.3", trades=[
            {"market": "KRW-BTC", "uuid": "t1", "price": "95090000", "volume": "0.006", "funds": "570540",
             "side": "bid", "created_at": "2026-01-01T09:00:01+09:00", "trend": "up"}]),
        lists=(
            ("GET", "/v1/orders/open", {"market": "KRW-BTC"}, []),
            ("GET", "/v1/orders/closed", {"market": "KRW-BTC", "limit": "1000"}, []),
        ),
        cancel=("DELETE", "/v1/order", {"identifier": OUR_ID}),
        cancelled=_upbit(),
        cancel_known=("DELETE", "/v1/order", {"uuid": "V1"}),
    ),
    "binance": Wires(
        create="/api/v3/order",
        created=_binance(),
        venue_id="1001",
        ioc_buy={"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "0.012",
                 "price": USD, "newClientOrderId": OUR_ID, "newOrderRespType": "FULL", "recvWindow": "10000"},
        limit_sell={"side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.012", "price": USD},
        market_buy={"side": "BUY", "type": "MARKET", "quantity": "0.012"},
        market_sell={"side": "SELL", "type": "MARKET", "quantity": "0.012"},
        look_up=("GET", "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": OUR_ID}),
        shown=_binance(status="EXPIRED", executedQty="0.006", cummulativeQuoteQty="407.28"),
        lists=(("GET", "/api/v3/allOrders", {"symbol": "BTCUSDT", "limit": "1000"}, []),),
        cancel=("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": OUR_ID}),
        cancelled=_binance(status="CANCELED", clientOrderId="another", origClientOrderId=OUR_ID),
        cancel_known=("DELETE", "/api/v3/order", {"orderId": "1001"}),
    ),
    "binanceusdm": Wires(
        create="/fapi/v1/order",
        created=_binance(avgPrice="0.00", cumQuote="0"),
        venue_id="1001",
        ioc_buy={"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "0.012",
                 "price": USD, "newClientOrderId": OUR_ID, "newOrderRespType": "RESULT"},
        limit_sell={"side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.012", "price": USD},
        market_buy={"side": "BUY", "type": "MARKET", "quantity": "0.012"},
        market_sell={"side": "SELL", "type": "MARKET", "quantity": "0.012"},
        look_up=("GET", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": OUR_ID}),
        shown=_binance(status="EXPIRED", executedQty="0.006", avgPrice="67880", cumQuote="407.28"),
        lists=(
            ("GET", "/fapi/v1/openOrders", {"symbol": "BTCUSDT"}, []),
            ("GET", "/fapi/v1/allOrders", {"symbol": "BTCUSDT", "limit": "1000"}, []),
        ),
        cancel=("DELETE", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": OUR_ID}),
        cancelled=_binance(status="CANCELED"),
        cancel_known=("DELETE", "/fapi/v1/order", {"orderId": "1001"}),
    ),
    "bybit": Wires(
        create="/v5/order/create",
        created={"retCode": 0, "retMsg": "OK", "result": {"orderId": "V1", "orderLinkId": OUR_ID}},
        ioc_buy={"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "timeInForce": "IOC",
                 "qty": "0.012", "price": USD, "orderLinkId": OUR_ID},
        limit_sell={"side": "Sell", "orderType": "Limit", "qty": "0.012", "price": USD},
        market_buy={"side": "Buy", "orderType": "Market", "qty": "0.012", "marketUnit": "baseCoin"},
        market_sell={"side": "Sell", "orderType": "Market", "qty": "0.012"},
        look_up=("GET", "/v5/order/realtime", {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": OUR_ID}),
        shown={"retCode": 0, "result": {"list": [_bybit()]}},
        lists=(
            ("GET", "/v5/order/realtime", {"orderLinkId": OUR_ID}, {"retCode": 0, "result": {"list": []}}),
            ("GET", "/v5/order/history", {"orderLinkId": OUR_ID}, {"retCode": 0, "result": {"list": []}}),
        ),
        cancel=("POST", "/v5/order/cancel", {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": OUR_ID}),
        cancelled={"retCode": 0, "result": {"orderId": "V1", "orderLinkId": OUR_ID}},
        cancel_known=("POST", "/v5/order/cancel", {"orderId": "V1"}),
    ),
    "okx": Wires(
        create="/api/v5/trade/batch-orders",
        created={"code": "0", "data": [{"clOrdId": OUR_ID, "ordId": "V1", "sCode": "0", "sMsg": ""}]},
        ioc_buy={"instId": "BTC-USDT", "side": "buy", "ordType": "ioc", "sz": "0.012", "px": USD, "tdMode": "cash",
                 "clOrdId": OUR_ID},
        limit_sell={"side": "sell", "ordType": "limit", "sz": "0.012", "px": USD},
        market_buy={"side": "buy", "ordType": "market", "sz": "0.012", "tgtCcy": "base_ccy"},
        market_sell={"side": "sell", "ordType": "market", "sz": "0.012"},
        look_up=("GET", "/api/v5/trade/order", {"instId": "BTC-USDT", "clOrdId": OUR_ID}),
        shown={"code": "0", "data": [_okx()]},
        lists=(
            ("GET", "/api/v5/trade/orders-pending", {"instId": "BTC-USDT", "limit": "100"}, {"code": "0", "data": []}),
            ("GET", "/api/v5/trade/orders-history", {"instId": "BTC-USDT", "limit": "100"}, {"code": "0", "data": []}),
        ),
        cancel=("POST", "/api/v5/trade/cancel-order", {"instId": "BTC-USDT", "clOrdId": OUR_ID}),
        cancelled={"code": "0", "data": [{"clOrdId": OUR_ID, "ordId": "V1", "sCode": "0"}]},
        cancel_known=("POST", "/api/v5/trade/cancel-order", {"ordId": "V1"}),
    ),
    "gate": Wires(
        create="/api/v4/spot/orders",
        created=_gate(status="open", left="0.012", filled_total="0"),
        ioc_buy={"currency_pair": "BTC_USDT", "side": "buy", "type": "limit", "time_in_force": "ioc",
                 "amount": "0.012", "price": USD, "text": f"t-{OUR_ID}"},
        limit_sell={"side": "sell", "type": "limit", "amount": "0.012", "price": USD},
        market_buy={"side": "buy", "type": "limit", "time_in_force": "ioc", "amount": "0.012", "price": USD},
        market_sell={"side": "sell", "type": "market", "amount": "0.012"},
        look_up=("GET", f"/api/v4/spot/orders/t-{OUR_ID}", {"currency_pair": "BTC_USDT"}),
        shown=_gate(),
        lists=(
            ("GET", "/api/v4/spot/open_orders", {"status": "open"}, []),
            ("GET", "/api/v4/spot/orders", {"currency_pair": "BTC_USDT", "status": "finished"}, []),
        ),
        cancel=("DELETE", f"/api/v4/spot/orders/t-{OUR_ID}", {"currency_pair": "BTC_USDT"}),
        cancelled=_gate(),
        cancel_known=("DELETE", "/api/v4/spot/orders/V1", {}),
    ),
    "kucoin": Wires(
        create="/api/v1/orders",
        created={"code": "200000", "data": {"orderId": "V1"}},
        ioc_buy={"symbol": "BTC-USDT", "side": "buy", "type": "limit", "timeInForce": "IOC", "size": "0.012",
                 "price": USD, "clientOid": OUR_ID},
        limit_sell={"side": "sell", "type": "limit", "size": "0.012", "price": USD},
        market_buy={"side": "buy", "type": "market", "size": "0.012"},
        market_sell={"side": "sell", "type": "market", "size": "0.012"},
        look_up=("GET", f"/api/v1/order/client-order/{OUR_ID}", {}),
        shown={"code": "200000", "data": _kucoin()},
        lists=(
            ("GET", "/api/v1/orders", {"symbol": "BTC-USDT"}, {"code": "200000", "data": {"items": []}}),
        ),
        cancel=("DELETE", f"/api/v1/order/client-order/{OUR_ID}", {}),
        cancelled={"code": "200000", "data": {"cancelledOrderId": "V1", "clientOid": OUR_ID}},
        cancel_known=("DELETE", "/api/v1/orders/V1", {}),
    ),
    "kraken": Wires(
        create="/0/private/AddOrder",
        created={"error": [], "result": {"descr": {"order": "buy 0.012 XBTUSD @ limit 67900"}, "txid": ["V1"]}},
        ioc_buy={"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "timeinforce": "IOC", "volume": "0.012",
                 "price": USD, "cl_ord_id": OUR_ID},
        limit_sell={"type": "sell", "ordertype": "limit", "volume": "0.012", "price": USD},
        market_buy={"type": "buy", "ordertype": "market", "volume": "0.012"},
        market_sell={"type": "sell", "ordertype": "market", "volume": "0.012"},
        lists=(
            ("POST", "/0/private/OpenOrders", {"cl_ord_id": OUR_ID}, {"error": [], "result": {"open": {}}}),
            ("POST", "/0/private/ClosedOrders", {"cl_ord_id": OUR_ID}, {"error": [], "result": {"closed": {}}}),
        ),
        shown={"error": [], "result": {"closed": {"V1": _kraken()}}},
        cancel=("POST", "/0/private/CancelOrder", {"cl_ord_id": OUR_ID}),
        cancelled={"error": [], "result": {"count": 1}},
        cancel_known=("POST", "/0/private/CancelOrder", {"txid": "V1"}),
    ),
    "bithumb": Wires(
        create="/v2/orders",
        created={"order_id": "V1", "market": "KRW-BTC", "client_order_id": OUR_ID},
        ioc_buy={"market": "KRW-BTC", "side": "bid", "order_type": "limit", "time_in_force": "ioc", "price": KRW,
                 "volume": "0.012", "client_order_id": OUR_ID},
        limit_sell={"side": "ask", "order_type": "limit", "price": KRW, "volume": "0.012"},
        market_buy={"side": "bid", "order_type": "limit", "time_in_force": "ioc", "price": KRW, "volume": "0.012"},
        market_sell={"side": "ask", "order_type": "market", "volume": "0.012"},
        look_up=("GET", "/v1/order", {"client_order_id": OUR_ID}),
        shown=_bithumb(state="cancel", executed_volume="0.006", remaining_volume="0.006", paid_fee="285.3",
                       executed_funds="570540"),
        lists=(("GET", "/v1/orders", {"market": "KRW-BTC", "limit": "100"}, []),),
        cancel=("DELETE", "/v2/order", {"client_order_id": OUR_ID}),
        cancelled={"order_id": "V1"},
        cancel_known=("DELETE", "/v2/order", {"order_id": "V1"}),
    ),
    "coinone": Wires(
        create="/v2.1/order/limit",
        created={"result": "success", "error_code": "0", "order_id": "V1"},
        ioc_buy={},
        limit_sell={"quote_currency": "KRW", "target_currency": "BTC", "type": "LIMIT", "side": "SELL", "price": KRW,
                    "qty": "0.012"},
        market_buy={},
        market_sell={},
        lists=(("POST", "/v2.1/order/open_orders", {"target_currency": "BTC"},
                {"result": "success", "error_code": "0", "open_orders": []}),),
        cancelled={"result": "success", "error_code": "0", "order_id": "V1"},
        cancel_known=("POST", "/v2.1/order/cancel",
                      {"order_id": "V1", "quote_currency": "KRW", "target_currency": "BTC"}),
    ),
    "coinbase": Wires(
        create="/api/v3/brokerage/orders",
        created={"success": True, "success_response": {"order_id": "V1", "product_id": "BTC-USD", "side": "BUY",
                                                       "client_order_id": OUR_ID}},
        ioc_buy={"product_id": "BTC-USD", "side": "BUY", "sor_limit_ioc": "...", "base_size": "0.012",
                 "limit_price": USD, "client_order_id": OUR_ID},
        limit_sell={"side": "SELL", "limit_limit_gtc": "...", "base_size": "0.012", "limit_price": USD},
        market_buy={"side": "BUY", "sor_limit_ioc": "...", "base_size": "0.012", "limit_price": USD},
        market_sell={"side": "SELL", "market_market_ioc": "...", "base_size": "0.012"},
        lists=(("GET", "/api/v3/brokerage/orders/historical/batch", {"product_id": "BTC-USD", "limit": "100"},
                {"orders": []}),),
        shown={"orders": [_coinbase()]},
        cancelled={"results": [{"success": True, "order_id": "V1"}]},
        cancel_known=("POST", "/api/v3/brokerage/orders/batch_cancel", {"order_ids": ["V1"]}),
    ),
    "hyperliquid": Wires(
        create="/exchange",
        created={"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 1001}}]}}},
        venue_id="1001",
        ioc_buy={"type": "order", "a": 0, "b": True, "p": USD, "s": "0.012", "tif": "Ioc", "c": CLOID},
        limit_sell={"b": False, "p": USD, "s": "0.012", "tif": "Gtc", "c": CLOID},
        market_buy={"b": True, "p": USD, "s": "0.012", "tif": "Ioc"},
        market_sell={"b": False, "p": USD, "s": "0.012", "tif": "Ioc"},
        look_up=("POST", "/info", {"type": "orderStatus", "oid": CLOID}),
        shown=_hyperliquid(),
        lists=(("POST", "/info", {}, []),),
        cancel=("POST", "/exchange", {"type": "cancelByCloid", "cloid": CLOID}),
        cancelled={"status": "ok", "response": {"type": "cancel", "data": {"statuses": ["success"]}}},
        cancel_known=("POST", "/exchange", {"type": "cancel", "o": 1001}),
    ),
}  # fmt: skip
