"""The smallest set that still fails."""

from __future__ import annotations

import random

import pytest

from fsm_arb.testing.swarm.minimizing import minimal


@pytest.mark.parametrize("culprits", [{3}, {0, 7}, {1, 2, 11}, set(range(12))])
def test_exactly_the_culprits_are_left(culprits: set[int]) -> None:
    """Where a failure needs all of some items and nothing else, those are found, in order."""
    assert minimal(range(12), lambda subset: culprits <= set(subset)) == tuple(sorted(culprits))


def test_a_failure_that_needs_nothing_leaves_nothing() -> None:
    """It would happen in a calm world too."""
    calls: list[tuple[int, ...]] = []

    def fails(subset: tuple[int, ...]) -> bool:
        calls.append(subset)
        return True

    assert minimal(range(9), fails) == ()
    assert calls == [()]


def test_no_single_item_can_be_left_out_of_what_is_found() -> None:
    """Also where several sets fail: what is found is one from which nothing more can go."""
    dice = random.Random(3)
    for _ in range(30):
        sets = [set(dice.sample(range(15), dice.randint(1, 4))) for _ in range(3)]

        def fails(subset: tuple[int, ...], sets: list[set[int]] = sets) -> bool:
            return any(each <= set(subset) for each in sets)

        found = minimal(range(15), fails)
        assert fails(found)
        assert not any(fails(tuple(each for each in found if each != one)) for one in found)


def test_it_stops_when_it_has_run_often_enough() -> None:
    """What was found by then fails all the same."""
    calls: list[int] = []

    def fails(subset: tuple[int, ...]) -> bool:
        calls.append(1)
        return {3, 40} <= set(subset)

    found = minimal(range(64), fails, runs_max=6)
    assert {3, 40} <= set(found)
    assert len(calls) == 6
