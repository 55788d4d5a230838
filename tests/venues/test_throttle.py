"""Orders go before reads, and nobody pays for what went before."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from lab import Lab
from wires import WIRES

from fsm_arb.clock import SystemClock
from fsm_arb.venues import wire
from fsm_arb.venues.throttle import OrdersFirst


def order_call() -> Any:
    return wire.calling(wire.Call(clock=SystemClock(), urgent=True))


async def test_a_burst_goes_at_once_and_the_rest_waits() -> None:
    """The bucket holds what its seconds are worth; reads leave a share of it."""
    limiter = OrdersFirst(rate_limit_ms=20, burst_s=0.2)  # ten tokens
    futures = [limiter() for _ in range(12)]
    done = [future.done() for future in futures]
    assert sum(done) in {7, 8}
    await asyncio.wait_for(asyncio.gather(*futures), 2)


async def test_an_order_does_not_wait_behind_queued_reads() -> None:
    """A hundred books may be waiting; the hedge goes first."""
    limiter = OrdersFirst(rate_limit_ms=10, burst_s=0.1)
    reads = [limiter() for _ in range(60)]
    with order_call():
        order = limiter()
    await asyncio.wait_for(order, 0.1)
    assert not all(read.done() for read in reads)
    for read in reads:
        read.cancel()


async def test_orders_beyond_the_bucket_go_before_reads_too() -> None:
    """Their own turn is kept among themselves."""
    limiter = OrdersFirst(rate_limit_ms=5, burst_s=0.01)
    gone: list[str] = []

    async def wait(name: str, future: Any) -> None:
        await future
        gone.append(name)

    tasks = [asyncio.create_task(wait("read", limiter(3))) for _ in range(4)]
    with order_call():
        tasks += [asyncio.create_task(wait("order", limiter())) for _ in range(3)]
    await asyncio.wait_for(asyncio.gather(*tasks), 2)
    assert gone.index("order") <= 1
    assert gone[1:].index("read") >= 2


async def test_an_idle_bucket_fills_up_again() -> None:
    """ccxt's own makes the next order pay for the last call, however long ago that was."""
    limiter = OrdersFirst(rate_limit_ms=10, burst_s=0.05)
    with order_call():
        for _ in range(5):
            await limiter()
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await limiter()
    assert time.monotonic() - started < 0.01


async def test_whoever_gives_up_pays_nothing() -> None:
    """A cancelled caller sends nothing, so his tokens stay."""
    limiter = OrdersFirst(rate_limit_ms=20, burst_s=0.02)
    await limiter()
    given_up = [limiter(50) for _ in range(3)]
    for future in given_up:
        future.cancel()
    await asyncio.wait_for(limiter(), 0.5)


async def test_an_order_after_an_order_does_not_wait(make_lab: Any) -> None:
    """With the rate limit on, both legs of a trade and its hedge go out at once."""
    lab: Lab = make_lab("upbit", enableRateLimit=True)
    assert isinstance(lab.exchange.throttler, OrdersFirst)
    lab.capture.on("POST", "/v1/orders", WIRES["upbit"].created)
    await lab.place()
    started = time.monotonic()
    for _ in range(3):
        await lab.place()
    assert time.monotonic() - started < 0.15


@pytest.mark.parametrize("changes", [{"rateLimiterAlgorithm": "rollingWindow"}, {"tokenBucket": {"capacity": 9}}])
async def test_a_limiter_that_its_owner_chose_stays(make_lab: Any, changes: dict[str, Any]) -> None:
    """He may know the account's limits better."""
    lab: Lab = make_lab("upbit", enableRateLimit=True, **changes)
    assert not isinstance(lab.exchange.throttler, OrdersFirst)
