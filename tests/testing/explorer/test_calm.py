"""Where a state goes once nothing misbehaves any more."""

from __future__ import annotations

from fsm_arb.testing.explorer.calm import ENDED, STUCK, Ways, way_out
from fsm_arb.testing.explorer.shard import Shard


def test_a_way_is_as_long_as_its_events() -> None:
    """Each state is one event further from DONE than the next."""
    ways = Ways()
    assert ways.follow({1: 2, 2: 3, 3: ENDED, 4: 3}) == set()
    assert (ways.known[1], ways.known[4], ways.longest) == (3, 2, 3)


def test_a_circle_is_no_way() -> None:
    """What leads back to itself, or nowhere, never gets to DONE."""
    calmer = {1: 2, 2: 1, 3: STUCK, 4: 3, 5: ENDED}
    ways = Ways()
    assert ways.follow(calmer) == set()
    assert ways.stuck(calmer) == [1, 2, 3, 4]


def test_what_others_follow_is_asked_of_them() -> None:
    """Until they answer nothing is said of what leads there."""
    calmer = {1: 7, 2: 1}
    ways = Ways()
    assert ways.follow(calmer) == {7}
    assert ways.stuck(calmer) == [1, 2]
    ways.answer({7: 10})
    assert ways.follow(calmer) == set()
    assert (ways.known[2], ways.stuck(calmer)) == (12, [])


def test_what_was_not_explored_is_not_held_against_a_state() -> None:
    """Its way leads out of what is known; one that ends nowhere, or goes in a circle, is astray."""
    calmer = {1: 2, 2: 7, 3: 4, 4: 3, 5: 3, 6: STUCK, 8: ENDED}
    ways = Ways()
    assert ways.follow(calmer) == {7}
    assert ways.stuck(calmer) == [1, 2, 3, 4, 5, 6]
    assert sorted(ways.astray(calmer)) == [3, 4, 5, 6]


def test_the_checks_pass_first(explored: Shard) -> None:
    """From the beginning the calm way is the one on which nobody says no."""
    first = explored.moves.begin()
    onward = explored.calmer[first]
    trade, orders = explored.moves.split(onward)
    assert (explored.core.standings[trade].trade.state, orders) == ("SIZING", b"")


def test_done_is_left_only_for_what_the_venue_still_says(explored: Shard) -> None:
    """A trade that is DONE is watched on; time alone moves it no further."""
    done = [state for state, onward in explored.calmer.items() if onward == ENDED]
    assert done
    for state in done:
        trade, orders = explored.moves.split(state)
        standing = explored.core.standings[trade]
        assert standing.done
        assert way_out(standing, orders, state, explored.moves.edges(state, 0)) == ENDED
