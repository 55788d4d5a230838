"""What a run has reached: which fault met a trade in which state, which edges were taken, what was judged how often.

Censuses add up, so that many processes can share one run, and are plain
numbers, so that they can be handed from process to process and kept as JSON.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field

from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.trade import TRADE_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.machines.table import Table

SEP = "|"  # between the parts of a key, where a key becomes text


def edges_of(table: Table) -> tuple[tuple[str, str, str], ...]:
    """Return every edge of *table*: from, trigger, to."""
    return tuple((str(row.source), row.trigger, str(row.dest)) for row in table.rows)


@define
class Census:
    """Counts of one episode or of many.

    Attributes:
        episodes: How many, by fault level.
        struck: By fault, state of the affected trade, and `entry` or `exit`: how often the fault took effect.
        trade_edges: By from, trigger and to: how often a trade took that edge.
        position_edges: The same of positions.
        trades: By fault level: how many.
        halted: By fault level: how many were ever halted.
        still_halted: By fault level: how many were halted at the end, since no venue would take a remedy.
        outcomes: By outcome: how many trades ended so.
        judged: By invariant: how often it was judged.
        operated: By what an operator did: how often.
        virtual_s: Seconds that passed in the episodes.
    """

    episodes: Counter[str] = field(factory=Counter)
    struck: Counter[tuple[int, str, str]] = field(factory=Counter)
    trade_edges: Counter[tuple[str, str, str]] = field(factory=Counter)
    position_edges: Counter[tuple[str, str, str]] = field(factory=Counter)
    trades: Counter[str] = field(factory=Counter)
    halted: Counter[str] = field(factory=Counter)
    still_halted: Counter[str] = field(factory=Counter)
    outcomes: Counter[str] = field(factory=Counter)
    judged: Counter[str] = field(factory=Counter)
    operated: Counter[str] = field(factory=Counter)
    virtual_s: float = 0.0

    def add(self, other: Census) -> None:
        """Add the counts of *other*."""
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.virtual_s += other.virtual_s

    def met(self, fault: int, state: str) -> int:
        """Return how often *fault* met a trade in *state*, entries and exits together."""
        return sum(count for (number, where, _), count in self.struck.items() if (number, where) == (fault, state))

    def missing_edges(self, unreachable: Iterable[tuple[str, str, str]] = ()) -> tuple[str, ...]:
        """Return the edges of both tables that were never taken, those in *unreachable* aside."""
        known = set(unreachable)
        found = ((TRADE_TABLE, self.trade_edges), (POSITION_TABLE, self.position_edges))
        return tuple(
            f"{table.name}: {source} -- {trigger} --> {dest}"
            for table, taken in found
            for source, trigger, dest in edges_of(table)
            if not taken[source, trigger, dest] and (source, trigger, dest) not in known
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        found: dict[str, Any] = {
            name: dict(sorted((_text(key), count) for key, count in getattr(self, name).items())) for name in _COUNTERS
        }
        return {**found, "virtual_s": self.virtual_s}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        census = cls(virtual_s=float(data["virtual_s"]))
        for name, read in _COUNTERS.items():
            getattr(census, name).update({read(key): int(count) for key, count in data[name].items()})
        return census


def _text(key: Any) -> str:
    return SEP.join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _three(text: str) -> tuple[str, str, str]:
    first, second, third = text.split(SEP)
    return first, second, third


def _meeting(text: str) -> tuple[int, str, str]:
    number, state, kind = _three(text)
    return int(number), state, kind


_COUNTERS: dict[str, Any] = {
    "episodes": str,
    "struck": _meeting,
    "trade_edges": _three,
    "position_edges": _three,
    "trades": str,
    "halted": str,
    "still_halted": str,
    "outcomes": str,
    "judged": str,
    "operated": str,
}
