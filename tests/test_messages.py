"""What a trade is told and what it records."""

from __future__ import annotations

from typing import Any, get_args

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError

from fsm_arb.messages import (
    Begun,
    CancelAsked,
    Event,
    Fact,
    Intended,
    Kind,
    Moved,
    Outcome,
    Purpose,
    Stalled,
    Ticked,
)


def test_a_trade_is_told_every_fact_that_it_does_not_make_itself_and_the_time() -> None:
    """Time is not recorded: what follows from it is."""
    own = {Begun, Intended, CancelAsked, Stalled, Moved}
    assert set(get_args(Event)) == (set(get_args(Fact)) - own) | {Ticked}


@pytest.mark.parametrize("kind", [*get_args(Fact), Ticked], ids=lambda kind: kind.__name__)
def test_every_fact_says_when_by_the_clock_that_never_jumps(kind: type[Any]) -> None:
    """First of all, so that none is forgotten; and none can be changed."""
    first = attrs.fields(kind)[0]
    assert first.name == "now"
    assert first.type in {int, "int"}  # as text until somebody resolves it
    assert kind.__setattr__ is not object.__setattr__


def test_a_fact_cannot_be_changed() -> None:
    """The journal holds what was."""
    with pytest.raises(FrozenInstanceError):
        Ticked(now=1).now = 2  # type: ignore[misc]


def test_the_words_that_stand_in_the_journal_stay() -> None:
    """Renaming one would make old journals unreadable."""
    assert [each.value for each in Kind] == ["wait", "probe", "cancel", "first", "complete", "unwind", "halt", "book"]
    assert [each.value for each in Purpose] == ["first", "complete", "unwind"]
    assert [each.value for each in Outcome] == [
        "success",
        "partial_hedged",
        "rolled_back",
        "failed",
        "blocked",
        "halted",
    ]
