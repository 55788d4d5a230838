"""What a table says about itself: how things should go, what is off that path, and what some runs have reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.machines.table import Row

if TYPE_CHECKING:
    from fsm_arb.machines.table import Table

REMEDIES = "Remedies"  # what a machine's states off the happy path are called together
_CALLED = {"order": "Astray"}  # a machine of which that would be the wrong word
_ORIGINS = {
    "order": "No engine moves an order: it is the fold of what venues and operators said of it. A test holds that"
    " fold to these rows, both ways: it moves an order along one of them or not at all, and along each of them."
    " `shown` is an `observed` record, or a `place_ended` one with an acknowledgement; `refused` and `unanswered` are"
    " the other two outcomes of `place_ended`; the rest are records of that name."
}


@frozen(kw_only=True)
class Reach:
    """Which rows of a table runs have taken, and which runs those were.

    Attributes:
        whose: What was run, in a few words: a title.
        within: How far, in a sentence: what is said of a row holds so far and no further.
        beyond: Rows that no run has taken, whatever the policy: these runs do not go far enough to say.
        cut: Rows that runs under another policy have taken, and these have not.
    """

    whose: str
    within: str
    beyond: tuple[Row, ...] = ()
    cut: tuple[Row, ...] = ()

    def missed(self, row: Row) -> bool:
        """Whether no run has taken *row*."""
        return row in self.beyond or row in self.cut


def happy_path(table: Table) -> tuple[Row, ...]:
    """Return the rows along which all goes well: the first of each state, until a final one or one seen before."""
    path: list[Row] = []
    state, seen = table.initial, {table.initial}
    while state not in table.final and table.rows_from(state):
        row = table.rows_from(state)[0]
        if row.dest in seen:
            break
        path.append(row)
        state = row.dest
        seen.add(state)
    return tuple(path)


def aside(table: Table) -> tuple[str, ...]:
    """Return the states that are off the happy path."""
    happy = {table.initial, *(row.dest for row in happy_path(table))}
    return tuple(state for state in table.states if state not in happy)


def aside_name(table: Table) -> str:
    """Return what the states off the happy path are called together."""
    return _CALLED.get(table.name, REMEDIES)


def origin(table: Table) -> str:
    """Return what the rows have to do with what runs."""
    return _ORIGINS.get(table.name, "Drawn from the rows that run.")


def title(table: Table, reach: Reach | None) -> str:
    """Return what stands above a drawing."""
    return f"The {table.name} machine" + (f", {reach.whose}" if reach else "")


def label(row: Row) -> str:
    """Trigger, guards and outcome, as UML writes them."""
    return f"{row.label} / {row.outcome}" if row.outcome else row.label
