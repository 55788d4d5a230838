"""The gates of entries and exits, each one question about one pair at one moment.

They stand in two tuples, in the order in which they are judged; the first that
says something is the answer. An entry passes all of its gates; an exit takes
the first that holds. What makes an entry unwise (a stale rate, an old or thin
book, no funds) never holds back an exit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from fsm_arb.context import HUNDRED, Held, MarketContext
from fsm_arb.fx import FxRate
from fsm_arb.spread import (
    Spread,
    SpreadInputs,
    direction_of,
    gross_pct,
    middle,
    sides_of,
    spread,
)
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.strategy.verdicts import Reason, ReasonCode
from fsm_arb.values import EXACT, ONE, ZERO, Action, HealthStatus, Money, divide
from fsm_arb.volatility import realised_volatility

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

EntryGate = Callable[[MarketContext, StrategyThresholds], Reason | None]


def positions_gate(context: MarketContext, thresholds: StrategyThresholds) -> Reason | None:
    """Refuse while as many positions are held on the pair as may be."""
    held, most = len(context.positions), thresholds.positions_max
    if held < most:
        return None
    words = f"{held} held on this pair (at most {most})"
    return Reason(code=ReasonCode.POSITIONS, words=words, numbers={"held": Decimal(held), "limit": Decimal(most)})


def secrets_gate(context: MarketContext, _thresholds: StrategyThresholds) -> Reason | None:
    """Refuse while a venue's credentials are not all there."""
    lacking = [leg.exchange for leg, each in zip(context.legs, context.health, strict=True) if not each.has_secrets]
    if not lacking:
        return None
    return Reason(code=ReasonCode.SECRETS, words=f"the credentials of {' and '.join(lacking)} are not all there")


def health_gate(context: MarketContext, _thresholds: StrategyThresholds) -> Reason | None:
    """Refuse while a venue is down or degraded."""
    return _unwell(context, (HealthStatus.DOWN, HealthStatus.DEGRADED))


def fx_gate(context: MarketContext, thresholds: StrategyThresholds) -> Reason | None:
    """Refuse without a rate, and on one that is trusted too little or too old."""
    rate = context.fx
    if isinstance(rate, str):
        return Reason(code=ReasonCode.FX_UNAVAILABLE, words=rate)
    pair, least = f"{rate.base}/{rate.quote} from {rate.source}", thresholds.fx_min_confidence
    if rate.confidence < least:
        numbers = {"confidence": rate.confidence, "limit": least}
        words = f"{pair} has confidence {rate.confidence} (at least {least})"
        return Reason(code=ReasonCode.FX_CONFIDENCE, words=words, numbers=numbers)
    age, most = rate.age_s(context.now_ns), thresholds.fx_max_age_s
    if age is None or abs(age) <= most:
        return None
    words = f"{pair} is {age:.0f} s old (at most {most} s)"
    return Reason(code=ReasonCode.FX_AGE, words=words, numbers={"age_s": age, "limit": most})


def books_gate(context: MarketContext, thresholds: StrategyThresholds) -> Reason | None:
    """Refuse without both prices, and on a book that is too old."""
    for leg, book, health in zip(context.legs, context.books, context.health, strict=True):
        if book is None or middle(book) is None:
            return Reason(code=ReasonCode.NO_PRICE, words=f"the book of {leg.symbol} on {leg.exchange} shows no price")
        if book.at_ms is None:
            continue
        offset = health.clock_offset_ms or ZERO
        age = (divide(Decimal(context.now_ns), Decimal(NS_PER_MS)) + offset - book.at_ms) / 1000
        if age > thresholds.book_max_age_s:
            words = f"{leg.symbol} on {leg.exchange} is {age:.1f} s old (at most {thresholds.book_max_age_s} s)"
            numbers = {"age_s": age, "limit": thresholds.book_max_age_s}
            return Reason(code=ReasonCode.BOOK_AGE, words=words, numbers=numbers)
    return None


def volatility_gate(context: MarketContext, thresholds: StrategyThresholds) -> Reason | None:
    """Refuse while thresholds are to be scaled and there is nothing to scale them by."""
    if scale_of(context, thresholds) is not None:
        return None
    count, least = len(context.recent), thresholds.volatility_samples_min
    words = f"{count} samples of the spread tell too little (at least {least}, over some time)"
    return Reason(code=ReasonCode.VOLATILITY, words=words, numbers={"samples": Decimal(count), "limit": Decimal(least)})


def liquidity_gate(context: MarketContext, thresholds: StrategyThresholds) -> Reason | None:
    """Refuse where the thinner of both books holds too little of what the trade would take.

    Raises:
        CurrencyMismatch: The threshold, or the context's own measure, is in neither quote currency.
    """
    least = context.in_first(thresholds.liquidity_min, "liquidity_min")
    there = context.liquidity
    if there is None:
        gross = context.gross_pct or ZERO
        there = context.depth(sides_of(1 if gross >= 0 else -1), thresholds.liquidity_band_pct / HUNDRED)
    held = Money(ZERO, least.currency) if there is None else context.in_first(there, "liquidity")
    if not held < least:
        return None
    words = f"{held.amount:.0f} {held.currency} can be traded (at least {least.amount:.0f})"
    return Reason(code=ReasonCode.LIQUIDITY, words=words, numbers={"liquidity": held.amount, "limit": least.amount})


# After these: the spread (NEUTRAL, THIN_BOOK, SPREAD), then what the trade needs on both venues (FUNDS).
ENTRY_GATES: tuple[EntryGate, ...] = (
    positions_gate,
    secrets_gate,
    health_gate,
    fx_gate,
    books_gate,
    volatility_gate,
    liquidity_gate,
)


# ------------------------------------------------------------------ what an exit is judged by


@frozen(kw_only=True)
class ExitView:
    """A position and the market it would be closed on.

    Attributes:
        context: The moment.
        thresholds: What is judged by.
        held: The position.
        gross_pct: The spread between the middles of both books now; None without both prices.
        entry_pct: The spread of the entry, on the basis of exits; signed.
        now_pct: The spread of closing now, on the same basis: the gross one where a book is too thin to tell;
            None without both prices.
        scale: What take profit and stop loss are multiplied by.
        closing: What closing would get; None where that cannot be told.
    """

    context: MarketContext
    thresholds: StrategyThresholds
    held: Held
    gross_pct: Decimal | None
    entry_pct: Decimal
    now_pct: Decimal | None
    scale: Decimal
    closing: Spread | None

    @property
    def captured_pct(self) -> Decimal | None:
        """Percentage points that the spread has come back since the entry; negative: gone further away."""
        if self.now_pct is None:
            return None
        return EXACT.multiply(EXACT.subtract(self.entry_pct, self.now_pct), Decimal(self.held.sign))


def exit_view(context: MarketContext, thresholds: StrategyThresholds, held: Held) -> ExitView:
    """Return what an exit of *held* is judged by. Without a rate, the one of its entry serves."""
    legs, basis = held.legs, thresholds.exit_basis
    fx = context.fx
    if isinstance(fx, str):
        fx = FxRate(base=legs[1].quote, quote=legs[0].quote, rate=held.fx, source="the position's entry")
    gross, closing = gross_pct(context.books, fx.rate), None
    first, second = context.books
    if first is not None and second is not None:
        inputs = SpreadInputs(
            legs=legs,
            books=(first, second),
            fx=fx,
            sides=sides_of(-held.sign),
            quantity=held.quantity,
            fees=context.fees,
            fx_cost_pct=thresholds.fx_cost_pct,
            basis=basis,
        )
        answer = spread(inputs)
        closing = answer if isinstance(answer, Spread) else None
    return ExitView(
        context=context,
        thresholds=thresholds,
        held=held,
        gross_pct=gross,
        entry_pct=held.entry_pct(basis, context.fees, thresholds.fx_cost_pct),
        now_pct=gross if closing is None else closing.decides.pct,
        scale=scale_of(context, thresholds) or ONE,
        closing=closing,
    )


def scale_of(context: MarketContext, thresholds: StrategyThresholds) -> Decimal | None:
    """Return what entry, take profit and stop loss are multiplied by: volatility over its reference, within bounds.

    One where thresholds are static; None where too few samples, or samples of no duration, tell no volatility.
    """
    reference = thresholds.volatility_reference_pct
    if reference is None:
        return ONE
    enough = len(context.recent) >= thresholds.volatility_samples_min
    volatility = realised_volatility(context.recent) if enough else None
    if volatility is None:
        return None
    return min(max(divide(volatility, reference), thresholds.scale_min), thresholds.scale_max)


# ------------------------------------------------------------------ the gates of an exit

ExitGate = Callable[[ExitView], Reason | None]


def exit_on_health(view: ExitView) -> Reason | None:
    """Leave where a venue is down, or degraded if that counts."""
    degraded = (HealthStatus.DEGRADED,) if view.thresholds.exit_on_degraded else ()
    return _unwell(view.context, (HealthStatus.DOWN, *degraded))


def exit_on_timeout(view: ExitView) -> Reason | None:
    """Leave what has been held for longer than it may."""
    held_s = divide(Decimal(view.context.now_ns - view.held.opened_at_ns), Decimal(NS_PER_S))
    most = view.thresholds.hold_max_s
    if held_s <= most:
        return None
    words = f"held for {held_s:.0f} s (at most {most} s)"
    return Reason(code=ReasonCode.TIMEOUT, words=words, numbers={"held_s": held_s, "limit": most})


def exit_on_reversal(view: ExitView) -> Reason | None:
    """Leave where the gross spread points the other way than at entry."""
    now = view.gross_pct
    if now is None or direction_of(now, view.thresholds.neutral_pct).sign != -view.held.sign:
        return None
    words = f"entered at {view.entry_pct:+.3f} %, now {now:+.3f} %: the other venue is the dear one"
    return Reason(code=ReasonCode.REVERSAL, words=words, numbers={"entry_pct": view.entry_pct, "now_pct": now})


def exit_on_profit(view: ExitView) -> Reason | None:
    """Leave where the spread has come back far enough."""
    captured, limit = view.captured_pct, EXACT.multiply(view.thresholds.take_profit_pct, view.scale)
    if captured is None or captured < limit:
        return None
    return _moved(view, ReasonCode.TAKE_PROFIT, "come back by", captured, limit)


def exit_on_loss(view: ExitView) -> Reason | None:
    """Leave where the spread has gone too far away."""
    captured, limit = view.captured_pct, EXACT.multiply(view.thresholds.stop_loss_pct, view.scale)
    if captured is None or -captured < limit:
        return None
    return _moved(view, ReasonCode.STOP_LOSS, "gone further by", -captured, limit)


EXIT_GATES: tuple[tuple[Action, ExitGate], ...] = (
    (Action.EXIT_HEALTH, exit_on_health),
    (Action.EXIT_TIMEOUT, exit_on_timeout),
    (Action.EXIT_REVERSAL, exit_on_reversal),
    (Action.EXIT_TP, exit_on_profit),
    (Action.EXIT_SL, exit_on_loss),
)


def _moved(view: ExitView, code: ReasonCode, how: str, by: Decimal, limit: Decimal) -> Reason:
    now = view.now_pct or ZERO
    words = f"{how} {by:.3f} points of at least {limit:.3f}: from {view.entry_pct:+.3f} % to {now:+.3f} %"
    numbers = {"entry_pct": view.entry_pct, "now_pct": now, "moved_pct": by, "limit": limit}
    return Reason(code=code, words=words, numbers=numbers)


def _unwell(context: MarketContext, statuses: tuple[HealthStatus, ...]) -> Reason | None:
    said = [
        f"{leg.exchange} is {each.status.value}" + (f" ({each.note})" if each.note else "")
        for leg, each in zip(context.legs, context.health, strict=True)
        if each.status in statuses
    ]
    return Reason(code=ReasonCode.HEALTH, words="; ".join(said)) if said else None
