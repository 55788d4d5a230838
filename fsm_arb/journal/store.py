"""The SQL of the journal: its tables, how a file is made, recognised and connected to, and one commit.

Records are only ever appended. A stream's row points at its last record and
each record at the one before it in its stream, so no index over all records
has to be kept: an append touches the end of `records` and one row of
`streams`, however many trades there have been.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalFenced, JournalForeign
from fsm_arb.journal.chain import GENESIS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fsm_arb.journal.mark import Mark

APPLICATION_ID = 0x46534D41  # "FSMA"
FORMAT = 1  # grows when an older version could no longer read the file
OLDEST_FORMAT = 1  # the first there was; `migrating` takes over what came between

BUSY_TIMEOUT_S = 1.0  # how long somebody else's write transaction is waited for
CACHE_KIB = 16 * 1024  # of pages, for the connection that writes

RECORD_COLUMNS = 12
STREAM_COLUMNS = 7

_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE streams (
        id INTEGER PRIMARY KEY,        -- in order of birth
        name TEXT NOT NULL UNIQUE,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        length INTEGER NOT NULL,       -- records
        live INTEGER NOT NULL,         -- 1: taken up again after a restart
        seal BLOB NOT NULL             -- over id, name, first_seq and live, which no record's hash covers
    )""",
    """CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        stream_seq INTEGER NOT NULL,
        stream_previous INTEGER NOT NULL,  -- seq of the record before in the same stream; 0 for its first
        epoch INTEGER NOT NULL,
        at_ns INTEGER NOT NULL,            -- wall clock, UTC
        "trigger" TEXT NOT NULL,
        state_before TEXT NOT NULL,
        state_after TEXT NOT NULL,
        previous_hash BLOB NOT NULL,
        hash BLOB NOT NULL,
        payload TEXT NOT NULL              -- JSON
    )""",
    "CREATE INDEX streams_live ON streams (id) WHERE live = 1",
    # For people with a SQLite shell.
    """CREATE VIEW journal AS
        SELECT r.seq, s.name AS stream, r.stream_seq, r.epoch,
               strftime('%Y-%m-%d %H:%M:%f', r.at_ns / 1e9, 'unixepoch') AS at_utc,
               r."trigger", r.state_before, r.state_after, r.payload
        FROM records r JOIN streams s ON s.id = r.stream_id""",
    # live: how many streams are, so that one which drops off the index of live ones is missed.
    "INSERT INTO meta VALUES ('epoch', 0), ('live', 0), ('failed_commits', 0)",
)

_INSERT_RECORDS = "INSERT INTO records VALUES "
_UPSERT_STREAMS = "INSERT INTO streams VALUES "
_UPSERT_TAIL = (
    " ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, length = excluded.length,"
    " live = excluded.live, seal = excluded.seal"
)
# Rows per statement. Each execution lets go of the GIL once and has to win it
# back from the event loop, so few large ones are better than many small ones.
_CHUNKS = (64, 16, 4, 1)


class Head(NamedTuple):
    """How one stream stands."""

    id: int
    first_seq: int
    last_seq: int
    length: int
    live: bool
    seal: bytes


class End(NamedTuple):
    """What the next commit goes on from."""

    epoch: int
    seq: int  # of the newest record; 0 for none
    hash: bytes  # of the newest record; GENESIS for none
    stream_id: int  # the highest; 0 for none
    live: int  # streams that are


def error_code(error: BaseException) -> int:
    """Return SQLite's primary result code; 0 where *error* is none of SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Return a connection that begins transactions only when told to.

    Args:
        path: An existing file.
        mode: ``rw`` or ``ro``.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # whoever uses it from several threads holds a lock
    )
    # A text that is no longer UTF-8 must come through, so that the record can be named.
    connection.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    return connection


def recognise(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a journal of ours.

    Raises:
        JournalForeign: Not SQLite, another application's, or of another format.
        JournalFailed: It cannot be read.
    """
    version = format_of(connection, path)
    if OLDEST_FORMAT <= version < FORMAT:
        raise JournalForeign(
            f"journal {path} is of format {version}; this version of fsm_arb knows format {FORMAT},"
            f" and takes it over into a new file with: fsm-arb migrate {path} --out NEW"
        )
    if version != FORMAT:
        raise JournalForeign(f"journal {path} is of format {version}; this version of fsm_arb knows format {FORMAT}")


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return which format a file of ours has.

    Raises:
        JournalForeign: Not SQLite, or another application's.
        JournalFailed: It cannot be read.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if error_code(error) == sqlite3.SQLITE_NOTADB:
            raise JournalForeign(f"{path} is not a journal: it is no SQLite database") from error
        raise JournalFailed(f"journal {path} cannot be read: {error}") from error
    if application != APPLICATION_ID:
        raise JournalForeign(
            f"{path} is not a journal: it is a SQLite database with application id {application:#x},"
            f" ours is {APPLICATION_ID:#x}"
        )
    return int(version)


def create(path: Path) -> None:
    """Make an empty journal at *path*, whole or not at all.

    It is built under another name and renamed, so that a crash leaves no half
    of it, and its header never depends on a write-ahead log.

    Raises:
        sqlite3.Error: It could not be written.
        OSError: It could not be written.
    """
    draft = path.with_name(path.name + ".new")
    remove_draft(draft)  # of a crash
    try:
        _build(draft)
        draft.replace(path)
    except BaseException:
        remove_draft(draft)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in *folder* to the disk."""
    with contextlib.suppress(OSError):  # where directories cannot be opened, their entries need no fsync
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_draft(draft: Path) -> None:
    """Take away a file that was never given its name, and what SQLite keeps beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            draft.with_name(draft.name + suffix).unlink()


def _build(draft: Path) -> None:
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.closing(connect(draft, "rw")) as connection:
        connection.execute("BEGIN")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


class Store:
    """The one connection that writes and checkpoints. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wal_path = path.with_name(path.name + "-wal")
        self.epoch = 0  # ours, once begun
        self._connection = connect(path, "rw")
        self._files: tuple[tuple[int, int], ...] = ()

    def begin_epoch(self) -> None:
        """Begin a new epoch, durably, greater than any before.

        Raises:
            JournalFailed: The file system cannot carry a write-ahead log.
            sqlite3.Error: It could not be written.
        """
        connection = self._connection
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise JournalFailed(f"journal {self.path}: no write-ahead log on this file system (journal mode {mode})")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA fullfsync = 1")  # macOS: through the drive's cache
        connection.execute("PRAGMA checkpoint_fullfsync = 1")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # never between a commit and its answer
        connection.execute("BEGIN IMMEDIATE")
        self.epoch = self.meta("epoch") + 1
        connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (self.epoch,))
        connection.execute("COMMIT")
        self._files = self._identities()

    def commit(self, records: list[Any], streams: list[Any], live: int | None = None) -> None:
        """Write everything in one transaction and return once it is durable.

        Args:
            records: Columns of all rows of `records`, one after the other.
            streams: The same for `streams`.
            live: How many streams are live now; None where that number stays.

        Raises:
            JournalFenced: Another epoch has begun.
            JournalFailed: The files were moved away while open.
            sqlite3.Error: SQLite refused.
            OSError: The files cannot be looked at.
        """
        # Into a deleted file everything can be written, and is gone with the process.
        if self._identities() != self._files:
            raise JournalFailed(f"journal {self.path} or its -wal was removed or replaced while it was open")
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        found = self.meta("epoch")
        if found != self.epoch:
            raise JournalFenced(f"journal {self.path}: epoch {found} has taken over from our epoch {self.epoch}")
        _execute(connection, _INSERT_RECORDS, RECORD_COLUMNS, "", records)
        _execute(connection, _UPSERT_STREAMS, STREAM_COLUMNS, _UPSERT_TAIL, streams)
        if live is not None:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'live'", (live,))
        connection.execute("COMMIT")

    def overwrite_failed_commit(self) -> None:
        """Commit something harmless over what a failed commit may have left in the log.

        Where only the last fsync failed, the log holds a whole commit that was
        reported as failed; after a power cut it would be found and believed.

        Raises:
            sqlite3.Error: Still no luck; the next commit does the same.
        """
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'failed_commits'")

    def roll_back(self) -> None:
        """End a transaction that failed, if SQLite has not done so already."""
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def last(self) -> tuple[int, bytes]:
        """Return sequence and hash of the newest record; (0, GENESIS) for none."""
        row = self._connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        return row or (0, GENESIS)

    def end(self) -> End:
        """Return what the next commit goes on from."""
        return End(self.epoch, *self.last(), self._last_stream_id(), self.meta("live"))

    def _last_stream_id(self) -> int:
        (found,) = self._connection.execute("SELECT max(id) FROM streams").fetchone()
        return found or 0

    def head(self, stream: str) -> Head | None:
        """Return how *stream* stands; None for an unknown one."""
        row = self._connection.execute(
            "SELECT id, first_seq, last_seq, length, live, seal FROM streams WHERE name = ?", (stream,)
        ).fetchone()
        if row is None:
            return None
        stream_id, first_seq, last_seq, length, live, seal = row
        return Head(stream_id, first_seq, last_seq, length, bool(live), seal)

    def checkpoint(self, mode: str = "PASSIVE") -> None:
        """Move the log's content into the database file; PASSIVE waits for nobody."""
        self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()

    def close(self) -> None:
        """Let go; SQLite checkpoints and removes the log when nobody else reads it."""
        self._connection.close()

    def meta(self, key: str) -> int:
        """Return a number that the journal keeps of itself."""
        (value,) = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(value)

    def _identities(self) -> tuple[tuple[int, int], ...]:
        found = []
        for path in (self.path, self.wal_path):
            try:
                status = path.stat()
            except FileNotFoundError:
                return ()
            found.append((status.st_dev, status.st_ino))
        return tuple(found)


@functools.cache
def _statement(beginning: str, columns: int, rows: int, end: str) -> str:
    row = f"({','.join('?' * columns)})"
    return beginning + ",".join([row] * rows) + end


def _execute(connection: sqlite3.Connection, beginning: str, columns: int, end: str, values: Sequence[Any]) -> None:
    at, left = 0, len(values) // columns
    for rows in _CHUNKS:
        while left >= rows:
            connection.execute(_statement(beginning, columns, rows, end), values[at : at + rows * columns])
            at += rows * columns
            left -= rows


def refuse_if_lost(path: Path, mark: Mark | None) -> None:
    """Refuse to begin anew where what stands beside a missing journal shows that there was one.

    Raises:
        JournalCorrupt: Its mark has seen records, or its write-ahead log holds something.
    """
    if mark and mark.seq:
        raise JournalCorrupt(
            1,
            f"is missing: {path} is missing or empty, but its mark has seen record {mark.seq};"
            f" restore it, or remove {path}.mark if this loss is meant",
        )
    wal = path.with_name(path.name + "-wal")
    with contextlib.suppress(FileNotFoundError):
        if wal.stat().st_size:
            raise JournalCorrupt(1, f"{path} is missing or empty, but {wal} still holds records of it")
