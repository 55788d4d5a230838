"""Invariant 2: a remedy only ever makes the exposure smaller."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, seen, stepped, true_order
from worlds import Walk

from fsm_arb.messages import Intent, Purpose
from fsm_arb.policy import DoubtRemedy
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.never_over_hedged import NeverOverHedged, ahead, far_end
from fsm_arb.values import Side

D = Decimal
CHECKER = NeverOverHedged()


def lopsided() -> Walk:
    """Ten were sold, six bought; a remedy is due."""
    return Walk(remedy="complete").fills(0).ack(1, 6, ended=True)


def with_remedy(**changes: Any) -> tuple[Glimpse, Glimpse, Walk]:
    """Return glimpses before and after a remedy of four was written, its intent changed."""
    walk = lopsided()
    before = seen(walk)
    walk.look()
    after = seen(walk)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    last = trade.orders[-1]
    trade.ledger = trade.ledger.replace(last.changed(intent=evolve(last.intent, **changes)))
    return before, after, walk


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Whatever venues do, remedies are the right size and on the right side."""
    assert objections(CHECKER, script) == []


def test_a_remedy_of_the_exposure_is_accepted() -> None:
    """Four are missing and four are bought."""
    before, after, _ = with_remedy()
    assert stepped(CHECKER, before, after) == []


def test_a_remedy_on_the_wrong_side_is_found() -> None:
    """It makes the exposure greater with every fill."""
    before, after, _ = with_remedy(side=Side.SELL)
    (what,) = stepped(CHECKER, before, after)
    assert "remedy c2 (complete, sell 4 BTC on beta) makes the exposure of -4 greater: -8" in what


def test_a_remedy_that_is_too_large_is_found() -> None:
    """It turns the exposure, by however little: a lot that is rounded up is no hedge any more."""
    before, after, _ = with_remedy(amount=D(7))
    (what,) = stepped(CHECKER, before, after)
    assert "turns the exposure of -4 into 3 if it fills whole" in what
    before, after, _ = with_remedy(amount=D(10))
    assert "greater" in "".join(stepped(CHECKER, before, after))
    before, after, _ = with_remedy(amount=D("4.01"))
    assert len(stepped(CHECKER, before, after)) == 1


def test_only_trading_back_a_whole_leg_may_turn_the_exposure_by_dust() -> None:
    """Its twin holds less than any venue would trade; so the target of both is zero."""
    before, after, _ = with_remedy(amount=D("4.09"), purpose=Purpose.UNWIND)
    assert stepped(CHECKER, before, after) == []
    before, after, _ = with_remedy(amount=D("4.1"), purpose=Purpose.UNWIND)
    assert len(stepped(CHECKER, before, after)) == 1


def test_a_remedy_is_held_against_the_exposure_of_its_own_moment() -> None:
    """Where a step holds more than the remedy, the records tell what was known when it was written."""
    walk = lopsided()
    before = seen(walk)
    walk.look().see(1, 8, ended=True)  # late, after four were sent to be bought
    assert stepped(CHECKER, before, seen(walk)) == []
    blind = evolve(seen(walk), entries={})
    assert len(stepped(CHECKER, evolve(before, entries={}), blind)) == 1
    # Told from nothing, as by who looks at a run's end alone.
    assert stepped(CHECKER, NOTHING, seen(walk)) == []


def test_a_remedy_that_would_turn_the_exposure_later_is_found() -> None:
    """Something else moved while it was at work, and no venue had called that over."""
    walk = Walk(remedy="complete", order_type="limit").fills(0).ack(1, 6, ended=True).look().ack(2)
    before = seen(walk, true_order(walk, 1, 6, told_over=False))
    walk.see(1, 9, ended=True)
    after = seen(walk, true_order(walk, 1, 9, told_over=False))
    (what,) = stepped(CHECKER, before, after)
    assert "would leave 3 naked the other way if all that lives filled" in what
    called_over = evolve(after, orders={"c1": true_order(walk, 1, 9)})
    assert stepped(CHECKER, before, called_over) == []
    after.trades["t1"].begun = evolve(
        walk.trade.begun, policy=evolve(walk.policy, doubt_remedy=DoubtRemedy.ACT_ON_KNOWN)
    )
    assert stepped(CHECKER, before, after) == []


def test_what_an_operator_does_beside_a_remedy_is_his() -> None:
    """His trade makes the exposure smaller; the remedy at work may then turn it."""
    walk = Walk(remedy="complete", order_type="limit").fills(0).ack(1, 6, ended=True).look().ack(2)
    before = seen(walk)
    walk.by_hand(1, Side.BUY, 3)
    assert stepped(CHECKER, before, seen(walk)) == []


def test_what_a_remedy_executes_on_the_venue_is_judged_there() -> None:
    """The venue executes more than the order was for: our own books do not know yet."""
    walk = Walk(remedy="complete", order_type="limit").fills(0).ack(1, 6, ended=True).look().ack(2)
    known = [true_order(walk, 0, 10), true_order(walk, 1, 6)]
    before = seen(walk, *known, true_order(walk, 2, live=True, told_over=False))
    right = seen(walk, *known, true_order(walk, 2, 4, live=True, told_over=False))
    assert stepped(CHECKER, before, right) == []
    wrong = seen(walk, *known, true_order(walk, 2, 5, live=True, told_over=False))
    (what,) = stepped(CHECKER, before, wrong)
    assert "has executed, and 1 BTC is naked on the venues" in what
    unmoved = seen(walk, *known, evolve(before.orders["c2"]))
    assert stepped(CHECKER, before, unmoved) == []


def test_first_orders_are_no_remedies() -> None:
    """Each of them alone makes an exposure: that is what they are for."""
    walk = Walk()
    before = seen(walk)
    assert stepped(CHECKER, before, seen(walk.fills(0))) == []
    assert isinstance(walk.sent[0], Intent)


def test_ends_are_signed_and_less_a_base_fee() -> None:
    """A sell ends below, a buy above, what it has brought."""
    walk = Walk().ack(0, 2).ack(1, 3)
    ledger = walk.ledger
    assert (far_end(ledger, ledger.orders[0]), far_end(ledger, ledger.orders[1])) == (D(-10), D(10))
    assert ahead(ledger, ledger.orders[0], D(4)) == D(-4)
    walk.see(0, 2, ended=True)
    assert far_end(walk.ledger, walk.ledger.orders[0]) == D(-2)
