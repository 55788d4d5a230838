"""The command line: what each command prints, and how it ends."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import fsm_arb
from fsm_arb.cli import main
from fsm_arb.cli.judge import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "binance_l2_2024"
CONTROL = "\x1b"


# ------------------------------------------------------------------ the command as a whole


def test_the_version_is_the_packages(run: Run) -> None:
    """One number, wherever it is asked for."""
    assert run("--version").output.split()[-1] == fsm_arb.__version__


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Who installed the bare package is told what to install, not shown a traceback."""
    real = builtins.__import__

    def without_click(name: str, *rest: Any, **options: Any) -> Any:
        if name == "click":
            raise ModuleNotFoundError("No module named 'click'", name="click")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_click)
    monkeypatch.delitem(sys.modules, "fsm_arb.cli.app", raising=False)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert "pip install 'fsm_arb[cli]'" in capsys.readouterr().err


def test_an_error_of_our_own_is_not_taken_for_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that is missing is a broken package; naming an extra would send people astray."""
    real = builtins.__import__

    def without_ours(name: str, *rest: Any, **options: Any) -> Any:
        if name == "fsm_arb.cli.app":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_ours)
    with pytest.raises(ModuleNotFoundError):
        main()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--faults", "few"], "'few' is not one of"),
        (["demo", "--trades", "0"], "0 is not in the range"),
        (["demo", "--seed", "-1"], "-1 is not in the range"),
        (["demo", "--record", "nowhere.gz", "either.gz"], "does not exist"),
        (["show", "a-trade"], "Missing option '--journal'"),
        (["show", "a-trade", "--journal", "nowhere.db"], "does not exist"),
        (["dance"], "No such command"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_done(run: Run, arguments: list[str], said: str) -> None:
    """The refusal names what was wrong."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


# ------------------------------------------------------------------ demo


@pytest.mark.parametrize("faults", ["none", "some"])
def test_a_demonstration_ends_well(run: Run, tmp_path: Path, faults: str) -> None:
    """Real ccxt objects trade over sockets, and the exchange's own books agree with the journal."""
    folder = tmp_path / "demo"
    result = run("demo", "--seed", 5, "--trades", 8, "--faults", faults, "--latency", 0, "--dir", folder)
    assert result.exit_code == 0, result.output
    assert result.output.count("demo-5-000") >= 8
    assert "All is well." in result.output
    assert CONTROL not in result.output  # a file is no terminal
    assert {"trades.db", "books.json", "demo.log", "demo.json"} <= {path.name for path in folder.iterdir()}


def test_a_demonstration_with_many_faults_tells_paths_and_totals(ended: Path, run: Run) -> None:
    """Its exchange is gone with it, so its folder can serve no other."""
    assert (ended / "books.json").is_file()
    again = run("demo", "--seed", 3, "--dir", ended)
    assert again.exit_code == 1
    assert "has ended, and its exchange with it" in again.output


def test_another_seed_does_not_go_on_with_this_demonstration(ended: Path, run: Run) -> None:
    """Its decisions would be others under other ids; mixing them would judge neither."""
    result = run("demo", "--seed", 4, "--dir", ended)
    assert result.exit_code == 1
    assert "with --seed 3, not 4" in result.output


def test_a_folder_with_a_journal_of_a_bots_is_left_alone(run: Run, tmp_path: Path) -> None:
    """A demonstration never writes into a journal that may have money behind it."""
    journal = tmp_path / "trades.db"
    journal.write_bytes(b"somebody's")
    result = run("demo", "--dir", tmp_path)
    assert result.exit_code == 1
    assert "no demonstration's" in result.output
    assert journal.read_bytes() == b"somebody's"


@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not here")
def test_a_demonstration_runs_on_recorded_books(run: Run, tmp_path: Path) -> None:
    """Binance spot against its perpetual, as both were one night in August 2024."""
    spot, perpetual = DATA / "spot_btcusdt_20240808.gz", DATA / "usdm_btcusdt_20240808.gz"
    result = run("demo", "--trades", 8, "--latency", 0, "--record", spot, perpetual, "--dir", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "USDT" in result.output
    assert "ETH" not in result.output


def test_a_verdict_with_a_problem_ends_in_failure(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts read the exit status, people the line that says what is wrong."""

    def harsh(*arguments: Any) -> Verdict:
        return evolve(judge(*arguments), problems=("BTC: [too] much",))

    monkeypatch.setattr("fsm_arb.cli.demo.judge", harsh)
    result = run("demo", "--trades", 2, "--faults", "none", "--latency", 0, "--dir", tmp_path / "demo")
    assert result.exit_code == 1
    assert "Wrong: BTC: [too] much" in result.output
    assert "All is well." not in result.output


def test_the_command_starts_from_its_entry_point() -> None:
    """What pyproject.toml names is there and runs."""
    done = subprocess.run(
        [sys.executable, "-c", "from fsm_arb.cli import main; main()", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"demo", "diagram", "show"} <= set(done.stdout.split())
