"""Every diagram of some tables as files: written, or compared with what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.diagrams.markdown import markdown
from fsm_arb.diagrams.mermaid import mermaid
from fsm_arb.diagrams.svg import can_draw_svg, svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fsm_arb.diagrams.paths import Reach
    from fsm_arb.machines.table import Table


def write_diagrams(folder: Path, tables: Iterable[Table], reach: Reach | None = None) -> tuple[str, ...]:
    """Write every diagram of *tables* into *folder* and return the names of the files.

    The SVGs are left out where pygraphviz is not installed.

    Args:
        folder: Made where it is missing.
        tables: What is drawn.
        reach: Which rows some runs have taken; None: nothing is said of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(tables, reach)
    for name, text in files.items():
        folder.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(files)


def check_diagrams(folder: Path, tables: Iterable[Table]) -> tuple[str, ...]:
    """Return the names of the files in *folder* that are missing or not what *tables* would draw, in order."""
    return tuple(name for name, text in _files(tables, None).items() if _read(folder / name) != text)


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", errors="replace") if path.is_file() else None


def _files(tables: Iterable[Table], reach: Reach | None) -> Mapping[str, str]:
    files = {}
    for table in tables:
        files[f"{table.name}.mmd"] = mermaid(table, reach)
        files[f"{table.name}.md"] = markdown(table, reach)
        if can_draw_svg():
            files[f"{table.name}.svg"] = svg(table, reach)
    return files
