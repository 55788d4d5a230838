"""How two entries differ: in what is done, in numbers, or in words alone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from histories import calm, halted, unwound

from fsm_arb.audit.difference import Kind, alike, essence, kind_of, wordless
from fsm_arb.memory import Entry
from fsm_arb.messages import Intended, Moved, Side, Stalled

D = Decimal


@pytest.fixture
def remedy() -> Entry:
    return next(e for e in reversed(unwound().entries) if isinstance(e.fact, Intended))


def reworded(entry: Entry, reason: str = "said otherwise") -> Entry:
    return evolve(entry, fact=evolve(entry.fact, choice=evolve(entry.fact.choice, reason=reason)))


def with_intent(entry: Entry, **changes: object) -> Entry:
    (intent,) = entry.fact.intents  # type: ignore[union-attr]
    return evolve(entry, fact=evolve(entry.fact, intents=(evolve(intent, **changes),)))


def test_the_wall_clock_makes_no_difference(remedy: Entry) -> None:
    """A trade is decided by the monotonic clock."""
    assert alike(remedy, evolve(remedy, at_ns=remedy.at_ns + 1))
    assert not alike(remedy, evolve(remedy, after="ROLLBACK", before="HALTED"))


def test_what_is_missing_and_what_is_new_are_told_apart(remedy: Entry) -> None:
    """By which of the two is not there."""
    assert kind_of(remedy, None) is Kind.MISSING
    assert kind_of(None, remedy) is Kind.ADDED


def test_another_reason_is_only_worded_otherwise(remedy: Entry) -> None:
    """So is another note, and another word for why a remedy cannot be sent."""
    assert kind_of(remedy, reworded(remedy)) is Kind.WORDS
    moved = next(e for e in halted().entries if e.trigger == "wall")
    assert isinstance(moved.fact, Moved)
    assert kind_of(moved, evolve(moved, fact=evolve(moved.fact, note="otherwise"))) is Kind.WORDS
    options = tuple(evolve(option, blocked="it is away") for option in moved.fact.choice.weighed)
    choice = evolve(moved.fact.choice, weighed=options)
    assert kind_of(moved, evolve(moved, fact=evolve(moved.fact, choice=choice))) is Kind.WORDS


def test_whether_a_remedy_is_blocked_is_no_word() -> None:
    """Only why it is."""
    moved = next(e for e in halted().entries if e.trigger == "wall")
    options = tuple(evolve(option, blocked="") for option in moved.fact.choice.weighed)  # type: ignore[union-attr]
    other = evolve(moved, fact=evolve(moved.fact, choice=evolve(moved.fact.choice, weighed=options)))
    assert kind_of(moved, other) is Kind.NUMBERS


def test_another_limit_is_another_number(remedy: Entry) -> None:
    """The same order, not quite."""
    assert kind_of(remedy, with_intent(remedy, bound=D(1))) is Kind.NUMBERS
    assert kind_of(remedy, with_intent(remedy, deadline=1)) is Kind.NUMBERS
    assert kind_of(remedy, with_intent(reworded(remedy), amount=D(9))) is Kind.NUMBERS


def test_another_side_leg_or_state_is_another_decision(remedy: Entry) -> None:
    """Whatever the numbers are."""
    assert kind_of(remedy, with_intent(remedy, side=Side.SELL)) is Kind.OTHER
    assert kind_of(remedy, with_intent(remedy, leg=1)) is Kind.OTHER
    assert kind_of(remedy, evolve(remedy, after="HALTED")) is Kind.OTHER
    stalled = evolve(remedy, trigger="stalled", fact=Stalled(now=0, choice=remedy.fact.choice))
    assert kind_of(remedy, stalled) is Kind.OTHER


def test_another_outcome_is_another_decision() -> None:
    """Success is not a smaller size."""
    booked = next(e for e in calm().entries if e.trigger == "booked")
    assert isinstance(booked.fact, Moved)
    other = evolve(booked, fact=evolve(booked.fact, outcome=None))
    assert kind_of(booked, other) is Kind.OTHER
    fewer = evolve(booked, fact=evolve(booked.fact, booked=D(1)))
    assert kind_of(booked, fewer) is Kind.NUMBERS
    assert essence(booked) == essence(fewer)


def test_what_holds_no_words_is_left_as_it_is() -> None:
    """A number, a text, nothing."""
    assert [wordless(value) for value in (D(1), "a", None)] == [D(1), "a", None]
