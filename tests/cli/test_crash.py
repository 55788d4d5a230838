"""The command kills a bot at every effect and tells what came of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fsm_arb.cli.app import command
from fsm_arb.testing.crash.sweep import Swept, Wrong

if TYPE_CHECKING:
    from click.testing import Result


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["crash", *arguments], catch_exceptions=False)


def test_a_scenario_is_reported_with_its_numbers() -> None:
    """Effects, trials, crashes, violations, seconds; and what went wrong how often."""
    done = run("both fill", "--every", "8")
    assert done.exit_code == 0, done.output
    row = re.search(r"both fill +(\d+) +(\d+) +(\d+) +(\d+) +[\d.]+", done.output)
    assert row
    effects, trials, crashes, violations = map(int, row.groups())
    assert effects == crashes > 20
    assert trials == 1 + effects + 2 * -(-effects // 8)
    assert violations == 0
    assert "No violation." in done.output
    assert "commit durable" in done.output


def test_journals_may_stand_in_files() -> None:
    """Then only deaths are tried."""
    done = run("sequential", "--files", "--deaths", "6")
    assert done.exit_code == 0, done.output
    assert "No violation." in done.output


def test_scenarios_are_named() -> None:
    """And one that there is not is refused."""
    assert "both fill\n" in run("--list").output
    done = run("neither fills")
    assert done.exit_code == 1
    assert "no scenario 'neither fills'; there are: both fill" in done.output


def test_a_violation_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown with the effect, and the command exits with 1."""
    wrong = Wrong(strikes=(), effects=("the process dies at effect 3",), what="a leg is naked")
    report = Swept(name="both fill", effects=3, trials=4, crashes=3, wrong=[wrong])
    monkeypatch.setattr("fsm_arb.testing.crash.sweep.swept", lambda *_, **__: report)
    done = run("both fill")
    assert done.exit_code == 1
    assert "Wrong: both fill: the process dies at effect 3: a leg is naked" in done.output
    assert "1 violations." in done.output
