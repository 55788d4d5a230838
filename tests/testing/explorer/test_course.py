"""A state of the explorer as the real trade and the real books that it means."""

from __future__ import annotations

from fsm_arb.testing.explorer.course import Course, concerns_an_order, place_in
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.venue import (
    CODE_MASK,
    FILLED_SHIFT,
    KIND_SHIFT,
    Place,
    Tell,
    filled_of,
    may_execute,
    place_of,
)


def test_every_edge_means_what_it_counts(explored: Shard) -> None:
    """Following an edge with the real trade leads to the state that the small numbers lead to."""
    moves, core = explored.moves, explored.core
    for state in list(explored.parents)[::7]:
        trade, orders = moves.split(state)
        standing = core.standings[trade]
        course = Course.at(core.world, standing, orders)
        for _, label, after in moves.edges(state, 0):
            place = place_in(label) if concerns_an_order(Tell((label & CODE_MASK) >> KIND_SHIFT)) else None
            if place is None:
                following = course.follow(label)
            else:
                following = course.follow(label, standing.likeness.order[place], standing.likeness.bases[place])
            there, numbers = moves.split(after)
            likeness = core._canon.of(following.trade, following.now)
            assert likeness.key == core.standings[there].likeness.key
            found = [
                following.orders[index] - (base << FILLED_SHIFT)
                for index, base in zip(likeness.order, likeness.bases, strict=True)
            ]
            assert sorted(found) == sorted(numbers)


def test_a_glimpse_shows_what_has_arrived(explored: Shard) -> None:
    """An order that no venue has is on no book; one that may execute is live."""
    for state in explored.parents:
        trade, orders = explored.moves.split(state)
        course = Course.at(explored.core.world, explored.core.standings[trade], orders)
        shown = course.glimpse().orders
        for known, number in zip(course.trade.orders, course.orders, strict=True):
            true = shown.get(known.intent.client_order_id)
            if place_of(number) in {Place.FLYING, Place.GONE, Place.LATE}:
                assert true is None
            else:
                assert true is not None
                assert (true.filled, true.live) == (filled_of(number), may_execute(number))
