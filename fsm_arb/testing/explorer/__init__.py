"""Everything that can happen to one trade, within bounds: every order of events, every fault, every crash point.

`explore(Bounds(lots=2, faults=2))` walks the real core, and no second model of
it, breadth first against a small model of two venues, and checks the invariants
on every state and every edge. What it finds wrong comes as the run with the
fewest faults and, of those, the fewest events.
"""

from fsm_arb.testing.explorer.bounds import Bounds
from fsm_arb.testing.explorer.crew import Partial
from fsm_arb.testing.explorer.exploring import Report, explore
from fsm_arb.testing.explorer.search import Progress
from fsm_arb.testing.explorer.trace import Trace

__all__ = ["Bounds", "Partial", "Progress", "Report", "Trace", "explore"]
