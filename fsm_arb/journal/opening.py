"""Open the journal: take the lock, recognise or make the file, verify its tail, begin an epoch.

The order matters. Nothing is read before the lock is held, nothing is written
before the file is known to be ours and whole, and the mark is renewed last,
after what it speaks of is durable.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from typing import TYPE_CHECKING

from attrs import define, frozen

from fsm_arb.errors import JournalFailed, JournalForeign, JournalFull
from fsm_arb.journal.lock import FileLock
from fsm_arb.journal.mark import Mark, MarkFile, MarkUnreadable
from fsm_arb.journal.reader import JournalReader, mark_path, read_error
from fsm_arb.journal.reserve import NO_ROOM, Reserve
from fsm_arb.journal.staging import Staging
from fsm_arb.journal.store import Store, create, error_code, refuse_if_lost

if TYPE_CHECKING:
    from pathlib import Path

    from fsm_arb.errors import JournalError

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Files:
    """Everything that stands at and beside one path."""

    journal: Path
    lock: FileLock
    reserve: Reserve
    mark: MarkFile | None  # None: not wanted
    reader: JournalReader

    @classmethod
    def at(cls, path: Path, *, mark: bool, reserve_bytes: int) -> Files:
        """Name the files of the journal at *path*, which is resolved; touches none."""
        return cls(
            journal=path,
            lock=FileLock(path.with_name(path.name + ".lock")),
            reserve=Reserve(path.with_name(path.name + ".reserve"), reserve_bytes),
            mark=MarkFile(mark_path(path)) if mark else None,
            reader=JournalReader(path),
        )

    def release(self) -> None:
        """Let go of everything but the writing connection; the lock last."""
        self.reader.close()
        if self.mark:
            self.mark.close()
        self.lock.release()

    def write_failure(self, error: Exception) -> JournalError:
        """Return what *error*, met while writing, means to whoever awaits the record."""
        code = error_code(error)
        full = code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in NO_ROOM)
        # A full disk may first show in an fsync, in the log's index, or as a quota: all "I/O errors" to SQLite.
        if full or (code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and self.reserve.room_is_gone()):
            return JournalFull(f"journal {self.journal}: no room for another record ({error})")
        return JournalFailed(f"journal {self.journal} cannot be written: {type(error).__name__}: {error}")


@define
class Opened:
    """A journal ready to be written, held by its lock."""

    store: Store
    staging: Staging
    full: bool  # whether the reserve is gone


def open_journal(files: Files) -> Opened:
    """Open or make the journal; on any error everything is let go again.

    Raises:
        JournalLocked: Another process drives it, or this one already does.
        JournalForeign: Not a journal, or of a version we cannot read.
        JournalCorrupt: The chain is broken or records are missing.
        JournalFull: No room for a new epoch, not even with the reserve.
        JournalFailed: Anything else.
    """
    path = files.journal
    if path.is_dir():
        raise JournalFailed(f"journal {path} is a directory; a file is needed")
    if not path.parent.is_dir():
        raise JournalFailed(f"journal {path}: there is no directory {path.parent}")
    files.lock.take()
    try:
        return _open_locked(files)
    except JournalForeign:
        # What is not ours is left as it was found.
        files.reader.close()
        files.lock.release(remove=files.lock.created)
        raise
    except BaseException:
        files.release()
        raise


def _open_locked(files: Files) -> Opened:
    mark = _read_mark(files.mark)
    full = False
    try:
        store, staging = _connect(files, mark)
    except (JournalFull, JournalFailed) as error:
        if isinstance(error, JournalFailed) and not files.reserve.room_is_gone():
            raise
        _log.error("journal %s: the disk is full; the reserve is released to open it", files.journal)
        files.reserve.release()
        store, staging = _connect(files, mark)
        full = True
    try:
        full = full or not set_aside(files.reserve)
        _renew_mark(files.mark, mark, staging)
    except BaseException:
        store.close()
        raise
    return Opened(store, staging, full)


def _connect(files: Files, mark: Mark | None) -> tuple[Store, Staging]:
    """Return the connection that writes and what it goes on from, all verified and a new epoch begun."""
    path = files.journal
    store: Store | None = None
    try:
        if not path.exists() or not path.stat().st_size:
            refuse_if_lost(path, mark)
            create(path)
        files.reader.close()  # of the attempt before
        files.reader.open()
        files.reader.verify_tail()  # first, so that what is named is the first that is wrong
        files.reader.check_mark(mark)
        store = Store(path)
        store.begin_epoch()
        return store, Staging(store.head, store.end())
    except BaseException as error:
        if store:
            store.close()
        if error_code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise read_error(error, path, 1) from error
        if isinstance(error, sqlite3.Error | OSError):
            raise files.write_failure(error) from error
        raise


def set_aside(reserve: Reserve) -> bool:
    """Return whether the reserve is held; says in the log when it is not."""
    try:
        held = reserve.set_aside()
    except OSError as error:
        _log.warning("journal reserve %s cannot be set aside: %s", reserve.path, error)
        return False
    if not held:
        _log.warning("journal reserve %s: no room for it; entries stop until there is", reserve.path)
    return held


def _read_mark(file: MarkFile | None) -> Mark | None:
    if file is None:
        return None
    try:
        return file.read()
    except MarkUnreadable:
        _log.warning("journal mark %s is damaged and made anew; a tail lost before now goes unnoticed", file.path)
    except OSError as error:
        _log.warning("journal mark %s cannot be read: %s; a lost tail goes unnoticed", file.path, error)
    return None


def _renew_mark(file: MarkFile | None, found: Mark | None, staging: Staging) -> None:
    if file is None:
        return
    if found is None and staging.seq and not file.path.exists():
        # A bot with open legs must start all the same; a person should know.
        _log.warning(
            "journal mark %s was missing and is made anew at record %d; a tail lost before now goes unnoticed",
            file.path,
            staging.seq,
        )
    try:
        file.start(Mark(staging.seq, staging.hash.hex(), staging.epoch))
    except OSError as error:
        with contextlib.suppress(OSError):
            file.close()
        _log.warning("journal mark %s cannot be written: %s; a lost tail may go unnoticed", file.path, error)
