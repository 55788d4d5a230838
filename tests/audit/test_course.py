"""A trade led along its records: what is told to it, when, and under which order ids."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from attrs import evolve
from histories import bad_nights, calm, doubtful, unwound
from worlds import Walk, snapshot

from fsm_arb.audit.course import DECIDED, Course, Ids, ids_of, told
from fsm_arb.audit.difference import Difference, Kind
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import MachineError
from fsm_arb.memory import Entry
from fsm_arb.messages import Begun, Busted, Checked, Event, Fact, Observed, Restarted, Ticked
from fsm_arb.values import Side

D = Decimal
SECOND = 1_000_000_000


def along(course: Course) -> list[tuple[str, int]]:
    """Lead a trade to its end; return what was told to it, and how many records stood behind each."""
    found = []
    for turn in course.turns():
        found.append((type(turn.event).__name__, len(turn.recorded)))
        assert list(course.take(turn)) == []
    return found


def test_what_came_from_outside_is_told_and_the_rest_follows() -> None:
    """Each event with all that was decided on it."""
    assert along(Course("unwound", unwound().entries)) == [
        ("Checked", 2),
        ("Sized", 3),
        ("PlaceEnded", 1),
        ("PlaceEnded", 2),
        ("Surveyed", 3),
        ("PlaceEnded", 2),
    ]


def test_every_fact_is_either_told_or_decided() -> None:
    """A new kind of fact must be one of the two, or a replay would take it for the wrong one."""
    told_to_it = set(get_args(Event)) - {Ticked}
    assert set(get_args(Fact)) - {Begun} == told_to_it | set(DECIDED)
    assert not told_to_it & set(DECIDED)


def test_what_time_alone_decided_is_a_tick() -> None:
    """At the time at which it was decided."""
    walk = doubtful()
    course = Course("doubtful", walk.entries)
    ticks = []
    for turn in course.turns():
        if isinstance(turn.event, Ticked):
            ticks.append(turn.event.now)
        assert list(course.take(turn)) == []
    assert ticks == [5 * SECOND + SECOND // 2, 21 * SECOND]


def test_the_trade_at_the_end_is_the_trade() -> None:
    """Field by field what the fold of its records is: of walks and of bad nights."""
    from worlds import remembered

    from fsm_arb.trade import Trade

    for name, entries in {"unwound": tuple(unwound().entries), **bad_nights()}.items():
        course = Course(name, entries)
        along(course)
        assert remembered(course.trade) == remembered(Trade.fold(name, entries, str))


def test_orders_get_the_ids_that_they_had() -> None:
    """And one that was never sent gets none that could be taken for another's."""
    ids = ids_of(unwound().entries)
    assert ids.recorded == ("c0", "c1", "c2")
    assert [ids(), ids(), ids(), ids()] == ["c0", "c1", "c2", "never-recorded-3"]
    ids.back_to(1)
    assert ids() == "c1"
    assert Ids(())() == "never-recorded-0"


def test_a_trade_without_a_beginning_is_refused() -> None:
    """There is nothing to lead."""
    with pytest.raises(MachineError, match="begun"):
        Course("x", unwound().entries[1:])


def test_a_beginning_with_other_sides_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which side each leg trades follows from the decision."""
    course = Course("calm", calm().entries)
    assert list(course.begun()) == []
    monkeypatch.setattr(CrossExchangeDecision, "entry_sides", lambda _self: (Side.BUY, Side.BUY))
    (found,) = course.begun()
    assert (found.number, found.kind) == (1, Kind.NUMBERS)


def test_after_a_difference_it_goes_on_from_what_is_recorded() -> None:
    """One wrong record is one difference, not all that follow it."""
    entries = list(unwound().entries)
    at = next(i for i, entry in enumerate(entries) if entry.trigger == "unwind")
    fact = entries[at + 1].fact
    assert isinstance(fact, DECIDED)
    intents = (evolve(fact.intents[0], bound=D(1)),)  # type: ignore[union-attr]
    entries[at + 1] = evolve(entries[at + 1], fact=evolve(fact, intents=intents))
    course = Course("unwound", entries)
    found = [each for turn in course.turns() for each in course.take(turn)]
    assert [(each.number, each.kind) for each in found] == [(at + 2, Kind.NUMBERS)]
    assert course.trade.orders[2].intent.bound == 1
    assert course.trade.done


def test_when_time_would_have_decided_is_found() -> None:
    """The first moment before the next event at which something would have come of it."""
    walk = Walk(name="due").ack(0).ack(1)
    walk.now = 8.0
    walk.see(0, 10, ended=True)
    course = Course("due", walk.entries)
    waits = []
    for turn in course.turns():
        due = course.due(turn)
        waits.append((due[0] if due else None, course.waited(turn)))
        list(course.take(turn))
    assert waits[-1] == (5 * SECOND, 3 * SECOND)
    assert set(waits[:-1]) == {(None, None)}


def test_nobody_was_there_to_decide_before_a_restart() -> None:
    """A process that was dead is not late."""
    walk = Walk(name="dead").ack(0).ack(1)
    walk.now = 60.0
    walk.restart()
    course = Course("dead", walk.entries)
    for turn in course.turns():
        assert course.due(turn) is None
        list(course.take(turn))
    assert course.now == 60 * SECOND


def test_a_restart_starts_another_clock() -> None:
    """Its readings may be lower than those before."""
    walk = Walk(name="again").ack(0)
    entries = [*walk.entries]
    walk.tell(Restarted(now=3))
    entries += walk.entries[len(entries) :]
    course = Course("again", entries)
    course.now = 10**15
    along(course)
    assert course.now == 3


def test_what_is_raised_is_told() -> None:
    """Of our own errors and of any other."""
    walk = calm()
    assert told(walk.trade, Checked(now=0, refusal=""), 0)[1] == ""
    said = told(walk.trade, "no event", 0)[1]
    assert said.startswith("KeyError: ")


def changed(trigger: str, **changes: object) -> list[Entry]:
    """Return a trade's records with one of them altered: the first of that name."""
    entries = list(unwound().entries)
    at = next(i for i, entry in enumerate(entries) if entry.trigger == trigger)
    entries[at] = evolve(entries[at], **changes)
    return entries


def differences(entries: list[Entry]) -> list[Difference]:
    course = Course("unwound", entries)
    return [each for turn in course.turns() for each in course.take(turn)]


def test_what_tells_nothing_new_is_no_record() -> None:
    """A reading that was recorded twice would not be today."""
    entries = list(unwound().entries)
    seen = Observed(now=entries[-1].fact.now, order=0, snapshot=snapshot(10, ended=True))
    at_ns, state = entries[-1].at_ns, entries[-1].after
    (found,) = differences([*entries, Entry(at_ns, "observed", state, state, seen)])
    assert (found.kind, found.number) == (Kind.MISSING, len(entries) + 1)
    assert found.why == "it would not be recorded: it tells nothing new"


def test_what_is_refused_now_is_named() -> None:
    """An operator's word that does not fit what the trade holds."""
    entries = list(unwound().entries)
    bust = Busted(now=entries[-1].fact.now, order=1, amount=D(5), reason="so they say")
    found = differences([*entries, Entry(entries[-1].at_ns, "busted", "DONE", "DONE", bust)])
    assert [each.kind for each in found] == [Kind.REFUSED, Kind.REFUSED]
    assert "must be above zero and within the 0 that has filled" in found[0].why


def test_an_edge_that_is_no_row_ends_the_course() -> None:
    """What follows from it cannot be told."""
    found = differences(changed("unwind", after="DONE"))
    assert [each.kind for each in found] == [Kind.OTHER, Kind.REFUSED]
    assert "no row PARTIAL -- unwind --> DONE" in found[-1].why


def test_a_decision_that_is_not_recorded_is_added() -> None:
    """The record before which it would stand is named."""
    entries = list(unwound().entries)
    at = next(i for i, entry in enumerate(entries) if entry.trigger == "unwind")
    (found, *_) = differences(entries[:at])
    assert (found.kind, found.number, found.recorded) == (Kind.ADDED, at + 1, None)
    assert found.decided is not None
    assert found.decided.trigger == "unwind"
