"""Moments as text, to the nanosecond, and stretches of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.errors import InvalidInput
from fsm_arb.export.moments import ALWAYS, Window, iso, moment

AT = 1_767_323_045_123_456_789


def test_a_moment_is_told_to_the_nanosecond_with_its_offset() -> None:
    """Always with as many digits, also before 1970."""
    assert iso(AT) == "2026-01-02T03:04:05.123456789+00:00"
    assert iso(0) == "1970-01-01T00:00:00.000000000+00:00"
    assert iso(-1) == "1969-12-31T23:59:59.999999999+00:00"


@given(st.integers(-(10**18), 4 * 10**18), st.integers(-(10**18), 4 * 10**18))
def test_what_was_told_is_read_back_and_sorts_as_time_does(first: int, second: int) -> None:
    """So a file can be sorted by its text, and cut by what stands in it."""
    assert moment(iso(first), "at") == first
    assert (iso(first) < iso(second)) == (first < second)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02", AT - 11_045_123_456_789),
        ("2026-01-02T03:04:05", AT - 123_456_789),
        ("2026-01-02 03:04:05Z", AT - 123_456_789),
        ("2026-01-02T12:04:05.5+09:00", AT + 376_543_211),
        ("2026-01-02T03:04:05.123456789Z", AT),
    ],
)
def test_a_moment_is_read_in_utc_unless_it_says_otherwise(text: str, expected: int) -> None:
    """A day is its midnight; a fraction may have up to nine digits."""
    assert moment(text, "since") == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-01-02T03:04:05.1234567891Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """With the name of what it was given for."""
    with pytest.raises(InvalidInput, match=r"since=.*ISO 8601"):
        moment(text, "since")


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    """So two windows that meet share no moment."""
    window = Window(10, 20)
    assert [at for at in (9, 10, 19, 20) if window.holds(at)] == [10, 19]
    assert [Window(10).holds(9), Window(10).holds(10**20), Window(None, 20).holds(-5)] == [False, True, True]
    assert ALWAYS.holds(0)
