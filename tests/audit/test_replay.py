"""Trades decided again: what is recorded comes out, and a change that would have decided otherwise is named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from broken_cores import BROKEN, base_fee_ignored
from histories import Histories, bad_nights, calm, unwound

from fsm_arb import choice
from fsm_arb.audit.difference import Difference, Kind
from fsm_arb.audit.replay import Replayed, replay
from fsm_arb.memory import Entry, Memory
from fsm_arb.messages import Moved, Stalled
from fsm_arb.trade import Trade

D = Decimal


@pytest.fixture(scope="module")
def histories() -> Histories:
    return bad_nights()


@pytest.fixture
def entries() -> list[Entry]:
    """A trade that was traded back, as it was decided before anything is broken."""
    return unwound().entries


def replayed(histories: Histories) -> list[Replayed]:
    return [replay(name, entries) for name, entries in histories.items()]


def differences(histories: Histories) -> list[Difference]:
    return [each for found in replayed(histories) for each in found.differences]


def never() -> str:
    raise AssertionError


# ------------------------------------------------------------------ the same


def test_bad_nights_are_decided_again_as_they_were(histories: Histories) -> None:
    """Halts, crashes, restarts, busts and operators: every state and outcome comes out, and nothing differs."""
    found = replayed(histories)
    assert [each for one in found for each in one.differences] == []
    for one, entries in zip(found, histories.values(), strict=True):
        folded = Memory.fold(one.trade_id, entries, never)
        assert one.state == folded.state == entries[-1].after
        assert one.status == (folded.outcome.value if folded.outcome else "")
        assert one.events + one.decisions == one.records == len(entries)


def test_bad_nights_hold_what_can_go_wrong(histories: Histories) -> None:
    """Else that nothing differs would say little."""
    seen = {entry.trigger for entries in histories.values() for entry in entries}
    assert {
        *("restarted", "wall", "resume", "disturbed", "busted", "judged", "missed", "surveyed", "stalled"),
        *("cancel_asked", "unwind", "complete", "short", "deadline", "abort", "checks_refused", "size_refused"),
    } <= seen
    assert sum(each.timely for each in replayed(histories)) > 0


def test_what_time_alone_decided_is_asked_for_at_its_time() -> None:
    """A deadline is recorded when the driver woke, and how much later than due that was is told."""
    walk = calm().__class__(name="late").ack(0).ack(1).at(5.0).at(9.0)
    assert [entry.trigger for entry in walk.entries][-3:] == ["placed", "deadline", "cancel_asked"]
    found = replay("late", walk.entries)
    assert (found.differences, found.timely, found.latest) == ((), 1, None)
    late = [e if e.trigger not in {"deadline", "cancel_asked"} else moved_to(e, 7 * 10**9) for e in walk.entries]
    found = replay("late", late)
    assert found.differences == ()
    assert found.latest is not None
    assert (found.latest.number, found.latest.by_ns) == (len(late) - 1, 2 * 10**9)


def moved_to(entry: Entry, now: int) -> Entry:
    return evolve(entry, fact=evolve(entry.fact, now=now))  # type: ignore[type-var]


# ------------------------------------------------------------------ not the same


@pytest.mark.parametrize("core", [*BROKEN, base_fee_ignored], ids=lambda core: core.__name__)
def test_a_core_that_is_broken_decides_otherwise(
    core: Callable[[pytest.MonkeyPatch], None], histories: Histories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On what has really happened: each of the defects that searches must find alters history as well."""
    core(monkeypatch)
    found = [one for one in replayed(histories) if not one.same]
    assert found
    for one in found:
        for each in one.differences:
            assert each.trade_id == one.trade_id
            assert 1 <= each.number <= one.records + 1


def test_another_choice_is_named_with_both(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    """The record, what stands there, and what the code says now."""
    monkeypatch.setattr(choice, "_rank", lambda _s, option: (option.kind.value,))
    (found,) = replay("unwound", entries).differences
    recorded = entries[found.number - 1]
    assert (found.kind, found.trade_id, found.recorded) == (Kind.OTHER, "unwound", recorded)
    assert recorded.trigger == "unwind"
    assert found.decided is not None
    assert (found.decided.trigger, found.decided.before) == ("intended", "PARTIAL")
    assert found.decided.fact.choice.kind is choice.Kind.COMPLETE


def test_other_numbers_are_told_from_another_decision(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same remedy at another limit is another number, and each place is named."""
    monkeypatch.setattr(choice, "loss_bound", lambda price, sign, _policy: price * (1 + sign * D("0.001")))
    found = replay("unwound", entries)
    assert {each.kind for each in found.differences} == {Kind.NUMBERS}
    assert not found.same


def test_other_words_alone_are_no_other_decision(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason may be reworded: that is told, and the trade counts as the same."""
    honest = choice._why
    monkeypatch.setattr(choice, "_why", lambda *given: f"{honest(*given)}, all things considered")
    found = replay("unwound", entries)
    assert found.same
    assert {each.kind for each in found.differences} == {Kind.WORDS}
    assert [each.number for each in found.differences] == [
        number
        for number, entry in enumerate(entries, 1)
        if getattr(getattr(entry.fact, "choice", None), "option", None)
    ]


def test_what_is_left_undone_is_named(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that does not come now is missing; those after it are looked at all the same."""
    honest = Trade._act

    def lazy(self: Trade, choice: Any, now: int, at_ns: int) -> None:
        if choice.option is None:
            honest(self, choice, now, at_ns)

    monkeypatch.setattr(Trade, "_act", lazy)
    (found,) = replay("unwound", entries).differences
    assert (found.kind, found.decided) == (Kind.MISSING, None)
    assert found.recorded is not None
    assert found.recorded.trigger == "intended"


def test_code_that_breaks_on_what_is_recorded_is_a_difference(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its words, at the record it broke on; the rest is replayed all the same."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("nothing to share")

    monkeypatch.setattr(choice, "_cost", broken)
    found = replay("unwound", entries)
    assert [(each.kind, each.why) for each in found.differences] == [
        (Kind.REFUSED, "ZeroDivisionError: nothing to share")
    ]
    assert found.state == "DONE"


def test_a_record_that_was_slipped_in_is_found(entries: list[Entry]) -> None:
    """What the trade never decided stands out, even where the fold would take it."""
    entries = [*entries]
    sent = next(i for i, entry in enumerate(entries) if entry.trigger == "surveyed")
    stalled = Stalled(now=entries[sent].fact.now, choice=entries[sent + 1].fact.choice)
    entries.insert(sent, Entry(entries[sent].at_ns, "stalled", "PARTIAL", "PARTIAL", stalled))
    found = replay("unwound", entries)
    assert found.differences[0].number == sent + 1
    assert found.differences[0].kind is Kind.MISSING


def test_an_edge_that_is_no_row_ends_the_replay(entries: list[Entry]) -> None:
    """Nothing can be said of what would follow it."""
    entries = [evolve(e, after="HEDGED") if isinstance(e.fact, Moved) and e.after == "ROLLBACK" else e for e in entries]
    found = replay("unwound", entries)
    assert found.differences[-1].kind is Kind.REFUSED
    assert "no row" in found.differences[-1].why
