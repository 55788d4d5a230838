"""The risk guard's history on the journal: sums in one stream a day, and each round trip's own part in a stream of its.

So a record is as large as there are markets, however many trades there were,
and a start reads the last record of the last day, and of the round trips that
are still open.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import TYPE_CHECKING

from fsm_arb.errors import JournalError
from fsm_arb.risk.history import Counted, RiskHistory
from fsm_arb.scribe import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Clock
    from fsm_arb.scribe import Scribe

logger = logging.getLogger(__name__)

RISK = "risk/"  # one stream a day, so that a start reads a day at most
COUNTED = "counted/"  # one stream a round trip: what a correction of it needs, read where one may come
_EPOCH = dt.date(1970, 1, 1)


class Keeping:
    """Writes down what has changed of a history, in the background, and reads it back.

    Args:
        scribe: Where it is kept.
        clock: Where time comes from.
        kept: Called with a history that has become durable.
    """

    def __init__(self, scribe: Scribe, clock: Clock, kept: Callable[[RiskHistory], None]) -> None:
        self._scribe = scribe
        self._clock = clock
        self._kept = kept
        self._page = Page("")
        self._pages: dict[str, Page] = {}  # of round trips, by name
        self._seen = self._durable = RiskHistory()
        self._unwritten: dict[str, Counted] = {}
        self._writing: asyncio.Task[None] | None = None

    def reread(self) -> RiskHistory | None:
        """Return the history as it was kept last; None where there is none.

        Raises:
            JournalError: It cannot be read.
        """
        stream = ""
        for stream in self._scribe.journal.streams(RISK):  # noqa: B007 - the last one is today's, or the last day's
            pass
        if not stream:
            return None
        history, count = self._scribe.last(stream)
        self._page = Page(stream, count)
        self._seen = self._durable = history.sums
        return self._durable

    def recall(self, name: str) -> Counted | None:
        """Return what was counted for a round trip, by its entry's id; None: nothing was.

        Raises:
            JournalError: It cannot be read.
        """
        if next(iter(self._scribe.journal.read(COUNTED + name)), None) is None:
            return None
        counted, count = self._scribe.last(COUNTED + name)
        self._pages[name] = Page(COUNTED + name, count)
        self._seen = self._seen.recall(name, counted)
        return counted if isinstance(counted, Counted) else None

    def keep(self, history: RiskHistory) -> None:
        """Write *history* down soon, as far as it has changed."""
        if history is not self._seen:
            seen = self._seen.counted
            self._unwritten |= {name: each for name, each in history.counted.items() if seen.get(name) != each}
            self._seen = history
        if self._to_write() and (self._writing is None or self._writing.done()):
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="risk history")

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    def _to_write(self) -> bool:
        return bool(self._unwritten) or self._seen.sums != self._durable

    async def _write(self) -> None:
        """Write the sums, and each round trip that was counted or corrected since, in one commit."""
        while self._to_write():
            history, counted = self._seen.sums, dict(self._unwritten)
            try:
                await self._scribe.note(self._notes(history, counted), self._clock.time_ns())
            except JournalError as error:
                self._page, self._pages = Page(""), {}  # to be read again: how they stand is not known
                logger.warning(
                    "the risk guard's history could not be written, and will be with its next change: %s", error
                )
                return
            self._durable = history
            self._unwritten = {name: each for name, each in self._unwritten.items() if counted.get(name) is not each}
            self._pages = {name: page for name, page in self._pages.items() if name in self._seen.counted}
            self._kept(history)

    def _notes(self, history: RiskHistory, counted: dict[str, Counted]) -> list[tuple[Page, RiskHistory | Counted]]:
        stream = f"{RISK}{_EPOCH + dt.timedelta(days=history.day)}"
        if stream != self._page.stream:
            self._page = self._page_of(stream)
        for name in counted.keys() - self._pages.keys():
            self._pages[name] = self._page_of(COUNTED + name)
        return [(self._page, history), *((self._pages[name], each) for name, each in counted.items())]

    def _page_of(self, stream: str) -> Page:
        return Page(stream, sum(1 for _ in self._scribe.journal.read(stream)))
