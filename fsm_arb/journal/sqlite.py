"""The embedded journal: one SQLite file, one writer thread, one fsync for everything that waits."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fsm_arb.clock import SystemClock
from fsm_arb.errors import InvalidInput, JournalFailed, JournalLocked
from fsm_arb.journal.opening import Files
from fsm_arb.journal.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.journal.reader import JournalReader
    from fsm_arb.ports import Batch, Clock, Record

RESERVE_BYTES = 4 << 20  # some five thousand records: enough to flatten what is live


class SqliteJournal:
    """A `Journal` in one file, with three small ones beside it.

    ``<path>.lock`` is held while it is open, ``<path>.mark`` remembers how far
    it once reached, and ``<path>.reserve`` is room for when the disk is full.

    Args:
        path: The file; made where there is none. Nothing is touched before `open`.
        mark: Whether a high-water mark is kept beside the file. A missing or
            damaged one is made anew with a WARNING, since a bot with open legs
            must be able to start; one that knows of more than the journal
            holds refuses it.
        reserve_bytes: Room kept back for when the disk is full; 0 for none.
        clock: Where time comes from; None for the system's.

    Raises:
        InvalidInput: The path is empty or names no file, or the reserve is negative.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mark: bool = True,
        reserve_bytes: int = RESERVE_BYTES,
        clock: Clock | None = None,
    ) -> None:
        name = os.fspath(path)
        if not name or name == ":memory:":
            raise InvalidInput("path", name, "must name a file; MemoryJournal keeps nothing on disk")
        if reserve_bytes < 0:
            raise InvalidInput("reserve_bytes", reserve_bytes, "must not be negative")
        self.path = Path(name)
        self._mark = mark
        self._reserve_bytes = reserve_bytes
        self._clock = clock or SystemClock()
        self._writer: Writer | None = None
        self._reader: JournalReader | None = None
        self._serving = False  # between an opening that succeeded and a closing that began

    @property
    def full(self) -> bool:
        """Whether the disk has filled up and the reserve is gone: entries must stop, remedies go on."""
        return self._writer is not None and self._writer.full

    async def open(self) -> int:
        """Take the lock, verify the tail of the chain, begin and return a new epoch.

        Cost follows the number of live streams, not of all records.

        Raises:
            JournalLocked: Another process drives it, or this one already does.
            JournalForeign: Not a journal, or of a version we cannot read.
            JournalCorrupt: The chain is broken or records are missing; names the first.
            JournalFull: There is no room even for a new epoch.
            JournalFailed: Anything else.
        """
        if self._writer is not None:
            raise JournalLocked(f"journal {self.path} is already open (this journal object)")
        # Resolved, so that two names of one file have one lock.
        files = Files.at(self.path.resolve(), mark=self._mark, reserve_bytes=self._reserve_bytes)
        writer = self._writer = Writer(files, self._clock, asyncio.get_running_loop())
        writer.start()
        try:
            epoch = await writer.opened
        except BaseException:
            # Failed, or nobody waits any more: then it closes as soon as it has opened.
            writer.stop()
            self._writer = None
            raise
        self._reader = files.reader
        self._serving = True
        return epoch

    async def append(self, batches: Sequence[Batch]) -> int:
        """Make all *batches* durable in one commit, or none, and return the sequence of the last of their records.

        Concurrent calls share an fsync.

        Cancelling the task that waits changes nothing: the records are written.

        Raises:
            JournalConflict: A stream is not at its expected sequence.
            JournalFenced: A later epoch exists, or somebody else has written.
            JournalFull: No room. A reserve has been released, `full` is True;
                what only makes exposure smaller may be tried once more.
            JournalFailed: Anything else; nothing of these batches is durable.
                (Where the disk failed in the very last fsync and the machine
                loses power before the next commit, they may come back; an
                intent that comes back was never sent and is found absent.)
        """
        if self._writer is None or not self._serving:
            raise JournalFailed(f"journal {self.path} is not open")
        loop = asyncio.get_running_loop()
        if loop is not self._writer.opened.get_loop():
            raise JournalFailed(f"journal {self.path} was opened on another event loop")
        if not batches:
            return 0
        future: asyncio.Future[int] = loop.create_future()
        self._writer.submit(batches, future)
        return await future

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order, each checked; none for an unknown stream.

        Raises:
            JournalCorrupt: Names the record that is wrong.
            JournalFailed: Not open, or the file cannot be read.
        """
        return self._reading().read(stream)

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first, read lazily.

        Raises:
            JournalFailed: Not open, or the file cannot be read.
        """
        return self._reading().streams(prefix, live=live)

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield all records in global order, checked, from the one after *after*.

        Raises:
            JournalCorrupt: Names the record that is wrong.
            JournalFailed: Not open, or the file cannot be read.
        """
        return self._reading().records(after)

    def verify(self) -> int:
        """Check everything, in bounded memory, and return how many records there are. May run in another thread.

        Raises:
            JournalCorrupt: Names the first record that is wrong or missing.
            JournalFailed: Not open, or the file cannot be read.
        """
        return self._reading().verify()

    async def close(self) -> None:
        """Wait for what is being written, then let go of lock and files. Does nothing when not open."""
        writer = self._writer
        if writer is None:
            return
        if self._serving:
            self._serving = False
            writer.stop()
        await asyncio.shield(writer.finished)
        self._writer = self._reader = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _reading(self) -> JournalReader:
        if self._reader is None:
            raise JournalFailed(f"journal {self.path} is not open")
        return self._reader
