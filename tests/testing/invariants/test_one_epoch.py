"""Invariant 11: who has lost the journal writes nothing, and an old intent is not sent."""

from __future__ import annotations

from typing import Any

import pytest
from honest import NOTHING, SCRIPTS, objections, seen, stepped
from worlds import SECOND, Walk

from fsm_arb.testing.glimpse import Append, Create
from fsm_arb.testing.invariants.one_epoch import OneEpoch

CHECKER = OneEpoch()


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """One process, and what it sends it has just decided."""
    assert objections(CHECKER, script) == []


def test_an_append_of_an_older_epoch_is_found() -> None:
    """If it was let in; once, in the step in which it was."""
    late = Append(epoch=1, latest_epoch=2, accepted=True, streams=("trade/t1", "position/P-t1"))
    refused = Append(epoch=1, latest_epoch=2, accepted=False)
    current = Append(epoch=2, latest_epoch=2, accepted=True)
    walk = Walk()
    before, after = seen(walk, appends=(current,)), seen(walk, appends=(current, refused, late))
    (what,) = stepped(CHECKER, before, after)
    assert what == "epoch 1 wrote trade/t1, position/P-t1 although epoch 2 exists"
    assert stepped(CHECKER, after, seen(walk, appends=after.appends)) == []
    nameless = Append(epoch=1, latest_epoch=2, accepted=True)
    assert "wrote its records" in stepped(CHECKER, NOTHING, seen(walk, appends=(nameless,)))[0]


@pytest.mark.parametrize(("name", "age", "found"), [("c0", 5, 0), ("c0", 6, 1), ("c0", None, 0), ("c9", 99, 0)])
def test_an_intent_that_has_grown_old_is_not_sent(name: str, age: int | None, found: int) -> None:
    """Its own policy's limit counts; what is nobody's is `intent_first`'s."""
    age_ns = None if age is None else age * SECOND
    create = Create(venue="alpha", client_order_id=name, at=0, durable=True, intent_age_ns=age_ns)
    whats = stepped(CHECKER, NOTHING, seen(Walk(), creates=(create,)))
    assert len(whats) == found
    assert not whats or whats[0] == "order c0 was sent to alpha 6.000 s after its intent; 5 s is the limit"
