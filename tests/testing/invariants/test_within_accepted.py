"""Invariant 5: no order executes more than the venue accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, seen, stepped, true_order
from worlds import Walk

from fsm_arb.testing.invariants.within_accepted import WithinAccepted

D = Decimal
CHECKER = WithinAccepted()


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Venues keep to what they accepted, and so do we."""
    assert objections(CHECKER, script) == []


def test_a_venue_that_executes_too_much_is_found() -> None:
    """Once, in the step in which it happened."""
    walk = Walk()
    after = seen(walk, true_order(walk, 0, "10.01"))
    assert stepped(CHECKER, seen(walk), after) == ["order c0: alpha accepted 10 and has executed 10.01"]
    assert stepped(CHECKER, after, evolve(after, orders=dict(after.orders))) == []
    assert stepped(CHECKER, seen(walk), seen(walk, true_order(walk, 0, 10))) == []


def test_more_in_our_books_than_was_ordered_is_found() -> None:
    """The amount that the venue took counts, where it is known."""
    walk = Walk()
    before = seen(walk)
    walk.ack(0, 11)
    assert stepped(CHECKER, before, seen(walk)) == ["order c0: we reckon with 11 BTC of an order of 10"]
    rounded = seen(walk, true_order(walk, 0, amount=D(11)))
    assert stepped(CHECKER, before, rounded) == []
    walk = Walk().ack(1, 5, amount=D(4))
    assert stepped(CHECKER, NOTHING, seen(walk)) == ["order c1: we reckon with 5 BTC of an order of 4"]
