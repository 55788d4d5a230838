"""Which fault meets which call: drawn from a seed, or put there by hand.

What the n-th call of one operation on one venue meets depends on the seed and
on nothing else. So a fault can be masked, and all the others stay where they
were: a failing run is made small by leaving out faults one by one.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, frozen

from fsm_arb.testing.simulated.kinds import ROW_OF, ROWS, STICKY, Fault, FaultKind, Operation, spread

if TYPE_CHECKING:
    from collections.abc import Mapping

_Table = dict[Operation, tuple[tuple[FaultKind, float], ...]]

_WORD = 8  # bytes a drawn number is made of
_SCALE = float(1 << 8 * _WORD)

# Per call that it applies to. A rare one lasts, or reaches every call.
_RARE = frozenset(STICKY) - {FaultKind.SKEW}
_SMALL = 0.004
_SMALLER = 0.0008
_OFTEN = {FaultKind.LOST_AFTER: 2.0, FaultKind.LOST_BEFORE: 2.0, FaultKind.PARTIAL: 3.0, FaultKind.CANCEL_RACE: 4.0}
# A bust is not found out by looking: somebody has to say so. Who draws it must tell.
_NEVER = frozenset({FaultKind.BUST})


def profile(scale: float) -> dict[FaultKind, float]:
    """Return how often each kind is drawn per call it applies to; busts never, since somebody has to announce them.

    Args:
        scale: 1: about one create in nine meets something; 4: about four in ten.
    """
    return {
        row.kind: scale * (_SMALLER if row.kind in _RARE else _SMALL) * _OFTEN.get(row.kind, 1.0)
        for row in ROWS
        if row.kind not in _NEVER
    }


PROFILES: Mapping[str, Mapping[FaultKind, float]] = {"none": {}, "some": profile(1.0), "many": profile(4.0)}


@frozen
class Draw:
    """What one call meets."""

    number: int  # of the calls of this operation on this venue, from 1
    fault: Fault | None
    jitter: float  # from 0 up to 1: how slow it is


@define
class _Queued:
    venue: str
    kind: FaultKind
    operation: Operation | None
    symbol: str | None
    ms: int | None
    draw: float
    key: str
    skip: int


class FaultPlan:
    """Decides what each call meets.

    Args:
        seed: Where everything drawn comes from.
        chances: How often each kind is drawn, per call that it applies to; or the name of one of `PROFILES`.
        by_venue: The same for some venues alone, instead of *chances*.
        only: Keys of drawn faults that may happen; None: all.
        masked: Keys of drawn faults that do not happen.
        durations: How long each kind lasts or how late it comes, ms from and to, where not as in its row.

    Raises:
        ValueError: The chances of one operation exceed 1, or there is no profile of that name.
    """

    def __init__(
        self,
        seed: int,
        chances: Mapping[FaultKind, float] | str = "none",
        *,
        by_venue: Mapping[str, Mapping[FaultKind, float] | str] | None = None,
        only: frozenset[str] | None = None,
        masked: frozenset[str] = frozenset(),
        durations: Mapping[FaultKind, tuple[int, int]] | None = None,
    ) -> None:
        self.seed = seed
        self.only = only
        self.masked = masked
        self.on = True  # whether faults are drawn; what is injected happens regardless
        self._durations = dict(durations or {})
        self._default = _by_operation(chances)
        self._by_venue = {venue: _by_operation(each) for venue, each in (by_venue or {}).items()}
        self._queue: list[_Queued] = []
        self._calls: Counter[str] = Counter()  # by venue and operation
        self._injected = itertools.count(1)

    def draw(self, venue: str, operation: Operation, symbol: str | None) -> Draw:
        """Return what the next call of *operation* on *venue* meets."""
        calls = f"{venue}/{operation.value}"
        number = self._calls[calls] = self._calls[calls] + 1
        stream = f"{self.seed}/{calls}/{number}".encode()
        digest = hashlib.blake2b(stream, digest_size=3 * _WORD).digest()
        jitter = int.from_bytes(digest[2 * _WORD :]) / _SCALE
        fault = None
        if self._queue:
            fault = self._from_queue(venue, operation, symbol)
        if fault is None and self.on:
            fault = self._drawn(venue, operation, number, digest)
        return Draw(number, fault, jitter)

    def _drawn(self, venue: str, operation: Operation, number: int, digest: bytes) -> Fault | None:
        rows = self._by_venue.get(venue, self._default).get(operation)
        if not rows:
            return None
        left = int.from_bytes(digest[:_WORD]) / _SCALE
        for kind, probability in rows:
            left -= probability
            if left < 0:
                key = f"{venue}/{operation.value}/{number}/{kind.value}"
                if key in self.masked or (self.only is not None and key not in self.only):
                    return None
                return self._fault(kind, key, int.from_bytes(digest[_WORD : 2 * _WORD]) / _SCALE)
        return None

    def _fault(self, kind: FaultKind, key: str, draw: float, ms: int | None = None) -> Fault:
        if ms is None:
            low, high = self._durations.get(kind) or ROW_OF[kind].ms or (0, 0)
            ms = low + int(spread(draw) * (high - low))
        return Fault(kind=kind, key=key, ms=ms, draw=draw)

    # -------------------------------------------------------------- by hand

    def inject(
        self,
        venue: str,
        kind: FaultKind,
        *,
        operation: Operation | None = None,
        symbol: str | None = None,
        ms: int | None = None,
        draw: float = 0.0,
        count: int = 1,
        skip: int = 0,
    ) -> tuple[str, ...]:
        """Let *kind* meet the next calls that fit, instead of whatever they would draw; return its keys.

        Args:
            venue: Where.
            kind: What.
            operation: Of which calls; None: of any it applies to.
            symbol: Of which market; None: any.
            ms: How long or how late; None: drawn from its row by *draw*.
            draw: A number from 0 up to 1, for what else is open about it.
            count: How many calls.
            skip: How many that fit are let through before.

        Raises:
            ValueError: This kind does not apply to that operation.
        """
        if operation is not None and operation not in ROW_OF[kind].operations:
            raise ValueError(f"fault {kind.value} does not apply to {operation.value}")
        keys = tuple(f"{venue}/injected/{next(self._injected)}/{kind.value}" for _ in range(count))
        self._queue += [_Queued(venue, kind, operation, symbol, ms, draw, key, skip) for key in keys]
        return keys

    def pending(self) -> int:
        """Return how many injected faults have met no call yet."""
        return len(self._queue)

    def _from_queue(self, venue: str, operation: Operation, symbol: str | None) -> Fault | None:
        for index, queued in enumerate(self._queue):
            fits = queued.operation is operation or (
                queued.operation is None and operation in ROW_OF[queued.kind].operations
            )
            if queued.venue != venue or not fits or queued.symbol not in {None, symbol}:
                continue
            if queued.skip:
                queued.skip -= 1
                continue
            del self._queue[index]
            return self._fault(queued.kind, queued.key, queued.draw, queued.ms)
        return None

    def heal(self) -> None:
        """Draw no more, and forget what was injected and has met nothing."""
        self.on = False
        self._queue.clear()


def _by_operation(chances: Mapping[FaultKind, float] | str) -> _Table:
    if isinstance(chances, str):
        if chances not in PROFILES:
            raise ValueError(f"profile {chances!r}: must be one of {', '.join(PROFILES)}")
        chances = PROFILES[chances]
    # In the order of the table, whatever the order of the mapping: what a seed means must not depend on it.
    return _table(tuple((row.kind, chances[row.kind]) for row in ROWS if chances.get(row.kind)))


@functools.lru_cache(maxsize=256)
def _table(chances: tuple[tuple[FaultKind, float], ...]) -> _Table:
    rows = {
        operation: tuple(pair for pair in chances if operation in ROW_OF[pair[0]].operations) for operation in Operation
    }
    for operation, pairs in rows.items():
        if sum(probability for _, probability in pairs) > 1.0:
            raise ValueError(f"the chances of the faults of {operation.value} add up to more than 1")
    return rows
