"""Invariant 3: every order on a venue was written down before it was sent, once, and is what was written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, seen, stepped, true_order
from worlds import Walk

from fsm_arb.testing.glimpse import Create
from fsm_arb.testing.invariants.intent_first import IntentFirst
from fsm_arb.values import Side

D = Decimal
CHECKER = IntentFirst()


def sent(name: str = "c0", *, durable: bool = True) -> Create:
    return Create(venue="alpha", client_order_id=name, at=0, durable=durable)


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Intent before effect, always."""
    assert objections(CHECKER, script) == []


def test_an_order_sent_before_its_intent_is_durable_is_found() -> None:
    """What the instrument saw at the venue's door, and what the journal holds since."""
    walk = Walk()
    early = seen(walk, creates=(sent(durable=False),))
    assert stepped(CHECKER, NOTHING, early) == ["order c0 was sent to alpha before its intent was durable"]
    unwritten = seen(walk, creates=(sent(),), entries={"t1": tuple(walk.entries[:5])})
    assert stepped(CHECKER, NOTHING, unwritten) == ["order c0 was sent to alpha and stands in no durable record"]
    assert stepped(CHECKER, NOTHING, evolve(unwritten, entries={})) == []
    assert stepped(CHECKER, NOTHING, seen(walk, creates=(sent(),))) == []


def test_an_id_that_is_sent_twice_is_found() -> None:
    """Within one step, and long after."""
    walk = Walk()
    once = seen(walk, creates=(sent(), sent("c1")))
    twice = seen(walk, creates=(sent(), sent("c1"), sent()))
    assert stepped(CHECKER, once, twice) == ["order c0 was sent to alpha twice"]
    assert stepped(CHECKER, NOTHING, seen(walk, creates=(sent(), sent()))) == ["order c0 was sent to alpha twice"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_order_id": "x"}, "order x on alpha belongs to no intent of any trade"),
        ({"venue": "beta"}, "order c0 on beta: its intent says alpha"),
        ({"symbol": "ETH/USD"}, "its intent says BTC/USD, the venue has ETH/USD"),
        ({"side": Side.BUY}, "its intent says sell, the venue has buy"),
        ({"amount": D("10.02")}, "its intent says 10 BTC, the venue has 10.02"),
    ],
)
def test_an_order_that_is_not_what_was_written_is_found(changes: dict[str, Any], words: str) -> None:
    """Venue, market, side and amount; and one that nobody wrote."""
    walk = Walk()
    (what,) = stepped(CHECKER, NOTHING, seen(walk, true_order(walk, 0, **changes)))
    assert words in what


def test_a_venue_may_round_what_it_was_asked_for() -> None:
    """Down, and up by no more than a lot."""
    walk = Walk()
    for amount in (D("9.5"), D("10.01")):
        assert stepped(CHECKER, NOTHING, seen(walk, true_order(walk, 0, amount=amount))) == []


def test_two_intents_with_one_id_are_found() -> None:
    """An order could not be told apart from another trade's."""
    one, other = Walk(), Walk(name="t2")
    before = seen(one)
    after = seen(one, trades={"t1": before.trades["t1"], "t2": other.trade})
    found = stepped(CHECKER, before, after)
    assert found == ["trade t2: 2 intents carry the id c0", "trade t2: 2 intents carry the id c1"]
