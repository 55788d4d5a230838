"""Cancelling without a record, for when nothing can be recorded: it can only make the worst case smaller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fsm_arb.ports import OrderRef

if TYPE_CHECKING:
    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Memory
    from fsm_arb.orders import Order

NS_PER_MS = 1_000_000
SINCE_SLACK_MS = 60_000  # how far before we sent it a venue's clock may have put an order


def ref_of(trade: Memory, order: Order) -> OrderRef:
    """Return what a venue needs to find *order*."""
    intent = order.intent
    return OrderRef(
        symbol=trade.decision.legs[intent.leg].symbol,
        side=intent.side,
        amount=intent.amount,
        client_order_id=intent.client_order_id,
        venue_order_id=order.venue_order_id,
        since_ms=trade.begun_at_ns // NS_PER_MS - SINCE_SLACK_MS,
    )


async def cancel_all(services: Services, trade: Memory) -> None:
    """Ask both venues to cancel whatever of *trade* may rest. Never raises, and sends nothing once fenced."""
    if services.fenced:
        return
    may_rest = [order for order in trade.orders if order.live and not order.mismatch]
    desks = [services.desks[trade.decision.legs[order.intent.leg].exchange] for order in may_rest]
    asked = [desk.cancel(ref_of(trade, order)) for desk, order in zip(desks, may_rest, strict=True)]
    await asyncio.gather(*asked)
