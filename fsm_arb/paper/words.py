"""What a paper venue says, in the words of the venue port."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.matching.orders import Kind, NewOrder, Refusal, TimeInForce
from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.values import Fee, Fill, OrderType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.matching.orders import Execution, Order
    from fsm_arb.ports import OrderRequest

CODES: Mapping[Refusal, str] = {  # as ccxt's exchanges are heard to say it
    Refusal.UNKNOWN_MARKET: "bad_symbol",
    Refusal.HALTED: "market_closed",
    Refusal.DUPLICATE: "duplicate_client_order_id",
    Refusal.FUNDS: "insufficient_funds",
}
OTHER_CODE = "invalid_order"


def new_order(request: OrderRequest) -> NewOrder:
    """Return what the matching engine is asked for."""
    market = request.order_type is OrderType.MARKET
    return NewOrder(
        symbol=request.symbol,
        side=request.side,
        kind=Kind.MARKET if market else Kind.LIMIT,
        time_in_force=_time_in_force(request),
        amount=request.amount,
        price=None if market else request.bound,
        client_id=request.client_order_id,
        reduce_only=request.reduce_only,
    )


def _time_in_force(request: OrderRequest) -> TimeInForce:
    if request.post_only:
        return TimeInForce.POST_ONLY
    return TimeInForce.GTC if request.order_type is OrderType.LIMIT else TimeInForce.IOC


def snapshot_of(order: Order) -> OrderSnapshot:
    """Return an order as it stands now."""
    fees: dict[str, Decimal] = {}
    for execution in order.fills:
        fees[execution.fee_asset] = fees.get(execution.fee_asset, Decimal(0)) + execution.fee
    return OrderSnapshot(
        status=OrderStatus.OPEN if order.is_open else OrderStatus.ENDED,
        filled=order.filled,
        venue_order_id=order.order_id,
        client_order_id=order.new.client_id,
        symbol=order.new.symbol,
        side=order.new.side,
        amount=order.amount,
        average=order.average if order.filled else None,
        fills=tuple(fill_of(execution) for execution in order.fills),
        fees=tuple(Fee(amount, asset) for asset, amount in sorted(fees.items())),
    )


def fill_of(execution: Execution) -> Fill:
    """Return one execution."""
    return Fill(
        fill_id=str(execution.trade_id),
        amount=execution.amount,
        price=execution.price,
        fee=Fee(execution.fee, execution.fee_asset),
        at_ms=execution.at_ms,
    )
