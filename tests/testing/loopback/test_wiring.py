"""How ccxt is led to the server, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import ccxt
import pytest

from fsm_arb.testing.loopback.wiring import ProductionSession, ccxt_config

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange


@pytest.mark.parametrize("name", ["upbit", "binance", "binanceusdm"])
async def test_production_urls_lead_to_the_server(server: LoopbackExchange, name: str) -> None:
    """Markets, account and status."""
    exchange = server.ccxt(name, production_urls=True)
    await exchange.load_markets()
    assert (await exchange.fetch_balance())["free"]
    if name != "upbit":
        assert (await exchange.fetch_status())["status"] == "ok"
    assert exchange.last_request_url.startswith("https://")


async def test_any_other_host_is_refused(server: LoopbackExchange) -> None:
    """Nothing leaves the machine, whatever ccxt is asked for."""
    exchange = server.ccxt("binance", production_urls=True)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await exchange.dapiPublicGetTime()
    with pytest.raises(aiohttp.ClientConnectionError, match=r"example\.org"):
        ProductionSession(server.url, "binance").put("https://example.org/")


def test_a_class_without_a_dialect_is_refused() -> None:
    """By name."""
    with pytest.raises(ValueError, match="kraken"):
        ccxt_config("kraken", "http://127.0.0.1:1")
