"""The smallest set of faults and actions that still goes wrong: delta debugging over their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def minimal(items: Sequence[T], fails: Callable[[tuple[T, ...]], bool], *, runs_max: int = 400) -> tuple[T, ...]:
    """Return a subset of *items* that fails, from which no single one can be left out while it still fails.

    Zeller's ddmin. Where *runs_max* is used up first, what was found by then.

    Args:
        items: What may be left out; all of them together fail.
        fails: Whether a subset still goes wrong. Called with subsets in the order of *items*.
        runs_max: How often it may be called.
    """
    left = tuple(items)
    runs = 0

    def still(subset: tuple[T, ...]) -> bool:
        nonlocal runs
        runs += 1
        return runs <= runs_max and fails(subset)

    if left and still(()):
        return ()
    parts = 2
    while len(left) > 1 and runs < runs_max:
        size = -(-len(left) // parts)
        chunks = [left[start : start + size] for start in range(0, len(left), size)]
        without = [tuple(each for other in chunks if other is not chunk for each in other) for chunk in chunks]
        smaller = next((chunk for chunk in chunks if len(chunks) > 1 and still(chunk)), None)
        if smaller is not None:
            left, parts = smaller, 2
            continue
        smaller = next((rest for rest in without if rest and still(rest)), None)
        if smaller is not None:
            left, parts = smaller, max(parts - 1, 2)
        elif parts >= len(left):
            break
        else:
            parts = min(parts * 2, len(left))
    return left
