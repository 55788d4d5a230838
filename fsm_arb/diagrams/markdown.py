"""A machine as a page: every row with its reason, every guard in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.diagrams.paths import Reach, origin, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.machines.table import Row, Table


def markdown(table: Table, reach: Reach | None = None) -> str:
    """Return *table* as a page: every row with its reason, then every guard in words.

    Args:
        table: What is told.
        reach: Which rows some runs have taken; those they have not are listed. None: nothing is said of it.
    """
    final = ", ".join(state for state in table.states if state in table.final) or "none"
    lines = [
        f"# {title(table, reach)}",
        "",
        f"{origin(table)} It starts in {table.initial}; final: {final}.",
        "",
        *(_reached(reach) if reach else ()),
        "| from | trigger | guards | to | why |",
        "|---|---|---|---|---|",
    ]
    for row in table.rows:
        dest = f"{row.dest} (`{row.outcome}`)" if row.outcome else row.dest
        why = f"*Not reached.* {row.why}" if reach and reach.missed(row) else row.why
        lines.append(f"| {row.source} | {row.trigger} | {_guards(row)} | {dest} | {_cell(why)} |")
    known = {each.name: each for row in table.rows for each in row.guards if each.name}
    if known:
        lines += ["", "| guard | reads | true when |", "|---|---|---|"]
        lines += [f"| {each.name} | {each.field} | {_cell(each.doc)} |" for each in known.values()]
    return "\n".join(lines) + "\n"


def _reached(reach: Reach) -> Iterator[str]:
    yield reach.within
    yield ""
    for rows, what in (
        (reach.cut, "This policy reaches none of these, though another does, within the same bounds:"),
        (reach.beyond, "No policy that was run reaches these within the same bounds, which says nothing of yours:"),
    ):
        if rows:
            yield from (what, "", *(f"- {row}" for row in rows), "")


def _guards(row: Row) -> str:
    return " and ".join(each.name for each in row.guards if each.name)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
