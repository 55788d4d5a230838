"""Chance that can be repeated and masked: every draw has a key of its own, and a seed gives each key one number.

A draw does not depend on how many were made before it. So a single fault can
be left out of an episode, by its key, while every other draw stays what it was:
that is what makes a failing episode small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_SPAN = float(1 << 53)


class Chance:
    """The draws of one episode.

    Args:
        seed: What all numbers come from.
        mask: Keys of draws that do not strike, whatever their number.
        only: Keys of the only draws that strike; None: no such bound.
        told: Called with each key that strikes.
    """

    def __init__(
        self,
        seed: int | str,
        *,
        mask: frozenset[str] = frozenset(),
        only: frozenset[str] | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._seed = f"{seed}/".encode()
        self._mask = mask
        self._only = only
        self._told = told
        self.healed = False  # nothing strikes any more

    def number(self, key: str) -> float:
        """Return the number of *key*, from 0 up to but not including 1."""
        drawn = hashlib.blake2b(self._seed + key.encode(), digest_size=8).digest()
        return (int.from_bytes(drawn) >> 11) / _SPAN

    def strikes(self, key: str, probability: float) -> bool:
        """Whether what *key* names happens."""
        if self.healed or probability <= 0 or self.number(key) >= probability:
            return False
        return self.allows(key)

    def allows(self, key: str) -> bool:
        """Whether something that is to happen may, as far as the masks go; it is told of if so."""
        if self.healed or key in self._mask or (self._only is not None and key not in self._only):
            return False
        if self._told is not None:
            self._told(key)
        return True

    def between(self, key: str, low: float, high: float) -> float:
        """Return a number of *key*'s own from *low* up to *high*."""
        return low + (high - low) * self.number(f"{key}?")

    def one_of(self, key: str, among: Sequence[T]) -> T:
        """Return one of *among*."""
        return among[int(self.number(f"{key}!") * len(among))]
