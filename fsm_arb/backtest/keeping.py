"""From a run's journal in memory to a file that can be audited like any other.

A run is in virtual time and a disk is not, so the file is written when the run
is over: the same records in the same order under the same chain of hashes.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from fsm_arb.errors import InvalidInput, JournalCorrupt
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Batch, Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fsm_arb.journal.memory import MemoryDisk
    from fsm_arb.ports import Record

AT_ONCE = 500  # records a commit


def keep(disk: MemoryDisk, path: Path) -> int:
    """Write a run's journal to a new SQLite file; return how many records it holds.

    Args:
        disk: What the run was given.
        path: The file; there must be none.

    Raises:
        InvalidInput: There is a file already.
        JournalError: It could not be written, or what was written is not what the run had.
    """
    if path.exists():
        raise InvalidInput("path", str(path), "exists; a backtest writes a journal of its own")
    return asyncio.run(_kept(disk, path))


async def _kept(disk: MemoryDisk, path: Path) -> int:
    async with SqliteJournal(path, reserve_bytes=0) as journal:  # nothing is added to it later
        for start in range(0, len(disk.records), AT_ONCE):
            await journal.append(list(_batches(disk, disk.records[start : start + AT_ONCE])))
        count = journal.verify()
        last = disk.records[-1] if disk.records else None
        if last is not None and [each.hash for each in journal.records(count - 1)] != [last.hash]:
            raise JournalCorrupt(count, f"{path} does not end as the run's journal does")
    return count


def _batches(disk: MemoryDisk, records: Sequence[Record]) -> Iterator[Batch]:
    for stream, group in itertools.groupby(records, key=lambda record: record.stream):
        together = tuple(group)
        yield Batch(
            stream=stream,
            expected_seq=together[0].stream_seq - 1,
            drafts=tuple(
                Draft(
                    at_ns=record.at_ns,
                    trigger=record.trigger,
                    state_before=record.state_before,
                    state_after=record.state_after,
                    payload=record.payload,
                )
                for record in together
            ),
            live=disk.heads[stream].live,
        )
