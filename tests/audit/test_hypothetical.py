"""Other policy numbers on the same observations: the first decision that would have been another one."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from attrs import evolve
from histories import bad_nights, calm, doubtful, halted, unwound
from worlds import Walk, book, policy

from fsm_arb.audit.course import DECIDED
from fsm_arb.audit.hypothetical import How, act, not_judged, same_act, suppose
from fsm_arb.messages import Kind
from fsm_arb.policy import DoubtRemedy, Placement, Remedy
from fsm_arb.values import OrderType

D = Decimal
SECOND = 1_000_000_000


def test_the_same_numbers_change_nothing() -> None:
    """Also on bad nights: what would have been done is what was done."""
    for name, entries in bad_nights().items():
        found = suppose(name, entries, {})
        assert (found.divergence, found.unknown) == (None, ""), name


def test_another_preference_parts_at_the_first_remedy() -> None:
    """Both choices are told, each with what it compared."""
    walk = unwound()
    found = suppose("unwound", walk.entries, {"remedy": Remedy.COMPLETE})
    parted = found.divergence
    assert parted is not None
    assert (parted.how, parted.recorded, parted.instead) == (How.OTHER, "unwind", "complete")
    assert walk.entries[parted.number - 1].trigger == "unwind"
    assert parted.recorded_choice is not None
    assert parted.choice is not None
    assert (parted.recorded_choice.kind, parted.choice.kind) == (Kind.UNWIND, Kind.COMPLETE)
    assert parted.choice.weighed == parted.recorded_choice.weighed
    assert found.status == "rolled_back"


def test_a_number_that_no_decision_looked_at_changes_nothing() -> None:
    """Most policies differ without a difference."""
    assert suppose("calm", calm().entries, {"remedy": Remedy.COMPLETE, "attempts_max": 1}).divergence is None
    assert suppose("unwound", unwound().entries, {"remedy": Remedy.UNWIND}).divergence is None


def test_a_shorter_patience_acts_sooner() -> None:
    """At its own time, before what is recorded."""
    found = suppose("doubtful", doubtful().entries, {"doubt_max_s": D(10)}).divergence
    assert found is not None
    assert (found.how, found.recorded, found.instead) == (How.SOONER, "halt", "halt")
    assert found.sooner_ns == 21 * SECOND - 10 * SECOND - SECOND // 2


def test_a_longer_patience_waits() -> None:
    """What is recorded would not have been done then."""
    walk = doubtful()
    found = suppose("doubtful", walk.entries, {"doubt_max_s": D(100)}).divergence
    assert found is not None
    assert (found.how, found.recorded, found.instead) == (How.LATER, "halt", "wait")
    assert found.choice is not None
    assert found.choice.kind is Kind.PROBE
    assert walk.entries[found.number - 1].trigger == "wall"


def test_a_deadline_a_little_later_than_the_driver_woke_is_no_other_decision() -> None:
    """It was recorded at 6 s: a deadline of 5.5 s would have been taken then all the same."""
    walk = Walk(name="slow").ack(0).ack(1).at(6)
    assert suppose("slow", walk.entries, {"fill_timeout_s": D("5.5")}).divergence is None
    sooner = suppose("slow", walk.entries, {"fill_timeout_s": D("4.5")}).divergence
    assert sooner is not None
    assert (sooner.how, sooner.instead, sooner.sooner_ns) == (How.SOONER, "deadline to PARTIAL", 3 * SECOND // 2)
    later = suppose("slow", walk.entries, {"fill_timeout_s": D(7)}).divergence
    assert later is not None
    assert (later.how, later.recorded, later.instead) == (How.LATER, "deadline to PARTIAL", "wait")


def second_try() -> Walk:
    """The first remedy fell short at 1 s; the venues were asked again after the pause, at 1.5 s."""
    walk = Walk(name="second").fills(0).refuse(1)
    walk.now = 1.0
    walk.look(second=book("98.00", "102.00")).ack(2, 0, ended=True)
    walk.now = 1.5
    return walk.look(second=book("98.00", "102.00"))


def test_another_pause_asks_the_venues_at_another_time() -> None:
    """What they answered then says nothing of what they would have answered."""
    walk = second_try()
    asked = [number for number, entry in enumerate(walk.entries, 1) if entry.trigger == "surveyed"]
    longer = suppose("second", walk.entries, {"backoff_s": D(3)}).divergence
    assert longer is not None
    assert (longer.how, longer.recorded, longer.instead) == (How.LATER, "ask both venues", "wait")
    assert longer.number == asked[1]
    shorter = suppose("second", walk.entries, {"backoff_s": D("0.1")}).divergence
    assert shorter is not None
    assert (shorter.how, shorter.instead, shorter.number) == (How.SOONER, "ask both venues", asked[1])
    assert shorter.sooner_ns == 400_000_000


def test_a_smaller_budget_halts() -> None:
    """At once, since there is nothing to wait for."""
    found = suppose("second", second_try().entries, {"attempts_max": 1}).divergence
    assert found is not None
    assert (found.how, found.instead) == (How.SOONER, "halt")


def test_another_limit_is_told_as_another_number() -> None:
    """The same order would have gone out, not at the same price."""
    found = suppose("unwound", unwound().entries, {"slippage_bps": D(40)}).divergence
    assert found is not None
    assert (found.how, found.recorded, found.instead) == (How.NUMBERS, "unwind", "unwind")


def test_first_orders_part_where_they_are_placed_otherwise() -> None:
    """One after the other, or of another type."""
    found = suppose("calm", calm().entries, {"placement": Placement.SEQUENTIAL}).divergence
    assert found is not None
    assert (found.recorded, found.instead) == ("first orders", "first order of leg 0")
    other = suppose("calm", calm().entries, {"order_type": OrderType.LIMIT}).divergence
    assert other is not None
    assert other.how is How.NUMBERS


def test_to_act_on_what_is_known_parts_where_it_was_halted() -> None:
    """The venues would have been asked instead."""
    found = suppose("doubtful", doubtful().entries, {"doubt_remedy": DoubtRemedy.ACT_ON_KNOWN}).divergence
    assert found is not None
    assert found.recorded == "halt"
    assert found.instead == "ask both venues"


def test_a_trade_that_the_code_decides_otherwise_anyway_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other numbers would be blamed for another code."""
    entries = unwound().entries
    monkeypatch.setattr("fsm_arb.choice._rank", lambda _s, option: (option.kind.value,))
    found = suppose("unwound", entries, {"remedy": Remedy.UNWIND})
    number = next(number for number, entry in enumerate(entries, 1) if entry.trigger == "unwind")
    assert found.unknown == f"record {number} is decided otherwise under its own policy"
    assert found.divergence is None


def test_nothing_is_told_after_the_first_divergence() -> None:
    """A trade parts once; on bad nights each number parts some and leaves others."""
    counts: Counter[bool] = Counter()
    for name, entries in bad_nights().items():
        found = suppose(name, entries, {"doubt_max_s": D(1), "backoff_s": D(7)})
        counts[found.divergence is None] += 1
        if found.divergence is not None:
            assert 1 < found.divergence.number <= len(entries) + 1
            assert found.divergence.sooner_ns >= 0
    assert counts[True] > counts[False] > 5


def test_numbers_that_no_record_can_judge_are_named() -> None:
    """Only those that differ; a shorter fence is one of them, a longer one is not."""
    recorded = policy()
    changes = {"poll_interval_s": D(3), "fx_max_age_s": recorded.fx_max_age_s, "remedy": Remedy.UNWIND}
    assert not_judged(changes, recorded) == ("poll_interval_s",)
    assert not_judged({"absence_fence_s": D(14)}, recorded) == ("absence_fence_s",)
    assert not_judged({"absence_fence_s": D(30)}, recorded) == ()


@pytest.mark.parametrize(
    ("walk", "acts"),
    [
        (
            calm(),
            [
                "checks_passed to SIZING",
                "sized to PLACING",
                "first orders",
                "placed to MONITORING",
                "settled to HEDGED",
                "book",
            ],
        ),
        (halted(), ["checks_passed to SIZING", "sized to PLACING", "first orders", "placed to PARTIAL", "halt"]),
    ],
    ids=["calm", "halted"],
)
def test_what_is_done_has_a_name(walk: Walk, acts: list[str]) -> None:
    """By which divergences are counted."""
    assert [act(entry) for entry in walk.entries if isinstance(entry.fact, DECIDED)] == acts


def test_a_deadline_and_a_reason_make_no_other_act() -> None:
    """A limit does."""
    intended = next(e for e in unwound().entries if e.trigger == "intended")
    first, second = intended.fact.intents  # type: ignore[union-attr]
    later = evolve(intended, fact=evolve(intended.fact, intents=(evolve(first, deadline=1), second)))
    assert same_act(intended, later)
    dearer = evolve(intended, fact=evolve(intended.fact, intents=(evolve(first, bound=D(1)), second)))
    assert not same_act(intended, dearer)


def test_a_cancel_a_stall_and_an_order_in_turn_have_names_too() -> None:
    """And what came from outside is called what its record is called."""
    entries = [
        *Walk(name="rests").ack(0).ack(1).at(5).entries,
        *halted(attempts_max=2).entries,
        *Walk(name="turn", placement="sequential").entries,
    ]
    names = {act(entry) for entry in entries}
    assert {"cancel", "no remedy", "first order of leg 0", "place_ended"} <= names
    for entry in entries:
        assert same_act(entry, evolve(entry, at_ns=1))
