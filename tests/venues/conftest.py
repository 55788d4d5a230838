"""Fixtures of the venue tests. What they are made of stands beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

from capture import Capture, capturing, certificate
from lab import MARKETS, Lab, real_exchange

from fsm_arb.clock import SystemClock
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody signed, for a server that nobody else reaches."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def server(tls: ssl.SSLContext) -> AsyncIterator[tuple[Capture, Any]]:
    """A capturing server, and a session that reaches nothing else."""
    async with capturing(tls) as pair:
        yield pair


@pytest.fixture
def make_lab(server: tuple[Capture, Any]) -> Iterator[Any]:
    """Return a function from an exchange id to a `Lab`."""
    capture, session = server
    made = []

    def build(exchange_id: str, symbol: str | None = None, **config: Any) -> Lab:
        exchange = real_exchange(exchange_id, session, **config)
        made.append(exchange)
        venue = CcxtVenue(exchange, name=exchange_id, clock=SystemClock())
        return Lab(capture, exchange, venue, symbol or MARKETS[exchange_id][0]["symbol"])

    yield build
    for exchange in made:
        exchange.session = None  # it was lent; the fixture closes it
