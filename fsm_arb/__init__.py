"""fsm_arb: cross-exchange arbitrage as explicit, journaled state machines.

Everything a bot needs stands here; each name is imported from its room on
first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsm_arb.committed import Committed
    from fsm_arb.context import Held, MarketContext
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.executor.positions import CrossExchangePositionManager
    from fsm_arb.executor.subscribers import Subscription
    from fsm_arb.fx import FxProvider, FxRate, StaticFx, convert
    from fsm_arb.fx_blend import CachedFx, FallbackFx, MedianFx, OverFx
    from fsm_arb.fx_sources import BookFx, ConstantFx, ImpliedFx
    from fsm_arb.integration import CrossExchangeIntegration, Integration
    from fsm_arb.journal.sqlite import SqliteJournal
    from fsm_arb.lookout import Lookout
    from fsm_arb.machines.position import PositionState
    from fsm_arb.machines.trade import TradeState
    from fsm_arb.orchestrator import CrossExchangeOrchestrator
    from fsm_arb.paper.desk import PaperDesk
    from fsm_arb.paper.venue import PaperVenue
    from fsm_arb.policy import DoubtRemedy, ExecutionPolicy, Placement, Remedy
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.results import CrossExecutionResult, LegExecutionResult
    from fsm_arb.risk import CrossExchangeRiskGuard
    from fsm_arb.spread import Basis, Direction, Fees, Spread, spread_pct
    from fsm_arb.strategy.judge import ThresholdStrategy
    from fsm_arb.strategy.thresholds import StrategyThresholds
    from fsm_arb.strategy.verdicts import Reason, ReasonCode, Strategy, Verdict
    from fsm_arb.symbols import Listing, MarketKind, Pair, SymbolMap
    from fsm_arb.universe import Selection, Universe, rank_pairs
    from fsm_arb.values import Action, Fee, Leg, Money, OperatorFill, OrderType, Side
    from fsm_arb.venues.ccxt_venue import CcxtVenue
    from fsm_arb.volatility import SpreadSample

__version__ = "0.1.0"

_HOMES = {
    "Action": "values",
    "Basis": "spread",
    "BookFx": "fx_sources",
    "CachedFx": "fx_blend",
    "CcxtVenue": "venues.ccxt_venue",
    "Committed": "committed",
    "ConstantFx": "fx_sources",
    "CrossExchangeDecision": "decision",
    "CrossExchangeExecutor": "executor.executor",
    "CrossExchangeIntegration": "integration",
    "CrossExchangeOrchestrator": "orchestrator",
    "CrossExchangePosition": "position",
    "CrossExchangePositionManager": "executor.positions",
    "CrossExchangeRiskGuard": "risk",
    "CrossExecutionResult": "results",
    "Direction": "spread",
    "DoubtRemedy": "policy",
    "ExecutionPolicy": "policy",
    "FallbackFx": "fx_blend",
    "Fee": "values",
    "Fees": "spread",
    "FxProvider": "fx",
    "FxRate": "fx",
    "Held": "context",
    "ImpliedFx": "fx_sources",
    "Integration": "integration",
    "Leg": "values",
    "LegExecutionResult": "results",
    "Listing": "symbols",
    "Lookout": "lookout",
    "MarketContext": "context",
    "MarketKind": "symbols",
    "MedianFx": "fx_blend",
    "Money": "values",
    "OperatorFill": "values",
    "OrderType": "values",
    "OverFx": "fx_blend",
    "Pair": "symbols",
    "PaperDesk": "paper.desk",
    "PaperVenue": "paper.venue",
    "Placement": "policy",
    "PositionState": "machines.position",
    "Reason": "strategy.verdicts",
    "ReasonCode": "strategy.verdicts",
    "Remedy": "policy",
    "Selection": "universe",
    "Side": "values",
    "Spread": "spread",
    "SpreadSample": "volatility",
    "SqliteJournal": "journal.sqlite",
    "StaticFx": "fx",
    "Strategy": "strategy.verdicts",
    "StrategyThresholds": "strategy.thresholds",
    "Subscription": "executor.subscribers",
    "SymbolMap": "symbols",
    "ThresholdStrategy": "strategy.judge",
    "TradeState": "machines.trade",
    "Universe": "universe",
    "Verdict": "strategy.verdicts",
    "convert": "fx",
    "rank_pairs": "universe",
    "spread_pct": "spread",
}

__all__ = [
    "Action",
    "Basis",
    "BookFx",
    "CachedFx",
    "CcxtVenue",
    "Committed",
    "ConstantFx",
    "CrossExchangeDecision",
    "CrossExchangeExecutor",
    "CrossExchangeIntegration",
    "CrossExchangeOrchestrator",
    "CrossExchangePosition",
    "CrossExchangePositionManager",
    "CrossExchangeRiskGuard",
    "CrossExecutionResult",
    "Direction",
    "DoubtRemedy",
    "ExecutionPolicy",
    "FallbackFx",
    "Fee",
    "Fees",
    "FxProvider",
    "FxRate",
    "Held",
    "ImpliedFx",
    "Integration",
    "Leg",
    "LegExecutionResult",
    "Listing",
    "Lookout",
    "MarketContext",
    "MarketKind",
    "MedianFx",
    "Money",
    "OperatorFill",
    "OrderType",
    "OverFx",
    "Pair",
    "PaperDesk",
    "PaperVenue",
    "Placement",
    "PositionState",
    "Reason",
    "ReasonCode",
    "Remedy",
    "Selection",
    "Side",
    "Spread",
    "SpreadSample",
    "SqliteJournal",
    "StaticFx",
    "Strategy",
    "StrategyThresholds",
    "Subscription",
    "SymbolMap",
    "ThresholdStrategy",
    "TradeState",
    "Universe",
    "Verdict",
    "convert",
    "rank_pairs",
    "spread_pct",
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
