"""Once nothing misbehaves any more: does every state find its way to DONE?

Of all that may happen next, one thing is what a venue, a network and a clock
without faults do. Following that from every state that was reached says more
than that a way out exists: it is the way that will be taken.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from attrs import define, field

from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CODE_BITS,
    ENDED_READING,
    KIND_SHIFT,
    PLACE_SHIFT,
    Place,
    Tell,
    filled_of,
    place_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsm_arb.testing.explorer.core import Standing
    from fsm_arb.testing.explorer.moves import Edge

STUCK = -2
ENDED = -3
NEVER = 99
SAID = 2  # what has been DONE is still watched: the ranks up to here are what a venue says of itself

# What happens first, where several things may.
_RANKS: dict[int, int] = {
    Tell.CHECKED: 0,
    Tell.SIZED: 0,
    Tell.ACK: 1,
    Tell.SEEN: 2,
    Tell.MISSED: 3,
    Tell.SURVEY: 6,
    Tell.TICK: 7,
}
_BARE = frozenset(map(int, (Tell.CHECKED, Tell.SIZED, Tell.SURVEY, Tell.TICK)))  # these concern no order
_RANKED = frozenset(map(int, (Tell.ACK, Tell.SEEN, Tell.MISSED, Tell.NOTHING)))


def way_out(standing: Standing, orders: bytes, state: int, edges: Sequence[Edge]) -> int:
    """Return where a state goes once nothing misbehaves.

    `ENDED` where it is DONE and all has been told, `STUCK` where it goes nowhere.
    """
    best, found = (SAID + 1, ENDED) if standing.done else (NEVER, STUCK)
    for faults, label, after in edges:
        if faults or after == state:
            continue
        rank = _rank(label, orders)
        if rank < best:
            best, found = rank, after
    return found


def _rank(label: int, orders: bytes) -> int:
    """Return how soon a thing happens: the newest truth before what the venue does next, and time last."""
    kind = label >> KIND_SHIFT & 15
    if kind in _BARE:
        return NEVER if label & ARGUMENT_MASK else _RANKS[kind]
    if kind not in _RANKED:
        return NEVER
    return _rank_of(label, orders[label >> PLACE_SHIFT & ARGUMENT_MASK])


@cache
def _rank_of(label: int, number: int) -> int:
    """Return the same of what befalls an order. *number*: what it is on its venue's side."""
    kind, argument = Tell(label >> KIND_SHIFT & 15), label & ARGUMENT_MASK
    match kind:
        case Tell.ACK | Tell.SEEN:
            newest = filled_of(number) | (ENDED_READING if place_of(number) is Place.ENDED else 0)
            return _RANKS[kind] if argument == newest else NEVER
        case Tell.MISSED:
            return _RANKS[kind] if argument else NEVER
        case _:
            if place_of(number) is Place.FLYING:
                return 4
            fills = place_of(number) is Place.RESTING and filled_of(label >> CODE_BITS) == filled_of(number) + 1
            return 5 if fills else NEVER


@define(eq=False)
class Ways:
    """How far every state is from DONE, as far as it is known."""

    known: dict[int, int] = field(factory=lambda: {ENDED: 0})  # events, by state
    longest: int = 0

    def answer(self, answers: Mapping[int, int]) -> None:
        """Take in how far away states are that are followed elsewhere."""
        self.known.update(answers)

    def follow(self, calmer: Mapping[int, int]) -> set[int]:
        """Follow every state as far as it goes; return those that others must follow on."""
        known, elsewhere = self.known, set()
        for state in calmer:
            path: dict[int, None] = {}
            here = state
            while here not in known and here not in path and here in calmer:
                path[here] = None
                here = calmer[here]
            if here not in known:
                if here not in calmer and here != STUCK:
                    elsewhere.add(here)
                continue
            away = known[here]
            for each in reversed(path):
                away += 1
                known[each] = away
            self.longest = max(self.longest, away)
        return elsewhere

    def stuck(self, calmer: Mapping[int, int]) -> list[int]:
        """Return the states that were not found to get to DONE."""
        return [state for state in calmer if state not in self.known]

    def astray(self, calmer: Mapping[int, int]) -> list[int]:
        """Return those of them whose way was explored to where it ends, or to where it has been before."""
        lost: dict[int, bool] = {}
        for state in self.stuck(calmer):
            path: dict[int, None] = {}
            here = state
            while here in calmer and here not in path and here not in lost:
                path[here] = None
                here = calmer[here]
            lost |= dict.fromkeys(path, lost.get(here, here == STUCK or here in path))
        return [state for state, known in lost.items() if known]
