"""The command `fsm-arb migrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsm_arb.journal import SqliteJournal
from fsm_arb.journal.migrating import Migrated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from click.testing import Result

    Run = Callable[..., Result]


def test_what_was_taken_over_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many records, of which format, and the hash that an auditor has noted down before."""
    asked: list[Any] = []

    def take_over(source: Path, target: Path) -> Migrated:
        asked.append((source.name, target.name))
        return Migrated(format=3, records=1234, hash="ab" * 32)

    monkeypatch.setattr("fsm_arb.cli.migrate.take_over", take_over)
    (tmp_path / "old.db").touch()
    result = run("migrate", tmp_path / "old.db", "--out", tmp_path / "new.db")
    assert (result.exit_code, asked) == (0, [("old.db", "new.db")])
    assert "1,234 records of format 3 taken over into" in result.output
    assert f"Last record's hash, as before: {'ab' * 32}\n" in result.output


async def test_a_journal_of_todays_format_needs_none(run: Run, tmp_path: Path) -> None:
    """It says so, and makes no file."""
    async with SqliteJournal(tmp_path / "trades.db", reserve_bytes=0):
        pass
    result = run("migrate", tmp_path / "trades.db", "--out", tmp_path / "new.db")
    assert result.exit_code == 1
    assert "there is nothing to do" in result.output
    assert not (tmp_path / "new.db").exists()


def test_where_to_is_asked_for(run: Run, tmp_path: Path) -> None:
    """Nothing is guessed, and nothing is written over."""
    (tmp_path / "old.db").touch()
    assert run("migrate", tmp_path / "old.db").exit_code == 2
