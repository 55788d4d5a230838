"""A journal that somebody has altered."""

from __future__ import annotations

import asyncio

import pytest

from fsm_arb.errors import JournalCorrupt
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.ports import Batch, Draft
from fsm_arb.testing.swarm.altered import WAYS, altered
from fsm_arb.testing.swarm.chance import Chance


async def written(count: int) -> MemoryDisk:
    disk = MemoryDisk()
    async with MemoryJournal(disk) as journal:
        draft = Draft(at_ns=1, trigger="t", state_before="A", state_after="B", payload='{"x":1}')
        for seq in range(count):
            await journal.append([Batch(stream="trade/x", expected_seq=seq, drafts=(draft,), live=True)])
    return disk


def test_nobody_starts_on_an_altered_copy_and_the_original_is_sound() -> None:
    """Whichever way it was altered, the record is named."""

    async def main() -> set[str]:
        disk, ways = await written(6), set()
        for number in range(60):
            found = altered(disk, Chance(number), "altered")
            assert found is not None
            copy, what = found
            ways.add(what.rpartition(" ")[2])
            with pytest.raises(JournalCorrupt) as caught:
                await MemoryJournal(copy).open()
            assert caught.value.seq
        assert await MemoryJournal(disk).open()
        return ways

    assert asyncio.run(main()) == set(WAYS)


def test_too_little_is_not_altered() -> None:
    """There must be a record with one on either side."""
    assert altered(asyncio.run(written(2)), Chance(1), "altered") is None
