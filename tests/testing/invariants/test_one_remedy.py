"""Invariant 4: one remedy at a time, and only while nothing else of the trade can execute."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, seen, stepped, true_order
from worlds import Walk

from fsm_arb.orders import Lifecycle
from fsm_arb.policy import DoubtRemedy
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.one_remedy import OneRemedy

D = Decimal
CHECKER = OneRemedy()


def beside(lifecycle: Lifecycle, **changes: Any) -> tuple[Walk, Glimpse]:
    """Return a trade whose remedy is live, and whose first order on beta is believed to be in *lifecycle*."""
    walk = Walk(remedy="complete").fills(0).ack(1, 6, ended=True).look()
    glimpse = seen(walk, true_order(walk, 1, 6, **changes))
    trade = glimpse.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(lifecycle=lifecycle))
    return walk, glimpse


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """A remedy waits until all else has ended."""
    assert objections(CHECKER, script) == []


def test_a_remedy_that_is_written_while_another_order_lives_is_found() -> None:
    """As we know it ourselves: whatever the venue says by now."""
    _, after = beside(Lifecycle.OPEN)
    assert stepped(CHECKER, NOTHING, after) == ["trade t1: remedy c2 is live while c1 is open as we know it"]


def test_a_remedy_beside_an_order_that_may_execute_on_the_venue_is_found() -> None:
    """Judged by its books: it never said that the order is over."""
    _, after = beside(Lifecycle.CLOSED, live=True, told_over=False)
    (what,) = stepped(CHECKER, NOTHING, after)
    assert "remedy c2 is live while c1 may still execute on beta, which never said that it is over" in what
    _, told = beside(Lifecycle.CLOSED, live=True, told_over=True)
    assert stepped(CHECKER, NOTHING, told) == []


def test_an_order_that_comes_back_beside_a_remedy_is_the_venues_doing() -> None:
    """It had called it over; at the moment the remedy was written nothing else lived."""
    walk, after = beside(Lifecycle.OPEN)
    assert stepped(CHECKER, seen(walk), after) == []
    _, never_told = beside(Lifecycle.OPEN, told_over=False)
    assert len(stepped(CHECKER, seen(walk), never_told)) == 1


def test_the_policy_that_acts_on_what_is_known_is_excepted_by_name() -> None:
    """For what is in doubt, and for nothing else."""
    for unsure_since, found in ((0, 0), (None, 1)):
        _, after = beside(Lifecycle.OPEN)
        trade = after.trades["t1"]
        trade.begun = evolve(trade.begun, policy=evolve(trade.policy, doubt_remedy=DoubtRemedy.ACT_ON_KNOWN))
        assert trade.ledger is not None
        trade.ledger = trade.ledger.replace(trade.orders[1].changed(unsure_since=unsure_since))
        assert len(stepped(CHECKER, NOTHING, after)) == found


def test_two_live_remedies_are_found() -> None:
    """The second stands beside the first."""
    walk, after = beside(Lifecycle.CLOSED)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    second = trade.orders[2].changed(intent=evolve(trade.orders[2].intent, index=3, client_order_id="c3"))
    trade.ledger = trade.ledger.with_orders((*trade.orders, second))
    (what,) = stepped(CHECKER, seen(walk), after)
    assert "remedy c3 is live while c2 is pending as we know it" in what


def test_at_the_moment_it_is_written_a_remedy_is_alone_whatever_a_venue_had_said() -> None:
    """What we ourselves hold for live may execute, and we sent it all the same."""
    walk = Walk(remedy="complete").fills(0).ack(1, 6, ended=True)
    before = seen(walk, true_order(walk, 1, 6))
    walk.look()
    after = seen(walk, true_order(walk, 1, 6))
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(lifecycle=Lifecycle.OPEN))
    assert len(stepped(CHECKER, before, after)) == 1
    assert stepped(CHECKER, after, evolve(after, orders=dict(after.orders))) == []


def test_an_order_that_an_operator_judged_is_his() -> None:
    """The venue never called it over; he did, and then the remedy was sent."""
    _, after = beside(Lifecycle.CLOSED, live=True, told_over=False)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(refusal="settled by an operator: gone"))
    assert stepped(CHECKER, NOTHING, after) == []


def test_an_order_that_is_over_on_the_venue_is_no_danger() -> None:
    """Though nobody has been told."""
    _, after = beside(Lifecycle.CLOSED, live=False, told_over=False)
    assert stepped(CHECKER, NOTHING, after) == []


def test_doubt_is_no_excuse_for_the_policy_that_waits() -> None:
    """By default nothing is sent while an order is in doubt."""
    _, after = beside(Lifecycle.PENDING)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(unsure_since=0))
    assert len(stepped(CHECKER, NOTHING, after)) == 1
    trade.begun = evolve(trade.begun, policy=evolve(trade.policy, doubt_remedy=DoubtRemedy.ACT_ON_KNOWN))
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(unsure_since=None))
    assert trade.orders[1].in_doubt
    assert stepped(CHECKER, NOTHING, after) == []
