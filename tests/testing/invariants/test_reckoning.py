"""What the venues' books say of one trade, and where they may honestly differ from ours."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from honest import NOTHING, Watched, seen, true_order
from worlds import BETA_KEEPS_BASE, SECOND, Walk, fill

from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.invariants import reckoning
from fsm_arb.testing.invariants.reckoning import LATE, TAKEN_BACK, UNTOLD_FEE, VERDICT
from fsm_arb.values import Fee, Side

D = Decimal


def test_only_what_changed_is_touched() -> None:
    """A trade is judged again when it, or anything on the venues, is another object than before."""
    walk = Walk()
    before = seen(walk)
    again = evolve(before, now=1)
    assert list(reckoning.touched(before, again)) == []
    assert list(reckoning.relearnt(before, again)) == []
    trade = before.trades["t1"]
    assert list(reckoning.touched(before, evolve(before, orders={}))) == [(trade, trade)]
    assert list(reckoning.relearnt(before, evolve(before, orders={}))) == []
    copied = seen(walk)
    assert [old for old, _ in reckoning.touched(before, copied)] == [trade]
    assert list(reckoning.relearnt(before, copied)) == []  # the same ledger in another copy
    walk.ack(0, 1)
    assert [old for old, _ in reckoning.relearnt(before, seen(walk))] == [trade]
    assert [old for old, _ in reckoning.relearnt(NOTHING, before)] == [None]


def test_the_true_exposure_is_the_venues_and_an_operators_own_trades() -> None:
    """Orders count as the venue executed them, whatever we know; operators' trades as they were told."""
    walk = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1)
    orders = {"c0": true_order(walk, 0, 9), "c9": true_order(walk, 1, 5)}
    assert reckoning.true_exposure(walk.trade, orders) == D(-9)
    walk.by_hand(1, Side.BUY, 4, fee=Fee(D("0.1"), "BTC"))
    assert reckoning.by_hand(walk.trade) == D("3.9")
    assert reckoning.true_exposure(walk.trade, orders) == D("-5.1")
    assert reckoning.by_hand(Walk(begin=False).trade) == 0


def test_late_executions_are_excused_by_exactly_their_amount() -> None:
    """Of an order the venue had called over; not of one it never called over, nor of one that lives as we know it."""
    walk = Walk().ack(0, 4, ended=True).ack(1)
    late = true_order(walk, 0, 6)
    (excuse,) = reckoning.excuses(walk.trade, {"c0": late})
    assert (excuse.client_order_id, excuse.why, excuse.amount) == ("c0", LATE, D(-2))
    assert reckoning.excused(walk.trade, {"c0": late}) == D(-2)
    assert reckoning.slack(walk.trade, {"c0": late}) == D(2)
    assert reckoning.excuses(walk.trade, {"c0": evolve(late, told_over=False)}) == ()
    assert reckoning.excuses(walk.trade, {"c1": true_order(walk, 1, 3)}) == ()


def test_what_a_venue_took_back_is_excused_until_it_is_told() -> None:
    """By no more than it took back."""
    walk = Walk().fills(0).fills(1)
    (excuse,) = reckoning.excuses(walk.trade, {"c0": true_order(walk, 0, 7, busted=D(3))})
    assert (excuse.why, excuse.amount) == (TAKEN_BACK, D(3))
    (excuse,) = reckoning.excuses(walk.trade, {"c0": true_order(walk, 0, 7, busted=D(1))})
    assert excuse.amount == D(1)
    assert reckoning.excuses(walk.trade, {"c0": true_order(walk, 0, 7)}) == ()
    walk.bust(0, 3)
    assert reckoning.excuses(walk.trade, {"c0": true_order(walk, 0, 7, busted=D(3))}) == ()


def test_a_fee_in_base_is_excused_until_it_is_told() -> None:
    """What is only assumed may differ; what was told may not."""
    walk = Walk(rules=(Walk().plan.legs[0].rules, BETA_KEEPS_BASE)).fills(0)
    whole = walk.sent[1].amount
    walk.ack(1, whole, ended=True, fees=None)
    kept = VenueFill(fill_id="b", amount=whole, price=D(100), fee=D("0.005"), fee_currency="BTC")
    true = true_order(walk, 1, whole, fills=(kept,))
    (excuse,) = reckoning.excuses(walk.trade, {"c1": true})
    assert (excuse.why, excuse.amount) == (UNTOLD_FEE, D("0.00501"))
    walk.see(1, whole, ended=True, fills=(fill("b", whole, fee=Fee(D("0.005"), "BTC")),), fees=None)
    assert reckoning.excuses(walk.trade, {"c1": true}) == ()
    assert reckoning.fee_is_told(walk.trade.orders[1])


def test_what_an_operator_judged_is_excused_by_name() -> None:
    """His word ended the order; what the venue does with it is not ours to know."""
    from fsm_arb.messages import Judged

    walk = Walk().fills(0).doubt(1)
    walk.tell(Judged(now=walk.ns, order=1, filled=D(0), price=None, reason="gone"))
    assert reckoning.judged_over(walk.trade.orders[1])
    (excuse,) = reckoning.excuses(walk.trade, {"c1": true_order(walk, 1, 2, told_over=False)})
    assert (excuse.why, excuse.amount) == (VERDICT, D(2))


def test_what_was_added_is_what_was_written_since() -> None:
    """Durable and on its way alike; None where records were lost, or are others than before."""
    walk = Walk()
    known = tuple(walk.entries)
    walk.ack(0, 1)
    now = tuple(walk.entries)
    before, after = seen(walk, entries={"t1": known}), seen(walk, entries={"t1": now})
    assert reckoning.added(before, after, "t1") == now[len(known) :]
    ahead = seen(walk, entries={"t1": known}, on_the_way={"t1": now[len(known) :]})
    assert reckoning.written(ahead, "t1") == now
    assert reckoning.added(ahead, after, "t1") == ()
    assert reckoning.added(after, before, "t1") is None
    others = seen(walk, entries={"t1": (*now[1:], now[0])})
    assert reckoning.added(before, others, "t1") is None


def test_an_order_has_one_owner() -> None:
    """It is found by its client order id, or nobody owns it."""
    walk = Walk()
    found = reckoning.owner([walk.trade], "c1")
    assert found is not None
    assert found[1].intent.client_order_id == "c1"
    assert reckoning.owner([walk.trade], "c7") is None


def test_tolerance_is_the_coarser_lot_or_dust() -> None:
    """What no venue would trade cannot be asked for."""
    plan = Walk().plan
    assert reckoning.tolerance(plan) == plan.dust == D("0.1")
    assert reckoning.coarser_lot(plan) == D("0.01")


def test_nobody_is_asked_for_an_id() -> None:
    """A fold that asks says so."""
    with pytest.raises(AssertionError, match="asked for a client order id"):
        reckoning.never_asked()


def test_a_watched_walk_judges_every_step() -> None:
    """The honest runs of the other files are looked at before and after everything that is told."""
    walk = Watched(()).fills(0)
    assert len(walk.glimpses) > 3
    assert walk.glimpses[-2].orders["c0"].filled == D(10)
    assert walk.glimpses[-2].trades["t1"].exposure == D(0)
    assert walk.glimpses[-1].trades["t1"].exposure == D(-10)


def test_absence_is_no_word_to_be_believed_before_its_time() -> None:
    """Whatever a venue says meanwhile: three covered looks, the last of them past the fence."""
    walk = Walk().fills(0).doubt(1).vanish(1)
    order, true = walk.trade.orders[1], true_order(walk, 1, 3)
    assert reckoning.called_over(order, true, walk.policy)
    assert not reckoning.called_over(order, evolve(true, told_over=False), walk.policy)
    assert not reckoning.called_over(order, None, walk.policy)
    assert order.ended_at == 15 * SECOND
    for early in (order.changed(ended_at=15 * SECOND - 1), order.changed(misses=2)):
        assert not reckoning.called_over(early, true, walk.policy)
    later = order.changed(placing_ended_at=16 * SECOND, misses=0)  # a process that came after the end
    assert reckoning.called_over(later, true, walk.policy)
    assert reckoning.called_over(order.changed(ended_at=0, refusal="invalid_order: no"), true, walk.policy)
    assert reckoning.called_over(order.changed(refusal="settled by an operator: gone"), None, walk.policy)
    assert [each.why for each in reckoning.excuses(walk.trade, {"c1": true})] == [LATE]
