"""Who waits for a trade whose records cannot be made durable is told so, and does not wait for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fsm_arb.errors import JournalError

T = TypeVar("T")


class Troubles:
    """Which trades' records are not durable though they should be, and who must be told."""

    def __init__(self) -> None:
        self._known: dict[str, JournalError] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def begin(self, trade_id: str, error: JournalError) -> None:
        """Answer with *error* whoever waits for this trade, or asks for it until the trouble is over."""
        self._known[trade_id] = error
        for waiting in self._waiting.pop(trade_id, ()):
            if not waiting.done():
                waiting.set_exception(error)

    def end(self, trade_id: str) -> None:
        """Its records are durable again."""
        self._known.pop(trade_id, None)

    def check(self, trade_id: str) -> None:
        """Make sure that a trade is in no trouble, before it is told anything.

        Raises:
            JournalError: Its records cannot be made durable.
        """
        if trade_id in self._known:
            raise self._known[trade_id]

    async def unless(self, trade_id: str, wanted: Awaitable[T]) -> T:
        """Return what *wanted* returns, unless the trade is in trouble or gets into it: then nobody waits for it.

        Raises:
            JournalError: The trade's records cannot be made durable.
        """
        answer = asyncio.ensure_future(wanted)
        trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if trade_id in self._known:
            trouble.set_exception(self._known[trade_id])
        waiting = self._waiting.setdefault(trade_id, set())
        waiting.add(trouble)
        try:
            both: tuple[asyncio.Future[Any], ...] = answer, trouble
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                trouble.result()  # raises
            return answer.result()
        finally:
            answer.cancel()
            waiting.discard(trouble)
            if not waiting and self._waiting.get(trade_id) is waiting:
                del self._waiting[trade_id]
            if not trouble.cancel():
                trouble.exception()
