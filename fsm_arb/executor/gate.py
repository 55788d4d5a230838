"""Who may call a venue next: cancels and remedies never queue behind entries."""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WIDTH = 32  # calls to one venue at once
KEPT_BACK = 16  # of these, for what flattens a trade


class Lane(enum.IntEnum):
    """What a call is for, most urgent first."""

    FLATTEN = 0  # cancels, remedies, and what they need to know
    OBSERVE = 1
    ENTER = 2  # first orders and the readings before them


class Gate:
    """Lets calls to one venue through, by lane, and keeps room back for the urgent one."""

    def __init__(self, width: int = WIDTH, kept_back: int = KEPT_BACK) -> None:
        self._width = width
        self._open_to = {Lane.FLATTEN: width, Lane.OBSERVE: width - kept_back // 2, Lane.ENTER: width - kept_back}
        self._inside = 0
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Wait for a place in *lane*, and hold it for the length of the block."""
        if self._inside >= self._open_to[lane] or any(self._waiting[other] for other in Lane if other <= lane):
            await self._wait(lane)
        else:
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._admit()

    async def _wait(self, lane: Lane) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._inside -= 1  # it was let in while it was being cancelled
                self._admit()
            raise

    def _admit(self) -> None:
        """Let in whoever may go now, the most urgent lane first. A place is counted when it is given."""
        for lane in Lane:
            queue = self._waiting[lane]
            while queue and self._inside < self._open_to[lane]:
                place = queue.popleft()
                if not place.done():
                    self._inside += 1
                    place.set_result(None)
            if queue:
                return
