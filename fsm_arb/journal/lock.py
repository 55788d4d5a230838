"""Let one process at a time drive a journal.

The operating system holds the lock, so it is gone the moment the process is,
also after kill -9. The file stays; it only says who took the lock last.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from fsm_arb.errors import JournalFailed, JournalLocked

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _AT = 1 << 30  # locked bytes cannot be read by others there; the pid stands far before

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _AT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_held: set[int] = set()  # descriptors of this process


def _forget_after_fork() -> None:
    """Close the child's copies: with one left open the lock would outlive its owner."""
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


class FileLock:
    """An exclusive lock on a file beside the journal. A second one in the same process is refused as well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.created = False  # whether the file was not there before
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock or fail at once.

        Raises:
            JournalLocked: Somebody holds it.
            JournalFailed: The file cannot be made, or the file system knows no locks.
        """
        while True:
            self.created = not self.path.exists()
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise JournalFailed(f"journal lock {self.path} cannot be opened: {error.strerror}") from error
            try:
                _try_lock(descriptor)
            except BlockingIOError:
                owner = _owner(descriptor)
                os.close(descriptor)
                raise JournalLocked(f"journal lock {self.path} is held by {owner}") from None
            except OSError as error:
                os.close(descriptor)
                raise JournalFailed(f"journal lock {self.path} cannot be taken: {error.strerror}") from error
            if _same_file(descriptor, self.path):
                break
            os.close(descriptor)  # removed between opening and locking: what we hold guards nothing
        with contextlib.suppress(OSError):  # on a full disk nobody learns our pid, and the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        _held.add(descriptor)

    def release(self, *, remove: bool = False) -> None:
        """Let go; does nothing when it is not held.

        Args:
            remove: Whether to take the file away too, where it guarded nothing of ours.
        """
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        if descriptor in _held:  # else this is a child after a fork, and the number may be another file's by now
            _held.discard(descriptor)
            os.close(descriptor)


def _owner(descriptor: int) -> str:
    try:
        text = os.read(descriptor, 32).decode().strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.isdecimal():
        return "another process"
    return f"process {text}" + (" (this one)" if int(text) == os.getpid() else "")


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
