"""Where a moment stands on an axis: true to scale, save for marked breaks where nothing happened for long."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.audit.figures import MINUS
from fsm_arb.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NS_PER_MS = 1_000_000
US_PER_S = 1_000_000
MARKS_APART = 0.15  # of the axis; a label needs some 50 px of the 330 px of a telephone
GAP_SHARE = 0.2  # of the axis; what a pause may take before it is broken
BROKEN_BY = 4  # a pause that would become less than so many times shorter stays whole
LEGIBLE = 0.15  # of the axis; where what is not a long pause has this much, it needs no breaks
_STEPS_NS = tuple(
    step * NS_PER_MS
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000)
) + tuple(step * 60 * NS_PER_S for step in (5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10_080, 43_200))


@frozen
class Scale:
    """An axis of time.

    Attributes:
        knots: Moments and their places, both growing; between two the axis is even.
        breaks: Pauses that are drawn shorter than they were.
    """

    knots: tuple[tuple[int, float], ...]
    breaks: tuple[tuple[int, int], ...] = ()
    _moments: tuple[int, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_moments", tuple(moment for moment, _ in self.knots))

    @property
    def begins_ns(self) -> int:
        """Where it begins."""
        return self._moments[0]

    @property
    def ends_ns(self) -> int:
        """Where it ends."""
        return self._moments[-1]

    def at(self, moment_ns: int) -> float:
        """Return the place of a moment: 0 at the beginning of the axis, 1 at its end."""
        if moment_ns <= self.begins_ns:
            return 0.0
        if moment_ns >= self.ends_ns:
            return 1.0
        index = bisect.bisect_right(self._moments, moment_ns)
        (before, low), (after, high) = self.knots[index - 1], self.knots[index]
        return low + (high - low) * (moment_ns - before) / (after - before)

    def marks(self) -> Iterator[int]:
        """Yield moments that are round when counted from the beginning, far enough apart to be labelled."""
        placed: list[float] = [self.at(to_ns) for _, to_ns in self.breaks]
        bounds = [self.begins_ns, *itertools.chain.from_iterable(self.breaks), self.ends_ns]
        for from_ns, to_ns in zip(bounds[::2], bounds[1::2], strict=True):
            for moment in self._round(from_ns, to_ns):
                place = self.at(moment)
                if all(abs(place - other) >= MARKS_APART for other in placed):
                    placed.append(place)
                    yield moment

    def _round(self, from_ns: int, to_ns: int) -> Iterator[int]:
        room = (self.at(to_ns) - self.at(from_ns)) / MARKS_APART
        step = next((step for step in _STEPS_NS if (to_ns - from_ns) / step <= max(room, 1)), _STEPS_NS[-1])
        first = -(-(from_ns - self.begins_ns) // step) * step + self.begins_ns
        return iter(range(first, to_ns + 1, step))


def scale(moments: Iterable[int]) -> Scale:
    """Return an axis over *moments*, ns, at least one, on which no pause leaves the rest without room."""
    ordered = sorted(set(moments))
    if len(ordered) == 1:
        ordered.append(ordered[0] + NS_PER_MS)
    gaps: list[float] = [after - before for before, after in itertools.pairwise(ordered)]
    most = _longest(gaps)
    drawn = [most if gap > BROKEN_BY * most else gap for gap in gaps]
    if sum(gap for gap, length in zip(gaps, drawn, strict=True) if gap == length) >= LEGIBLE * sum(gaps):
        drawn = list(gaps)
    whole = sum(drawn)
    places = itertools.accumulate((gap / whole for gap in drawn), initial=0.0)
    knots = tuple(zip(ordered, places, strict=True))
    breaks = [
        (before, after)
        for (before, after), gap, length in zip(itertools.pairwise(ordered), gaps, drawn, strict=True)
        if gap != length
    ]
    return Scale(knots, tuple(breaks))


def _longest(gaps: list[float]) -> float:
    """Return how long a pause may be drawn: so that none takes more than its share of what is drawn."""
    share = max(GAP_SHARE, 2 / len(gaps))
    most: float = max(gaps)
    if share >= 1:
        return most
    for _ in range(200):
        less = share * sum(min(gap, most) for gap in gaps)
        if less >= most * 0.999:
            break
        most = less
    return most


def since(moment_ns: int, begins_ns: int) -> str:
    """Return a moment as the time since a beginning, as short as it can be read."""
    ns = abs(moment_ns - begins_ns)
    sign = "+" if moment_ns >= begins_ns else MINUS
    return f"{sign}{lasting(ns)}"


def lasting(ns: int) -> str:
    """Return a duration, as short as it can be read: milliseconds, seconds, minutes, hours or days.

    The script of the index tells durations too, and rounds as this does: halves
    upwards, in whole microseconds.
    """
    us = ns // 1000
    if us < US_PER_S - 500:
        unit = next(unit for unit, below in ((1, 1000), (10, 9_995), (100, 99_950), (1000, US_PER_S)) if us < below)
        return f"{_plain(_rounded(us, unit) * unit, 1000)} ms" if us else "0 s"
    if us < 120 * US_PER_S:
        return f"{_plain(_rounded(us, 10_000), 100)} s"
    minutes = _rounded(us, 60 * US_PER_S)
    if minutes < 120:  # noqa: PLR2004 - two hours are better told in hours
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004 - and two days in days
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _rounded(value: int, unit: int) -> int:
    return (value + unit // 2) // unit


def _plain(value: int, parts: int) -> str:
    """Return a number of hundredths or thousandths without trailing zeros."""
    whole, rest = divmod(value, parts)
    return f"{whole}.{rest:0{len(str(parts)) - 1}}".rstrip("0").rstrip(".")
