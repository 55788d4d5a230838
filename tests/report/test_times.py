"""An axis of time, true to scale save for marked breaks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.report.times import BROKEN_BY, MARKS_APART, Scale, lasting, scale, since

MS = 1_000_000
SECOND = 1000 * MS


def test_an_axis_is_true_to_scale() -> None:
    """Half the time stands in the middle; what lies outside stands at its end."""
    axis = scale([0, SECOND, 2 * SECOND, 4 * SECOND])
    assert axis.breaks == ()
    assert [axis.at(moment) for moment in (-1, 0, SECOND, 2 * SECOND, 3 * SECOND, 9 * SECOND)] == pytest.approx(
        [0, 0, 0.25, 0.5, 0.75, 1]
    )
    assert (axis.begins_ns, axis.ends_ns) == (0, 4 * SECOND)


def test_a_pause_that_leaves_no_room_is_broken() -> None:
    """A second of trading, an hour of waiting, a second of trading: both seconds can be seen."""
    first = [at * 100 * MS for at in range(11)]
    axis = scale([*first, *(3600 * SECOND + at for at in first)])
    assert axis.breaks == ((SECOND, 3600 * SECOND),)
    assert axis.at(3600 * SECOND) - axis.at(SECOND) == pytest.approx(0.2, abs=0.01)
    assert axis.at(SECOND) == pytest.approx(0.4, abs=0.01)


def test_one_moment_has_an_axis_too() -> None:
    """A trade that was blocked at once."""
    axis = scale([5 * SECOND])
    assert axis.at(5 * SECOND) == 0
    assert next(axis.marks()) == 5 * SECOND


MOMENTS = st.lists(st.integers(0, 10**15), min_size=1, max_size=30)


@given(MOMENTS)
def test_whatever_happens_time_goes_forward(moments: list[int]) -> None:
    """Later is further right, from nought to one, and the marks never run into each other."""
    axis = scale(moments)
    places = [axis.at(moment) for moment in sorted(set(moments))]
    assert all(before <= after for before, after in pairwise(places))
    assert places[0] == 0
    assert max(places) <= 1
    marks = [axis.at(mark) for mark in axis.marks()]
    assert all(abs(one - two) >= MARKS_APART for one, two in pairwise(sorted(marks)))


@given(MOMENTS)
def test_all_that_is_not_broken_is_on_one_scale(moments: list[int]) -> None:
    """A break is several times shorter than it would be there, and takes two thirds at most."""
    axis = scale(moments)
    stretches = [
        ((before, after), (axis.at(after) - axis.at(before)) / (after - before))
        for (before, _), (after, _) in pairwise(axis.knots)
    ]
    whole = [rate for stretch, rate in stretches if stretch not in axis.breaks]
    assert max(whole) == pytest.approx(min(whole), rel=1e-6)
    for (before, after), rate in stretches:
        if (before, after) in axis.breaks:
            assert rate * BROKEN_BY < max(whole) * 1.01
            assert axis.at(after) - axis.at(before) <= 0.67


def test_marks_are_round_when_counted_from_the_beginning() -> None:
    """Not by the clock on the wall."""
    axis = scale([7 * MS, 7 * MS + 3 * SECOND])
    assert [since(mark, axis.begins_ns) for mark in axis.marks()] == [
        "+0 s",
        "+500 ms",
        "+1 s",
        "+1.5 s",
        "+2 s",
        "+2.5 s",
        "+3 s",
    ]
    years = scale([0, 4 * 10**17])
    assert len(list(years.marks())) <= 7


def test_an_axis_is_a_value() -> None:
    """Two of the same knots are the same."""
    assert Scale(((0, 0.0), (1, 1.0))) == Scale(((0, 0.0), (1, 1.0)))


@pytest.mark.parametrize(
    ("ns", "told"),
    [
        (0, "0 s"), (999, "0 s"), (1000, "0.001 ms"), (1_234_567, "1.23 ms"), (9_995_000, "10 ms"),
        (12_250_000, "12.3 ms"), (999 * MS, "999 ms"), (999_500_000, "1 s"), (SECOND, "1 s"), (1_125 * MS, "1.13 s"),
        (1_250 * MS, "1.25 s"), (119 * SECOND, "119 s"), (120 * SECOND, "2 min"), (390 * SECOND, "7 min"),
        (7140 * SECOND, "119 min"), (7199 * SECOND, "2 h"), (9000 * SECOND, "2 h 30 min"),
        (48 * 3600 * SECOND, "2 d"), (49 * 3600 * SECOND, "2 d 1 h"),
    ],
)  # fmt: skip
def test_a_duration_is_as_short_as_it_can_be_read(ns: int, told: str) -> None:
    """In the unit that suits it."""
    assert lasting(ns) == told
    assert since(ns, 0) == f"+{told}"
    assert since(0, ns) == (f"\N{MINUS SIGN}{told}" if ns else "+0 s")
    assert not told.startswith("-")
