"""Where a journal stands while processes come and go: in memory, or in files that each death leaves as they are."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from fsm_arb.errors import JournalFailed
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.testing.crash.damage import copied

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from fsm_arb.ports import Batch, Journal, Record

T = TypeVar("T")

QUIET_S = 10.0  # how long the mark beside a journal may lag behind it, in real time


class Storage(Protocol):
    """What stays when a process is gone."""

    def journal(self) -> Journal:
        """Return the journal for the next life."""
        ...

    def gone(self, *, died: bool) -> None:
        """Take in that the life is over; *died*: without having closed anything."""
        ...


class InMemory:
    """Fast: what is durable stands in a `MemoryDisk`."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()
        self._journal: MemoryJournal | None = None

    def journal(self) -> MemoryJournal:
        """Return the journal for the next life."""
        self._journal = MemoryJournal(self.disk)
        return self._journal

    def gone(self, *, died: bool) -> None:
        """Let go of the disk, as an operating system does."""
        del died
        if self._journal is not None:
            self._journal.kill()


class InFiles:
    """Real: each life drives a `SqliteJournal` in a folder of its own, which begins as the last one's files were.

    Args:
        folder: Where the folders are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._life = 0
        self._journal: FileJournal | None = None

    @property
    def path(self) -> Path:
        """The journal of the life that is, or was last."""
        return self._folder / str(self._life) / "trades.db"

    def journal(self) -> FileJournal:
        """Return the journal for the next life."""
        before, self._life = self.path, self._life + 1
        copied(before, self.path)
        self._journal = FileJournal(SqliteJournal(self.path, reserve_bytes=0))
        return self._journal

    def gone(self, *, died: bool) -> None:
        """Keep the files as they are, log and mark and all, and only then let the journal be closed."""
        journal, self._journal = self._journal, None
        if journal is None:
            return
        if died:
            _wait_for_mark(self.path)
            copied(self.path, self.path.with_name("at-death.db"))
        journal.end()
        if died:
            copied(self.path.with_name("at-death.db"), self.path)


def _wait_for_mark(path: Path) -> None:
    """Wait until the mark, which is written after the answer, has seen what is durable.

    Raises:
        JournalFailed: It never does.
    """
    if not path.exists():
        return
    deadline = time.monotonic() + QUIET_S
    with JournalReader(path) as reader:
        while (mark := reader.mark()) is None or mark.seq != reader.last()[0]:
            if time.monotonic() > deadline:
                raise JournalFailed(f"the mark of {path} does not follow it")
            time.sleep(0.0005)


class FileJournal:
    """A `Journal` in files for a process in virtual time: while the disk works, no time passes there."""

    def __init__(self, inner: SqliteJournal) -> None:
        self._inner = inner
        self._runner = asyncio.Runner()
        self._pool = ThreadPoolExecutor(1)  # one thread, which has the event loop that the journal was opened on

    @property
    def full(self) -> bool:
        """Whether there is no room."""
        return self._inner.full

    async def open(self) -> int:
        """Take the files and begin a new epoch."""
        return self._done(self._inner.open())

    async def append(self, batches: Sequence[Batch]) -> None:
        """Make all *batches* durable, or none."""
        self._done(self._inner.append(batches))

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order."""
        return self._inner.read(stream)

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first."""
        return self._inner.streams(prefix, live=live)

    async def close(self) -> None:
        """Let go of the files."""
        self._done(self._inner.close())

    def end(self) -> None:
        """Let go of everything, thread and all."""
        self._done(self._inner.close())
        self._pool.submit(self._runner.close).result()
        self._pool.shutdown()

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        return self._pool.submit(self._runner.run, work).result()
