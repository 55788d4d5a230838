"""fsm_arb: cross-exchange arbitrage as explicit, journaled state machines.

Everything a bot needs stands here; each name is imported from its room on
first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.executor.positions import CrossExchangePositionManager
    from fsm_arb.fx import FxProvider, FxRate, StaticFx
    from fsm_arb.journal.sqlite import SqliteJournal
    from fsm_arb.machines.position import PositionState
    from fsm_arb.machines.trade import TradeState
    from fsm_arb.orchestrator import CrossExchangeIntegration, CrossExchangeOrchestrator
    from fsm_arb.policy import DoubtRemedy, ExecutionPolicy, Placement, Remedy
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.results import CrossExecutionResult, LegExecutionResult
    from fsm_arb.risk import CrossExchangeRiskGuard
    from fsm_arb.values import Action, Fee, Leg, Money, OperatorFill, OrderType, Side
    from fsm_arb.venues.ccxt_venue import CcxtVenue

__version__ = "0.1.0"

_HOMES = {
    "Action": "values",
    "CcxtVenue": "venues.ccxt_venue",
    "CrossExchangeDecision": "decision",
    "CrossExchangeExecutor": "executor.executor",
    "CrossExchangeIntegration": "orchestrator",
    "CrossExchangeOrchestrator": "orchestrator",
    "CrossExchangePosition": "position",
    "CrossExchangePositionManager": "executor.positions",
    "CrossExchangeRiskGuard": "risk",
    "CrossExecutionResult": "results",
    "DoubtRemedy": "policy",
    "ExecutionPolicy": "policy",
    "Fee": "values",
    "FxProvider": "fx",
    "FxRate": "fx",
    "Leg": "values",
    "LegExecutionResult": "results",
    "Money": "values",
    "OperatorFill": "values",
    "OrderType": "values",
    "Placement": "policy",
    "PositionState": "machines.position",
    "Remedy": "policy",
    "Side": "values",
    "SqliteJournal": "journal.sqlite",
    "StaticFx": "fx",
    "TradeState": "machines.trade",
}

__all__ = [
    "Action",
    "CcxtVenue",
    "CrossExchangeDecision",
    "CrossExchangeExecutor",
    "CrossExchangeIntegration",
    "CrossExchangeOrchestrator",
    "CrossExchangePosition",
    "CrossExchangePositionManager",
    "CrossExchangeRiskGuard",
    "CrossExecutionResult",
    "DoubtRemedy",
    "ExecutionPolicy",
    "Fee",
    "FxProvider",
    "FxRate",
    "Leg",
    "LegExecutionResult",
    "Money",
    "OperatorFill",
    "OrderType",
    "Placement",
    "PositionState",
    "Remedy",
    "Side",
    "SqliteJournal",
    "StaticFx",
    "TradeState",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
