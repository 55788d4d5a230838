"""A journal in memory that fails as disks do: full, read-only, slow, taken over, or broken in our own code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from fsm_arb.errors import JournalFailed, JournalFenced, JournalFull
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.testing.glimpse import Append
from fsm_arb.testing.swarm.process import Process, nothing_more

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.ports import Batch, Clock, Record
    from fsm_arb.testing.swarm.chance import Chance

RESERVE_APPENDS = 200  # commits that fit into what is set aside for remedies

FULL, FAILED, SLOW, OURS = "journal full", "commit failed", "commit slow", "commit raises"


class Injected(RuntimeError):
    """An error of our own code, as an episode makes it up."""


class Watcher(Protocol):
    """Who looks on as commits are made."""

    def appended(self, process: int, streams: tuple[str, ...]) -> None:
        """Take in that *process* has made records of *streams* durable, at the very moment they are."""
        ...

    def struck(self, fault: int, key: str, *, streams: tuple[str, ...] = ()) -> None:
        """Take in that a fault has taken effect on a commit of *streams*."""
        ...


@frozen(kw_only=True)
class DiskTroubles:
    """How a disk behaves. Probabilities are per commit.

    Attributes:
        full: That the disk has no room, for `span_s`.
        failed: That commits fail, for `span_s` or once.
        slow: That a commit takes `slow_s`.
        ours: That our own code raises where it writes.
    """

    full: float = 0.0
    failed: float = 0.0
    slow: float = 0.0
    ours: float = 0.0
    span_s: float = 5.0
    slow_s: float = 3.0


@frozen(kw_only=True)
class Ground:
    """What a journal stands on and is seen by, the same for every process of an episode."""

    disk: MemoryDisk
    clock: Clock
    chance: Chance
    troubles: DiskTroubles
    watcher: Watcher
    appends: list[Append] = field(factory=list)


class SwarmJournal:
    """A `Journal` over a `MemoryDisk` for the length of one process."""

    def __init__(self, ground: Ground, process: Process) -> None:
        self._ground = ground
        self._process = process
        self._inner = MemoryJournal(ground.disk)
        self._epoch = 0
        self._commits = 0
        self._failing_until = 0  # monotonic ns
        self._full_until = 0
        self._reserve = RESERVE_APPENDS
        self._released = False  # the reserve

    @property
    def full(self) -> bool:
        """Whether there is no room, the reserve aside."""
        return self._ground.clock.monotonic_ns() < self._full_until and not self._ground.chance.healed

    async def open(self) -> int:
        """Take the disk and begin a new epoch.

        Raises:
            JournalLocked: Another process drives it.
            JournalCorrupt: The chain is broken.
        """
        await self._process.ensure_alive()
        self._epoch = await self._inner.open()
        return self._epoch

    async def append(self, batches: Sequence[Batch]) -> None:
        """Make all *batches* durable, or none, unless something goes wrong.

        Raises:
            JournalFenced: Another process has taken over.
            JournalFull: There is no room.
            JournalFailed: The disk is read-only for the while.
            Injected: Our own code is wrong.
        """
        ground, streams = self._ground, tuple(batch.stream for batch in batches)
        await self._process.ensure_alive()
        self._commits += 1
        key = f"p{self._process.number}/commit {self._commits}"
        await self._delay(key, streams)
        if ground.disk.epoch > self._epoch:
            self._noted(streams, accepted=False)
            ground.watcher.struck(35, f"{key}: fenced", streams=streams)
            raise JournalFenced(f"epoch {ground.disk.epoch} has taken over from epoch {self._epoch}")
        self._break(key, streams)
        step = self._inner.append(batches)
        try:
            step.send(None)  # durable from here on; what is left is to let other tasks run
        except StopIteration:
            pass
        finally:
            step.close()
        self._noted(streams, accepted=True)
        ground.watcher.appended(self._process.number, streams)
        await asyncio.sleep(0)

    def _noted(self, streams: tuple[str, ...], *, accepted: bool) -> None:
        latest = self._ground.disk.epoch
        noted = Append(epoch=self._epoch, latest_epoch=latest, accepted=accepted, streams=streams)
        self._ground.appends.append(noted)

    async def _delay(self, key: str, streams: tuple[str, ...]) -> None:
        chance, troubles = self._ground.chance, self._ground.troubles
        if chance.strikes(f"{key}: {SLOW}", troubles.slow):
            self._ground.watcher.struck(33, f"{key}: {SLOW}", streams=streams)
            await asyncio.sleep(chance.between(f"{key}: {SLOW}", 0.01, troubles.slow_s))
            await self._process.ensure_alive()

    def _break(self, key: str, streams: tuple[str, ...]) -> None:
        """Raise what is wrong with this commit, if anything is."""
        ground, chance, troubles = self._ground, self._ground.chance, self._ground.troubles
        now = ground.clock.monotonic_ns()
        if chance.strikes(f"{key}: {FAILED}", troubles.failed):
            once = chance.number(f"{key}: once") < 0.5  # noqa: PLR2004 - as often as not
            self._failing_until = now + (1 if once else _ns(chance.between(key, 0.1, troubles.span_s)))
        if chance.strikes(f"{key}: {FULL}", troubles.full):
            self._full_until = now + _ns(chance.between(key, 0.1, troubles.span_s))
            self._released, self._reserve = False, RESERVE_APPENDS
        if now < self._failing_until and not chance.healed:
            ground.watcher.struck(33, f"{key}: {FAILED}", streams=streams)
            raise JournalFailed("the disk is read-only")
        if self.full:
            self._use_reserve(key, streams)
        if chance.strikes(f"{key}: {OURS}", troubles.ours):
            ground.watcher.struck(39, f"{key}: {OURS}", streams=streams)
            raise Injected("a bug where records are written")

    def _use_reserve(self, key: str, streams: tuple[str, ...]) -> None:
        """Fail once, which releases the reserve, and again when that is used up."""
        if self._released and self._reserve:
            self._reserve -= 1
            return
        self._released = True
        self._ground.watcher.struck(33, f"{key}: {FULL}", streams=streams)
        raise JournalFull("no room is left on the disk")

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order.

        Raises:
            JournalFailed: The process is dead, or the journal not open.
        """
        if not self._process.alive:
            raise JournalFailed("the process is dead")
        return self._inner.read(stream)

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first.

        Raises:
            JournalFailed: The process is dead, or the journal not open.
        """
        if not self._process.alive:
            raise JournalFailed("the process is dead")
        return self._inner.streams(prefix, live=live)

    async def close(self) -> None:
        """Let go of the disk."""
        if not self._process.alive:
            await nothing_more()
        self.let_go()

    def let_go(self) -> None:
        """Let go of the disk as an operating system does for a process that died; another's hold is not touched."""
        if self._ground.disk.driver is self._inner:
            self._inner.kill()


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
