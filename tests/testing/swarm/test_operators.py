"""The operator of an episode."""

from __future__ import annotations

import pytest
from attrs import evolve
from episodes import calm, planned, played

from fsm_arb.messages import Busted, ExternalFill, Judged
from fsm_arb.testing.simulated import FaultKind
from fsm_arb.testing.swarm.episode import Act, Episode

SEEDS = range(2, 14)


def venues_with(episode: Episode, **faults: float) -> Episode:
    kinds = {FaultKind(name): probability for name, probability in faults.items()}
    return evolve(episode, venues=tuple(evolve(venue, faults=kinds) for venue in episode.venues))


def facts(kind: type, act: Act, policy: dict[str, object], **faults: float) -> int:
    """Return how many records of a kind some episodes with that act have brought."""
    found = 0
    for seed in SEEDS:
        episode = calm(seed, planned=(planned(act), planned(act, number=2)))
        episode = evolve(episode, policy=evolve(episode.policy, **policy))  # type: ignore[arg-type]
        world = played(venues_with(episode, **faults))
        found += sum(isinstance(entry.fact, kind) for entries in world.entries.values() for entry in entries)
        assert world.operator.broken == []
        if found:
            break
    return found


@pytest.mark.parametrize(
    ("kind", "act", "policy", "faults"),
    [
        (Busted, Act.BUST, {}, {}),
        (ExternalFill, Act.RESOLVE, {"attempts_max": 0, "halted_retry_s": 30}, {"partial": 0.6}),
        (Judged, Act.SETTLE, {"doubt_max_s": 5}, {"no_id_lost": 0.5}),
    ],
)
def test_what_an_operator_says_is_written_down_and_true(
    kind: type, act: Act, policy: dict[str, object], faults: dict[str, float]
) -> None:
    """And the books agree in the end, with what was done by hand and what was taken back."""
    assert facts(kind, act, policy, **faults)


def test_a_halted_trade_is_resumed_and_entries_are_let_in_again() -> None:
    """Both are counted as done, and every trade ends."""
    done = 0
    for seed in SEEDS:
        episode = calm(seed, planned=(planned(Act.RESUME, 0.0), planned(Act.STOP, 0.1, number=2)))
        episode = evolve(episode, policy=evolve(episode.policy, attempts_max=0))
        world = played(venues_with(episode, partial=0.6))
        done += world.operator.done["resume"]
        assert world.operator.done["stop"] == 1
        if done:
            return
    pytest.fail("no trade was ever halted")
