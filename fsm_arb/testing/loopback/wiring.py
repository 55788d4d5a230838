"""How real ccxt objects are led to the server, and kept from going anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from fsm_arb.testing.loopback.markets import BINANCE, BINANCEUSDM, DIALECTS, UPBIT, credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_MS = 10_000
# Of ccxt's hosts in production, and the dialect that speaks for each.
HOSTS: Mapping[str, str] = {
    "api.upbit.com": UPBIT,
    "api.binance.com": BINANCE,
    "fapi.binance.com": BINANCEUSDM,
}


def _urls(name: str, url: str) -> dict[str, Any]:
    if name == UPBIT:
        base = f"{url}/{UPBIT}"
        return {"api": {"public": base, "private": base}}
    spot, usdm = f"{url}/{BINANCE}", f"{url}/{BINANCEUSDM}"
    return {
        "api": {
            "public": f"{spot}/api/v3",
            "private": f"{spot}/api/v3",
            "sapi": f"{usdm if name == BINANCEUSDM else spot}/sapi/v1",
            "fapiPublic": f"{usdm}/fapi/v1",
            "fapiPublicV2": f"{usdm}/fapi/v2",
            "fapiPublicV3": f"{usdm}/fapi/v3",
            "fapiPrivate": f"{usdm}/fapi/v1",
            "fapiPrivateV2": f"{usdm}/fapi/v2",
            "fapiPrivateV3": f"{usdm}/fapi/v3",
        }
    }


def ccxt_config(name: str, url: str) -> dict[str, Any]:
    """Return a constructor's config for the ccxt class *name* that talks to the server at *url*.

    Raises:
        ValueError: No dialect of that name.
    """
    if name not in DIALECTS:
        raise ValueError(f"name {name!r}: must be one of {', '.join(DIALECTS)}")
    keys = credentials(name)
    config: dict[str, Any] = {
        "apiKey": keys.key,
        "secret": keys.secret,
        "urls": _urls(name, url),
        "enableRateLimit": True,
        # A bucket that is never empty: what is tested is not ccxt's throttler.
        "tokenBucket": {"capacity": 1000, "tokens": 1000, "refillRate": 1000},
        "timeout": TIMEOUT_MS,
        "timeout_on_exit": 0,  # ccxt waits 250 ms on closing, for TLS
    }
    if name != UPBIT:
        types = ["spot"] if name == BINANCE else ["linear"]
        config["options"] = {
            "fetchMarkets": {"types": types},
            "fetchCurrencies": False,
            "fetchMargins": False,
            "warnOnFetchOpenOrdersWithoutSymbol": False,
        }
    return config


class ProductionSession:
    """Leads ccxt's production URLs to the server; anything else is refused.

    Lent to a ccxt object as its `session`, so that errors are mapped as they
    are in production. Nothing leaves the loopback interface.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self.headers: dict[str, str] = {}  # ccxt adds a session's own
        self._session: aiohttp.ClientSession | None = None

    def _request(self, method: str, url: Any, **options: Any) -> Any:
        parts = urlsplit(str(url))
        dialect = HOSTS.get(parts.hostname or "")
        if dialect is None:
            raise aiohttp.ClientConnectionError(f"{parts.hostname} is not served on loopback")
        if parts.path.startswith("/sapi/"):
            dialect = self._name
        query = f"?{parts.query}" if parts.query else ""
        # ccxt hands over an encoded URL; it must stay as it was signed.
        target = type(url)(f"{self._url}/{dialect}{parts.path}{query}", encoded=True)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session.request(method, target, **options)

    def get(self, url: Any, **options: Any) -> Any:
        """Send a GET."""
        return self._request("GET", url, **options)

    def post(self, url: Any, **options: Any) -> Any:
        """Send a POST."""
        return self._request("POST", url, **options)

    def put(self, url: Any, **options: Any) -> Any:
        """Send a PUT."""
        return self._request("PUT", url, **options)

    def delete(self, url: Any, **options: Any) -> Any:
        """Send a DELETE."""
        return self._request("DELETE", url, **options)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
