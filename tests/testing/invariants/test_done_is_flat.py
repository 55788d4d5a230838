"""Invariant 7: DONE means that nothing may execute any more and nothing is naked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, rested, seen, stepped, true_order
from worlds import ALPHA, BETA, Walk

from fsm_arb.memory import Entry
from fsm_arb.messages import Moved, Outcome
from fsm_arb.orders import Lifecycle
from fsm_arb.testing.glimpse import Glimpse, VenueFill
from fsm_arb.testing.invariants.done_is_flat import DoneIsFlat
from fsm_arb.values import FeeIn

D = Decimal
CHECKER = DoneIsFlat()


def done(*, sold: Any = 10, bought: Any = 10, **changes: Any) -> Glimpse:
    """Return a trade that is DONE with ten each as it knows, and this on the venues; *changes* are of the second."""
    walk = Walk().fills(0).fills(1)
    return seen(walk, true_order(walk, 0, sold), true_order(walk, 1, bought, **changes))


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """DONE is flat, whatever happened before, and what is late makes it a trade again."""
    assert objections(CHECKER, script) == []


def test_a_naked_leg_is_found() -> None:
    """By the venues' books, though ours say that all is well; in the step and at rest."""
    naked = done(bought=6)
    for found in (stepped(CHECKER, NOTHING, naked), rested(CHECKER, naked)):
        assert found == [
            "trade t1 is DONE with -4 BTC naked on the venues; dust is below 0.1",
            "trade t1 is DONE and has recorded a residual of 0 BTC, the venues hold -4",
        ]
    assert stepped(CHECKER, NOTHING, done()) == []
    assert stepped(CHECKER, naked, evolve(naked, now=1)) == []


def test_a_residual_that_was_not_recorded_is_found() -> None:
    """Within dust, and yet not what was written down."""
    (what,) = rested(CHECKER, done(bought="9.95"))
    assert "has recorded a residual of 0 BTC, the venues hold -0.05" in what
    assert rested(CHECKER, done(bought="9.995")) == []  # less than a lot


def test_an_order_that_may_still_execute_is_found() -> None:
    """On the venue, which never called it over; and as we know it ourselves."""
    assert stepped(CHECKER, NOTHING, done(live=True, told_over=True)) == []
    (what,) = stepped(CHECKER, NOTHING, done(live=True, told_over=False))
    assert "while order c1 may execute on beta, which never called it over" in what
    glimpse = done()
    trade = glimpse.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[0].changed(lifecycle=Lifecycle.OPEN))
    assert stepped(CHECKER, NOTHING, glimpse) == ["trade t1 is DONE while order c0 may execute, as we know it"]
    trade.ledger = trade.ledger.replace(trade.orders[0].changed(lifecycle=Lifecycle.CLOSED, fees_known=False))
    assert stepped(CHECKER, NOTHING, glimpse) == ["trade t1 is DONE while a base fee is only assumed"]


def test_what_executes_after_it_was_called_over_is_excused_until_it_is_seen() -> None:
    """By its own amount, and no more."""
    walk = Walk(remedy="complete").fills(0).ack(1, 4, ended=True).look().fills(2)
    known = [true_order(walk, 0, 10), true_order(walk, 2, 6)]
    late = seen(walk, *known, true_order(walk, 1, 9))
    assert stepped(CHECKER, NOTHING, late) == []
    # At rest all has been seen, unless nobody watches any more.
    assert "trade t1 is DONE with 5 BTC naked on the venues; dust is below 0.1" in rested(CHECKER, late)
    assert rested(CHECKER, seen(walk.end_watch(), *late.orders.values())) == []
    # Seen, and DONE all the same: then it is naked.
    trade = walk.trade
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(gross=D(9)))
    found = stepped(CHECKER, NOTHING, seen(walk, *known, true_order(walk, 1, 9)))
    assert found == ["trade t1 is DONE with 5 BTC naked on the venues; dust is below 0.1"]


def test_a_trade_that_is_not_done_may_be_naked() -> None:
    """It is at work on it."""
    walk = Walk().fills(0)
    assert stepped(CHECKER, NOTHING, seen(walk, true_order(walk, 0, 10))) == []
    assert rested(CHECKER, seen(Walk(begin=False).restart())) == []


def test_dust_and_the_lot_are_the_first_amounts_that_count() -> None:
    """Exactly as much is too much."""
    assert len(rested(CHECKER, done(bought="9.9"))) == 2
    assert len(rested(CHECKER, done(bought="9.91"))) == 1
    assert len(rested(CHECKER, done(bought="9.99"))) == 1
    assert rested(CHECKER, done(bought="9.991")) == []


def test_a_trade_at_work_is_not_judged_at_rest() -> None:
    """Whether it ever ends is another question."""
    walk = Walk().fills(0)
    assert rested(CHECKER, seen(walk, true_order(walk, 0, 10))) == []


def test_an_order_that_never_came_to_a_venue_or_ended_untold_is_no_danger() -> None:
    """It cannot execute; and of one that an operator judged, he has said so."""
    walk = Walk().fills(0).fills(1)
    assert stepped(CHECKER, NOTHING, done(live=False, told_over=False)) == []
    only = seen(walk, true_order(walk, 0, 10))
    assert len(stepped(CHECKER, NOTHING, only)) == 2  # ten are missing, and nothing is live
    judged = seen(walk, true_order(walk, 0, 10), true_order(walk, 1, 10, live=True, told_over=False))
    trade = judged.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(refusal="settled by an operator: gone"))
    assert stepped(CHECKER, NOTHING, judged) == []


def test_a_fee_that_no_venue_ever_told_is_excused_at_rest_too() -> None:
    """It was taken on trust, after three looks: nobody will ever know better."""
    unknown = evolve(ALPHA, fee_in=FeeIn.UNKNOWN)
    walk = Walk(rules=(unknown, BETA)).fills(1)
    for _ in range(3):
        walk.ack(0, 10, ended=True, fees=None)
    assert walk.trade.done
    kept = VenueFill(fill_id="a", amount=D(10), price=D(100), fee=D("0.2"), fee_currency="BTC")
    assert rested(CHECKER, seen(walk, true_order(walk, 0, fills=(kept,)), true_order(walk, 1, 10))) == []


def test_done_for_the_length_of_one_record_is_judged_too() -> None:
    """A crash right after that record would leave it at that."""
    walk = Walk().fills(0)
    before = seen(walk)
    entries = before.entries["t1"]
    for outcome, words in ((Outcome.FAILED, "naked as it knew"), (Outcome.FAILED, "while order c1 might execute")):
        failed = Entry(0, "placed", "PLACING", "DONE", Moved(now=0, outcome=outcome))
        back = Entry(0, "disturbed", "DONE", "PARTIAL", Moved(now=0))
        found = stepped(CHECKER, before, seen(walk, entries={"t1": (*entries, failed, back)}))
        assert any(words in what for what in found)
    walk.fills(1)
    assert stepped(CHECKER, before, seen(walk, true_order(walk, 0, 10), true_order(walk, 1, 10))) == []
