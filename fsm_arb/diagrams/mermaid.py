"""A machine as Mermaid text, which many pages show as a picture where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.diagrams.ink import HAPPY, REMEDY, TEXT
from fsm_arb.diagrams.paths import Reach, aside, aside_name, happy_path, label, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.machines.table import Row, Table

UNREACHED = "(not reached)"  # Mermaid has no faint arrow in a state diagram


def mermaid(table: Table, reach: Reach | None = None) -> str:
    """Return *table* as the text of a Mermaid state diagram: the happy path, the remedies in a group, then the rest.

    Args:
        table: What is drawn.
        reach: Which rows some runs have taken; those they have not are marked. None: nothing is said of it.
    """
    happy, off = happy_path(table), aside(table)
    within = [row for row in table.rows if row.source in off and row.dest in off]
    rest = [row for row in table.rows if row not in happy and row not in within]
    lines = ["---", f"title: {title(table, reach)}", "---", "stateDiagram-v2", f"    [*] --> {table.initial}"]
    lines += [f"    {_arrow(row, reach)}" for row in happy]
    lines += [f"    {state} --> [*]" for state in table.states if state in table.final]
    lines += _group(table, off, within, reach)
    lines += [f"    {_arrow(row, reach)}" for row in rest]
    lines += _colours(table, off)
    return "\n".join(lines) + "\n"


def _arrow(row: Row, reach: Reach | None) -> str:
    missed = f" {UNREACHED}" if reach and reach.missed(row) else ""
    return f"{row.source} --> {row.dest}: {label(row)}{missed}"


def _group(table: Table, off: tuple[str, ...], within: list[Row], reach: Reach | None) -> Iterator[str]:
    """Yield the states off the path, and the rows between them, as a state of states."""
    if not off:
        return  # Mermaid refuses an empty one
    yield f"    state {aside_name(table)} {{"
    named = {state for row in within for state in (row.source, row.dest)}
    yield from (f"        {state}" for state in off if state not in named)
    yield from (f"        {_arrow(row, reach)}" for row in within)
    yield "    }"


def _colours(table: Table, off: tuple[str, ...]) -> Iterator[str]:
    happy = [state for state in table.states if state not in off]
    for style, states in ((HAPPY, happy), (REMEDY, off)):
        if states:  # Mermaid refuses a class of no states
            look = f"fill:{style.fill},stroke:{style.ink},stroke-width:{style.width}px,color:{TEXT}"
            yield f"    classDef {style.name} {look}"
            yield f"    class {','.join(states)} {style.name}"
