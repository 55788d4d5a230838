"""Write a journal file at once, as processes one after another would have: chain, streams and mark are real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from fsm_arb.journal.mark import Mark, MarkFile
from fsm_arb.journal.reader import mark_path
from fsm_arb.journal.staging import Staging
from fsm_arb.journal.store import Store, create
from fsm_arb.ports import Batch, Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from fsm_arb.journal.memory import MemoryDisk
    from fsm_arb.ports import Record

COMMIT_BYTES = 8 << 20  # of payload


class Filing:
    """A new journal file that is being written. A context manager: on leaving, everything is durable.

    Args:
        path: Where no file is yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        create(path)
        self._store = Store(path)
        self._store.begin_epoch()
        self._staging = Staging(self._store.head, self._store.end())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._commit()
        self._store.checkpoint("TRUNCATE")
        self._store.close()
        mark = MarkFile(mark_path(self.path))
        mark.start(Mark(self._staging.seq, self._staging.hash.hex(), self._staging.epoch))
        mark.close()

    def add(self, batches: Sequence[Batch], epoch: int = 1) -> None:
        """Append *batches* as the process of *epoch* would.

        Raises:
            JournalConflict: A stream is not at its expected sequence.
        """
        if epoch > self._store.epoch:
            self._commit()
            while self._store.epoch < epoch:
                self._store.begin_epoch()
            self._staging = Staging(self._store.head, self._store.end())
        self._staging.add(batches)
        if self._staging.size_bytes >= COMMIT_BYTES:
            self._commit()

    def _commit(self) -> None:
        staging = self._staging
        if staging.changes:
            self._store.commit(staging.records, staging.streams(), staging.live())
            staging.keep()


def file_records(path: Path, records: Iterable[Record], live: Iterable[str] = ()) -> None:
    """Write *records* to a new journal at *path*; their hashes are made anew.

    Args:
        path: Where no file is yet.
        records: In global order.
        live: Names of the streams that a restart must take up.
    """
    unfinished = frozenset(live)
    counts: dict[str, int] = {}
    with Filing(path) as filing:
        for record in records:
            count = counts.get(record.stream, 0)
            draft = Draft(
                at_ns=record.at_ns,
                trigger=record.trigger,
                state_before=record.state_before,
                state_after=record.state_after,
                payload=record.payload,
            )
            batch = Batch(stream=record.stream, expected_seq=count, drafts=(draft,), live=record.stream in unfinished)
            filing.add([batch], record.epoch)
            counts[record.stream] = count + 1


def file_disk(path: Path, disk: MemoryDisk) -> None:
    """Write what a `MemoryJournal` has kept on *disk* to a new journal at *path*."""
    file_records(path, disk.records, [name for name, head in disk.heads.items() if head.live])
