"""What test authors use: simulated venues, virtual time, invariants, one assertion, strategies, whole attacks.

Everything stands here; each name is imported from its room on first use, so
that importing this needs neither Hypothesis nor pytest nor ccxt.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsm_arb.testing.botworld import BotWorld
    from fsm_arb.testing.crash.sweep import swept
    from fsm_arb.testing.explorer import Bounds, Report, explore
    from fsm_arb.testing.glimpse import (
        Append,
        Checker,
        Create,
        Glimpse,
        VenueFill,
        VenueOrder,
        Violation,
        judged,
        judged_at_rest,
    )
    from fsm_arb.testing.invariants import INVARIANTS, LIVENESS, every_checker, outcome_of, unexplained
    from fsm_arb.testing.naked import assert_no_naked_leg
    from fsm_arb.testing.simulated import FAULTS, FaultKind, FaultPlan, SimulatedExchange, SimulatedVenues, VenueOptions
    from fsm_arb.testing.stateful import NakedLeg, TradeMachine, configured
    from fsm_arb.testing.strategies import Scenario, decisions, fills, market_pairs, order_books, policies, scenarios
    from fsm_arb.testing.swarm.many import run_many
    from fsm_arb.testing.swarm.running import run_episode
    from fsm_arb.virtual import Standstill, VirtualClock, VirtualLoop, run

_HOMES = {
    "Append": "glimpse",
    "BotWorld": "botworld",
    "Bounds": "explorer",
    "Checker": "glimpse",
    "Create": "glimpse",
    "FAULTS": "simulated",
    "FaultKind": "simulated",
    "FaultPlan": "simulated",
    "Glimpse": "glimpse",
    "INVARIANTS": "invariants",
    "LIVENESS": "invariants",
    "NakedLeg": "stateful",
    "Report": "explorer",
    "Scenario": "strategies",
    "SimulatedExchange": "simulated",
    "SimulatedVenues": "simulated",
    "Standstill": ".virtual",
    "TradeMachine": "stateful",
    "VenueFill": "glimpse",
    "VenueOptions": "simulated",
    "VenueOrder": "glimpse",
    "Violation": "glimpse",
    "VirtualClock": ".virtual",
    "VirtualLoop": ".virtual",
    "assert_no_naked_leg": "naked",
    "configured": "stateful",
    "decisions": "strategies",
    "every_checker": "invariants",
    "explore": "explorer",
    "fills": "strategies",
    "judged": "glimpse",
    "judged_at_rest": "glimpse",
    "market_pairs": "strategies",
    "order_books": "strategies",
    "outcome_of": "invariants",
    "policies": "strategies",
    "run": ".virtual",
    "run_episode": "swarm.running",
    "run_many": "swarm.many",
    "scenarios": "strategies",
    "swept": "crash.sweep",
    "unexplained": "invariants",
}

__all__ = [
    "FAULTS",
    "INVARIANTS",
    "LIVENESS",
    "Append",
    "BotWorld",
    "Bounds",
    "Checker",
    "Create",
    "FaultKind",
    "FaultPlan",
    "Glimpse",
    "NakedLeg",
    "Report",
    "Scenario",
    "SimulatedExchange",
    "SimulatedVenues",
    "Standstill",
    "TradeMachine",
    "VenueFill",
    "VenueOptions",
    "VenueOrder",
    "Violation",
    "VirtualClock",
    "VirtualLoop",
    "assert_no_naked_leg",
    "configured",
    "decisions",
    "every_checker",
    "explore",
    "fills",
    "judged",
    "judged_at_rest",
    "market_pairs",
    "order_books",
    "outcome_of",
    "policies",
    "run",
    "run_episode",
    "run_many",
    "scenarios",
    "swept",
    "unexplained",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
