"""A failing episode, made small."""

from __future__ import annotations

from attrs import evolve

from fsm_arb.testing.glimpse import Violation
from fsm_arb.testing.swarm.census import Census
from fsm_arb.testing.swarm.reducing import reduce
from fsm_arb.testing.swarm.running import Order, Told

KEYS = tuple(f"fault {number}" for number in range(12))


def told(order: Order, *numbers: int) -> Told:
    kept = tuple(key for key in KEYS if order.only is None or key in order.only)
    violations = tuple(Violation(number=number, name="n", what="w") for number in numbers)
    return Told(order=order, level="some", violations=violations, struck=kept, census=Census(), digest="")


def test_the_same_invariant_breaks_with_the_least() -> None:
    """An episode that breaks another one is another failure."""

    def runner(order: Order) -> Told:
        only = order.only or frozenset()
        if {"fault 3", "fault 8"} <= only:
            return told(order, 7)
        return told(order, 2) if "fault 3" in only else told(order)

    small = reduce(told(Order(seed=9), 7), runner)
    assert small.keys == ("fault 3", "fault 8")
    assert small.told.order.only == frozenset(small.keys)
    assert small.command == "fsm-arb fuzz --seed 9 --episodes 1 --only 'fault 3' --only 'fault 8'"


def test_what_fails_in_a_calm_world_needs_no_fault() -> None:
    """And the line that runs it again says so."""
    small = reduce(told(Order(seed=9, focus="disk"), 7), lambda order: told(order, 7))
    assert small.keys == ()
    assert small.command == "fsm-arb fuzz --seed 9 --episodes 1 --focus 'disk' --only ''"


def test_what_hangs_on_something_without_a_key_is_left_whole() -> None:
    """Nothing is claimed to be small that is not."""
    whole = told(Order(seed=9), 7)
    small = reduce(whole, told)
    assert (small.told, small.keys, small.runs) == (whole, KEYS, 1)


def test_what_was_asked_for_alone_is_all_that_is_looked_at() -> None:
    """An episode that was small already may get smaller."""
    asked = evolve(told(Order(seed=9), 7), order=Order(seed=9, only=frozenset(KEYS[:4])))
    small = reduce(asked, lambda order: told(order, *([7] if "fault 1" in (order.only or ()) else [])))
    assert small.keys == ("fault 1",)
