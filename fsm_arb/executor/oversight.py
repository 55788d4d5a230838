"""What happens while a trade's records cannot be made durable: people are told, callers are answered, nothing is sent.

A commit that takes too long is not given up, since nobody knows what becomes
of it. What rests is cancelled, again and again, and a person is called, with
growing pauses. Only whoever leaves the executor is not held up for ever.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Self

from fsm_arb.errors import JournalFailed
from fsm_arb.executor.entries import Cause
from fsm_arb.executor.rescue import cancel_all
from fsm_arb.values import ZERO, plain

if TYPE_CHECKING:
    from types import TracebackType

    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Memory

logger = logging.getLogger(__name__)

OVERDUE_S = 10.0  # a commit that takes longer is no slow disk any more
PAUSE_MAX_S = 300.0
TRIES_WHEN_LEAVING = 3


class GaveUp(JournalFailed):
    """The executor is being left, and the journal has been dead for too long to be waited for."""


class Oversight:
    """Watches one commit of a trade: an async context around it."""

    def __init__(self, services: Services, trade: Memory) -> None:
        self._services = services
        self._trade = trade
        self._since = 0
        self._watch: asyncio.Task[None] | None = None
        self._gave_up = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a commit is made in a task")
        self._task = task
        self._since = self._services.clock.monotonic_ns()
        self._alarm = asyncio.get_running_loop().call_later(OVERDUE_S, self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        if self._watch is None:
            return
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        if not self._gave_up:
            self._services.troubles.end(self._trade.trade_id)
        elif self._task.uncancel() == 0 and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise GaveUp(f"trade {self._trade.trade_id}: a commit has no end") from error

    def _begin(self) -> None:
        name = f"overdue commit of {self._trade.trade_id}"
        self._watch = asyncio.get_running_loop().create_task(self._oversee(), name=name)

    async def _oversee(self) -> None:
        services, trade = self._services, self._trade
        pause, tries = OVERDUE_S, 0
        while True:
            waited_s = (services.clock.monotonic_ns() - self._since) / 1_000_000_000
            words = f"trade {trade.trade_id}: a commit has been out for {waited_s:.0f} s; {naked(trade)}"
            services.entries.stop(words, Cause.COMMIT)
            services.alerts.raise_alert("journal stalled", words, {"trade": trade.trade_id})
            services.troubles.begin(trade.trade_id, JournalFailed(words))
            await cancel_all(services, trade)
            if services.leaving.is_set():
                tries += 1
                if tries >= TRIES_WHEN_LEAVING:
                    self._gave_up = True
                    self._task.cancel()
                    return
                pause = OVERDUE_S
            await pause_for(pause, services)
            pause = min(pause * 2, PAUSE_MAX_S)


async def pause_for(seconds: float, services: Services) -> None:
    """Wait for *seconds*, or until the executor is being left."""
    if services.leaving.is_set():
        await asyncio.sleep(seconds)
        return
    leaving = asyncio.ensure_future(services.leaving.wait())
    try:
        await asyncio.wait({leaving}, timeout=seconds)
    finally:
        leaving.cancel()


def naked(trade: Memory) -> str:
    """Say what of *trade* is naked, now and at worst."""
    worst = trade.ledger.worst_exposure if trade.ledger else ZERO
    return f"{plain(trade.exposure)} {trade.decision.legs[0].base} is naked, {plain(worst)} at worst"
