"""The position machine: every state, trigger and view."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import GuardRefused, IllegalTrigger
from fsm_arb.machines import position as machine
from fsm_arb.machines.position import (
    POSITION_ENGINE,
    POSITION_TABLE,
    Cause,
    PositionMachine,
    PositionState,
    PositionView,
    Remainder,
)
from fsm_arb.machines.table import Guard

if TYPE_CHECKING:
    from fsm_arb.machines.table import Row

OPEN, CLOSING, CLOSED = "OPEN", "CLOSING", "CLOSED"
TRADABLE, DUST = Remainder.TRADABLE, Remainder.DUST
TRIGGERS = ("exit_started", "exit_ended", "amended", "reopened")

# Every move there is, written out by hand. Whatever is not here must raise.
MOVES = {
    (OPEN, "exit_started", TRADABLE, Cause.EXIT): CLOSING,
    (OPEN, "exit_started", DUST, Cause.EXIT): CLOSING,
    (OPEN, "amended", DUST, Cause.AMENDMENT): CLOSED,
    (OPEN, "amended", DUST, Cause.BUST): CLOSED,
    (CLOSING, "exit_ended", DUST, Cause.EXIT): CLOSED,
    (CLOSING, "exit_ended", TRADABLE, Cause.EXIT): OPEN,
    (CLOSED, "reopened", TRADABLE, Cause.BUST): OPEN,
    (CLOSED, "reopened", TRADABLE, Cause.AMENDMENT): OPEN,
}
SOURCES = {move[:2] for move in MOVES}


@pytest.mark.parametrize(
    ("state", "trigger", "remainder", "cause"), [*itertools.product(PositionState, TRIGGERS, Remainder, Cause)]
)
def test_every_state_and_trigger_moves_as_written_or_raises_and_changes_nothing(
    state: str, trigger: str, remainder: Remainder, cause: Cause
) -> None:
    """There is no third thing that a trigger can do."""
    records: list[Row] = []
    position = PositionMachine(records.append, str(state))
    view = PositionView(remainder, cause)
    dest = MOVES.get((state, trigger, remainder, cause))
    if dest is None:
        refusal = GuardRefused if (state, trigger) in SOURCES else IllegalTrigger
        with pytest.raises(refusal, match=r"^position: "):
            getattr(position, trigger)(view)
        assert (position.state, records) == (state, [])
    else:
        row = getattr(position, trigger)(view)
        assert (row.source, row.trigger, row.dest) == (state, trigger, dest)
        assert (position.state, records) == (dest, [row])


@pytest.mark.parametrize(("state", "remainder", "cause"), [*itertools.product(PositionState, Remainder, Cause)])
def test_at_most_one_edge_is_true_over_all_triggers(state: str, remainder: Remainder, cause: Cause) -> None:
    """Whoever asks which edge is true gets one answer or none."""
    enabled = POSITION_TABLE.enabled(state, PositionView(remainder, cause))
    expected = [move for move in MOVES if (move[0], move[2], move[3]) == (state, remainder, cause)]
    assert [(row.source, row.trigger) for row in enabled] == [move[:2] for move in expected]
    assert len(enabled) <= 1


def test_the_table_has_the_triggers_that_the_machine_has_methods_for() -> None:
    """A trigger without a test here would be a trigger that nobody has thought about."""
    assert set(POSITION_TABLE.triggers) == set(TRIGGERS)


def test_a_new_position_is_open() -> None:
    """A position begins where a hedged entry leaves it."""
    assert PositionMachine(print).state == OPEN == POSITION_TABLE.initial


def test_a_record_that_fails_leaves_the_position_as_it_was() -> None:
    """What could not be recorded did not happen."""

    def fail(_row: Row) -> None:
        raise OSError("disk full")

    position = PositionMachine(fail)
    with pytest.raises(OSError, match="disk full"):
        position.exit_started(PositionView(TRADABLE, Cause.EXIT))
    assert position.state == OPEN


def test_only_what_comes_late_reopens_and_the_row_says_what() -> None:
    """A closed position has one way back; no exit takes it, and no late fill passes for a bust."""
    rows = POSITION_TABLE.rows_from(CLOSED)
    assert [row.trigger for row in rows] == ["reopened", "reopened"]
    causes = [each.allowed for row in rows for each in row.guards if each.field == "cause"]
    assert causes == [frozenset({Cause.BUST}), frozenset({Cause.AMENDMENT})]
    assert [row.why.startswith("A venue took an execution back") for row in rows] == [True, False]


def test_a_guard_is_called_in_the_diagram_what_it_is_called_in_the_source() -> None:
    """Whoever reads one finds the other."""
    guards = {name: each for name, each in vars(machine).items() if isinstance(each, Guard)}
    assert {name: each.name for name, each in guards.items()} == {name: name for name in guards}
    assert {each for row in POSITION_TABLE.rows for each in row.guards} == set(guards.values())


def test_a_position_ends_when_it_is_closed() -> None:
    """And nowhere else; nobody can add to that."""
    assert POSITION_TABLE.final == {CLOSED}
    assert isinstance(POSITION_TABLE.final, frozenset)


def test_every_row_says_why_in_one_sentence() -> None:
    """A reader of the table learns what happened in the world."""
    assert [row for row in POSITION_TABLE.rows if not row.why.endswith(".") or not row.why[0].isupper()] == []


def test_no_position_is_ever_registered() -> None:
    """Positions are lent to the engine for one move each."""
    for _ in range(100):
        PositionMachine(print, CLOSED)
        position = PositionMachine(lambda _row: None)
        position.exit_started(PositionView(TRADABLE, Cause.EXIT))
    assert POSITION_ENGINE._machine.models == []
