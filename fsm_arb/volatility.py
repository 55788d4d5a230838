"""How restless a spread has been: realised volatility from samples that need not be evenly spaced."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from decimal import Decimal

from attrs import frozen

from fsm_arb.values import EXACT, ZERO, divide

NS_PER_MINUTE = 60 * 1_000_000_000


@frozen
class SpreadSample:
    """One spread that was seen."""

    at_ns: int  # wall clock UTC
    pct: Decimal  # gross, percent, signed


def realised_volatility(samples: Iterable[SpreadSample]) -> Decimal | None:
    """Return how far the spread moves in a minute: percentage points per square root of a minute.

    ``sqrt(sum of squared changes / minutes from the first sample to the last)``. A spread that moves by
    0.1 percentage points a minute, up or down, has 0.1; one that moves by 0.2 every four minutes as well.

    Args:
        samples: In any order: an exit that is scaled by them does not fail for that.

    Returns:
        Zero or more; None where the samples cover no time.
    """
    ordered = sorted(samples, key=lambda sample: sample.at_ns)
    squares = ZERO
    for before, after in itertools.pairwise(ordered):
        change = EXACT.subtract(after.pct, before.pct)
        squares = EXACT.add(squares, EXACT.multiply(change, change))
    span_ns = ordered[-1].at_ns - ordered[0].at_ns if ordered else 0
    if not span_ns:
        return None
    return EXACT.sqrt(divide(EXACT.multiply(squares, Decimal(NS_PER_MINUTE)), Decimal(span_ns)))
