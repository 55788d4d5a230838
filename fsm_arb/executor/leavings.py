"""Dust on the journal: what trades have left that are not watched any more, so that a restart forgets none of it.

What a trade leaves is read off its own records for as long as a start takes it
up. In the commit that ends its watch it moves into one sum, and back out of it
in the commit that begins its watch again: it is counted once at any moment.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fsm_arb.codec import dumps
from fsm_arb.ports import Draft
from fsm_arb.residuals import NOTHING, Leftover, Residuals
from fsm_arb.scribe import DUST, Page
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fsm_arb.ports import Batch
    from fsm_arb.scribe import Scribe
    from fsm_arb.trade import Trade

RECORDS_MAX = 500  # of one stream, so that a start reads no more than these


class Leavings:
    """What finished trades have left, in memory and on the journal."""

    def __init__(self, scribe: Scribe) -> None:
        self.residuals = Residuals()
        self._scribe = scribe
        self._lock = asyncio.Lock()
        self._sum: Leftover = NOTHING
        self._page = Page(f"{DUST}1")
        self._doubtful = False  # what is in memory may not be durable

    def recover(self) -> None:
        """Read back what is left.

        Raises:
            JournalError: It cannot be read.
        """
        self._reread()
        self.residuals.restore(self._sum.assets)

    def _reread(self) -> None:
        *_, last = "", *self._scribe.journal.streams(DUST)
        if last:
            self._sum, count = self._scribe.last(last)
            self._page = Page(last, count)
        self._doubtful = False

    @asynccontextmanager
    async def settling(self, trade: Trade, page: Page, at_ns: int) -> AsyncIterator[Sequence[tuple[Page, Batch]]]:
        """Give what is to be written together with the next records of *trade*, which are durable when it is left.

        Args:
            trade: As it stands with those records.
            page: Its place on the journal, before them.
            at_ns: Wall clock, UTC ns.
        """
        before = ZERO if page.live else self.residuals.left_by(trade.trade_id)
        by = (trade.exposure if trade.finished else ZERO) - before
        if not by:
            yield ()
            return
        async with self._lock:  # each sum follows from the one that is durable
            if self._doubtful:
                self._reread()
            whole = self._sum.changed(trade.decision.legs[0].base, by, trade.trade_id)
            mine = self._page if self._page.seq < RECORDS_MAX else _next(self._page)
            draft = Draft(at_ns=at_ns, trigger="left", state_before="", state_after="", payload=dumps(whole))
            try:
                yield ((mine, mine.batch([draft], live=False)),)
            except BaseException:
                self._doubtful = True
                raise
            self._sum, self._page = whole, mine


def _next(page: Page) -> Page:
    return Page(f"{DUST}{int(page.stream.removeprefix(DUST)) + 1}")
