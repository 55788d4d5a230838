"""Everything a process does to the world outside of it, counted; and what becomes of the k-th.

A process reaches the world through a fence. The fence numbers each effect and
decides about one of them: it fails, it fails from then on, or the process dies
there. A process that is dead reaches nothing any more, whatever of it still runs.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(enum.Enum):
    """Where an effect stands on its way out or back."""

    ASKED = "commit asked for"  # nothing of it is durable
    DURABLE = "commit durable"  # who asked has not been told
    LEAVES = "request leaves"  # nothing is on the wire
    ACTED = "venue has acted"  # the reply is not on its way yet
    REPLIED = "reply arrives"  # nobody has read it
    READING = "reading arrives"  # of what changes nothing: rules, books, balances, how an order stands


class Mode(enum.Enum):
    """What becomes of the effect."""

    ONCE = "fails once"
    ON = "fails from then on"
    DIES = "the process dies"


@frozen
class Effect:
    """One thing a process did."""

    number: int  # from 1
    kind: Kind
    where: str  # "journal", or a venue
    what: str  # the request, or the streams written to

    def __str__(self) -> str:
        return f"{self.number}: {self.kind.value} ({self.where}: {self.what})"


@frozen
class Strike:
    """Which effect goes wrong, and how."""

    at: int  # from 1
    mode: Mode

    def __str__(self) -> str:
        return f"{self.mode.value} at {self.at}"


class Fence:
    """Between one process and the world.

    Args:
        strike: What goes wrong; None: nothing.
        now: Reads the clock by which what fails from then on is healed, ns.
        heals_ns: How long it fails from then on.
        died: Called at the moment of death.
    """

    def __init__(
        self, strike: Strike | None, now: Callable[[], int], heals_ns: int, died: Callable[[], None] = lambda: None
    ) -> None:
        self.alive = True
        self.effects: list[Effect] = []
        self.struck: Effect | None = None
        self._strike = strike
        self._now = now
        self._heals_ns = heals_ns
        self._died = died
        self._failing = ("", 0)  # where, until when

    def reach(self, kind: Kind, where: str, what: str) -> bool:
        """Count an effect and return whether it fails. Whoever asks must look at `alive` afterwards."""
        if not self.alive:
            return True
        effect = Effect(len(self.effects) + 1, kind, where, what)
        self.effects.append(effect)
        strike = self._strike
        if strike is not None and effect.number == strike.at:
            self.struck = effect
            if strike.mode is Mode.DIES:
                self.alive = False
                self._died()
                return True
            self._failing = where, self._now() + (self._heals_ns if strike.mode is Mode.ON else 0)
            return True
        place, until = self._failing
        return place == where and self._now() < until

    def kill(self) -> None:
        """Cut the process off, as after its death."""
        self.alive = False
