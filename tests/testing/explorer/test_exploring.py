"""What an exploration finds: exact counts, nothing wrong with the core, and what is wrong with broken ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from broken_cores import BROKEN, NEEDS_TWO_LOTS

from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.explorer import Bounds, Partial, Progress, Report, explore

if TYPE_CHECKING:
    from collections.abc import Callable

NEVER = ("HEDGED", "disturbed", "PARTIAL")  # a trade stays in HEDGED for the length of one event

# Bounds, and exactly what they hold: states, transitions, depth, distinct trades, distinct steps, ways to end.
PINNED = {
    "one lot, no fault": (Bounds(lots=1, faults=0), (346, 2681, 16, 103, 835, 4)),
    "two lots, no fault": (Bounds(lots=2, faults=0), (1554, 14918, 21, 345, 3517, 5)),
    "one lot, one fault, one leg after the other": (
        Bounds(lots=1, faults=1, policy=ExecutionPolicy(placement="sequential")),
        (2916, 20173, 27, 1184, 8906, 6),
    ),
    "one lot, one fault, orders that rest": (
        Bounds(lots=1, faults=1, policy=ExecutionPolicy(order_type="limit")),
        (3199, 25234, 29, 1059, 8645, 6),
    ),
}


@pytest.fixture(scope="module")
def one_fault() -> Report:
    """One lot and one fault, explored."""
    return explore(Bounds(lots=1, faults=1))


def counts(report: Report) -> tuple[int, int, int, int, int, int]:
    """Return what is pinned."""
    return (report.states, report.transitions, report.depth, report.trades, report.steps, report.endings)


@pytest.mark.parametrize("name", PINNED)
def test_what_can_happen_is_counted_exactly(name: str) -> None:
    """No state breaks a rule, and there are exactly so many: one more or less is a change of behaviour to look at."""
    bounds, due = PINNED[name]
    report = explore(bounds)
    assert [each.text() for each in report.counterexamples] == []
    assert report.well
    assert counts(report) == due


def test_one_fault_is_counted_exactly(one_fault: Report) -> None:
    """The same, with the default policy and one fault."""
    assert [each.text() for each in one_fault.counterexamples] == []
    assert counts(one_fault) == (3481, 27534, 27, 1108, 9117, 6)


def test_fewer_faults_are_a_part_of_more(one_fault: Report) -> None:
    """The first layer of a search with faults is the search without."""
    none = explore(Bounds(lots=1, faults=0))
    assert none.layers[0].states == one_fault.layers[0].states
    assert none.states < one_fault.states
    assert none.rows < one_fault.rows


def test_every_edge_is_reached_but_the_one_that_cannot_be(one_fault: Report) -> None:
    """With one fault every row of the table is taken, save where two refusals are needed, and a row for the future."""
    missing = {row for row in one_fault.rows_due if row not in one_fault.rows}
    assert missing == {NEVER, ("PLACING", "placed", "DONE")}


def test_a_crash_leads_nowhere_that_nothing_else_leads(one_fault: Report) -> None:
    """Runs without a crash end in every way in which runs with one do."""
    assert one_fault.unexplained == ()
    calm = explore(Bounds(lots=1, faults=1, crashes=False))
    assert calm.well
    assert calm.endings == one_fault.endings
    assert calm.states < one_fault.states


def test_every_state_finds_its_way_out(one_fault: Report) -> None:
    """Once nothing misbehaves any more, DONE is some twenty events away at most."""
    assert one_fault.stuck == 0
    assert 0 < one_fault.way_out <= 20


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: each.__name__)
def test_a_broken_core_is_found_out(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """Each deliberately broken variant of the core is caught, and the run that shows it is told from its beginning."""
    broken(monkeypatch)
    report = explore(Bounds(lots=2 if broken in NEEDS_TWO_LOTS else 1, faults=1))
    assert not report.well
    trace = report.counterexamples[0]
    assert trace.violations
    assert trace.lines[0].path == ("PRECHECK", "SIZING")
    assert trace.faults <= 1


def test_a_list_that_lags_past_the_fence_buries_nothing() -> None:
    """Absence needs several looks past it: what lagged in one of them is seen in the next."""
    report = explore(Bounds(lots=1, faults=1, lists_lag=True))
    assert [each.text() for each in report.counterexamples] == []
    assert report.well
    assert report.states > explore(Bounds(lots=1, faults=0)).states


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_that_is_stopped_says_how_far_it_came(one_fault: Report, jobs: int) -> None:
    """It claims neither the end, nor that what it has not followed is stuck, nor anything of crashes."""
    report = explore(Bounds(lots=1, faults=1), states_max=1000, jobs=jobs)
    assert report.well
    assert report.partial is not None
    assert report.partial.faults == 1
    assert 0 < report.partial.depth < one_fault.depth
    assert 1000 <= report.states < 1400
    assert report.partial.waiting > 0
    assert report.states + report.partial.waiting < one_fault.states
    assert 0 < report.unfollowed < report.states
    assert (report.stuck, report.unexplained) == (0, ())
    assert report.layers[0].states == one_fault.layers[0].states
    assert one_fault.partial is None
    assert one_fault.unfollowed == 0


def test_a_search_whose_time_is_up_is_stopped() -> None:
    """At once, where it has none."""
    report = explore(Bounds(lots=1, faults=0), minutes=1e-9)
    assert report.partial == Partial(faults=0, depth=0, waiting=1)
    assert (report.states, report.well) == (0, True)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif("FSM_ARB_DEEP" not in os.environ, reason="minutes; set FSM_ARB_DEEP=1")
def test_two_lots_and_two_faults_are_counted_exactly() -> None:
    """What the page on proof says of them."""
    report = explore(Bounds(lots=2, faults=2), jobs=2)
    assert [each.text() for each in report.counterexamples] == []
    assert report.well
    assert counts(report) == (245621, 2541073, 66, 69411, 751427, 15)
    assert report.way_out == 21
    assert {row for row in report.rows_due if row not in report.rows} == {NEVER}


def test_progress_is_told() -> None:
    """Whoever looks on is told how far it has come, and never that it has gone back."""
    told: list[Progress] = []
    report = explore(Bounds(lots=1, faults=0), told.append)
    assert [each.states for each in told] == sorted(each.states for each in told)
    assert told[-1].states <= report.states


def test_a_policy_that_calls_a_person_at_once_finds_its_way_too() -> None:
    """Without a single attempt of its own the trade halts, and goes on once it is let."""
    report = explore(Bounds(lots=1, faults=0, policy=ExecutionPolicy(attempts_max=0)))
    assert report.well


def test_a_policy_without_an_end_is_refused() -> None:
    """Acting on what is known sends remedy after remedy while venues are slow; no bound holds that."""
    with pytest.raises(InvalidInput, match="no end"):
        explore(Bounds(lots=1, policy=ExecutionPolicy(doubt_remedy="act_on_known")))
