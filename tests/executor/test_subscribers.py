"""Who follows an executor gets each record once, in the order of the journal, and never stands in a trade's way."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hall import Hall, Watched, papers, placed, quick, until

from fsm_arb.errors import FellBehind, InvalidInput, JournalCorrupt, JournalFailed
from fsm_arb.executor import subscribers as module
from fsm_arb.executor.subscribers import QUEUE_RECORDS_MAX, Subscribers
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Batch, Draft
from fsm_arb.scribe import Page, Scribe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from fsm_arb import Committed
    from fsm_arb.executor.subscribers import Subscription


class Desk:
    """A scribe on a journal, and who follows it."""

    def __init__(self, journal: Any) -> None:
        self.journal = journal
        self.scribe = Scribe(journal)
        self.subscribers = Subscribers(journal)
        self.scribe.heard = self.subscribers.committed
        self.pages: dict[str, Page] = {}

    async def write(self, *streams: str, count: int = 1) -> None:
        """Write *count* records to each of *streams*, in one commit."""
        batches = []
        for stream in streams:
            page = self.pages.setdefault(stream, Page(stream))
            drafts = [
                Draft(at_ns=page.seq + n, trigger=f"n{page.seq + n}", state_before="A", state_after="B", payload="{}")
                for n in range(count)
            ]
            batches.append((page, page.batch(drafts, live=True)))
        await self.scribe.write(batches)

    def kept(self, after: int = 0) -> list[int]:
        """Return the sequences of what a subscriber is to get."""
        return [
            record.seq for record in self.journal.records(after) if record.stream.startswith(("trade/", "position/"))
        ]


@pytest.fixture(params=["sqlite", "memory"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    journal: Any = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "j.db", reserve_bytes=0)
    async with journal:
        yield Desk(journal)


@pytest.fixture
async def memory() -> AsyncIterator[Desk]:
    async with MemoryJournal() as journal:
        yield Desk(journal)


async def rest(following: Subscription) -> list[Committed]:
    """Return what is left once nothing more will come."""
    following.end()
    return [record async for record in following]


def seqs(records: Sequence[Committed]) -> list[int]:
    return [record.seq for record in records]


# ------------------------------------------------------------------ what comes


async def test_every_record_comes_once_in_the_order_of_the_journal(desk: Desk) -> None:
    """With its place on the journal and on its stream; what is neither trade nor position is left out."""
    await desk.write("trade/old")
    following = desk.subscribers.follow()
    await desk.write("trade/a", "position/p", count=2)
    await desk.write("risk/x", "trade/a")
    await asyncio.gather(*(desk.write(f"trade/{n}") for n in range(20)))
    got = await rest(following)
    assert seqs(got) == desk.kept(after=1)
    assert [(r.stream, r.stream_seq, r.trigger) for r in got[:5]] == [
        ("trade/a", 1, "n0"),
        ("trade/a", 2, "n1"),
        ("position/p", 1, "n0"),
        ("position/p", 2, "n1"),
        ("trade/a", 3, "n2"),
    ]
    assert following.seq == got[-1].seq


async def test_a_record_is_durable_when_it_comes(tmp_path: Path) -> None:
    """A commit that is on its way is not told of; once it is told of, another reader finds it."""
    async with SqliteJournal(tmp_path / "j.db", reserve_bytes=0) as journal:
        desk = Desk(journal)
        following = desk.subscribers.follow()
        writing = asyncio.ensure_future(desk.write("trade/a"))
        record = await anext(following)
        assert [each.payload for each in journal.read(record.stream)] == ["{}"]
        await writing


async def test_what_was_refused_is_never_told() -> None:
    """A commit that fails tells nobody, and the next one follows on what is durable."""

    class Refusing(MemoryJournal):
        refuse = False

        async def append(self, batches: Sequence[Batch]) -> int:
            if self.refuse:
                raise JournalFailed("no")
            return await super().append(batches)

    async with Refusing() as journal:
        desk = Desk(journal)
        following = desk.subscribers.follow()
        await desk.write("trade/a")
        journal.refuse = True
        with pytest.raises(JournalFailed):
            await desk.write("trade/a", "position/p")
        journal.refuse = False
        await desk.write("trade/a")
        assert [(r.seq, r.stream_seq) for r in await rest(following)] == [(1, 1), (2, 2)]


async def test_a_record_whose_commit_was_cut_off_comes_with_the_next_one(tmp_path: Path) -> None:
    """Who waited for it was cancelled, and it became durable all the same."""
    async with SqliteJournal(tmp_path / "j.db", reserve_bytes=0) as journal:
        desk = Desk(journal)
        following = desk.subscribers.follow()
        await desk.write("trade/a")
        writing = asyncio.ensure_future(desk.write("trade/b"))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await desk.write("trade/c")
        assert [record.stream for record in await rest(following)] == ["trade/a", "trade/b", "trade/c"]


# ------------------------------------------------------------------ slowness


async def test_who_never_reads_costs_no_more_than_a_queue(desk: Desk) -> None:
    """And misses nothing: what did not fit is read from the journal."""
    following = desk.subscribers.follow()
    most = 0
    for n in range(30):
        await desk.write(f"trade/{n % 3}", count=QUEUE_RECORDS_MAX // 10)
        most = max(most, sum(commit.count for commit in following._queue))
    assert QUEUE_RECORDS_MAX // 2 < most <= QUEUE_RECORDS_MAX
    assert seqs(await rest(following)) == desk.kept()


async def test_who_is_slow_and_fast_by_turns_misses_nothing(memory: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in the queue, on the journal, or on its way while it reads."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 7)
    chance = random.Random(5)
    for _ in range(40):
        after = chance.choice([None, 0, len(memory.journal.disk.records) // 2])
        following, got = memory.subscribers.follow(after), []
        start = len(memory.journal.disk.records) if after is None else after
        for _ in range(chance.randrange(12)):
            writing = [memory.write(f"trade/{n}", "risk/x", count=chance.randrange(1, 4)) for n in range(1)]
            task = asyncio.gather(*writing)
            for _ in range(chance.randrange(9)):
                if memory.kept(start) and len(got) < len(memory.kept(start)):
                    got.append(await anext(following))
            await task
        got += await rest(following)
        assert seqs(got) == memory.kept(start)


async def test_catching_up_lets_others_run(desk: Desk) -> None:
    """Between a few records it takes a breath, from the queue and from the journal alike."""
    for start in (None, 0):
        following = desk.subscribers.follow(start)
        for _ in range(8):
            await desk.write("trade/a", count=100)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(others())
        got = await rest(following)
        task.cancel()
        assert turns >= len(got) // module.BREATH


async def test_who_lets_go_of_an_iteration_is_forgotten(memory: Desk) -> None:
    """A loop that was left by break needs no word of farewell."""
    await memory.write("trade/a")
    async for _ in memory.subscribers.follow(0):
        break
    gc.collect()
    assert not memory.subscribers._all
    await memory.write("trade/a")


# ------------------------------------------------------------------ from the past


async def test_beginning_in_the_past_goes_live_without_a_gap_or_a_duplicate(desk: Desk) -> None:
    """Also for what is committed while the past is being read, and for what was on its way when it began."""
    for n in range(10):
        await desk.write(f"trade/{n}", count=9)
    writing = [asyncio.ensure_future(desk.write("trade/x", count=3)) for _ in range(1)]
    following = desk.subscribers.follow(after=17)
    got = [await anext(following) for _ in range(30)]
    writing += [asyncio.ensure_future(desk.write(f"trade/late {n}", count=5)) for n in range(5)]
    got += [await anext(following) for _ in range(30)]
    await asyncio.gather(*writing)
    got += await rest(following)
    assert seqs(got) == desk.kept(after=17)


async def test_a_commit_that_was_read_in_part_when_it_was_told_comes_once(
    memory: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was on the journal before who follows heard of it."""
    monkeypatch.setattr(module, "CHUNK", 4)
    drafts = tuple(Draft(at_ns=n, trigger="n", state_before="A", state_after="B", payload="{}") for n in range(10))
    batch = Batch(stream="trade/a", expected_seq=0, drafts=drafts, live=True)
    last = await memory.journal.append([batch])
    following = memory.subscribers.follow(0)
    got = [await anext(following)]
    memory.subscribers.committed(last, [batch])
    got += await rest(following)
    assert seqs(got) == list(range(1, 11))


async def test_a_beginning_that_cannot_be_is_refused(desk: Desk) -> None:
    """Before anything is followed."""
    with pytest.raises(InvalidInput, match="after=-1"):
        desk.subscribers.follow(-1)
    assert not desk.subscribers._all


# ------------------------------------------------------------------ the end


async def test_what_was_pushed_can_be_taken_after_the_end(memory: Desk) -> None:
    """Then the iteration is over; closed from within, it is over at once."""
    kept, closed = memory.subscribers.follow(), memory.subscribers.follow()
    await memory.write("trade/a", count=3)
    await memory.subscribers.close()
    await memory.journal.close()
    closed.close()
    assert [record.stream_seq async for record in kept] == [1, 2, 3]
    assert [record async for record in closed] == []


async def test_who_had_not_read_everything_is_told_how_far_it_came(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue had overflowed, and the journal is closed: it can be read on by itself."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 3)
    following = desk.subscribers.follow()
    await desk.write("trade/a", count=2)
    got = [await anext(following)]
    await desk.write("trade/a", count=2)
    await desk.write("trade/a", count=2)
    got.append(await anext(following))
    await desk.subscribers.close()
    await desk.journal.close()
    with pytest.raises(FellBehind, match="read up to record 2, and its journal is closed") as told:
        await anext(following)
    assert (seqs(got), told.value.seq) == ([1, 2], 2)


async def test_a_journal_that_has_lost_what_was_told_is_said(memory: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows hears of it; a trade does not."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 1)
    following = memory.subscribers.follow()
    await memory.write("trade/a", count=2)
    memory.journal.disk.records.pop()
    assert (await anext(following)).seq == 1
    with pytest.raises(JournalCorrupt, match="record 2: was committed"):
        await anext(following)


class Mute(MemoryJournal):
    """A journal of somebody's own, of the port's least: it tells no sequence."""

    async def append(self, batches: Sequence[Batch]) -> None:  # type: ignore[override]
        await super().append(batches)


async def test_a_journal_that_tells_no_sequence_cannot_be_followed() -> None:
    """Who tries is told; the commit is none the wiser."""
    async with Mute() as journal:
        desk = Desk(journal)
        await desk.write("trade/a")
        following = desk.subscribers.follow()
        await desk.write("trade/a")
        with pytest.raises(JournalFailed, match="Mute does not tell where its records stand"):
            await anext(following)


class Forgetful:
    """A journal that tells sequences, and cannot be read in global order."""

    def __init__(self) -> None:
        self.last = 0

    async def append(self, batches: Sequence[Batch]) -> int:
        self.last += sum(len(batch.drafts) for batch in batches)
        return self.last


async def test_a_journal_without_global_order_is_followed_as_far_as_the_queue_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not from the past, and who falls behind is told how far it came."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 3)
    desk = Desk(Forgetful())
    with pytest.raises(InvalidInput, match="needs a journal with `records`"):
        desk.subscribers.follow(0)
    following = desk.subscribers.follow()
    await desk.write("trade/a", count=2)
    assert [(await anext(following)).seq for _ in range(2)] == [1, 2]
    await desk.write("trade/a", count=4)
    with pytest.raises(FellBehind, match="read up to record 2, and Forgetful cannot be read"):
        await anext(following)
    following.close()
    assert [record async for record in following] == []


# ------------------------------------------------------------------ callbacks


async def test_a_callback_is_called_in_a_task_or_a_thread_of_its_own(memory: Desk) -> None:
    """Not by the task that commits, and not before the commit has gone on; one that might block, in a thread."""
    tasks: list[Any] = []
    threads: list[threading.Thread] = []

    async def told(_: Committed) -> None:
        tasks.append(asyncio.current_task())

    class Callable:
        async def __call__(self, record: Committed) -> None:
            await told(record)

    memory.subscribers.call(told)
    memory.subscribers.call(Callable())
    memory.subscribers.call(lambda _: threads.append(threading.current_thread()))
    await memory.write("trade/a")
    assert tasks == []
    await until(lambda: len(tasks) == 2 and threads)
    assert asyncio.current_task() not in tasks
    assert threads[0] is not threading.main_thread()
    assert threads[0].daemon
    await memory.subscribers.close()


async def test_a_callback_that_blocks_holds_up_nobody_but_itself(
    memory: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Commits go on, others are told, and leaving waits for a moment only and says who has not come back."""
    monkeypatch.setattr(module, "DRAIN_S", 0.05)
    released, others = threading.Event(), []
    memory.subscribers.call(lambda _: released.wait())
    memory.subscribers.call(lambda record: others.append(record.seq))
    for _ in range(3):
        await memory.write("trade/a")
    await until(lambda: len(others) == 3)
    await memory.subscribers.close()
    assert "has not come back and is left behind" in caplog.text
    released.set()


async def test_a_callback_may_unsubscribe_from_its_own_thread(memory: Desk) -> None:
    """And from any thread later, also when the loop is gone."""
    got: list[int] = []
    unsubscribe: Any = None

    def once(record: Committed) -> None:
        got.append(record.seq)
        unsubscribe()

    unsubscribe = memory.subscribers.call(once)
    await memory.write("trade/a")
    await until(lambda: not memory.subscribers._pumps)
    await memory.write("trade/a")
    await asyncio.to_thread(unsubscribe)
    assert got == [1]


def test_unsubscribing_when_the_loop_is_gone_does_nothing() -> None:
    """There is nobody to tell."""

    async def begin() -> Any:
        async with MemoryJournal() as journal:
            subscribers = Subscribers(journal)
            unsubscribe = subscribers.call(print)
            await subscribers.close()
            return unsubscribe

    asyncio.run(begin())()


async def test_a_callback_that_raises_is_logged_once_and_called_again(
    memory: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it raises, a cancellation of its own included."""
    got: list[int] = []
    errors: list[BaseException] = [RuntimeError("mine"), asyncio.CancelledError(), ValueError("again")]

    def failing(record: Committed) -> None:
        got.append(record.seq)
        if errors:
            raise errors.pop(0)

    memory.subscribers.call(failing)
    for _ in range(5):
        await memory.write("trade/a")
    await memory.subscribers.close()
    assert got == [1, 2, 3, 4, 5]
    assert [record.getMessage().partition(" failed")[2] for record in caplog.records] == [" on record 1; said once"]


async def test_what_a_callback_returns_is_awaited(memory: Desk) -> None:
    """One record at a time, in order."""
    got: list[int] = []

    async def slow(record: Committed) -> None:
        await asyncio.sleep(0.001 * (3 - record.seq))
        got.append(record.seq)

    memory.subscribers.call(slow)
    for _ in range(3):
        await memory.write("trade/a")
    await memory.subscribers.close()
    assert got == [1, 2, 3]


@pytest.mark.parametrize("within", [False, True])
async def test_who_has_unsubscribed_is_called_no_more(memory: Desk, within: bool) -> None:
    """From outside, from within the callback, and twice."""
    got: list[int] = []
    unsubscribe: Callable[[], None]

    def once(record: Committed) -> None:
        got.append(record.seq)
        if within:
            unsubscribe()

    unsubscribe = memory.subscribers.call(once)
    await memory.write("trade/a", count=2)
    await until(lambda: got)
    unsubscribe()
    unsubscribe()
    await memory.write("trade/a")
    await memory.subscribers.close()
    assert got == ([1] if within else [1, 2])


async def test_who_unsubscribes_from_within_comes_to_its_end(memory: Desk) -> None:
    """What it still awaits is not cut off."""
    got: list[int] = []
    unsubscribe: Callable[[], None]

    async def once(record: Committed) -> None:
        unsubscribe()
        await asyncio.sleep(0)
        got.append(record.seq)

    unsubscribe = memory.subscribers.call(once)
    await memory.write("trade/a", count=2)
    await until(lambda: not memory.subscribers._pumps)
    assert got == [1]


async def test_a_callback_that_never_returns_is_ended_with_the_executor(
    memory: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a moment; one that does not heed even its cancellation is left behind, and that is said."""
    monkeypatch.setattr(module, "DRAIN_S", 0.02)
    ended: list[str] = []
    released = asyncio.Event()

    async def blocks(_: Committed) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("blocks")

    async def stubborn(_: Committed) -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                ended.append("stubborn")

    memory.subscribers.call(blocks)
    memory.subscribers.call(stubborn)
    await memory.write("trade/a")
    await asyncio.sleep(0)
    await memory.subscribers.close()
    assert sorted(ended) == ["blocks", "stubborn"]
    assert "1 subscribers do not heed their cancellation" in caplog.text
    released.set()
    await until(lambda: not memory.subscribers._pumps)


async def test_a_callback_that_can_be_told_no_more_is_said(
    memory: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal it falls back on cannot be read."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 1)
    memory.subscribers.call(print)
    await memory.write("trade/a", count=2)
    await memory.journal.close()
    await until(lambda: not memory.subscribers._pumps)
    assert "is told no more: this memory journal is not open" in caplog.text


# ------------------------------------------------------------------ trades


async def test_no_subscriber_delays_or_breaks_a_trade(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One raises, one blocks for ever, one never reads: trades end as if nobody had been there."""
    hall = Hall(None, tmp_path)  # type: ignore[arg-type]
    got: list[int] = []

    def raises(_: Committed) -> None:
        raise RuntimeError("not the trade's")

    async def blocks(_: Committed) -> None:
        await asyncio.Event().wait()

    async with hall.executor(venues=papers(), policy=quick(watch_after_done_s=0)) as executor:
        never = executor.records()
        executor.subscribe(raises)
        end_blocking = executor.subscribe(blocks)
        executor.subscribe(lambda record: got.append(record.seq))
        results = await asyncio.gather(*(executor.execute_decision(hall.entry()) for _ in range(5)))
        assert {result.status for result in results} == {"success"}
        end_blocking()
    assert got == [record.seq async for record in never] == list(range(1, len(got) + 1))
    assert caplog.text.count("said once") == 1


async def test_a_trade_whose_commit_is_refused_is_told_only_as_far_as_it_is_durable(tmp_path: Path) -> None:
    """Nothing of the refused commit comes; what is written once the journal works again does."""
    hall = Hall(None, tmp_path)  # type: ignore[arg-type]
    journal = Watched(hall.path)
    venues = papers()
    async with hall.executor(venues=venues, journal=Telling(journal), policy=quick(watch_after_done_s=0)) as executor:
        following = executor.records()
        journal.fail = lambda _: JournalFailed("disk")
        with pytest.raises(JournalFailed):
            await executor.execute_decision(hall.entry(decision_id="a"))
        journal.fail = lambda _: None
        assert (placed(venues["upbit"]), following.seq) == ([], None)
        executor.allow_entries()
        await executor.execute_decision(hall.entry(decision_id="b"))
    got = [record async for record in following]
    async with SqliteJournal(hall.path) as kept:
        assert [(r.seq, r.payload) for r in got] == [(r.seq, r.payload) for r in kept.records()]
    assert {record.trade_id for record in got} == {"b", None}


class Telling:
    """A watched journal that tells sequences."""

    def __init__(self, inner: Watched) -> None:
        self.inner = inner

    async def append(self, batches: Sequence[Batch]) -> int:
        await self.inner.append(batches)
        return max(record.seq for batch in batches for record in self.inner.read(batch.stream))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def records(self, after: int = 0) -> Any:
        return self.inner.inner.records(after)
