"""What a person can do about a trade that met a wall, with the calls and ids that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount
from fsm_arb.values import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.memory import Memory
    from fsm_arb.orders import Order


def advice(trade: Memory) -> tuple[str, ...]:
    """Return what to do now, a sentence each, the first thing first; nothing where no person is needed."""
    return tuple(_lines(trade)) if trade.halted else ()


def _lines(trade: Memory) -> Iterator[str]:
    name = trade.trade_id
    doubtful = [order for order in trade.orders if order.live or order.provisional]
    for order in doubtful:
        yield _look_for(trade, order)
    if doubtful:
        yield "Settle what is in doubt before you trade by hand: an order that lives would hedge it a second time."
    ledger = trade.ledger
    if ledger is not None and not ledger.within_dust:
        yield _by_hand(trade)
    yield f"It tries again by itself every {trade.policy.halted_retry_s:f} s; to try now: executor.resume({name!r})."


def _look_for(trade: Memory, order: Order) -> str:
    leg, intent = trade.decision.legs[order.intent.leg], order.intent
    known = (
        f"{intent.client_order_id}, there {order.venue_order_id}" if order.venue_order_id else intent.client_order_id
    )
    what = "may still execute" if order.live else "has ended, but its fee is not known"
    sent = f"{intent.side.value} {amount(intent.amount)} {leg.base}"
    return (
        f"Order {intent.index} {what}: look on {leg.exchange}, {leg.symbol}, for {sent} ({known})."
        " Where it never was or is over, say so:"
        f" executor.settle_order({trade.trade_id!r}, {intent.client_order_id!r}, filled=..., reason=...)."
    )


def _by_hand(trade: Memory) -> str:
    side = Side.SELL if trade.exposure > 0 else Side.BUY
    base = trade.decision.legs[0].base
    first, second = (leg.exchange for leg in trade.decision.legs)
    return (
        f"{side.value.capitalize()} {amount(abs(trade.exposure))} {base} on {first} or {second} and record it:"
        f" executor.resolve({trade.trade_id!r}, OperatorFill(...), reason=...)."
    )
