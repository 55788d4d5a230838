"""Who follows an executor: each record once, in the order of the journal, and never in a trade's way.

What is committed is pushed to every subscription, as a whole commit that knows
its place on the journal. A subscription remembers how far it has come, so that
whatever it was not pushed in time (its queue was full, a commit was cut off
from within, it began in the past) shows as a gap, and a gap is read from the
journal. So a subscriber may be as slow as it likes: it costs no memory beyond
its queue, and misses nothing for as long as the journal is open.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import logging
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable
from weakref import WeakValueDictionary

from attrs import frozen

from fsm_arb.committed import FOLLOWED, Committed
from fsm_arb.errors import FellBehind, FsmArbError, InvalidInput, JournalCorrupt, JournalError, JournalFailed
from fsm_arb.executor.hand import Hand
from fsm_arb.executor.limits import asked_to_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsm_arb.ports import Batch, Journal, Record

logger = logging.getLogger(__name__)

QUEUE_RECORDS_MAX = 1024  # that wait for one subscriber; beyond, they are read from the journal instead
CHUNK = 32  # records that are read from the journal between two breaths, so that who catches up lets trades run
BREATH = 256  # records that are taken between two breaths: each costs what the subscriber makes of it
DRAIN_S = 1.0  # how long leaving waits for callbacks to take what is left


@runtime_checkable
class Rereadable(Protocol):
    """A journal that can be read in global order."""

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield all records in global order from the one after *after*."""
        ...


@frozen
class Commit:
    """What one commit wrote, records that nobody follows included."""

    last: int  # global sequence of its last record
    count: int
    batches: tuple[Batch, ...]

    @property
    def first(self) -> int:
        """Global sequence of its first record."""
        return self.last - self.count + 1

    @cached_property
    def records(self) -> tuple[Committed, ...]:
        """Its records, made when somebody takes them and shared by all who do."""
        seq, found = self.last - self.count, []
        for batch in self.batches:
            for stream_seq, draft in enumerate(batch.drafts, batch.expected_seq + 1):
                seq += 1
                if batch.stream.startswith(FOLLOWED):
                    found.append(Committed.written(draft, seq=seq, stream=batch.stream, stream_seq=stream_seq))
        return tuple(found)


class Subscription:
    """The records of one executor from one place on: an async iterator that ends when the executor is left.

    Args:
        journal: Where what was not pushed is read.
        after: Global sequence of the last record not wanted; None: those committed from now on.

    Raises:
        InvalidInput: *after* is negative, or the journal cannot be read in global order.
    """

    def __init__(self, journal: Journal, after: int | None = None) -> None:
        if after is not None and after < 0:
            raise InvalidInput("after", after, "must not be negative")
        if after is not None and not isinstance(journal, Rereadable):
            raise InvalidInput("after", after, f"needs a journal with `records`, which {type(journal).__name__} is not")
        self._journal = journal
        self._seen = after  # global sequence up to which everything was given, or is ready
        self._pushed = 0  # the newest that was pushed
        self._queue: deque[Commit] = deque()
        self._queued = 0  # records in the queue
        self._ready: deque[Committed] = deque()
        self._reading: Iterator[Record] | None = None
        self._upto: int | None = None  # where the reading is to end; None: at the end of the journal
        self._bell = asyncio.Event()
        self._ended = False
        self._failure: FsmArbError | None = None  # with which it ends
        self._broken: FsmArbError | None = None  # why it cannot go on
        self._given = 0
        if after is not None and isinstance(journal, Rereadable):
            self._reading = journal.records(after)

    @property
    def seq(self) -> int | None:
        """Global sequence up to which everything was taken; None: nothing has come yet. Go on with ``after=`` it."""
        return self._ready[0].seq - 1 if self._ready else self._seen

    # -------------------------------------------------------------- from the executor

    def push(self, commit: Commit) -> None:
        """Take what has become durable. Costs the committing trade an append, or less."""
        if self._ended:
            return
        if self._seen is None:
            self._seen = commit.first - 1
        self._pushed = max(self._pushed, commit.last)
        self._queue.append(commit)
        self._queued += commit.count
        if self._queued > QUEUE_RECORDS_MAX:
            self._queue.clear()
            self._queued = 0
        self._bell.set()

    def end(self, failure: FsmArbError | None = None) -> None:
        """Push no more. What has been pushed can still be taken; then the iteration ends, with *failure* if given."""
        self._failure = self._failure or failure
        self._ended = True
        self._bell.set()

    def close(self) -> None:
        """Want nothing any more: the iteration ends at once."""
        self._ended, self._reading, self._failure, self._broken = True, None, None, None
        self._queue.clear()
        self._ready.clear()
        self._queued, self._pushed = 0, 0
        self._bell.set()

    # -------------------------------------------------------------- from whoever follows

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Committed:
        """Return the next record.

        Raises:
            FellBehind: The executor was left before everything was read.
            JournalError: What was missed cannot be read back.
        """
        if self._given % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        while not self._ready:
            if self._broken is not None:
                raise self._broken
            if self._reading is not None:
                self._read_on(self._reading)
                await asyncio.sleep(0)
            elif self._queue:
                self._take()
            elif self._seen is not None and self._pushed > self._seen:
                self._read_back(self._pushed)
            elif self._failure is not None:
                raise self._failure
            elif self._ended:
                raise StopAsyncIteration
            else:
                self._bell.clear()
                await self._bell.wait()
        self._given += 1
        return self._ready.popleft()

    def _take(self) -> None:
        """Make the oldest commit of the queue ready; where something is missing before it, read that first."""
        seen, commit = self._seen or 0, self._queue[0]
        if commit.first > seen + 1:
            self._read_back(commit.first - 1)
            return
        self._queue.popleft()
        self._queued -= commit.count
        if commit.last > seen:
            self._ready += (record for record in commit.records if record.seq > seen)
            self._seen = commit.last

    def _read_back(self, upto: int) -> None:
        """Begin to read what was not pushed, up to the record *upto*."""
        if not isinstance(self._journal, Rereadable):
            self._broken = self._lost(f"and {type(self._journal).__name__} cannot be read in global order")
            return
        try:
            self._reading, self._upto = self._journal.records(self._seen or 0), upto
        except JournalError as error:
            self._break_off(error)

    def _read_on(self, reading: Iterator[Record]) -> None:
        """Make the next few records of a reading ready."""
        if self._upto is None and self._queue and self._queue[0].first <= (self._seen or 0) + 1:
            self._reading = None  # it has caught up
            return
        for _ in range(CHUNK):
            try:
                record = next(reading, None)
            except JournalError as error:
                self._break_off(error)
                return
            if record is None:
                if self._upto is not None:  # it would have ended there
                    self._break_off(JournalCorrupt((self._seen or 0) + 1, "was committed, and cannot be read back"))
                self._reading = None
                return
            self._seen = record.seq
            if record.stream.startswith(FOLLOWED):
                self._ready.append(Committed.read(record))
            if record.seq == self._upto:
                self._reading = self._upto = None
                return

    def _break_off(self, error: JournalError) -> None:
        """Go no further, once what is ready was taken; say where the journal is closed by now."""
        self._reading = None
        closed = self._ended and isinstance(error, JournalFailed)
        if closed and 0 < self._pushed <= (self._seen or 0):
            return  # it was at the end
        self._broken = self._lost("and its journal is closed") if closed else error
        self._broken.__cause__ = error if closed else error.__cause__

    def _lost(self, why: str) -> FellBehind:
        return FellBehind(self._seen or 0, why)


class Subscribers:
    """All who follow one executor, for as long as it is entered.

    Args:
        journal: The executor's.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # Whoever lets go of an iteration need not say so.
        self._all: WeakValueDictionary[int, Subscription] = WeakValueDictionary()
        self._numbers = itertools.count()
        self._pumps: dict[asyncio.Task[None], Subscription] = {}

    def follow(self, after: int | None = None) -> Subscription:
        """Return the records from the one behind *after*, or from now on; see `Subscription`."""
        subscription = Subscription(self._journal, after)
        self._all[next(self._numbers)] = subscription
        return subscription

    def call(self, callback: Callable[[Committed], Any], after: int | None = None) -> Callable[[], None]:
        """Call *callback* with each record, one at a time, and return what ends that, from whatever thread.

        A coroutine function runs in a task of its own, any other in a thread of its
        own, since it might block; what it returns is awaited where it can be. An
        error of it is logged, once, and it is called with the next record all the same.
        """
        subscription = self.follow(after)
        loop = asyncio.get_running_loop()
        pump = loop.create_task(_pump(subscription, callback), name=f"subscriber {callback!r}")
        self._pumps[pump] = subscription
        pump.add_done_callback(self._pumps.pop)

        def end() -> None:
            subscription.close()
            if asyncio.current_task() is not pump:  # it may be waiting in the callback for ever
                pump.cancel()

        def unsubscribe() -> None:
            if _running() is loop:
                end()
            else:
                with contextlib.suppress(RuntimeError):  # a loop that is closed calls nobody
                    loop.call_soon_threadsafe(end)

        return unsubscribe

    def committed(self, last: int | None, batches: Sequence[Batch]) -> None:
        """Tell everybody that *batches* are durable, the last of their records at global sequence *last*."""
        count = sum(len(batch.drafts) for batch in batches)
        if not self._all or not count:
            return
        if last is None:
            failure = JournalFailed(f"{type(self._journal).__name__} does not tell where its records stand")
            for subscription in self._all.values():
                subscription.end(failure)
            return
        commit = Commit(last, count, tuple(batches))
        for subscription in list(self._all.values()):
            subscription.push(commit)

    async def close(self) -> None:
        """Push no more; callbacks have a moment to take what is left. The journal is still open."""
        for subscription in list(self._all.values()):
            subscription.end()
        if self._pumps:
            await asyncio.wait(set(self._pumps), timeout=DRAIN_S)
        for pump, subscription in list(self._pumps.items()):
            subscription.close()
            pump.cancel()
        if self._pumps:
            await asyncio.wait(set(self._pumps), timeout=DRAIN_S)
        if self._pumps:
            logger.error("%d subscribers do not heed their cancellation and are left behind", len(self._pumps))


async def _pump(subscription: Subscription, callback: Callable[[Committed], Any]) -> None:
    loop, told = asyncio.get_running_loop(), False
    hand = None if _is_coroutine(callback) else Hand(f"subscriber {callback!r}")
    try:
        async for record in subscription:
            try:
                answer = await loop.run_in_executor(hand, callback, record) if hand else callback(record)
                if inspect.isawaitable(answer):
                    await answer
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and asked_to_stop():
                    raise
                if not told:
                    logger.exception("subscriber %r failed on record %d; said once", callback, record.seq)
                told = True
    except FsmArbError as error:
        logger.error("subscriber %r is told no more: %s", callback, error)  # noqa: TRY400 - nothing to trace
    finally:
        if hand is not None:
            hand.shutdown()
            if hand.busy:
                logger.error("subscriber %r has not come back and is left behind", callback)


def _is_coroutine(callback: Callable[[Committed], Any]) -> bool:
    """Whether calling it only makes a coroutine, which blocks nobody."""
    call = getattr(callback, "__call__", callback)  # noqa: B004 - an object's own, to look at
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(call)


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
