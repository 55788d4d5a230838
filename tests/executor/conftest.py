"""The hall that the executor's tests trade in. Helpers stand beside it and are imported by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

from hall import Hall, open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """Both books deep and still, the journal in a folder of the test's own."""
    async with open_hall(tmp_path) as hall:
        yield hall
