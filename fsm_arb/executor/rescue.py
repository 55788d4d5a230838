"""Cancelling without a record, for when nothing can be recorded: it can only make the worst case smaller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fsm_arb.ports import OrderRef

if TYPE_CHECKING:
    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Memory
    from fsm_arb.orders import Order
    from fsm_arb.ports import Clock

NS_PER_MS = 1_000_000
SINCE_SLACK_MS = 60_000  # how far before we sent it a venue's clock may have put an order


def ref_of(trade: Memory, order: Order, clock: Clock) -> OrderRef:
    """Return what a venue needs to find *order*."""
    intent = order.intent
    return OrderRef(
        symbol=trade.decision.legs[intent.leg].symbol,
        side=intent.side,
        amount=intent.amount,
        client_order_id=intent.client_order_id,
        venue_order_id=order.venue_order_id,
        since_ms=_since_ms(trade, clock),
    )


def _since_ms(trade: Memory, clock: Clock) -> int | None:
    """Return the wall clock's time before which nothing of *trade* was sent, ms; None: by no clock can it be told.

    The wall clock may have been set since the trade began, so that the time it
    showed then may lie ahead of what venues call now; lists would be asked from a
    time to come, or from one at which the order had long ended. So its age on the
    clock that is never set counts as well, and the earlier of both. That clock
    begins anew with the machine: then it may say a trade is older than it is,
    which is safe, or say nothing.
    """
    now_ns = clock.time_ns()
    age_ns = clock.monotonic_ns() - trade.begun.now
    since_ns = min(trade.begun_at_ns, now_ns - age_ns) if age_ns >= 0 else trade.begun_at_ns
    return None if since_ns > now_ns else since_ns // NS_PER_MS - SINCE_SLACK_MS


async def cancel_all(services: Services, trade: Memory) -> None:
    """Ask both venues to cancel whatever of *trade* may rest. Never raises, and sends nothing once fenced."""
    if services.fenced:
        return
    may_rest = [order for order in trade.orders if order.live and not order.mismatch]
    desks = [services.desks[trade.decision.legs[order.intent.leg].exchange] for order in may_rest]
    asked = [desk.cancel(ref_of(trade, order, services.clock)) for desk, order in zip(desks, may_rest, strict=True)]
    await asyncio.gather(*asked)
