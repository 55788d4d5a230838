"""Time that passes only when nothing is left to do: an event loop for asyncio code whose clock is handed in.

A run under `run` uses no real time: when every task waits, the clock jumps to
the next timer. So an hour of timeouts takes milliseconds, and the same inputs
give the same interleaving, always.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

from fsm_arb.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

EPOCH_NS = 1_700_000_000 * NS_PER_S  # wall clock at the beginning, UTC


class Standstill(RuntimeError):
    """Every task waits and no timer is set: nothing would ever happen again."""


class VirtualClock:
    """Both clocks of a run. The monotonic one only moves forward; the wall clock may be made to jump.

    Args:
        start_ns: Monotonic reading at the beginning.
        epoch_ns: Wall clock at the beginning, UTC.
    """

    def __init__(self, start_ns: int = 0, epoch_ns: int = EPOCH_NS) -> None:
        self._now_ns = start_ns
        self._wall_offset_ns = epoch_ns - start_ns

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump."""
        return self._now_ns

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return self._now_ns + self._wall_offset_ns

    def advance(self, ns: int) -> None:
        """Let *ns* pass.

        Raises:
            ValueError: Time would go back.
        """
        if ns < 0:
            raise ValueError(f"ns={ns}: monotonic time does not go back")
        self._now_ns += ns

    def jump_wall(self, ns: int) -> None:
        """Set the wall clock ahead by *ns*, or back where it is negative."""
        self._wall_offset_ns += ns


class _Selector(selectors.SelectSelector):
    """Waits for nothing: moves the clock by the time it was asked to wait."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise Standstill("every task waits, and no timer is set")
        if timeout > 0:
            self._clock.advance(max(1, round(timeout * NS_PER_S)))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that lives by *clock*. It does no I/O."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_Selector(clock))
        self.clock = clock
        self._clock_resolution = 1e-7  # seconds are floats here: a timer set for now is due now

    def time(self) -> float:
        """Return the clock's reading in seconds."""
        return self.clock.monotonic_ns() / NS_PER_S

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Do it here and now: a thread would come back at no moment of virtual time."""
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - whoever awaits it is told
            done.set_exception(error)
        return done


def run(main: Coroutine[Any, Any, T], clock: VirtualClock) -> T:
    """Run *main* to its end in virtual time, as `asyncio.run` would in real time.

    Raises:
        Standstill: It waits for something that will never happen.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(main)
