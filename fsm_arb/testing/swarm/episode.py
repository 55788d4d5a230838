"""One episode: everything that a seed has drawn, before anything happens."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen

from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.simulated.books import Walk
from fsm_arb.testing.simulated.kinds import FaultKind
from fsm_arb.testing.simulated.options import VenueOptions
from fsm_arb.testing.swarm.door import AdapterTroubles
from fsm_arb.testing.swarm.journal import DiskTroubles

PAGE_SMALLEST = 20  # rows; no venue is known to cut a list shorter


class Level(enum.StrEnum):
    """How much goes wrong."""

    NONE = "none"
    SOME = "some"
    MANY = "many"


class Mishap(enum.StrEnum):
    """What happens to the bot's process or to its machine."""

    KILL = "kill"  # 32
    LEAVE = "leave"  # no fault: left and entered again, as a deployment does
    ALTERED = "altered"  # 34: killed, and its journal altered: must be refused, by name; then put back
    TAKEOVER = "takeover"  # 35: a second process drives the journal while the first one still runs
    JUMP = "jump"  # 36
    STALL = "stall"  # 37
    ABANDON = "abandon"  # no fault: the tasks that await decisions are cancelled


class Act(enum.StrEnum):
    """What an operator does."""

    STOP = "stop"  # and allow entries again a while later
    RESUME = "resume"
    RESOLVE = "resolve"  # trades by hand on a venue, then says so
    SETTLE = "settle"  # looks an order up that no venue shows, then says how it ended
    BUST = "bust"  # the venue takes an execution back, and the operator says so


@frozen(kw_only=True)
class Ask:
    """One decision that the bot will ask for.

    Attributes:
        number: From 1, in order of time.
        at_s: Seconds from the beginning.
        exits: Whether a position is to be left, where one is open by then; else it is an entry.
        base: Asset of an entry.
        venues: An entry's two venues, in the decision's order.
        positive: Whether the first leg sells.
        size: Of an entry, as a multiple of the larger least order.
        drift_bps: By how much the decision's prices differ from the books'.
        dated: Whether it says when it was decided.
        impatience_s: Seconds after which the awaiting task is cancelled and asks again; None: it waits.
    """

    number: int
    at_s: float
    exits: bool
    base: str
    venues: tuple[str, str]
    positive: bool
    size: float
    drift_bps: float = 0.0
    dated: bool = False
    impatience_s: float | None = None


@frozen(kw_only=True)
class Planned:
    """Something that is to happen once: a mishap or an act of an operator.

    Attributes:
        key: Its name, by which it can be left out.
        what: A `Mishap` or an `Act`.
        at_s: Seconds from the beginning before which it does not happen.
        state: It waits for a trade to enter this state; empty: it waits for nothing.
        delay_s: Seconds from then on until it happens.
    """

    key: str
    what: Mishap | Act
    at_s: float
    state: str = ""
    delay_s: float = 0.0


@frozen(kw_only=True)
class VenuePlan:
    """One simulated venue as drawn.

    Attributes:
        options: What it is like; its name is its key in the executor's `venues`.
        faults: Probability of each kind of fault, per call that it applies to.
        lacks: What a venue usually offers and this one does not.
    """

    options: VenueOptions
    faults: Mapping[FaultKind, float] = field(factory=dict)
    lacks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its key."""
        return self.options.name

    @property
    def blind(self) -> bool:
        """Whether its lists may be too short, or too few, to prove an order absent."""
        return bool(self.lacks) or self.options.page <= PAGE_SMALLEST


@frozen(kw_only=True)
class Episode:
    """All that a seed has drawn.

    Attributes:
        seed: Where it comes from.
        focus: Which part of the space it aims at; empty: none.
        level: How much goes wrong.
        policy: Under which the trades run.
        horizon_s: Seconds of phase one, in which faults strike.
        venues: Where it is traded.
        asks: What the bot asks for.
        planned: Mishaps and acts.
        disk: How the journal's disk behaves.
        adapter: How wrong our own half of a call is.
        alerts_down: Probability of a failing alert sink, per alert.
        ids_raise: Probability of an error where ids are made, per id.
        walk: How the books move.
    """

    seed: int
    focus: str
    level: Level
    policy: ExecutionPolicy
    horizon_s: float
    venues: tuple[VenuePlan, ...]
    asks: tuple[Ask, ...]
    planned: tuple[Planned, ...]
    walk: Walk
    disk: DiskTroubles = DiskTroubles()
    adapter: AdapterTroubles = AdapterTroubles()
    alerts_down: float = 0.0
    ids_raise: float = 0.0
