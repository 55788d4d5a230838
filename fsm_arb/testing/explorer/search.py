"""Breadth first through everything that can happen, with few faults before many.

A state is explored once, with the fewest faults that lead to it: what fewer
faults reach, more faults reach too. So the first run that breaks a rule has
the fewest faults, and of those the fewest events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.testing.explorer.bounds import Bounds, World, world_of
from fsm_arb.testing.explorer.calm import ENDED, way_out
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.course import Course, concerns_an_order, place_in
from fsm_arb.testing.explorer.judge import Judge
from fsm_arb.testing.explorer.moves import Edge, Moves
from fsm_arb.testing.explorer.trace import NOWHERE
from fsm_arb.testing.explorer.venue import CODE_MASK, KIND_SHIFT, Tell, may_execute

if TYPE_CHECKING:
    from fsm_arb.testing.glimpse import Violation

BEGINNING = -1  # the state before the first one
REPORT_EVERY = 2000  # states

Ending = tuple[object, ...]


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
class Breach:
    """An edge that breaks a rule."""

    state: int  # where it leaves
    label: int
    violations: tuple[Violation, ...]


@define(eq=False)
class Search:
    """One exploration, and all that it has found."""

    world: World
    core: Core
    judge: Judge
    moves: Moves
    on_progress: Callable[[Progress], None] | None = None
    breaches_max: int = 1  # the search ends once so many were found
    parents: dict[int, int] = field(factory=dict)
    calmer: dict[int, int] = field(factory=dict)  # where each state goes once nothing misbehaves any more
    breaches: list[Breach] = field(factory=list)
    layers: list[Layer] = field(factory=list)
    endings: set[Ending] = field(factory=set)
    transitions: int = 0
    seconds: float = 0.0
    _glimpsed: set[tuple[int, bytes]] = field(factory=set)
    _rested: set[tuple[int, bytes]] = field(factory=set)

    @classmethod
    def of(cls, bounds: Bounds, *, judge: Judge | None = None) -> Search:
        """Return the search of *bounds*, not begun."""
        world = world_of(bounds)
        judge = judge or Judge()
        core = Core(world, judge.step)
        return cls(world=world, core=core, judge=judge, moves=Moves(core, bounds.crashes))

    # -------------------------------------------------------------- the search

    def run(self) -> None:
        """Explore everything within the bounds, or until enough rules are broken."""
        began = time.perf_counter()
        faults_max = self.world.bounds.faults
        seeds: list[dict[int, dict[int, int]]] = [{} for _ in range(faults_max + 1)]  # by faults, by depth
        seeds[0] = {0: {self.moves.begin(): BEGINNING}}
        for faults in range(faults_max + 1):
            depth = 0
            for depth, level in self._levels(seeds, faults):
                if self._enough():
                    break
                self._tell(faults, depth)
                del level
            self.layers.append(
                Layer(
                    faults=faults,
                    states=len(self.parents),
                    transitions=self.transitions,
                    depth=depth,
                    steps=self.core.steps,
                )
            )
            if self._enough():
                break
        self.seconds = time.perf_counter() - began

    def _enough(self) -> bool:
        return len(self.breaches) >= self.breaches_max

    def _levels(self, seeds: list[dict[int, dict[int, int]]], faults: int) -> Iterator[tuple[int, dict[int, int]]]:
        """Explore the states that cost so many faults, level by level; *seeds* of later layers are added to."""
        depth, level = 0, {}
        due = seeds[faults]
        while level or due:
            for state, parent in due.pop(depth, {}).items():
                level.setdefault(state, parent)
            following: dict[int, int] = {}
            for number, (state, parent) in enumerate(level.items()):
                if state in self.parents:
                    continue
                self.parents[state] = parent
                self._expand(state, faults, depth + 1, following, seeds)
                if self._enough():
                    break
                if number % REPORT_EVERY == REPORT_EVERY - 1:
                    self._tell(faults, depth)
            yield depth, level
            if self._enough():
                return
            level = following
            depth += 1

    def _expand(
        self, state: int, faults: int, depth: int, following: dict[int, int], seeds: list[dict[int, dict[int, int]]]
    ) -> None:
        edges = self.moves.edges(state, self.world.bounds.faults - faults)
        if self.judge.steps:
            self._blame(state, edges)
        self._judge(state, edges)
        self._settle(state, edges)
        self.transitions += len(edges)
        known = self.parents
        for cost, _, after in edges:
            if after in known:
                continue
            if cost:
                seeds[faults + cost].setdefault(depth, {}).setdefault(after, state)
            else:
                following.setdefault(after, state)

    def _tell(self, faults: int, depth: int) -> None:
        if self.on_progress is not None:
            self.on_progress(Progress(faults=faults, depth=depth, states=len(self.parents), steps=self.core.steps))

    # -------------------------------------------------------------- judging

    def _blame(self, state: int, edges: list[Edge]) -> None:
        """Keep what the core did wrong on the edges that have just been tried for the first time."""
        for told, violations in self.judge.steps:
            label = next((label for _, label, _ in edges if label & CODE_MASK == told.event_code), told.event_code)
            self.breaches.append(Breach(state=state, label=label, violations=violations))
        self.judge.steps.clear()

    def _judge(self, state: int, edges: list[Edge]) -> None:
        """Judge what the venues' books and ours look like in each next state, once for each such look."""
        trade, orders = self.moves.split(state)
        standing = self.core.standings[trade]
        for _, label, after in edges:
            number, sides = self.moves.split(after)
            there = self.core.standings[number]
            look = there.look, sides
            if look in self._glimpsed:
                continue
            self._glimpsed.add(look)
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
        self.endings.add(standing.likeness.key[:2])
        violations = self.judge.rest(Course.at(self.world, standing, orders))
        if violations:
            self.breaches.append(Breach(state=state, label=NOWHERE, violations=violations))

    def follow(self, course: Course, order: tuple[int, ...], bases: tuple[int, ...], label: int) -> Course:
        """Return the course one edge on, where the orders at each place are those of *order*."""
        if not concerns_an_order(Tell((label & CODE_MASK) >> KIND_SHIFT)):
            return course.follow(label)
        place = place_in(label)
        return course.follow(label, order[place], bases[place])

    # -------------------------------------------------------------- what it amounts to

    def missing_rows(self) -> tuple[tuple[str, str, str], ...]:
        """Return the edges of the table that no run has taken."""
        rows = ((row.source, row.trigger, row.dest) for row in TRADE_TABLE.rows)
        return tuple(dict.fromkeys(row for row in rows if row not in self.core.rows))
