"""A checker without an opinion."""

from __future__ import annotations

from honest import NOTHING

from fsm_arb.testing.invariants.silent import Silent


def test_it_objects_to_nothing() -> None:
    """Neither to a step nor to an end."""
    assert list(Silent().step(NOTHING, NOTHING)) == []
    assert list(Silent().rest(NOTHING)) == []
