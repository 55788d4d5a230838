"""What the journal in memory adds to the contract: a disk that outlives its journal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from fsm_arb.errors import JournalCorrupt, JournalFailed
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Batch


async def test_what_was_written_survives_a_kill(batch: Callable[..., Batch]) -> None:
    """A killed journal writes nothing more, and the next one takes up its disk."""
    disk = MemoryDisk()
    killed = MemoryJournal(disk)
    await killed.open()
    await killed.append([batch("trade/1", 0, "{}")])
    killed.kill()
    with pytest.raises(JournalFailed, match="not open"):
        await killed.append([batch("trade/1", 1, "{}")])
    successor = MemoryJournal(disk)
    assert await successor.open() == 2
    killed.kill()  # of no consequence to whoever came after
    assert [record.payload for record in successor.read("trade/1")] == ["{}"]


async def test_an_altered_record_is_named(batch: Callable[..., Batch]) -> None:
    """The chain is the same one that guards a file."""
    journal = MemoryJournal()
    await journal.open()
    await journal.append([batch("trade/1", 0, "{}", "{}", "{}")])
    journal.disk.records[1] = attrs.evolve(journal.disk.records[1], payload="[]")
    for check in (journal.verify, lambda: list(journal.read("trade/1"))):
        with pytest.raises(JournalCorrupt, match="record 2"):
            check()
    await journal.close()
    with pytest.raises(JournalCorrupt, match="record 2"):
        await journal.open()


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_a_lost_record_is_named_with_its_stream(batch: Callable[..., Batch], lost: int) -> None:
    """Also the last one, which no later record misses."""
    disk = MemoryDisk()
    async with MemoryJournal(disk) as journal:
        for seq, stream in enumerate(("trade/1", "trade/2", "trade/1")):
            await journal.append([batch(stream, seq // 2, "{}")])
    del disk.records[lost]
    with pytest.raises(JournalCorrupt) as caught:
        await MemoryJournal(disk).open()
    assert (caught.value.seq, caught.value.stream) == (lost + 1, ("trade/1", "trade/2", "trade/1")[lost])


async def test_a_record_that_no_stream_counts_is_named(batch: Callable[..., Batch]) -> None:
    """It follows from the one before it, and yet nobody wrote it here."""
    disk, other = MemoryDisk(), MemoryDisk()
    async with MemoryJournal(disk) as journal, MemoryJournal(other) as longer:
        await journal.append([batch("trade/1", 0, "{}")])
        await longer.append([batch("trade/1", 0, "{}", "{}")])
        disk.records.append(other.records[-1])
        with pytest.raises(JournalCorrupt, match="record 2: is counted by no stream"):
            journal.verify()


async def test_an_append_lets_other_tasks_run(batch: Callable[..., Batch]) -> None:
    """A race that a real commit would open is open here too."""
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    async with MemoryJournal() as journal:
        task = asyncio.create_task(other())
        await journal.append([batch("trade/1", 0, "{}")])
        order.append("appended")
        await task
    assert order == ["other", "appended"]
