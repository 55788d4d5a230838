"""The reserve is really there, and really given back."""

from __future__ import annotations

import errno
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from fsm_arb.journal import reserve as module
from fsm_arb.journal.reserve import Reserve

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 600_000


def test_room_is_really_allocated(tmp_path: Path) -> None:
    """Not a hole in a file, and not what a compressing file system could shrink."""
    reserve = Reserve(tmp_path / "reserve", SIZE)
    assert reserve.set_aside()
    status = reserve.path.stat()
    assert status.st_size == SIZE
    assert status.st_blocks * 512 >= SIZE
    assert len(set(reserve.path.read_bytes())) == 256
    reserve.release()
    reserve.release()
    assert not reserve.path.exists()


def test_a_reserve_that_is_held_is_kept_and_one_of_another_size_made_anew(tmp_path: Path) -> None:
    """A restart writes nothing; a new configuration does."""
    Reserve(tmp_path / "reserve", SIZE).set_aside()
    before = (tmp_path / "reserve").read_bytes()
    assert Reserve(tmp_path / "reserve", SIZE).set_aside()
    assert (tmp_path / "reserve").read_bytes() == before
    assert Reserve(tmp_path / "reserve", SIZE + 1).set_aside()
    assert (tmp_path / "reserve").stat().st_size == SIZE + 1


def test_the_last_room_is_left_to_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is taken back only where as much again stays free."""
    reserve = Reserve(tmp_path / "reserve", SIZE)
    for free, held in ((2 * SIZE - 1, False), (2 * SIZE, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert reserve.set_aside() is held
        assert reserve.path.exists() is held


def test_a_full_disk_leaves_no_half_of_a_reserve(tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit whole is removed, and no error is made of it."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
    reserve = Reserve(tiny_disk / "reserve", 4 << 20)
    assert reserve.set_aside() is False
    assert list(tiny_disk.iterdir()) == []


def test_a_full_disk_is_recognised(tiny_disk: Path) -> None:
    """By trying, since quotas show nowhere else."""
    reserve = Reserve(tiny_disk / "reserve", 0)
    assert reserve.room_is_gone() is False
    assert reserve.set_aside() is True
    (tiny_disk / "filler").write_bytes(bytes((2 << 20) - (64 << 10)))
    assert reserve.room_is_gone() is True
    assert reserve.set_aside() is False
    assert [file.name for file in tiny_disk.iterdir()] == ["filler"]


def test_any_other_trouble_is_not_taken_for_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk is no lack of room."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module.os, "fsync", broken)
    reserve = Reserve(tmp_path / "reserve", SIZE)
    assert reserve.room_is_gone() is False
    with pytest.raises(OSError, match="Input/output"):
        reserve.set_aside()
    assert list(tmp_path.iterdir()) == []
