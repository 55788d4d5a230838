"""The small world that is explored: sizes, durations, books."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.explorer.bounds import SURVEYS, UNIT_S, Bounds, scaled, world_of
from fsm_arb.values import Side

D = Decimal


def durations(**given: object) -> tuple[int, int, int]:
    """Return how long an order lives, the fence and the longest doubt, in units."""
    small = scaled(ExecutionPolicy(**given), attempts=2)  # type: ignore[arg-type]
    return tuple(int(each / UNIT_S) for each in (small.fill_timeout_s, small.absence_fence_s, small.doubt_max_s))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("given", "units"),
    [
        ({}, (1, 1, 2)),
        ({"doubt_max_s": 15}, (1, 1, 1)),
        ({"doubt_max_s": 12}, (1, 2, 1)),
        ({"fill_timeout_s": 60}, (2, 1, 3)),
        ({"fill_timeout_s": 600}, (3, 1, 2)),
        ({"fill_timeout_s": 120}, (2, 1, 2)),
        ({"doubt_max_s": 0}, (1, 2, 0)),
    ],
)
def test_durations_keep_their_order(given: dict[str, object], units: tuple[int, int, int]) -> None:
    """A fence that is shorter than the longest doubt stays shorter, and what is equal stays equal."""
    assert durations(**given) == units


def test_waits_that_are_compared_with_nothing_are_one_unit() -> None:
    """The back-off and the slow retry need a moment of their own, however long they are."""
    small = scaled(ExecutionPolicy(backoff_s="0.25", halted_retry_s=900, attempts_max=7), attempts=3)
    assert (small.backoff_s, small.halted_retry_s, small.attempts_max) == (D(UNIT_S), D(UNIT_S), 3)
    assert scaled(ExecutionPolicy(backoff_s=0), attempts=3).backoff_s == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [({"lots": 0}, "lots"), ({"lots": 8}, "lots"), ({"least": 3}, "least"), ({"faults": -1}, "faults")],
)
def test_bounds_that_cannot_be_are_refused(given: dict[str, int], named: str) -> None:
    """What does not fit the small numbers is said at once, by name."""
    with pytest.raises(InvalidInput, match=f"^{named}="):
        Bounds(**given)  # type: ignore[arg-type]


def test_a_trade_is_as_many_lots_as_asked_for() -> None:
    """Both legs are sized alike, and the least order is the dust."""
    plan = world_of(Bounds(lots=3, least=2)).plan
    assert (plan.quantity, plan.dust, plan.legs[0].amount, plan.legs[1].amount) == (3, 2, 3, 3)


@pytest.mark.parametrize(("kind", "name"), list(enumerate(SURVEYS)))
@pytest.mark.parametrize("side", Side)
def test_a_survey_shows_what_it_is_called(kind: int, name: str, side: Side) -> None:
    """The book of the venue that leads is the one an unwind would trade on."""
    shown = world_of(Bounds(lots=2)).survey(kind, 1, side.sign, now=5)
    lag, lead = shown.legs
    prices = [leg.book.touch(side) if leg else None for leg in (lag, lead)]
    match name:
        case "completing is cheaper":
            assert prices[0] is not None
            assert prices[1] is not None
            assert (prices[0] - prices[1]) * side.sign < 0
        case "unwinding is cheaper":
            assert prices[0] is not None
            assert prices[1] is not None
            assert (prices[0] - prices[1]) * side.sign > 0
        case "only completing can be sent" | "the leading venue is silent":
            assert prices[0] is not None
            assert prices[1] is None
        case "only unwinding can be sent" | "the lagging venue is silent":
            assert prices[0] is None
            assert prices[1] is not None
        case "neither can be sent":
            assert prices == [None, None]
        case _:
            assert lag is not None
            assert lag.balances is not None
            assert lag.balances.of("BTC") == 1
    assert (lag is None, lead is None) == (name == "the lagging venue is silent", name == "the leading venue is silent")
