"""Virtual time: it passes only when nothing is left to do, and the same run gives the same order."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from fsm_arb.clock import NS_PER_S
from fsm_arb.virtual import EPOCH_NS, Standstill, VirtualClock, run


def test_an_hour_takes_no_time() -> None:
    """A sleep is a jump of the clock, to the nanosecond."""
    clock = VirtualClock()
    began = time.monotonic()
    run(asyncio.sleep(3600), clock)
    assert clock.monotonic_ns() == pytest.approx(3600 * NS_PER_S, abs=1000)
    assert time.monotonic() - began < 5


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Whatever the order in which they were set."""
    seen: list[float] = []

    async def later(seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append(seconds)

    async def main() -> None:
        await asyncio.gather(*(later(each) for each in (0.3, 0.1, 7200, 0.2)))

    run(main(), VirtualClock())
    assert seen == [0.1, 0.2, 0.3, 7200]


def test_time_outs_work() -> None:
    """What never answers is given up at its time."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()

    clock = VirtualClock(start_ns=NS_PER_S)
    run(main(), clock)
    assert clock.monotonic_ns() == pytest.approx(6 * NS_PER_S, abs=1000)


def test_a_run_that_waits_for_nothing_is_named() -> None:
    """A deadlock is an error at once, not a test that hangs."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Standstill):
        run(main(), VirtualClock())


def test_the_wall_clock_jumps_alone() -> None:
    """Deadlines do not notice; the audit does."""
    clock = VirtualClock()
    clock.jump_wall(-NS_PER_S)
    assert clock.monotonic_ns() == 0
    assert clock.time_ns() == EPOCH_NS - NS_PER_S
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_what_would_run_in_a_thread_runs_here_and_now() -> None:
    """So that the same inputs give the same interleaving; what it raises is told to whoever awaits it."""

    def fails() -> None:
        raise ValueError("mine")

    async def main() -> tuple[int, int]:
        before = clock.monotonic_ns()
        here = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ValueError, match="mine"):
            await asyncio.to_thread(fails)
        return here, clock.monotonic_ns() - before

    clock = VirtualClock()
    assert run(main(), clock) == (threading.get_ident(), 0)
