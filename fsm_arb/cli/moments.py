"""A moment in a trade's life, as people write it."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import click
from attrs import frozen

from fsm_arb.clock import NS_PER_S

DAY_NS = 86_400 * NS_PER_S
SPAN = re.compile(r"\+(\d+(?:\.\d+)?)(ms|s|m|h)?")
UNITS_S = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@frozen(kw_only=True)
class Given:
    """A moment that may depend on when the trade was begun: one of three is set."""

    after_ns: int | None = None  # since the beginning
    of_day_ns: int | None = None  # a time of day, UTC
    at_ns: int | None = None  # wall clock UTC

    def of(self, began_ns: int) -> int:
        """Return the moment, wall clock UTC, ns. A time of day is the first one at or after the beginning."""
        if self.after_ns is not None:
            return began_ns + self.after_ns
        if self.of_day_ns is not None:
            midnight = began_ns // DAY_NS * DAY_NS
            # The beginning's own second is written without its fraction, and is no day later.
            whole = began_ns // NS_PER_S * NS_PER_S
            return midnight + self.of_day_ns + (DAY_NS if midnight + self.of_day_ns < whole else 0)
        return self.at_ns or 0


def moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Given | None:
    """Return the moment that an option gives.

    Raises:
        BadParameter: It is none.
    """
    if text is None:
        return None
    given = _span(text) or _of_day(text) or _iso(text)
    if given is None:
        said = "write +1.5s (after it began), 14:03:20 (UTC), or 2026-01-31T14:03:20+01:00 (with an offset, or Z)"
        raise click.BadParameter(f"{text!r} is no moment; {said}")
    return given


def _span(text: str) -> Given | None:
    found = SPAN.fullmatch(text)
    if found is None:
        return None
    return Given(after_ns=int(Decimal(found[1]) * UNITS_S[found[2] or "s"] * NS_PER_S))


def _of_day(text: str) -> Given | None:
    try:
        at = dt.time.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is not None:
        return None
    whole_s = at.hour * 3600 + at.minute * 60 + at.second
    return Given(of_day_ns=whole_s * NS_PER_S + at.microsecond * 1000)


def _iso(text: str) -> Given | None:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None  # whose midnight it means is anybody's guess
    return Given(at_ns=(at - EPOCH) // MICROSECOND * 1000)
