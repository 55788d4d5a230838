"""A run, told event by event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from broken_cores import doubt_is_refusal, hedge_from_request

from fsm_arb.testing.explorer import Bounds, Trace, explore
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.trace import NOWHERE, walk

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """How a core that takes a time-out for a no leaves a naked leg."""
    doubt_is_refusal(monkeypatch)
    return explore(Bounds(lots=1, faults=1)).counterexamples[0]


def test_a_run_is_told_in_full(bad: Trace) -> None:
    """Each event, what the trade knew, what the venue had, what was sent, and what is wrong with it."""
    text = bad.text()
    assert text.startswith("5 events, 1 of them faults:")
    assert "sent: order 0 (first: sell 1 on alpha)" in text
    assert "FAULT order 0 (first: sell 1 on alpha): the reply is lost" in text
    assert "the trade knows: dead, 0 of 1 filled (timeout: no answer); the venue has: ended, 1 filled" in text
    assert "naked: 0 as the trade knows it, -1 on the venues" in text
    assert "invariant 1 (exposure bounded): order order-1 on alpha" in text


def test_a_run_is_drawn(bad: Trace) -> None:
    """Both venues and the trade between them, in words that Mermaid reads."""
    lines = bad.mermaid().splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "    T->>A: order 0 (first: sell 1 on alpha)" in lines
    assert "    A-->>T: FAULT: order 0 (first: sell 1 on alpha): the reply is lost" in lines
    known = re.compile(r"    (participant [ATB] as \w+|note over (T|A|B|A,B): [^;#]+|[ATB]-?->>[ATB]: [^;#]+)")
    assert [line for line in lines[1:] if not known.fullmatch(line)] == []


def test_the_run_is_the_shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault is needed to show a hedge of the wrong size, and none is told."""
    hedge_from_request(monkeypatch)
    trace = explore(Bounds(lots=2, faults=1)).counterexamples[0]
    assert trace.faults == 0
    assert "turns the exposure of" in trace.text()


def test_every_run_can_be_walked_again(explored: Shard, path_to: Callable[[int], list[int]]) -> None:
    """The real trade, told what the small numbers mean, is always where the explorer believes it to be."""
    kinds = set()
    for state in list(explored.parents)[::5]:
        path = path_to(state)
        trace = walk(explored.world, explored.moves, path, NOWHERE, ())
        assert len(trace.lines) == len(path) - 1
        kinds |= {line.happened.rpartition(": ")[2] for line in trace.lines}
    assert {"the checks pass", "time passes", "its request arrives", "an operator lets it try again"} <= kinds


def test_a_run_that_is_none_cannot_be_walked(explored: Shard) -> None:
    """States that no edge joins are no run."""
    first, last = explored.moves.begin(), list(explored.parents)[-1]
    with pytest.raises(LookupError, match="no edge"):
        walk(explored.world, explored.moves, [first, last], NOWHERE, ())
