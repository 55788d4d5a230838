"""Records in words: each kind of fact has its sentence, with the numbers and ids that stand in it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from fsm_arb.audit import words as sayings
from fsm_arb.audit.tales import Tale, tell
from fsm_arb.audit.words import words
from fsm_arb.journal.reader import JournalReader
from fsm_arb.messages import (
    AbortAsked,
    Busted,
    CancelAsked,
    CancelEnded,
    Checked,
    Choice,
    ExternalFill,
    Fact,
    Intended,
    Judged,
    Kind,
    LegSurvey,
    Missed,
    Moved,
    Option,
    Outcome,
    PlaceEnded,
    Restarted,
    Resumed,
    Sized,
    Stalled,
    Surveyed,
    WatchEnded,
)
from fsm_arb.ports import CancelReply, InDoubt, Refused
from fsm_arb.values import Level, OrderBook, Side

D = Decimal
BOOK = OrderBook(bids=(Level(D(100), D(1)),), asks=(Level(D(101), D(1)),))
BLOCKED = Option(kind=Kind.UNWIND, leg=0, side=Side.BUY, amount=D(1), blocked="upbit gives no answer")
PRICED = Option(kind=Kind.COMPLETE, leg=1, side=Side.BUY, amount=D("0.5"), cost=D("12.349"))
CHOICE = Choice(kind=Kind.HALT, reason="no remedy can be sent", weighed=(PRICED, BLOCKED))


@pytest.fixture(scope="module")
def tale(ended: Path) -> Tale:
    """A trade with two orders, on upbit and on binance."""
    with JournalReader(ended / "trades.db") as reader:
        found = tell(reader, "demo-3-0000")
    assert found is not None
    assert len(found.trade.orders) >= 2
    return found


def test_every_fact_has_words() -> None:
    """A record that showed only the name of its type would leave the reader with the JSON."""
    assert set(sayings._SAYINGS) == set(get_args(Fact))


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (Checked(now=0, refusal="health: upbit is down"), "refused: health: upbit is down"),
        (Checked(now=0, readings={"fx": "1400 from static"}), "checks passed: fx 1400 from static"),
        (Sized(now=0, refusal="lot: too small"), "not sized: lot: too small"),
        (PlaceEnded(now=0, order=0, outcome=Refused(code="c", message="m")), "refused: m (c)"),
        (PlaceEnded(now=0, order=0, outcome=InDoubt(code="timeout", message="no answer")), "is in doubt: no answer"),
        (Missed(now=0, order=0, asked_at=0, covered=True), "not found in any list that could show it"),
        (Missed(now=0, order=0, asked_at=0, covered=False), "not found where it was looked for"),
        (CancelAsked(now=0, orders=(0,), choice=CHOICE), "will cancel order 0 on"),
        (CancelEnded(now=0, order=1, reply=CancelReply(accepted=True)), "was taken"),
        (CancelEnded(now=0, order=1, reply=CancelReply(accepted=False, code="c", message="m")), "was refused: m (c)"),
        (Surveyed(now=0, legs=(None, LegSurvey(book=BOOK))), "books: upbit gives no answer; binance 100 / 101"),
        (Stalled(now=0, choice=CHOICE), "[to complete 0.5 costs 12.35; to unwind: upbit gives no answer]"),
        (Moved(now=0, outcome=Outcome.SUCCESS, booked=D(2), note="n"), "outcome success; booked 2"),
        (Moved(now=0, choice=CHOICE, note="no remedy can be sent"), "no remedy can be sent"),
        (Resumed(now=0, reason="an operator asked"), "to be tried again: an operator asked"),
        (Restarted(now=0), "taken up by another process"),
        (ExternalFill(now=0, leg=1, side=Side.BUY, amount=D(1), price=D(9), reason="by hand"), "buy 1 "),
        (Busted(now=0, order=0, amount=D(1), reason="error of theirs"), "the venue took back 1 (error of theirs)"),
        (
            Judged(now=0, order=0, filled=D(1), price=D(9), reason="by phone"),
            "says that it ended, filled 1 at 9 (by phone)",
        ),
        (Judged(now=0, order=0, filled=D(0), price=None, reason="by phone"), "says that it ended, filled 0 (by phone)"),
        (AbortAsked(now=0, reason="left"), "to end before its first order: left"),
        (WatchEnded(now=0), "no longer watched"),
    ],
)
def test_a_fact_says_what_it_holds(tale: Tale, fact: object, said: str) -> None:
    """The sentence carries the numbers, the venue and the reason."""
    assert said in words(tale.trade, fact)


def test_checks_that_read_nothing_end_in_no_colon(tale: Tale) -> None:
    """There is nothing to list."""
    assert words(tale.trade, Checked(now=0, readings={"fx": ""})) == "checks passed"


def test_a_reason_is_not_said_twice(tale: Tale) -> None:
    """Where the note of an edge is what its choice said, once is enough."""
    assert words(tale.trade, Moved(now=0, choice=CHOICE, note=CHOICE.reason)).count(CHOICE.reason) == 1


def test_an_order_is_named_by_its_client_order_id(tale: Tale) -> None:
    """What stands in the venue's own history can be found from here."""
    intended = next(line.entry.fact for line in tale.lines if isinstance(line.entry.fact, Intended))
    said = words(tale.trade, intended)
    for intent in intended.intents:
        assert f"as {intent.client_order_id}" in said
        assert f"{intent.side.value} {intent.amount:f}" in said
    assert re.search(r"no worse than [\d.]+ (KRW|USDT)", said)


def test_a_number_has_no_exponent(tale: Tale) -> None:
    """0.0000001 reads as a quantity, 1E-7 as a misprint."""
    said = [words(tale.trade, line.entry.fact) for line in tale.lines]
    assert not [each for each in said if re.search(r"\dE[+-]?\d", each)]
