"""Decimals on a grid. A float that stood for money would be a bug of the test, not of what is tested."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from fsm_arb.values import ONE, ZERO, ceil_to, divide, floor_to

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

WHOLE = ONE
# Shares that have broken bots: nearly nothing, less than a lot, nearly all.
ODD_SHARES = (Decimal("0.5"), Decimal("0.3"), Decimal("0.001"), Decimal("0.0000001"), Decimal("0.99999"))


def decimals(low: Decimal, high: Decimal, step: Decimal) -> SearchStrategy[Decimal]:
    """Draw whole multiples of *step* between *low* and *high*, both included; shrinks to the lowest.

    Raises:
        ValueError: *step* is not positive, or no multiple lies between.
    """
    if step <= 0:
        raise ValueError(f"step={step}: must be greater than zero")
    first, last = int(divide(ceil_to(low, step), step)), int(divide(floor_to(high, step), step))
    if last < first:
        raise ValueError(f"no multiple of {step} lies between {low} and {high}")
    return _multiples(st.integers(first, last), step)


@st.composite
def _multiples(draw: st.DrawFn, counts: SearchStrategy[int], step: Decimal) -> Decimal:
    return draw(counts) * step  # not mapped: a failure shows the number, not how it was made


def shares() -> SearchStrategy[Decimal]:
    """Draw which fraction of an order fills: the whole of it half the time, for what goes well must be reached too."""
    some = st.sampled_from(ODD_SHARES) | decimals(Decimal("0.00001"), Decimal("0.99999"), Decimal("0.00001"))
    return st.booleans().flatmap(lambda partly: some if partly else st.just(WHOLE))


def moves() -> SearchStrategy[Decimal]:
    """Draw how far a price has moved, as a fraction: not at all, a little, past a band, past every bound."""
    sizes = (ZERO, Decimal("0.001"), Decimal("0.01"), Decimal("0.02"), Decimal("0.2"))
    return st.sampled_from((*sizes, *(-size for size in sizes[1:])))


def parts(amount: Decimal, step: Decimal, *, pieces_max: int = 4) -> SearchStrategy[tuple[Decimal, ...]]:
    """Draw how *amount* is cut into positive multiples of *step*, one piece at the simplest.

    Args:
        amount: A positive multiple of *step*.
        step: The grid.
        pieces_max: The most pieces.

    Raises:
        ValueError: *amount* is not a positive multiple of *step*.
    """
    count = int(divide(amount, step))
    if count < 1 or count * step != amount:
        raise ValueError(f"amount={amount}: must be a positive multiple of {step}")
    cuts = st.sets(st.integers(1, max(count - 1, 1)), max_size=max(min(pieces_max, count) - 1, 0))

    def cut(places: set[int]) -> tuple[Decimal, ...]:
        ends = [*sorted(place for place in places if place < count), count]
        return tuple((end - begin) * step for begin, end in zip([0, *ends], ends, strict=False))

    return cuts.map(cut)
