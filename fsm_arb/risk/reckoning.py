"""What a trade made or lost as far as it can be reckoned: never nothing, so that no unknown fee hides a loss.

A trade's own PnL is exact or it is None. Limits cannot wait for the missing
fee: here it is taken as the market's taker fee, and a price that was never told
as the worst that its order allowed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.values import ZERO, Fee, divide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.ledger import Ledger
    from fsm_arb.memory import Memory
    from fsm_arb.orders import Order
    from fsm_arb.plan import LegPlan
    from fsm_arb.position import CrossExchangePosition


@frozen(kw_only=True)
class Strange:
    """A fee in an asset that the trade did not trade.

    Attributes:
        fee: As it was charged; a rebate is below zero.
        usual: What the market's taker fee would have been, in the quote of legs[0]; zero for a rebate.
    """

    fee: Fee
    usual: Decimal


@frozen(kw_only=True)
class Reckoned:
    """A result with what is not known of it at its likely worst.

    Attributes:
        cash: Sells less buys less fees in the quote of legs[0], at the recorded FX, the residual valued at the
            decision's price; without the strange fees.
        strange: Fees that only a rate of their own can value.
    """

    cash: Decimal = ZERO
    strange: tuple[Strange, ...] = ()


def reckoned(trade: Memory) -> Reckoned:
    """Return what *trade* has made or lost by now."""
    return _summed(_parts(trade.ledger)) if trade.ledger else Reckoned()


def round_trip(position: CrossExchangePosition, parts: Mapping[str, Reckoned]) -> Reckoned | None:
    """Return what a position's trades made together; None: what one of them made is neither known nor in *parts*.

    Args:
        position: Says what is known exactly.
        parts: What the others of its trades are reckoned to have made, by trade id.
    """
    found = [parts.get(trade_id) if pnl is None else Reckoned(cash=pnl) for trade_id, pnl in position.pnls]
    known = [each for each in found if each is not None]
    return _summed(known) if len(known) == len(found) else None


def _summed(parts: Iterable[Reckoned]) -> Reckoned:
    parts = tuple(parts)
    strange = tuple(each for part in parts for each in part.strange)
    return Reckoned(cash=sum((part.cash for part in parts), ZERO), strange=strange)


def _parts(ledger: Ledger) -> Iterable[Reckoned]:
    plan = ledger.plan
    yield Reckoned(cash=ledger.exposure * plan.legs[0].price)
    for order in ledger.orders:
        if order.filled:
            yield _worth(ledger, order.intent.leg, *_of_order(order, plan.legs[order.intent.leg]))
    for fill in ledger.external:
        value = fill.amount * fill.price
        fees = (fill.fee,) if fill.fee else ()
        yield _worth(ledger, fill.leg, *_less(-fill.side.sign * value, fees, plan.legs[fill.leg], value))


def _of_order(order: Order, leg: LegPlan) -> tuple[Decimal, tuple[Strange, ...]]:
    value = order.filled * (order.intent.bound if order.average is None else order.average)
    cash = -order.intent.side.sign * value
    if not order.fees_told:  # one in base is assumed in the exposure already
        return cash - (ZERO if order.base_fee else value * leg.rules.taker_fee), ()
    kept = divide(order.filled, order.gross)
    return _less(cash, [Fee(fee.amount * kept, fee.currency) for fee in order.fees], leg, value)


def _less(cash: Decimal, fees: Iterable[Fee], leg: LegPlan, value: Decimal) -> tuple[Decimal, tuple[Strange, ...]]:
    strange: dict[str, Decimal] = {}
    for fee in fees:
        if fee.currency == leg.rules.quote:
            cash -= fee.amount
        elif fee.amount and fee.currency != leg.rules.base:  # a base fee shows in the exposure
            strange[fee.currency] = strange.get(fee.currency, ZERO) + fee.amount
    usual = divide(value * leg.rules.taker_fee, Decimal(len(strange) or 1))
    return cash, tuple(
        Strange(fee=Fee(amount, currency), usual=usual if amount > 0 else ZERO) for currency, amount in strange.items()
    )


def _worth(ledger: Ledger, leg: int, cash: Decimal, strange: tuple[Strange, ...]) -> Reckoned:
    worth = ledger.plan.worth
    inward = tuple(Strange(fee=each.fee, usual=worth(leg, each.usual)) for each in strange)
    return Reckoned(cash=worth(leg, cash), strange=inward)
