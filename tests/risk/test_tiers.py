"""Every question that is asked of an entry: at the limit, past it, and where it is not asked at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from fsm_arb.clock import NS_PER_S
from fsm_arb.risk.limits import GlobalLimits, RiskLimits, VenueLimits
from fsm_arb.risk.tiers import Facts, VenueFacts, verdicts
from fsm_arb.risk.verdicts import RiskCode, RiskReduced
from fsm_arb.values import HealthStatus, Money

D = Decimal
K = Decimal(1000)
LIMITS = RiskLimits(
    daily_loss=Money(1000 * K, "KRW"),
    capital=Money(10_000 * K, "KRW"),
    venue=VenueLimits(exposure=Money(6000 * K, "KRW")),
    overall=GlobalLimits(loss=Money(50 * K, "KRW"), exposure=Money(8000 * K, "KRW")),
)
QUIET = Facts(
    now_ns=1000 * NS_PER_S,
    day_ends_ns=2000 * NS_PER_S,
    notional=100 * K,
    venues=(VenueFacts(name="upbit"), VenueFacts(name="binance")),
    route="r",
    asset="BTC",
)
UP, DEGRADED, DOWN = HealthStatus.UP, HealthStatus.DEGRADED, HealthStatus.DOWN


def codes(limits: RiskLimits = LIMITS, **changes: Any) -> list[RiskCode]:
    return [verdict.code for verdict in verdicts(limits, evolve(QUIET, **changes)) if verdict.code]  # type: ignore[union-attr]


def second(**changes: Any) -> dict[str, Any]:
    return {"venues": (VenueFacts(name="upbit", status=UP), VenueFacts(name="binance", **changes))}


def test_nothing_known_nothing_said() -> None:
    """What was never told is not judged."""
    assert codes() == []
    bare = RiskLimits(daily_loss=Money(1000 * K, "KRW"))
    assert codes(bare, asset_held=10**9 * K, held=10**9 * K, asset_best=10**9 * K, result=-(10**9) * K) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(second(status=DOWN), [RiskCode.VENUE_DOWN], id="venue DOWN"),
        pytest.param(
            second(status=DEGRADED) | {"route_score": D("0.6")}, [RiskCode.VENUE_DEGRADED], id="DEGRADED, low score"
        ),
        pytest.param(second(status=DEGRADED) | {"route_score": D("0.7")}, [], id="DEGRADED, score high enough"),
        pytest.param(second(headroom=D("0.19")), [RiskCode.VENUE_RATE_LIMIT], id="rate limit nearly spent"),
        pytest.param(second(headroom=D("0.2")), [], id="headroom at the limit"),
        pytest.param(second(held=5950 * K), [RiskCode.VENUE_EXPOSURE], id="one venue holds too much"),
        pytest.param(second(held=5900 * K), [], id="one venue holds just what it may"),
        pytest.param(
            {"route_losses": 3, "route_cooldown_until_ns": 1001 * NS_PER_S},
            [RiskCode.ROUTE_CONSECUTIVE_LOSS],
            id="route: 3 losses in a row",
        ),
        pytest.param({"route_losses": 3, "route_cooldown_until_ns": 1000 * NS_PER_S}, [], id="route has cooled down"),
        pytest.param({"asset_held": 5900 * K}, [RiskCode.SYMBOL_EXPOSURE], id="symbol exposure 60 %, limit 50 %"),
        pytest.param(
            {"asset_best": 1000 * K, "asset_result": -2000 * K},
            [RiskCode.SYMBOL_DRAWDOWN],
            id="drawdown 30 %, limit 20 %",
        ),
        pytest.param({"asset_best": 1000 * K, "asset_result": -1000 * K}, [], id="drawdown 20 %, limit 20 %"),
        pytest.param({"result": -60 * K}, [RiskCode.GLOBAL_LOSS], id="global loss 60k, limit 50k"),
        pytest.param({"held": 7950 * K}, [RiskCode.GLOBAL_EXPOSURE], id="too much in all"),
        pytest.param(
            {"imbalance": D("0.7"), "sells_first": False},
            [RiskCode.GLOBAL_INVENTORY_IMBALANCE],
            id="imbalance 0.7, limit 0.5, worse",
        ),
        pytest.param({"imbalance": D("0.7")}, [], id="imbalance 0.7, the trade mends it"),
        pytest.param(
            {"imbalance": D("-0.7")}, [RiskCode.GLOBAL_INVENTORY_IMBALANCE], id="imbalance -0.7, the trade worsens it"
        ),
        pytest.param({"imbalance": D("0.5"), "sells_first": False}, [], id="imbalance at the limit"),
        pytest.param({"day": -1100 * K}, [RiskCode.CROSS_DAILY_LOSS_LIMIT], id="daily loss -1.1M, limit 1M"),
        pytest.param(
            {"losses": 3, "cooldown_until_ns": 1001 * NS_PER_S},
            [RiskCode.CROSS_CONSECUTIVE_LOSS_LIMIT],
            id="3 losses, limit 3",
        ),
        pytest.param({"cooldown_until_ns": 1060 * NS_PER_S}, [RiskCode.COOLDOWN], id="cool-down until +60 s"),
        pytest.param(
            {"same_way": 8, "positions": 10}, [RiskCode.CROSS_DIRECTIONAL_BIAS], id="8 long and 2 short, limit 0.7"
        ),
        pytest.param({"same_way": 2, "positions": 10}, [], id="8 long and 2 short, the other way"),
        pytest.param({"same_way": 2, "positions": 2}, [], id="fewer than 3 positions"),
    ],
)
def test_each_tier_objects_for_its_own_reason(changes: dict[str, Any], expected: list[RiskCode]) -> None:
    """And for no other; each row stands at its limit or just past it."""
    assert codes(**changes) == expected


def test_a_reduction_leaves_what_still_fits() -> None:
    """Five million of the asset may be held, of which 4.95 are taken."""
    (verdict,) = verdicts(LIMITS, evolve(QUIET, asset_held=4950 * K))
    assert isinstance(verdict, RiskReduced)
    assert verdict.room == Money(50 * K, "KRW")
    assert verdict.numbers == "4950000 held in BTC and 100000 asked for, limit 5000000.0 KRW"


def test_a_volatile_market_tightens_losses_exposures_and_drawdowns() -> None:
    """By the multiplier; half of each, here."""
    half = {"tightened": D("0.5")}
    assert codes(day=-500 * K, **half) == [RiskCode.CROSS_DAILY_LOSS_LIMIT]
    assert codes(result=-25 * K, **half) == [RiskCode.GLOBAL_LOSS]
    assert codes(asset_held=2450 * K, **half) == [RiskCode.SYMBOL_EXPOSURE]
    assert codes(held=3950 * K, **half) == [RiskCode.GLOBAL_EXPOSURE]
    assert codes(asset_best=1100 * K, **half) == [RiskCode.SYMBOL_DRAWDOWN]
    assert codes(**second(held=2950 * K), **half) == [RiskCode.VENUE_EXPOSURE]


def test_no_capital_is_all_of_it() -> None:
    """A fall of any size is too much where there is nothing."""
    none = evolve(LIMITS, capital=Money(0, "KRW"))
    assert codes(none, asset_best=K, notional=D(0)) == [RiskCode.SYMBOL_DRAWDOWN]
