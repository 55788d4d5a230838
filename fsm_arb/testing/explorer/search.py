"""Breadth first through everything that can happen, with few faults before many.

A state is explored once, with the fewest faults that lead to it: what fewer
faults reach, more faults reach too. So the first run that breaks a rule has
the fewest faults, and of those the fewest events.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from fsm_arb.testing.explorer.bounds import Bounds, World, world_of
from fsm_arb.testing.explorer.calm import ENDED, way_out
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.course import Course, concerns_an_order, place_in
from fsm_arb.testing.explorer.judge import Judge
from fsm_arb.testing.explorer.moves import ORDERS_BITS, ORDERS_MASK, Edge, Moves
from fsm_arb.testing.explorer.trace import NOWHERE
from fsm_arb.testing.explorer.venue import CODE_MASK, KIND_SHIFT, Tell, may_execute

if TYPE_CHECKING:
    from fsm_arb.testing.glimpse import Violation

BEGINNING = -1  # the state before the first one
REPORT_EVERY = 2000  # states
LOOK_EVERY = 50  # states, at the clock

Ending = tuple[object, ...]
Parent = int | tuple[int, int]  # a state; of another shard: which, and its number there


@frozen(kw_only=True)
class Progress:
    """How far a search has come."""

    faults: int  # of the states that are explored now
    depth: int
    states: int
    steps: int  # distinct ones of the core


@frozen(kw_only=True)
class Layer:
    """What one more fault has led to."""

    faults: int
    states: int  # in all, so far
    transitions: int
    depth: int  # of the deepest state of the layer, in events
    steps: int


@frozen(kw_only=True)
class Limit:
    """Where a search stops although it has not come to its end."""

    states: int | None = None  # in all; of one shard: its part of them
    until: float | None = None  # seconds of the monotonic clock, which all processes share

    def shared(self, count: int) -> Limit:
        """Return what this is for each of *count* shards."""
        return self if self.states is None else evolve(self, states=-(-self.states // count))

    def reached(self, states: int) -> bool:
        """Whether so many states are enough, or the time is up."""
        if self.states is not None and states >= self.states:
            return True
        return self.until is not None and time.monotonic() >= self.until


@frozen(kw_only=True)
class Breach:
    """An edge that breaks a rule."""

    state: int  # where it leaves
    label: int
    violations: tuple[Violation, ...]


NO_LIMIT = Limit()


@define(eq=False)
class Search:
    """One exploration, and all that it has found."""

    world: World
    core: Core
    judge: Judge
    moves: Moves
    on_progress: Callable[[Progress], None] | None = None
    wanted: frozenset[Ending] | None = None  # the search ends once all of these were found; None: it goes on
    parents: dict[int, Parent] = field(factory=dict)
    calmer: dict[int, int] = field(factory=dict)  # where each state goes once nothing misbehaves any more
    breaches: list[Breach] = field(factory=list)
    layers: list[Layer] = field(factory=list)
    endings: set[Ending] = field(factory=set)
    transitions: int = field(default=0, init=False)
    _due: dict[int, dict[int, dict[int, Parent]]] = field(factory=dict, init=False)  # by faults, then by depth
    _glimpsed: set[int] = field(factory=set, init=False)
    _rested: set[tuple[int, bytes]] = field(factory=set, init=False)

    @classmethod
    def of(cls, bounds: Bounds, *, on_progress: Callable[[Progress], None] | None = None) -> Search:
        """Return the search of *bounds*, not begun."""
        world = world_of(bounds)
        judge = Judge()
        core = Core(world, judge.step)
        moves = Moves(core, crashes=bounds.crashes)
        return cls(world=world, core=core, judge=judge, moves=moves, on_progress=on_progress)

    # -------------------------------------------------------------- the search

    def enough(self) -> bool:
        """Whether there is no need to go on."""
        return bool(self.breaches) or (self.wanted is not None and self.endings >= self.wanted)

    def due(self, faults: int) -> bool:
        """Whether states are left that so many faults lead to."""
        return bool(self._due.get(faults))

    def offer(self, faults: int, depth: int, state: int, parent: Parent) -> None:
        """Have a state explored, unless it is known, once it is the turn of so many faults and events."""
        if state not in self.parents:
            self._due.setdefault(faults, {}).setdefault(depth, {}).setdefault(state, parent)

    def waiting(self) -> int:
        """Return how many states are known and were not explored."""
        found = {state for depths in self._due.values() for states in depths.values() for state in states}
        return len(found - self.parents.keys())

    def level(self, faults: int, depth: int, limit: Limit = NO_LIMIT) -> bool:
        """Explore the states that so many faults and so many events lead to; return whether a limit has left some."""
        due = self._due.get(faults, {}).pop(depth, {})
        for count, (state, parent) in enumerate(due.items()):
            if state in self.parents:
                continue
            if count % LOOK_EVERY == 0 and limit.reached(len(self.parents)):
                self._due[faults][depth] = due  # those that were explored are known, and passed over
                return True
            self.parents[state] = parent
            self._expand(state, faults, depth + 1)
            if self.enough():
                return False
            if self.on_progress is not None and len(self.parents) % REPORT_EVERY == 0:
                states, steps = len(self.parents), self.core.steps
                self.on_progress(Progress(faults=faults, depth=depth, states=states, steps=steps))
        return False

    def layer(self, faults: int, depth: int) -> Layer:
        """Return what was explored so far."""
        return Layer(
            faults=faults,
            states=len(self.parents),
            transitions=self.transitions,
            depth=depth,
            steps=self.core.steps,
        )

    def _expand(self, state: int, faults: int, depth: int) -> None:
        edges = self.moves.edges(state, self.world.bounds.faults - faults)
        if self.judge.steps:
            self._blame(state, edges)
        fresh = [edge for edge in edges if edge[2] not in self.parents]
        self._judge(state, fresh)
        self._settle(state, edges)
        self.transitions += len(edges)
        for cost, _, after in fresh:
            self.offer(faults + cost, depth, after, state)

    # -------------------------------------------------------------- judging

    def _blame(self, state: int, edges: list[Edge]) -> None:
        """Keep what the core did wrong on the edges that have just been tried for the first time."""
        for told, violations in self.judge.steps:
            label = next((label for _, label, _ in edges if label & CODE_MASK == told.event_code), told.event_code)
            self.breaches.append(Breach(state=state, label=label, violations=violations))
        self.judge.steps.clear()

    def _judge(self, state: int, edges: list[Edge]) -> None:
        """Judge what the venues' books and ours look like in each next state, once for each such look."""
        standings, glimpsed = self.core.standings, self._glimpsed
        for _, label, after in edges:
            look = standings[after >> ORDERS_BITS].look << ORDERS_BITS | after & ORDERS_MASK
            if look in glimpsed:
                continue
            glimpsed.add(look)
            trade, orders = self.moves.split(state)
            standing = standings[trade]
            before = Course.at(self.world, standing, orders)
            course = self.follow(before, standing.likeness.order, standing.likeness.bases, label)
            violations = self.judge.state(before, course)
            if violations:
                self.breaches.append(Breach(state=state, label=label, violations=violations))

    def _settle(self, state: int, edges: list[Edge]) -> None:
        """Note where a state goes once nothing misbehaves, and judge it where that is nowhere any more."""
        trade, orders = self.moves.split(state)
        standing = self.core.standings[trade]
        self.calmer[state] = onward = way_out(standing, orders, state, edges)
        if onward != ENDED or any(may_execute(number) for number in orders):
            return
        look = standing.look, orders
        if look in self._rested:
            return
        self._rested.add(look)
        self.endings.add(self.core.ending(standing))
        violations = self.judge.rest(Course.at(self.world, standing, orders))
        if violations:
            self.breaches.append(Breach(state=state, label=NOWHERE, violations=violations))

    def follow(self, course: Course, order: tuple[int, ...], bases: tuple[int, ...], label: int) -> Course:
        """Return the course one edge on, where the orders at each place are those of *order*."""
        if not concerns_an_order(Tell((label & CODE_MASK) >> KIND_SHIFT)):
            return course.follow(label)
        place = place_in(label)
        return course.follow(label, order[place], bases[place])
