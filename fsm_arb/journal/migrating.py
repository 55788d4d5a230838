"""Take a journal file of an earlier format over into a new file. The one it comes from is never touched.

A record's hash covers its fields and no table, so a file can be laid out anew
while every record keeps its content, its hash and its place in the chain. What
comes out is verified as a whole, from the first record to the one that the old
file ended with, and has its name only then; the chain is one chain.

A step is never changed and never removed: a file of ten years ago goes through
all of them. A format that hashed records in another way would be no step of
this kind; its first record would have to hold the old file's last hash.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.errors import JournalCorrupt, JournalFailed, JournalForeign
from fsm_arb.journal.chain import GENESIS_HEX
from fsm_arb.journal.lock import FileLock
from fsm_arb.journal.mark import Mark, MarkFile, MarkUnreadable
from fsm_arb.journal.reader import JournalReader, mark_path
from fsm_arb.journal.store import FORMAT, OLDEST_FORMAT, connect, format_of, remove_draft, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

Step = Callable[[sqlite3.Connection], None]

STEPS: Mapping[int, Step] = {}  # by the format that it reads; there has been one format so far

# The newest record, in the words of any format so far.
_END = "SELECT seq, lower(hex(hash)) FROM records ORDER BY seq DESC LIMIT 1"


@frozen(kw_only=True)
class Migrated:
    """What was taken over."""

    format: int  # of the file it comes from
    records: int
    hash: str  # of the last record, hex; the same in both files


def migrate(source: Path, target: Path) -> Migrated:
    """Write the journal *source* anew, in today's format, as *target*.

    Args:
        source: A journal of an earlier format, that no bot drives now.
        target: A file that does not exist yet.

    Raises:
        JournalLocked: A bot drives *source*.
        JournalForeign: Not a journal, of a later format, or of today's: then there is nothing to do.
        JournalCorrupt: Its chain is broken, or its end is missing; nothing was written.
        JournalFailed: *target* exists, or one of both cannot be read or written.
    """
    source, target = source.resolve(), target.resolve()
    for path in (target, mark_path(target), target.with_name(target.name + "-wal")):
        if path.exists():
            raise JournalFailed(f"{path} exists already; a journal is never written over")
    lock = FileLock(source.with_name(source.name + ".lock"))
    lock.take()
    try:
        return _migrate_locked(source, target)
    except (sqlite3.Error, OSError) as error:
        raise JournalFailed(f"journal {source} cannot be taken over into {target}: {error}") from error
    finally:
        lock.release(remove=lock.created)


def _migrate_locked(source: Path, target: Path) -> Migrated:
    draft = target.with_name(target.name + ".new")
    remove_draft(draft)  # of a crash
    try:
        with contextlib.closing(connect(source, "ro")) as old:
            number = format_of(old, source)
            if number == FORMAT:
                raise JournalForeign(f"journal {source} is of format {FORMAT} already; there is nothing to do")
            if not OLDEST_FORMAT <= number < FORMAT:
                raise JournalForeign(f"journal {source} is of format {number}, which this version does not know")
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT, 0o600))
            with contextlib.closing(connect(draft, "rw")) as new:
                old.backup(new)
                _take_steps(new, number)
            end = old.execute(_END).fetchone() or (0, GENESIS_HEX)
        return _put_in_place(source, draft, target, number, end)
    finally:
        remove_draft(draft)


def _take_steps(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")  # what is renamed must be one file
    connection.execute("BEGIN")
    for step in range(number, FORMAT):
        STEPS[step](connection)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")


def _put_in_place(source: Path, draft: Path, target: Path, number: int, end: tuple[int, str]) -> Migrated:
    """Verify the draft against itself, its source's end and its source's mark; only then give it its name."""
    with JournalReader(draft) as reader:
        records = reader.verify()
        found = reader.last()
        if found != end:
            raise JournalCorrupt(end[0], f"is the end of {source}, where the file taken over ends with {found[0]}")
        reader.check_mark(_mark(source))
        epoch = reader.epoch()
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    sync_folder(target.parent)
    # Last: a journal without its mark is only warned of, a mark without its journal is a loss.
    beside = MarkFile(mark_path(target))
    beside.start(Mark(found[0], found[1], epoch))
    beside.close()
    return Migrated(format=number, records=records, hash=found[1])


def _mark(source: Path) -> Mark | None:
    try:
        return MarkFile(mark_path(source)).read()
    except MarkUnreadable:
        return None  # as at an opening: what is damaged promises nothing
