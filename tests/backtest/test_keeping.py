"""A run's journal as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from recorded_books import Swing, setup

from fsm_arb.backtest import backtest, keeping
from fsm_arb.backtest.keeping import keep
from fsm_arb.backtest.trades import trades_of
from fsm_arb.errors import InvalidInput, JournalCorrupt
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.journal.reader import JournalReader


@pytest.mark.parametrize("at_once", [7, 500])
def test_the_file_holds_what_the_run_had(tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record by record, under the same chain; verified, and read without its lock."""
    monkeypatch.setattr(keeping, "AT_ONCE", at_once)
    disk = MemoryDisk()
    report = backtest(setup(), Swing(seconds=40), disk=disk)
    path = tmp_path / "trades.db"
    assert keep(disk, path) == len(disk.records)
    with JournalReader(path) as reader:
        records = list(reader.records())
        assert reader.verify() == len(disk.records)
        live = set(reader.streams("", live=True))
    assert records == disk.records
    assert records[-1].hash == report.digest
    assert trades_of(records).trades == report.trades
    assert live == {name for name, head in disk.heads.items() if head.live}


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """It may be somebody's money."""
    path = tmp_path / "trades.db"
    path.write_text("mine")
    with pytest.raises(InvalidInput, match="exists"):
        keep(MemoryDisk(), path)
    assert path.read_text() == "mine"


def test_a_file_that_is_not_what_the_run_had_is_said(tmp_path: Path) -> None:
    """A record that was changed on the way has another hash."""
    disk = MemoryDisk()
    backtest(setup(), Swing(seconds=20), disk=disk)
    disk.records[-1] = evolve(disk.records[-1], payload="{}")
    with pytest.raises(JournalCorrupt, match="does not end as the run's journal does"):
        keep(disk, tmp_path / "trades.db")


def test_nothing_is_kept_as_nothing(tmp_path: Path) -> None:
    """A run without a trade is a journal without a record."""
    assert keep(MemoryDisk(), tmp_path / "trades.db") == 0
