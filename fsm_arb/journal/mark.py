"""Remember, beside the journal, how far it once reached, so that a lost tail is noticed.

The mark is written after a commit has returned, and a commit returns after its
fsync. So the mark may lag behind what is durable, by any amount, but never
lead it: a crash at any moment leaves a journal that its mark accepts. For the
same reason the mark itself needs no fsync: an older mark only promises less.

Two slots are written in turn, each in a disk sector of its own with a checksum,
so that a write torn by a power cut leaves the other one. They hold plain text.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from pathlib import Path

SLOT_BYTES = 512
_WORDS = 6
_MAGIC = "fsm_arb-mark-1"


@frozen
class Mark:
    """The newest record known to be durable."""

    seq: int  # 0: none yet
    hash: str  # hex; 64 zeros for none
    epoch: int  # the newest opening known to be durable


class MarkUnreadable(Exception):
    """The mark file is there and holds no mark."""


class MarkFile:
    """The file of one mark. Every method may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._writes = 0

    def read(self) -> Mark | None:
        """Return the mark; None where there is no file.

        Raises:
            MarkUnreadable: Neither slot holds a whole mark.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        slots = [_parse(content[start : start + SLOT_BYTES]) for start in (0, SLOT_BYTES)]
        marks = [mark for mark in slots if mark]
        if not marks:
            raise MarkUnreadable
        return max(marks, key=lambda mark: (mark.seq, mark.epoch))

    def start(self, mark: Mark) -> None:
        """Begin writing; both slots hold *mark*, durably."""
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        # One after the other, so that at no moment neither is whole on the disk.
        for _ in range(2):
            self.write(mark)
            os.fsync(self._descriptor)
        os.ftruncate(self._descriptor, 2 * SLOT_BYTES)

    def write(self, mark: Mark) -> None:
        """Replace the older slot. Not forced to the disk: see the module."""
        if self._descriptor is None:
            return
        self._writes += 1
        os.lseek(self._descriptor, SLOT_BYTES * (self._writes % 2), os.SEEK_SET)
        os.write(self._descriptor, _format(mark))

    def close(self) -> None:
        """Force the last mark to the disk and let go; does nothing when not started."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
        os.close(descriptor)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _format(mark: Mark) -> bytes:
    text = f"{_MAGIC} seq {mark.seq} {mark.hash} {mark.epoch}"
    return f"{text} {_checksum(text)}".encode().ljust(SLOT_BYTES - 1) + b"\n"


def _parse(slot: bytes) -> Mark | None:
    try:
        text, _, checksum = slot.decode("ascii").rstrip().rpartition(" ")
    except UnicodeDecodeError:
        return None
    words = text.split(" ")
    if len(words) != _WORDS - 1 or words[0] != _MAGIC or checksum != _checksum(text):
        return None
    return Mark(int(words[2]), words[3], int(words[4]))
