"""Invariant 1: what is naked on the venues lies within what we know and what may still execute."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, seen, stepped, true_order
from worlds import ALPHA, BETA_KEEPS_BASE, Walk, fill

from fsm_arb.messages import Judged
from fsm_arb.orders import Lifecycle
from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.invariants.exposure_bounded import ExposureBounded, largest, worst_on_venues
from fsm_arb.values import Fee, Side

D = Decimal
CHECKER = ExposureBounded()


def objected(walk: Walk, *orders: Any) -> str:
    return "; ".join(stepped(CHECKER, NOTHING, seen(walk, *orders)))


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Whatever venues do that is no fault of ours."""
    assert objections(CHECKER, script) == []


def test_what_is_believed_and_was_never_executed_is_found() -> None:
    """On an order that the venue has, and on one that it never had."""
    walk = Walk().fills(0).fills(1)
    assert "we reckon with 10 BTC, the venue has executed 7" in objected(walk, true_order(walk, 0, 7))
    assert "order c1 on beta: we reckon with 10 BTC of an order that the venue never had" in objected(
        walk, true_order(walk, 0, 10)
    )


def test_what_executes_after_we_called_it_over_of_our_own_accord_is_found() -> None:
    """A venue that never said so is not to blame."""
    walk = Walk().fills(0).ack(1, 4)
    trade = walk.trade
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[1].changed(lifecycle=Lifecycle.CLOSED, fees_known=True))
    what = objected(walk, true_order(walk, 0, 10), true_order(walk, 1, 6, told_over=False, live=True))
    assert "it is closed with 4 BTC as we know it, the venue has executed 6 and had not called it over" in what
    assert objected(walk, true_order(walk, 0, 10), true_order(walk, 1, 6)) == ""


def test_what_a_live_order_may_bring_is_the_bound() -> None:
    """It may have executed more than we know, never more than it is for."""
    walk = Walk().fills(0).ack(1, 4)
    whole, more = (true_order(walk, 1, amount, live=True, told_over=False) for amount in (10, 11))
    assert objected(walk, true_order(walk, 0, 10), whole) == ""
    assert "it may bring 10 BTC as we know it, the venue has executed 11" in objected(
        walk, true_order(walk, 0, 10), more
    )


def test_a_fee_that_was_told_is_what_the_venue_kept() -> None:
    """A base fee of which we know otherwise is exposure that nobody sees."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0)
    whole = walk.sent[1].amount
    walk.ack(1, whole, ended=True, fills=(fill("b", whole, fee=Fee(D("0.01"), "BTC")),), fees=None)
    kept = VenueFill(fill_id="b", amount=whole, price=D(100), fee=D("0.05"), fee_currency="BTC")
    what = objected(walk, true_order(walk, 0, 10), true_order(walk, 1, whole, fills=(kept,)))
    assert "the venue kept 0.05 BTC as its fee, we reckon with 0.01" in what


def test_an_order_that_has_not_changed_is_not_judged_again() -> None:
    """What was objected to once is not objected to for ever."""
    walk = Walk().fills(0).fills(1)
    glimpse = seen(walk, true_order(walk, 0, 7), true_order(walk, 1, 10))
    assert stepped(CHECKER, glimpse, evolve(glimpse, now=5)) == []


def test_more_than_was_sized_is_found() -> None:
    """Two orders that may fill the same way, though nobody had called the first one over."""
    walk = Walk().fills(0).ack(1)
    trade = walk.trade
    assert trade.ledger is not None
    before = seen(walk, true_order(walk, 0, 10), true_order(walk, 1, live=True, told_over=False))
    again = trade.orders[1].changed(intent=evolve(trade.orders[1].intent, index=2, client_order_id="c2"))
    twice = trade.ledger.with_orders((*trade.orders, again))
    thrice = again.changed(intent=evolve(again.intent, index=3, client_order_id="c3"))
    trade.ledger = twice.with_orders((*twice.orders, thrice))
    more = [true_order(walk, 1, client_order_id=name, live=True, told_over=False) for name in ("c1", "c2", "c3")]
    after = seen(walk, true_order(walk, 0, 10), *more)
    (what,) = stepped(CHECKER, before, after)
    assert "20 BTC may be naked on the venues, more than the 10.020 that were sized" in what
    assert worst_on_venues(trade, after.orders) == D(20)
    # Asked to act on what is known, it is expected.
    acting = evolve(trade.begun, policy=evolve(trade.policy, doubt_remedy="act_on_known"))
    trade.begun = acting
    assert stepped(CHECKER, before, seen(walk, true_order(walk, 0, 10), *more)) == []


def test_what_venues_do_with_orders_they_called_over_is_excused_by_its_amount() -> None:
    """Two late executions may carry the exposure past what was sized; a third that is none may not."""
    walk = late_twice()
    assert walk.trade.done
    done = [true_order(walk, 0, 10), true_order(walk, 3, 10)]
    before = seen(walk, *done, true_order(walk, 1), true_order(walk, 2))
    late = seen(walk, *done, true_order(walk, 1, 10), true_order(walk, 2, 10))
    assert worst_on_venues(walk.trade, late.orders) == D(20)
    assert stepped(CHECKER, before, late) == []
    walk.see(1, 10, ended=True).see(2, 10, ended=True)
    told = seen(walk, *late.orders.values())
    assert stepped(CHECKER, late, told) == []
    # Executed and told in one step: what was called over before it explains it, and nothing else does.
    assert stepped(CHECKER, before, told) == []
    nobody = seen(walk, *done, true_order(walk, 1, told_over=False), true_order(walk, 2, told_over=False))
    (what,) = stepped(CHECKER, nobody, told)
    assert "20 BTC may be naked on the venues" in what
    assert "explains no more than 0" in what


def late_twice() -> Walk:
    """Ten were sold, and bought by the third order; two before it were called over with nothing."""
    return Walk(remedy="complete").fills(0).ack(1, 0, ended=True).look().ack(2, 0, ended=True).later(2).look().fills(3)


def test_the_sum_of_what_was_late_explains_no_more_than_itself() -> None:
    """Two executions that were late, and a third that nobody had called over."""
    walk = late_twice()
    last = true_order(walk, 3, 10, told_over=False)
    before = seen(walk, true_order(walk, 0, 10), true_order(walk, 1), true_order(walk, 2), last)
    walk.see(1, 10, ended=True).see(2, 10, ended=True)
    late = [true_order(walk, 0, 10), true_order(walk, 1, 10), true_order(walk, 2, 10)]
    for bought, found in ((20, 0), (24, 1)):
        after = seen(walk, *late, true_order(walk, 3, bought, amount=D(bought), told_over=False))
        grown = walk.ledger.orders[3].changed(gross=D(bought), accepted=D(bought))
        after.trades["t1"].ledger = walk.ledger.replace(grown)
        whats = stepped(CHECKER, before, after)
        assert len(whats) == found
        assert not whats or "34 BTC may be naked" in whats[0]
        assert not whats or "explains no more than 20" in whats[0]


def test_what_a_venue_takes_back_moves_the_exposure_by_that() -> None:
    """Told in the same step; not more, and only of the order it took back."""
    walk = Walk(remedy="complete").fills(0).ack(1, 0, ended=True).look().fills(2)
    late = [true_order(walk, 0, 10), true_order(walk, 2, 10)]
    walk.see(1, 10, ended=True)
    before = seen(walk, *late, true_order(walk, 1, 10))
    walk.bust(0, 10)
    back = true_order(walk, 0, 0, busted=D(10), told_over=False)
    after = seen(walk, back, late[1], true_order(walk, 1, 10))
    assert worst_on_venues(walk.trade, after.orders) == D(20)
    never_over = evolve(before, orders={**before.orders, "c0": true_order(walk, 0, 10, told_over=False)})
    assert stepped(CHECKER, never_over, after) == []
    silently = evolve(after, orders={**after.orders, "c0": evolve(back, busted=D(0))})
    assert any("may be naked" in what for what in stepped(CHECKER, never_over, silently))


def test_what_an_operator_trades_by_hand_beside_live_orders_is_excused_by_its_amount() -> None:
    """An order came back beside the remedy for it, and he trades the exposure away himself before either has ended."""
    walk = Walk(remedy="complete").fills(0).doubt(1).vanish(1).later(1).look().see(1, 0)
    alive = [true_order(walk, 1, live=True), true_order(walk, 2, live=True, told_over=False)]
    before = seen(walk, true_order(walk, 0, 10), *alive)
    assert worst_on_venues(walk.trade, before.orders) == D(10)
    walk.by_hand(1, Side.BUY, 9)
    after = seen(walk, true_order(walk, 0, 10), *alive)
    assert worst_on_venues(walk.trade, after.orders) == D(19)
    assert stepped(CHECKER, before, after) == []
    # What else grows in the same step is not his.
    another = walk.trade.orders[2].changed(intent=evolve(walk.sent[-1], index=3, client_order_id="c3", amount=D(1)))
    walk.trade.ledger = walk.ledger.with_orders((*walk.ledger.orders, another))
    third = evolve(alive[1], client_order_id="c3", amount=D(1))
    (what,) = stepped(CHECKER, before, seen(walk, true_order(walk, 0, 10), *alive, third))
    assert "20 BTC may be naked on the venues" in what
    assert "an operator by hand, explains no more than 9" in what
    assert stepped(CHECKER, after, evolve(after, now=5)) == []


def test_an_order_that_comes_back_may_execute_once_more() -> None:
    """Found alive after it had been presumed absent, twice: each adds what is left of it, and no more."""
    walk = Walk(remedy="complete").fills(0).doubt(1).vanish(1).later(1).look().doubt(2).vanish(2)
    walk.later(3).look().fills(3)
    assert walk.trade.done
    done = [true_order(walk, 0, 10), true_order(walk, 3, 10)]
    absent = seen(walk, *done)
    walk.see(1, 4).see(2, 0)
    alive = [true_order(walk, 1, 4, live=True), true_order(walk, 2, live=True)]
    back = seen(walk, *done, *alive)
    assert worst_on_venues(walk.trade, back.orders) == D(20)
    assert stepped(CHECKER, absent, back) == []
    # As if they had lived all the time as we know it.
    known = evolve(absent, trades={"t1": walk.trade.copy()})
    known.trades["t1"].ledger = walk.ledger.replace(walk.ledger.orders[1].changed(cancel_asked_at=None))
    quiet = seen(walk, *done, *(evolve(each, told_over=False) for each in alive))
    assert stepped(CHECKER, known, quiet) == []  # the worst was as bad before


def test_the_worst_counts_what_may_still_execute_by_either_book() -> None:
    """Live as we know it, or on a venue that never called it over; by the amount that the venue took."""
    walk = Walk().ack(0, 2).ack(1, 3, ended=True)
    orders = {"c0": true_order(walk, 0, 2, live=True, told_over=False), "c1": true_order(walk, 1, 3)}
    assert worst_on_venues(walk.trade, orders) == D(7)  # ten sold, three bought
    orders["c0"] = evolve(orders["c0"], amount=D(12))
    assert worst_on_venues(walk.trade, orders) == D(9)
    orders["c0"] = evolve(orders["c0"], amount=D(9))
    assert worst_on_venues(walk.trade, orders) == D(7)
    orders["c1"] = true_order(walk, 1, 3, live=True, told_over=False)
    assert worst_on_venues(walk.trade, {**orders, "c0": true_order(walk, 0, 2)}) == D(8)
    orders["c1"] = true_order(walk, 1, 3, live=True)
    orders["c0"] = evolve(orders["c0"], amount=D(4))
    assert worst_on_venues(walk.trade, orders) == D(7)
    walk.see(0, 2, amount=D(6))
    assert worst_on_venues(walk.trade, orders) == D(3)  # six sold at most: the venue said so
    del orders["c0"]
    assert worst_on_venues(walk.trade, orders) == D(3)  # none of the six has executed yet


def test_what_was_executed_after_an_operators_verdict_is_his() -> None:
    """The venue never called it over; he did."""
    walk = Walk().fills(0).doubt(1)
    walk.tell(Judged(now=walk.ns, order=1, filled=D(0), price=None, reason="gone"))
    assert objected(walk, true_order(walk, 0, 10), true_order(walk, 1, 3, told_over=False)) == ""


def test_a_venue_takes_back_no_more_than_it_says() -> None:
    """What is missing beyond that was never executed."""
    walk = Walk().fills(0).fills(1)
    other = true_order(walk, 1, 10)
    assert objected(walk, true_order(walk, 0, 7, busted=D(3)), other) == ""
    assert "we reckon with 10 BTC" in objected(walk, true_order(walk, 0, 7, busted=D("2.99")), other)
    walk.bust(0, 3)
    assert objected(walk, true_order(walk, 0, 7, busted=D(3)), other) == ""
    assert "we reckon with 7 BTC" in objected(walk, true_order(walk, 0, 6, busted=D(3)), other)


def test_the_bound_is_the_larger_order_its_fee_and_one_lot() -> None:
    """Written down in one number."""
    assert (CHECKER.number, CHECKER.name) == (1, "exposure bounded")
    dearer = evolve(Walk().plan, legs=(Walk().plan.legs[0], evolve(Walk().plan.legs[1], amount=D(20))))
    assert largest(dearer) == D("20.02") + D("0.01")
    assert largest(Walk().plan) == D("10.01") + D("0.01")
