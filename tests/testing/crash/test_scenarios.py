"""Scenarios are named apart, go the way their names say, and vary without a crash."""

from __future__ import annotations

import pytest

from fsm_arb.messages import Outcome, Purpose
from fsm_arb.testing.crash.exchange import Answer
from fsm_arb.testing.crash.lives import tried
from fsm_arb.testing.crash.scenarios import (
    LOST,
    POLICY,
    REFUSED,
    SCENARIOS,
    Plot,
    Scenario,
    in_turn,
    one_entry,
    the_other_way_round,
    two_entries,
)
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.trade import Trade

NAMED = {scenario.name: scenario for scenario in SCENARIOS}


def ended(name: str) -> Glimpse:
    return tried(NAMED[name].plot).outside.witness.glimpse


def path(glimpse: Glimpse, trade_id: str = "entry") -> list[str]:
    return [entry.after for entry in glimpse.entries[trade_id] if entry.before != entry.after]


def purposes(trade: Trade) -> list[Purpose]:
    return [order.intent.purpose for order in trade.orders]


def test_every_scenario_has_a_name_of_its_own() -> None:
    """So that a report can be read."""
    assert len(NAMED) == len(SCENARIOS) >= 12


@pytest.mark.parametrize(
    ("name", "outcome", "states"),
    [
        ("both fill", Outcome.SUCCESS, ["HEDGED"]),
        ("one refused", Outcome.ROLLED_BACK, ["PARTIAL", "ROLLBACK"]),
        ("in doubt, exists", Outcome.SUCCESS, ["MONITORING", "HEDGED"]),
        ("in doubt, does not exist", Outcome.SUCCESS, ["PARTIAL", "HEDGED"]),
        ("partial, unwinds", Outcome.PARTIAL_HEDGED, ["PARTIAL", "ROLLBACK", "HEDGED"]),
        ("partial, completes", Outcome.SUCCESS, ["PARTIAL", "HEDGED"]),
        ("halted, resumed", Outcome.SUCCESS, ["HALTED", "PARTIAL", "HEDGED"]),
        ("sequential", Outcome.PARTIAL_HEDGED, ["PLACING", "MONITORING", "HEDGED"]),
        ("rests, is cancelled", Outcome.SUCCESS, ["PARTIAL", "HEDGED"]),
        ("accepted late", Outcome.SUCCESS, ["MONITORING", "HEDGED"]),
    ],
)
def test_a_scenario_goes_the_way_its_name_says(name: str, outcome: Outcome, states: list[str]) -> None:
    """Where nothing else goes wrong."""
    glimpse = ended(name)
    gone = iter(path(glimpse))
    assert glimpse.trades["entry"].outcome is outcome
    assert all(state in gone for state in states), path(glimpse)


def test_a_late_fill_disturbs_a_trade_that_was_done() -> None:
    """It is DONE twice, and ends flat against what came late."""
    glimpse = ended("late fill")
    assert path(glimpse).count("DONE") == 2
    assert "disturbed" in [entry.trigger for entry in glimpse.entries["entry"]]


def test_an_exit_closes_and_one_that_rolls_back_opens_again() -> None:
    """CLOSING is passed in both; the second try closes."""
    for name in ("exit", "exit rolls back"):
        glimpse = ended(name)
        assert [position.state for position in glimpse.positions.values()] == ["CLOSED"]
    assert glimpse.trades["exit-1"].outcome is Outcome.ROLLED_BACK
    assert purposes(glimpse.trades["exit-1"])[-1] is Purpose.UNWIND


def test_two_trades_share_the_venues() -> None:
    """They run at the same time."""
    glimpse = ended("two at once")
    spans = [(entries[0].at_ns, entries[-1].at_ns) for entries in glimpse.entries.values()]
    assert spans[1][0] < spans[0][1]
    assert set(glimpse.trades) == {"first", "second"}


def test_variations_answer_otherwise_in_every_combination() -> None:
    """The plot itself, each pair of answers, orders that are lost, and what else the bot may have done."""
    plot = Plot(bot=one_entry, policy=POLICY, answers={"beta": (REFUSED,)})
    varied = list(Scenario(name="x", plot=plot, others=(Answer(), LOST), orders=1).variations())
    pairs = [(plot.answers.get("alpha", ()), plot.answers["beta"]) for plot in varied]
    whole = Answer()
    assert pairs == [
        ((), (REFUSED,)),
        ((LOST,), (LOST, REFUSED)),
        ((LOST,), (REFUSED,)),
        ((), (LOST, REFUSED)),
        ((whole,), (REFUSED,)),
        ((whole,), (whole,)),
        ((whole,), (LOST,)),
        ((LOST,), (REFUSED,)),
        ((LOST,), (whole,)),
        ((LOST,), (LOST,)),
    ]
    bots = Scenario(name="x", plot=plot, others=(), orders=0, bots=(in_turn, the_other_way_round, two_entries))
    assert [each.bot for each in bots.variations()] == [one_entry, in_turn, the_other_way_round, two_entries]
