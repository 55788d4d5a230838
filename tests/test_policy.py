"""The numbers of an executor: what they may be, and what follows from them."""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.errors import InvalidInput
from fsm_arb.policy import POLICY_FIELDS, DoubtRemedy, ExecutionPolicy, Placement, Remedy, loss_bound, seconds_ns
from fsm_arb.values import OrderType

D = Decimal


def test_the_defaults_stand() -> None:
    """None of them warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = ExecutionPolicy()
    assert (policy.placement, policy.order_type, policy.remedy) == (
        Placement.SIMULTANEOUS,
        OrderType.IOC,
        Remedy.CHEAPEST,
    )
    assert policy.doubt_remedy is DoubtRemedy.WAIT
    assert (policy.slippage_bps, policy.attempts_max, policy.absence_fence_s) == (20, 5, 15)


@pytest.mark.parametrize("value", [2, 2.5, "2.5", D("2.5")])
def test_a_number_may_be_given_in_any_form(value: Any) -> None:
    """A float by the digits it prints."""
    assert ExecutionPolicy(fill_timeout_s=value).fill_timeout_s == D(str(value))
    assert ExecutionPolicy(widen_bps=0.1).widen_bps == D("0.1")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["placement", "order_type", "remedy", "doubt_remedy"])
def test_a_choice_may_be_given_by_name_or_member_and_nothing_else(name: str) -> None:
    """The error lists what there is."""
    default = getattr(ExecutionPolicy(), name)
    assert getattr(ExecutionPolicy(**{name: default.value}), name) is default
    assert getattr(ExecutionPolicy(**{name: default}), name) is default
    with pytest.raises(InvalidInput, match=f"{name}='sideways': must be one of .*{default.value}"):
        ExecutionPolicy(**{name: "sideways"})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("fill_timeout_s", 0, "greater than zero"),
        ("fill_timeout_s", "soon", "is not a number"),
        ("fill_timeout_s", float("nan"), "must be finite"),
        ("fill_timeout_s", True, "not bool"),
        ("request_timeout_s", -1, "greater than zero"),
        ("slippage_bps", -1, "must not be negative"),
        ("slippage_bps", 10_000, "must be below 10000 bps"),
        ("widen_bps", 10_000, "must be below 10000 bps"),
        ("max_remedy_loss_bps", 10_000, "must be below 10000 bps"),
        ("attempts_max", -1, "must be a whole number"),
        ("attempts_max", 2.5, "must be a whole number"),
        ("attempts_max", True, "must be a whole number"),
        ("attempts_max", "5", "must be a whole number"),
        ("halted_retry_s", 0, "greater than zero"),
        ("poll_interval_s", 0, "greater than zero"),
        ("doubt_max_s", -1, "must not be negative"),
        ("placement", "maker_taker", "is not built yet"),
        ("fx_min_confidence", "-0.1", "must not be negative"),
        ("fx_min_confidence", 80, "must be from 0 to 1"),
    ],
)
def test_a_number_out_of_range_is_named(name: str, value: Any, reason: str) -> None:
    """With field and value, before anything happened."""
    with pytest.raises(InvalidInput, match=reason) as error:
        ExecutionPolicy(**{name: value})
    assert error.value.field == name


def test_a_fence_shorter_than_the_request_window_is_taken_with_a_warning() -> None:
    """Tests need it; an order believed absent may still be accepted."""
    with pytest.warns(UserWarning, match=r"absence_fence_s=9\.9: shorter than the 10 s request window"):
        assert ExecutionPolicy(absence_fence_s="9.9").absence_fence_s == D("9.9")  # type: ignore[arg-type]


def test_the_band_widens_by_the_same_step_each_time() -> None:
    """As a fraction of the price."""
    policy = ExecutionPolicy()
    assert [policy.band(attempt) for attempt in (0, 1, 4)] == [D("0.002"), D("0.004"), D("0.01")]


@pytest.mark.parametrize(
    ("changes", "final"),
    [
        ({}, "0.01"),
        ({"attempts_max": 1}, "0.002"),
        ({"attempts_max": 0}, "0.002"),
        ({"max_remedy_loss_bps": 50}, "0.005"),
    ],
)
def test_the_final_band_is_that_of_the_last_attempt_within_the_cap(changes: dict[str, Any], final: str) -> None:
    """No remedy goes further."""
    assert ExecutionPolicy(**changes).final_band == D(final)


def test_the_wait_doubles_from_the_second_attempt_on_and_stops_growing_in_the_end() -> None:
    """None before the first; a run of thousands does not wait for longer than the universe lasts."""
    policy = ExecutionPolicy(backoff_s="0.5")  # type: ignore[arg-type]
    assert [policy.backoff_ns(attempt) / 10**9 for attempt in range(5)] == [0, 0.5, 1, 2, 4]
    assert policy.backoff_ns(17) == policy.backoff_ns(10_000)


def test_the_loss_bound_is_on_the_losing_side() -> None:
    """Above the decision's price for a buyer, below it for a seller."""
    policy = ExecutionPolicy()
    assert loss_bound(D(100), 1, policy) == 103
    assert loss_bound(D(100), -1, policy) == 97


def test_seconds_are_whole_nanoseconds() -> None:
    """Whatever is left is dropped."""
    assert seconds_ns(D("1.5")) == 1_500_000_000
    assert seconds_ns(D("0.0000000019")) == 1


def test_every_field_is_described() -> None:
    """A bot author reads the class."""
    doc = ExecutionPolicy.__doc__ or ""
    assert [name for name in POLICY_FIELDS if f"\n        {name}: " not in doc] == []
