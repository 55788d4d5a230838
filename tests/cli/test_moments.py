"""A moment as people write it."""

from __future__ import annotations

from typing import Any

import click
import pytest

from fsm_arb.cli.moments import Given, moment

S = 1_000_000_000
BEGAN = 1_700_000_000 * S + 250_000_000  # 2023-11-14 22:13:20.25 UTC
NONE: Any = None  # neither the command nor the option matters


def at(text: str) -> int:
    given = moment(NONE, NONE, text)
    assert isinstance(given, Given)
    return given.of(BEGAN)


@pytest.mark.parametrize(
    ("text", "later_ns"),
    [
        ("+0", 0),
        ("+1.5s", 3 * S // 2),
        ("+1.5", 3 * S // 2),
        ("+20ms", S // 50),
        ("+2m", 120 * S),
        ("+1h", 3600 * S),
        ("+0.000000001", 1),
    ],
)
def test_a_span_counts_from_the_beginning(text: str, later_ns: int) -> None:
    """To the nanosecond, in units that people use."""
    assert at(text) == BEGAN + later_ns


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("22:13:20", 1_700_000_000),  # the second that it began in
        ("22:13:21.5", 1_700_000_001.5),
        ("22:14", 1_700_000_040),
        ("00:00", 1_700_006_400),  # the night after
        ("22:13:19", 1_700_086_399),
    ],
)
def test_a_time_of_day_is_the_first_one_since_the_beginning(text: str, at_s: float) -> None:
    """In UTC, as the journal's times are told."""
    assert at(text) == int(at_s * S)


@pytest.mark.parametrize(
    "text", ["2023-11-14T22:13:21Z", "2023-11-14T22:13:21+00:00", "2023-11-15T07:13:21+09:00", "2023-11-14 22:13:21Z"]
)
def test_an_offset_is_counted_in(text: str) -> None:
    """Seoul's morning is the evening before in UTC."""
    assert at(text) == 1_700_000_001 * S


def test_microseconds_are_exact() -> None:
    """A float of seconds since 1970 could not hold them."""
    assert at("2023-11-14T22:13:21.123457Z") == 1_700_000_001 * S + 123_457_000


def test_nothing_given_is_nothing() -> None:
    """The whole trade is told then."""
    assert moment(NONE, NONE, None) is None


@pytest.mark.parametrize("text", ["", "1.5s", "+1.5x", "-3s", "2023-11-14T22:13:21", "25:00", "noon", "22:13:20+01:00"])
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    """A time without an offset is anybody's guess; the message says what to write."""
    with pytest.raises(click.BadParameter, match=r"is no moment; write \+1.5s"):
        moment(NONE, NONE, text)
