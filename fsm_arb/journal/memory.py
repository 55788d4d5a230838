"""A journal that lives as long as its process, with the same chain: for tests, benchmarks and simulation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalLocked
from fsm_arb.journal.chain import GENESIS, check, verify
from fsm_arb.journal.staging import Staging
from fsm_arb.journal.store import RECORD_COLUMNS, End, Head
from fsm_arb.ports import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.ports import Batch


@define(eq=False)
class MemoryDisk:
    """What stays when a `MemoryJournal` is closed or killed; hand it to the next one."""

    records: list[Record] = field(factory=list)
    heads: dict[str, Head] = field(factory=dict)  # in order of birth
    seqs: dict[str, list[int]] = field(factory=dict)  # of each stream's records
    epoch: int = 0
    driver: MemoryJournal | None = None


class MemoryJournal:
    """A `Journal` that keeps its records in a `MemoryDisk`. Nothing of it is durable.

    Args:
        disk: Where the records are; None for a disk of its own.
    """

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        self.disk = disk if disk is not None else MemoryDisk()
        self.full = False  # a simulation may set it
        self._staging: Staging | None = None

    async def open(self) -> int:
        """Take the disk, verify the whole chain, begin and return a new epoch.

        Raises:
            JournalLocked: Another journal drives this disk, or this one already does.
            JournalCorrupt: The chain is broken; names the first record that is wrong, and its stream.
        """
        disk = self.disk
        if disk.driver is not None:
            raise JournalLocked("this memory journal is already driven by another object, or by this one")
        _verified(disk)
        disk.epoch += 1
        disk.driver = self
        last = disk.records[-1] if disk.records else None
        end = End(
            disk.epoch,
            seq=last.seq if last else 0,
            hash=bytes.fromhex(last.hash) if last else GENESIS,
            stream_id=len(disk.heads),
            live=sum(head.live for head in disk.heads.values()),
        )
        self._staging = Staging(disk.heads.get, end)
        return disk.epoch

    async def append(self, batches: Sequence[Batch]) -> int:
        """Add all *batches* or none, then let other tasks run, as a real commit would; return the last sequence.

        Raises:
            JournalConflict: A stream is not at its expected sequence.
            JournalFailed: Not open, or a draft holds what cannot be stored.
        """
        staging = self._driving()
        staging.add(batches)
        names = {head.id: name for name, head in staging.changed()}
        for start in range(0, len(staging.records), RECORD_COLUMNS):
            record = _record(staging.records[start : start + RECORD_COLUMNS], names)
            self.disk.records.append(record)
            self.disk.seqs.setdefault(record.stream, []).append(record.seq)
        self.disk.heads.update(staging.changed())
        staging.keep()
        last = staging.seq
        await asyncio.sleep(0)
        return last

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order, each checked; none for an unknown stream.

        Raises:
            JournalCorrupt: Names the record that is wrong.
            JournalFailed: Not open.
        """
        self._driving()
        return self._read(stream)

    def _read(self, stream: str) -> Iterator[Record]:
        for seq in tuple(self.disk.seqs.get(stream, ())):
            record = self.disk.records[seq - 1]
            check(record)
            yield record

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first.

        Raises:
            JournalFailed: Not open.
        """
        self._driving()
        return iter(
            [name for name, head in self.disk.heads.items() if name.startswith(prefix) and live in {None, head.live}]
        )

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield all records in global order from the one after *after*.

        Raises:
            JournalFailed: Not open.
        """
        self._driving()
        return iter(self.disk.records[after:])

    def verify(self) -> int:
        """Return how many records there are, having checked the whole chain.

        Raises:
            JournalCorrupt: Names the first record that is wrong, and its stream.
            JournalFailed: Not open.
        """
        self._driving()
        return _verified(self.disk)

    async def close(self) -> None:
        """Let go of the disk. Does nothing when not open."""
        self.kill()

    def kill(self) -> None:
        """Let go of the disk at once, as a process that was killed does."""
        if self._staging is not None:
            self._staging = None
            self.disk.driver = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _driving(self) -> Staging:
        if self._staging is None:
            raise JournalFailed("this memory journal is not open")
        return self._staging


def _verified(disk: MemoryDisk) -> int:
    try:
        return _counted(disk)
    except JournalCorrupt as error:
        whose = [stream for stream, seqs in disk.seqs.items() if error.seq in seqs]
        if not whose:
            raise
        raise JournalCorrupt(error.seq, error.reason, whose[0]) from None


def _counted(disk: MemoryDisk) -> int:
    count = verify(disk.records)
    # A tail that is gone breaks no chain; what the streams count tells.
    counted = sum(head.length for head in disk.heads.values())
    if count < counted:
        raise JournalCorrupt(count + 1, "is missing")
    if count > counted:
        raise JournalCorrupt(counted + 1, "is counted by no stream")
    return count


def _record(columns: list[Any], names: dict[int, str]) -> Record:
    seq, stream_id, stream_seq, _, epoch, at_ns, trigger, before, after, previous, own, payload = columns
    return Record(
        seq=seq,
        stream=names[stream_id],
        stream_seq=stream_seq,
        epoch=epoch,
        at_ns=at_ns,
        trigger=trigger,
        state_before=before,
        state_after=after,
        payload=payload,
        previous_hash=previous.hex(),
        hash=own.hex(),
    )
