"""What the tests of the journal share."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.journal import SqliteJournal
from fsm_arb.ports import Batch, Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def make_batch(stream: str, expected_seq: int, *payloads: str, live: bool = True) -> Batch:
    drafts = tuple(
        Draft(at_ns=1_700_000_000_000_000_000 + i, trigger="placed", state_before="A", state_after="B", payload=payload)
        for i, payload in enumerate(payloads)
    )
    return Batch(stream=stream, expected_seq=expected_seq, drafts=drafts, live=live)


@pytest.fixture(scope="session")
def batch() -> Callable[..., Batch]:
    return make_batch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trades.db"


async def fill(path: Path, records: int = 30) -> None:
    """Make a closed journal: three streams in turn, one record a call, two streams still live."""
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        for i in range(records):
            await journal.append([make_batch(f"trade/{i % 3}", i // 3, f'{{"n":{i}}}', live=i % 3 > 0)])


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal of 30 records, to be copied and not touched."""
    path = tmp_path_factory.mktemp("whole") / "trades.db"
    asyncio.run(fill(path))
    return path


@pytest.fixture
def filled(whole: Path, path: Path) -> Path:
    """A closed journal of 30 records with its mark, to be spoiled."""
    shutil.copy(whole, path)
    shutil.copy(f"{whole}.mark", f"{path}.mark")
    return path


@pytest.fixture(scope="session")
def sql() -> Callable[..., list[Any]]:
    """Do something to a journal behind its back."""

    def execute(path: Path, statement: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(path)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    return execute


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two mebibytes."""
    at = tmp_path / "disk"
    at.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("no mount on this system")
    done = subprocess.run(  # noqa: S603
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(at)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield at
    finally:
        subprocess.run([umount, "-l", str(at)], check=True)  # noqa: S603
