"""Spoil a journal file, in every way a disk, a backup or a hand can, and see whether anybody notices.

A journal that was spoilt must be refused with an error that names the record
or the file, or must still tell exactly what it told before. `examined` says
which of the two it was, or that it was neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from fsm_arb.errors import JournalError
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Record

BESIDE = ("", "-wal", ".mark")  # what a journal is, on disk; the rest is made anew at each opening


class Damage(Protocol):
    """One way to spoil a journal."""

    def __call__(self, path: Path) -> None:
        """Spoil the journal at *path*, which nobody has open."""
        ...


@frozen
class Flipped:
    """Bits of one byte were turned over."""

    offset: int  # bytes; beyond the end it counts on from the beginning
    mask: int  # 1 to 255
    suffix: str = ""  # of which file: one of `BESIDE`

    def __call__(self, path: Path) -> None:
        """Turn them over; an empty file stays as it is."""
        file = beside(path, self.suffix)
        content = bytearray(file.read_bytes())
        if content:
            content[self.offset % len(content)] ^= self.mask
            file.write_bytes(content)


@frozen
class CutOff:
    """A file ends early."""

    length: int  # bytes that are left; more than there are: none is lost
    suffix: str = ""

    def __call__(self, path: Path) -> None:
        """Cut it."""
        file = beside(path, self.suffix)
        file.write_bytes(file.read_bytes()[: self.length])


@frozen
class Overwritten:
    """A stretch of a file holds something else: zeros, a page of another place, a page from before."""

    offset: int
    content: bytes = field(repr=lambda content: f"{len(content)} bytes")
    suffix: str = ""

    def __call__(self, path: Path) -> None:
        """Write over it; the file does not grow."""
        file = beside(path, self.suffix)
        old = file.read_bytes()
        file.write_bytes((old[: self.offset] + self.content + old[self.offset + len(self.content) :])[: len(old)])


@frozen
class Lost:
    """A whole file is gone."""

    suffix: str

    def __call__(self, path: Path) -> None:
        """Remove it."""
        beside(path, self.suffix).unlink(missing_ok=True)


@frozen
class Restored:
    """The file is an older copy; what stands beside it is not."""

    older: Path
    suffixes: tuple[str, ...] = ("", "-wal")

    def __call__(self, path: Path) -> None:
        """Put the copy in its place."""
        for suffix in self.suffixes:
            beside(path, suffix).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(beside(self.older, suffix), beside(path, suffix))


@frozen
class Edited:
    """Somebody went in with SQL."""

    statement: str
    values: tuple[object, ...] = ()

    def __call__(self, path: Path) -> None:
        """Execute it."""
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(self.statement, self.values)


# ------------------------------------------------------------------ who notices


@frozen
class Picture:
    """All that a journal tells."""

    records: tuple[Record, ...] = field(repr=False)
    live: tuple[str, ...]  # names of streams, oldest first
    streams: tuple[tuple[str, tuple[Record, ...]], ...] = field(repr=False)  # each with its records, as they are folded


@frozen(kw_only=True)
class Examined:
    """What became of a journal that was spoilt."""

    verified: JournalError | None  # how a full verification refused it; None: it did not
    opened: JournalError | None  # how a driver that would go on from it was refused; None: it was not
    same: bool  # what was not refused tells what it told before
    forgotten: tuple[str, ...] = ()  # finished streams that a driver would take for unknown; verification sees it
    wrong: str = ""  # how it is believed though it tells something else

    @property
    def noticed(self) -> bool:
        """Whether nothing false is believed."""
        return not self.wrong


def beside(path: Path, suffix: str) -> Path:
    """Return the file that stands beside the journal at *path* under its name and *suffix*."""
    return path.with_name(path.name + suffix)


def copied(path: Path, to: Path) -> Path:
    """Copy the journal at *path*, as it stands on the disk this moment, to the path *to*; returns *to*."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (*BESIDE, "-shm", ".lock"):
        beside(to, suffix).unlink(missing_ok=True)
    for suffix in BESIDE:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(beside(path, suffix), beside(to, suffix))
    return to


def pictured(path: Path) -> Picture:
    """Return all that the journal at *path* tells.

    Raises:
        JournalError: Some of it is refused.
    """
    with JournalReader(path) as reader:
        names = tuple(reader.streams(""))
        return Picture(
            tuple(reader.records()),
            tuple(reader.streams("", live=True)),
            tuple((name, tuple(reader.read(name))) for name in names),
        )


def examined(path: Path, before: Picture) -> Examined:
    """Return who notices that the journal at *path* was spoilt, and whether it is believed where nobody does.

    Opening verifies the end of the chain and what is live, so that it takes no
    longer with every trade. Of what is finished, each record is checked when it
    is read; only that a whole stream is no longer found by its name is left to
    verification.

    Args:
        path: The journal; a driver opens it, so it may have one more epoch afterwards.
        before: What it told while it was whole.
    """
    verified = _refusal_to_verify(path)
    if verified is None and _told(path) != before:
        return Examined(verified=None, opened=None, same=False, wrong="verification passes what tells something else")
    opened = asyncio.run(_refusal_to_open(path))
    forgotten, wrong = ((), "") if opened else _believed(path, before)
    if forgotten and verified is None:
        wrong = f"nobody notices that {forgotten[0]} is not found any more"
    return Examined(
        verified=verified, opened=opened, same=verified is None and not wrong, forgotten=forgotten, wrong=wrong
    )


def _refusal_to_verify(path: Path) -> JournalError | None:
    try:
        with JournalReader(path) as reader:
            reader.verify()
    except JournalError as error:
        return error
    return None


async def _refusal_to_open(path: Path) -> JournalError | None:
    journal = SqliteJournal(path, reserve_bytes=0)
    try:
        await journal.open()
    except JournalError as error:
        return error
    finally:
        await journal.close()
    return None


def _told(path: Path) -> Picture | None:
    try:
        return pictured(path)
    except JournalError:
        return None


def _believed(path: Path, before: Picture) -> tuple[tuple[str, ...], str]:
    """Return which finished streams a driver would take for unknown, and what else it would believe that is not so."""
    forgotten = []
    try:
        with JournalReader(path) as reader:
            if tuple(reader.streams("", live=True)) != before.live:
                return (), "a driver takes up other trades than were unfinished"
            for name, records in before.streams:
                now = _read(reader, name)
                if now == () and name not in before.live:
                    forgotten.append(name)
                elif now is not None and now != records:
                    return (), f"a driver reads stream {name} otherwise than it was written"
    except JournalError:
        pass
    return tuple(forgotten), ""


def _read(reader: JournalReader, name: str) -> tuple[Record, ...] | None:
    """Return a stream's records; None where they are refused."""
    try:
        return tuple(reader.read(name))
    except JournalError:
        return None
