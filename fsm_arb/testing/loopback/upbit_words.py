"""How Upbit says it: errors, order states, orders and trades as JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fsm_arb.matching.orders import Kind, Order, OrderRefused, Refusal, Status, TimeInForce
from fsm_arb.testing.loopback.dialect import Call, VenueError, plain
from fsm_arb.values import ONE, ZERO, Side

if TYPE_CHECKING:
    from fsm_arb.matching.exchange import Exchange
    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import Execution

SEOUL = dt.timezone(dt.timedelta(hours=9))
_WORDS = {Side.BUY: "bid", Side.SELL: "ask"}

_REFUSALS = {  # error name ({} is bid or ask) and message
    Refusal.UNKNOWN_MARKET: ("invalid_parameter", "잘못된 파라미터"),
    Refusal.HALTED: ("market_offline", "해당 마켓은 현재 거래가 지원되지 않습니다."),
    Refusal.DUPLICATE: ("invalid_parameter", "identifier has already been used"),
    Refusal.LOT: ("invalid_volume_{}", "주문 수량 단위를 잘못 입력하셨습니다."),
    Refusal.TICK: ("invalid_price_{}", "주문가격 단위를 잘못 입력하셨습니다."),
    Refusal.BAND: ("invalid_price_{}", "주문가격이 허용 범위를 벗어났습니다."),
    Refusal.AMOUNT_MIN: ("invalid_volume_{}", "주문 수량을 확인해주세요."),
    Refusal.NOTIONAL_MIN: ("under_min_total_{}", "최소주문금액 이상으로 주문해주세요."),
    Refusal.FUNDS: ("insufficient_funds_{}", "주문가능한 금액이 부족합니다."),
    # The one name in ccxt's table that means a refusal of the order itself.
    Refusal.INJECTED: ("invalid_funds_{}", "주문 요청 정보가 올바르지 않습니다."),
}


def error(name: str, message: str, status: int = 400) -> VenueError:
    """Return an error in Upbit's shape."""
    return VenueError(status, {"error": {"name": name, "message": message}})


def refused_by_upbit(refused: OrderRefused, call: Call) -> VenueError:
    """Return what Upbit says to an order it does not take."""
    name, message = _REFUSALS.get(refused.refusal, ("validation_error", "잘못된 요청"))
    return error(name.format(call.get("side") or "bid"), message)


def seoul(at_ms: int) -> str:
    """Write a time as Upbit does."""
    return dt.datetime.fromtimestamp(at_ms / 1000, SEOUL).isoformat(timespec="milliseconds")


def state_word(order: Order) -> str:
    """Return `wait`, `done` or `cancel`."""
    if order.is_open:
        return "wait"
    # Bought for an amount of KRW: something always remains, so it ends cancelled.
    return "done" if order.status is Status.FILLED and order.new.kind is not Kind.COST else "cancel"


def _type_word(order: Order) -> str:
    new = order.new
    if new.kind is not Kind.LIMIT and new.time_in_force is not TimeInForce.GTC:
        return "best"
    return {Kind.COST: "price"}.get(new.kind, new.kind.value)


def order_json(order: Order, exchange: Exchange, offset_ms: int, *, trades: bool = False) -> dict[str, Any]:
    """Return an order as Upbit shows it; *trades* only where one order is asked for."""
    new, market = order.new, exchange.markets[order.new.symbol]
    cost = new.kind is Kind.COST
    price = new.cost if cost else new.price
    # Of the order, not of the trades shown: one that is shown twice was charged once.
    paid = sum({fill.trade_uuid: fill.fee for fill in order.fills}.values(), ZERO)
    reserved = (price or ZERO) * (ONE if cost else order.amount) * market.taker_fee
    answer: dict[str, Any] = {
        "market": market.market_id,
        "uuid": order.order_id,
        "side": _WORDS[new.side],
        "ord_type": _type_word(order),
        "price": None if price is None else plain(price),
        "state": state_word(order),
        "created_at": seoul(order.created_ms + offset_ms),
        "volume": None if cost else plain(order.amount),
        "remaining_volume": None if cost else plain(order.remaining),
        "executed_volume": plain(order.filled),
        "executed_funds": plain(order.spent),
        "reserved_fee": plain(reserved),
        "remaining_fee": plain(max(ZERO, reserved - paid)),
        "paid_fee": plain(paid),
        "locked": plain(order.held),
        "trades_count": len(order.fills),
        "prevented_volume": "0",
        "prevented_locked": "0",
    }
    if new.time_in_force is not TimeInForce.GTC:
        answer["time_in_force"] = new.time_in_force.value
    if new.client_id:
        answer["identifier"] = new.client_id
    if trades:
        answer["trades"] = [_trade_json(fill, market, offset_ms) for fill in order.fills]
    return answer


def _trade_json(fill: Execution, market: Market, offset_ms: int) -> dict[str, Any]:
    return {
        "market": market.market_id,
        "uuid": fill.trade_uuid,
        "price": plain(fill.price),
        "volume": plain(fill.amount),
        "funds": plain(fill.cost),
        "trend": "up",
        "created_at": seoul(fill.at_ms + offset_ms),
        "side": _WORDS[fill.side],
    }
