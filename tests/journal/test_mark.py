"""The high-water mark survives what a crash can do to it, and never claims more than it was told."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.journal.mark import SLOT_BYTES, Mark, MarkFile, MarkUnreadable

marks = [Mark(seq, f"{seq:064x}", 3) for seq in range(6)]


def written(path: Path, count: int) -> bytes:
    file = MarkFile(path)
    file.start(marks[0])
    for mark in marks[1:count]:
        file.write(mark)
    file.close()
    return path.read_bytes()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_the_newest_mark_is_read(tmp_path: Path, count: int) -> None:
    """However many were written before it, and by whichever opening."""
    for _ in range(2):
        written(tmp_path / "mark", count)
        assert MarkFile(tmp_path / "mark").read() == marks[count - 1]


def test_no_file_is_no_mark(tmp_path: Path) -> None:
    """A journal that is made anew has none."""
    assert MarkFile(tmp_path / "mark").read() is None


@given(count=st.integers(2, 6), at=st.integers(0, 2 * SLOT_BYTES - 1), flip=st.integers(1, 255))
def test_a_torn_slot_leaves_the_mark_before(count: int, at: int, flip: int) -> None:
    """One damaged byte costs at most the newest mark; it never makes one up."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        content = bytearray(written(path, count))
        content[at] ^= flip
        path.write_bytes(content)
        assert MarkFile(path).read() in {marks[count - 1], marks[count - 2]}


@given(count=st.integers(2, 6), slot=st.integers(0, 1), length=st.integers(0, SLOT_BYTES - 1))
def test_a_slot_written_half_leaves_the_mark_before(count: int, slot: int, length: int) -> None:
    """A write that stopped anywhere in its sector is not believed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        content = bytearray(written(path, count))
        content[slot * SLOT_BYTES + length : (slot + 1) * SLOT_BYTES] = bytes(SLOT_BYTES - length)
        path.write_bytes(content)
        assert MarkFile(path).read() in {marks[count - 1], marks[count - 2]}


@pytest.mark.parametrize("content", [b"", b"\x00" * 1024, b"hello", b"\xff" * 600])
def test_a_file_without_a_mark_says_so(tmp_path: Path, content: bytes) -> None:
    """That is another thing than no file."""
    (tmp_path / "mark").write_bytes(content)
    with pytest.raises(MarkUnreadable):
        MarkFile(tmp_path / "mark").read()


def test_the_mark_is_text_that_a_person_can_read(tmp_path: Path) -> None:
    """Two lines, each with sequence, hash and epoch."""
    lines = written(tmp_path / "mark", 3).decode().splitlines()
    assert [line.split()[:5] for line in lines] == [
        ["fsm_arb-mark-1", "seq", str(seq), f"{seq:064x}", "3"] for seq in (2, 1)
    ]


def test_writing_before_the_start_or_after_the_end_does_nothing(tmp_path: Path) -> None:
    """A mark that could not be started costs no commit."""
    file = MarkFile(tmp_path / "mark")
    file.write(marks[1])
    file.close()
    assert not (tmp_path / "mark").exists()
