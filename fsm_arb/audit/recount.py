"""Count again what a trade came to, from its fills, apart from the code that counts it in earnest."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.messages import Outcome
from fsm_arb.values import EXACT, ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.ledger import Ledger
    from fsm_arb.orders import Order
    from fsm_arb.plan import LegPlan
    from fsm_arb.values import Fee, Fill

EXACTLY = Decimal("1e-20")  # of what changed hands; sums of another order round elsewhere


def received(ledger: Ledger) -> tuple[Decimal, Decimal]:
    """Return what each leg has brought in base, fees in base taken off, + for bought."""
    legs = [ZERO, ZERO]
    for order in ledger.orders:
        filled = order.gross - order.busted
        legs[order.intent.leg] += (filled if order.intent.side is Side.BUY else -filled) - order.base_fee
    for fill in ledger.external:
        base = ledger.plan.legs[fill.leg].rules.base
        kept = fill.fee.amount if fill.fee is not None and fill.fee.currency == base else ZERO
        legs[fill.leg] += (fill.amount if fill.side is Side.BUY else -fill.amount) - kept
    return legs[0], legs[1]


def hedged(ledger: Ledger) -> Decimal:
    """Return how much of one leg stands against the other, base; below zero: both the wrong way round."""
    ways = [
        brought if leg.side is Side.BUY else -brought
        for brought, leg in zip(received(ledger), ledger.plan.legs, strict=True)
    ]
    return min(ways) if min(ways) > ZERO else min(max(ways), ZERO)


def outcome_of(ledger: Ledger) -> str:
    """Return how a trade ended that is booked."""
    kept = sum((order.base_fee for order in ledger.orders if order.intent.side is Side.BUY), ZERO)
    missing = ledger.plan.quantity - hedged(ledger) - kept
    outcome = Outcome.SUCCESS if missing < ledger.plan.dust else Outcome.PARTIAL_HEDGED
    return str(outcome.value)


def pnl_of(ledger: Ledger, fills: Mapping[int, Mapping[str, Fill]]) -> Decimal | None:
    """Return what came in less what went out, in the quote of the first leg; None where a price or a fee is unknown.

    Args:
        ledger: The trade's.
        fills: What the venues have said of single executions, by order and by the venue's id of each.
    """
    first, second = received(ledger)
    total = EXACT.multiply(EXACT.add(first, second), ledger.plan.legs[0].price)
    for order in ledger.orders:
        cash = _cash(order, ledger.plan.legs[order.intent.leg], fills.get(order.intent.index, {}))
        if cash is None:
            return None
        total = EXACT.add(total, _converted(ledger, order.intent.leg, cash))
    for fill in ledger.external:
        quote, base = ledger.plan.legs[fill.leg].rules.quote, ledger.plan.legs[fill.leg].rules.base
        fee = fill.fee if fill.fee is not None and fill.fee.amount else None
        if fee is not None and fee.currency not in {quote, base}:
            return None
        cash = EXACT.multiply(fill.amount, fill.price) * (-1 if fill.side is Side.BUY else 1)
        if fee is not None and fee.currency == quote:
            cash -= fee.amount
        total = EXACT.add(total, _converted(ledger, fill.leg, cash))
    return total


def _converted(ledger: Ledger, leg: int, amount: Decimal) -> Decimal:
    return EXACT.multiply(amount, ledger.plan.fx) if leg else amount


def _cash(order: Order, leg: LegPlan, fills: Mapping[str, Fill]) -> Decimal | None:
    """Return what an order brought in its quote currency: by its executions where they are all there."""
    filled = order.gross - order.busted
    if not filled:
        return ZERO
    if order.average is None or not order.fees_told:
        return None
    whole = not order.busted and sum((fill.amount for fill in fills.values()), ZERO) == filled
    if whole:
        traded = sum((EXACT.multiply(fill.amount, fill.price) for fill in fills.values()), ZERO)
    else:
        traded = EXACT.multiply(filled, order.average)
    if whole and all(fill.fee is not None for fill in fills.values()):
        fees: list[Fee] = [fill.fee for fill in fills.values() if fill.fee is not None]
        share = Decimal(1)
    else:
        fees, share = list(order.fees), EXACT.divide(filled, order.gross)
    cash = -traded if order.intent.side is Side.BUY else traded
    for fee in fees:
        if fee.currency == leg.rules.quote:
            cash = EXACT.subtract(cash, EXACT.multiply(fee.amount, share))
        elif fee.amount and fee.currency != leg.rules.base:
            return None
    return cash


def told_alike(one: Decimal | None, other: Decimal | None, ledger: Ledger) -> bool:
    """Whether two results differ by no more than the rounding of another order of sums."""
    if one is None or other is None or one == other:
        return one == other
    turnover = sum(
        (abs(_converted(ledger, order.intent.leg, order.gross * (order.average or ZERO))) for order in ledger.orders),
        abs(one),
    )
    return abs(one - other) <= turnover * EXACTLY


def fees_of(ledger: Ledger) -> str:
    """Return what all orders were charged, by currency, as text that is the same for the same fees."""
    total: dict[str, Decimal] = {}
    for order in ledger.orders:
        for fee in order.fees:
            total[fee.currency] = total.get(fee.currency, ZERO) + fee.amount
    return fees_text(total)


def fees_text(total: Mapping[str, Decimal]) -> str:
    """Return fees by currency as text that is the same for the same fees."""
    return ", ".join(f"{amount.normalize(EXACT):f} {currency}" for currency, amount in sorted(total.items()) if amount)
