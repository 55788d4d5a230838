"""One process drives a journal, and the moment it is gone another may."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import JournalFailed, JournalLocked
from fsm_arb.journal.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, pathlib
from fsm_arb.journal.lock import FileLock
FileLock(pathlib.Path(sys.argv[1])).take()
print("held", flush=True)
"""
WAIT = "sys.stdin.read()"
FORK = """
import os, time
child = os.fork()
if not child:
    print(os.getpid(), flush=True)
    time.sleep(30)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started = []

    def start(then: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", HOLD + then, str(tmp_path / "lock")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_another_process_is_refused_by_name_until_it_is_killed(
    tmp_path: Path, hold: Callable[[str], subprocess.Popen[str]]
) -> None:
    """The refusal names path and process; kill -9 lets go."""
    process = hold(WAIT)
    lock = FileLock(tmp_path / "lock")
    with pytest.raises(JournalLocked, match=rf"lock is held by process {process.pid}$"):
        lock.take()
    process.kill()
    process.wait()
    lock.take()
    lock.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_does_not_keep_the_lock_of_its_dead_parent(
    tmp_path: Path, hold: Callable[[str], subprocess.Popen[str]]
) -> None:
    """A bot that forks workers and dies can be started again while they still run."""
    process = hold(FORK)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    try:
        lock = FileLock(tmp_path / "lock")
        lock.take()
        lock.release()
        os.kill(child, 0)  # it does still run
    finally:
        os.kill(child, 9)


def test_a_second_taker_in_this_process_is_refused(tmp_path: Path) -> None:
    """Two executors in one process are as dangerous as two processes."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.take()
    with pytest.raises(JournalLocked, match=f"process {os.getpid()} \\(this one\\)"):
        second.take()
    first.release()
    first.release()
    second.take()
    second.release()


def test_a_lock_file_that_was_removed_guards_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock on a file that is no longer at its path is taken again on the one that is."""
    path = tmp_path / "lock"
    real, removed = os.open, []

    def open_then_lose(*args: object, **kwargs: object) -> int:
        descriptor = real(*args, **kwargs)  # type: ignore[arg-type]
        if not removed:
            removed.append(path)
            path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_then_lose)
    first, second = FileLock(path), FileLock(path)
    first.take()
    with pytest.raises(JournalLocked):
        second.take()
    first.release()
    assert removed


def test_a_file_that_names_nobody_still_refuses(tmp_path: Path) -> None:
    """The pid is a courtesy; the lock is the system's."""
    first = FileLock(tmp_path / "lock")
    first.take()
    (tmp_path / "lock").write_bytes(b"\xff\xfe")
    with pytest.raises(JournalLocked, match="held by another process"):
        FileLock(tmp_path / "lock").take()
    first.release()


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """The message has the path and the system's own words."""
    with pytest.raises(JournalFailed, match=r"absent.*lock cannot be opened: No such file or directory"):
        FileLock(tmp_path / "absent" / "lock").take()
