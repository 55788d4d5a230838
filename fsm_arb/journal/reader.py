"""Read a journal, and check what is read. Needs no lock: a bot may be writing all the while.

No read holds a transaction open between two records, so that a reader that
dawdles never keeps the log from being reused. Records never change, so
nothing is lost by that.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fsm_arb.errors import JournalCorrupt, JournalError, JournalFailed
from fsm_arb.journal import queries
from fsm_arb.journal.chain import GENESIS_HEX, Chain, check
from fsm_arb.journal.mark import Mark, MarkFile, MarkUnreadable
from fsm_arb.journal.staging import seal
from fsm_arb.journal.store import connect, error_code, recognise
from fsm_arb.ports import Record

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

CHUNK = 128  # rows fetched at a time
NO_END = (1 << 63) - 1  # no record has a sequence beyond it
TAIL_RECORDS = 256  # the end of the chain that is verified at each opening


class JournalReader:
    """A journal for reading only: for audits, command lines, and the journal's own reads.

    All methods may be called from any thread. They raise `JournalCorrupt` for
    what was altered and `JournalFailed` when the journal is not open or cannot
    be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._guard = threading.RLock()

    def open(self) -> None:
        """Connect.

        Raises:
            JournalForeign: Not a journal, or of a version we cannot read.
            JournalFailed: There is no such file, or it cannot be read.
        """
        path = self.path.resolve()
        try:
            connection = connect(path, "ro")
        except sqlite3.Error as error:
            raise JournalFailed(f"journal {self.path} cannot be opened: {error}") from error
        try:
            recognise(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def close(self) -> None:
        """Disconnect; does nothing when not open."""
        with self._guard:
            connection, self._connection = self._connection, None
            if connection:
                connection.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------------------- reads

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order, each checked; none for an unknown stream."""
        with self._naming():
            yield from self._read(stream)

    def _read(self, stream: str) -> Iterator[Record]:
        rows = self._rows("SELECT first_seq, last_seq, length FROM streams WHERE name = ?", (stream,), 0)
        if not rows:
            return
        first, last, length = rows[0]
        seqs = [seq for (seq,) in self._rows(queries.WALK_BACK, (last, length), last)]
        seqs.reverse()
        if len(seqs) != length or seqs[0] != first:
            raise JournalCorrupt(seqs[0], f"the {length} records of stream {stream} no longer hang together here")
        for start in range(0, length, CHUNK):
            for offset, record in enumerate(self._records_at(seqs[start : start + CHUNK]), start + 1):
                check(record)
                if record.stream != stream or record.stream_seq != offset:
                    found = f"{record.stream} {record.stream_seq}"
                    raise JournalCorrupt(record.seq, f"is {found} where {stream} {offset} belongs")
                yield record

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first, each as it stands when it is reached."""
        for _, name in self._by_id(queries.NAMES_BY_LIVE[live], (len(prefix), prefix)):
            yield name

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield every record of the journal in global order, each checked against its predecessor.

        Args:
            after: Global sequence of the last record not wanted; 0 for all.
        """
        with self._naming():
            for row in self._chained(after, NO_END):
                yield row[0]

    def stretch(self, after: int, upto: int = NO_END) -> Iterator[tuple[Record, int, int]]:
        """Yield the records of a stretch in global order, each verified as `verify` does; with its stream's ends.

        So several readers verify a journal together, each a stretch that begins
        where another one ends; what is left for one of them is `verify_streams`.

        Args:
            after: Global sequence of the last record not wanted; 0 for the beginning.
            upto: Global sequence of the last record that is wanted.

        Yields:
            The record, and the global sequence of the first and of the last record of its stream by now.
        """
        with self._naming():
            yield from self._stretch(after, upto)

    def last(self) -> tuple[int, str]:
        """Return sequence and hash of the newest record; (0, 64 zeros) for none."""
        rows = self._rows("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1", (), 0)
        return (rows[0][0], _hex(rows[0][1])) if rows else (0, GENESIS_HEX)

    # ------------------------------------------------------- verification

    def verify(self) -> int:
        """Return how many records there are, having checked everything, in bounded memory.

        That is: every record against its own hash, its predecessor and its
        stream; every stream against its records; the end against the mark.

        Raises:
            JournalCorrupt: Names the first record that is wrong or missing, and its stream.
        """
        with self._naming():
            count = sum(1 for _ in self._stretch(0, NO_END))
            self._verify_streams(count)
            return count

    def verify_streams(self) -> None:
        """Check what `verify` checks besides the records: every stream against its ends, the end against the mark.

        Raises:
            JournalCorrupt: Names the first record that is wrong or missing, and its stream.
        """
        with self._naming():
            self._verify_streams(self.last()[0])

    def _stretch(self, after: int, upto: int) -> Iterator[tuple[Record, int, int]]:
        for record, back, back_stream_seq, same_stream, first, last in self._chained(after, upto):
            beginning = (record.stream_seq, back) == (1, 0)
            if not beginning and (not same_stream or back_stream_seq != record.stream_seq - 1):
                raise JournalCorrupt(record.seq, f"does not follow record {back} in stream {record.stream}")
            yield record, first, last

    def _verify_streams(self, count: int) -> None:
        self._check_heads(queries.HEADS_ALL)
        self._check_live()
        rows = self._rows("SELECT (SELECT max(seq) FROM records), (SELECT sum(length) FROM streams)", (), count)
        if rows[0][0] != rows[0][1]:
            raise JournalCorrupt(count, f"streams count {rows[0][1]} records where the journal holds {rows[0][0]}")
        self.check_mark(self.mark())

    def verify_tail(self) -> None:
        """Check the last records of the chain, and that every live stream has its records.

        Costs the same however long the journal is; grows with what is live.

        Raises:
            JournalCorrupt: Names the first record that is wrong or missing, and its stream.
        """
        with self._naming():
            last, _ = self.last()
            for _ in self._chained(max(0, last - TAIL_RECORDS), NO_END):
                pass
            self._check_live()

    def epoch(self) -> int:
        """Return how often the journal has been opened for writing."""
        return self._meta("epoch", 0)

    def mark(self) -> Mark | None:
        """Return the high-water mark beside the journal; None where there is none that can be read."""
        try:
            return MarkFile(mark_path(self.path.resolve())).read()
        except (MarkUnreadable, OSError):
            return None

    def check_mark(self, mark: Mark | None) -> None:
        """Check that everything is here that the mark has seen durable.

        Raises:
            JournalCorrupt: Names the first record that is missing, or the one that is another now.
        """
        if mark is not None:
            with self._naming():
                self._check_mark(mark)

    def _check_mark(self, mark: Mark) -> None:
        last, _ = self.last()
        if last < mark.seq:
            raise JournalCorrupt(
                last + 1,
                f"is missing: {self.path} ends at record {last}, but its mark has seen record {mark.seq};"
                f" restore it, or remove {mark_path(self.path)} if this loss is meant",
            )
        epoch = self._meta("epoch", last)
        if epoch < mark.epoch:
            raise JournalCorrupt(
                last + 1, f"{self.path} is an older copy: it knows of {epoch} openings, its mark of {mark.epoch}"
            )
        if mark.seq:
            (record,) = self._records_at([mark.seq])
            check(record)
            if record.hash != mark.hash:
                raise JournalCorrupt(mark.seq, f"is not the record that the mark of {self.path} has seen there")

    def _chained(self, after: int, upto: int) -> Iterator[tuple[Record, int, int | None, int | None, int, int]]:
        """Yield records after *after*, verified in sequence, with how each hangs on its stream."""
        if after:
            (before,) = self._records_at([after])
            chain = Chain(after, before.hash, before.epoch)
        else:
            chain = Chain()
        newest = self._meta("epoch", after)
        while rows := self._rows(queries.RECORDS_FROM, (chain.seq, upto, CHUNK), chain.seq + 1):
            for row in rows:
                record = _record(row[:11])
                chain.accept(record)
                if record.epoch > newest:
                    newest = self._meta("epoch", record.seq)
                    if record.epoch > newest:
                        raise JournalCorrupt(record.seq, f"is of epoch {record.epoch}, the journal only of {newest}")
                if not row[14]:
                    raise JournalCorrupt(record.seq, f"is no longer counted by its stream {record.stream}")
                yield record, row[11], row[12], row[13], row[15], row[16]
        if chain.seq < upto != NO_END:
            raise JournalCorrupt(chain.seq + 1, "is missing")

    def _check_live(self) -> None:
        """Check every stream that is listed as live, and that none has dropped off the list."""
        with self._guard:
            self._rows("BEGIN", (), 0)  # both numbers at one moment, also while somebody writes
            try:
                listed = self._check_heads(queries.HEADS_LIVE)
                counted = self._meta("live", 0)
            finally:
                self._rows("COMMIT", (), 0)
        if listed != counted:
            raise JournalCorrupt(0, f"{self.path} is damaged: it lists {listed} streams as live and counted {counted}")

    def _check_heads(self, query: str) -> int:
        """Return how many streams *query* gives, each found in order."""
        count = 0
        for number, name, first, last, length, live, sealed, sound in self._by_id(query, ()):
            if not sound:
                raise JournalCorrupt(last, f"is not the end of the {length} records of stream {name}")
            if sealed != seal(number, name, first, live) or (query is queries.HEADS_LIVE and live != 1):
                raise JournalCorrupt(last, f"the row of its stream {name} was altered")
            count += 1
        return count

    # -------------------------------------------------------------- below

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Add to what is found wrong the stream it belongs to, as far as what is left can tell."""
        try:
            yield
        except JournalCorrupt as error:
            stream = "" if error.stream or not error.seq else self._whose(error.seq)
            if not stream:
                raise
            raise JournalCorrupt(error.seq, error.reason, stream) from error.__cause__

    def place(self, seq: int) -> tuple[Any, Any] | None:
        """Return what a record says of its number in its stream and of its time, unchecked; None: it is not there."""
        rows = self._rows(queries.PLACE, (seq,), seq)
        return rows[0] if rows else None

    def _whose(self, seq: int) -> str:
        try:
            rows = self._rows(queries.WHOSE, (seq,), 0)
        except JournalError:  # the pages that could tell are damaged too
            return ""
        return rows[0][0] if rows and isinstance(rows[0][0], str) else ""

    def _by_id(self, query: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of streams in order of birth, a chunk at a time."""
        at = 0
        while rows := self._rows(query, (at, *values, CHUNK), 0):
            for row in rows:
                if row[0] <= at:
                    raise JournalCorrupt(0, f"{self.path} is damaged: its streams are out of order at {at}")
                at = row[0]
                yield row

    def _meta(self, key: str, seq: int) -> int:
        """Return a number that the journal keeps of itself; *seq* is the record to name when that is lost."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,), seq)
        if not rows or type(rows[0][0]) is not int:
            raise JournalCorrupt(seq, f"{self.path} is damaged: it no longer knows its {key}")
        return int(rows[0][0])

    def _records_at(self, seqs: list[int]) -> list[Record]:
        found = []
        for seq in seqs:
            rows = self._rows(queries.ONE_RECORD, (seq,), seq)
            if not rows:
                raise JournalCorrupt(seq, "is missing")
            found.append(_record(rows[0]))
        return found

    def _rows(self, query: str, values: tuple[Any, ...], seq: int) -> list[Any]:
        """Return all rows of a query; *seq* is the record to name when SQLite finds its pages damaged."""
        with self._guard:
            if self._connection is None:
                raise JournalFailed(f"journal {self.path} is not open")
            try:
                return self._connection.execute(query, values).fetchall()
            except (sqlite3.Error, UnicodeDecodeError) as error:  # an error may quote what is no longer text
                raise read_error(error, self.path, seq) from error


def mark_path(path: Path) -> Path:
    """Return where the high-water mark of the journal at *path* stands."""
    return path.with_name(path.name + ".mark")


def read_error(error: BaseException, path: Path, seq: int) -> JournalCorrupt | JournalFailed:
    """Return what an error of SQLite says about the journal: damaged pages, or it just could not be read."""
    code = error_code(error)
    # ERROR: a table or a column is gone. Without a code: a value could not be turned into a Python one.
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, 0}:
        return JournalCorrupt(seq, f"{path} is damaged: {error}")
    return JournalFailed(f"journal {path} cannot be read: {error}")


def _hex(value: object) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _record(row: tuple[Any, ...]) -> Record:
    seq, stream, stream_seq, epoch, at_ns, trigger, before, after, payload, previous, own = row
    return Record(
        seq=seq,
        stream=stream,
        stream_seq=stream_seq,
        epoch=epoch,
        at_ns=at_ns,
        trigger=trigger,
        state_before=before,
        state_after=after,
        payload=payload,
        previous_hash=_hex(previous),
        hash=_hex(own),
    )
