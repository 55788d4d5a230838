"""The pre-checks of a trade: may it be begun now? Pure: readings in, a refusal or nothing out.

An exit is asked the least: whether both venues answer and all secrets are
there. What makes an entry unwise makes an exit no less needed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import FxRate, misread
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.values import Health, HealthStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

NS_PER_S = 1_000_000_000


@frozen(kw_only=True)
class Readings:
    """What the pre-checks look at."""

    at_ns: int  # wall clock UTC
    health: tuple[Health, Health]
    fx: FxRate | str  # the rate from legs[1]'s quote to legs[0]'s, or why there is none
    risk: str = ""  # why the risk guard says no; empty: it does not

    def as_text(self) -> Mapping[str, str]:
        """Return the readings as the record keeps them."""
        fx = self.fx if isinstance(self.fx, str) else f"{self.fx.rate:f} from {self.fx.source}"
        latencies = [f"{health.status.value} in {health.latency_ms or 0:.1f} ms" for health in self.health]
        return {"health": "; ".join(latencies), "fx": fx}


def refusal(decision: CrossExchangeDecision, policy: ExecutionPolicy, readings: Readings) -> str:
    """Return why *decision* may not be begun now, naming the venue or the rule; empty: it may."""
    said = [
        _venue_refusal(leg.exchange, health, entry=decision.action.is_entry, policy=policy)
        for leg, health in zip(decision.legs, readings.health, strict=True)
    ]
    if any(said):
        return "; ".join(each for each in said if each)  # both venues, where neither may be traded on
    if decision.action.is_exit:
        return ""
    if isinstance(readings.fx, str):
        return f"fx: {readings.fx}"
    return (
        _stale(decision, policy, readings)
        or _fx_refusal(decision, policy, readings.fx, readings.at_ns)
        or readings.risk
    )


def _venue_refusal(exchange: str, health: Health, *, entry: bool, policy: ExecutionPolicy) -> str:
    if not health.has_secrets:
        return f"secrets: the credentials of {exchange} are not all there"
    if health.status is HealthStatus.DOWN:
        return f"health: {exchange} is down ({health.note})"
    if not entry:
        return ""
    if health.status is HealthStatus.DEGRADED:
        return f"health: {exchange} is degraded ({health.note})"
    offset = health.clock_offset_ms
    if offset is not None and abs(offset) > policy.clock_offset_max_ms:
        return f"clock: {exchange}'s differs from ours by {offset:.0f} ms (at most {policy.clock_offset_max_ms} ms)"
    return ""


def _stale(decision: CrossExchangeDecision, policy: ExecutionPolicy, readings: Readings) -> str:
    if decision.decided_at is None:
        return ""
    age = Decimal(readings.at_ns) / NS_PER_S - Decimal(str(decision.decided_at.timestamp()))
    if age < -policy.decision_max_age_s:
        return f"stale price: decided {-age:.1f} s in the future; a clock is wrong"
    if age <= policy.decision_max_age_s:
        return ""
    return f"stale price: decided {age:.1f} s ago (at most {policy.decision_max_age_s} s)"


def _fx_refusal(decision: CrossExchangeDecision, policy: ExecutionPolicy, rate: FxRate, at_ns: int) -> str:
    first, second = decision.legs
    wrong = misread(rate, second.quote, first.quote, at_ns, policy.fx_max_age_s)
    if wrong:
        return f"fx: {wrong}"
    if rate.confidence < policy.fx_min_confidence:
        pair = f"{rate.base}/{rate.quote}"
        return f"fx: {pair} from {rate.source} has confidence {rate.confidence} (at least {policy.fx_min_confidence})"
    return ""
