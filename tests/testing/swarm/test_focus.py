"""Episodes that aim at something."""

from __future__ import annotations

import pytest

from fsm_arb.machines.trade import TradeState
from fsm_arb.policy import POLICY_FIELDS
from fsm_arb.testing.swarm.drawing import draw
from fsm_arb.testing.swarm.focus import FOCUSES


@pytest.mark.parametrize("name", list(FOCUSES))
def test_a_focus_bends_what_it_names(name: str) -> None:
    """In every episode that aims at it: policy, faults, mishaps and acts."""
    focus = FOCUSES[name]
    assert set(focus.policy) <= set(POLICY_FIELDS)
    episode = draw(5, name)
    assert episode.focus == name
    assert all(getattr(episode.policy, field) == value for field, value in focus.policy.items())
    assert all(kind in venue.faults for venue in episode.venues for kind in focus.faults if focus.faults[kind])
    wanted = [(what, state) for what, state in focus.planned]
    assert [(each.what, each.state) for each in episode.planned][len(episode.planned) - len(wanted) :] == wanted
    assert {state for _, state in wanted} <= {"", *TradeState}
