"""Every question that the risk guard asks of an entry, tier by tier. Pure: facts in, verdicts out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen

from fsm_arb.policy import seconds_ns
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.risk.verdicts import RiskCode, Verdict, reduced, refused
from fsm_arb.values import ONE, ZERO, HealthStatus, Money, divide


@frozen(kw_only=True)
class VenueFacts:
    """One venue of the route. None: never told, so not judged."""

    name: str
    status: HealthStatus | None = None
    headroom: Decimal | None = None  # fraction of its rate limit that is left
    held: Decimal = ZERO  # in open positions and running trades, in the limits' currency


@frozen(kw_only=True)
class Facts:
    """All that an entry is judged by. Money is in the limits' currency, times are wall clock UTC in ns."""

    now_ns: int
    day_ends_ns: int
    notional: Decimal
    venues: tuple[VenueFacts, VenueFacts]
    route: str
    route_score: Decimal = ONE  # 0 to 1
    route_losses: int = 0  # in a row
    route_cooldown_until_ns: int = 0
    asset: str = ""
    asset_held: Decimal = ZERO
    asset_result: Decimal = ZERO
    asset_best: Decimal = ZERO  # the highest that result has ever been, zero at least
    held: Decimal = ZERO
    result: Decimal = ZERO
    imbalance: Decimal | None = None  # (a - b) / (a + b) of what legs[0]'s and legs[1]'s venue hold of the asset
    sells_first: bool = True  # whether the entry sells on legs[0]
    day: Decimal = ZERO  # today's result
    losses: int = 0  # in a row, over all routes
    cooldown_until_ns: int = 0
    same_way: int = 0  # open positions that face the way this entry would
    positions: int = 0  # open positions
    tightened: Decimal = ONE  # what limits are multiplied by: below one in a volatile market


def verdicts(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    """Yield every objection to an entry; none where it may be begun."""
    for judge in (_venue, _route, _symbol, _overall, _cross):
        yield from judge(limits, facts)


def _venue(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    own = limits.venue
    for venue in facts.venues:
        if venue.status is HealthStatus.DOWN:
            yield refused(RiskCode.VENUE_DOWN, f"{venue.name} is down")
        elif venue.status is HealthStatus.DEGRADED and facts.route_score < own.degraded_score_min:
            numbers = (
                f"{venue.name} is degraded, route score {facts.route_score:f}, at least {own.degraded_score_min:f}"
            )
            yield refused(RiskCode.VENUE_DEGRADED, numbers)
        if venue.headroom is not None and venue.headroom < own.headroom_min:
            numbers = f"{venue.name} has {venue.headroom:f} of its rate limit left, at least {own.headroom_min:f}"
            yield refused(RiskCode.VENUE_RATE_LIMIT, numbers)
        if own.exposure is not None:
            yield from _room(RiskCode.VENUE_EXPOSURE, f"on {venue.name}", facts, held=venue.held, most=own.exposure)


def _route(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    if facts.now_ns < facts.route_cooldown_until_ns:
        numbers = f"{facts.route}: {facts.route_losses} losses in a row, limit {limits.route.consecutive_losses}"
        yield refused(RiskCode.ROUTE_CONSECUTIVE_LOSS, numbers, facts.route_cooldown_until_ns)


def _symbol(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    if limits.capital is None:
        return
    capital, own = limits.capital.amount, limits.symbol
    most = Money(capital * own.exposure, limits.currency)
    yield from _room(RiskCode.SYMBOL_EXPOSURE, f"in {facts.asset}", facts, held=facts.asset_held, most=most)
    fallen = facts.asset_best - facts.asset_result
    if fallen > capital * own.drawdown * facts.tightened:
        share = _share(fallen, capital)
        numbers = f"{facts.asset} is {share} of the capital below its best, limit {own.drawdown * facts.tightened:f}"
        yield refused(RiskCode.SYMBOL_DRAWDOWN, numbers)


def _overall(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    own = limits.overall
    if own.loss is not None and facts.result <= -own.loss.amount * facts.tightened:
        numbers = f"{facts.result:f} {limits.currency} in all, limit {own.loss.amount * facts.tightened:f}"
        yield refused(RiskCode.GLOBAL_LOSS, numbers)
    if own.exposure is not None:
        yield from _room(RiskCode.GLOBAL_EXPOSURE, "in all", facts, held=facts.held, most=own.exposure)
    if facts.imbalance is not None and abs(facts.imbalance) > own.imbalance:
        # Selling where more is held mends it.
        mends = (facts.imbalance > 0) is facts.sells_first
        if not mends:
            numbers = f"{facts.asset} {facts.imbalance:.3f} between {facts.route}, limit {own.imbalance:f}"
            yield refused(RiskCode.GLOBAL_INVENTORY_IMBALANCE, numbers)


def _cross(limits: RiskLimits, facts: Facts) -> Iterator[Verdict]:
    most = limits.daily_loss.amount * facts.tightened
    if facts.day <= -most:
        numbers = f"{facts.day:f} {limits.currency} today, limit {most:f} {limits.currency}"
        yield refused(RiskCode.CROSS_DAILY_LOSS_LIMIT, numbers, facts.day_ends_ns)
    if facts.now_ns < facts.cooldown_until_ns:
        if facts.losses >= limits.consecutive_losses:
            numbers = f"{facts.losses} losses in a row, limit {limits.consecutive_losses}"
            yield refused(RiskCode.CROSS_CONSECUTIVE_LOSS_LIMIT, numbers, facts.cooldown_until_ns)
        else:
            left = (facts.cooldown_until_ns - facts.now_ns) // seconds_ns(ONE)
            yield refused(RiskCode.COOLDOWN, f"{left} s left", facts.cooldown_until_ns)
    if facts.positions >= limits.directional_positions_min:
        share = divide(Decimal(facts.same_way), Decimal(facts.positions))
        if share > limits.directional_bias:
            numbers = (
                f"{facts.same_way} of {facts.positions} open positions face this way, limit {limits.directional_bias:f}"
            )
            yield refused(RiskCode.CROSS_DIRECTIONAL_BIAS, numbers)


def _room(code: RiskCode, where: str, facts: Facts, *, held: Decimal, most: Money) -> Iterator[Verdict]:
    """Object where *held* and this entry together are more than *most*, with what still fits."""
    limit = Money(most.amount * facts.tightened, most.currency)
    if held + facts.notional > limit.amount:
        numbers = f"{held:f} held {where} and {facts.notional:f} asked for, limit {limit}"
        yield reduced(code, numbers, Money(limit.amount - held, limit.currency))


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{divide(part, whole):.3f}" if whole else "all"
