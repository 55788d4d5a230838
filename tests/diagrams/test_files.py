"""Files: the same rows give the same bytes, anywhere."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lamps import LAMP, TABLES

from fsm_arb.diagrams import can_draw_svg, check_diagrams, svg, write_diagrams
from fsm_arb.diagrams.paths import Reach
from fsm_arb.machines.trade import TRADE_TABLE

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_diagrams_are_what_the_tables_draw() -> None:
    """A row that changes without its diagram is found here."""
    assert check_diagrams(ROOT / "diagrams", TABLES) == ()


def test_what_was_written_passes_the_check(tmp_path: Path) -> None:
    """The folder is made, and every file in it is named."""
    folder = tmp_path / "deep" / "diagrams"
    names = write_diagrams(folder, TABLES)
    assert names == tuple(f"{name}.{kind}" for name in ("trade", "position", "order") for kind in ("mmd", "md", "svg"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert check_diagrams(folder, TABLES) == ()


@pytest.mark.parametrize("suffix", ["mmd", "md", "svg"])
def test_a_file_that_differs_by_one_byte_is_named(tmp_path: Path, suffix: str) -> None:
    """Nothing is tolerated, not a line's end either."""
    write_diagrams(tmp_path, TABLES)
    path = tmp_path / f"trade.{suffix}"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    assert check_diagrams(tmp_path, TABLES) == (path.name,)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """An empty folder lacks everything."""
    assert check_diagrams(tmp_path, [LAMP]) == ("lamp.mmd", "lamp.md", "lamp.svg")
    assert check_diagrams(tmp_path / "none", [LAMP]) == ("lamp.mmd", "lamp.md", "lamp.svg")


def test_without_pygraphviz_text_is_written_and_checked_and_svg_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is optional: who lacks it still has Mermaid and the tables."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pygraphviz":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert not can_draw_svg()
    assert write_diagrams(tmp_path, [LAMP]) == ("lamp.mmd", "lamp.md")
    assert check_diagrams(tmp_path, [LAMP]) == ()
    with pytest.raises(ImportError):
        svg(LAMP)


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_same_rows_give_the_same_bytes_under_every_hash_seed_and_without_fonts(tmp_path: Path, seed: str) -> None:
    """A diagram drawn on another machine is no difference."""
    script = (
        "import sys; from pathlib import Path; from fsm_arb.diagrams import write_diagrams;"
        "from fsm_arb.cli.diagram import TABLES; write_diagrams(Path(sys.argv[1]), TABLES)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "FONTCONFIG_FILE": os.devnull}
    # Our own interpreter with our own words.
    subprocess.run(  # noqa: S603
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, env=environment, check=True
    )
    assert check_diagrams(tmp_path, TABLES) == ()


def test_what_a_policy_reaches_is_written_three_ways(tmp_path: Path) -> None:
    """And is not what the table alone would draw."""
    reach = Reach(whose="as mine.toml reaches it", within="Found.", cut=TRADE_TABLE.rows[:1])
    names = write_diagrams(tmp_path, [TRADE_TABLE], reach)
    assert check_diagrams(tmp_path, [TRADE_TABLE]) == names == ("trade.mmd", "trade.md", "trade.svg")
    assert all("as mine.toml reaches it" in (tmp_path / name).read_text(encoding="utf-8") for name in names)
