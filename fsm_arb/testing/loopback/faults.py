"""What may go wrong on command: kinds, exact queues, seeded profiles.

The number behind each kind is the row of the project's table of faults that it
injects ("What goes wrong, and the right answer").
"""

from __future__ import annotations

import enum
import random
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from fsm_arb.values import to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Operation(enum.Enum):
    """What a request is for."""

    CREATE = "create"
    CANCEL = "cancel"
    FETCH = "fetch"  # one order
    LIST = "list"  # orders or trades
    BOOK = "book"
    BALANCE = "balance"  # positions too
    META = "meta"  # markets, time, status, fees


class FaultKind(enum.Enum):
    """One thing that goes wrong with one request."""

    LOST_BEFORE = "lost_before"  # 2: the connection drops, nothing was executed
    LOST_AFTER = "lost_after"  # 1: executed, then the connection drops
    DELAY_BEFORE = "delay_before"  # 4, 15: executed `ms` later, the reply follows at once
    DELAY_AFTER = "delay_after"  # 5, 14: executed at once, the reply comes `ms` later
    ACCEPTED_LATE = "accepted_late"  # 4: the connection drops now, executed `ms` later
    TRUNCATED = "truncated"  # 1: executed, half of the body arrives
    EMPTY_200 = "empty_200"  # 44: executed if `executed`, a body of nothing
    BAD_JSON_200 = "bad_json_200"  # 44
    HTML_200 = "html_200"  # 44
    ERROR_500 = "error_500"  # 1, 2: the venue's own JSON error; executed if `executed`
    ERROR_502 = "error_502"  # 1, 2: a gateway's HTML
    ERROR_503 = "error_503"  # 1, 2, 24
    ERROR_504 = "error_504"  # 1, 2
    RATE_LIMITED = "rate_limited"  # 25: 429, never executed
    REFUSED = "refused"  # 41, 43: a definite 400 of the venue's own; uses up an Upbit identifier
    HIDDEN = "hidden"  # 15: created, but reads do not find it for `ms`
    STALE = "stale"  # 13: reads show orders as they stood `ms` ago
    CANCEL_RACE = "cancel_race"  # 7: the order fills just before the cancel arrives
    CANCEL_LOST = "cancel_lost"  # 8: the cancel is agreed to and nothing is done
    PARTIAL = "partial"  # 9: `share` of the order executes, the rest expires
    LATE_FILL = "late_fill"  # 6: what was cancelled, or expired after `share`, fills `ms` later all the same
    DUPLICATE_TRADE = "duplicate_trade"  # 10: the last trade is shown twice
    OLD_BALANCE = "old_balance"  # 23: the balances of the last look are shown again
    DOWN = "down"  # 24: everything answers 503 for `ms`


_ANY = frozenset(Operation)
_READS = frozenset({Operation.FETCH, Operation.LIST})

# Where a kind makes sense; a fault that is queued for another operation is refused.
APPLIES: Mapping[FaultKind, frozenset[Operation]] = {
    **dict.fromkeys(FaultKind, _ANY),
    FaultKind.ACCEPTED_LATE: frozenset({Operation.CREATE, Operation.CANCEL}),
    FaultKind.HIDDEN: frozenset({Operation.CREATE}),
    FaultKind.STALE: _READS,
    FaultKind.CANCEL_RACE: frozenset({Operation.CANCEL}),
    FaultKind.CANCEL_LOST: frozenset({Operation.CANCEL}),
    FaultKind.PARTIAL: frozenset({Operation.CREATE}),
    FaultKind.LATE_FILL: frozenset({Operation.CREATE, Operation.CANCEL}),
    FaultKind.DUPLICATE_TRADE: _READS,
    FaultKind.OLD_BALANCE: frozenset({Operation.BALANCE}),
}


@frozen(kw_only=True)
class Fault:
    """One fault, ready to be injected.

    Attributes:
        kind: What goes wrong.
        ms: Milliseconds, for kinds that have a duration.
        share: Fraction of the order that executes at once, for `PARTIAL` and `LATE_FILL` on a create.
        executed: Whether the request takes effect, for kinds where that is open.
    """

    kind: FaultKind
    ms: int = 200
    share: Decimal = Decimal("0.5")
    executed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {"kind": self.kind.value, "ms": self.ms, "share": str(self.share), "executed": self.executed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        """Read what `to_json` wrote; left-out fields take their defaults.

        Raises:
            ValueError: Not a fault.
        """
        default = cls(kind=FaultKind(data["kind"]))
        return evolve(
            default,
            ms=int(data.get("ms", default.ms)),
            share=to_decimal(data.get("share", default.share), "share"),
            executed=bool(data.get("executed", default.executed)),
        )


@frozen
class Chance:
    """How often a fault is drawn for one operation."""

    operation: Operation
    probability: float
    fault: Fault


def _chances(scale: float, *rows: tuple[Operation, float, Fault]) -> tuple[Chance, ...]:
    return tuple(Chance(operation, probability * scale, fault) for operation, probability, fault in rows)


def _fault(kind: FaultKind, ms: int = 200, *, executed: bool = True, share: str = "0.5") -> Fault:
    return Fault(kind=kind, ms=ms, executed=executed, share=Decimal(share))


_ROWS: tuple[tuple[Operation, float, Fault], ...] = (
    (Operation.CREATE, 0.010, _fault(FaultKind.LOST_BEFORE)),
    (Operation.CREATE, 0.015, _fault(FaultKind.LOST_AFTER)),
    (Operation.CREATE, 0.005, _fault(FaultKind.DELAY_BEFORE, 80)),
    (Operation.CREATE, 0.005, _fault(FaultKind.DELAY_AFTER, 80)),
    (Operation.CREATE, 0.005, _fault(FaultKind.ACCEPTED_LATE, 150)),
    (Operation.CREATE, 0.005, _fault(FaultKind.TRUNCATED)),
    (Operation.CREATE, 0.005, _fault(FaultKind.EMPTY_200)),
    (Operation.CREATE, 0.005, _fault(FaultKind.BAD_JSON_200)),
    (Operation.CREATE, 0.005, _fault(FaultKind.HTML_200)),
    (Operation.CREATE, 0.005, _fault(FaultKind.ERROR_500)),
    (Operation.CREATE, 0.005, _fault(FaultKind.ERROR_502, executed=False)),
    (Operation.CREATE, 0.005, _fault(FaultKind.ERROR_503, executed=False)),
    (Operation.CREATE, 0.005, _fault(FaultKind.ERROR_504)),
    (Operation.CREATE, 0.005, _fault(FaultKind.RATE_LIMITED)),
    (Operation.CREATE, 0.010, _fault(FaultKind.REFUSED)),
    (Operation.CREATE, 0.010, _fault(FaultKind.HIDDEN, 150)),
    (Operation.CREATE, 0.020, _fault(FaultKind.PARTIAL)),
    (Operation.CREATE, 0.005, _fault(FaultKind.LATE_FILL, 150)),
    (Operation.CANCEL, 0.010, _fault(FaultKind.LOST_BEFORE)),
    (Operation.CANCEL, 0.010, _fault(FaultKind.LOST_AFTER)),
    (Operation.CANCEL, 0.005, _fault(FaultKind.ERROR_500)),
    (Operation.CANCEL, 0.005, _fault(FaultKind.ERROR_504, executed=False)),
    (Operation.CANCEL, 0.005, _fault(FaultKind.EMPTY_200)),
    (Operation.CANCEL, 0.020, _fault(FaultKind.CANCEL_RACE)),
    (Operation.CANCEL, 0.015, _fault(FaultKind.CANCEL_LOST)),
    (Operation.CANCEL, 0.010, _fault(FaultKind.LATE_FILL, 150)),
    (Operation.FETCH, 0.010, _fault(FaultKind.LOST_BEFORE)),
    (Operation.FETCH, 0.010, _fault(FaultKind.STALE, 120)),
    (Operation.FETCH, 0.005, _fault(FaultKind.DUPLICATE_TRADE)),
    (Operation.FETCH, 0.005, _fault(FaultKind.HTML_200)),
    (Operation.FETCH, 0.005, _fault(FaultKind.ERROR_502)),
    (Operation.FETCH, 0.005, _fault(FaultKind.RATE_LIMITED)),
    (Operation.FETCH, 0.002, _fault(FaultKind.DOWN, 250)),
    (Operation.LIST, 0.010, _fault(FaultKind.STALE, 120)),
    (Operation.LIST, 0.005, _fault(FaultKind.DUPLICATE_TRADE)),
    (Operation.LIST, 0.005, _fault(FaultKind.ERROR_503)),
    (Operation.LIST, 0.005, _fault(FaultKind.BAD_JSON_200)),
    (Operation.BOOK, 0.005, _fault(FaultKind.ERROR_502)),
    (Operation.BOOK, 0.005, _fault(FaultKind.LOST_BEFORE)),
    (Operation.BALANCE, 0.010, _fault(FaultKind.OLD_BALANCE)),
    (Operation.BALANCE, 0.005, _fault(FaultKind.ERROR_503)),
)

# Drawn per request. `some`: about one create in eight is touched; `many`: about two in five.
PROFILES: Mapping[str, tuple[Chance, ...]] = {
    "none": (),
    "some": _chances(1.0, *_ROWS),
    "many": _chances(3.0, *_ROWS),
}


@frozen(kw_only=True)
class Match:
    """Which requests a queued fault waits for."""

    dialect: str
    operation: Operation
    symbol: str | None = None  # unified; None for any

    def takes(self, dialect: str, operation: Operation, symbol: str | None) -> bool:
        """Whether a request is one of these; one that names no symbol never is if a symbol is asked for."""
        return self.dialect == dialect and self.operation is operation and self.symbol in {None, symbol}


class FaultPlan:
    """Decides which fault, if any, meets a request."""

    def __init__(self, seed: int, profile: str = "none") -> None:
        self._seed = seed
        self._queue: deque[tuple[Match, Fault]] = deque()
        self._profiles: dict[str, str] = {}
        self._profile_default = profile
        self._down_until_ms: dict[str, int] = {}
        self._draws: dict[tuple[str, Operation], random.Random] = {}

    def profile(self, dialect: str) -> str:
        """Return the profile that *dialect* draws from."""
        return self._profiles.get(dialect, self._profile_default)

    def set_profile(self, profile: str, dialects: Iterable[str] | None = None) -> None:
        """Draw from *profile* from now on; for some dialects, or for all.

        Raises:
            ValueError: No such profile.
        """
        if profile not in PROFILES:
            raise ValueError(f"profile {profile!r}: must be one of {', '.join(PROFILES)}")
        if dialects is None:
            self._profile_default = profile
            self._profiles.clear()
            return
        for dialect in dialects:
            self._profiles[dialect] = profile

    def queue(self, match: Match, fault: Fault, count: int = 1) -> None:
        """Let *fault* meet the next *count* requests that *match*.

        Raises:
            ValueError: This kind makes no sense for that operation.
        """
        if match.operation not in APPLIES[fault.kind]:
            raise ValueError(f"fault {fault.kind.value} does not apply to {match.operation.value}")
        self._queue.extend([(match, fault)] * count)

    def pending(self) -> int:
        """Return how many queued faults have met nothing yet."""
        return len(self._queue)

    def clear(self) -> None:
        """Forget the queue, end every outage, draw no more."""
        self._queue.clear()
        self._down_until_ms.clear()
        self._profiles.clear()
        self._profile_default = "none"

    def set_down(self, dialect: str, until_ms: int) -> None:
        """Let *dialect* be down until *until_ms*; zero brings it up."""
        self._down_until_ms[dialect] = until_ms

    def is_down(self, dialect: str, now_ms: int) -> bool:
        """Whether every call of *dialect* is to answer 503."""
        return now_ms < self._down_until_ms.get(dialect, 0)

    def draw(self, dialect: str, operation: Operation, symbol: str | None) -> Fault | None:
        """Return the fault that this request meets: the first queued one that matches, else a drawn one."""
        for index, (match, fault) in enumerate(self._queue):
            if match.takes(dialect, operation, symbol):
                del self._queue[index]
                return fault
        chances = PROFILES[self.profile(dialect)]
        if not chances:
            return None
        stream = (dialect, operation)
        if stream not in self._draws:
            self._draws[stream] = random.Random(f"{self._seed}/{dialect}/{operation.value}")  # noqa: S311 - repeatable
        number = self._draws[stream].random()
        for chance in chances:
            if chance.operation is operation:
                number -= chance.probability
                if number < 0:
                    return chance.fault
        return None


__all__ = ["APPLIES", "PROFILES", "Chance", "Fault", "FaultKind", "FaultPlan", "Match", "Operation"]
