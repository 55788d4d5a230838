"""The numbers behind a record."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from attrs import evolve
from histories import halted, tale_of, unwound
from worlds import ALPHA, BETA_KEEPS_BASE, Walk, book, entry, policy, sized, snapshot

from fsm_arb.audit.details import details, option_said, option_words, policy_said, round_trip
from fsm_arb.audit.story import Step, story_of
from fsm_arb.messages import CancelEnded, Checked, LegSurvey, Observed, PlaceEnded, Restarted, Sized, Surveyed
from fsm_arb.ports import Acknowledged, CancelReply, Wire

D = Decimal


def step(walk: Walk, trigger: str, number: int = 0) -> Step:
    return [each for each in story_of(tale_of(walk)).steps if each.trigger == trigger][number]


def test_a_policy_is_told_by_what_is_not_the_default() -> None:
    """Twenty numbers that everybody has say nothing."""
    assert policy_said(policy()) == "every number at its default"
    assert policy_said(policy(attempts_max=2, remedy="unwind")) == "attempts_max 2, remedy unwind"


def test_a_size_tells_both_legs_and_the_rate() -> None:
    """Price, limit, lot and least order of each, and what a unit of the other quote is worth."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE))
    first, second, rate = step(walk, "planned").details
    assert first.startswith("alpha: sell 10 BTC, decided at 100, no worse than 99.80 USD, lot 0.01, least order 0.1")
    assert second.endswith("0.1 % of what is bought is kept in base")
    assert rate == "1 USDT is 1 USD (par)"


def test_a_remedy_tells_both_ways_with_book_and_cost() -> None:
    """What it would send, where, at which price, and what that costs."""
    complete, unwind = step(unwound(), "intended", 1).details
    assert complete.startswith("complete: buy 10 BTC on beta; touch 102.00, average for all of it 102.00, limit 102.20")
    assert complete.endswith("USD")
    assert unwind.startswith("unwind: buy 10 BTC on alpha; touch 100.01")


def test_what_blocks_a_remedy_is_told() -> None:
    """No number stands in for it."""
    walk = halted()
    options = next(
        fact.choice.weighed
        for fact in (e.fact for e in walk.entries)
        if getattr(fact, "choice", None) and fact.choice.weighed
    )
    assert option_said(walk.trade, options[0]) == "complete: buy 10 BTC on beta; not possible: beta gives no answer"
    assert option_words(options[0]).startswith("complete: buy 10 on leg 1; not possible")


def test_an_edge_that_sends_leaves_the_comparison_to_its_order() -> None:
    """Else the same lines would stand there twice."""
    assert step(unwound(), "unwind").details == ()
    assert len(step(halted(), "wall").details) == 2


def test_a_survey_tells_what_is_free() -> None:
    """And where nobody could say."""
    walk = unwound()
    fact = Surveyed(now=0, legs=(LegSurvey(book=book()), None))
    assert details(walk.trade, fact) == ("free on alpha: could not be read",)
    assert step(walk, "surveyed").details[0] == "free on alpha: 1000 BTC, 1000000 USD"


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (Wire(), ""),
        (Wire(sent_at_ns=0), ""),
        (Wire(sent_at_ns=0, received_at_ns=1_500_000), "1.5 ms on the wire"),
        (Wire(sent_at_ns=0, received_at_ns=2_000_000_000, http_status=503), "2,000.0 ms on the wire, HTTP 503"),
    ],
)
def test_a_round_trip_is_told_where_it_was_measured(wire: Wire, said: str) -> None:
    """Nothing is said where one end is missing."""
    assert round_trip(wire) == said


def test_the_books_of_a_decision_are_told() -> None:
    """Where they were at hand."""
    walk = Walk(entry(books=(book(), None)))
    first, policy_line = step(walk, "begun").details
    assert first == "book of alpha then: bid 99.99, ask 100.01"
    assert policy_line == "policy: every number at its default"


def test_a_fact_without_numbers_has_no_details() -> None:
    """Its sentence is all there is."""
    assert details(unwound().trade, Restarted(now=0)) == ()


def test_a_decision_tells_when_it_was_made() -> None:
    """It is older than the record of it."""
    made = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert step(Walk(entry(decided_at=made)), "begun").details[0] == "decided at 2026-01-02T03:04:05+00:00"


def test_checks_tell_what_they_read() -> None:
    """Reading by reading; one that says nothing is left out."""
    fact = Checked(now=0, readings={"health": "up", "fx": "", "risk": "room for 3 USD"})
    assert details(unwound().trade, fact) == ("health: up", "risk: room for 3 USD")


def test_a_size_that_was_refused_has_no_numbers() -> None:
    """Its sentence names the rule and the numbers."""
    assert details(unwound().trade, Sized(now=0, refusal="funds: too little")) == ()


def test_what_earlier_trades_left_is_told_with_the_size() -> None:
    """It is why the legs differ."""
    walk = Walk(plan=evolve(sized(), carried=D("-0.03")))
    assert step(walk, "planned").details[-1] == "trades away -0.03 BTC that earlier trades left"


def test_every_answer_tells_its_round_trip() -> None:
    """To placing, cancelling and looking."""
    wire, trade = Wire(sent_at_ns=0, received_at_ns=3_000_000), unwound().trade
    facts = (
        PlaceEnded(now=0, order=0, outcome=Acknowledged(snapshot=snapshot(), wire=wire)),
        CancelEnded(now=0, order=0, reply=CancelReply(accepted=True, wire=wire)),
        Observed(now=0, order=0, snapshot=snapshot(), wire=wire),
    )
    assert [details(trade, fact) for fact in facts] == [("3.0 ms on the wire",)] * 3


def test_a_remedy_that_fell_away_tells_what_blocked_it() -> None:
    """Both ways, as they were weighed."""
    walk = halted(attempts_max=2)
    assert step(walk, "stalled").details[0].endswith("not possible: beta gives no answer")
