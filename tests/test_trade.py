"""One cross trade, walked by hand through every mode, fault and state.

Each walk names the edges that were taken and the orders that were sent. After each step of each
walk the fold of the records so far is compared with the trade, field by field (`worlds.Walk`).
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import (
    ALPHA,
    BETA,
    BETA_KEEPS_BASE,
    BETA_PERPETUAL,
    LEGS,
    PERPETUAL,
    POOR,
    PRICE,
    RICH,
    SECOND,
    Edge,
    Walk,
    book,
    entry,
    fill,
    leaving,
    remembered,
    snapshot,
    survey,
)

from fsm_arb.choice import Standing
from fsm_arb.errors import InvalidInput, LedgerBroken, MachineError
from fsm_arb.machines.trade import Checks, Placing, TradeView
from fsm_arb.messages import (
    Checked,
    ExternalFill,
    Intended,
    Judged,
    Kind,
    Missed,
    Moved,
    Observed,
    Outcome,
    PlaceEnded,
    Purpose,
    Restarted,
    Sized,
    Ticked,
)
from fsm_arb.orders import Lifecycle
from fsm_arb.policy import Placement
from fsm_arb.ports import Acknowledged, InDoubt
from fsm_arb.trade import Step, Trade, _placing
from fsm_arb.values import ZERO, Action, Balances, Fee, FeeIn, OrderType, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
TEN = D("10.00")

PLACED: Edge = ("PLACING", "placed", "MONITORING")
MIXED: Edge = ("PLACING", "placed", "PARTIAL")
NEITHER: Edge = ("PLACING", "placed", "DONE")
MATCHED: Edge = ("MONITORING", "settled", "HEDGED")
NOTHING: Edge = ("MONITORING", "settled", "DONE")
UNMATCHED: Edge = ("MONITORING", "settled", "PARTIAL")
SHORT: Edge = ("MONITORING", "short", "PARTIAL")
DEADLINE: Edge = ("MONITORING", "deadline", "PARTIAL")
PUT_RIGHT: Edge = ("PARTIAL", "settled", "HEDGED")
CAME_TO_NOTHING: Edge = ("PARTIAL", "settled", "DONE")
UNWIND: Edge = ("PARTIAL", "unwind", "ROLLBACK")
WALL: Edge = ("PARTIAL", "wall", "HALTED")
TRADED_BACK: Edge = ("ROLLBACK", "settled", "DONE")
TRADED_BACK_TO_MATCH: Edge = ("ROLLBACK", "settled", "HEDGED")
COMPLETE: Edge = ("ROLLBACK", "complete", "PARTIAL")
WALL_BEHIND: Edge = ("ROLLBACK", "wall", "HALTED")
RESUME: Edge = ("HALTED", "resume", "PARTIAL")
HALTED_MATCHED: Edge = ("HALTED", "settled", "HEDGED")
HALTED_FLAT: Edge = ("HALTED", "settled", "DONE")
BOOKED: Edge = ("HEDGED", "booked", "DONE")
DISTURBED: Edge = ("DONE", "disturbed", "PARTIAL")

# Completing is cheaper here, unwinding there.
CHEAP_TO_BUY = {"first": book("99.99", "102.00"), "second": book("99.99", "100.01")}
CHEAP_TO_UNWIND = {"first": book("99.99", "100.01"), "second": book("98.00", "102.00")}


def both_filled(**numbers: Any) -> Walk:
    return Walk(**numbers).fills(0).fills(1)


def one_naked(**numbers: Any) -> Walk:
    """Leg 0 has sold ten, leg 1 was refused: short of ten, in PARTIAL."""
    return Walk(**numbers).fills(0).refuse(1)


def halted(**numbers: Any) -> Walk:
    """Short of ten with no remedy to be had, in HALTED."""
    walk = one_naked(**{"attempts_max": 1} | numbers).silence(0, 1)
    assert walk.state == "HALTED"
    return walk


def rolling_back(**numbers: Any) -> Walk:
    """Short of ten, buying it back on leg 0 with order 2, in ROLLBACK."""
    walk = one_naked(**{"remedy": "unwind"} | numbers).look()
    assert walk.state == "ROLLBACK"
    return walk


# ------------------------------------------------------------------ before the first order


def test_a_refused_check_ends_the_trade_before_anything_was_sent() -> None:
    """The note is what the check said, and nothing of the trade is watched."""
    walk = Walk(begin=False)
    walk.tell(Checked(now=0, refusal="health: beta is down"))
    assert [(e.before, e.trigger, e.after) for e in walk.entries][-1] == ("PRECHECK", "checks_refused", "DONE")
    assert (walk.trade.outcome, walk.trade.end_note) == (Outcome.BLOCKED, "health: beta is down")
    assert walk.trade.finished
    assert walk.sends == []


def test_a_trade_that_cannot_be_sized_fails_before_anything_was_sent() -> None:
    """The note names the rule."""
    walk = Walk(begin=False)
    walk.tell(Checked(now=0))
    walk.tell(Sized(now=0, refusal="funds: none"))
    assert (walk.state, walk.trade.outcome, walk.trade.end_note) == ("DONE", Outcome.FAILED, "funds: none")
    assert walk.sends == []


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("how", ["abort", "restart"])
def test_what_has_no_intent_yet_can_be_aborted(how: str, checked: bool) -> None:
    """Asked to, or taken up after a restart: the decision is too old to be begun."""
    walk = Walk(begin=False)
    if checked:
        walk.tell(Checked(now=0))
    getattr(walk, how)()
    last = walk.entries[-1]
    assert (last.before, last.trigger, last.after) == ("SIZING" if checked else "PRECHECK", "abort", "DONE")
    assert walk.trade.outcome is Outcome.FAILED
    assert (
        walk.trade.end_note
        == {
            "abort": "no longer wanted",
            "restart": "taken up after a restart before its first intent",
        }[how]
    )
    walk.tell(Sized(now=0, plan=walk.plan))  # its answer comes too late
    assert (walk.state, walk.sends) == ("DONE", [])


def test_a_plan_that_comes_before_the_checks_waits_for_them() -> None:
    """Nothing is sent that was not checked, whatever arrives first."""
    walk = Walk(begin=False)
    walk.tell(Sized(now=0, plan=walk.plan))
    assert (walk.state, walk.sends) == ("PRECHECK", [])
    walk.tell(Checked(now=0))
    assert walk.state == "PLACING"


def test_time_changes_nothing_before_there_is_a_ledger() -> None:
    """Pre-checks and sizing are the driver's to end."""
    walk = Walk(begin=False).at(100)
    assert walk.state == "PRECHECK"
    assert walk.trade.wakes_at(0) is None
    assert not walk.trade.wants_survey(0)


def test_begin_takes_the_sides_of_the_decision_unless_it_is_told_others() -> None:
    """An entry says which side each leg trades; an exit is told by its position."""
    assert Walk(begin=False).trade.begun.sides == (SELL, BUY)
    assert Walk(entry(Action.ENTRY_NEGATIVE), begin=False).trade.begun.sides == (BUY, SELL)
    begun = Walk(leaving(), begin=False, sides=(SELL, BUY), quantity=D(3)).trade.begun
    assert (begun.sides, begun.quantity) == ((SELL, BUY), 3)
    with pytest.raises(InvalidInput, match="sides"):
        Walk(leaving(), begin=False)


def test_the_first_record_says_that_it_was_begun() -> None:
    """From where it stands to where it stands: nothing has moved yet."""
    (first,) = Walk(begin=False).entries
    assert (first.trigger, first.before, first.after) == ("begun", "PRECHECK", "PRECHECK")


def test_what_is_written_down_is_what_is_sent() -> None:
    """All of it, in that order."""
    walk = Walk()
    assert [entry.fact.intents for entry in walk.entries if isinstance(entry.fact, Intended)] == [tuple(walk.sent)]


# ------------------------------------------------------------------ both fill


@pytest.mark.parametrize("order_type", OrderType)
@pytest.mark.parametrize("action", [Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE])
def test_both_legs_fill(order_type: OrderType, action: Action) -> None:
    """One order each, matched and booked: a success."""
    walk = both_filled(decision=entry(action), order_type=order_type)
    first, second = ("sell", "buy") if action is Action.ENTRY_POSITIVE else ("buy", "sell")
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert walk.sends == [(0, "first", first, TEN), (1, "first", second, TEN)]
    assert [each.order_type for each in walk.sent] == [order_type] * 2
    assert [each.bound for each in walk.sent] == [D("99.80"), D("100.20")][:: 1 if first == "sell" else -1]
    assert (walk.trade.outcome, walk.trade.exposure, walk.trade.booked_quantity) == (Outcome.SUCCESS, 0, 10)
    assert not walk.trade.finished  # it is watched on
    assert walk.end_watch().trade.finished


@pytest.mark.parametrize("action", [Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE])
def test_sequential_sends_the_second_order_for_what_the_first_received(action: Action) -> None:
    """It goes out in the same step in which the first is seen to have ended, and not before."""
    walk = Walk(entry(action), placement="sequential").ack(0)
    assert len(walk.sent) == 1
    walk.see(0, 4).see(0, 4)
    assert len(walk.sent) == 1
    walk.see(0, 6, ended=True)
    assert [(leg, amount) for leg, _, _, amount in walk.sends] == [(0, 10), (1, 6)]
    walk.fills(1)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert walk.trade.outcome is Outcome.PARTIAL_HEDGED
    assert walk.trade.booked_quantity == 6


def test_sequential_may_lead_with_the_second_leg() -> None:
    """The thinner book's order goes first; the other leg follows what it received."""
    thin = entry(books=(book(), book(amount=11)))
    walk = Walk(thin, placement="sequential")
    assert walk.plan.leads == 1
    assert walk.sends == [(1, "first", "buy", TEN)]
    walk.fills(0)  # order 0 is leg 1's
    assert walk.sends == [(1, "first", "buy", TEN), (0, "first", "sell", TEN)]
    walk.fills(1)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


def test_sequential_whose_first_order_brings_less_than_the_other_venue_takes_is_traded_back() -> None:
    """0.15 is a least order of alpha and none of beta: only alpha can undo it."""
    walk = Walk(placement="sequential").ack(0, "0.15", ended=True)
    assert walk.sends == [(0, "first", "sell", TEN)]
    assert walk.state == "PARTIAL"
    walk.look()
    assert walk.moves == [PLACED, UNMATCHED, UNWIND]
    assert walk.sends[1:] == [(0, "unwind", "buy", D("0.15"))]
    assert walk.fills(1).trade.outcome is Outcome.ROLLED_BACK


def test_sequential_whose_first_order_brings_nothing_is_over() -> None:
    """The second leg is never owed anything."""
    walk = Walk(placement="sequential").ack(0, ended=True)
    assert walk.moves == [PLACED, NOTHING]
    assert len(walk.sent) == 1


def test_sequential_whose_first_order_is_refused_is_over() -> None:
    """All that was due was refused."""
    walk = Walk(placement="sequential").refuse(0)
    assert walk.moves == [NEITHER]
    assert "insufficient_funds" in walk.trade.end_note
    assert len(walk.sent) == 1


def test_sequential_whose_second_order_is_refused_puts_the_first_right() -> None:
    """A refusal of the follower is a naked leader."""
    walk = Walk(placement="sequential").fills(0).refuse(1)
    assert walk.moves == [PLACED, UNMATCHED]
    walk.look(**CHEAP_TO_UNWIND).fills(2)
    assert walk.moves == [PLACED, UNMATCHED, UNWIND, TRADED_BACK]


@pytest.mark.parametrize("remedy", ["complete", "unwind"])
def test_sequential_whose_leader_ran_late_is_put_right_by_a_remedy(remedy: str) -> None:
    """Past the deadline placement targets govern nothing any more: what was received is completed or undone."""
    walk = Walk(placement="sequential", order_type="limit", remedy=remedy).ack(0, 4).at(5)
    assert walk.moves == [PLACED, DEADLINE]
    assert walk.cancelled() == [(0,)]
    walk.see(0, 4, ended=True).look()
    assert walk.sends[1:] == [(1, "complete", "buy", D(4)) if remedy == "complete" else (0, "unwind", "buy", D(4))]
    walk.fills(1)
    assert walk.trade.outcome is (Outcome.PARTIAL_HEDGED if remedy == "complete" else Outcome.ROLLED_BACK)


def test_sequential_taken_up_after_a_restart_sends_no_second_first_order() -> None:
    """The prices it would be sent at are another process's; what the first received is put right instead."""
    walk = Walk(placement="sequential", order_type="limit").ack(0, 4)
    walk.now = 100
    walk.restart()
    assert walk.moves == [PLACED, DEADLINE]
    assert walk.cancelled() == [(0,)]
    walk.see(0, 4, ended=True)
    assert len(walk.sent) == 1
    walk.look(**CHEAP_TO_BUY)
    assert walk.sends[1:] == [(1, "complete", "buy", D(4))]


def test_sequential_taken_up_after_a_restart_finds_a_second_order_that_was_never_sent() -> None:
    """Its intent was durable and the process died: it is in doubt, then absent, then made up for."""
    walk = Walk(placement="sequential").fills(0)
    walk.now = 100
    walk.restart().vanish(1)
    assert walk.moves == [PLACED, DEADLINE]
    assert walk.trade.orders[1].lifecycle is Lifecycle.DEAD
    assert walk.trade.orders[1].refusal.startswith("absent: not found 3 times, 15.0 s after it was sent")
    walk.look(**CHEAP_TO_BUY).fills(2)
    assert walk.moves == [PLACED, DEADLINE, PUT_RIGHT, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


# ------------------------------------------------------------------ one is refused


def test_both_refused_leave_nothing() -> None:
    """Neither venue took its order: failed, with both reasons."""
    walk = Walk().refuse(0, "too_old").refuse(1, "invalid_order")
    assert walk.moves == [NEITHER]
    assert walk.trade.outcome is Outcome.FAILED
    assert walk.trade.end_note == "alpha: too_old: no; beta: invalid_order: no"


@pytest.mark.parametrize("refused", [0, 1])
@pytest.mark.parametrize("refused_first", [True, False])
@pytest.mark.parametrize("order_type", OrderType)
def test_one_refused_and_the_other_fills_is_completed(refused: int, refused_first: bool, order_type: OrderType) -> None:
    """The remedy is bounded by a limit whatever the first orders were."""
    walk = Walk(order_type=order_type, remedy="complete")
    first, second = (walk.refuse, walk.fills) if refused_first else (walk.fills, walk.refuse)
    first(refused if refused_first else 1 - refused)
    second(1 - refused if refused_first else refused)
    assert walk.moves == [MIXED]
    walk.look()
    assert walk.sends[2:] == [(refused, "complete", "buy" if refused else "sell", D(10))]
    assert walk.sent[2].order_type is (OrderType.LIMIT if order_type is OrderType.LIMIT else OrderType.IOC)
    walk.fills(2)
    assert walk.moves == [MIXED, PUT_RIGHT, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


@pytest.mark.parametrize("refused", [0, 1])
def test_one_refused_and_the_other_fills_is_unwound(refused: int) -> None:
    """Nothing is held in the end."""
    walk = Walk(remedy="unwind").refuse(refused).fills(1 - refused).look()
    assert walk.sends[2:] == [(1 - refused, "unwind", "sell" if refused == 0 else "buy", D(10))]
    walk.fills(2)
    assert walk.moves == [MIXED, UNWIND, TRADED_BACK]
    assert walk.trade.outcome is Outcome.ROLLED_BACK
    assert walk.trade.booked_quantity is None


def test_one_refused_while_the_other_rests_cancels_it() -> None:
    """It is matched for what it filled, and never re-placed at full size."""
    walk = Walk(order_type="limit").refuse(1).ack(0, 3)
    assert walk.moves == [MIXED]
    assert walk.cancelled() == [(0,)]
    assert walk.trade.orders[0].live  # asked to go is not gone
    walk.answer_cancel(0).see(0, 4, ended=True)
    walk.look(**CHEAP_TO_BUY)
    assert walk.sends[2:] == [(1, "complete", "buy", D(4))]
    assert walk.fills(2).trade.outcome is Outcome.PARTIAL_HEDGED


def test_one_refused_while_the_other_rests_and_nothing_fills_fails() -> None:
    """What was sent was cancelled in time."""
    walk = Walk(order_type="limit").ack(0).refuse(1).see(0, 0, ended=True)
    assert walk.moves == [MIXED, CAME_TO_NOTHING]
    assert walk.trade.outcome is Outcome.FAILED


def test_one_refused_while_the_other_is_in_doubt_is_asked_for_and_nothing_is_sent() -> None:
    """Only when it is found is it known what to make up for."""
    walk = Walk().refuse(0).doubt(1)
    assert walk.moves == [MIXED]
    assert not walk.trade.wants_survey(walk.ns)
    walk.at(4).see(1, 10, ended=True).look(first=book(), second=book("98", "102"))
    assert walk.sends[2:] == [(0, "complete", "sell", D(10))]


# ------------------------------------------------------------------ partial fills


def test_half_and_half_is_a_hedge_of_half_the_size() -> None:
    """Matched, smaller than sized."""
    walk = Walk().ack(0, 5, ended=True).ack(1, 5, ended=True)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert (walk.trade.outcome, walk.trade.booked_quantity) == (Outcome.PARTIAL_HEDGED, 5)


@pytest.mark.parametrize(("remedy", "size"), [("complete", 7), ("unwind", 4)])
def test_forty_and_seventy_per_cent_end_at_one_size(remedy: str, size: int) -> None:
    """At the larger one or the smaller one, never in between."""
    walk = Walk(remedy=remedy).ack(0, 4, ended=True).ack(1, 7, ended=True).look()
    assert walk.sends[2:] == [(0, "complete", "sell", D(3)) if size == 7 else (1, "unwind", "sell", D(3))]
    walk.fills(2)
    last = [PUT_RIGHT] if size == 7 else [UNWIND, TRADED_BACK_TO_MATCH]
    assert walk.moves == [PLACED, UNMATCHED, *last, BOOKED]
    assert (walk.trade.outcome, walk.trade.booked_quantity) == (Outcome.PARTIAL_HEDGED, size)


def test_a_leg_that_ends_short_has_the_other_cancelled_at_once() -> None:
    """Each further fill of the other would be naked, so its time is not waited for."""
    walk = Walk(order_type="limit").ack(0, 3).ack(1).see(1, 2, ended=True)
    assert walk.moves == [PLACED, SHORT]
    assert walk.cancelled() == [(0,)]
    walk.see(0, 3, ended=True)
    walk.look(**CHEAP_TO_BUY)
    assert walk.sends[2:] == [(1, "complete", "buy", D(1))]


def test_a_leg_that_ends_whole_leaves_the_other_its_time() -> None:
    """A resting order that may still match is not cancelled before its deadline."""
    walk = Walk(order_type="limit").ack(0).fills(1).at(4.9)
    assert (walk.moves, walk.cancelled()) == ([PLACED], [])
    walk.at(5)
    assert (walk.moves, walk.cancelled()) == ([PLACED, DEADLINE], [(0,)])
    walk.see(0, 10, ended=True)  # it filled before the cancel arrived
    assert walk.moves == [PLACED, DEADLINE, PUT_RIGHT, BOOKED]


def test_an_order_that_rests_past_its_time_while_the_other_is_being_placed_is_cancelled() -> None:
    """Cancelling can only make the worst case smaller, so it waits for nothing."""
    walk = Walk(order_type="limit").ack(0).at(5)
    assert (walk.state, walk.cancelled()) == ("PLACING", [(0,)])
    walk.refuse(1)
    assert walk.moves == [MIXED]


def test_ninety_thousandths_of_a_lot_short_is_not_called_matched() -> None:
    """0.1 is a least order of alpha: 9.9 against 10 is a naked leg, 9.91 is dust."""
    assert Walk().fills(0).ack(1, "9.9", ended=True).state == "PARTIAL"
    dusty = Walk().fills(0).ack(1, "9.91", ended=True)
    assert (dusty.state, dusty.trade.outcome) == ("DONE", Outcome.SUCCESS)
    assert dusty.trade.exposure == D("-0.09")


def test_both_below_their_least_orders_but_apart_by_more_than_dust_is_no_end() -> None:
    """Beta's 0.15 could not be sold by beta; alpha can hedge it, so alpha does."""
    walk = Walk().ack(0, ended=True).ack(1, "0.15", ended=True)
    assert walk.state == "PARTIAL"
    walk.look().fills(2)
    assert walk.sends[2:] == [(0, "complete", "sell", D("0.15"))]
    assert walk.trade.exposure == 0
    assert walk.moves[-2:] == [PUT_RIGHT, BOOKED]


def test_both_traded_dust_is_flat() -> None:
    """Nothing worth trading is left: failed, the residual shown."""
    walk = Walk().ack(0, "0.05", ended=True).ack(1, ended=True)
    assert walk.moves == [PLACED, NOTHING]
    assert walk.trade.exposure == D("-0.05")


# ------------------------------------------------------------------ doubt


def test_a_placing_that_timed_out_and_had_filled_is_counted_once() -> None:
    """Found by its client id, it is what it always was."""
    walk = Walk().fills(0).doubt(1).at(2).see(1, 10, ended=True)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert len(walk.sent) == 2


@pytest.mark.parametrize("doubtful", [0, 1])
def test_one_in_doubt_past_its_deadline_is_asked_for_and_nothing_is_sent(doubtful: int) -> None:
    """Then halted, then believed absent, then made up for."""
    walk = Walk(remedy="complete", doubt_max_s=60).fills(1 - doubtful).doubt(doubtful).at(5)
    assert walk.moves == [PLACED, DEADLINE]
    assert not walk.trade.wants_survey(walk.ns)
    walk.at(59.9)
    assert walk.state == "PARTIAL"
    walk.at(60)
    assert walk.moves == [PLACED, DEADLINE, WALL]
    assert walk.trade.halt_reason == "in doubt for longer than 60 s"
    assert len(walk.sent) == 2
    walk.miss(doubtful).miss(doubtful)
    assert walk.state == "HALTED"
    walk.miss(doubtful)
    assert walk.trade.orders[doubtful].lifecycle is Lifecycle.DEAD
    assert walk.at(120).state == "HALTED"
    walk.look()
    assert walk.moves == [PLACED, DEADLINE, WALL, RESUME]
    assert walk.sends[2:] == [(doubtful, "complete", "buy" if doubtful else "sell", D(10))]
    assert walk.fills(2).trade.outcome is Outcome.SUCCESS
    assert walk.trade.ever_halted


def test_one_in_doubt_while_the_other_brought_nothing() -> None:
    """Short while something lives: nothing rests, so nothing is cancelled, and it is asked for."""
    walk = Walk().ack(0, ended=True).doubt(1)
    assert (walk.moves, walk.cancelled()) == ([PLACED, SHORT], [])
    walk.vanish(1)
    assert walk.moves == [PLACED, SHORT, CAME_TO_NOTHING]


def test_both_in_doubt_and_never_found_come_to_nothing() -> None:
    """No order exists, so nothing is left to do."""
    walk = Walk().doubt(0).doubt(1).at(5)
    walk.vanish(0)
    assert walk.state == "PARTIAL"
    walk.miss(1).miss(1).miss(1)
    assert walk.moves == [PLACED, DEADLINE, CAME_TO_NOTHING]


def test_both_in_doubt_and_both_filled_match() -> None:
    """Nothing was sent meanwhile that would have to be undone."""
    walk = Walk().doubt(0).doubt(1).at(6).see(1, 10, ended=True).see(0, 10, ended=True)
    assert walk.moves == [PLACED, DEADLINE, PUT_RIGHT, BOOKED]


@pytest.mark.parametrize("remedy", ["complete", "unwind"])
def test_a_remedy_in_doubt_is_asked_for_and_no_second_one_is_sent(remedy: str) -> None:
    """An order believed dead that lives is a second hedge."""
    walk = one_naked(remedy=remedy).look().doubt(2).at(20)
    assert len(walk.sent) == 3
    assert not walk.trade.wants_survey(walk.ns)
    walk.see(2, 10, ended=True)
    assert walk.trade.outcome is (Outcome.SUCCESS if remedy == "complete" else Outcome.ROLLED_BACK)


@pytest.mark.parametrize(("remedy", "wall"), [("complete", WALL), ("unwind", WALL_BEHIND)])
def test_a_remedy_in_doubt_for_too_long_halts(remedy: str, wall: Edge) -> None:
    """From either state of remedies."""
    walk = one_naked(remedy=remedy).look().doubt(2).at(120)
    assert walk.moves[-1] == wall
    walk.see(2, 10, ended=True)
    assert walk.moves[-2:] == ([HALTED_MATCHED, BOOKED] if remedy == "complete" else [wall, HALTED_FLAT])


def test_absence_is_believed_only_past_the_fence_and_after_three_covered_misses() -> None:
    """A list that could not have shown it, or a question asked too early, proves nothing."""
    walk = Walk().fills(0).doubt(1).at(6).miss(1).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].live
    walk.at(15).miss(1, covered=False).miss(1).miss(1)
    assert walk.trade.orders[1].live
    walk.miss(1)
    assert walk.trade.orders[1].lifecycle is Lifecycle.DEAD

    early = Walk().fills(0).doubt(1).at(20).miss(1).miss(1)
    assert early.trade.orders[1].live
    assert not early.miss(1).trade.orders[1].live


def test_a_sighting_begins_the_count_of_misses_anew() -> None:
    """An order that the venue has shown is there until it is asked to go."""
    walk = Walk(order_type="limit").ack(0).doubt(1).miss(1).miss(1).see(1, 1)
    walk.now = 20
    walk.miss(1).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].lifecycle is Lifecycle.OPEN


def test_an_order_that_does_not_match_its_intent_is_in_doubt_until_it_does() -> None:
    """Somebody else's order under our id is never counted as ours, and never forgotten."""
    walk = Walk().fills(0).ack(1, 10, ended=True, side=SELL)
    assert walk.trade.orders[1].mismatch == "side sell instead of buy"
    assert walk.trade.exposure == -10
    assert walk.at(5).state == "PARTIAL"
    walk.at(30).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].in_doubt
    walk.at(120)
    assert walk.state == "HALTED"
    walk.see(1, 10, ended=True, side=BUY)
    assert walk.moves[-2:] == [HALTED_MATCHED, BOOKED]


def test_a_halt_in_doubt_is_told_again_at_each_slow_retry() -> None:
    """Each record makes the driver call a person again: what is in doubt is never waited for in silence."""
    walk = Walk().fills(0).doubt(1).at(5).at(120)
    assert walk.state == "HALTED"
    assert walk.stalls() == []
    walk.at(180).at(200).at(240)
    assert [(stall.now // SECOND, stall.choice.reason) for stall in walk.stalls()] == [
        (180, "in doubt for longer than 120 s"),
        (240, "in doubt for longer than 120 s"),
    ]


def test_an_operator_who_asks_while_in_doubt_is_answered() -> None:
    """Nothing can be tried, and that is recorded; the request does not stay open for ever."""
    walk = Walk().fills(0).doubt(1).at(5).at(120).later(1).resume()
    assert not walk.trade.operator_asked
    assert len(walk.stalls()) == 1
    assert len(walk.sent) == 2


# ------------------------------------------------------------------ acting on what is known


def test_act_on_known_hedges_what_is_known_once_the_doubt_has_lasted() -> None:
    """It may over-hedge, so it does that only past the limit, and calls a person as soon as it has."""
    walk = Walk(doubt_remedy="act_on_known", doubt_max_s=30, remedy="unwind").fills(0).doubt(1).at(5).at(29)
    assert not walk.trade.wants_survey(walk.ns)
    walk.at(30).look()
    assert walk.sends[2:] == [(0, "unwind", "buy", D(10))]
    assert walk.state == "ROLLBACK"
    walk.fills(2)
    assert walk.moves[-1] == WALL_BEHIND  # matched as far as is known, and one order is still in doubt
    assert walk.trade.halt_reason == "what is known matches; an order is still in doubt"
    walk.miss(1).miss(1)
    walk.miss(1)
    assert walk.moves[-1] == HALTED_FLAT


def test_act_on_known_that_over_hedged_trades_back() -> None:
    """The doubtful order had filled after all: what is too much now is put right like anything else."""
    walk = Walk(doubt_remedy="act_on_known", doubt_max_s=30, remedy="unwind", halted_retry_s=60)
    walk.fills(0).doubt(1).at(5).at(30).look().fills(2).see(1, 10, ended=True)
    assert (walk.state, walk.trade.exposure) == ("HALTED", 10)
    walk.at(90).look()
    assert walk.sends[3:] == [(1, "unwind", "sell", D(10))]
    assert walk.fills(3).state == "DONE"


def test_act_on_known_waits_for_its_own_remedy() -> None:
    """While the remedy is at work nothing else is sent and nobody is called."""
    walk = Walk(doubt_remedy="act_on_known", doubt_max_s=30, remedy="complete").fills(0).doubt(1).at(5).at(30).look()
    walk.ack(2).at(34)
    assert (walk.state, len(walk.sent)) == ("PARTIAL", 3)


def test_act_on_known_surveys_nothing_before_it_may_act() -> None:
    """A book that was asked for when an order ended would be stale by the time the doubt has lasted."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE), doubt_remedy="act_on_known", doubt_max_s=60)
    walk.ack(0, 10, ended=True).ack(1, 4, ended=True, fees=None).at(20)
    assert walk.trade.ledger is not None
    assert walk.trade.ledger.provisional
    assert not walk.trade.wants_survey(walk.ns)
    assert walk.at(61).trade.wants_survey(walk.ns)


# ------------------------------------------------------------------ cancels


def test_a_cancel_that_is_not_believed_leaves_the_order_reserved() -> None:
    """Accepted or refused, the answer to a cancel proves nothing."""
    walk = Walk(order_type="limit").fills(0).ack(1, 2).at(5).answer_cancel(1).answer_cancel(1, accepted=False)
    assert walk.trade.orders[1].live
    assert (walk.ledger.exposure, walk.ledger.worst_exposure) == (-8, -8)
    assert not walk.trade.wants_survey(walk.ns)
    walk.see(1, 9, ended=True)
    assert walk.ledger.exposure == -1


def test_a_cancel_without_effect_for_too_long_halts() -> None:
    """An order that will not go is a doubt like any other."""
    walk = Walk(order_type="limit").fills(0).ack(1, 2).at(5).at(124)
    assert walk.state == "PARTIAL"
    walk.at(125)
    assert walk.moves == [PLACED, DEADLINE, WALL]


def test_a_policy_that_allows_no_doubt_halts_as_soon_as_a_cancel_is_asked_for() -> None:
    """In the same step: there is no later moment at which anything would be due."""
    walk = Walk(order_type="limit", doubt_max_s=0).fills(0).ack(1, 2).at(5)
    assert walk.moves == [PLACED, DEADLINE, WALL]
    assert walk.cancelled() == [(1,)]


def test_an_order_that_was_cancelled_and_is_shown_no_more_ends_with_what_is_known() -> None:
    """Past the fence and three misses; one that nobody asked to go is looked for on."""
    walk = Walk(order_type="limit", remedy="complete").fills(0).ack(1, 2).at(4).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].live
    walk.at(5).at(19.9).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].live
    walk.at(20).miss(1).miss(1).miss(1)
    assert walk.trade.orders[1].lifecycle is Lifecycle.CLOSED
    assert "after it was asked to go" in walk.trade.orders[1].refusal
    walk.look()
    assert walk.sends[2:] == [(1, "complete", "buy", D(8))]


def test_an_order_that_was_believed_gone_and_rests_is_cancelled_again() -> None:
    """It ended only because it was not found; a venue that shows it open is believed, at any time."""
    walk = Walk(order_type="limit", remedy="complete").fills(0).ack(1, 2).at(5).at(20).miss(1).miss(1).miss(1)
    walk.look().fills(2)
    assert walk.moves[-2:] == [PUT_RIGHT, BOOKED]
    walk.at(60).see(1, 2)
    assert walk.moves[-1] == DISTURBED
    assert walk.cancelled() == [(1,), (1,)]
    walk.see(1, 5, ended=True)
    assert walk.trade.exposure == 3
    walk.look()
    assert walk.sends[3:] == [(1, "unwind", "sell", D(3))]
    walk.fills(3)
    assert walk.moves[-3:] == [UNWIND, TRADED_BACK_TO_MATCH, BOOKED]
    assert walk.trade.booked_quantity == 10


def test_a_stale_reading_does_not_open_an_order_that_a_venue_has_called_over() -> None:
    """An older answer that arrives late says nothing."""
    walk = both_filled()
    walk.see(0, 3)
    assert (walk.moves, walk.trade.exposure) == ([PLACED, MATCHED, BOOKED], 0)
    assert walk.trade.orders[0].lifecycle is Lifecycle.CLOSED


# ------------------------------------------------------------------ remedies: budget, price, funds


def test_a_remedy_that_fills_in_part_is_followed_by_one_for_the_rest() -> None:
    """Each is sized from what was received when it is written."""
    walk = one_naked(remedy="complete").look().ack(2, 6, ended=True)
    assert not walk.trade.wants_survey(walk.ns)  # the back-off
    walk.at(0.5).look()
    assert walk.sends[2:] == [(1, "complete", "buy", D(10)), (1, "complete", "buy", D(4))]
    walk.fills(3)
    assert walk.moves == [MIXED, PUT_RIGHT, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


def test_an_unwind_that_fills_in_part_may_be_completed_instead() -> None:
    """The cheaper way is asked for each time; the budget goes on."""
    walk = one_naked().look(**CHEAP_TO_UNWIND).ack(2, 6, ended=True).at(1)
    assert walk.state == "ROLLBACK"
    walk.look(**CHEAP_TO_BUY)
    assert walk.moves == [MIXED, UNWIND, COMPLETE]
    assert walk.sends[3:] == [(1, "complete", "buy", D(4))]
    assert walk.trade.attempt == 2
    walk.fills(3)
    assert (walk.trade.outcome, walk.trade.booked_quantity) == (Outcome.PARTIAL_HEDGED, 4)


def test_each_attempt_widens_and_waits_longer_until_the_budget_is_spent() -> None:
    """Bands of 20, 40, 60 bps; waits of 0.5, 1, 2 s; then a person is called."""
    walk = one_naked(remedy="complete", attempts_max=3)
    bounds, waits = [], []
    for order in (2, 3, 4):
        walk.silence(0)  # so that there is no other way
        bounds.append(walk.sent[order].bound)
        walk.ack(order, ended=True)
        waits.append((walk.trade.not_before - walk.ns) / SECOND)
        walk.later(waits[-1])
    assert bounds == [D("100.21"), D("100.41"), D("100.61")]
    assert waits == [0.5, 1.0, 2.0]
    assert walk.moves == [MIXED, WALL]
    assert walk.trade.halt_reason == "3 remedies were tried"
    assert [each.attempt for each in walk.choices()] == [0, 0, 1, 2]


def test_a_remedy_has_a_deadline_of_its_own() -> None:
    """It rests no longer than a first order, and is cancelled then and not before."""
    walk = one_naked(order_type="limit", remedy="complete").at(1).look().ack(2, 1).at(5.9)
    assert walk.cancelled() == []
    walk.at(6)
    assert walk.cancelled() == [(2,)]


def test_a_remedy_that_is_refused_lets_the_other_go_first() -> None:
    """Preferred or cheaper as it may be, a venue has said no to it."""
    walk = one_naked(remedy="complete").look().refuse(2).at(1).look()
    assert walk.moves == [MIXED, UNWIND]
    assert walk.sends[3:] == [(0, "unwind", "buy", D(10))]
    assert walk.choices()[-1].reason == "the other was refused or left half open"
    walk.refuse(3).at(3).look()  # both refused: the preferred one again
    assert walk.sends[4:] == [(1, "complete", "buy", D(10))]
    assert walk.fills(4).trade.outcome is Outcome.SUCCESS


def test_no_funds_for_either_remedy_spends_the_budget_and_halts() -> None:
    """The record says what is missing where."""
    walk = one_naked(attempts_max=2).look(free=POOR)
    assert (walk.state, walk.trade.attempt) == ("PARTIAL", 1)
    walk.at(1).look(free=POOR)
    assert walk.moves == [MIXED, WALL]
    assert walk.trade.halt_reason == (
        "no remedy can be sent; complete: free funds of 0 is below the least order 0.2; "
        "unwind: free funds of 0 is below the least order 0.1"
    )
    assert len(walk.sent) == 2


def test_a_price_past_the_cap_blocks_one_remedy_and_the_other_is_used() -> None:
    """Never worse than 300 bps from the decision's price."""
    walk = one_naked(remedy="complete").look(second=book("103.00", "103.01"))
    assert walk.sends[2:] == [(0, "unwind", "buy", D(10))]
    blocked = {option.kind: option.blocked for option in walk.choices()[-1].weighed}
    assert blocked == {Kind.COMPLETE: "103.01 is past the most it may lose, 103.00", Kind.UNWIND: ""}


def test_a_venue_that_gives_no_answer_leaves_the_other_remedy() -> None:
    """A silent venue cannot be traded on; the live one can."""
    walk = one_naked(remedy="complete").silence(1)
    assert walk.sends[2:] == [(0, "unwind", "buy", D(10))]


def test_two_venues_that_give_no_answer_are_asked_again_and_then_a_person_is_called() -> None:
    """Bounded attempts, no busy loop, never a silent wait."""
    walk = one_naked(attempts_max=3)
    for wait in (0.5, 1.0):
        walk.silence(0, 1)
        assert not walk.trade.wants_survey(walk.ns)
        assert walk.trade.wakes_at(walk.ns) == walk.ns + int(wait * SECOND)
        walk.later(wait)
    walk.silence(0, 1)
    assert walk.moves == [MIXED, WALL]
    assert "alpha gives no answer" in walk.trade.halt_reason
    assert "beta gives no answer" in walk.trade.halt_reason


def test_no_attempts_at_all_halt_at_once() -> None:
    """A policy may call a person for everything."""
    assert one_naked(attempts_max=0).moves == [MIXED, WALL]


def test_an_operator_who_resumes_where_no_attempts_are_allowed_gets_one() -> None:
    """A person was called, has looked, and says go on."""
    walk = one_naked(attempts_max=0, remedy="complete").at(1).resume().look()
    assert walk.sends[2:] == [(1, "complete", "buy", D(10))]


def test_a_remedy_shrinks_to_what_can_be_paid_for() -> None:
    """Part of a hedge is better than none."""
    some = Balances(free={"USDT": D(402), "USD": D(0)})
    walk = one_naked(remedy="complete").look(free=some)
    assert walk.sends[2:] == [(1, "complete", "buy", D("4.00"))]


# ------------------------------------------------------------------ halted


def test_a_halted_trade_is_tried_again_slowly() -> None:
    """After a minute both venues are asked; while nothing can be sent it is recorded and tried again."""
    walk = halted(remedy="complete")
    walk.at(59)
    assert not walk.trade.wants_survey(walk.ns)
    assert walk.trade.wakes_at(walk.ns) == 60 * SECOND
    walk.at(60).silence(0, 1)
    assert (len(walk.stalls()), walk.trade.retry_at, walk.state) == (1, 120 * SECOND, "HALTED")
    walk.at(120).look()
    assert walk.moves == [MIXED, WALL, RESUME]
    assert (walk.trade.attempt, walk.trade.retry_at) == (1, None)
    assert walk.sent[2].bound == D("100.21")  # the narrow band again
    walk.fills(2)
    assert walk.trade.outcome is Outcome.SUCCESS


def test_a_halted_trade_that_resumes_by_unwinding_passes_through_partial() -> None:
    """One step, three records."""
    walk = halted(remedy="unwind").at(60).look().fills(2)
    assert walk.moves == [MIXED, WALL, RESUME, UNWIND, TRADED_BACK]


def test_an_operator_who_asks_need_not_wait_for_the_slow_retry() -> None:
    """A fresh budget, from the first band."""
    walk = halted(remedy="complete").at(3).resume()
    assert walk.trade.operator_asked
    walk.look()
    assert walk.moves == [MIXED, WALL, RESUME]
    assert (walk.trade.operator_asked, walk.trade.attempt) == (False, 1)


def test_an_operator_whose_request_comes_to_nothing_is_answered() -> None:
    """Recorded as stalled, and the slow retries go on."""
    walk = halted().at(3).resume().silence(0, 1)
    assert (walk.trade.operator_asked, walk.trade.retry_at) == (False, 63 * SECOND)
    assert walk.state == "HALTED"


def test_an_operator_who_asks_a_trade_that_is_not_halted_changes_nothing() -> None:
    """It is recorded, and the budget stays what it was."""
    walk = one_naked().resume()
    assert not walk.trade.operator_asked
    assert both_filled().resume().state == "DONE"


def test_a_budget_that_is_spent_again_halts_again() -> None:
    """And is resumed again: no attempt is the last one while something is naked."""
    walk = halted(remedy="complete").at(60).look().ack(2, ended=True).at(61)
    assert walk.moves == [MIXED, WALL, RESUME, WALL]
    assert walk.trade.retry_at == 120 * SECOND
    walk.at(121).look()
    assert walk.moves[-1] == RESUME


def test_a_halted_trade_cancels_all_that_rests() -> None:
    """A remedy too, whatever its deadline."""
    walk = halted().see(1, 1)  # refused, and yet there it is
    assert walk.cancelled() == [(1,)]
    walk.see(1, 10, ended=True)
    assert walk.moves[-2:] == [HALTED_MATCHED, BOOKED]


# ------------------------------------------------------------------ by hand


def test_an_operators_own_trade_ends_a_halted_one() -> None:
    """Bought on the venue that would not take ours: matched."""
    walk = halted().by_hand(1, BUY, 10)
    assert walk.moves == [MIXED, WALL, HALTED_MATCHED, BOOKED]
    assert (walk.trade.outcome, walk.trade.booked_quantity) == (Outcome.SUCCESS, 10)


def test_an_operators_own_unwind_ends_a_halted_one() -> None:
    """Bought back where it was sold: flat."""
    walk = halted().by_hand(0, BUY, "9.95")
    assert walk.moves == [MIXED, WALL, HALTED_FLAT]
    assert walk.trade.outcome is Outcome.ROLLED_BACK
    assert walk.trade.exposure == D("-0.05")


def test_an_operators_trade_of_a_part_leaves_the_rest_to_be_put_right() -> None:
    """The next remedy is sized by what is left."""
    walk = halted(remedy="complete").by_hand(1, BUY, 4).at(60).look()
    assert walk.sends[2:] == [(1, "complete", "buy", D(6))]


@pytest.mark.parametrize(
    ("side", "amount"), [(SELL, 1), (BUY, 20), (BUY, "10.1"), (BUY, 25)], ids=["worse", "as much", "reversed", "far"]
)
def test_an_operators_trade_that_does_not_mend_is_refused_and_changes_nothing(side: Side, amount: Any) -> None:
    """It is made smaller without being reversed by more than dust, or it belongs to something else."""
    walk = halted()
    before = remembered(walk.trade)
    with pytest.raises(InvalidInput, match="fill"):
        walk.by_hand(1, side, amount)
    assert remembered(walk.trade) == before
    assert walk.trade.handle(Ticked(now=walk.ns), 0) == Step()


def test_an_operators_trade_may_reverse_within_dust() -> None:
    """A lot too much is what hands do."""
    assert halted().by_hand(1, BUY, "10.09").state == "DONE"


def test_an_operators_trade_may_leave_a_little() -> None:
    """What is left is put right by itself; to have mended less than all is no reversal."""
    short = Walk(attempts_max=1).ack(0, "0.5", ended=True).refuse(1).silence(0, 1)
    assert short.by_hand(1, BUY, "0.3").trade.exposure == D("-0.2")


def test_an_operators_trade_that_turns_dust_round_mends_nothing() -> None:
    """As much is naked after it as before."""
    walk = Walk().fills(0).ack(1, "9.95", ended=True)
    with pytest.raises(InvalidInput, match=r"does not make the exposure of -0\.05 smaller"):
        walk.by_hand(1, BUY, "0.1")


def test_an_operators_trade_on_the_leg_that_is_not_in_doubt_is_taken() -> None:
    """It cannot be the order that is."""
    assert in_doubt().by_hand(0, BUY, 4).trade.exposure == -6


def test_an_operators_base_fee_counts() -> None:
    """What was bought less what the venue kept, and for a sale what it took besides."""
    assert halted().by_hand(1, BUY, 10, fee=Fee(D("0.02"), "BTC")).trade.exposure == D("-0.02")
    long = Walk(attempts_max=1).refuse(0).fills(1).silence(0, 1)
    assert long.by_hand(0, SELL, "9.98", fee=Fee(D("0.01"), "BTC")).trade.exposure == D("0.01")
    assert halted().by_hand(1, BUY, 10, fee=Fee(D(1), "USDT")).trade.exposure == 0


def test_an_operators_trade_needs_something_to_mend() -> None:
    """A trade that was never sized holds nothing."""
    with pytest.raises(InvalidInput, match="never sized"):
        Walk(begin=False).by_hand(0, BUY, 1)


# ------------------------------------------------------------------ late facts, in every state


def late_in_placing() -> Walk:
    return Walk().ack(0, 4, ended=True)


def late_in_monitoring() -> Walk:
    return Walk(order_type="limit").fills(1).ack(0, 4)


def late_in_partial() -> Walk:
    return Walk(remedy="complete").ack(0, 4, ended=True).fills(1)


def late_in_rollback() -> Walk:
    return Walk(remedy="unwind").ack(0, 4, ended=True).fills(1).look()


def late_in_halted() -> Walk:
    return Walk(attempts_max=1).ack(0, 4, ended=True).fills(1).silence(0, 1)


LATE: dict[str, Callable[[], Walk]] = {
    "PLACING": late_in_placing,
    "MONITORING": late_in_monitoring,
    "PARTIAL": late_in_partial,
    "ROLLBACK": late_in_rollback,
    "HALTED": late_in_halted,
}


@pytest.mark.parametrize("state", LATE)
def test_a_fill_that_lands_late_is_counted_in_every_state(state: str) -> None:
    """No state vetoes a fill; four became ten, on an order that most had called over."""
    walk = LATE[state]()
    assert walk.state == state
    assert walk.trade.orders[0].filled == 4
    walk.see(0, 10, ended=True)
    assert walk.trade.orders[0].filled == 10


def test_a_late_fill_while_a_remedy_rests_takes_the_remedy_back() -> None:
    """The late fill has done the remedy's work, so each further fill of it would be naked."""
    walk = Walk(remedy="unwind", order_type="limit").ack(0, 4, ended=True).fills(1).look()
    assert walk.sends[2:] == [(1, "unwind", "sell", D(6))]
    walk.ack(2, 1).see(0, 10, ended=True)
    assert walk.cancelled() == [(2,)]
    walk.see(2, 1, ended=True)
    assert walk.trade.exposure == -1
    walk.at(1).look()
    assert walk.sends[3][3] == 1


def test_a_late_fill_after_a_success_is_unwound_to_what_was_booked() -> None:
    """The position keeps its size."""
    walk = Walk().ack(0, 8, ended=True).ack(1, 8, ended=True)
    assert walk.trade.outcome is Outcome.PARTIAL_HEDGED
    walk.later(9).see(1, 10, ended=True)
    assert walk.moves[-1] == DISTURBED
    assert walk.trade.outcome is None
    walk.look(first=book(), second=book("98", "102"))  # completing would be cheaper
    assert walk.sends[2:] == [(1, "unwind", "sell", D(2))]
    assert walk.choices()[-1].reason == "back to the booked quantity"
    walk.fills(2)
    assert walk.moves[-3:] == [UNWIND, TRADED_BACK_TO_MATCH, BOOKED]
    assert (walk.trade.booked_quantity, walk.trade.exposure) == (8, 0)


def test_late_fills_of_both_legs_after_a_success_enlarge_what_is_booked() -> None:
    """They match, so nothing has to be sent."""
    walk = Walk().ack(0, 8, ended=True).ack(1, 8, ended=True).see(0, 10, ended=True).see(1, 10, ended=True)
    assert walk.moves[-3:] == [DISTURBED, PUT_RIGHT, BOOKED]
    assert (walk.trade.booked_quantity, len(walk.sent)) == (10, 2)


def test_a_late_fill_after_a_failure_is_put_right() -> None:
    """Refused by both, and yet one had filled."""
    walk = Walk(remedy="unwind").refuse(0).refuse(1)
    assert not walk.trade.finished
    walk.see(0, 3, ended=True).look().fills(2)
    assert walk.moves == [NEITHER, DISTURBED, UNWIND, TRADED_BACK]
    assert walk.sends[2:] == [(0, "unwind", "buy", D(3))]


def test_a_late_fill_after_a_roll_back_is_put_right() -> None:
    """The refused leg had filled: completed from the other side of the trade."""
    walk = rolling_back().fills(2)
    assert walk.trade.outcome is Outcome.ROLLED_BACK
    walk.at(30).see(1, 10, ended=True)
    assert (walk.moves[-1], walk.trade.exposure) == (DISTURBED, 10)
    walk.look().fills(3)
    assert walk.sends[3:] == [(1, "unwind", "sell", D(10))]
    assert walk.moves[-2:] == [UNWIND, TRADED_BACK]


def test_a_late_fill_below_dust_is_recorded_and_disturbs_nothing() -> None:
    """Shown in the exposure, never zeroed."""
    walk = Walk().ack(0, "9.95", ended=True).fills(1).see(0, 10, ended=True)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert walk.trade.exposure == 0
    assert walk.entries[-1].trigger == "observed"


def test_an_order_believed_absent_that_shows_up_resting_is_cancelled_and_matched() -> None:
    """Found when all was over: the trade reopens."""
    walk = Walk(remedy="complete", order_type="limit").fills(0).doubt(1).at(5).vanish(1).look().fills(2)
    assert walk.trade.outcome is Outcome.SUCCESS
    walk.at(60).see(1, 1)
    assert walk.moves[-1] == DISTURBED
    assert walk.cancelled() == [(1,)]
    assert walk.ledger.worst_exposure == 10
    walk.see(1, 1, ended=True).look()
    assert walk.sends[3:] == [(1, "unwind", "sell", D(1))]
    assert walk.fills(3).state == "DONE"


def test_a_remedy_believed_absent_that_shows_up_after_a_restart_is_cancelled_at_once() -> None:
    """Its deadline was told by a clock that is no more; it counts as passed."""
    walk = one_naked(remedy="complete", order_type="limit")
    walk.now = 10_000_000  # the old machine had been up for long
    walk.tell(Ticked(now=walk.ns))
    walk.look().doubt(2).vanish(2).silence(0).fills(3)
    assert walk.trade.outcome is Outcome.SUCCESS
    walk.now = 50  # the new one has just been booted
    walk.see(2, 1)
    assert walk.moves[-1] == DISTURBED
    assert walk.cancelled() == [(2,)]
    walk.now = 65
    walk.miss(2).miss(2).miss(2)
    assert walk.trade.orders[2].lifecycle is Lifecycle.CLOSED  # and its absence can be proven again


def test_a_bust_after_booking_is_completed() -> None:
    """The venue took three of ten back: bought again, the position as it was."""
    walk = both_filled().bust(1, 3)
    assert (walk.moves[-1], walk.trade.exposure) == (DISTURBED, -3)
    walk.look(**CHEAP_TO_UNWIND)  # unwinding would be cheaper
    assert walk.sends[2:] == [(1, "complete", "buy", D(3))]
    walk.fills(2)
    assert walk.moves[-2:] == [PUT_RIGHT, BOOKED]
    assert walk.trade.booked_quantity == 10


def test_a_bust_that_cannot_be_completed_reduces_its_twin() -> None:
    """The position is amended to what is left."""
    walk = both_filled().bust(1, 3).silence(1)
    assert walk.sends[2:] == [(0, "unwind", "buy", D(3))]
    assert walk.fills(2).trade.booked_quantity == 7


def test_a_bust_after_a_booking_with_dust_is_still_a_bust() -> None:
    """The dust that was booked with it is no excess to be unwound."""
    walk = Walk().fills(0).ack(1, "9.95", ended=True).bust(1, 3)
    assert walk.trade.booked_quantity == D("9.95")
    walk.look(**CHEAP_TO_UNWIND)
    assert walk.sends[2][1] == "complete"


def test_a_bust_whose_venue_is_away_waits_for_it_and_is_hedged_the_wrong_way_round_at_the_last() -> None:
    """Ten were bought and sold; the purchase is taken back. Beta may answer again; it does not, so alpha hedges."""
    walk = Walk(remedy="unwind", attempts_max=3).refuse(0).fills(1).look().fills(2)
    assert walk.trade.done
    walk.bust(1, 10).silence(1).later(10).silence(1).later(10)
    assert (len(walk.sent), len(walk.stalls()), walk.trade.attempt) == (3, 2, 2)
    assert [each.choice.reason for each in walk.stalls()] == ["no remedy but the wrong way round can be sent yet"] * 2
    walk.silence(1)
    assert walk.sends[3:] == [(0, "unwind", "buy", D(10))]
    walk.fills(3)
    assert walk.moves[-2:] == [("ROLLBACK", "settled", "HEDGED"), BOOKED]
    assert (walk.trade.booked_quantity, walk.trade.exposure) == (-10, 0)
    assert walk.trade.outcome is Outcome.PARTIAL_HEDGED
    assert walk.trade.end_note == "both legs stand the wrong way round; only that could be sent after a bust"


def test_a_bust_whose_venue_answers_again_in_time_is_put_right() -> None:
    """No reversed hedge comes of a venue that was away for a moment."""
    walk = Walk(remedy="unwind", attempts_max=3).refuse(0).fills(1).look().fills(2)
    walk.bust(1, 10).silence(1).later(10).look()
    assert walk.sends[3:] == [(1, "complete", "buy", D(10))]
    assert walk.fills(3).trade.outcome is Outcome.FAILED
    assert walk.trade.exposure == 0


def test_a_bust_of_both_legs_leaves_no_position() -> None:
    """Flat: what was booked is nothing."""
    walk = both_filled().bust(1, 10).bust(0, 10)
    assert walk.moves[-2:] == [DISTURBED, CAME_TO_NOTHING]
    assert walk.trade.booked_quantity == ZERO


@pytest.mark.parametrize(
    ("order", "amount"), [(0, 11), (0, 0), (0, -1), (2, 1), (-1, 1)], ids=["more", "none", "less", "unknown", "minus"]
)
def test_a_bust_that_cannot_be_is_refused_and_changes_nothing(order: int, amount: int) -> None:
    """More than filled, nothing, or of an order that is not there."""
    walk = both_filled()
    before = remembered(walk.trade)
    with pytest.raises(InvalidInput, match=r"order|amount"):
        walk.bust(order, amount)
    assert remembered(walk.trade) == before


def test_a_watch_that_ends_in_the_moment_of_a_late_fill_forgets_nothing() -> None:
    """The driver may say that the watch is over just after the fill has reopened the trade."""
    walk = Walk().ack(0, 8, ended=True).ack(1, 8, ended=True).see(1, 10, ended=True)
    assert walk.state == "PARTIAL"
    walk.end_watch()
    assert not walk.trade.finished
    assert walk.trade.wants_survey(walk.ns)


# ------------------------------------------------------------------ duplicates and stale readings


def test_duplicates_and_stale_readings_change_nothing_and_are_not_recorded() -> None:
    """The same answer twice is one record; one that shows less is none."""
    walk = Walk(order_type="limit").ack(0, 4).ack(1, 6)
    records = len(walk.entries)
    walk.see(0, 4).see(0, 3).see(1, 0).see(1, 6)
    assert len(walk.entries) == records
    assert [order.filled for order in walk.trade.orders] == [4, 6]


def test_a_fill_before_the_acknowledgement_counts() -> None:
    """The order is there once it is seen, whatever the placing call will say."""
    walk = Walk().see(0, 10, ended=True).see(1, 10, ended=True)
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    walk.ack(0).doubt(1).refuse(1)
    assert (walk.moves, walk.trade.exposure) == ([PLACED, MATCHED, BOOKED], 0)


def test_a_placing_that_ends_while_the_other_is_seen_waits_for_neither() -> None:
    """An order that was seen needs no answer to its placing call."""
    walk = Walk().see(0, 10, ended=True)
    assert walk.state == "PLACING"
    assert walk.refuse(1).state == "PARTIAL"


@pytest.mark.parametrize(
    "event",
    [
        Observed(now=0, order=7, snapshot=snapshot()),
        Missed(now=0, order=7, asked_at=0, covered=True),
        PlaceEnded(now=0, order=7, outcome=InDoubt(code="x", message="x")),
    ],
    ids=lambda event: type(event).__name__,
)
@pytest.mark.parametrize("begun", [True, False])
def test_an_order_that_was_never_written_is_our_bug(event: Any, begun: bool) -> None:
    """It raises, and changes nothing."""
    walk = Walk(begin=begun)
    before = remembered(walk.trade)
    with pytest.raises(LedgerBroken, match="order 7, which was never written"):
        walk.tell(event)
    assert remembered(walk.trade) == before
    with pytest.raises(LedgerBroken, match="order 2, which was never written"):
        walk.tell(evolve(event, order=2))


# ------------------------------------------------------------------ restarts, in every state


def restarted_in_rollback() -> Walk:
    return rolling_back().doubt(2)


RESTARTS: dict[str, Callable[[], Walk]] = {
    "PRECHECK": lambda: Walk(begin=False),
    "PLACING": Walk,
    "MONITORING": lambda: Walk(order_type="limit").ack(0).ack(1),
    "PARTIAL": one_naked,
    "ROLLBACK": restarted_in_rollback,
    "HALTED": halted,
    "DONE": both_filled,
}


@pytest.mark.parametrize("state", RESTARTS)
def test_a_restart_sends_nothing_in_any_state(state: str) -> None:
    """What was sent is observed; what is due is decided afresh from what is seen then."""
    walk = RESTARTS[state]()
    assert walk.state == state
    sent = len(walk.sent)
    walk.now = 3600
    walk.restart()
    assert len(walk.sent) == sent


def test_a_restart_while_placing_leaves_both_in_doubt() -> None:
    """The calls that were out are over; their deadlines have passed; the fence starts now."""
    walk = Walk()
    walk.now = 3600
    walk.restart()
    assert walk.moves == [PLACED, DEADLINE]
    assert all(order.in_doubt and order.unsure_since == walk.ns for order in walk.trade.orders)
    walk.miss(0).miss(0).miss(0).later(14).miss(0)
    assert walk.trade.orders[0].live
    walk.later(1).miss(0).miss(0).miss(0)
    assert not walk.trade.orders[0].live
    walk.see(1, 10, ended=True).look(**CHEAP_TO_UNWIND)
    assert walk.sends[2:] == [(0, "complete", "sell", D(10))]


def test_a_restart_while_one_placing_is_out_and_the_other_was_refused() -> None:
    """Partial at once: the one that is out is in doubt."""
    walk = Walk().refuse(0)
    walk.now = 10
    walk.restart()
    assert walk.moves == [MIXED]
    walk.vanish(1)
    assert walk.moves == [MIXED, CAME_TO_NOTHING]


def test_a_restart_while_orders_rest_cancels_them() -> None:
    """Deadlines count as passed, and a cancel that was asked for is asked for again."""
    walk = Walk(order_type="limit").ack(0).ack(1)
    walk.now = 1
    walk.restart()
    assert (walk.moves, walk.cancelled()) == ([PLACED, DEADLINE], [(0, 1)])
    walk.now = 500
    walk.restart()
    assert {order.cancel_asked_at for order in walk.trade.orders} == {500 * SECOND}
    walk.miss(0).miss(0).miss(0)
    assert walk.trade.orders[0].live  # the fence starts with the new process


def test_a_restart_during_a_back_off_does_not_wait_it_out() -> None:
    """Its clock is void."""
    walk = one_naked(backoff_s=100).look(free=POOR)
    assert not walk.trade.wants_survey(walk.ns)
    assert walk.restart().trade.wants_survey(walk.ns)
    assert walk.trade.attempt == 1  # the budget is the trade's, not the process's


def test_a_restart_while_halted_retries_at_once() -> None:
    """The slow retry was due by another process's clock."""
    walk = halted(remedy="complete")
    walk.now = 7
    walk.restart().look()
    assert walk.moves == [MIXED, WALL, RESUME]


def test_a_restart_with_a_survey_at_hand_asks_again() -> None:
    """Books of the process before are no longer true."""
    walk = rolling_back().ack(2, ended=True).at(1)
    assert walk.restart().trade.survey is None
    assert walk.trade.wants_survey(walk.ns)


# ------------------------------------------------------------------ fees in base


def test_a_buyer_orders_more_where_the_venue_keeps_base() -> None:
    """10.01 bought less 0.1 % is 10 received, floored to the lot: provisional until the fee is known."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE))
    assert walk.sends[1] == (1, "first", "buy", TEN + D("0.01"))
    walk.fills(0).ack(1, "10.01", ended=True, fees=None)
    assert walk.state == "MONITORING"
    assert walk.ledger.provisional
    assert walk.trade.exposure == D("-0.00001") * 1  # 10.01 less 0.01001, assumed
    walk.see(1, "10.01", ended=True, fees=(Fee(D("0.01001"), "BTC"),))
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


def test_a_fee_that_turns_out_to_be_in_another_asset_is_counted_so() -> None:
    """Nothing was kept in base, so more was received than was assumed."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).fills(1, fees=(Fee(D("0.02"), "BNB"),))
    assert walk.trade.exposure == D("0.01")
    assert walk.trade.outcome is Outcome.SUCCESS


def test_a_base_fee_larger_than_assumed_is_put_right() -> None:
    """Received counts, not filled."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE), remedy="complete").fills(0).fills(1, fees=(Fee(D("0.3"), "BTC"),))
    assert (walk.state, walk.trade.exposure) == ("PARTIAL", D("-0.29"))
    walk.look()
    assert walk.sends[2:] == [(1, "complete", "buy", D("0.29"))]


@pytest.mark.parametrize(
    ("bought", "kept", "outcome"),
    [
        (10, "0.2", Outcome.SUCCESS),
        (10, "0.1", Outcome.SUCCESS),
        ("9.8", "0.1", Outcome.PARTIAL_HEDGED),
        ("9.9", "0", Outcome.PARTIAL_HEDGED),  # short by dust, which the venues would trade
        ("9.91", "0", Outcome.SUCCESS),
    ],
)
def test_what_a_venue_keeps_of_a_purchase_makes_a_trade_no_smaller_than_it_was_sized(
    bought: Any, kept: str, outcome: Outcome
) -> None:
    """Ten were sold; what beta kept or did not fill is bought back on alpha. Fees aside, was the size met?"""
    walk = Walk(rules=(ALPHA, evolve(BETA, fee_in=FeeIn.UNKNOWN)), remedy="unwind")
    walk.fills(0).ack(1, bought, ended=True, fees=(Fee(D(kept), "BTC"),))
    if walk.state != "DONE":
        walk.look().fills(2)
    assert (walk.state, walk.trade.outcome) == ("DONE", outcome)


def test_base_that_a_venue_takes_of_a_sale_makes_no_trade_larger() -> None:
    """Alpha sold 9.65 and took 0.15 besides: beta's 9.8 make up for both, and are less than the ten that were sized."""
    walk = Walk(order_type="limit").ack(0, "9.65", ended=True, fees=(Fee(D("0.15"), "BTC"),))
    walk.ack(1, "9.8", ended=True)
    assert (walk.state, walk.trade.exposure, walk.trade.outcome) == ("DONE", 0, Outcome.PARTIAL_HEDGED)


def test_a_fee_that_is_never_told_calls_a_person() -> None:
    """Both orders ended and only a fee is unknown: asked for until the deadline, then halted, never silent."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).ack(1, "10.01", ended=True, fees=None)
    assert walk.at(4).state == "MONITORING"
    assert walk.at(5).moves == [PLACED, DEADLINE]
    assert walk.at(120).state == "HALTED"
    walk.see(1, "10.01", ended=True, fees=(Fee(D("0.01001"), "BTC"),))
    assert walk.moves[-2:] == [HALTED_MATCHED, BOOKED]


def test_a_halted_trade_whose_only_doubt_is_a_fee_comes_to_an_end() -> None:
    """Neither venue refuses a remedy, and none is even needed: halted is no answer for ever."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).ack(1, "10.01", ended=True, fees=None).at(5).at(120)
    for look in range(1, 100):
        walk.at(120 + 60 * look).see(1, "10.01", ended=True, fees=None)
    assert walk.state == "DONE"


def test_a_fee_that_is_told_after_a_bust_is_taken() -> None:
    """The venue shows six of ten and the fee of six: nothing is left to be known."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).ack(1, "10.01", ended=True, fees=None).bust(1, 4)
    walk.see(1, "6.01", ended=True, fees=(Fee(D("0.00601"), "BTC"),))
    assert not walk.ledger.provisional


def test_a_late_fill_whose_fee_is_unknown_calls_a_person_in_the_end() -> None:
    """The doubt about a fee has a beginning, so it has an end."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).ack(0, 8, ended=True).ack(1, 8, ended=True)
    walk.at(10).see(1, 10, ended=True, fees=None)
    assert walk.moves[-1] == DISTURBED
    assert walk.at(129).state == "PARTIAL"
    assert walk.at(130).state == "HALTED"


def test_a_venue_that_tells_no_fee_is_believed_after_three_looks() -> None:
    """Only where it is not known in which asset it charges."""
    rules = evolve(BETA, fee_in=FeeIn.UNKNOWN)
    walk = Walk(rules=(ALPHA, rules)).fills(0).fills(1, fees=None)
    assert walk.state == "MONITORING"
    walk.see(1, 10, ended=True, fees=None)
    assert walk.state == "MONITORING"
    walk.see(1, 10, ended=True, fees=None)
    assert walk.moves == [PLACED, MATCHED, BOOKED]


def test_a_fee_correction_after_booking_disturbs_where_it_is_more_than_dust() -> None:
    """It is a late fact like any other."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0)
    cheap = fill("x", "10.01", fee=Fee(D("0.01"), "BTC"))
    walk.ack(1, "10.01", ended=True, fills=(cheap,))
    assert walk.state == "DONE"
    walk.see(1, "10.01", ended=True, fills=(evolve(cheap, fee=Fee(D("0.5"), "BTC")),))
    assert (walk.moves[-1], walk.trade.exposure) == (DISTURBED, D("-0.49"))


# ------------------------------------------------------------------ exits


@pytest.mark.parametrize("placement", [Placement.SIMULTANEOUS, Placement.SEQUENTIAL])
def test_an_exit_trades_the_other_way_the_size_of_its_position(placement: Placement) -> None:
    """Bought back on alpha, sold on beta, whatever else is free on either."""
    walk = Walk(leaving(), sides=(BUY, SELL), quantity=D("7.5"), placement=placement).fills(0).fills(1)
    assert walk.sends == [(0, "first", "buy", D("7.5")), (1, "first", "sell", D("7.5"))]
    assert walk.moves == [PLACED, MATCHED, BOOKED]
    assert (walk.trade.outcome, walk.trade.booked_quantity) == (Outcome.SUCCESS, D("7.5"))


def test_an_exit_that_rolls_back_books_nothing() -> None:
    """Its position stays what it was."""
    walk = Walk(leaving(), sides=(BUY, SELL), quantity=D(5), remedy="unwind").fills(0).refuse(1).look()
    assert walk.sends[2:] == [(0, "unwind", "sell", D(5))]
    assert walk.fills(2).trade.outcome is Outcome.ROLLED_BACK
    assert walk.trade.booked_quantity is None


PERPETUALS = {"legs": (LEGS[0], PERPETUAL)}


def test_an_exit_of_a_derivative_only_ever_makes_the_position_smaller() -> None:
    """First order and completion reduce; undoing the exit opens again and may not be held to that."""
    exits = leaving(**PERPETUALS)
    numbers: dict[str, Any] = {"rules": (ALPHA, BETA_PERPETUAL), "sides": (BUY, SELL), "quantity": D(5)}
    walk = Walk(exits, remedy="complete", **numbers).fills(0).refuse(1).look()
    assert [(each.leg, each.reduce_only) for each in walk.sent] == [(0, False), (1, True), (1, True)]
    back = Walk(exits, remedy="unwind", **numbers).refuse(0).fills(1).look()
    assert [(each.leg, each.purpose, each.reduce_only) for each in back.sent][2:] == [(1, Purpose.UNWIND, False)]


def test_a_venue_that_will_not_reduce_gets_a_plain_order() -> None:
    """Other positions of ours on that contract may net this one away; the quantity is bounded all the same."""
    numbers: dict[str, Any] = {"rules": (ALPHA, BETA_PERPETUAL), "sides": (BUY, SELL), "quantity": D(5)}
    walk = Walk(leaving(**PERPETUALS), remedy="complete", **numbers).fills(0).refuse(1, "ReduceOnly Order is rejected")
    assert [(each.leg, each.reduce_only) for each in walk.look().sent] == [(0, False), (1, True), (1, False)]


def test_an_exit_of_a_derivative_needs_no_free_margin_to_complete() -> None:
    """Margin is what the position holds; making it smaller frees some."""
    walk = Walk(
        leaving(**PERPETUALS), rules=(ALPHA, BETA_PERPETUAL), sides=(BUY, SELL), quantity=D(5), remedy="complete"
    )
    walk.fills(0).refuse(1).look(free=POOR)
    assert walk.sends[2:] == [(1, "complete", "sell", D(5))]


def test_an_entry_on_a_derivative_reduces_when_it_unwinds() -> None:
    """And needs no margin for that, while completing does."""
    walk = Walk(entry(**PERPETUALS), rules=(ALPHA, BETA_PERPETUAL)).refuse(0).fills(1).look(free=POOR)
    assert walk.sends[2:] == [(1, "unwind", "sell", D(10))]
    assert [each.reduce_only for each in walk.sent] == [False, False, True]
    other = Walk(entry(**PERPETUALS), rules=(ALPHA, BETA_PERPETUAL), attempts_max=1).fills(0).refuse(1).look(free=POOR)
    assert other.state == "HALTED"


# ------------------------------------------------------------------ what the driver asks


def test_a_survey_is_wanted_when_a_remedy_is_due_and_never_otherwise() -> None:
    """Not before a ledger, not while orders live, not during a back-off, not twice, not when all is over."""
    assert not Walk(begin=False).trade.wants_survey(0)
    assert not Walk().trade.wants_survey(0)
    assert not both_filled().trade.wants_survey(0)
    walk = one_naked()
    assert walk.trade.wants_survey(walk.ns)
    walk.look()
    assert not walk.trade.wants_survey(walk.ns)
    walk.ack(2, ended=True)
    assert not walk.trade.wants_survey(walk.trade.not_before - 1)
    assert walk.trade.wants_survey(walk.trade.not_before)


def test_a_survey_of_another_ledger_is_forgotten() -> None:
    """What was asked before a fill arrived was asked about something else."""
    walk = one_naked(backoff_s=10).look().ack(2, ended=True)
    walk.tell(survey(now=walk.ns))
    assert walk.trade.survey is not None
    assert not walk.trade.wants_survey(walk.trade.not_before)  # it has one
    walk.see(0, 11, ended=True)
    assert walk.trade.survey is None


def test_the_next_alarm_is_the_nearest_of_deadline_doubt_back_off_and_retry() -> None:
    """Time alone changes nothing in between."""
    walk = Walk()
    assert walk.trade.wakes_at(0) == 5 * SECOND
    walk.fills(0).doubt(1)
    assert walk.trade.wakes_at(0) == 5 * SECOND
    walk.at(5)
    assert walk.trade.wakes_at(walk.ns) == 120 * SECOND
    walk.at(120)
    assert walk.trade.wakes_at(walk.ns) == 180 * SECOND
    assert both_filled().trade.wakes_at(0) is None
    over = one_naked().look().fills(2)
    assert (over.state, over.trade.not_before > 0, over.trade.wakes_at(0)) == ("DONE", True, None)
    assert halted().trade.wakes_at(0) == 60 * SECOND
    assert one_naked().silence(0, 1).trade.wakes_at(0) == SECOND // 2


def test_waking_at_each_alarm_is_enough() -> None:
    """A driver that sleeps from alarm to alarm misses nothing: in doubt, halted, told again."""
    walk = Walk().fills(0).doubt(1)
    alarms = []
    for _ in range(4):
        alarm = walk.trade.wakes_at(walk.ns)
        assert alarm is not None
        alarms.append(alarm // SECOND)
        walk.at(alarm / SECOND)
    assert alarms == [5, 120, 180, 240]
    assert (walk.state, len(walk.stalls())) == ("HALTED", 2)


def test_a_copy_goes_its_own_way() -> None:
    """Neither sees what the other is told."""
    walk = Walk(order_type="limit").ack(0)
    twin = walk.trade.copy()
    assert remembered(twin) == remembered(walk.trade)
    before = remembered(walk.trade)
    twin.handle(Observed(now=0, order=0, snapshot=snapshot(10, ended=True)), 0)
    assert remembered(walk.trade) == before
    assert twin.orders[0].filled == 10
    assert walk.trade.handle(Ticked(now=0), 0) == Step()
    before = remembered(twin)
    walk.see(0, 3)
    assert remembered(twin) == before
    assert remembered(twin.copy().copy()) == before  # as often as one likes


# ------------------------------------------------------------------ our own bugs


def test_a_trigger_fired_by_hand_moves_nothing() -> None:
    """A trade moves when it is told what happened, and only then."""
    walk = Walk(begin=False)
    with pytest.raises(MachineError, match="was fired by hand"):
        walk.trade.checks_passed(TradeView(checks=Checks.PASSED))
    assert walk.state == "PRECHECK"
    halfway = Walk(order_type="limit").ack(0).ack(1)  # it has moved before, when it was told to
    with pytest.raises(MachineError, match="was fired by hand"):
        halfway.trade.settled(TradeView(standing=Standing.MATCHED))
    assert halfway.state == "MONITORING"


def test_a_move_records_what_was_chosen_when_its_guards_were_asked() -> None:
    """So that an auditor need not guess; waiting, and where there is nothing to choose, is left out."""

    def chosen(walk: Walk) -> list[Kind | None]:
        moved = [entry.fact for entry in walk.entries if isinstance(entry.fact, Moved)]
        return [fact.choice.kind if fact.choice else None for fact in moved]

    assert chosen(both_filled()) == [None, None, Kind.BOOK, Kind.BOOK, None]
    assert chosen(Walk(order_type="limit").ack(0).ack(1).at(5)) == [None, None, None, Kind.CANCEL]
    assert chosen(Walk().fills(0).doubt(1).at(5)) == [None, None, Kind.PROBE, Kind.PROBE]
    wall = one_naked(attempts_max=1).look(free=POOR).entries[-1].fact
    assert isinstance(wall, Moved)
    assert wall.choice is not None
    assert (wall.choice.kind, len(wall.choice.weighed)) == (Kind.HALT, 2)


def test_only_a_wall_and_an_end_are_explained() -> None:
    """Each refusal once, by the venue that made it; on the way nothing is said."""
    walk = Walk().refuse(0).ack(1, ended=True)
    moved = [entry.fact for entry in walk.entries if isinstance(entry.fact, Moved)]
    assert [fact.note for fact in moved] == ["", "", "", "alpha: insufficient_funds: no"]
    assert walk.trade.outcome is Outcome.FAILED


def test_a_circle_in_the_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight moves on one event are more than any way through."""
    walk = Walk()
    row = walk.trade  # any object that claims to be a row
    monkeypatch.setattr("fsm_arb.trade.TRADE_TABLE.enabled", lambda *_: (row,))
    monkeypatch.setattr(Trade, "_move", lambda *_: None)
    with pytest.raises(MachineError, match="leads in a circle"):
        walk.trade.handle(Ticked(now=0), 0)


def test_a_trade_without_a_ledger_has_nothing_to_book() -> None:
    """Asking for it is our bug."""
    with pytest.raises(LedgerBroken, match="nothing to book"):
        Walk(begin=False).trade._hedged()


def test_a_ledger_without_orders_waits_for_them() -> None:
    """A plan whose intents were never written has nothing placed."""
    assert _placing(evolve(Walk().ledger, orders=())) is Placing.WAITING
    assert _placing(Walk().fills(0).ledger) is Placing.WAITING  # the other's call is out


def test_a_trade_cut_off_after_any_commit_goes_on_to_a_match() -> None:
    """Folded from what is durable and told what the venues hold, it ends matched or flat, and sends nothing twice."""
    whole = Walk(remedy="complete").fills(0).refuse(1).look().fills(2)
    ids = {each.client_order_id for each in whole.sent}
    for cut in whole.commits:
        trade = Trade.fold("t1", whole.entries[:cut], lambda: "again")
        written = trade.orders
        step = trade.handle(Restarted(now=0), 0)
        assert step.sends == ()
        for order in written:
            told = snapshot(0 if order.intent.index == 1 else order.intent.amount, ended=True)
            step = trade.handle(Observed(now=0, order=order.intent.index, snapshot=told), 0)
            assert step.sends == ()
        if trade.wants_survey(0):
            (sent,) = trade.handle(survey(), 0).sends
            assert sent.client_order_id not in ids
            told = Acknowledged(snapshot=snapshot(sent.amount, ended=True))
            trade.handle(PlaceEnded(now=0, order=sent.index, outcome=told), 0)
        assert trade.done
        assert abs(trade.exposure) < D("0.1")
    assert len(whole.commits) == 7


def test_a_second_plan_is_our_bug() -> None:
    """It would forget the orders that were sent by the first."""
    walk = Walk()
    before = remembered(walk.trade)
    with pytest.raises(MachineError, match="another plan would forget them"):
        walk.tell(Sized(now=0, plan=walk.plan))
    assert remembered(walk.trade) == before


# ------------------------------------------------------------------ at random


def something_happens(walk: Walk, chance: random.Random) -> None:
    """Tell the trade one thing that may or may not make sense: of time, a person, a book or an order."""
    what, trade = chance.random(), walk.trade
    if what < 0.15:
        walk.later(chance.choice([0.1, 1, 5, 15, 60, 120]))
    elif what < 0.2:
        walk.now = chance.choice([walk.now, walk.now + 100, 1.0])  # another machine's clock may be behind
        walk.restart()
    elif what < 0.25:
        chance.choice([walk.resume, walk.end_watch])()
    elif what < 0.37 and trade.wants_survey(walk.ns):
        dear = book("98", "102")
        books = chance.choice([(None, None), (dear, None), (None, dear), (dear, dear)])
        if chance.random() < 0.3:
            walk.silence(*chance.choice([(0,), (1,), (0, 1)]))
        else:
            walk.look(*books, free=chance.choice([RICH, POOR, None, Balances(free={"USD": D(300), "BTC": D(3)})]))
    elif what < 0.41:
        side, amount = chance.choice([*Side]), chance.choice([1, "0.05", 10, 4])
        with contextlib.suppress(InvalidInput):
            if chance.random() < 0.5:
                walk.bust(chance.randrange(len(trade.orders)), amount)
            else:
                walk.by_hand(chance.choice([0, 1]), side, amount)
    else:
        order_happens(walk, chance)


def order_happens(walk: Walk, chance: random.Random) -> None:
    order = chance.choice(walk.trade.orders)
    index, amount = order.intent.index, order.intent.amount
    filled = chance.choice([ZERO, amount, D("0.05"), (amount * D("0.6")).quantize(D("0.01"))])
    fees: Any = chance.choice([None, (), (Fee(filled / 1000, "BTC"),)])
    shown: dict[str, Any] = {"fees": fees, "ended": chance.random() < 0.6}
    if chance.random() < 0.03:
        shown["symbol"] = "ETH/USD"
    which = chance.random()
    if order.placing_ended_at is None and which < 0.9:
        call = [walk.ack, walk.refuse, walk.doubt][int(which * 10) // 4]
        call(index, filled, **shown) if call == walk.ack else call(index)
    elif which < 0.7:
        walk.see(index, filled, **shown)
    else:
        for _ in range(chance.choice([1, 3])):
            walk.miss(index, covered=chance.random() < 0.8)


def truth_comes_out(walk: Walk) -> None:
    """Let every venue tell all it knows and take any remedy, and time pass, until the trade is over."""
    for _ in range(60):
        if walk.trade.done:
            return
        for order in walk.trade.orders:
            if order.placing_ended_at is None:
                walk.ack(order.intent.index, order.intent.amount, ended=True)
            elif order.live or order.provisional:
                walk.see(order.intent.index, order.gross, ended=True, fees=())
        alarm = walk.trade.wakes_at(walk.ns)
        if walk.trade.wants_survey(walk.ns):
            walk.look()
        elif alarm is not None:
            walk.at(alarm / SECOND + 1e-6)


@pytest.mark.parametrize("seed", range(150))
def test_whatever_happens_in_whatever_order_the_trade_is_never_stuck_and_ends(seed: int) -> None:
    """At each step the fold is the trade and something is waited for; in the end it is DONE and matched."""
    chance = random.Random(seed)
    numbers: dict[str, Any] = {
        "placement": chance.choice(["simultaneous", "sequential"]),
        "order_type": chance.choice(["ioc", "limit", "market"]),
        "remedy": chance.choice(["cheapest", "complete", "unwind"]),
        "doubt_remedy": chance.choice(["wait", "act_on_known"]),
        "attempts_max": chance.choice([1, 3, 5]),
        "doubt_max_s": chance.choice([0, 3, 30, 120]),
        "backoff_s": chance.choice([0, 0.5, 10]),
    }
    beta = evolve(BETA, fee_in=chance.choice([*FeeIn]))
    if chance.random() < 0.3:
        numbers |= {"decision": leaving(), "sides": chance.choice([(BUY, SELL), (SELL, BUY)]), "quantity": D(10)}
    walk = Walk(rules=(ALPHA, beta), **numbers)
    for _ in range(chance.randint(1, 60)):
        something_happens(walk, chance)
    truth_comes_out(walk)
    assert walk.trade.done


# ------------------------------------------------------------------ a person's word


def in_doubt(**numbers: Any) -> Walk:
    """Leg 0 has sold ten, leg 1 is in doubt for longer than allowed: HALTED."""
    walk = Walk(**numbers).fills(0).doubt(1).at(5).at(120)
    assert walk.state == "HALTED"
    return walk


def test_a_verdict_ends_the_doubt_and_the_trade() -> None:
    """No venue shows the order; the operator has seen on the website that it filled whole."""
    walk = in_doubt()
    walk.tell(Judged(now=walk.ns, order=1, filled=TEN, price=D(100), reason="seen on the website"))
    assert walk.moves[-2:] == [HALTED_MATCHED, BOOKED]
    assert walk.trade.outcome is Outcome.SUCCESS


def test_a_verdict_of_nothing_lets_the_trade_be_put_right_at_once() -> None:
    """The doubt is over, so the retry does not wait for its hour."""
    walk = in_doubt(remedy="complete")
    walk.tell(Judged(now=walk.ns, order=1, filled=ZERO, price=None, reason="the exchange's support says so"))
    assert walk.look().moves[-1] == RESUME
    assert walk.sends[2:] == [(1, "complete", "buy", TEN)]


def test_a_verdict_is_not_the_last_word() -> None:
    """A venue that shows the order all the same is believed, and the trade put right again."""
    walk = in_doubt()
    walk.tell(Judged(now=walk.ns, order=1, filled=ZERO, price=None, reason="wrong"))
    walk.see(1, TEN, ended=True)
    assert walk.moves[-2:] == [HALTED_MATCHED, BOOKED]


@pytest.mark.parametrize(("order", "filled"), [(7, 0), (2, 0), (-1, 0), (0, 4), (1, "10.01"), (1, -1)])
def test_a_verdict_that_cannot_be_is_refused_and_changes_nothing(order: int, filled: Any) -> None:
    """Less than was seen, more than was ordered, or of no order of the trade."""
    walk = in_doubt()
    before = remembered(walk.trade)
    with pytest.raises(InvalidInput):
        walk.tell(Judged(now=walk.ns, order=order, filled=D(filled), price=None, reason="?"))
    assert remembered(walk.trade) == before


def test_a_verdict_may_be_about_the_first_order() -> None:
    """It is one like any other."""
    walk = Walk().doubt(0).fills(1).at(120)
    walk.tell(Judged(now=walk.ns, order=0, filled=TEN, price=PRICE, reason="seen on the website"))
    assert (walk.state, walk.trade.outcome) == ("DONE", Outcome.SUCCESS)


def test_a_verdict_waits_for_the_call_that_places_the_order() -> None:
    """Nobody can know yet."""
    walk = Walk().fills(0)
    with pytest.raises(InvalidInput, match="being sent"):
        walk.tell(Judged(now=0, order=1, filled=ZERO, price=None, reason="?"))


def test_an_operators_trade_on_a_leg_in_doubt_is_refused() -> None:
    """It may be the very order that is in doubt, and would count twice."""
    walk = in_doubt()
    with pytest.raises(InvalidInput, match="settle it first"):
        walk.tell(ExternalFill(now=walk.ns, leg=1, side=BUY, amount=TEN, price=D(100), reason="seen on the website"))


def test_a_doubt_that_ends_unmatched_is_put_right_at_once() -> None:
    """A halted trade whose order shows up empty does not stay naked until the next slow retry."""
    walk = in_doubt(remedy="complete").see(1, 0, ended=True)
    assert walk.look().moves[-1] == RESUME
    assert walk.sends[2:] == [(1, "complete", "buy", TEN)]


def test_a_remedy_in_vain_after_a_doubt_does_not_try_round_and_round() -> None:
    """Once tried, it is a halted trade like any other: the next retry is slow."""
    walk = in_doubt(remedy="complete").see(1, 0, ended=True).silence(0, 1)
    assert walk.state == "HALTED"
    assert not walk.trade.wants_survey(walk.ns)
    assert walk.later(60).trade.wants_survey(walk.ns)


def test_an_outlook_is_what_would_be_chosen_and_changes_nothing() -> None:
    """Asked at any time, it answers with the choice and the view of that time; before sizing there is none."""
    walk = Walk(order_type="limit").ack(0).ack(1)
    before = remembered(walk.trade)
    choice, view = walk.trade.outlook(0)
    assert (choice is not None and choice.kind.value, view.overdue) == ("wait", False)
    choice, view = walk.trade.outlook(6 * SECOND)
    assert (choice is not None and choice.kind.value, view.overdue) == ("cancel", True)
    assert remembered(walk.trade) == before
    assert Walk(begin=False).trade.outlook(0)[0] is None


def test_what_nobody_has_checked_yet_is_pending_in_its_outlook() -> None:
    """Neither passed nor refused, be it its checks or its size."""
    view = Walk(begin=False).trade.outlook(0)[1]
    assert (view.checks, view.sizing) == (Checks.PENDING, Checks.PENDING)


def test_less_than_one_base_that_stands_the_right_way_round_ends_without_a_note() -> None:
    """Half of one, of something dear, is booked like ten."""
    walk = Walk().ack(0, "0.5", ended=True).ack(1, "0.5", ended=True)
    assert (walk.state, walk.trade.booked_quantity, walk.trade.end_note) == ("DONE", D("0.5"), "")
