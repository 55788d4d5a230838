"""Worlds whose insides tests may look at."""

from __future__ import annotations

from typing import Any

from fsm_arb.testing.invariants import LIVENESS, invariants
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.drawing import draw
from fsm_arb.testing.swarm.episode import Episode
from fsm_arb.testing.swarm.places import Places
from fsm_arb.testing.swarm.world import Parts, World
from fsm_arb.virtual import VirtualClock, run


def calm(seed: int, **changes: Any) -> Episode:
    """Return an episode in which nothing happens but what *changes* say."""
    from attrs import evolve

    from fsm_arb.testing.swarm.door import AdapterTroubles
    from fsm_arb.testing.swarm.journal import DiskTroubles

    drawn = draw(seed, "")
    still = {"planned": (), "disk": DiskTroubles(), "adapter": AdapterTroubles(), "alerts_down": 0.0, "ids_raise": 0.0}
    venues = tuple(evolve(venue, faults={}) for venue in drawn.venues)
    asks = tuple(evolve(ask, impatience_s=None) for ask in drawn.asks)
    return evolve(drawn, **({"venues": venues, "asks": asks} | still | changes))


def played(episode: Episode) -> World:
    """Return the world of *episode* once it is over; nothing in it may have gone wrong."""
    clock, none = VirtualClock(), frozenset[str]()
    chance = Chance(episode.seed)
    places = Places(episode, clock, mask=none, only=None, told=lambda _: None)
    checkers = (*invariants(), LIVENESS)
    world = World(Parts(episode=episode, chance=chance, clock=clock, places=places, checkers=checkers))
    run(world.play(), clock)
    assert [str(violation) for violation in world.witness.violations] == []
    assert world.wrong == []
    return world


def planned(what: Any, at_s: float = 1.0, state: str = "", delay_s: float = 0.0, number: int = 1) -> Any:
    """Return one thing that is to happen."""
    from fsm_arb.testing.swarm.episode import Planned

    return Planned(key=f"planned {number}: {what.value}", what=what, at_s=at_s, state=state, delay_s=delay_s)
