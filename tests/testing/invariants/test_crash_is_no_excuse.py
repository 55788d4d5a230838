"""Invariant 10: a crash leads nowhere that a run without a crash does not lead to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, Watched, both_fill, objections, rested, seen, stepped, true_order
from worlds import Walk

from fsm_arb.memory import Entry
from fsm_arb.messages import Moved
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.crash_is_no_excuse import CrashIsNoExcuse, outcome_of, unexplained

D = Decimal
CHECKER = CrashIsNoExcuse()


def ended(sold: Any = 10, bought: Any = 10, **changes: Any) -> Glimpse:
    walk = Walk(**changes)
    walk.ack(0, sold, ended=True).ack(1, bought, ended=True)
    return seen(walk, true_order(walk, 0, sold), true_order(walk, 1, bought))


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Restarts among them."""
    assert objections(CHECKER, script) == []


def test_a_first_order_that_is_sent_again_is_found() -> None:
    """Recovery observes; it never re-sends."""
    walk = Walk()
    before, after = seen(walk), seen(walk)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    again = trade.orders[1].changed(intent=evolve(walk.sent[1], index=2, client_order_id="c9"))
    trade.ledger = trade.ledger.with_orders((*trade.orders, again))
    assert stepped(CHECKER, before, after) == ["trade t1: the first order on beta was sent again: c1, c9"]
    assert stepped(CHECKER, NOTHING, before) == []
    assert stepped(CHECKER, before, seen(walk.ack(0))) == []


def test_a_trade_that_is_given_up_after_its_first_intent_is_found() -> None:
    """Only what was never begun may be aborted after a restart."""
    assert rested(CHECKER, seen(Walk(begin=False).restart())) == []
    walk = Walk().restart()
    assert rested(CHECKER, seen(walk)) == []
    aborted = Entry(0, "abort", "SIZING", "DONE", Moved(now=0))
    given_up = seen(walk, entries={"t1": (*walk.entries, aborted)})
    assert rested(CHECKER, given_up) == ["trade t1 was given up after a restart although it had sent orders"]


def test_an_ending_is_held_against_those_of_runs_without_a_crash() -> None:
    """Where they are known."""
    known = {outcome_of(ended())}
    assert rested(CrashIsNoExcuse(crash_free=known), ended()) == []
    (what,) = rested(CrashIsNoExcuse(crash_free=known), ended(sold=8, bought=8))
    assert what.startswith("no run without a crash ends so")


def test_outcomes_tell_what_counts_and_nothing_else() -> None:
    """State, outcome, quantities and positions; neither ids nor times nor how numbers are written."""
    assert outcome_of(ended()) == outcome_of(ended(name="t9"))
    assert outcome_of(ended()) == outcome_of(evolve(ended(sold="10.0", bought="10.000"), now=77))
    assert outcome_of(ended()) != outcome_of(ended(sold=9, bought=9))
    assert outcome_of(ended()) != outcome_of(evolve(ended(), orders={}))
    position = both_fill(lambda *args, **kwargs: Watched((), *args, **kwargs)).positions
    assert outcome_of(ended()) != outcome_of(evolve(ended(), positions=position))
    assert hash(outcome_of(NOTHING)) == hash(outcome_of(NOTHING))


def test_what_no_run_without_a_crash_reaches_is_unexplained() -> None:
    """Save a trade that was given up before its first intent: it is as if it had never been asked for."""
    one, other = outcome_of(ended()), outcome_of(ended(sold=9, bought=9))
    assert unexplained({one}, {one, other}) == ()
    assert unexplained({one, other}, {one}) == (other,)
    never = outcome_of(seen(Walk(begin=False).restart()))
    assert unexplained({never}, set()) == ()
    both = evolve(ended(), trades=ended().trades | {"t2": Walk(begin=False, name="t2").restart().trade})
    assert unexplained({outcome_of(both)}, {one}) == ()
    assert unexplained({"something else"}, {one}) == ("something else",)
