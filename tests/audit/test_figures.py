"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.audit.figures import amount, clock, money, round_marks, seconds, time_marks

D = Decimal
SECOND = 1_000_000_000
NOON = 1_700_049_600 * SECOND  # 2023-11-15 12:00:00 UTC


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234567.891", "1,234,567.89"),
        ("-0.5", "\N{MINUS SIGN}0.50"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("0.0042", "0.004200"),
        ("-0.0000001", "0.000000"),
    ],
)
def test_money_is_told_to_the_hundredth(value: str, text: str) -> None:
    """What is too little for that to six digits; never minus nothing."""
    assert money(D(value)) == text
    assert money(D(value), "KRW") == f"{text} KRW"
    assert money(None, "KRW") == "unknown"


@pytest.mark.parametrize(
    ("value", "text"), [("1.500", "1.5"), ("-2E+2", "\N{MINUS SIGN}200"), ("-0.00", "0"), ("0.00001", "0.00001")]
)
def test_amounts_have_no_exponent(value: str, text: str) -> None:
    """Nor zeros that say nothing."""
    assert amount(D(value)) == text


def test_times_and_durations() -> None:
    """UTC; minutes where seconds would be many."""
    assert (clock(NOON), clock(NOON, days=True)) == ("12:00:00", "2023-11-15 12:00:00")
    assert (seconds(D("1.234")), seconds(D(600))) == ("1.23 s", "10.0 min")


@pytest.mark.parametrize(
    ("span_s", "step_s", "days"),
    [
        (0, 1, False),
        (6, 1, False),
        (345, 60, False),
        (86_400, 14_400, False),
        (7 * 86_400, 86_400, True),
        (90 * 86_400, 13 * 86_400, True),
    ],
)
def test_an_axis_of_time_has_few_round_marks(span_s: int, step_s: int, days: bool) -> None:
    """Seven or so, and the day with them where there is more than one."""
    marks, with_days = time_marks(NOON, NOON + span_s * SECOND)
    assert {after - before for before, after in pairwise(marks)} <= {step_s * SECOND}
    assert all(NOON <= mark <= NOON + span_s * SECOND and mark % (step_s * SECOND) == 0 for mark in marks)
    assert len(marks) <= 8
    assert with_days is days


@given(*(st.decimals(min_value=-(10**9), max_value=10**9, places=3) for _ in "ab"))
def test_an_axis_of_amounts_holds_both_ends(one: Any, other: Any) -> None:
    """On round numbers, evenly apart, and not many of them."""
    low, high = min(one, other), max(one, other)
    marks = round_marks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 9
    (step,) = {after - before for before, after in pairwise(marks)}
    assert step.scaleb(-step.adjusted()) in {D(1), D(2), D("2.5"), D(5)}
