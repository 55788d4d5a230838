"""What is objected to, and by whom."""

from __future__ import annotations

from attrs import evolve

from fsm_arb.messages import Ticked
from fsm_arb.testing.explorer.core import Told
from fsm_arb.testing.explorer.course import Course
from fsm_arb.testing.explorer.judge import AT_REST, OF_SENDS, OF_STATES, OF_STEPS, OF_TRADES, Judge
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.venue import FILLED_SHIFT, Place, order, place_of
from fsm_arb.trade import Step


def courses(shard: Shard, state: str) -> list[Course]:
    """Return the courses of all states in which the trade stands so."""
    found = []
    for each in shard.parents:
        trade, orders = shard.moves.split(each)
        if shard.core.standings[trade].trade.state == state:
            found.append(Course.at(shard.core.world, shard.core.standings[trade], orders))
    return found


def test_every_invariant_that_a_world_without_a_journal_can_show_is_judged() -> None:
    """What is left out needs positions, or two writers of one journal."""
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15} == OF_STEPS | OF_SENDS | OF_TRADES | OF_STATES | AT_REST


def test_a_lot_that_nobody_knows_of_is_objected_to(explored: Shard) -> None:
    """The same states, with one more lot on a venue that never called the order over."""
    judge = Judge()
    ended = [
        course
        for course in courses(explored, "DONE")
        if any(place_of(each) is Place.ENDED for each in course.orders) and not course.trade.exposure
    ]
    assert ended
    for course in ended:
        assert judge.state(course, course) == ()
        number = next(index for index, each in enumerate(course.orders) if place_of(each) is Place.ENDED)
        more = (course.orders[number] >> FILLED_SHIFT & 7) + 1
        orders = (*course.orders[:number], order(Place.ENDED, more), *course.orders[number + 1 :])
        found = judge.state(course, evolve(course, orders=orders))
        assert {1, 7} & {each.number for each in found}


def test_an_end_with_other_books_is_objected_to(explored: Shard) -> None:
    """At rest what we know must be what the venues have."""
    judge = Judge()
    course = next(each for each in courses(explored, "DONE") if any(int(o.gross) for o in each.trade.orders))
    nothing = tuple(order(Place.ENDED, told=True) for _ in course.orders)
    assert 8 in {each.number for each in judge.rest(evolve(course, orders=nothing))}


def test_an_error_of_our_own_is_a_violation(explored: Shard) -> None:
    """Whatever the core raises is told in its own words."""
    judge = Judge()
    trade = courses(explored, "PLACING")[0].trade
    judge.step(Told(0, 0, trade, Ticked(now=0), trade, Step(), 0, KeyError("lost")), new=False)
    _, violations = judge.steps[0]
    assert "KeyError: 'lost'" in violations[0].what
