"""Keep some room of the disk back, for the records of remedies when everything else has filled it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT}) if hasattr(errno, "EDQUOT") else frozenset({errno.ENOSPC})
_PROBE_BYTES = 256 * 1024


class Reserve:
    """A file of *size* bytes that is deleted when the disk is full."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size  # bytes; 0: no reserve is kept

    def set_aside(self) -> bool:
        """Return whether the room is held, having allocated it where it was not.

        Raises:
            OSError: For any reason but a full disk.
        """
        if not self.size:
            return not self.room_is_gone()
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_size == self.size:
                return True
        # Twice, so that what was just freed is not taken away from the journal again at once.
        if shutil.disk_usage(self.path.parent).free < 2 * self.size:
            return False
        return _fill(self.path, self.size)

    def release(self) -> None:
        """Give the room back; does nothing where none is held."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def room_is_gone(self) -> bool:
        """Return whether even a small file no longer fits: the disk or the quota is full."""
        probe = self.path.with_name(self.path.name + ".probe")
        try:
            return not _fill(probe, _PROBE_BYTES)
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()


def _fill(path: Path, size: int) -> bool:
    """Write *size* bytes that are really allocated; returns False, leaving no file, where they do not fit."""
    try:
        with path.open("wb") as file:
            # Random: a file system that compresses would set nothing aside for zeros.
            for start in range(0, size, _PROBE_BYTES):
                file.write(os.urandom(min(_PROBE_BYTES, size - start)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if error.errno in NO_ROOM:
            return False
        raise
    return True
