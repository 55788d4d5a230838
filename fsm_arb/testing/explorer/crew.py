"""Shards at work together: in this process where there is one, else each in a process of its own, level by level."""

from __future__ import annotations

import gc
import multiprocessing
import traceback
from typing import TYPE_CHECKING, Any, Self

from attrs import define, evolve, field, frozen

from fsm_arb.testing.explorer.search import BEGINNING, NO_LIMIT, Layer, Limit, Progress, Search
from fsm_arb.testing.explorer.shard import Parcel, Place, Shard, Sums
from fsm_arb.testing.explorer.trace import Trace, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType

    from fsm_arb.testing.explorer.bounds import Bounds
    from fsm_arb.testing.explorer.search import Ending, Parent
    from fsm_arb.testing.glimpse import Violation

PATHS_MAX = 3  # of states that cannot finish
Run = tuple[list[Place], int, tuple["Violation", ...]]  # the states of a run, the last edge, what is wrong with it


@frozen(kw_only=True)
class Finish:
    """What comes of every state once nothing misbehaves any more."""

    stuck: int  # states that never get to DONE
    paths: list[list[Place]]  # runs to some of them
    longest: int  # events, of the longest way to DONE
    unfollowed: int = 0  # states whose way leads past what was explored


@frozen(kw_only=True)
class Partial:
    """Where a search was stopped before its end.

    All was explored that fewer than `faults` faults lead to, and of what so many
    lead to all within fewer than `depth` events.
    """

    faults: int
    depth: int
    waiting: int  # states that are known and were not explored


@define(eq=False)
class Here:
    """A shard in this process."""

    shard: Shard

    def ask(self, name: str, *arguments: Any) -> None:
        """Have a method called; `answer` returns what it returned."""
        self._answer = getattr(self.shard, name)(*arguments)

    def answer(self) -> Any:
        """Return what was asked for."""
        return self._answer

    def renew(self, wanted: frozenset[Ending]) -> None:
        """Begin again in a world where no process dies."""
        self.shard = self.shard.crash_free(wanted)

    def close(self) -> None:
        """Nothing is to be closed."""

    _answer: Any = None


@define(eq=False)
class There:
    """A shard in a process of its own."""

    pipe: Connection
    process: multiprocessing.process.BaseProcess

    def ask(self, name: str, *arguments: Any) -> None:
        """Have a method called; `answer` waits for what it returns."""
        self.pipe.send((name, arguments))

    def answer(self) -> Any:
        """Wait for what was asked for.

        Raises:
            RuntimeError: The other process failed; its own words.
        """
        failed, what = self.pipe.recv()
        if failed:
            raise RuntimeError(f"a shard failed: {what}")
        return what

    def renew(self, wanted: frozenset[Ending]) -> None:
        """Begin again in a world where no process dies."""
        self.pipe.send((None, (wanted,)))
        self.answer()

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def serve(pipe: Connection, bounds: Bounds, number: int, count: int) -> None:
    """Be a shard, until nobody asks any more."""
    gc.disable()  # as `Crew.run` says
    shard = Shard.part(bounds, number, count)
    while True:
        try:
            name, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            if name is None:
                shard = shard.crash_free(*arguments)
                pipe.send((False, None))
            else:
                pipe.send((False, getattr(shard, name)(*arguments)))
        except Exception:  # noqa: BLE001 - told to who asked
            pipe.send((True, traceback.format_exc()))


@define(eq=False)
class Crew:
    """All shards of one search."""

    bounds: Bounds
    hands: list[Here | There]
    on_progress: Callable[[Progress], None] | None = None
    limit: Limit = NO_LIMIT
    layers: list[Layer] = field(factory=list)
    partial: Partial | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in self.hands:
            hand.close()

    # -------------------------------------------------------------- the search

    def run(self) -> None:
        """Explore everything within the bounds, or until there is no need to go on."""
        # A search leaves no circles behind; looking for them among millions of states takes as long as it does.
        collected = gc.isenabled()
        gc.disable()
        try:
            self._run()
        finally:
            if collected:
                gc.enable()

    def _run(self) -> None:
        self.layers = []
        limit = self.limit.shared(len(self.hands))
        for faults in range(self.bounds.faults + 1):
            depth, deepest = 0, 0
            while any(self._all("due", faults)) and not self._enough():
                before = self._reached()
                stopped = any(self._all("level", faults, depth, limit))
                self._exchange()
                after = self._reached()
                if after.states > before.states:
                    deepest = depth
                if self.on_progress is not None:
                    self.on_progress(Progress(faults=faults, depth=depth, states=after.states, steps=after.steps))
                if stopped:
                    self.partial = Partial(faults=faults, depth=depth, waiting=sum(self._all("waiting")))
                    break
                depth += 1
            self.layers.append(evolve(self._reached(), faults=faults, depth=deepest))
            if self.partial is not None or self._enough():
                return

    def _enough(self) -> bool:
        return any(self._all("enough"))

    def _reached(self) -> Layer:
        parts: list[Layer] = self._all("progress")
        return Layer(
            faults=0,
            states=sum(part.states for part in parts),
            transitions=sum(part.transitions for part in parts),
            depth=0,
            steps=sum(part.steps for part in parts),
        )

    def _exchange(self) -> None:
        """Have every shard sent what the others have found of its own."""
        if len(self.hands) == 1:
            return
        parcels: list[list[Parcel]] = self._all("take")
        for sender, row in enumerate(parcels):
            for number, parcel in enumerate(row):
                if parcel:
                    self.hands[number].ask("receive", sender, parcel)
                    self.hands[number].answer()

    def _all(self, name: str, *arguments: Any) -> list[Any]:
        for hand in self.hands:
            hand.ask(name, *arguments)
        return [hand.answer() for hand in self.hands]

    # -------------------------------------------------------------- what was found

    def breaches(self) -> list[Run]:
        """Return the runs that break a rule."""
        return [
            (self._path(number, breach.state), breach.label, breach.violations)
            for number, found in enumerate(self._all("found"))
            for breach in found
        ]

    def cannot_finish(self) -> Finish:
        """Return whether every state gets to DONE once nothing misbehaves any more."""
        count = len(self.hands)
        answers: list[dict[int, int]] = [{} for _ in range(count)]
        while True:
            for hand, known in zip(self.hands, answers, strict=True):
                hand.ask("cannot_finish", known)
            questions = [hand.answer() for hand in self.hands]
            answers = [self._ask_others(number, row) for number, row in enumerate(questions)]
            if not any(answers):
                break
        parts: list[list[int]] = self._all("stuck")
        unfollowed = 0
        if self.partial is not None:
            unknown = sum(map(len, parts))
            parts = self._all("astray")
            unfollowed = unknown - sum(map(len, parts))
        stuck = [(number, state) for number, states in enumerate(parts) for state in states]
        return Finish(
            stuck=len(stuck),
            paths=[self._path(number, state) for number, state in stuck[:PATHS_MAX]],
            longest=max(self._all("longest")),
            unfollowed=unfollowed,
        )

    def _ask_others(self, number: int, questions: list[list[tuple[int, bytes]]]) -> dict[int, int]:
        known: dict[int, int] = {}
        for other, asked in enumerate(questions):
            if not asked:
                continue
            self.hands[other].ask("away", number, asked)
            for question, away in zip(asked, self.hands[other].answer(), strict=True):
                if away is not None:
                    self.hands[number].ask("state_of", question)
                    known[self.hands[number].answer()] = away
        return known

    def unexplained(self) -> frozenset[Ending]:
        """Return the endings that no run without a crash leads to."""
        layers, sums = self.layers, self.sums()
        for hand in self.hands:
            hand.renew(sums.endings)
        self._kept, self.on_progress, self.limit = sums, None, NO_LIMIT
        self.run()
        self.layers = layers
        found: frozenset[Ending] = frozenset().union(*(part.endings for part in self._all("sums")))
        return sums.endings - found

    def sums(self) -> Sums:
        """Return what all shards amount to, a later search for other endings left out."""
        if self._kept is not None:
            return self._kept
        parts: list[Sums] = self._all("sums")
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total

    def _path(self, number: int, state: int) -> list[Place]:
        path: list[Place] = []
        parent: Parent = state
        while parent != BEGINNING:
            if isinstance(parent, tuple):
                number, parent = parent
            self.hands[number].ask("place", parent)
            place, parent = self.hands[number].answer()
            path.append(place)
        return path[::-1]

    _kept: Sums | None = None


def crew_of(bounds: Bounds, jobs: int, on_progress: Callable[[Progress], None] | None, limit: Limit = NO_LIMIT) -> Crew:
    """Return the shards that share a search.

    Raises:
        InvalidInput: The policy does not fit the bounds.
    """
    first = Shard.part(bounds)  # what is wrong with the bounds is told here
    if jobs == 1:
        first.on_progress = on_progress
        return Crew(bounds=bounds, hands=[Here(first)], on_progress=on_progress, limit=limit)
    context = multiprocessing.get_context("spawn")
    hands: list[Here | There] = []
    for number in range(jobs):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, bounds, number, jobs), daemon=True)
        process.start()
        theirs.close()
        hands.append(There(ours, process))
    return Crew(bounds=bounds, hands=hands, on_progress=on_progress, limit=limit)


def retold(bounds: Bounds, path: list[Place], label: int, violations: tuple[Violation, ...]) -> Trace:
    """Return a run as people read it, wherever it was found."""
    search = Search.of(bounds)
    moves = search.moves
    states = [moves.begin()]
    for key, orders in path[1:]:
        for _, _, after in moves.edges(states[-1], 1):
            trade, there = moves.split(after)
            if there == orders and search.core.standings[trade].likeness.key == key:
                states.append(after)
                break
        else:
            raise LookupError(f"the run is lost after {len(states)} events")
    return walk(search.world, moves, states, label, violations)
