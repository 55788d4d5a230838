"""Meet an order with the liquidity of a book. Pure: no clock, no state."""

from __future__ import annotations

from decimal import Decimal

from fsm_arb.matching.orders import Kind, NewOrder, Take
from fsm_arb.values import ZERO, Side, floor_to

Ladder = list[Take]  # price and amount, best first


def crosses(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """Whether an order of *side* bounded by *limit* may trade at *price*."""
    return limit is None or (price - limit) * side.sign <= 0


def takes(ladder: Ladder, new: NewOrder, *, amount_max: Decimal | None, lot: Decimal) -> list[Take]:
    """Return what *new* would take of *ladder* at once, best price first.

    Args:
        ladder: The side of the book it trades against.
        new: The order.
        amount_max: Base units it may take at most; None for what it asks for.
        lot: Base; what a cost order buys is a whole number of these.
    """
    found: list[Take] = []
    left = new.amount if amount_max is None else amount_max
    budget = new.cost if new.kind is Kind.COST else None
    for price, available in ladder:
        if not crosses(new.side, new.price, price):
            break
        amount = available if left is None else min(left, available)
        if budget is not None:
            amount = min(amount, floor_to(budget / price, lot))
        if amount <= ZERO:
            break
        found.append((price, amount))
        if budget is not None:
            budget -= price * amount
        if left is not None:
            left -= amount
            if not left:
                break
    return found


def remove(ladder: Ladder, amount: Decimal) -> None:
    """Take *amount* base units off the best end of *ladder*, in place."""
    while amount > ZERO and ladder:
        price, available = ladder[0]
        if available > amount:
            ladder[0] = (price, available - amount)
            return
        amount -= available
        del ladder[0]


def total(found: list[Take]) -> Decimal:
    """Base units of *found*."""
    return sum((amount for _, amount in found), ZERO)


def cost(found: list[Take]) -> Decimal:
    """Quote units of *found*."""
    return sum((price * amount for price, amount in found), ZERO)
