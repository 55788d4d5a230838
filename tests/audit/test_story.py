"""A trade as a story: told as far as it was known, with what was weighed, sent and naked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from histories import bad_nights, doubtful, halted, tale, tale_of, unwound

from fsm_arb.audit.story import Story, known_at, story_of
from fsm_arb.audit.tales import Tale
from fsm_arb.machines.trade import TRADE_TABLE

D = Decimal
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def whole() -> Tale:
    return tale_of(unwound())


@pytest.fixture(scope="module")
def story(whole: Tale) -> Story:
    return story_of(whole)


def test_every_record_is_a_step(whole: Tale, story: Story) -> None:
    """In order, with its state, its words, and what was naked after it."""
    assert [step.number for step in story.steps] == list(range(1, len(whole.lines) + 1))
    assert [step.exposure for step in story.steps] == [line.exposure for line in whole.lines]
    assert [step.seq for step in story.steps] == [line.record.seq for line in whole.lines]
    assert all(step.what or step.why for step in story.steps)
    assert story.steps[0].elapsed_ns == 0
    assert story.steps[-1].elapsed_ns == 1_500_000_000
    assert story.whole


def test_an_edge_says_what_its_row_says(story: Story) -> None:
    """The table's own sentence, and none for what is no edge."""
    for step in story.steps:
        row = TRADE_TABLE.find(step.before, step.trigger, step.after)
        assert step.why == (row.why if row else "")
    assert sum(step.moved for step in story.steps) == len(story.summary.path) - 1


def test_what_the_trade_decided_is_told_from_what_came_to_it(story: Story) -> None:
    """Who reads at night wants to know whose doing it was."""
    decided = {step.trigger for step in story.steps if step.decided}
    assert decided == {"checks_passed", "sized", "intended", "placed", "unwind", "settled"}
    assert {"begun", "place_ended", "surveyed"} <= {step.trigger for step in story.steps if not step.decided}


def test_a_decision_is_told_once_with_all_that_it_compared(story: Story) -> None:
    """The edge and the order that follows it come of one choice."""
    (weighing,) = (each for each in story.weighings if each.choice.weighed)
    assert story.steps[weighing.step - 1].trigger == "unwind"
    assert weighing.elapsed_ns == SECOND
    complete, unwind = weighing.choice.weighed
    assert (complete.kind.value, unwind.kind.value) == ("complete", "unwind")
    assert weighing.choice.option == unwind
    assert complete.cost is not None
    assert unwind.cost is not None
    assert unwind.cost < complete.cost


def test_the_head_knows_the_end(story: Story) -> None:
    """How it ended, what it brought, for how long something was naked."""
    assert (story.result.status, story.over, story.naked, story.advice) == ("rolled_back", True, False, ())
    assert story.summary.naked_s == 1
    assert story.summary.worst_exposure == D(10)
    assert story.dust == D("0.1")


def test_a_story_that_stops_early_knows_nothing_of_what_came_later(whole: Tale) -> None:
    """Told up to a record, it is the story that was told when that record was the last."""
    for count in range(1, len(whole.lines) + 1):
        stopped = story_of(whole, upto=count)
        entries = [line.entry for line in whole.lines[:count]]
        then = story_of(tale(whole.trade.trade_id, entries))
        assert stopped.steps == then.steps
        assert stopped.orders == then.orders
        assert stopped.weighings == then.weighings
        assert stopped.summary == then.summary
        assert stopped.result == then.result
        assert (stopped.as_of_ns, stopped.advice) == (then.as_of_ns, then.advice)
        assert stopped.whole == (count == len(whole.lines))


def test_what_is_naked_is_so_until_the_moment_that_is_told() -> None:
    """A halted trade has been naked until now, not until its last record."""
    walk = tale_of(halted())
    last_ns = walk.lines[-1].record.at_ns
    assert story_of(walk).summary.naked_s == 0
    story = story_of(walk, as_of_ns=last_ns + 3600 * SECOND)
    assert story.summary.naked_s == 3600
    assert story.naked
    assert story.exposure == -10
    assert story.as_of_ns == last_ns + 3600 * SECOND


def test_the_moment_that_is_told_is_never_before_the_last_record() -> None:
    """Clocks are set back, records are not undone."""
    walk = tale_of(halted())
    assert story_of(walk, as_of_ns=5).as_of_ns == walk.lines[-1].record.at_ns


def test_records_known_at_a_moment_are_those_up_to_it(whole: Tale) -> None:
    """The moment itself counted in; before the first there is nothing."""
    lines = whole.lines
    began = lines[0].record.at_ns
    assert known_at(lines, began - 1) == 0
    assert known_at(lines, began) == sum(line.record.at_ns == began for line in lines)
    assert known_at(lines, began + SECOND - 1) == sum(line.record.at_ns < began + SECOND for line in lines)
    assert known_at(lines, began + 3600 * SECOND) == len(lines)


def test_a_clock_that_was_set_back_hides_no_record(whole: Tale) -> None:
    """What was written before a record was known when that was written."""
    lines = whole.lines
    assert known_at((lines[-1], *lines[:3]), lines[2].record.at_ns) == 4


def test_a_halted_trade_says_what_to_do() -> None:
    """First what is in doubt, then what is naked, then that it tries on."""
    assert story_of(tale_of(doubtful())).advice[0].startswith("Order 1 may still execute: look on beta")
    assert story_of(tale_of(halted())).advice[0].startswith("Buy 10 BTC on alpha or beta")


def test_every_bad_night_can_be_told() -> None:
    """Whole and in part; each order and step has its words."""
    for name, entries in bad_nights().items():
        story = story_of(tale(name, entries))
        assert len(story.steps) == len(entries)
        assert all(step.what or step.why for step in story.steps)
        assert bool(story.advice) == (story.trade.state == "HALTED")
        assert len(story.orders) == len(story.trade.orders)
