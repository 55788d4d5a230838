"""Number, check and chain drafts in memory, before SQLite sees them.

Calls that wait together become one transaction, and yet each is judged alone:
a call is staged whole or not at all, so one that is refused costs the others
nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fsm_arb.errors import JournalConflict, JournalFailed
from fsm_arb.journal.chain import digest
from fsm_arb.journal.store import End, Head

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView, Sequence

    from fsm_arb.ports import Batch, Draft

_INT64 = 1 << 63


def seal(stream_id: int, name: str, first_seq: int, live: int) -> bytes:
    """Return what guards those columns of a stream's row that no record's hash covers, 8 bytes."""
    text = f"{stream_id}\n{first_seq}\n{live}\n{name}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]


class Staging:
    """What is durable, as far as a writer must know it, and what is about to be."""

    def __init__(self, find: Callable[[str], Head | None], end: End) -> None:
        self._find = find  # looks a stream up in the store
        self._heads: dict[str, Head] = {}  # of live streams seen since opening: bounded by what is live
        self.epoch = end.epoch
        self.seq = end.seq  # durable, as are the next three
        self.hash = end.hash
        self._stream_id = end.stream_id
        self._live = end.live
        self._begin()

    def _begin(self) -> None:
        self.records: list[Any] = []  # columns, one row after the other
        self.staged_seq = self.seq
        self.staged_hash = self.hash
        self.size_bytes = 0  # of the payloads staged, in characters
        self._staged_stream_id = self._stream_id
        self._staged_live = self._live
        self._staged_heads: dict[str, Head] = {}

    @property
    def changes(self) -> bool:
        """Whether anything is staged."""
        return bool(self._staged_heads)

    def changed(self) -> ItemsView[str, Head]:
        """Return the streams that are staged, by name, as they will stand."""
        return self._staged_heads.items()

    def live(self) -> int | None:
        """Return how many streams will be live; None where that number stays."""
        return self._staged_live if self._staged_live != self._live else None

    def streams(self) -> list[Any]:
        """Return the columns of every stream's row that changes, one row after the other."""
        columns: list[Any] = []
        for name, head in self._staged_heads.items():
            columns += (head.id, name, head.first_seq, head.last_seq, head.length, int(head.live), head.seal)
        return columns

    def add(self, batches: Sequence[Batch]) -> None:
        """Stage all *batches* of one call, or none.

        Raises:
            JournalConflict: A stream is not at its expected sequence.
            JournalFailed: A draft holds what cannot be stored.
            sqlite3.Error: A stream could not be looked up.
        """
        seq, previous, stream_id = self.staged_seq, self.staged_hash, self._staged_stream_id
        size = live = 0
        records: list[Any] = []
        heads: dict[str, Head] = {}
        for batch in batches:
            name = batch.stream
            head = heads.get(name) or self._head(name)
            if head is None:
                _refuse_unless_expected(batch, 0)
                if not batch.drafts:
                    continue  # nothing to say about a stream that does not exist
                stream_id += 1
                first, last, length, number = seq + 1, 0, 0, stream_id
            else:
                _refuse_unless_expected(batch, head.length)
                first, last, length, number = head.first_seq, head.last_seq, head.length, head.id
            for draft in batch.drafts:
                seq += 1
                length += 1
                at_ns, trigger, before, after, payload = _plain(draft)
                try:
                    own = digest(previous, seq, name, length, self.epoch, at_ns, trigger, before, after, payload)
                except UnicodeEncodeError as error:
                    raise JournalFailed(f"stream {name}: record {length} holds text that is not UTF-8") from error
                records += (seq, number, length, last, self.epoch, at_ns, trigger, before, after)
                records += (previous, own, payload)
                previous, last = own, seq
                size += len(payload)
            sealed = head.seal if head and head.live == batch.live else seal(number, name, first, int(batch.live))
            live += batch.live - (head is not None and head.live)
            heads[name] = Head(number, first, last, length, batch.live, sealed)
        self.records += records
        self.size_bytes += size
        self._staged_live += live
        self.staged_seq, self.staged_hash, self._staged_stream_id = seq, previous, stream_id
        self._staged_heads.update(heads)

    def _head(self, name: str) -> Head | None:
        return self._staged_heads.get(name) or self._heads.get(name) or self._find(name)

    def keep(self) -> None:
        """What was staged is durable."""
        self.seq, self.hash, self._stream_id = self.staged_seq, self.staged_hash, self._staged_stream_id
        self._live = self._staged_live
        for name, head in self._staged_heads.items():
            if head.live:
                self._heads[name] = head
            else:
                self._heads.pop(name, None)
        self._begin()

    def drop(self) -> None:
        """Nothing of what was staged is durable."""
        self._begin()


def _refuse_unless_expected(batch: Batch, length: int) -> None:
    if batch.expected_seq != length:
        raise JournalConflict(
            f"stream {batch.stream}: the writer knows of {batch.expected_seq} records, the journal holds {length}"
        )


def _plain(draft: Draft) -> tuple[int, str, str, str, str]:
    """Return the fields as exactly the types that are hashed and stored; an enum that is a str formats otherwise.

    Raises:
        JournalFailed: A field is of another type, or the time does not fit 64 bits.
    """
    at_ns = draft.at_ns
    if type(at_ns) is not int or not -_INT64 <= at_ns < _INT64:
        raise JournalFailed(f"at_ns={at_ns!r} is not a 64-bit number of nanoseconds")
    texts = (draft.trigger, draft.state_before, draft.state_after, draft.payload)
    for text in texts:
        if type(text) is not str:
            raise JournalFailed(f"{text!r} in a draft is {type(text).__name__}, not plain text")
    return (at_ns, *texts)
