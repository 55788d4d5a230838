"""The folder of a demonstration: one exchange, found again, and no stray left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from attrs import evolve

from fsm_arb.cli.folder import Asked, Folder, FolderUnusable
from fsm_arb.testing.loopback.client import LoopbackExchange

ASKED = Asked(seed=5, record=None, trades=4, faults="none", latency_ms=0, concurrency=2)


async def test_a_later_run_joins_the_same_exchange(tmp_path: Path) -> None:
    """The books of a killed run live on in it."""
    folder = Folder(tmp_path / "demo")
    first = await folder.exchange(ASKED)
    await first.aclose()
    second = await Folder(tmp_path / "demo").exchange(evolve(ASKED, trades=9, concurrency=1))
    try:
        assert second.pid == first.pid
    finally:
        await folder.close(second)


async def test_faults_are_those_that_this_run_asked_for(tmp_path: Path) -> None:
    """A run that was killed after it had switched them off leaves no quiet exchange to the next."""
    folder = Folder(tmp_path)
    exchange = await folder.exchange(ASKED)
    await exchange.clear_faults()
    await exchange.aclose()
    again = await folder.exchange(evolve(ASKED, faults="many"))
    try:
        profiles = (await again.control("ping"))["profiles"]
        assert set(profiles.values()) == {"many"}
    finally:
        await folder.close(again)


async def test_closing_ends_the_exchange(tmp_path: Path) -> None:
    """Its process is gone, and the folder says so."""
    folder = Folder(tmp_path)
    exchange = await folder.exchange(ASKED)
    pid = exchange.pid
    await folder.close(exchange)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(FolderUnusable, match="has ended, and its exchange with it"):
        await folder.exchange(ASKED)


async def test_an_exchange_that_was_started_and_never_noted_is_ended(tmp_path: Path) -> None:
    """A run that is killed between the two leaves a process that nobody would ever use."""
    stray = await LoopbackExchange.start_process(tmp_path / "exchange-00.json")
    await stray.aclose()
    folder = Folder(tmp_path)
    exchange = await folder.exchange(ASKED)
    try:
        assert exchange.pid != stray.pid
        assert await LoopbackExchange.rejoin(tmp_path / "exchange-00.json") is None
    finally:
        await folder.close(exchange)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 6}, "with --seed 5, not 6"), ({"record": ("a", "b")}, r"with --record None, not \('a', 'b'\)")],
)
async def test_a_folder_serves_one_demonstration(tmp_path: Path, change: dict[str, object], said: str) -> None:
    """Seed and recordings make it that one and no other."""
    folder = Folder(tmp_path)
    exchange = await folder.exchange(ASKED)
    try:
        with pytest.raises(FolderUnusable, match=said):
            await folder.exchange(evolve(ASKED, **change))
    finally:
        await folder.close(exchange)


async def test_a_journal_without_a_note_is_not_touched(tmp_path: Path) -> None:
    """It may be a bot's."""
    (tmp_path / "trades.db").write_bytes(b"x")
    with pytest.raises(FolderUnusable, match="no demonstration's"):
        await Folder(tmp_path).exchange(ASKED)
