"""Shards in processes of their own find what one finds."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from broken_cores import late_fill_dropped

from fsm_arb.testing.explorer.bounds import Bounds
from fsm_arb.testing.explorer.calm import STUCK, Ways
from fsm_arb.testing.explorer.crew import Crew, Here, There, crew_of, retold
from fsm_arb.testing.explorer.search import Limit
from fsm_arb.testing.explorer.shard import Shard

BOUNDS = Bounds(lots=1, faults=1, crashes=False, attempts=1)


class Afar(Here):
    """A shard in this process that is spoken to as if it were in another."""

    def ask(self, name: str, *arguments: Any) -> None:
        super().ask(name, *pickle.loads(pickle.dumps(arguments)))  # noqa: S301 - our own bytes


def together(bounds: Bounds, count: int) -> Crew:
    """Return a crew of so many shards, which has run."""
    crew = Crew(bounds=bounds, hands=[Afar(Shard.part(bounds, number, count)) for number in range(count)])
    crew.run()
    return crew


def places(crew: Crew) -> set[Any]:
    """Return every state, in words that do not depend on who has found it."""
    return {hand.shard.place(state)[0] for hand in crew.hands if isinstance(hand, Here) for state in hand.shard.parents}


def test_three_shards_find_what_one_finds() -> None:
    """State by state, and each in one shard only."""
    one, three = together(BOUNDS, 1), together(BOUNDS, 3)
    assert places(one) == places(three)
    assert one.layers == three.layers
    assert len(places(three)) == three.layers[-1].states
    assert one.cannot_finish() == three.cannot_finish()
    first, other = one.sums(), three.sums()
    assert (first.trades, first.endings, first.rows) == (other.trades, other.endings, other.rows)
    assert one.unexplained() == three.unexplained() == frozenset()


def test_what_is_stuck_is_found_before_the_end_too() -> None:
    """A state that leads nowhere is told, whatever else was not explored; one that leads past that is not."""
    shard = Shard.part(BOUNDS)
    crew = Crew(bounds=BOUNDS, hands=[Here(shard)], limit=Limit(states=300))
    crew.run()
    assert crew.partial is not None
    well = crew.cannot_finish()
    assert (well.stuck, well.unfollowed > 0) == (0, True)
    first = shard.moves.begin()
    shard.ways, shard.calmer[shard.calmer[first]] = Ways(), STUCK
    lost = crew.cannot_finish()
    assert lost.stuck == 2
    assert [len(path) for path in lost.paths] == [1, 2]


def test_processes_find_what_one_finds() -> None:
    """The same, over pipes."""
    bounds = Bounds(lots=1, faults=0)
    alone = together(bounds, 1)
    with crew_of(bounds, 2, None) as crew:
        crew.run()
        assert crew.layers == alone.layers
        assert crew.cannot_finish() == alone.cannot_finish()
        assert crew.breaches() == []
        assert crew.sums().endings == alone.sums().endings


def test_a_shard_that_fails_says_why() -> None:
    """What goes wrong in another process is raised here, in its own words."""
    with crew_of(Bounds(lots=1, faults=0), 2, None) as crew:
        hand = crew.hands[0]
        assert isinstance(hand, There)
        hand.ask("no_such_thing")
        with pytest.raises(RuntimeError, match="no_such_thing"):
            hand.answer()


def test_a_run_is_told_again_wherever_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breach that two shards found between them reads as one run from the beginning."""
    late_fill_dropped(monkeypatch)
    bounds = Bounds(lots=1, faults=1)
    crew = together(bounds, 2)
    path, label, violations = crew.breaches()[0]
    trace = retold(bounds, path, label, violations)
    assert trace.faults == 1
    assert "invariant" in trace.text()


def test_a_run_that_is_none_is_not_told() -> None:
    """States that do not follow each other are no run."""
    path = [((), b""), (("nowhere",), b"")]
    with pytest.raises(LookupError, match="lost after 1"):
        retold(BOUNDS, path, 0, ())
