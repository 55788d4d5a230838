"""Explore everything within bounds, and say what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.testing.explorer.crew import Finish, Partial, crew_of, retold
from fsm_arb.testing.explorer.search import Ending, Layer, Limit, Progress
from fsm_arb.testing.explorer.trace import NOWHERE, Trace
from fsm_arb.testing.glimpse import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsm_arb.testing.explorer.bounds import Bounds

TRACES_MAX = 3
Edge = tuple[str, str, str]  # a row of the table: from, trigger, to


@frozen(kw_only=True)
class Report:
    """What an exploration has found.

    Attributes:
        layers: What each number of faults has led to.
        states: Distinct states of the whole world, each counted once, with the fewest faults that lead to it.
        transitions: Edges that were tried between them.
        depth: Events of the longest shortest run.
        trades: Distinct trades, clocks and budgets included.
        steps: Distinct steps of the real core; of several millions some are forgotten, taken again, and counted again.
        looks: Distinct pairs of what is known and what the venues have, each judged.
        endings: Distinct ways in which a run ends.
        counterexamples: Runs that break a rule; empty where none does.
        stuck: States from which DONE is not reached once nothing misbehaves any more.
        way_out: Events that the longest way to DONE takes from there.
        unexplained: Endings that are reached with a crash and by no run without one.
        rows: Edges of the table that some run has taken.
        rows_due: Edges of the table, all of them.
        seconds: Wall clock.
        memory_mib: The most that all processes have held, each at its own worst.
        partial: Where the search was stopped before its end; None: nothing is left.
        unfollowed: States of a stopped search whose way to DONE leads past what was explored.
    """

    layers: tuple[Layer, ...]
    states: int
    transitions: int
    depth: int
    trades: int
    steps: int
    looks: int
    endings: int
    counterexamples: tuple[Trace, ...]
    stuck: int
    way_out: int
    unexplained: tuple[Ending, ...]
    rows: frozenset[Edge]
    rows_due: tuple[Edge, ...]
    seconds: float
    memory_mib: int
    partial: Partial | None = None
    unfollowed: int = 0

    @property
    def well(self) -> bool:
        """Whether no run breaks a rule, every state can finish, and no crash leads where nothing else does."""
        return not (self.counterexamples or self.stuck or self.unexplained)

    @property
    def states_per_s(self) -> float:
        """Distinct states explored, judged and followed to their end in one second."""
        return self.states / self.seconds if self.seconds else 0.0


def explore(
    bounds: Bounds,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    jobs: int = 1,
    states_max: int | None = None,
    minutes: float | None = None,
) -> Report:
    """Explore all that *bounds* allow, breadth first, or until a rule is broken.

    Where it is stopped before its end, the report says how far it has come, and
    whether a crash leads where nothing else leads is not asked.

    Args:
        bounds: How far.
        on_progress: Is told now and then how far the search has come.
        jobs: Processes. What is found does not depend on it, save where the search is stopped.
        states_max: About how many states are explored at most.
        minutes: How long is explored at most.

    Raises:
        InvalidInput: The policy does not fit the bounds.
    """
    began = time.perf_counter()
    until = None if minutes is None else time.monotonic() + 60 * minutes
    with crew_of(bounds, jobs, on_progress, Limit(states=states_max, until=until)) as crew:
        crew.run()
        breaches = crew.breaches()
        finish = Finish(stuck=0, paths=[], longest=0) if breaches else crew.cannot_finish()
        breaches += [(path, NOWHERE, (_stuck(),)) for path in finish.paths]
        unexplained: frozenset[Ending] = frozenset()
        if bounds.crashes and not breaches and crew.partial is None:
            unexplained = crew.unexplained()
        sums = crew.sums()
    return Report(
        layers=tuple(crew.layers),
        states=crew.layers[-1].states,
        transitions=crew.layers[-1].transitions,
        depth=max(layer.depth for layer in crew.layers),
        trades=sums.trades,
        steps=crew.layers[-1].steps,
        looks=sums.looks,
        endings=len(sums.endings),
        counterexamples=tuple(retold(bounds, *breach) for breach in breaches[:TRACES_MAX]),
        stuck=finish.stuck,
        way_out=finish.longest,
        unexplained=tuple(sorted(unexplained, key=repr)),
        rows=frozenset(sums.rows),
        rows_due=rows_due(),
        seconds=time.perf_counter() - began,
        memory_mib=sums.memory_mib,
        partial=crew.partial,
        unfollowed=finish.unfollowed,
    )


def rows_due() -> tuple[Edge, ...]:
    """Return every edge of the trade's table once, in the order of its rows."""
    return tuple(dict.fromkeys(edges_of((row.source, row.trigger, row.dest) for row in TRADE_TABLE.rows)))


def edges_of(rows: Iterable[Edge]) -> Iterable[Edge]:
    """Return edges as plain text."""
    return ((str(source), str(trigger), str(dest)) for source, trigger, dest in rows)


def _stuck() -> Violation:
    return Violation(number=16, name="liveness", what="from here DONE is never reached, although nothing misbehaves")
