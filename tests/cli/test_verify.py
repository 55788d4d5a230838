"""The command that explores everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broken_cores import doubt_is_refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from click.testing import Result

    Run = Callable[..., Result]


def test_a_sound_core_is_told_to_be_well(run: Run) -> None:
    """The counts, and that nothing is wrong."""
    result = run("verify", "--lots", 1, "--faults", 0)
    assert result.exit_code == 0, result.output
    assert "346" in result.output
    assert "Violations: 0" in result.output
    assert "States that cannot finish: 0" in result.output
    assert "Edges of the table reached: 22 of 28; not: " in result.output
    assert "All is well." in result.output


def test_a_policy_of_ones_own_is_explored(run: Run, tmp_path: Path) -> None:
    """A file sets the numbers, and an option has the last word."""
    path = tmp_path / "mine.toml"
    path.write_text('placement = "simultaneous"\nattempts_max = 1\n', encoding="utf-8")
    result = run("verify", "--lots", 1, "--faults", 0, "--policy", path, "--placement", "sequential")
    assert result.exit_code == 0, result.output
    assert "MONITORING short PARTIAL" in result.output  # with one leg after the other none ends short beside another


def test_a_broken_core_is_told_and_drawn(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that shows it, event by event, and as a diagram; the exit code says so too."""
    doubt_is_refusal(monkeypatch)
    picture = tmp_path / "run.mmd"
    result = run("verify", "--lots", 1, "--faults", 1, "--mermaid", picture)
    assert result.exit_code == 1
    assert "Wrong: 5 events, 1 of them faults:" in result.output
    assert "Not all is well." in result.output
    assert picture.read_text(encoding="utf-8").startswith("sequenceDiagram\n")


def test_a_search_that_is_stopped_says_so_and_exits_by_a_code_of_its_own(run: Run) -> None:
    """Nobody takes a part for the whole."""
    result = run("verify", "--lots", 1, "--faults", 1, "--states-max", 1000)
    assert result.exit_code == 3
    assert "Explored: all that fewer than 1 faults lead to, and all that 1 faults lead to within" in result.output
    assert "Violations: 0" in result.output
    assert "not all was explored" in result.output
    assert "All is well." not in result.output
    hurried = run("verify", "--lots", 1, "--faults", 0, "--minutes", 0.00001)
    assert hurried.exit_code == 3
    assert "Explored: all that 0 faults lead to within 0 events" in hurried.output


def test_what_cannot_be_explored_is_refused(run: Run, tmp_path: Path) -> None:
    """Bounds and files that do not fit are told in one line."""
    too_large = run("verify", "--lots", 1, "--least", 2)
    assert too_large.exit_code == 1
    assert "least=2: must be 1 to 1" in too_large.output
    path = tmp_path / "mine.toml"
    path.write_text("nonsense = 1\n", encoding="utf-8")
    unknown = run("verify", "--policy", path)
    assert (unknown.exit_code, "nonsense" in unknown.output) == (1, True)
