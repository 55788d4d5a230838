"""Breadth first, few faults before many."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from fsm_arb.testing.explorer.bounds import Bounds
from fsm_arb.testing.explorer.search import BEGINNING, LOOK_EVERY, Limit, Search
from fsm_arb.testing.explorer.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_path_leads_from_the_beginning(explored: Shard, path_to: Callable[[int], list[int]]) -> None:
    """Each state was reached from one that has it as a next one."""
    for state in list(explored.parents)[::20]:
        path = path_to(state)
        assert path[0] == explored.moves.begin()
        assert explored.parents[path[0]] == BEGINNING
        for here, after in itertools.pairwise(path):
            assert after in {each for _, _, each in explored.moves.edges(here, 0)}


def test_a_state_waits_for_its_turn() -> None:
    """What costs more faults, or more events, is explored later; what is known is not explored again."""
    search = Search.of(Bounds(lots=1, faults=1))
    first = search.moves.begin()
    search.offer(1, 0, first, BEGINNING)
    assert (search.due(0), search.due(1)) == (False, True)
    search.offer(0, 0, first, BEGINNING)
    search.level(0, 0)
    assert set(search.parents) == {first}
    assert search.due(0)
    before = search.transitions
    search.level(1, 0)
    assert search.transitions == before


def test_a_level_that_was_left_goes_on_where_it_was_left() -> None:
    """A limit costs nothing but time: what was explored is not explored again, and the rest is still due."""
    search = Search.of(Bounds(lots=1, faults=0))
    search.offer(0, 0, search.moves.begin(), BEGINNING)
    depth = 0
    while search.due(0):
        before = len(search.parents)
        limit = Limit(states=before + 1)
        if search.level(0, depth, limit):
            assert search.waiting() > 0
            assert len(search.parents) <= before + LOOK_EVERY
        else:
            depth += 1
    assert len(search.parents) == 346
    assert search.waiting() == 0


def test_shards_share_a_limit() -> None:
    """Each has its part of the states, and all have the same clock."""
    assert Limit(states=7, until=3.0).shared(2) == Limit(states=4, until=3.0)
    assert Limit().shared(2) == Limit()
    assert Limit(until=0.0).reached(0)
    assert not Limit(states=5).reached(4)


def test_a_search_ends_once_all_that_is_wanted_was_found(explored: Shard) -> None:
    """So that what needs no crash is found without exploring everything again."""
    again = explored.crash_free(frozenset(explored.endings))
    assert not again.enough()
    again.endings |= explored.endings
    assert again.enough()


def test_the_layer_counts_what_was_explored(explored: Shard) -> None:
    """States, transitions and steps so far."""
    layer = explored.layer(0, 5)
    assert (layer.states, layer.depth) == (len(explored.parents), 5)
    assert layer.steps == explored.core.steps
