"""Which fault can meet a trade in which state."""

from __future__ import annotations

from fsm_arb.machines.trade import TradeState
from fsm_arb.testing.simulated import FAULTS as VENUES_FAULTS
from fsm_arb.testing.swarm.census import Census, edges_of
from fsm_arb.testing.swarm.reach import FAULTS, STATES, UNREACHABLE, holes


def test_every_row_of_the_table_of_faults_stands_here_once() -> None:
    """All forty-five, in order, those of the venues among them."""
    assert [fault.number for fault in FAULTS] == list(range(1, 46))
    assert set(VENUES_FAULTS) <= {fault.number for fault in FAULTS}


def test_every_exclusion_has_a_reason() -> None:
    """A state in which a fault is not expected is one of which somebody can say why."""
    for fault in FAULTS:
        assert set(fault.states) | set(fault.excluded) == set(STATES)
        assert all(len(why) > 10 for why in fault.excluded.values())
    assert [fault.number for fault in FAULTS if not fault.states] == [30]


def test_what_was_not_reached_is_a_hole() -> None:
    """Each pair that can occur, and each edge that can be taken."""
    pairs = sum(len(fault.states) for fault in FAULTS)
    empty = holes(Census())
    assert sum("has met no trade" in hole for hole in empty) == pairs
    assert any("CLOSED -- reopened --> OPEN" in hole for hole in empty)
    some = Census()
    some.struck[32, TradeState.PARTIAL.value, "exit"] += 1
    assert len(holes(some)) == len(empty) - 1


def test_only_edges_of_the_table_are_called_unreachable() -> None:
    """An excuse for what does not exist would hide a typing error."""
    from fsm_arb.machines.trade import TRADE_TABLE

    assert set(UNREACHABLE) <= set(edges_of(TRADE_TABLE))
