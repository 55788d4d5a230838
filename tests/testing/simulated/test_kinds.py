"""The table of faults says where each kind belongs, once."""

from __future__ import annotations

import pytest

from fsm_arb.testing.simulated.kinds import (
    FAULTS,
    OF_ONE_MARKET,
    ROW_OF,
    ROWS,
    STICKY,
    Fault,
    FaultKind,
    FaultRow,
    Operation,
)

# Rows of the table of faults that lie with a venue or the way there; the rest is the process's, disk's and clock's own.
OF_VENUES = {*range(1, 32), 41, 42, 43, 44}


def test_every_row_that_lies_with_a_venue_can_be_injected() -> None:
    """A fault that cannot be made to happen proves nothing."""
    assert set(FAULTS) == OF_VENUES


def test_every_kind_stands_in_one_row() -> None:
    """So that a hit counts for exactly one row."""
    assert len(ROWS) == len(ROW_OF) == len(FaultKind)
    assert all(ROW_OF[row.kind] is row for rows in FAULTS.values() for row in rows)
    assert all(row.number == number for number, rows in FAULTS.items() for row in rows)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind.value)
def test_a_row_says_where_it_applies_and_what_happens(row: FaultRow) -> None:
    """Each meets some call, and has a sentence; a duration runs from less to more."""
    assert row.operations <= frozenset(Operation)
    assert row.operations
    assert len(row.words.split()) > 2
    assert row.ms is None or 0 < row.ms[0] < row.ms[1]


def test_what_holds_on_has_an_end() -> None:
    """An outage without an end would prove nothing about what comes after it."""
    ending = {kind for kind in STICKY if ROW_OF[kind].ms is not None}
    assert ending == STICKY - {FaultKind.READS_FAIL}  # that one ends after some calls
    assert OF_ONE_MARKET < STICKY


@pytest.mark.parametrize(("draw", "choice"), [(0.0, "a"), (0.49, "a"), (0.5, "b"), (0.999, "b")])
def test_a_choice_is_spread_over_the_draw(draw: float, choice: str) -> None:
    """Halves of the draw mean halves of the choices."""
    fault = Fault(kind=FaultKind.MISSING_FILL, key="k", draw=draw)
    assert fault.either("a", "b") == choice
    assert fault.number == 12


def test_a_second_number_does_not_go_hand_in_hand_with_the_first() -> None:
    """Else a large share would always come with the same status word."""
    faults = [Fault(kind=FaultKind.PARTIAL, key="k", draw=number / 1009) for number in range(1009)]
    corners = {(fault.draw < 0.5, fault.spread < 0.5) for fault in faults}
    assert len(corners) == 4
    assert all(0 <= fault.spread < 1 for fault in faults)
