"""From a number to what a trade is told, in full."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fsm_arb.messages import (
    AbortAsked,
    CancelEnded,
    Checked,
    Event,
    ExternalFill,
    Missed,
    Observed,
    PlaceEnded,
    Restarted,
    Resumed,
    Sized,
    Surveyed,
    Ticked,
)
from fsm_arb.ports import Acknowledged, CancelReply, InDoubt, OrderSnapshot, OrderStatus, Refused
from fsm_arb.testing.explorer.bounds import PRICE, World
from fsm_arb.testing.explorer.venue import ARGUMENT_MASK, ENDED_READING, KIND_SHIFT, Tell
from fsm_arb.trade import Trade
from fsm_arb.values import Fee, Fill, Side

NO_FEE = Fee(Decimal(0), "USD")
READINGS = frozenset({Tell.ACK, Tell.SEEN})
ROLES = frozenset({Tell.SURVEY, Tell.BY_HAND})  # told by which leg leads
ABOUT_ORDERS = range(Tell.ACK, Tell.CANCEL_ENDED + 1)

_BARE: dict[Tell, Callable[[int], Event]] = {
    Tell.TICK: lambda now: Ticked(now=now),
    Tell.ABORT: lambda now: AbortAsked(now=now, reason="no longer wanted"),
    Tell.RESUME: lambda now: Resumed(now=now, reason="an operator asked"),
    Tell.RESTART: lambda now: Restarted(now=now),
}


def event_of(world: World, trade: Trade, event_code: int, index: int, now: int) -> Event:
    """Return the event of a number.

    Args:
        world: What every run has in common.
        trade: Who is told; the leg that leads is its own.
        event_code: What is told.
        index: Which of its orders the event concerns.
        now: Monotonic ns.
    """
    argument = event_code & ARGUMENT_MASK
    kind = Tell(event_code >> KIND_SHIFT)
    if kind in _BARE:
        return _BARE[kind](now)
    match kind:
        case Tell.CHECKED:
            return Checked(now=now, refusal="a venue is down" if argument else "")
        case Tell.SIZED:
            return Sized(now=now, refusal="funds: too little") if argument else Sized(now=now, plan=world.plan)
        case Tell.SURVEY | Tell.BY_HAND:
            return _by_role(world, trade, kind, argument, now)
        case _:
            return _about(trade, kind, argument, index, now)


def _by_role(world: World, trade: Trade, kind: Tell, argument: int, now: int) -> Surveyed | ExternalFill:
    """Return an event that is told by which leg leads, so that mirror images are told the same."""
    lead = leader(trade)
    less = Side.SELL if trade.exposure > 0 else Side.BUY
    if kind is Tell.SURVEY:
        return world.survey(argument, lead, less.sign, now)
    leg = lead if argument & 1 else 1 - lead
    return ExternalFill(now=now, leg=leg, side=less, amount=Decimal(argument >> 1), price=PRICE, reason="by hand")


def leader(trade: Trade) -> int:
    """Return the leg that has brought more."""
    ledger = trade.ledger
    return 0 if ledger is None or ledger.progress(0) >= ledger.progress(1) else 1


def _about(trade: Trade, kind: Tell, argument: int, index: int, now: int) -> Event:
    """Return an event that concerns one order."""
    match kind:
        case Tell.ACK:
            return PlaceEnded(now=now, order=index, outcome=Acknowledged(snapshot=reading(trade, index, argument)))
        case Tell.REFUSED:
            return PlaceEnded(now=now, order=index, outcome=Refused(code="invalid_order", message="no"))
        case Tell.DOUBT:
            return PlaceEnded(now=now, order=index, outcome=InDoubt(code="timeout", message="no answer"))
        case Tell.SEEN:
            return Observed(now=now, order=index, snapshot=reading(trade, index, argument))
        case Tell.MISSED:
            return Missed(now=now, order=index, asked_at=now, covered=bool(argument))
        case _:
            return CancelEnded(now=now, order=index, reply=CancelReply(accepted=bool(argument)))


def reading(trade: Trade, index: int, argument: int) -> OrderSnapshot:
    """Return what the venue shows of an order: lots filled, and whether it calls it over."""
    filled, ended = argument & ~ENDED_READING, bool(argument & ENDED_READING)
    intent = trade.orders[index].intent
    return OrderSnapshot(
        status=OrderStatus.ENDED if ended else OrderStatus.OPEN,
        filled=Decimal(filled),
        venue_order_id=f"v{intent.client_order_id}",
        client_order_id=intent.client_order_id,
        symbol=trade.decision.legs[intent.leg].symbol,
        side=intent.side,
        amount=intent.amount,
        average=PRICE if filled else None,
        fills=tuple(fill_of(intent.client_order_id, number) for number in range(filled)),
        fees=(),
    )


def fill_of(client_order_id: str, number: int) -> Fill:
    """Return the execution of one lot."""
    return Fill(fill_id=f"{client_order_id}-{number}", amount=Decimal(1), price=PRICE, fee=NO_FEE)
