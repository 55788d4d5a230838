"""A journal that fails as disks do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fsm_arb.errors import JournalFailed, JournalFenced, JournalFull
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.ports import Batch, Draft
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.journal import DiskTroubles, Ground, Injected, SwarmJournal
from fsm_arb.testing.swarm.process import Process
from fsm_arb.virtual import VirtualClock, run


class Seen:
    """Who looks on."""

    def __init__(self) -> None:
        self.appends: list[tuple[int, tuple[str, ...], int]] = []
        self.faults: list[int] = []
        self.disk = MemoryDisk()

    def appended(self, process: int, streams: tuple[str, ...]) -> None:
        self.appends.append((process, streams, len(self.disk.records)))

    def struck(self, fault: int, _key: str, *, streams: tuple[str, ...] = ()) -> None:
        assert streams
        self.faults.append(fault)


def batch(seq: int = 0) -> Batch:
    draft = Draft(at_ns=1, trigger="t", state_before="A", state_after="B", payload="{}")
    return Batch(stream="trade/x", expected_seq=seq, drafts=(draft,), live=True)


def ground(seen: Seen, clock: VirtualClock, **troubles: Any) -> Ground:
    return Ground(disk=seen.disk, clock=clock, chance=Chance(1), troubles=DiskTroubles(**troubles), watcher=seen)


def test_a_commit_is_seen_at_the_moment_it_is_durable() -> None:
    """Before any other task has had a turn: memory and journal can be compared then, and only then."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        journal = SwarmJournal(ground(seen, clock), Process(1))
        assert await journal.open() == 1
        await journal.append([batch()])
        assert [record.trigger for record in journal.read("trade/x")] == ["t"]
        assert list(journal.streams("trade/")) == ["trade/x"]
        await journal.close()

    run(main(), clock)
    assert seen.appends == [(1, ("trade/x",), 1)]
    assert seen.faults == []
    assert seen.disk.driver is None


@pytest.mark.parametrize(
    ("troubles", "error", "fault"),
    [
        ({"failed": 1.0}, JournalFailed, 33),
        ({"full": 1.0}, JournalFull, 33),
        ({"ours": 1.0}, Injected, 39),
    ],
)
def test_a_commit_that_fails_leaves_nothing_behind(
    troubles: dict[str, float], error: type[Exception], fault: int
) -> None:
    """And is noted as the fault that it is."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        journal = SwarmJournal(ground(seen, clock, **troubles), Process(1))
        await journal.open()
        with pytest.raises(error):
            await journal.append([batch()])

    run(main(), clock)
    assert seen.disk.records == []
    assert seen.faults == [fault]


def test_a_full_disk_gives_its_reserve_to_the_second_try() -> None:
    """Until there is room again, it says that it is full."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        base = ground(seen, clock, full=1.0, span_s=5)
        journal = SwarmJournal(base, Process(1))
        await journal.open()
        with pytest.raises(JournalFull):
            await journal.append([batch()])
        assert journal.full
        base.chance.healed = True  # no further disk fills up
        assert not journal.full
        await journal.append([batch()])

    run(main(), clock)
    assert len(seen.disk.records) == 1


def test_a_slow_commit_is_durable_in_the_end() -> None:
    """It only takes its time."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        journal = SwarmJournal(ground(seen, clock, slow=1.0, slow_s=9), Process(1))
        await journal.open()
        await journal.append([batch()])

    run(main(), clock)
    assert clock.monotonic_ns() > 0
    assert len(seen.disk.records) == 1


def test_a_process_that_was_taken_over_is_fenced() -> None:
    """Its commit is refused and noted; its successor's hold on the disk is not touched by its end."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        base = ground(seen, clock)
        first, second = SwarmJournal(base, Process(1)), SwarmJournal(base, Process(2))
        await first.open()
        seen.disk.driver = None
        assert await second.open() == 2
        with pytest.raises(JournalFenced):
            await first.append([batch()])
        first.let_go()
        await second.append([batch()])
        assert [(each.epoch, each.latest_epoch, each.accepted) for each in base.appends] == [
            (1, 2, False),
            (2, 2, True),
        ]

    run(main(), clock)
    assert seen.faults == [35]


def test_a_dead_process_reads_and_writes_nothing() -> None:
    """Its journal never answers again."""
    seen, clock = Seen(), VirtualClock()

    async def main() -> None:
        process = Process(1)
        journal = SwarmJournal(ground(seen, clock), process)
        await journal.open()
        process.alive = False
        for call in (journal.append([batch()]), journal.close(), journal.open()):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call, 5)
        with pytest.raises(JournalFailed):
            journal.read("trade/x")
        with pytest.raises(JournalFailed):
            journal.streams("trade/")

    run(main(), clock)
    assert seen.disk.records == []
