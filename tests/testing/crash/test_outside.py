"""The world goes on while processes come and go."""

from __future__ import annotations

import asyncio

from fsm_arb.testing.crash.outside import NS_PER_S, LifeClock, Outside
from fsm_arb.virtual import VirtualClock, VirtualLoop


def test_what_is_due_happens_while_nobody_lives() -> None:
    """In order, each at its time."""
    outside = Outside({})
    happened: list[tuple[str, int]] = []
    for seconds, name in ((3.0, "late"), (1.0, "soon"), (1.0, "next"), (9.0, "never")):
        outside.later(seconds, lambda name=name: happened.append((name, outside.clock.monotonic_ns())))  # type: ignore[misc]
    outside.pass_time(5.0)
    assert happened == [("soon", NS_PER_S), ("next", NS_PER_S), ("late", 3 * NS_PER_S)]
    assert outside.clock.monotonic_ns() == 5 * NS_PER_S
    assert not outside.quiet
    outside.pass_time(5.0)
    assert outside.quiet


def test_what_is_due_happens_in_whatever_loop_runs_by_then() -> None:
    """A request that is on its way arrives in the next life."""
    outside = Outside({})
    happened: list[int] = []
    outside.later(2.0, lambda: happened.append(outside.clock.monotonic_ns()))
    for _ in range(2):
        loop = VirtualLoop(outside.clock)
        outside.attach(loop)
        loop.run_until_complete(asyncio.sleep(1.5))
        outside.detach()
        loop.close()
    assert happened == [2 * NS_PER_S]


def test_a_life_has_a_clock_of_its_own() -> None:
    """Its monotonic one begins anywhere; the wall clock is everybody's."""
    clock = VirtualClock()
    clock.advance(7)
    life = LifeClock(clock, 1_000)
    clock.advance(5)
    assert life.monotonic_ns() == 1_005
    assert life.time_ns() == clock.time_ns()
