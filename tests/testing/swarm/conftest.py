"""What an episode logs and warns of is its own business."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    library = logging.getLogger("fsm_arb")
    before = library.level
    library.setLevel(logging.CRITICAL + 1)
    yield
    library.setLevel(before)
