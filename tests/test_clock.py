"""The system's clocks."""

from __future__ import annotations

import time

from fsm_arb.clock import NS_PER_MS, NS_PER_S, SystemClock


def test_both_clocks_are_the_system_s_in_nanoseconds() -> None:
    """One that never jumps, and one that tells the time of day."""
    clock = SystemClock()
    before = time.monotonic_ns(), time.time_ns()
    between = clock.monotonic_ns(), clock.time_ns()
    assert before[0] <= between[0] <= time.monotonic_ns()
    assert abs(between[1] - before[1]) < 10 * NS_PER_S


def test_the_units() -> None:
    """A thousand of the one in the other."""
    assert NS_PER_S == 1000 * NS_PER_MS == 10**9
