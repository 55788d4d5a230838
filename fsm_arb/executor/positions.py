"""The positions of one executor, kept in step with its trades: in memory here, durable in the trades' commits."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from fsm_arb.errors import JournalError, PositionNotOpen
from fsm_arb.position import CrossExchangePosition, Position, PositionEntry
from fsm_arb.scribe import POSITION, Page, Scribe, position_drafts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fsm_arb.memory import Entry
    from fsm_arb.ports import Batch
    from fsm_arb.trade import Trade


def position_id_of(trade_id: str) -> str:
    """Return the id of the position that an entry opens."""
    return f"P-{trade_id}"


def position_of(trade: Trade) -> str:
    """Return the id of the position that *trade* would open, or closes."""
    return trade.decision.position_id or position_id_of(trade.trade_id)


class CrossExchangePositionManager:
    """Every position that is not closed, and those this process has touched."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._held: dict[str, tuple[Position, Page]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._doubtful: set[str] = set()  # what is in memory may not be durable

    def recover(self) -> None:
        """Read back every position that is not closed."""
        for position_id in self._scribe.position_ids(live=True):
            self.reread(position_id)

    def reread(self, position_id: str) -> None:
        """Put what is durable in the place of what is in memory."""
        found = self._scribe.position(position_id)
        self._doubtful.discard(position_id)
        if found is None:
            self._held.pop(position_id, None)
        else:
            self._held[position_id] = found

    @asynccontextmanager
    async def holding(self, position_id: str) -> AsyncIterator[None]:
        """Keep a position to oneself from its change in memory until that is durable, or has failed to become so.

        A change that did not become durable is forgotten: the next one starts from the journal.
        """
        lock = self._locks.get(position_id)
        if lock is None:
            lock = self._locks[position_id] = asyncio.Lock()
        async with lock:
            if position_id in self._doubtful:
                self.reread(position_id)
            try:
                yield
            except BaseException:
                self._doubtful.add(position_id)
                with suppress(JournalError):
                    self.reread(position_id)
                raise

    def all(self) -> tuple[CrossExchangePosition, ...]:
        """Return every position that is not closed, and those closed since the start."""
        return tuple(position.value for position, _ in self._held.values())

    def get(self, position_id: str) -> CrossExchangePosition:
        """Return one position.

        Raises:
            PositionNotOpen: There is none of this id.
        """
        if position_id not in self._held or position_id in self._doubtful:
            self.reread(position_id)
        if position_id not in self._held:
            raise PositionNotOpen(f"position {position_id} is unknown to this journal")
        return self._held[position_id][0].value

    def of_trade(self, trade: Trade) -> str | None:
        """Return the id of the position that *trade* opened or closes; None where there is none."""
        if trade.decision.action.is_exit:
            return trade.decision.position_id
        position_id = position_id_of(trade.trade_id)
        if position_id not in self._held and trade.bookings > (0 if trade.finished else 1):
            self.reread(position_id)  # closed long ago, and let go of
        return position_id if position_id in self._held else None

    def known(self, trade: Trade) -> CrossExchangePosition | None:
        """Return the position that *trade* opened or closes, as it stands; None where there is none."""
        position_id = self.of_trade(trade)
        return None if position_id is None else self.get(position_id)

    def start_exit(self, position_id: str, trade_id: str, at_ns: int) -> tuple[Page, Batch]:
        """Return the batch that begins an exit, to be written with the exit trade's first records.

        Raises:
            PositionNotOpen: It is unknown, closing or closed.
        """
        self.get(position_id)
        position, page = self._held[position_id]
        return self._batch(position, page, position.exit_started(trade_id), at_ns)

    def trade_moved(self, trade: Trade, records: Sequence[Entry]) -> list[tuple[Page, Batch]]:
        """Return what *records* of a trade that has ended do to its position, to be written in the same commit."""
        at_ns = records[-1].at_ns
        position_id = self.of_trade(trade)
        if position_id is not None:
            self.get(position_id)
            position, page = self._held[position_id]
            entries = position.trade_ended(trade)
        else:
            if not self._opens(trade) or all(record.trigger != "booked" for record in records):
                return []
            position, entries = Position.opened(position_id_of(trade.trade_id), trade)
            page = Page(POSITION + position.value.position_id)
            self._held[position.value.position_id] = position, page
        return [self._batch(position, page, entries, at_ns)] if entries else []

    @staticmethod
    def _opens(trade: Trade) -> bool:
        """Whether what was booked is enough for both venues to take an exit."""
        ledger = trade.ledger
        return (
            ledger is not None
            and trade.booked_quantity is not None
            and abs(trade.booked_quantity) >= max(leg.least for leg in ledger.plan.legs)
        )

    @staticmethod
    def _batch(position: Position, page: Page, entries: tuple[PositionEntry, ...], at_ns: int) -> tuple[Page, Batch]:
        return page, page.batch(position_drafts(entries, at_ns), live=not position.closed)
