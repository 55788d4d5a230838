"""A rate limiter that never makes an order wait behind reads.

ccxt's own bucket does not refill while it is idle, so each order pays for the
call before it; and it serves strictly in turn, so an order waits behind queued
reads. This one refills by the clock, and serves orders first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Any

from fsm_arb.venues import wire

WAIT_S_MIN = 0.001
WAIT_S_MAX = 0.01  # an order that arrives while reads wait is looked at this soon
RESERVE = 0.25  # share of the bucket that reads leave for orders and cancels


class OrdersFirst:
    """A token bucket in ccxt's units, put in the place of an exchange's `throttler`.

    Args:
        rate_limit_ms: Milliseconds that one token takes to come back.
        burst_s: How many seconds' worth of tokens the bucket holds.
    """

    def __init__(self, rate_limit_ms: float, burst_s: float) -> None:
        self.loop: Any = None  # ccxt sets it; not needed
        self._per_s = 1000 / rate_limit_ms
        self._capacity = max(1.0, self._per_s * burst_s)
        self._tokens = self._capacity
        self._seen_s = time.monotonic()
        self._queue: list[tuple[int, int, float, asyncio.Future[None]]] = []
        self._turn = itertools.count()
        self._server: asyncio.Task[None] | None = None

    def _refill(self) -> None:
        now_s = time.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s

    def __call__(self, cost: float | None = None) -> asyncio.Future[None]:
        """Return a future that is done when the request may go out.

        Args:
            cost: Tokens; None for one.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        price = 1.0 if cost is None else float(cost)
        call = wire.current()
        urgent = call is not None and call.urgent
        self._refill()
        if self._tokens > self._floor(urgent=urgent) and (urgent or not self._queue):
            self._tokens -= price
            future.set_result(None)
            return future
        heapq.heappush(self._queue, (0 if urgent else 1, next(self._turn), price, future))
        if self._server is None or self._server.done():
            self._server = asyncio.ensure_future(self._serve())
        return future

    def _floor(self, *, urgent: bool) -> float:
        return 0.0 if urgent else self._capacity * RESERVE

    async def _serve(self) -> None:
        while self._queue:
            self._refill()
            missing = self._floor(urgent=self._queue[0][0] == 0) - self._tokens
            if missing >= 0:
                await asyncio.sleep(min(WAIT_S_MAX, max(WAIT_S_MIN, missing / self._per_s)))
                continue
            _, _, price, future = heapq.heappop(self._queue)
            if future.done():  # its caller was cancelled: nothing is sent, nothing is paid
                continue
            self._tokens -= price
            future.set_result(None)
