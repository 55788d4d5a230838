"""What may happen to one order on its venue."""

from __future__ import annotations

import itertools

from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CALL_OUT,
    ENDED_READING,
    FENCED,
    GOING,
    KIND_SHIFT,
    REMEDY,
    SILENT,
    TICKED,
    TOLD,
    Place,
    Tell,
    code,
    crashed,
    filled_of,
    label_of,
    may_execute,
    moves,
    order,
    place_of,
)

FENCE = 2
# Every order that can be: only what has arrived has filled, and what has filled whole does not rest.
EVERY = [
    (order(place, filled, told=told), flags)
    for place, filled, told, flags in itertools.product(Place, range(3), (False, True), range(16))
    if (place is Place.ENDED or (place is Place.RESTING and filled < 2) or not filled)
    and (not told or place in {Place.RESTING, Place.ENDED, Place.GONE})
]


def told(number: int, flags: int = 0, *, amount: int = 2, rests: bool = False) -> set[tuple[int, str, int, Place, int]]:
    """Return what may happen: its cost, what is told with which argument, where the order is then, what has filled."""
    return {
        (cost, Tell(event >> KIND_SHIFT).name, event & ARGUMENT_MASK, place_of(later), filled_of(later))
        for cost, event, later in moves(number, amount, flags, FENCE, rests)
    }


def test_a_request_arrives_is_refused_or_is_lost() -> None:
    """While the call is out only its reply tells anything."""
    assert told(order(Place.FLYING), CALL_OUT) == {
        (0, "NOTHING", 0, Place.RESTING, 0),
        (1, "REFUSED", 0, Place.GONE, 0),
        (1, "DOUBT", 0, Place.LATE_2, 0),
    }


def test_a_late_request_costs_nothing_within_its_window() -> None:
    """Past the window a venue that accepts it all the same is at fault: it has as good as said that it is not there."""
    assert (0, "NOTHING", 0, Place.RESTING, 0) in told(order(Place.LATE_1))
    late = [(cost, later) for cost, event, later in moves(order(Place.LATE), 2, 0, FENCE, False) if event == SILENT]
    assert late == [(1, order(Place.RESTING, told=True))]


def test_any_truth_since_the_order_was_accepted_is_told() -> None:
    """Readings may be late, and out of order; none was never true."""
    readings = {each[2] for each in told(order(Place.ENDED, 1), 0) if each[1] == "SEEN"}
    assert readings == {0, 1, 1 | ENDED_READING}
    whole = {each[2] for each in told(order(Place.ENDED, 2), 0) if each[1] == "SEEN"}
    assert whole == {0, 1, 2 | ENDED_READING}


def test_a_remedy_that_ends_short_is_a_fault() -> None:
    """Else a trade could try for ever without anything having gone wrong."""
    assert (0, "NOTHING", 0, Place.ENDED, 1) in told(order(Place.RESTING, 1))
    assert (1, "NOTHING", 0, Place.ENDED, 1) in told(order(Place.RESTING, 1), REMEDY)


def test_what_rests_ends_by_a_cancel() -> None:
    """A venue that ends a resting order of its own accord is at fault."""
    assert (1, "NOTHING", 0, Place.ENDED, 1) in told(order(Place.RESTING, 1), rests=True)
    assert (0, "NOTHING", 0, Place.ENDED, 1) in told(order(Place.RESTING, 1), GOING, rests=True)


def test_a_venue_fills_what_it_has_called_over() -> None:
    """One lot more costs one fault, up to what was ordered."""
    assert (1, "NOTHING", 0, Place.ENDED, 2) in told(order(Place.ENDED, 1, told=True))
    assert not [each for each in told(order(Place.ENDED, 2, told=True)) if each[1] == "NOTHING"]


def test_lists_lag_only_so_long() -> None:
    """An order that is there is missed before the fence, at the price of a fault, and not past it."""
    assert (1, "MISSED", 1, Place.RESTING, 0) in told(order(Place.RESTING), FENCED)
    assert (1, "MISSED", 1, Place.RESTING, 0) not in told(order(Place.RESTING))
    assert (0, "MISSED", 1, Place.LATE_1, 0) in told(order(Place.LATE_1))


def test_nothing_is_taken_back() -> None:
    """Filled only grows, within what was ordered; what was called over stays so, and only by a word of the end."""
    for number, flags in EVERY:
        for cost, event, later in moves(number, 2, flags, FENCE, False):
            assert cost in {0, 1}
            assert filled_of(number) <= filled_of(later) <= 2
            assert not number & TOLD or later & TOLD
            if later & TOLD and not number & TOLD:
                kind, argument = Tell(event >> KIND_SHIFT), event & ARGUMENT_MASK
                assert kind is Tell.REFUSED or argument & ENDED_READING or place_of(number) is Place.LATE
            if place_of(number) is Place.ENDED:
                assert place_of(later) is Place.ENDED


def test_time_shuts_the_window_of_a_late_request() -> None:
    """A unit at a time, and of nothing else."""
    assert [place_of(TICKED[order(place)]) for place in Place] == [
        Place.FLYING,
        Place.GONE,
        Place.RESTING,
        Place.ENDED,
        Place.LATE,
        Place.LATE,
        Place.LATE_1,
        Place.LATE_2,
    ]
    assert TICKED[order(Place.LATE_1, 0, told=True)] == order(Place.LATE, 0, told=True)


def test_a_crash_leaves_requests_on_their_way() -> None:
    """They arrive late or never; what has arrived is untouched."""
    gone = crashed(FENCE)
    assert place_of(gone[order(Place.FLYING)]) is Place.LATE_2
    assert gone[order(Place.RESTING, 1)] == order(Place.RESTING, 1)


def test_what_may_execute() -> None:
    """What rests, and what is still on its way in time."""
    lives = {place for place in Place if may_execute(order(place))}
    assert lives == {Place.FLYING, Place.RESTING, Place.LATE_1, Place.LATE_2, Place.LATE_3}


def test_numbers_hold_what_is_put_into_them() -> None:
    """Kind, argument and place share a number, and none spills into the other."""
    event = code(Tell.SEEN, 13, 5)
    assert (event >> KIND_SHIFT, event & ARGUMENT_MASK) == (Tell.SEEN, 13)
    assert label_of(event, 99) >> 16 == 99
