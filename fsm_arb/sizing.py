"""From a notional to two orders that both venues will take, or a refusal that says why not.

Everything is checked on both legs before either is sent: an order that the
second venue refuses for a reason we could have known is a naked leg we made.
"""

from __future__ import annotations

import math
from decimal import Decimal

from attrs import evolve, frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import FxRate
from fsm_arb.ledger import gross_up
from fsm_arb.plan import LegPlan, Plan
from fsm_arb.policy import ExecutionPolicy, Placement
from fsm_arb.values import (
    BPS,
    ONE,
    ZERO,
    Balances,
    FeeIn,
    MarketRules,
    Money,
    OrderBook,
    OrderType,
    Side,
    divide,
    floor_to,
)


@frozen(kw_only=True)
class SizingInputs:
    """What sizing looks at."""

    decision: CrossExchangeDecision
    policy: ExecutionPolicy
    sides: tuple[Side, Side]
    rules: tuple[MarketRules, MarketRules]
    fx: FxRate  # from legs[1]'s quote to legs[0]'s
    free: tuple[Balances, Balances]  # less what other trades have reserved
    quantity: Decimal | None = None  # base; an exit's, from its position; None for an entry
    carried: Decimal = ZERO  # base, + for long: what earlier trades of the asset have left


@frozen
class SizeRefused:
    """Why a trade cannot be sized: the rule, and a sentence with the numbers and the venue."""

    rule: str  # notional, lot, minimum or funds
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def common_lot(first: Decimal, second: Decimal) -> Decimal:
    """Return the smallest quantity that is a whole multiple of both lots (> 0)."""
    exponent = min(int(first.as_tuple().exponent), int(second.as_tuple().exponent))
    unit = Decimal(1).scaleb(exponent)
    return math.lcm(int(first / unit), int(second / unit)) * unit


def size(inputs: SizingInputs) -> Plan | SizeRefused:
    """Return the plan of a trade, or the rule that refuses it, with its numbers and its venue."""
    decision, rules = inputs.decision, inputs.rules
    lot = common_lot(rules[0].lot, rules[1].lot)
    if inputs.quantity is not None:
        wanted = inputs.quantity
    elif decision.notional is not None:
        wanted = divide(decision.notional.amount, decision.prices[0])
    else:
        return SizeRefused("notional", "an entry needs one")
    quantity, note = _largest(inputs, floor_to(wanted, lot))
    quantity = floor_to(quantity, lot)
    if quantity <= 0:
        what = f"{wanted:f} {rules[0].base} is less than the common lot {lot:f} of both venues{_because(note)}"
        return SizeRefused("lot", what)
    legs = _leg(inputs, 0, quantity), _leg(inputs, 1, quantity)
    dust = min(legs[0].least, legs[1].least)
    legs, carried = _carrying(inputs, legs, dust)
    plan = Plan(
        quantity=quantity,
        legs=legs,
        dust=dust,
        carried=carried,
        fx=inputs.fx.rate,
        fx_source=inputs.fx.source,
        leads=_lead(inputs),
        note=note,
    )
    for index, leg in enumerate(legs):
        refusal = _below_minimum(leg, note)
        if refusal is None and decision.action.is_entry:
            refusal = _unfunded(inputs, index, legs)
        if refusal is not None:
            return refusal
    return plan


def _because(note: str) -> str:
    return f" ({note})" if note else ""


def first_bound(rules: MarketRules, side: Side, price: Decimal, policy: ExecutionPolicy) -> Decimal:
    """Return the worst price of a first order, on the tick grid, never past ``slippage_bps`` of the decision's."""
    return rules.bound_price(side, price * (ONE + side.sign * policy.slippage_bps / BPS))


def _largest(inputs: SizingInputs, wanted: Decimal) -> tuple[Decimal, str]:
    """Return how much of *wanted* both venues' maximum and both books (where at hand) can take, and what held it."""
    quantity, note = wanted, ""
    for index, rules in enumerate(inputs.rules):
        exchange = inputs.decision.legs[index].exchange
        if rules.amount_max is not None:
            # A buyer orders more to make up for a base fee; that must fit too.
            kept = rules.taker_fee if rules.fee_in is FeeIn.BASE_ON_BUY and inputs.sides[index] is Side.BUY else ZERO
            most = rules.amount_max * (ONE - kept)
            if quantity > most:
                quantity, note = most, f"{exchange} takes no more than {rules.amount_max:f} at once"
        book = inputs.decision.books[index]
        if book is not None:
            depth = _depth(inputs, index, book)
            if quantity > depth:
                quantity, note = depth, f"{exchange}'s book holds {depth:f} within the band"
    return quantity, note


def _depth(inputs: SizingInputs, index: int, book: OrderBook) -> Decimal:
    side = inputs.sides[index]
    return book.depth(side, first_bound(inputs.rules[index], side, inputs.decision.prices[index], inputs.policy))


def _lead(inputs: SizingInputs) -> int:
    """Return the leg whose first order goes out first: the less liquid one, legs[0] where books are not at hand."""
    if inputs.policy.placement is not Placement.SEQUENTIAL:
        return 0
    first, second = inputs.decision.books
    if first is None or second is None:
        return 0
    return 1 if _depth(inputs, 1, second) < _depth(inputs, 0, first) else 0


def _leg(inputs: SizingInputs, index: int, quantity: Decimal) -> LegPlan:
    rules, side, price = inputs.rules[index], inputs.sides[index], inputs.decision.prices[index]
    # At the far end of the widest band: a least order that a wider band makes too small is none.
    widest = max(inputs.policy.final_band, inputs.policy.slippage_bps / BPS)
    least = rules.least_order(price * (ONE - widest))
    leg = LegPlan(
        leg=inputs.decision.legs[index],
        side=side,
        rules=rules,
        price=price,
        bound=first_bound(rules, side, price, inputs.policy),
        amount=quantity,
        least=least,
        reserved=(),
    )
    leg = evolve(leg, amount=gross_up(quantity, leg, side))
    return evolve(leg, reserved=_reserved(inputs, leg))


def _carrying(
    inputs: SizingInputs, legs: tuple[LegPlan, LegPlan], dust: Decimal
) -> tuple[tuple[LegPlan, LegPlan], Decimal]:
    """Let an entry's finer leg trade away what earlier trades have left, and return how much of it that is.

    At most half the dust, and a lot of the coarser leg less than all of it: the trade itself must still match.
    """
    finer = 0 if legs[0].rules.lot <= legs[1].rules.lot else 1
    leg = legs[finer]
    most = max(min(dust / 2, dust - legs[1 - finer].rules.lot), ZERO)
    wanted = max(min(inputs.carried, most), -most)
    amount = floor_to(leg.amount - leg.side.sign * wanted, leg.rules.lot)
    too_much = leg.rules.amount_max is not None and amount > leg.rules.amount_max
    if not inputs.decision.action.is_entry or amount < leg.least or too_much:
        return legs, ZERO
    changed = evolve(leg, amount=amount)
    changed = evolve(changed, reserved=_reserved(inputs, changed))
    return (changed, legs[1]) if finer == 0 else (legs[0], changed), (leg.amount - amount) * leg.side.sign


def _reserved(inputs: SizingInputs, leg: LegPlan) -> tuple[Money, ...]:
    """Return what a leg may spend on its venue: the first order, and headroom to buy back what it sells."""
    rules = leg.rules
    dearest = leg.price * (ONE + inputs.policy.final_band)
    if inputs.policy.order_type is not OrderType.MARKET:
        dearest = max(dearest, leg.bound)
    fee = ZERO if rules.fee_in is FeeIn.BASE_ON_BUY else rules.taker_fee
    to_buy = leg.amount * dearest * (ONE + fee)
    if not rules.spot:
        if inputs.decision.action.is_exit:
            return ()
        return (Money(divide(to_buy, rules.leverage), rules.quote),)
    if leg.side is Side.BUY:
        return (Money(to_buy, rules.quote),)
    cheapest = min(leg.bound, leg.price)
    headroom = to_buy - leg.amount * cheapest * (ONE - rules.taker_fee)
    return Money(leg.amount, rules.base), Money(max(headroom, ZERO), rules.quote)


def _below_minimum(leg: LegPlan, note: str) -> SizeRefused | None:
    if leg.amount >= leg.least:
        return None
    rules = leg.rules
    what = (
        f"{leg.leg.exchange} takes no less than {leg.least:f} {rules.base} of {leg.leg.symbol} "
        f"(amount {rules.amount_min:f}, notional {rules.notional_min:f} {rules.quote}); "
        f"{leg.amount:f} is too small{_because(note)}"
    )
    return SizeRefused("minimum", what)


def _unfunded(inputs: SizingInputs, index: int, legs: tuple[LegPlan, LegPlan]) -> SizeRefused | None:
    leg, other = legs[index], legs[1 - index]
    shared = other.reserved if other.leg.exchange == leg.leg.exchange else ()
    for money in leg.reserved:
        needed = money.amount + sum((each.amount for each in shared if each.currency == money.currency), ZERO)
        free = inputs.free[index].of(money.currency)
        if free < needed:
            what = (
                f"{leg.leg.exchange} has {free:f} {money.currency} free of other trades; "
                f"{needed:f} is needed for the order and to undo it"
            )
            return SizeRefused("funds", what)
    return None
