"""What a replay found, line by line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from histories import calm, doubtful, unwound

from fsm_arb import choice
from fsm_arb.audit.hypothetical import Supposed, suppose
from fsm_arb.audit.replay import Replayed, replay
from fsm_arb.audit.rerunning import Unreadable
from fsm_arb.cli.replay_text import SHOWN_MAX, changed, hypothetical_lines, replay_lines
from fsm_arb.memory import Entry
from fsm_arb.messages import Intended
from fsm_arb.policy import Remedy
from fsm_arb.values import OrderType

D = Decimal


@pytest.fixture
def entries() -> list[Entry]:
    return unwound().entries


@pytest.fixture
def different(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> Replayed:
    monkeypatch.setattr(choice, "loss_bound", lambda price, sign, _policy: price * (1 + sign * D("0.001")))
    return replay("unwound", entries)


def test_what_is_the_same_takes_one_line_more_than_the_counts() -> None:
    """How much was decided again, and that nothing differs."""
    assert list(replay_lines([replay("calm", calm().entries)])) == [
        f"1 trade, {len(calm().entries)} records, 6 decisions made again.",
        "[green]Every decision is made again as it is recorded.[/]",
    ]


def test_other_numbers_are_named_with_both_values(different: Replayed) -> None:
    """By the name of the field, down to the intent."""
    said = "\n".join(replay_lines([different]))
    assert "decided now with other numbers" in said
    assert "weighed[0].bound: " in said
    assert "is recorded," in said
    assert "[red]1 trade is decided otherwise now[/]" in said


def test_a_thousand_differences_are_not_all_printed(different: Replayed) -> None:
    """The first ones, how many more, and where all are."""
    one = different.differences[0]
    many = evolve(different, differences=tuple(evolve(one, number=number) for number in range(1, 1001)))
    lines = list(replay_lines([many]))
    assert sum("decided now with other numbers" in line for line in lines) == SHOWN_MAX
    assert f"... and {1000 - SHOWN_MAX:,} differences more; --json tells all" in lines


def test_a_text_of_a_venues_is_not_taken_for_markup() -> None:
    """An id in square brackets stays one."""
    (line, *_) = replay_lines([Unreadable(trade_id="[red]", why="[/]")])
    assert "\\[red]" in line


def test_what_changed_is_found_field_by_field(entries: list[Entry]) -> None:
    """Nothing for what is the same, or for facts of two kinds."""
    one = next(entry for entry in entries if isinstance(entry.fact, Intended))
    assert isinstance(one.fact, Intended)
    intents = (evolve(one.fact.intents[0], bound=D(1), side=one.fact.intents[1].side), one.fact.intents[1])
    other = evolve(one, fact=evolve(one.fact, intents=intents))
    assert list(changed(one, one)) == []
    assert list(changed(one, entries[0])) == []
    assert list(changed(one, other)) == [("intents[0].side", "sell", "buy"), ("intents[0].bound", "99.80", "1")]
    fewer = evolve(one, fact=evolve(one.fact, intents=one.fact.intents[:1]))
    assert [name for name, *_ in changed(one, fewer)] == ["intents"]


def test_each_kind_of_divergence_is_counted(entries: list[Entry]) -> None:
    """With what would have been done, and instead of what."""
    changes = {"remedy": Remedy.COMPLETE}
    found = [suppose(f"t{number}", entries, changes) for number in range(3)]
    lines = list(hypothetical_lines(found, changes, ()))
    assert lines[-2].endswith("3 trades: 0 unchanged, 3 would have parted from what is recorded")
    assert lines[-1].endswith("     3  complete, instead of: unwind")
    assert not any("not judged" in line for line in lines)


def test_what_was_compared_is_told_twice(entries: list[Entry]) -> None:
    """As it was recorded, and as it would have been; what is chosen is marked."""
    changes = {"remedy": Remedy.COMPLETE}
    lines = [line.strip() for line in hypothetical_lines([suppose("t", entries, changes)], changes, ())]
    start = next(i for i, line in enumerate(lines) if "recorded: unwind" in line)
    assert [">" in line for line in lines[start : start + 6]] == [False, False, True, False, True, False]
    assert "supposed: complete, preferred by the policy" in lines[start + 3]


def test_many_divergences_are_summed_up(entries: list[Entry]) -> None:
    """The first ones are told in full."""
    changes = {"remedy": Remedy.COMPLETE}
    found = [suppose("t", entries, changes)] * (SHOWN_MAX + 5)
    assert any("... and 5 trades more" in line for line in hypothetical_lines(found, changes, ()))


def test_a_trade_of_which_nothing_can_be_said_says_why() -> None:
    """It is not counted as unchanged."""
    found = Supposed(trade_id="x", records=9, status="", unknown="record 4 is decided otherwise under its own policy")
    lines = list(hypothetical_lines([found], {}, ()))
    assert any("x: nothing can be said: record 4" in line for line in lines)
    assert lines[-1].endswith("1 trade: 0 unchanged, 0 would have parted from what is recorded")


def test_how_late_time_decided_is_told() -> None:
    """With the trade and the record that was latest."""
    lines = list(replay_lines([replay("doubtful", doubtful().entries)]))
    assert any("recorded no later than 0.500 s after it was due (doubtful, " in line for line in lines)


def test_a_decision_that_is_gone_or_new_is_told_as_such(entries: list[Entry]) -> None:
    """Nothing stands on the other side."""
    at = next(i for i, entry in enumerate(entries) if entry.trigger == "unwind")
    lines = list(replay_lines([replay("unwound", entries[:at])]))
    assert "decided now, and not recorded" in lines[0]
    assert lines[1] == "  recorded: nothing"
    assert lines[2].startswith("  now:      unwind, PARTIAL -> ROLLBACK")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"doubt_max_s": D(10)}, "10.500 s before it: halt, sooner (has not ended)"),
        ({"doubt_max_s": D(100)}, "wait, where it was: halt (has not ended)"),
        ({"order_type": OrderType.LIMIT}, "first orders, with other numbers"),
        ({"fill_timeout_s": D(1)}, "deadline to PARTIAL, sooner"),
    ],
)
def test_each_way_to_part_has_its_words(changes: dict[str, object], said: str) -> None:
    """Sooner, later, or the same with other numbers."""
    found = [suppose("doubtful", doubtful().entries, changes)]
    assert any(said in line for line in hypothetical_lines(found, changes, ()))
