"""Faults of simulated venues: one of them, or a few, each for a call of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen
from hypothesis import strategies as st

from fsm_arb.testing.simulated import ROWS, FaultKind, FaultRow, Operation, SimulatedVenues

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hypothesis.strategies import SearchStrategy

VENUES = ("upbit", "binance")
# A bust has to be told by a person, and what edits orders is not what trades are made of: name them to have them.
_LEFT_OUT = frozenset({FaultKind.BUST, FaultKind.REPLACE_LOSES_OLD})
KINDS = tuple(row.kind for row in ROWS if row.kind not in _LEFT_OUT)


@frozen(kw_only=True)
class Injection:
    """One fault, and which call it is to meet."""

    venue: str
    kind: FaultKind
    operation: Operation
    skip: int = 0  # calls that fit and are let through before
    ms: int | None = None  # how long it lasts or how late something comes; None: as its row says

    def into(self, venues: SimulatedVenues) -> None:
        """Let it meet its call on *venues*.

        Raises:
            KeyError: There is no such venue.
        """
        venues.inject(self.venue, self.kind, operation=self.operation, skip=self.skip, ms=self.ms)


def injections(
    venues: Iterable[str] = VENUES, *, kinds: Collection[FaultKind] = KINDS, skip_max: int = 3
) -> SearchStrategy[Injection]:
    """Draw one fault of one venue.

    Args:
        venues: Their names.
        kinds: Which faults; unless they are named, all but those that need a person to tell of them.
        skip_max: The most calls that are let through before.
    """
    rows = [row for row in ROWS if row.kind in kinds]
    names = tuple(venues)

    def of(row: FaultRow) -> SearchStrategy[Injection]:
        operations = sorted(row.operations, key=lambda operation: operation is not Operation.CREATE)
        return st.builds(
            Injection,
            venue=st.sampled_from(names),
            kind=st.just(row.kind),
            operation=st.sampled_from(operations),
            skip=st.integers(0, skip_max),
            ms=st.none() if row.ms is None else st.none() | st.sampled_from(row.ms),
        )

    return st.sampled_from(rows).flatmap(of)


def fault_plans(
    venues: Iterable[str] = VENUES, *, kinds: Collection[FaultKind] = KINDS, most: int = 4
) -> SearchStrategy[list[Injection]]:
    """Draw a few faults at once: what is harmless alone is often not beside another.

    Args:
        venues: Their names.
        kinds: Which faults.
        most: The most faults.
    """
    return st.lists(injections(venues, kinds=kinds), max_size=most)
