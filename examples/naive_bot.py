"""A cross trade as it is usually written. It is here to be broken: do not trade with it.

Sells on one exchange and buys on the other, at once. Sends again what timed
out, believes what a cancel says, counts in floats, and undoes one leg when the
other has failed. Each of these has left somebody with a naked leg.
"""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt.async_support as ccxt

TRIES = 3
PATIENCE_S = 5.0
POLL_S = 0.5
BAND = 0.002


class NaiveBot:
    """Two legs, two exchanges, good hopes.

    Args:
        first: Where it sells.
        second: Where it buys.
        symbols: What it sells and what it buys.
    """

    def __init__(self, first: Any, second: Any, symbols: tuple[str, str]) -> None:
        self.first, self.second, self.symbols = first, second, symbols

    async def enter(self, amount: float) -> float:
        """Sell *amount* base on the first exchange, buy it on the second; return what it thinks was matched."""
        sold, bought = await asyncio.gather(
            self.trade(self.first, self.symbols[0], "sell", amount),
            self.trade(self.second, self.symbols[1], "buy", amount),
        )
        if sold > bought:
            await self.trade(self.first, self.symbols[0], "buy", sold - bought)
        elif bought > sold:
            await self.trade(self.second, self.symbols[1], "sell", bought - sold)
        return min(sold, bought)

    async def trade(self, exchange: Any, symbol: str, side: str, amount: float) -> float:
        """Place a limit order near the market and wait for it; return what it thinks was filled."""
        for _ in range(TRIES):
            try:
                book = await exchange.fetch_order_book(symbol)
                price = float(book["asks"][0][0] if side == "buy" else book["bids"][0][0])
                price *= 1 + BAND if side == "buy" else 1 - BAND
                order = await exchange.create_order(symbol, "limit", side, amount, price)
                return await self.wait_for(exchange, order["id"], symbol)
            except ccxt.NetworkError:
                continue  # it timed out: try again
            except ccxt.ExchangeError:
                break
        return 0.0

    async def wait_for(self, exchange: Any, order_id: str, symbol: str) -> float:
        """Poll an order until it is closed; cancel it when patience ends."""
        order = await exchange.fetch_order(order_id, symbol)
        waited = 0.0
        while order["status"] == "open" and waited < PATIENCE_S:
            await asyncio.sleep(POLL_S)
            waited += POLL_S
            order = await exchange.fetch_order(order_id, symbol)
        if order["status"] == "open":
            await exchange.cancel_order(order_id, symbol)  # cancelled: so that is what it filled
        return float(order["filled"])
