"""Invariant 6: what is known to be filled never shrinks, save by a bust record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import SCRIPTS, objections, seen, stepped
from worlds import Walk

from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.filled_only_grows import FilledOnlyGrows

D = Decimal
CHECKER = FilledOnlyGrows()


def changed(walk: Walk, **changes: Any) -> Glimpse:
    """Return a glimpse in which our book of the first order is another."""
    after = seen(walk)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[0].changed(**changes))
    return after


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Stale readings, duplicates and restarts take nothing away."""
    assert objections(CHECKER, script) == []


def test_a_fill_that_is_forgotten_is_found() -> None:
    """A property of the edge: either state alone looks right."""
    walk = Walk().ack(0, 5)
    assert stepped(CHECKER, seen(walk), changed(walk, gross=D(4))) == [
        "trade t1: order c0: known filled shrank from 5 to 4 BTC"
    ]
    assert stepped(CHECKER, seen(walk), changed(walk, gross=D(6))) == []


def test_a_bust_needs_its_record() -> None:
    """What was taken back without one was forgotten; what is written down was not."""
    walk = Walk().ack(0, 5)
    before = seen(walk)
    assert stepped(CHECKER, before, changed(walk, busted=D(2))) == [
        "trade t1: order c0: 2 BTC taken back, and records of 0"
    ]
    assert stepped(CHECKER, evolve(before, entries={}), evolve(changed(walk, busted=D(2)), entries={})) == []
    walk.bust(0, 2)
    busted = seen(walk)
    assert stepped(CHECKER, before, busted) == []
    (what,) = stepped(CHECKER, busted, changed(walk, busted=D(1)))
    assert "of 2 BTC taken back, 1 is left" in what


def test_an_order_or_a_trade_that_is_forgotten_is_found() -> None:
    """Nobody would ever ask for it again."""
    walk = Walk()
    before, after = seen(walk), seen(walk)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.with_orders(trade.orders[:1])
    assert stepped(CHECKER, before, after) == ["trade t1: order c1 is forgotten"]
    assert stepped(CHECKER, before, evolve(after, trades={})) == ["trade t1 is forgotten"]
    assert stepped(CHECKER, evolve(before, entries={}), evolve(after, trades={})) == []


def test_an_order_that_changes_places_is_found() -> None:
    """The id of an order is what it is known by."""
    walk = Walk()
    intent = evolve(walk.sent[0], client_order_id="other")
    (what,) = stepped(CHECKER, seen(walk), changed(walk, intent=intent))
    assert "order other stands where c0 stood" in what


def test_a_crash_loses_what_was_not_durable_and_nothing_else() -> None:
    """What shrank is held against the durable records of before the step."""
    walk = Walk()
    durable = tuple(walk.entries)
    fresh = seen(walk)
    walk.ack(0, 5)
    ahead = seen(walk, entries={"t1": durable})  # the reading is known, and not durable yet
    assert stepped(CHECKER, ahead, fresh) == []
    told = evolve(ahead, on_the_way={"t1": tuple(walk.entries)[len(durable) :]})
    assert stepped(CHECKER, told, fresh) == []  # the records that were on their way are gone
    assert len(stepped(CHECKER, seen(walk), fresh)) == 1
    # Told by what is on its way that nothing was lost: then nothing may have shrunk.
    kept = evolve(changed(walk, gross=D(4)), entries={"t1": durable}, on_the_way=told.on_the_way)
    assert len(stepped(CHECKER, told, kept)) == 1
