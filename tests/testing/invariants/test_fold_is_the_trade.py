"""Invariant 9: a trade is the fold of its records, at every prefix."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve, fields
from honest import NOTHING, SCRIPTS, objections, rested, seen, stepped
from worlds import Walk

from fsm_arb import memory
from fsm_arb.memory import Memory
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants import fold_is_the_trade
from fsm_arb.testing.invariants.fold_is_the_trade import REMEMBERED, FoldIsTheTrade, differences
from fsm_arb.trade import Trade

CHECKER = FoldIsTheTrade()


def step_of(walk: Walk) -> tuple[Glimpse, Glimpse]:
    """Return the glimpses around one more acknowledgement."""
    before = seen(walk)
    walk.ack(0, 5)
    return before, seen(walk)


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Every prefix of every run."""
    assert objections(CHECKER, script) == []


def test_all_that_a_trade_is_is_compared() -> None:
    """Where its ids come from is no part of it."""
    assert set(REMEMBERED) == {each.name for each in fields(Memory)} - {"fresh_id"}
    one, other = Walk().trade, Walk().trade
    assert differences(one, other) == ()
    other.attempt = 1
    assert differences(one, other) == ("attempt",)


@pytest.mark.parametrize("name", ["attempt", "retry_at", "not_before", "ever_halted", "state"])
def test_a_trade_that_remembers_what_it_never_wrote_is_found(name: str) -> None:
    """In the step that made the difference, and at rest."""
    before, after = step_of(Walk())
    assert stepped(CHECKER, before, after) == []
    setattr(after.trades["t1"], name, "elsewhere")
    for found in (stepped(CHECKER, before, after), stepped(CHECKER, NOTHING, after), rested(CHECKER, after)):
        assert len(found) == 1
        assert f"the fold of its records is not what it is: {name} is 'elsewhere', folded" in found[0]


def test_a_change_without_a_record_is_found() -> None:
    """The journal stays as it was; the trade does not."""
    before, after = step_of(Walk())
    silent = evolve(after, entries=before.entries)
    (what,) = stepped(CHECKER, before, silent)
    assert "ledger is" in what


def test_a_record_without_its_change_is_found() -> None:
    """The journal goes on; the trade does not."""
    before, after = step_of(Walk())
    assert len(stepped(CHECKER, before, evolve(after, trades=before.trades))) == 1


def test_records_that_are_on_their_way_count() -> None:
    """A trade is ahead of its journal by what it has written."""
    before, after = step_of(Walk())
    known, new = before.entries["t1"], after.entries["t1"][len(before.entries["t1"]) :]
    ahead = evolve(after, entries={"t1": known}, on_the_way={"t1": new})
    assert stepped(CHECKER, before, ahead) == []
    assert stepped(CHECKER, ahead, after) == []
    assert rested(CHECKER, ahead) == []
    assert len(stepped(CHECKER, ahead, evolve(ahead, on_the_way={}))) == 1  # lost, and remembered
    assert stepped(CHECKER, ahead, before) == []  # lost in a crash, and forgotten


def test_records_that_cannot_be_folded_are_named() -> None:
    """They contradict the table, or do not begin at the beginning."""
    before, after = step_of(Walk())
    entries = before.entries["t1"]
    wrong = evolve(entries[-1], before="DONE", after="DONE")
    torn = evolve(after, entries={"t1": (*entries, wrong)})
    assert "cannot be folded" in stepped(CHECKER, before, torn)[0]
    headless = evolve(after, entries={"t1": after.entries["t1"][1:]})
    assert "cannot be folded" in stepped(CHECKER, NOTHING, headless)[0]
    assert "cannot be folded" in rested(CHECKER, headless)[0]


def test_a_prefix_whose_state_is_not_the_recorded_one_is_found() -> None:
    """Wherever a crash leaves the journal, its last record says where the trade stands."""
    _, after = step_of(Walk())
    entries = list(after.entries["t1"])
    entries[-1] = evolve(entries[-1], after="DONE")
    found = rested(CHECKER, evolve(after, entries={"t1": tuple(entries)}))
    assert any(f"record {len(entries)} (place_ended) ends in DONE, its fold in PLACING" in what for what in found)


def test_a_record_that_reads_back_changed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is durable is text; the text must mean what was meant."""
    honest = fold_is_the_trade.loads

    def lossy(text: str) -> Any:
        fact = honest(text)
        return evolve(fact, now=fact.now + 1) if fact.now == 0 else fact

    monkeypatch.setattr(fold_is_the_trade, "loads", lossy)
    found = rested(CHECKER, step_of(Walk())[1])
    assert any("does not read back as it was written" in what for what in found)


def test_a_fold_that_asks_for_an_id_or_sends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding decides nothing."""
    _, after = step_of(Walk())

    def asking(self: Memory, _fact: Any) -> None:
        self.fresh_id()

    with monkeypatch.context() as patch:
        patch.setitem(memory._MEMORY_AFTER, type(after.entries["t1"][-1].fact), asking)
        assert "folding asked for a client order id" in rested(CHECKER, after)[0]

    def sending(self: Trade, _fact: Any) -> None:
        self._sends.append(self.orders[0].intent)

    with monkeypatch.context() as patch:
        patch.setitem(memory._MEMORY_AFTER, type(after.entries["t1"][-1].fact), sending)
        assert any("folding wrote or sent something" in what for what in rested(CHECKER, after))


def test_two_folds_that_differ_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding twice is folding once: nothing outside of the records counts."""
    _, after = step_of(Walk())
    folds: list[int] = []

    def counting(self: Memory, _fact: Any) -> None:
        folds.append(1)
        self.attempt = len(folds)

    after.trades["t1"].attempt = 1
    monkeypatch.setitem(memory._MEMORY_AFTER, type(after.entries["t1"][-1].fact), counting)
    assert any("two folds of the same records differ" in what for what in rested(CHECKER, after))


def test_a_trade_without_records_is_not_judged() -> None:
    """An instrument without a journal has nothing to fold."""
    before, after = step_of(Walk())
    assert stepped(CHECKER, evolve(before, entries={}), evolve(after, entries={})) == []
    assert rested(CHECKER, evolve(after, entries={})) == []
    assert stepped(CHECKER, after, after) == []
