"""A Hypothesis state machine over the real core, with venues that keep the true books. Needs the extra `testing`."""

from __future__ import annotations

from fsm_arb.testing.stateful.calm import Ending
from fsm_arb.testing.stateful.machine import TradeMachine, configured
from fsm_arb.testing.stateful.world import NakedLeg, World

__all__ = ["Ending", "NakedLeg", "TradeMachine", "World", "configured"]
