"""One small world for each test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stages import Stage, alpha


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def make() -> Callable[..., Stage]:
    """Make a stage of one venue with some habits changed; `faults` and other words of the world are passed on."""

    def make(*, world: dict[str, Any] | None = None, **changes: Any) -> Stage:
        return Stage(alpha(**changes), **(world or {}))

    return make
