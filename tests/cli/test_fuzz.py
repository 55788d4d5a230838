"""The command `fsm-arb fuzz`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fsm_arb.cli.app import command
from fsm_arb.testing.swarm.census import Census

ONE_EPISODE = ["fuzz", "--seed", "2", "--episodes", "1"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_a_run_tells_what_it_has_reached(tmp_path: Path) -> None:
    """On the terminal for people, and as JSON for whatever keeps it."""
    file = tmp_path / "run.json"
    done = run(*ONE_EPISODE, "--json", str(file))
    assert done.exit_code == 0, done.output
    assert "PRECHECK -- checks_passed --> SIZING" in done.output
    assert "1 episodes in" in done.output
    assert "0 failed" in done.output
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["failed"] == []
    assert sum(Census.from_json(found["census"]).episodes.values()) == 1


def test_a_hole_fails_a_run_that_is_asked_to_have_none() -> None:
    """One episode cannot reach everything; it says what it has not."""
    done = run(*ONE_EPISODE, "--holes")
    assert done.exit_code == 1
    assert "Not reached: fault 1 (create times out, the order exists) has met no trade in PLACING" in done.output
    assert run(*ONE_EPISODE, "--no-holes").exit_code == 0


def test_a_failure_is_made_small_and_can_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its seed, the line that runs it, what it takes, and the trade's path in words and as a diagram."""
    from fsm_arb.ledger import Ledger

    monkeypatch.setattr(Ledger, "within_dust", property(lambda _: True))
    for seed in range(12):
        done = run("fuzz", "--seed", str(seed), "--episodes", "1")
        if done.exit_code:
            break
    assert done.exit_code == 1
    assert f"Run it again: fsm-arb fuzz --seed {seed} --episodes 1 --only" in done.output
    assert "What it takes" in done.output
    assert "record by record" in done.output
    assert "stateDiagram-v2" in done.output
    assert run("fuzz", "--seed", str(seed), "--episodes", "1", "--only", "nothing").output.count("Run it again") == 0


def test_one_episode_is_run_with_what_is_let_in() -> None:
    """Or without what is masked; either means one episode."""
    calm = run("fuzz", "--seed", "16", "--only", "")
    assert calm.exit_code == 0
    assert "1 episodes in" in calm.output
    assert run("fuzz", "--seed", "16", "--mask", "nothing").exit_code == 0


@pytest.mark.parametrize("text", ["0s", "-3m", "soon", "h", "inf"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    """Before anything is run."""
    done = run("fuzz", "--for", text)
    assert done.exit_code == 2
    assert "is no duration" in done.output


def test_a_run_may_last_as_long_as_it_is_told() -> None:
    """Then it ends by itself, however many episodes that were."""
    done = run("fuzz", "--for", "0.5s", "--focus", "exits")
    assert done.exit_code == 0, done.output
    assert "episodes in" in done.output


def test_a_run_that_is_interrupted_tells_what_it_has_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of a long run are not lost."""
    from fsm_arb.testing.swarm import many

    real = many.run_many

    def interrupted(*rest: Any) -> Any:
        for number, told in enumerate(real(*rest)):
            if number == 2:
                raise KeyboardInterrupt
            yield told

    monkeypatch.setattr(many, "run_many", interrupted)
    done = run("fuzz", "--episodes", "50", "--seed", "2")
    assert done.exit_code == 0
    assert "2 episodes in" in done.output


def test_an_unknown_focus_is_refused() -> None:
    """With the names of those there are."""
    done = run("fuzz", "--focus", "nothing of the kind")
    assert done.exit_code == 2
    assert "crashes" in done.output
