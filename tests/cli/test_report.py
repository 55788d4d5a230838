"""`fsm-arb report`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from pages import Page
from reports import journal, stuck, well

Run = Callable[..., Result]


def test_a_demonstration_can_be_looked_at(run: Run, ended: Path, tmp_path: Path) -> None:
    """Real trades with many faults: every page of them is sound, and the command says where they are."""
    done = run("report", ended / "trades.db", "--out", tmp_path / "out", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert done.output == f"{tmp_path / 'out' / 'index.html'}: 8 trades, 8 with a page of their own\n"
    pages = sorted((tmp_path / "out").rglob("*.html"))
    assert len(pages) == 9
    for path in pages:
        assert Page(path.read_text(encoding="utf-8")).problems == [], path.name


def test_one_trade_is_drawn_into_a_file(run: Run, tmp_path: Path) -> None:
    """It says where; an unknown one is an error."""
    path = journal(tmp_path / "j.db", well())
    done = run("report", path, "--trade", "t-well", "--out", tmp_path / "one.html")
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'one.html'}\n")
    assert "Trade t-well" in (tmp_path / "one.html").read_text(encoding="utf-8")
    done = run("report", path, "--trade", "nobody", "--out", tmp_path / "none.html")
    assert done.exit_code == 1
    assert f"no trade nobody on {path}" in done.output


def test_only_the_newest_are_drawn_where_that_was_asked_for(run: Run, tmp_path: Path) -> None:
    """And what is halted, in any case."""
    path = journal(tmp_path / "j.db", stuck("a"), well("b"), well("c"))
    done = run("report", path, "--out", tmp_path / "out", "--trades", 1, "--jobs", 1)
    assert done.output.endswith("3 trades, 2 with a page of their own\n")


def test_one_trade_or_many_but_not_both(run: Run, tmp_path: Path) -> None:
    """Neither is passed over in silence."""
    path = journal(tmp_path / "j.db", well())
    done = run("report", path, "--out", tmp_path / "out", "--trade", "t-well", "--trades", 1)
    assert done.exit_code == 2
    assert "--trade draws one trade" in done.output


@pytest.mark.parametrize("what", ["no journal", "no folder"])
def test_what_cannot_be_done_is_said_in_a_line(run: Run, tmp_path: Path, what: str) -> None:
    """Not in a trace."""
    path, out = tmp_path / "j.db", tmp_path / "out"
    if what == "no journal":
        path.write_text("not a journal")
    else:
        journal(path, well())
        out.write_text("a file")
    done = run("report", path, "--out", out, "--jobs", 1)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "Traceback" not in done.output
    if what == "no folder":
        assert f"{out} cannot be written" in done.output
