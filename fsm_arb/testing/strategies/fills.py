"""Fills of an order and readings of it: in one piece or many, with and without fees, whole and half told."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.testing.strategies.amounts import parts, shares
from fsm_arb.testing.strategies.markets import PRICE
from fsm_arb.values import ZERO, Fee, FeeIn, Fill, MarketRules, Side, floor_to


def fee_of(rules: MarketRules, side: Side, amount: Decimal, price: Decimal) -> Fee:
    """Return what a venue of these *rules* charges a taker for *amount* base at *price*."""
    if rules.fee_in is FeeIn.BASE_ON_BUY and side is Side.BUY:
        return Fee(amount * rules.taker_fee, rules.base)
    return Fee(amount * price * rules.taker_fee, rules.quote)


@st.composite
def fills(
    draw: st.DrawFn,
    rules: MarketRules,
    *,
    side: Side,
    amount: Decimal,
    price: Decimal = PRICE,
    prefix: str = "f",
) -> tuple[Fill, ...]:
    """Draw the executions of one order: all of *amount*, part of it, or nothing.

    Args:
        draw: Hypothesis hands it in.
        rules: The market; lot and fee are its.
        side: Of the order.
        amount: Base ordered, a multiple of the lot.
        price: Quote per base; fills lie at it or a little better.
        prefix: Of the fills' ids.
    """
    filled = floor_to(amount * draw(shares()), rules.lot)
    if not filled:
        return ()
    better = st.sampled_from((ZERO, Decimal("0.0001"), Decimal("0.001")))
    made = []
    for number, part in enumerate(draw(parts(filled, rules.lot)), start=1):
        at = price * (1 - side.sign * draw(better))
        made.append(Fill(fill_id=f"{prefix}{number}", amount=part, price=at, fee=fee_of(rules, side, part, at)))
    return tuple(made)


@st.composite
def readings(draw: st.DrawFn, executed: tuple[Fill, ...], *, ended: bool, venue_order_id: str) -> OrderSnapshot:
    """Draw one reading of an order that a venue might give: true, but rarely the whole truth.

    Args:
        draw: Hypothesis hands it in.
        executed: What has filled.
        ended: Whether the order can execute no more.
        venue_order_id: The venue's own name for it.
    """
    filled = sum((fill.amount for fill in executed), ZERO)
    told = draw(st.sampled_from(("all", "no fees", "totals")))
    shown = (
        executed if told == "all" else tuple(Fill(fill_id=f.fill_id, amount=f.amount, price=f.price) for f in executed)
    )
    status = OrderStatus.ENDED if ended else draw(st.sampled_from((OrderStatus.OPEN, OrderStatus.UNKNOWN)))
    return OrderSnapshot(
        status=status,
        filled=filled,
        venue_order_id=venue_order_id,
        fills=() if told == "totals" else shown,
        fees=() if not filled else None,
    )
