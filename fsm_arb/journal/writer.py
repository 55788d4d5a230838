"""The thread that owns the connection: everything that waits becomes one commit, one fsync.

A commit either happened or is taken back in memory too, so that numbers and
hashes always continue what is durable. Nothing that SQLite or the disk does
ends the thread.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from fsm_arb.errors import JournalError, JournalFailed, JournalFenced, JournalFull
from fsm_arb.journal.mark import Mark
from fsm_arb.journal.opening import open_journal, set_aside

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from fsm_arb.journal.opening import Files, Opened
    from fsm_arb.ports import Batch, Clock

_log = logging.getLogger(__name__)

GROUP_CALLS_MAX = 1024  # in one commit, so that under load an answer still comes
CHECKPOINT_IDLE_BYTES = 2 << 20  # of log since the last checkpoint; done when nothing waits
CHECKPOINT_FORCED_BYTES = 16 << 20  # the same, done even when something waits: the log must not grow for ever
RESERVE_RETRY_S = 5  # how often room is looked for while the disk is full

_COMMIT_BYTES = 12 << 10  # of log that a commit costs apart from its records: some three pages
_RECORD_BYTES = 300  # of log that a record costs apart from its payload

Call = tuple["Sequence[Batch]", "asyncio.Future[int]"]
Outcome = tuple["asyncio.Future[int]", JournalError | int]  # an int: the sequence of its last record


class Writer(threading.Thread):
    """Opens the journal, serves calls until told to stop, and closes it. One per opening."""

    def __init__(self, files: Files, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name="fsm_arb-journal", daemon=True)  # what was answered is durable; the rest may be lost
        self.full = False
        self.opened: asyncio.Future[int] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        self._files = files
        self._clock = clock
        self._loop = loop
        self._queue: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._stopping = False
        self._fenced: str = ""  # why nothing may be written any more
        self._uncertain = False  # whether what is durable must be asked for before the next commit
        self._log_bytes = 0  # estimate, since the last checkpoint
        self._reserve_tried_ns = 0
        self._mark_fails = False
        self._marked_seq = 0

    # ------------------------------------------------- from the event loop

    def submit(self, batches: Sequence[Batch], future: asyncio.Future[int]) -> None:
        """Queue one call; its future gets the outcome."""
        self._queue.put((batches, future))

    def stop(self) -> None:
        """Close after everything that is queued by now."""
        self._queue.put(None)

    # ------------------------------------------------------ in the thread

    def run(self) -> None:
        """Live from opening to closing."""
        try:
            try:
                opened = open_journal(self._files)
            except JournalError as error:
                self._tell(_settle, self.opened, error)
                return
            except Exception as error:  # noqa: BLE001 - whoever awaits the opening must hear of it
                self._tell(_settle, self.opened, JournalFailed(f"journal {self._files.journal}: {error!r}"))
                return
            self._store, self._staging, self.full = opened.store, opened.staging, opened.full
            self._tell(_settle, self.opened, opened.staging.epoch)
            try:
                self._serve()
            finally:
                self._shut(opened)
        finally:
            self._tell(_settle, self.finished, None)

    def _serve(self) -> None:
        while not self._stopping:
            group = self._next_group()
            if group:
                self._tell(_deliver, self._commit_or_fail(group))
            try:
                self._write_mark()
                self._tidy()
            except Exception:  # noqa: BLE001 - our own bug; the thread must live
                _log.exception("journal %s: house-keeping failed", self._files.journal)

    def _next_group(self) -> list[Call]:
        """Wait for a call and return it with all that came meanwhile; empty when it is time to look around."""
        group: list[Call] = []
        try:
            call = self._queue.get(timeout=RESERVE_RETRY_S if self.full else None)
            while call is not None:
                group.append(call)
                if len(group) == GROUP_CALLS_MAX:
                    return group
                call = self._queue.get_nowait()
            self._stopping = True
        except queue.Empty:
            pass
        return group

    def _commit_or_fail(self, group: list[Call]) -> list[Outcome]:
        try:
            return self._commit(group)
        except Exception as error:  # noqa: BLE001 - our own bug; those who wait must hear of it
            _log.exception("journal %s: a commit broke", self._files.journal)
            self._uncertain = True
            failure = JournalFailed(f"journal {self._files.journal}: a commit broke: {error!r}")
            return [(future, _copy(failure)) for _, future in group]

    def _commit(self, group: Iterable[Call]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        staged: list[tuple[asyncio.Future[int], int]] = []
        failure = self._prepare()
        for batches, future in group:
            refusal = failure or self._stage(batches)
            if refusal is None:
                staged.append((future, self._staging.staged_seq))
            else:
                outcomes.append((future, _copy(refusal)))
        if staged:
            error = self._write()
            outcomes += [(future, last if error is None else _copy(error)) for future, last in staged]
        return outcomes

    def _prepare(self) -> JournalError | None:
        """Return why nothing can be staged now."""
        if self._uncertain:
            try:
                self._ask_what_is_durable()
            except (sqlite3.Error, OSError) as error:
                return self._files.write_failure(error)
        return JournalFenced(self._fenced) if self._fenced else None

    def _stage(self, batches: Sequence[Batch]) -> JournalError | None:
        try:
            self._staging.add(batches)
        except JournalError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever one call brought, the others go on
            return JournalFailed(f"journal {self._files.journal}: these batches cannot be staged: {error!r}")
        return None

    def _write(self) -> JournalError | None:
        """Commit what is staged; afterwards memory agrees with the disk, however it went."""
        store, staging = self._store, self._staging
        if not staging.changes:
            staging.keep()
            return None
        self._log_bytes += _COMMIT_BYTES + staging.size_bytes + _RECORD_BYTES * (staging.staged_seq - staging.seq)
        try:
            store.commit(staging.records, staging.streams(), staging.live())
        except Exception as error:  # noqa: BLE001 - each caller gets it, translated
            store.roll_back()
            return self._after_failure(error)
        staging.keep()
        return None

    def _after_failure(self, error: Exception) -> JournalError | None:
        self._uncertain = True
        if isinstance(error, JournalFenced):
            self._fenced = str(error)
        failure = error if isinstance(error, JournalError) else self._files.write_failure(error)
        if isinstance(failure, JournalFull):
            self._disk_is_full()
        try:
            if self._ask_what_is_durable():
                _log.warning(
                    "journal %s: a commit was reported as failed, yet is there: %s", self._files.journal, error
                )
                return None
            if not self._fenced:
                self._store.overwrite_failed_commit()
        except (sqlite3.Error, OSError) as again:
            _log.warning("journal %s: after %s also: %s", self._files.journal, error, again)
        return failure

    def _ask_what_is_durable(self) -> bool:
        """Bring memory in line with the disk; returns whether what is staged turned out to be there."""
        staging = self._staging
        found = self._store.last()
        there = (
            staging.changes and staging.staged_seq > staging.seq and found == (staging.staged_seq, staging.staged_hash)
        )
        if there:
            staging.keep()
        else:
            staging.drop()
            if found != (staging.seq, staging.hash):
                self._fenced = (
                    f"journal {self._files.journal} ends at record {found[0]}, not at {staging.seq} as we left it:"
                    " somebody else writes to it"
                )
        self._uncertain = False
        return there

    def _write_mark(self) -> None:
        """Note how far the journal reaches; after the answer, since a mark that lags behind is still true."""
        staging = self._staging
        if self._files.mark is None or staging.seq == self._marked_seq:
            return
        self._marked_seq = staging.seq
        try:
            self._files.mark.write(Mark(staging.seq, staging.hash.hex(), staging.epoch))
        except OSError as error:
            if not self._mark_fails:
                _log.warning("journal mark %s cannot be written: %s; it lags behind", self._files.mark.path, error)
            self._mark_fails = True
        else:
            self._mark_fails = False

    # --------------------------------------------------------- house-keeping

    def _disk_is_full(self) -> None:
        if not self.full:
            _log.error("journal %s: the disk is full; the reserve is released, entries stop", self._files.journal)
        self.full = True
        self._reserve_tried_ns = self._clock.monotonic_ns()
        self._files.reserve.release()

    def _tidy(self) -> None:
        """Checkpoint when it is time, and take the reserve back when there is room."""
        idle = self._queue.empty()
        if self._log_bytes >= (CHECKPOINT_IDLE_BYTES if idle else CHECKPOINT_FORCED_BYTES):
            self._log_bytes = 0
            try:
                self._store.checkpoint()
            except sqlite3.Error as error:
                _log.warning("journal %s: the log could not be checkpointed: %s", self._files.journal, error)
                if isinstance(self._files.write_failure(error), JournalFull):
                    self._disk_is_full()
        waited_ns = self._clock.monotonic_ns() - self._reserve_tried_ns if self.full else 0
        if waited_ns >= RESERVE_RETRY_S * 1_000_000_000:
            self._reserve_tried_ns = self._clock.monotonic_ns()
            self.full = not set_aside(self._files.reserve)

    def _shut(self, opened: Opened) -> None:
        self._files.reader.close()  # first: the log goes away with the last connection only if that one may write
        try:
            opened.store.close()
        except sqlite3.Error as error:
            _log.warning("journal %s: left unfinished at closing, harmlessly: %s", self._files.journal, error)
        self._files.release()

    def _tell(self, function: Callable[..., object], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *values)


def _copy(error: JournalError) -> JournalError:
    """Return an error of its own for each waiting task: raising one twice would mix their tracebacks."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy


def _settle(future: asyncio.Future[Any], outcome: object) -> None:
    if future.done():  # whoever awaited it was cancelled
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _deliver(outcomes: list[Outcome]) -> None:
    for future, outcome in outcomes:
        _settle(future, outcome)
