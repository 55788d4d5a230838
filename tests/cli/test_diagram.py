"""The command `fsm-arb diagram`: what it writes, what it compares, and what it says of a policy's reach."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from click.testing import CliRunner

from fsm_arb.cli.app import command
from fsm_arb.cli.diagram import TABLES, reach_of
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.explorer import Bounds, explore

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(command, ["diagram", *map(str, arguments)])


# ------------------------------------------------------------------ what the tables draw


def test_what_is_committed_is_what_the_tables_draw() -> None:
    """A reviewer reads the machine that runs."""
    result = run("--check", ROOT / "diagrams")
    assert (result.exit_code, result.output) == (0, "")


def test_a_diagram_that_differs_is_named(tmp_path: Path) -> None:
    """Altered and missing files alike; nothing is written while checking."""
    shutil.copytree(ROOT / "diagrams", tmp_path / "d")
    (tmp_path / "d" / "trade.mmd").write_text("stateDiagram-v2\n")
    (tmp_path / "d" / "position.svg").unlink()
    result = run("--check", tmp_path / "d")
    assert result.exit_code == 1
    assert "trade.mmd is not what" in result.output
    assert "position.svg is not what" in result.output
    assert "position.mmd" not in result.output
    assert not (tmp_path / "d" / "position.svg").exists()


def test_diagrams_are_written_where_asked(tmp_path: Path) -> None:
    """Every machine three ways; what was written passes its own check."""
    result = run(tmp_path / "new")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"{table.name}.{kind}" for table in TABLES for kind in ("mmd", "md", "svg")
    }
    assert [table.name for table in TABLES] == ["trade", "position", "order"]
    assert run("--check", tmp_path / "new").exit_code == 0


def test_without_a_folder_they_go_where_they_are_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run from the root, it renews what is there."""
    monkeypatch.chdir(tmp_path)
    assert run().exit_code == 0
    assert (tmp_path / "diagrams" / "trade.mmd").is_file()


def test_diagrams_without_graphviz_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that left out the pictures would pass for the wrong reason."""
    monkeypatch.setattr("fsm_arb.cli.diagram.can_draw_svg", lambda: False)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "pip install 'fsm_arb[svg]'" in result.output


# ------------------------------------------------------------------ what a policy reaches


def toml(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_edges_that_a_policy_takes_away_are_told_apart_from_those_beyond_the_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Placed in turn, a trade never has one order refused while the other may fill. The bounds are in the page."""
    monkeypatch.chdir(tmp_path)
    result = run("--policy", toml(tmp_path, 'placement = "sequential"\n'), "--faults", "1")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "mine-diagrams"
    assert {path.name for path in folder.iterdir()} == {"trade.mmd", "trade.md", "trade.svg"}
    cut = "PLACING -- placed [one_refused] --> PARTIAL"
    beyond = "HEDGED -- disturbed [neither_matched_nor_flat] --> PARTIAL"
    assert f"Not reached, though the default policy reaches it: {cut}\n" in result.output
    assert f"Not reached by either: {beyond}\n" in result.output
    page = (folder / "trade.md").read_text(encoding="utf-8")
    assert "trades of 1 lot, at most 1 fault in one run and 2 remedies before it halts, a crash at any point" in page
    assert page.index("This policy reaches none") < page.index(f"- {cut}\n") < page.index("No policy that was run")
    assert page.index("No policy that was run") < page.index(f"- {beyond}\n")
    assert "PLACING --> PARTIAL: placed [one_refused] (not reached)" in (folder / "trade.mmd").read_text()
    assert 'stroke-dasharray="4 4"' in (folder / "trade.svg").read_text(encoding="utf-8")


def test_each_row_is_reached_cut_or_beyond() -> None:
    """Two explorations, row by row; what one run has taken is in neither list."""
    bounds = Bounds(lots=1, faults=0, policy=ExecutionPolicy(attempts_max=1))
    report = explore(bounds)
    every = frozenset((row.source, row.trigger, row.dest) for row in TRADE_TABLE.rows)
    wall = ("PARTIAL", "wall", "HALTED")
    reach = reach_of("mine", bounds, evolve(report, rows=every - {wall}), evolve(report, rows=every))
    assert ([str(row)[:26] for row in reach.cut], reach.beyond) == (["PARTIAL -- wall [neither_m"], ())
    reach = reach_of("mine", bounds, evolve(report, rows=every - {wall}), evolve(report, rows=every - {wall}))
    assert (reach.cut, [row.trigger for row in reach.beyond]) == ((), ["wall"])
    assert "1 lot, at most 0 faults in one run and 1 remedy before it halts," in reach.within


def test_a_policy_is_not_compared_with_what_is_committed(tmp_path: Path) -> None:
    """The check is of the tables; what one policy reaches is nobody else's."""
    result = run("--check", "--policy", toml(tmp_path, ""))
    assert result.exit_code == 2
    assert "leave --policy out" in result.output


def test_a_policy_that_cannot_be_explored_says_why(tmp_path: Path) -> None:
    """Nothing is drawn of what cannot be told."""
    result = run("--policy", toml(tmp_path, 'doubt_remedy = "act_on_known"\n'), tmp_path / "d")
    assert result.exit_code == 1
    assert "explore with wait" in result.output
    assert not (tmp_path / "d").exists()


def test_an_exploration_that_stopped_at_a_broken_rule_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not seen everything, so what it has not reached says nothing."""
    broken = evolve(explore(Bounds(lots=1, faults=0)), counterexamples=("a run",))
    monkeypatch.setattr("fsm_arb.testing.explorer.explore", lambda _bounds: broken)
    result = run("--policy", toml(tmp_path, ""), tmp_path / "d")
    assert result.exit_code == 1
    assert "breaks an invariant" in result.output
    assert not (tmp_path / "d").exists()
