"""Exchanges by ccxt's names of them."""

from __future__ import annotations

import pytest

from fsm_arb.errors import InvalidInput
from fsm_arb.venues.connecting import connect


@pytest.mark.asyncio
async def test_an_exchange_is_made_by_its_name() -> None:
    """With what it was given; calls keep to its limits."""
    exchange = connect("binance", {"apiKey": "k"})
    assert (exchange.id, exchange.apiKey, exchange.enableRateLimit) == ("binance", "k", True)
    await exchange.close()


def test_a_name_that_ccxt_does_not_know_is_refused() -> None:
    """Also one of something else in that module."""
    for name in ("nobody", "Exchange", "__init__"):
        with pytest.raises(InvalidInput, match="is none that ccxt knows"):
            connect(name, {})
