"""All that outlives a process: time, the venues' books, what is durable, and what has come to their doors."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING

from attrs import define, field

from fsm_arb.testing.crash.exchange import Answer, Exchange
from fsm_arb.testing.crash.witness import Witness
from fsm_arb.virtual import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsm_arb.testing.glimpse import Checker

NS_PER_S = 1_000_000_000
MARKETS = {"alpha": "BTC/USD", "beta": "BTC/USDT"}


@define(order=True)
class _Due:
    at: int
    number: int
    action: Callable[[], None] = field(order=False)


class Outside:
    """The world that processes come and go in.

    Args:
        answers: By venue, what becomes of the orders that are sent there, one after the other.
        checkers: What is judged after everything that happens.
    """

    def __init__(self, answers: Mapping[str, Sequence[Answer]], checkers: Sequence[Checker] = ()) -> None:
        self.clock = VirtualClock()
        self.newest_epoch = 0  # the newest that was begun
        self.exchanges = {
            name: Exchange(name, symbol, answers.get(name, ()), self.later, base_fees=name == "beta")
            for name, symbol in MARKETS.items()
        }
        self.witness = Witness(self.exchanges, self.clock.monotonic_ns, checkers)
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None

    # -------------------------------------------------------------- time

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do *action* after *seconds*, whatever process lives by then."""
        due = _Due(self.clock.monotonic_ns() + round(seconds * NS_PER_S), next(self._numbers), action)
        heapq.heappush(self._due, due)
        self._arm(due)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let what is due happen while *loop* runs."""
        self._loop = loop
        for due in self._due:
            self._arm(due)

    def detach(self) -> None:
        """No process runs any more."""
        self._loop = None

    def pass_time(self, seconds: float) -> None:
        """Let time pass while no process runs; what is due happens."""
        end = self.clock.monotonic_ns() + round(seconds * NS_PER_S)
        while self._due and self._due[0].at <= end:
            self.clock.advance(max(self._due[0].at - self.clock.monotonic_ns(), 0))
            self._happen()
        self.clock.advance(end - self.clock.monotonic_ns())

    @property
    def quiet(self) -> bool:
        """Whether nothing is on its way and nothing will fill."""
        return not self._due

    def _arm(self, due: _Due) -> None:
        if self._loop is not None:
            self._loop.call_at(due.at / NS_PER_S, self._happen)

    def _happen(self) -> None:
        while self._due and self._due[0].at <= self.clock.monotonic_ns():
            heapq.heappop(self._due).action()


class LifeClock:
    """The clocks as one process reads them: its monotonic one begins wherever it likes, as after a reboot."""

    def __init__(self, clock: VirtualClock, first_ns: int) -> None:
        self._clock = clock
        self._ahead_ns = first_ns - clock.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump, within one process."""
        return self._clock.monotonic_ns() + self._ahead_ns

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, UTC: the same for all."""
        return self._clock.time_ns()
