"""Faults that are drawn fit the calls they are for, and together they are all that a venue can do wrong."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, find, given, settings

from fsm_arb.testing.botworld import BotWorld
from fsm_arb.testing.naked import assert_no_naked_leg
from fsm_arb.testing.simulated import ROWS, FaultKind, Operation
from fsm_arb.testing.strategies.faults import KINDS, Injection, fault_plans, injections
from fsm_arb.virtual import VirtualClock, run


@given(injections(["alpha"]))
def test_a_fault_fits_its_call(drawn: Injection) -> None:
    """One that does not would never meet anything."""
    row = next(row for row in ROWS if row.kind is drawn.kind)
    assert drawn.operation in row.operations
    assert drawn.venue == "alpha"
    assert drawn.ms is None or row.ms is not None


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.DOWN, FaultKind.NO_ID])
def test_faults_are_reached_on_creates_first(kind: FaultKind) -> None:
    """An order is where the money is."""
    assert find(injections(kinds={kind}), lambda _: True) == Injection(
        venue="upbit", kind=kind, operation=Operation.CREATE
    )


def test_what_needs_a_person_is_drawn_only_where_it_is_named() -> None:
    """Nobody would tell of the bust, and the trade could not know."""
    assert FaultKind.BUST not in KINDS
    assert find(injections(kinds={FaultKind.BUST}), lambda _: True).kind is FaultKind.BUST


@given(fault_plans(most=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_no_few_faults_leave_a_naked_leg(drawn: list[Injection]) -> None:
    """The strategy as a user writes it, over our own executor."""
    clock = VirtualClock()
    world = BotWorld(clock, 1)
    for each in drawn:
        each.into(world.venues)

    async def trade() -> None:
        async with world.executor() as executor:
            await executor.execute_decision(world.decision())
            await world.calm()

    run(trade(), clock)
    assert_no_naked_leg(world.venues, dust="0.0001")
