"""May another cross trade be begun, and how large? Limits in five tiers; the strictest verdict wins."""

from __future__ import annotations

from fsm_arb.risk.guard import CrossExchangeRiskGuard, imbalance, rebalancing, route_of
from fsm_arb.risk.history import RiskHistory
from fsm_arb.risk.limits import (
    GlobalLimits,
    RiskLimits,
    RouteLimits,
    SymbolLimits,
    VenueLimits,
    VolatilityScaling,
)
from fsm_arb.risk.verdicts import Approved, RiskCode, RiskReduced, RiskRefused, RiskTier, Verdict

__all__ = [
    "Approved",
    "CrossExchangeRiskGuard",
    "GlobalLimits",
    "RiskCode",
    "RiskHistory",
    "RiskLimits",
    "RiskReduced",
    "RiskRefused",
    "RiskTier",
    "RouteLimits",
    "SymbolLimits",
    "VenueLimits",
    "Verdict",
    "VolatilityScaling",
    "imbalance",
    "rebalancing",
    "route_of",
]
