"""Policies that are drawn: any that an author could write, and what he did write stays."""

from __future__ import annotations

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.policy import REQUEST_WINDOW_S, DoubtRemedy, ExecutionPolicy, Placement
from fsm_arb.testing.strategies.policies import policies


@given(policies())
def test_whatever_is_drawn_is_a_policy_without_a_warning(policy: ExecutionPolicy) -> None:
    """A fence that is shorter than a venue's window would be the author's own fault."""
    assert policy.absence_fence_s >= REQUEST_WINDOW_S
    assert policy.doubt_remedy is DoubtRemedy.WAIT


@given(policies(placement="sequential", attempts_max=st.integers(2, 3), doubt_remedy=DoubtRemedy.ACT_ON_KNOWN))
def test_what_is_named_stays_as_it_is_given(policy: ExecutionPolicy) -> None:
    """A value as it is, a strategy as it draws."""
    assert policy.placement is Placement.SEQUENTIAL
    assert policy.attempts_max in {2, 3}
    assert policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN


def test_the_simplest_is_the_default() -> None:
    """A failure that has nothing to do with the policy shows the policy everybody knows."""
    assert find(policies(), lambda _: True) == ExecutionPolicy()


def test_a_name_that_is_no_field_is_refused() -> None:
    """A number that was meant and is not set would be tested by nobody."""
    with pytest.raises(TypeError, match="slippage: no field"):
        policies(slippage=3)
