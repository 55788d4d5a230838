"""From one state of the whole world to every next one."""

from __future__ import annotations

from fsm_arb.testing.explorer.bounds import Bounds, world_of
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.moves import CRASH, Moves
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.venue import CODE_MASK, Place, order, place_of


def test_what_costs_more_than_is_left_is_not_tried(explored: Shard) -> None:
    """Each fault that may still happen opens edges, and closes none."""
    moves = explored.moves
    for state in list(explored.parents)[:50]:
        none, one = moves.edges(state, 0), moves.edges(state, 1)
        assert {cost for cost, _, _ in none} <= {0}
        assert set(none) == {edge for edge in one if not edge[0]}


def test_a_crash_may_come_at_any_point_but_the_end(explored: Shard) -> None:
    """A trade that is DONE has nothing to be told by the next process."""
    for state in explored.parents:
        crashes = [after for _, label, after in explored.moves.edges(state, 1) if label & CODE_MASK == CRASH]
        trade, _ = explored.moves.split(state)
        assert len(crashes) == (0 if explored.core.standings[trade].done else 1)


def test_a_process_that_never_dies_is_never_taken_up() -> None:
    """Without crashes the same edges are there, and those alone."""
    core = Core(world_of(Bounds(lots=1)), lambda _told, *, new: None)
    mortal, immortal = Moves(core, crashes=True), Moves(core, crashes=False)
    here = mortal.begin()
    assert here == immortal.begin()
    assert [edge for edge in mortal.edges(here, 1) if edge[1] & CODE_MASK != CRASH] == immortal.edges(here, 1)


def test_turned_states_are_one(explored: Shard) -> None:
    """Where both legs are alike it does not matter whose request arrives first."""
    moves = explored.moves
    both = next(
        state
        for state in explored.parents
        if [place_of(each) for each in moves.split(state)[1]] == [Place.FLYING, Place.FLYING]
        and moves.core.standings[moves.split(state)[0]].likeness.turns
    )
    trade, _ = moves.split(both)
    one, other = bytes([order(Place.FLYING), order(Place.RESTING)]), bytes([order(Place.RESTING), order(Place.FLYING)])
    assert moves.part(trade, one) == moves.part(trade, other)
