"""Once nothing misbehaves any more: does every state find its way to DONE?

Of all that may happen next, one thing is what a venue, a network and a clock
without faults do. Following that from every state that was reached says more
than that a way out exists: it is the way that will be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CODE_BITS,
    ENDED_READING,
    FILLED_SHIFT,
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
_RANKS = {Tell.CHECKED: 0, Tell.SIZED: 0, Tell.ACK: 1, Tell.SEEN: 2, Tell.MISSED: 3, Tell.SURVEY: 6, Tell.TICK: 7}


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
    kind = Tell(label >> KIND_SHIFT & 15)
    argument = label & ARGUMENT_MASK
    place = label >> PLACE_SHIFT & ARGUMENT_MASK
    match kind:
        case Tell.CHECKED | Tell.SIZED | Tell.SURVEY:
            return NEVER if argument else _RANKS[kind]
        case Tell.ACK | Tell.SEEN:
            number = orders[place]
            newest = filled_of(number) | (ENDED_READING if place_of(number) is Place.ENDED else 0)
            return _RANKS[kind] if argument == newest else NEVER
        case Tell.MISSED:
            return _RANKS[kind] if argument else NEVER
        case Tell.NOTHING:
            was, later = orders[place], label >> CODE_BITS
            if place_of(was) is Place.FLYING:
                return 4
            fills = place_of(was) is Place.RESTING and later >> FILLED_SHIFT & 7 == filled_of(was) + 1
            return 5 if fills else NEVER
        case _:
            return _RANKS.get(kind, NEVER)


def cannot_finish(calmer: Mapping[int, int]) -> tuple[list[int], int]:
    """Return the states that never get to DONE, and the longest way that one takes, in events."""
    away: dict[int, int] = {ENDED: 0}
    stuck: list[int] = []
    for state in calmer:
        path: list[int] = []
        on_path: set[int] = set()
        here = state
        while here not in away:
            if here == STUCK or here in on_path or here not in calmer:
                away[here] = -1
                break
            path.append(here)
            on_path.add(here)
            here = calmer[here]
        steps = away[here]
        for each in reversed(path):
            steps = steps + 1 if steps >= 0 else -1
            away[each] = steps
        if away[state] < 0:
            stuck.append(state)
    return stuck, max(away.values())
