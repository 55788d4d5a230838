"""What the explorer's tests share: one small world, explored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsm_arb.testing.explorer.bounds import Bounds
from fsm_arb.testing.explorer.crew import Crew, Here
from fsm_arb.testing.explorer.search import BEGINNING
from fsm_arb.testing.explorer.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def path_to(explored: Shard) -> Callable[[int], list[int]]:
    """Say which states lead to one, from the beginning."""

    def path_to(state: int) -> list[int]:
        path = [state]
        while isinstance(parent := explored.parents[path[-1]], int) and parent != BEGINNING:
            path.append(parent)
        return path[::-1]

    return path_to


@pytest.fixture(scope="session")
def explored() -> Shard:
    """One lot, no fault, from beginning to end."""
    bounds = Bounds(lots=1, faults=0)
    shard = Shard.part(bounds)
    Crew(bounds=bounds, hands=[Here(shard)]).run()
    return shard
