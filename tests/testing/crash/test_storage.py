"""What is durable outlives a process, in memory and in files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fsm_arb.errors import JournalCorrupt, JournalFailed
from fsm_arb.journal import JournalReader
from fsm_arb.ports import Batch, Draft, Journal
from fsm_arb.testing.crash import storage as module
from fsm_arb.testing.crash.damage import CutOff, beside
from fsm_arb.testing.crash.storage import InFiles, InMemory, Storage


@pytest.fixture(params=["memory", "files"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return InMemory() if request.param == "memory" else InFiles(tmp_path)


def batch(n: int) -> Batch:
    draft = Draft(at_ns=n, trigger="t", state_before="A", state_after="B", payload="{}")
    return Batch(stream="trade/t", expected_seq=n, drafts=(draft,), live=True)


async def lived(journal: Journal, n: int, *, closes: bool) -> tuple[int, int]:
    """Return the epoch of a life, and how many records it found."""
    epoch = await journal.open()
    found = len(list(journal.read("trade/t")))
    await journal.append([batch(n)])
    assert list(journal.streams("trade/", live=True)) == ["trade/t"]
    if closes:
        await journal.close()
    return epoch, found


def test_each_life_finds_what_the_ones_before_have_made_durable(storage: Storage) -> None:
    """Whether they died or closed their journals; each with an epoch of its own."""
    lives = []
    for n, died in enumerate((True, False, True, True)):
        lives.append(asyncio.run(lived(storage.journal(), n, closes=not died)))
        storage.gone(died=died)
    assert lives == [(1, 0), (2, 1), (3, 2), (4, 3)]
    storage.gone(died=False)


def test_files_are_left_as_a_killed_process_leaves_them(tmp_path: Path) -> None:
    """With the log that nobody has moved into the file, and the mark; and whole."""
    storage = InFiles(tmp_path)
    asyncio.run(lived(storage.journal(), 0, closes=False))
    storage.gone(died=True)
    assert beside(storage.path, "-wal").stat().st_size > 0
    with JournalReader(storage.path) as reader:
        assert reader.verify() == 1


def test_a_log_that_is_torn_between_two_lives_is_refused(tmp_path: Path) -> None:
    """A crash of the machine is not a crash of the process: what was durable must be there."""
    storage = InFiles(tmp_path)
    asyncio.run(lived(storage.journal(), 0, closes=False))
    storage.gone(died=True)
    CutOff(beside(storage.path, "-wal").stat().st_size - 1, "-wal")(storage.path)
    with pytest.raises(JournalCorrupt):
        asyncio.run(lived(storage.journal(), 1, closes=False))
    storage.gone(died=False)


def test_a_life_that_never_was_leaves_nothing(tmp_path: Path) -> None:
    """Nothing to let go of, and nothing to copy."""
    for storage in (InMemory(), InFiles(tmp_path)):
        storage.gone(died=True)
    files = InFiles(tmp_path)
    assert not getattr(files.journal(), "full")  # noqa: B009 - the port has no such name
    files.gone(died=True)
    assert not files.path.exists()


def test_a_mark_that_stays_behind_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that its own mark contradicts would be refused for the wrong reason."""
    monkeypatch.setattr(module, "QUIET_S", 0.01)
    storage = InFiles(tmp_path)
    asyncio.run(lived(storage.journal(), 0, closes=True))
    beside(storage.path, ".mark").unlink()
    with pytest.raises(JournalFailed, match="does not follow"):
        storage.gone(died=True)
