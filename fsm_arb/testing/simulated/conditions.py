"""What holds on a venue for a while: outages, bans, halts, a clock that is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.testing.simulated.kinds import FaultKind, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.testing.simulated.kinds import Fault

FOR_EVER = 1 << 62  # ms
READS_FAIL_TIMES = 5  # one more than a bot that gives up after four

# What every call meets while it holds, before the venue looks at it: ccxt's class, and the words.
_SHUT = {
    FaultKind.DOWN: ("ExchangeNotAvailable", "503 Service Unavailable"),
    FaultKind.MAINTENANCE: ("OnMaintenance", "the system is under maintenance"),
    FaultKind.BANNED: ("DDoSProtection", "418 you are banned for sending too many requests"),
    FaultKind.REVOKED: ("AuthenticationError", "invalid API key"),
}
_PUBLIC = frozenset({Operation.BOOK, Operation.MARKETS, Operation.TIME, Operation.STATUS})
_READS = frozenset({Operation.FETCH, Operation.LIST, Operation.TRADES})


@define(eq=False)
class Condition:
    """One thing that holds on."""

    kind: FaultKind
    key: str
    until_ms: int
    symbol: str | None = None  # None: the whole venue
    times: int | None = None  # how many calls it still meets; None: any number
    by_hand: bool = False  # `heal` leaves it
    size: int = 0  # ms; of a clock, how far it is off


class Conditions:
    """Everything that holds on one venue now."""

    def __init__(self) -> None:
        self._held: list[Condition] = []

    def begin(self, fault: Fault, now_ms: int, symbol: str | None) -> Condition:
        """Let a fault that holds on begin."""
        size = 0
        if fault.kind is FaultKind.SKEW:
            # How far off, as likely behind as ahead: up to three seconds.
            size = (1 if fault.draw < 0.5 else -1) * (100 + int(fault.draw * 100_000) % 2_900)  # noqa: PLR2004 - a half
        times = READS_FAIL_TIMES if fault.kind is FaultKind.READS_FAIL else None
        until_ms = FOR_EVER if times is not None else now_ms + fault.ms
        return self.hold(Condition(fault.kind, fault.key, until_ms, symbol, times, size=size))

    def hold(self, condition: Condition) -> Condition:
        """Let *condition* hold, in the place of an earlier one of its kind and market."""
        self.lift(condition.kind, condition.symbol)
        self._held.append(condition)
        return condition

    def lift(self, kind: FaultKind, symbol: str | None = None) -> None:
        """End what holds of *kind* in that market, or on the whole venue."""
        self._held = [each for each in self._held if (each.kind, each.symbol) != (kind, symbol)]

    def of(self, kind: FaultKind, now_ms: int, symbol: str | None = None) -> Condition | None:
        """Return what holds of *kind* in that market, or on the whole venue; None: nothing does."""
        for each in self._held:
            if each.kind is kind and each.symbol in {None, symbol} and now_ms < each.until_ms and each.times != 0:
                return each
        return None

    def against(self, operation: Operation, now_ms: int) -> tuple[Condition, str, str] | None:
        """Return what turns a call of *operation* away, with ccxt's class and the words; None: nothing does."""
        if not self._held:
            return None
        for condition in self._live(now_ms):
            if condition.kind is FaultKind.READS_FAIL and operation in _READS:
                condition.times = (condition.times or 1) - 1
                return condition, "ExchangeNotAvailable", "502 Bad Gateway"
            shut = _SHUT.get(condition.kind)
            if shut is None or (condition.kind is FaultKind.REVOKED and operation in _PUBLIC):
                continue
            if condition.kind is FaultKind.MAINTENANCE and operation is Operation.STATUS:
                continue  # it says so instead
            return condition, *shut
        return None

    def _live(self, now_ms: int) -> Iterator[Condition]:
        return (each for each in self._held if now_ms < each.until_ms and each.times != 0)

    def heal(self) -> None:
        """End all that was not put there by hand."""
        self._held = [each for each in self._held if each.by_hand]
