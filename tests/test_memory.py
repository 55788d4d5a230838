"""What a trade remembers: the fold of its records, and what a fold refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from attrs import evolve
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, BETA_PERPETUAL, LEGS, PERPETUAL, SECOND, Walk, remembered
from worlds import entry as decided

from fsm_arb.errors import MachineError
from fsm_arb.memory import TRIGGERS, Entry, Memory
from fsm_arb.messages import Fact, Kind, Moved, Outcome, Purpose, Restarted, Stalled
from fsm_arb.trade import Trade
from fsm_arb.values import Money, Side


def fold(entries: list[Entry]) -> Trade:
    return Trade.fold("t1", entries, lambda: "x")


def test_every_fact_but_a_move_has_a_name_of_its_own() -> None:
    """A move is called by its trigger."""
    assert set(TRIGGERS) == set(get_args(Fact)) - {Moved}
    assert len(set(TRIGGERS.values())) == len(TRIGGERS)


def test_what_a_record_is_called_never_changes() -> None:
    """Journals that were written yesterday hold these words, and operators have learnt them."""
    assert {fact.__name__: name for fact, name in TRIGGERS.items()} == {
        "Begun": "begun",
        "Checked": "checked",
        "Sized": "planned",
        "Intended": "intended",
        "PlaceEnded": "place_ended",
        "Observed": "observed",
        "Missed": "missed",
        "CancelAsked": "cancel_asked",
        "CancelEnded": "cancel_ended",
        "Surveyed": "surveyed",
        "Stalled": "stalled",
        "Resumed": "resume_asked",
        "Restarted": "restarted",
        "ExternalFill": "external_fill",
        "Busted": "busted",
        "Judged": "judged",
        "AbortAsked": "abort_asked",
        "WatchEnded": "watch_ended",
    }


def test_a_fold_of_nothing_or_of_a_middle_is_no_trade() -> None:
    """The first record is that it was begun."""
    walk = Walk()
    for entries in ([], walk.entries[1:]):
        with pytest.raises(MachineError, match="t1: its first record is not that it was begun"):
            fold(entries)


def test_a_record_that_leaves_another_state_is_refused() -> None:
    """One before it is missing."""
    walk = Walk()
    moved = next(index for index, entry in enumerate(walk.entries) if isinstance(entry.fact, Moved))
    with pytest.raises(MachineError, match="record planned leaves SIZING, but it is PRECHECK"):
        fold(walk.entries[:moved] + walk.entries[moved + 1 :])


def test_a_record_along_no_row_is_refused() -> None:
    """Whatever wrote it, it was not this machine."""
    walk = Walk()
    last = walk.entries[-1]
    stray = Entry(0, "booked", "PLACING", "DONE", Moved(now=0))
    with pytest.raises(MachineError, match="t1: no row PLACING -- booked --> DONE"):
        fold([*walk.entries, stray])
    assert last.before == "PLACING"


def test_folding_twice_is_folding_once() -> None:
    """And taking in the records one by one is folding them."""
    walk = Walk(remedy="complete").fills(0).refuse(1).look().fills(2)
    once, twice = fold(walk.entries), fold(walk.entries)
    assert remembered(once) == remembered(twice) == remembered(walk.trade)
    follower = fold(walk.entries[:1])
    for entry in walk.entries[1:]:
        follower.remember(entry)
    assert remembered(follower) == remembered(walk.trade)


def test_a_fold_remembers_and_decides_nothing() -> None:
    """The base class has no way to decide, and folds all the same."""
    walk = Walk().fills(0).fills(1)
    memory = Memory.fold("t1", walk.entries, lambda: "x")
    assert (memory.state, memory.outcome, memory.booked_quantity) == ("DONE", Outcome.SUCCESS, 10)
    assert not hasattr(memory, "handle")


def test_what_was_never_sized_holds_nothing() -> None:
    """No orders, no exposure, no way to be resumed."""
    trade = Walk(begin=False).trade
    assert (trade.orders, trade.exposure, trade.done, trade.halted, trade.finished) == ((), 0, False, False, False)


def test_a_trade_that_was_only_begun_has_done_nothing_yet() -> None:
    """No attempt, no request, no halt, no end."""
    trade = Walk(begin=False).trade
    assert (trade.attempt, trade.granted, trade.not_before, trade.refused, trade.retry_at) == (
        0,
        0,
        0,
        frozenset(),
        None,
    )
    assert (trade.operator_asked, trade.aborting, trade.watch_ended, trade.bookings) == (False, "", False, 0)
    assert (trade.ever_halted, trade.halted_in_doubt, trade.halt_reason) == (False, False, "")
    assert (trade.outcome, trade.end_note, trade.ended_at_ns, trade.moved_at_ns) == (None, "", None, None)


def test_each_trade_that_a_person_made_counts() -> None:
    """The second does not replace the first."""
    walk = Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, Side.BUY, 4).by_hand(1, Side.BUY, 3)
    assert (len(walk.ledger.external), walk.trade.exposure) == (2, -3)


def test_a_trade_is_finished_when_it_is_done_and_watched_no_more() -> None:
    """At once where nothing was sent; a halted trade is never finished."""
    walk = Walk().fills(0).fills(1)
    assert not walk.trade.finished
    assert walk.end_watch().trade.finished
    halted = Walk(attempts_max=0).fills(0).refuse(1).end_watch()
    assert (halted.state, halted.trade.finished) == ("HALTED", False)
    assert not halted.trade.watch_ended


def test_a_trade_that_is_disturbed_is_watched_anew() -> None:
    """The watch that had ended was of another end."""
    walk = Walk(remedy="unwind").fills(0).fills(1).end_watch().bust(1, 3)
    assert not walk.trade.finished
    walk.silence(1).fills(2)
    assert (walk.state, walk.trade.finished) == ("DONE", False)


@pytest.mark.parametrize(
    ("end", "refused"),
    [
        ({"filled": 0, "ended": True}, {Kind.COMPLETE}),
        ({"filled": 5, "ended": True}, {Kind.COMPLETE}),
        ({"filled": "5.01", "ended": True}, set()),
        ({"filled": 2}, set()),
    ],
)
def test_a_remedy_that_was_left_half_open_lets_the_other_go_first(end: dict[str, Any], refused: set[Kind]) -> None:
    """Refused, absent, or ended with half or less; not while it may still fill."""
    walk = Walk(remedy="complete").fills(0).refuse(1).look()
    assert walk.ack(2, **end).trade.refused == refused


def test_a_remedy_is_known_to_be_in_vain_however_that_is_learnt() -> None:
    """By an observation, or because it is found no more."""
    seen = Walk(remedy="complete").fills(0).refuse(1).look().ack(2)
    assert seen.trade.refused == frozenset()
    assert seen.see(2, ended=True).trade.refused == {Kind.COMPLETE}
    absent = Walk(remedy="complete").fills(0).refuse(1).look().doubt(2).vanish(2)
    assert absent.trade.refused == {Kind.COMPLETE}


def in_coarse_lots() -> Walk:
    """Leg 0 has sold eleven, and the first of the remedies that are allowed is to buy nine: lots of three."""
    rules = (ALPHA, evolve(BETA, lot=Decimal(3), amount_min=Decimal(3)))
    walk = Walk(decided(notional=Money(Decimal(1200), "USD")), rules=rules, attempts_max=1, remedy="complete")
    walk.ack(0, 11, ended=True).refuse(1).look()
    assert walk.sends[2] == (1, "complete", "buy", 9)
    return walk


def test_a_remedy_that_fills_whole_is_granted_another() -> None:
    """Once, however often it is shown: the two that nine of eleven leave are for the other leg, without a retry."""
    walk = in_coarse_lots().fills(2)
    assert (walk.state, walk.trade.attempt, walk.trade.granted) == ("PARTIAL", 1, 2)
    assert walk.see(2, 9, ended=True).trade.granted == 2
    walk.later(1).look()
    assert walk.sends[3] == (0, "unwind", "buy", 2)
    assert walk.see(2, 9, ended=True).fills(3).state == "DONE"
    assert not walk.trade.ever_halted


@pytest.mark.parametrize("filled", [0, 6, "8.99"])
def test_a_remedy_that_falls_short_is_granted_nothing(filled: Any) -> None:
    """The budget is for those."""
    walk = in_coarse_lots().ack(2, filled, ended=True)
    assert (walk.state, walk.trade.granted) == ("HALTED", 0)


def test_what_is_learnt_later_of_a_remedy_grants_nothing_again() -> None:
    """It had filled whole before; that another price is told for it is news, and no further attempt."""
    walk = in_coarse_lots().fills(2)
    before = walk.ledger
    assert walk.see(2, 9, ended=True, average=Decimal(99)).trade.granted == 2
    assert walk.ledger is not before


def test_a_first_order_that_fills_whole_is_granted_nothing() -> None:
    """It is no remedy."""
    assert Walk(attempts_max=1).fills(0).refuse(1).trade.granted == 0


def test_a_trade_that_is_disturbed_has_the_budget_of_its_policy() -> None:
    """Nobody has granted it more: where no attempts are allowed it halts at once."""
    walk = Walk(attempts_max=0).fills(0).fills(1).bust(1, 3)
    assert (walk.state, walk.trade.granted, len(walk.sends)) == ("HALTED", 0, 2)


def test_what_belongs_to_a_halt_is_over_with_it() -> None:
    """The next retry, what an operator asked, and that it was in doubt."""
    walk = Walk().fills(0).doubt(1).at(5).at(120)
    assert (walk.state, walk.trade.halted_in_doubt, walk.trade.retry_at) == ("HALTED", True, 180 * SECOND)
    walk.see(1, 10, ended=True)
    assert (walk.state, walk.trade.halted_in_doubt, walk.trade.retry_at) == ("DONE", False, None)
    assert walk.trade.ever_halted


def test_a_remedy_that_was_refused_for_its_form_is_not_given_up() -> None:
    """A venue that nets positions takes no reduce-only order; the next one of the kind goes out plain."""
    rules = (ALPHA, BETA_PERPETUAL)
    walk = Walk(decided(legs=(LEGS[0], PERPETUAL)), rules=rules, remedy="unwind").refuse(0).fills(1).look()
    assert walk.sent[2].reduce_only
    assert walk.refuse(2, "reduceOnly rejected").trade.refused == frozenset()
    plain = walk.later(1).silence(0).sent[3]
    assert (plain.leg, plain.purpose, plain.reduce_only) == (1, Purpose.UNWIND, False)
    assert walk.refuse(3).trade.refused == {Kind.UNWIND}  # this time for what it is
    other = Walk(decided(legs=(LEGS[0], PERPETUAL)), rules=rules, remedy="unwind").refuse(0).fills(1).look()
    assert other.refuse(2).trade.refused == {Kind.UNWIND}


def test_both_remedies_can_have_been_refused() -> None:
    """The second refusal does not make the first forgotten."""
    walk = Walk(remedy="complete").fills(0).refuse(1).look().refuse(2).later(1).look().refuse(3)
    assert [purpose for _, purpose, _, _ in walk.sends[2:]] == ["complete", "unwind"]
    assert walk.trade.refused == {Kind.COMPLETE, Kind.UNWIND}


def test_a_stall_believes_an_assumed_fee_only_where_the_trade_is_halted() -> None:
    """Before that a person has not been called, and the fee may be told."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).refuse(0).ack(1, "10.01", ended=True, fees=None)
    assert (walk.state, walk.ledger.provisional) == ("PARTIAL", True)
    choice = next(each for each in walk.choices() if each is not None)
    walk.trade.remember(Entry(0, "stalled", "PARTIAL", "PARTIAL", Stalled(now=0, choice=choice)))
    assert (walk.ledger.provisional, walk.trade.attempt) == (True, 1)


def test_the_time_of_the_last_edge_is_known() -> None:
    """The wall clock of its record; what is told without a move leaves it."""
    walk = Walk(order_type="limit").ack(0).at(1.5).ack(1)
    assert walk.trade.moved_at_ns == 1.5 * SECOND
    assert walk.at(2).see(0, 4).trade.moved_at_ns == 1.5 * SECOND


def test_first_orders_are_no_remedies() -> None:
    """Their refusal says nothing about the way out."""
    assert Walk().fills(0).refuse(1).trade.refused == frozenset()


def test_a_restart_touches_no_budget() -> None:
    """It voids clocks."""
    walk = Walk().fills(0).refuse(1).silence(0, 1)
    before = remembered(walk.trade)
    entry = Entry(0, "restarted", walk.state, walk.state, Restarted(now=5))
    walk.trade.remember(entry)
    after = remembered(walk.trade)
    assert {name for name in after if after[name] != before[name]} == {"not_before"}
    assert walk.trade.attempt == 1


def test_each_booking_is_counted() -> None:
    """A disturbed trade is booked again."""
    walk = Walk().fills(0).fills(1)
    assert walk.trade.bookings == 1
    walk.bust(1, 3).silence(1).fills(2)
    assert (walk.trade.bookings, walk.trade.booked_quantity) == (2, 7)
    assert evolve(walk.ledger).exposure == 0


def test_what_is_asked_of_a_trade_is_remembered() -> None:
    """An abort by its reason; a resume only where it is halted; a restart aborts what has no intent."""
    assert Walk(begin=False).abort().trade.aborting == "no longer wanted"
    assert Walk(begin=False).restart().trade.aborting == "taken up after a restart before its first intent"
    assert not Walk().resume().trade.operator_asked
    halted = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1)
    assert halted.resume().trade.operator_asked
    assert halted.silence(0, 1).trade.retry_at == 60 * SECOND
    halted.now = 7
    assert halted.restart().trade.retry_at == 7 * SECOND
    assert not halted.trade.operator_asked


def test_a_booking_that_was_taken_back_whole_is_nothing() -> None:
    """What was never booked stays so."""
    walk = Walk().fills(0).fills(1).bust(1, 10).bust(0, 10)
    assert (walk.state, walk.trade.booked_quantity) == ("DONE", 0)
    assert Walk().ack(0, ended=True).ack(1, ended=True).trade.booked_quantity is None
