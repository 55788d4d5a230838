"""Enter, leave, or nothing: one pair at one moment judged by thresholds, each answer with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.context import Held, MarketContext
from fsm_arb.errors import InvalidInput
from fsm_arb.spread import Direction, Spread, SpreadInputs, direction_of, middle, sides_of, spread
from fsm_arb.strategy.gates import ENTRY_GATES, EXIT_GATES, exit_view, scale_of
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Verdict
from fsm_arb.values import EXACT, ONE, ZERO, Action, Money, Side, divide, floor_to

# Base. Sixty digits of a quotient leave no room for a price to be multiplied with exactly.
SIZE_STEP = Decimal("1e-15")


def _above_zero(_self: object, _attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Money) or value.amount <= 0:
        raise InvalidInput("notional", value, "must be Money, greater than zero")


@frozen(kw_only=True)
class ThresholdStrategy:
    """Enters on a wide spread and leaves when it has come back, by `StrategyThresholds`.

    Attributes:
        notional: How much an entry trades, in either quote currency of its pair.
        thresholds: What is judged by.

    Raises:
        InvalidInput: The notional is not Money above zero.
    """

    notional: Money = field(validator=_above_zero)
    thresholds: StrategyThresholds = field(factory=StrategyThresholds)

    def entry(self, context: MarketContext) -> Verdict:
        """Return an entry in the direction that the spread pays for, or NO_ACTION and why.

        Raises:
            CurrencyMismatch: The notional or the least liquidity is in neither quote currency of the pair.
        """
        for gate in ENTRY_GATES:
            reason = gate(context, self.thresholds)
            if reason is not None:
                return Verdict(action=Action.NO_ACTION, reason=reason)
        return self._by_spread(context)

    def exit(self, context: MarketContext, held: Held) -> Verdict:
        """Return an exit for the first reason that holds, or NO_ACTION and why."""
        view = exit_view(context, self.thresholds, held)
        for action, gate in EXIT_GATES:
            reason = gate(view)
            if reason is not None:
                return Verdict(action=action, reason=reason, spread=view.closing)
        captured, now = view.captured_pct, view.now_pct
        if captured is None or now is None:
            reason = Reason(code=ReasonCode.NO_PRICE, words="not both books show a price")
            return Verdict(action=Action.NO_ACTION, reason=reason)
        words = f"entered at {view.entry_pct:+.3f} %, now {now:+.3f} %: come back by {captured:.3f} points"
        numbers = {"entry_pct": view.entry_pct, "now_pct": now, "moved_pct": captured}
        reason = Reason(code=ReasonCode.HOLD, words=words, numbers=numbers)
        return Verdict(action=Action.NO_ACTION, reason=reason, spread=view.closing)

    def _by_spread(self, context: MarketContext) -> Verdict:
        first, second = context.books
        gross, scale = context.gross_pct, scale_of(context, self.thresholds)
        if first is None or second is None or gross is None or scale is None or isinstance(context.fx, str):
            raise AssertionError("the gates before this one let nothing through that has no price, rate or scale")
        neutral = self.thresholds.neutral_pct
        direction = direction_of(gross, neutral)
        if direction is Direction.NEUTRAL:
            words = f"gross {gross:+.3f} % is below {neutral} %"
            return _nothing(ReasonCode.NEUTRAL, words, {"gross_pct": gross, "limit": neutral})
        inputs = SpreadInputs(
            legs=context.legs,
            books=(first, second),
            fx=context.fx,
            sides=sides_of(direction.sign),
            quantity=floor_to(
                divide(context.in_first(self.notional, "notional").amount, middle(first) or ONE), SIZE_STEP
            ),
            fees=context.fees,
            fx_cost_pct=self.thresholds.fx_cost_pct,
            basis=self.thresholds.entry_basis,
        )
        answer = spread(inputs)
        if not isinstance(answer, Spread):
            return _nothing(ReasonCode.THIN_BOOK, str(answer), {"wanted": inputs.quantity})
        return self._judged(context, answer, EXACT.multiply(self.thresholds.entry_pct, scale))

    def _judged(self, context: MarketContext, answer: Spread, limit: Decimal) -> Verdict:
        basis, found = answer.inputs.basis.value, answer.decides.pct
        numbers = {"spread_pct": found, "gross_pct": answer.gross.pct, "limit": limit}
        if EXACT.multiply(found, Decimal(answer.sign)) < limit:
            words = f"{basis} {found:+.3f} % is below {limit:.3f} % ({answer})"
            return _nothing(ReasonCode.SPREAD, words, numbers, answer)
        lacking = _lacking(context, answer)
        if lacking is not None:
            return Verdict(action=Action.NO_ACTION, reason=lacking, spread=answer)
        action = Action.ENTRY_POSITIVE if answer.sign > 0 else Action.ENTRY_NEGATIVE
        reason = Reason(
            code=ReasonCode.ENTRY, words=f"{basis} {found:+.3f} % of at least {limit:.3f} % ({answer})", numbers=numbers
        )
        return Verdict(action=action, reason=reason, notional=self.notional, spread=answer)


def _nothing(code: ReasonCode, words: str, numbers: dict[str, Decimal], answer: Spread | None = None) -> Verdict:
    return Verdict(action=Action.NO_ACTION, reason=Reason(code=code, words=words, numbers=numbers), spread=answer)


def _lacking(context: MarketContext, answer: Spread) -> Reason | None:
    """Say which spot venue holds too little for its leg. What a contract needs as margin only the executor can tell."""
    quantity = answer.inputs.quantity
    for index, (leg, side) in enumerate(zip(context.legs, answer.inputs.sides, strict=True)):
        balances = context.balances[index]
        if balances is None or ":" in leg.symbol:
            continue
        if side is Side.SELL:
            needed, currency = quantity, leg.base
        else:
            paid = EXACT.multiply(quantity, answer.prices[index])
            needed, currency = EXACT.multiply(paid, ONE + max(context.fees[index].taker, ZERO)), leg.quote
        free = balances.of(currency)
        if free < needed:
            words = f"{leg.exchange} has {free:f} {currency} free, {needed:.8f} are needed"
            return Reason(code=ReasonCode.FUNDS, words=words, numbers={"free": free, "needed": needed})
    return None
