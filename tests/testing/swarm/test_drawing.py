"""An episode, drawn from its seed."""

from __future__ import annotations

import pytest

from fsm_arb.policy import Placement
from fsm_arb.testing.simulated import FaultKind, Operation
from fsm_arb.testing.simulated.kinds import ROWS
from fsm_arb.testing.swarm.drawing import MAKERS, NEVER, PLAIN, draw
from fsm_arb.testing.swarm.episode import Act, Level, Mishap
from fsm_arb.values import OrderType

SEEDS = range(300)
EPISODES = [draw(seed) for seed in SEEDS]


def test_a_seed_gives_one_episode() -> None:
    """The same, always; another seed gives another one."""
    assert draw(11) == draw(11)
    assert draw(11) != draw(12)


def test_everything_is_drawn_sooner_or_later() -> None:
    """Each level, placement, kind of order, venue, mishap, act and fault; exits too."""
    assert {episode.level for episode in EPISODES} == set(Level)
    assert {episode.policy.placement for episode in EPISODES} == {Placement.SIMULTANEOUS, Placement.SEQUENTIAL}
    assert {episode.policy.order_type for episode in EPISODES} == set(OrderType)
    assert {venue.name for episode in EPISODES for venue in episode.venues} == set(MAKERS)
    assert {each.what for episode in EPISODES for each in episode.planned} == {*Mishap, *Act}
    assert {kind for e in EPISODES for venue in e.venues for kind in venue.faults} == set(FaultKind) - NEVER
    assert {ask.exits for episode in EPISODES for ask in episode.asks} == {True, False}


def test_most_faults_are_switched_off_in_any_one_episode() -> None:
    """So that those which are on meet each other, and nothing hides behind the loudest."""
    kinds = len(FaultKind) - len(NEVER)
    for episode in EPISODES:
        for venue in episode.venues:
            assert len(venue.faults) < kinds * 0.75
    calm = [episode for episode in EPISODES if episode.level is Level.NONE]
    assert calm
    assert all(not venue.faults for episode in calm for venue in episode.venues)
    assert all(not episode.planned and not episode.focus for episode in calm)


def test_no_operation_meets_faults_more_often_than_always() -> None:
    """A tenth of the calls at least meets none, so that everything gets somewhere."""
    for episode in EPISODES:
        for venue in episode.venues:
            for operation in Operation:
                kinds = [row.kind for row in ROWS if operation in row.operations]
                assert sum(venue.faults.get(kind, 0.0) for kind in kinds) <= 0.9 + 1e-9


def test_only_a_venue_without_a_row_lacks_anything() -> None:
    """What the library knows of a venue is what that venue offers."""
    lacking = [venue for episode in EPISODES for venue in episode.venues if venue.lacks]
    assert lacking
    assert {venue.name for venue in lacking} == {PLAIN}
    assert all(not set(venue.lacks) & venue.options.offers for venue in lacking)


def test_a_focus_can_be_asked_for_or_ruled_out() -> None:
    """By name, or by the empty name; an unknown one is an error."""
    assert draw(3, "disk").focus == "disk"
    assert draw(3, "").focus == ""
    with pytest.raises(KeyError):
        draw(3, "nothing of the kind")
