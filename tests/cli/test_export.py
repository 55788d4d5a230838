"""The command `fsm-arb export`."""

from __future__ import annotations

import contextlib
import csv
from typing import TYPE_CHECKING

import pytest
from kept_journals import a_round

from fsm_arb.export.columns import TABLES
from fsm_arb.export.exporting import TRACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_round(tmp_path_factory.mktemp("kept") / "trades.db")


@pytest.mark.parametrize("what", TABLES)
def test_a_table_is_written_as_its_name_says(run: Run, journal: Path, tmp_path: Path, what: str) -> None:
    """The count is told, and the head is the columns."""
    out = tmp_path / f"{what}.csv"
    result = run("export", journal, "--what", what, "--out", out)
    assert result.exit_code == 0, result.output
    with out.open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == [column.name for column in TABLES[what].columns]
    assert result.output == f"{len(rows)} {what} in {out}\n"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("fills", "--format", "jsonl"), "x"),
        (("fills",), "x.ndjson"),
        (("fills",), "x.PARQUET"),
        ((TRACES,), "x"),
        ((TRACES, "--format", "otlp-json"), "x.json"),
    ],
)
def test_formats_are_named_or_told_by_the_file(
    run: Run, journal: Path, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    """Traces have one only."""
    result = run("export", journal, "--what", *arguments, "--out", tmp_path / name)
    assert result.exit_code == 0, result.output
    assert result.output.split()[:2] in (["13", "fills"], ["14", "spans"])


def test_a_window_is_given_in_iso_8601(run: Run, journal: Path, tmp_path: Path) -> None:
    """The end is not included."""
    options = "--since", "1970-01-01T00:00:01Z", "--until", "1970-01-01T09:00:03+09:00"
    result = run("export", journal, "--what", "fills", "--out", tmp_path / "x.csv", *options)
    assert result.output.startswith("3 fills")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("fills --out x", "--format is needed: x ends in none of .csv, .jsonl"),
        ("fills --out x.csv --since soon", "since='soon': is no ISO 8601 moment"),
        ("fills --out x.csv --format otlp-json", "does not suit fills"),
        ("fills --out no/such/folder.csv", "cannot be written"),
        ("dances --out x.csv", "'dances' is not one of"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, journal: Path, tmp_path: Path, arguments: str, words: str) -> None:
    """A sentence, a failure, and no file."""
    with contextlib.chdir(tmp_path):
        result = run("export", journal, "--what", *arguments.split())
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    assert words in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone(run: Run, journal: Path, tmp_path: Path) -> None:
    """Unless it is to be replaced; the journal never is."""
    out = tmp_path / "x.csv"
    out.write_text("mine")
    refused = run("export", journal, "--what", "fills", "--out", out)
    assert refused.exit_code == 1
    assert "is there already" in refused.output
    assert out.read_text() == "mine"
    assert run("export", journal, "--what", "fills", "--out", out, "--force").exit_code == 0
    assert out.read_text() != "mine"
    refused = run("export", journal, "--what", "fills", "--format", "csv", "--out", journal, "--force")
    assert "is the journal itself" in refused.output


def test_a_file_that_is_no_journal_is_said(run: Run, tmp_path: Path) -> None:
    """A sentence, not a traceback."""
    path = tmp_path / "other.db"
    path.write_bytes(b"some text that is long enough to be no SQLite header at all, whatever is made of it" * 20)
    result = run("export", path, "--what", "fills", "--out", tmp_path / "x.csv")
    assert result.exit_code == 1
    assert "is not a journal" in result.output
