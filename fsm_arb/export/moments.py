"""Moments as text, to the nanosecond, and stretches of time."""

from __future__ import annotations

import datetime as dt
import re

from attrs import frozen

from fsm_arb.clock import NS_PER_S
from fsm_arb.errors import InvalidInput

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FRACTION = re.compile(r"(:\d\d)\.(\d{1,9})(?=$|Z|[+-])")


def iso(at_ns: int) -> str:
    """Return a moment as ISO 8601 in UTC, always with nine digits and an offset, so that texts sort as times do."""
    whole, rest = divmod(at_ns, NS_PER_S)
    return f"{(_EPOCH + dt.timedelta(seconds=whole)):%Y-%m-%dT%H:%M:%S}.{rest:09d}+00:00"


def moment(text: str, name: str) -> int:
    """Return the nanoseconds since the epoch of a moment in ISO 8601: ``2026-01-02``, ``2026-01-02T03:04:05.6+09:00``.

    Without an offset it is UTC; without a time it is midnight.

    Args:
        text: The moment.
        name: What it was given for.

    Raises:
        InvalidInput: It is no such moment.
    """
    found = _FRACTION.search(text)
    digits, whole_s = (found.group(2), _FRACTION.sub(r"\1", text)) if found else ("", text)
    try:
        at = dt.datetime.fromisoformat(whole_s)
    except ValueError:
        at = None
    if at is None or re.search(r"[.,]", whole_s):  # a fraction of more than nine digits would be cut in silence
        raise InvalidInput(name, text, "is no ISO 8601 moment, such as 2026-01-02T03:04:05Z")
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    whole = (at - _EPOCH) // dt.timedelta(microseconds=1)
    return whole * 1000 + int(digits.ljust(9, "0") or 0)


@frozen
class Window:
    """A stretch of time, its end not included. None: open."""

    since_ns: int | None = None
    until_ns: int | None = None

    def holds(self, at_ns: int) -> bool:
        """Whether a moment lies in it."""
        after = self.since_ns is None or at_ns >= self.since_ns
        return after and (self.until_ns is None or at_ns < self.until_ns)


ALWAYS = Window()
