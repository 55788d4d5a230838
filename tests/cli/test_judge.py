"""The judge: it agrees with an honest run, and finds every lie that is put into the exchange's books."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from fsm_arb.audit.tales import Tale, tell_all
from fsm_arb.cli.course import KOREA, course
from fsm_arb.cli.judge import Verdict, judge
from fsm_arb.journal.reader import JournalReader
from fsm_arb.memory import Memory
from fsm_arb.testing.loopback.truth import Truth, VenueTruth

D = Decimal
ASKED = [slot.decision_id for slot in course(3, 8, KOREA)]


@pytest.fixture(scope="module")
def tales(ended: Path) -> list[Tale]:
    with JournalReader(ended / "trades.db") as reader:
        return list(tell_all(reader))


@pytest.fixture(scope="module")
def truth(ended: Path) -> Truth:
    return Truth.from_json(json.loads((ended / "books.json").read_text()))


def altered(truth: Truth, venue: str, change: Callable[[VenueTruth], VenueTruth]) -> Truth:
    return evolve(truth, venues={**truth.venues, venue: change(truth[venue])})


def verdict(tales: list[Tale], truth: Truth) -> Verdict:
    return judge(tales, truth, ASKED, KOREA)


def test_an_honest_run_has_no_problem(tales: list[Tale], truth: Truth) -> None:
    """All that is on the exchange's books is on the journal, and the other way round."""
    found = verdict(tales, truth)
    assert found.problems == ()
    assert found.trades == 8
    assert found.orders >= 12
    assert sum(found.outcomes.values()) == 8
    for base, naked in found.exposure.items():
        assert abs(naked) < found.dust[base]


def test_an_order_that_was_sent_twice_is_found(tales: list[Tale], truth: Truth) -> None:
    """Even where the venue refused the second, or a fault swallowed it."""
    twice = altered(truth, "upbit", lambda books: evolve(books, creates=(*books.creates, books.creates[0])))
    client_id = truth["upbit"].creates[0].client_id
    assert f"upbit: client order id {client_id} was sent twice" in verdict(tales, twice).problems


def test_an_order_without_an_intent_is_found(tales: list[Tale], truth: Truth) -> None:
    """Nothing may reach a venue that no record speaks of."""
    odd = evolve(truth["binance"].received[0], client_id="nobody")
    stranger = altered(truth, "binance", lambda books: evolve(books, received=(*books.received, odd)))
    assert "binance: received an order nobody that no intent on the journal speaks of" in (
        verdict(tales, stranger).problems
    )


def test_an_order_that_is_left_live_is_found(tales: list[Tale], truth: Truth) -> None:
    """A trade is not over while something of it may still execute."""
    resting = evolve(truth["upbit"].orders[0], status="open")
    left = altered(truth, "upbit", lambda books: evolve(books, orders=(resting, *books.orders[1:])))
    assert any("is still live" in problem for problem in verdict(tales, left).problems)


def test_a_fill_that_the_journal_missed_is_found(tales: list[Tale], truth: Truth) -> None:
    """The trade is named, with what it left naked, and so are the total, the PnL and the account."""
    fill = truth["binance"].fills[0]
    late = evolve(fill, trade_id=1, amount=D(100), fee=D(0))
    problems = verdict(
        tales, altered(truth, "binance", lambda books: evolve(books, fills=(*books.fills, late)))
    ).problems
    text = "\n".join(problems)
    for part in ("the journal says", "is naked on the exchange's books", "was told", "moved otherwise than by trades"):
        assert part in text


def test_a_first_order_beside_another_is_found(tales: list[Tale], truth: Truth) -> None:
    """A decision that is executed twice trades twice the size, however well each half is hedged."""
    tale = next(each for each in tales if each.result.status == "success")
    ledger = tale.trade.ledger
    assert ledger is not None
    first = ledger.orders[0]
    index = len(ledger.orders)
    again = evolve(first, intent=evolve(first.intent, index=index), gross=D(0), base_fee=D(0), fills=(), fees=())
    trade = Memory.fold(tale.trade.trade_id, [line.entry for line in tale.lines], str)
    trade.ledger = evolve(ledger, orders=(*ledger.orders, again))
    others = [each for each in tales if each is not tale]
    assert any("was executed 2 times" in each for each in verdict([*others, evolve(tale, trade=trade)], truth).problems)


def test_a_decision_that_never_became_a_trade_is_found(tales: list[Tale], truth: Truth) -> None:
    """And a trade that nobody asked for."""
    lost = [tale for tale in tales if tale.trade.trade_id != "demo-3-0000"]
    assert "demo-3-0000: was asked for and is not on the journal" in verdict(lost, truth).problems
    extra = judge(tales, truth, ASKED[1:], KOREA).problems
    assert "demo-3-0000: is on the journal and was never asked for" in extra


def test_a_trade_that_is_not_done_is_found(tales: list[Tale], truth: Truth) -> None:
    """A halted trade says how much is naked and why."""
    tale = tales[0]
    trade = Memory.fold(tale.trade.trade_id, [line.entry for line in tale.lines], str)
    trade.state, trade.halt_reason = "HALTED", "no remedy can be sent"
    problems = verdict([evolve(tale, trade=trade), *tales[1:]], truth).problems
    assert any("is HALTED" in each and "no remedy can be sent" in each for each in problems)


@pytest.mark.parametrize(("halted", "fine"), [(1, True), (2, False)])
def test_halting_at_the_first_trouble_is_no_answer(tales: list[Tale], truth: Truth, halted: int, *, fine: bool) -> None:
    """Where one trade in twenty was ever halted something is wrong; a single one of a few is bad luck."""
    bent = []
    for number, tale in enumerate(tales):
        trade = Memory.fold(tale.trade.trade_id, [line.entry for line in tale.lines], str)
        trade.ever_halted = number < halted
        bent.append(evolve(tale, trade=trade))
    found = verdict(bent, truth)
    assert found.halted_ever == halted
    assert (not [each for each in found.problems if "were halted" in each]) is fine


def test_no_trades_have_no_share() -> None:
    """Nothing is divided by nothing."""
    empty = Verdict(problems=(), trades=0, orders=0, fills=0, halted_ever=0, exposure={}, dust={})
    assert empty.halted_share == 0
