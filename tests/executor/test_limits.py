"""Calls into foreign code, bounded."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from fsm_arb.executor.limits import CallAborted, asked_to_stop, within


async def stubborn() -> None:
    """Swallow every cancellation for a while."""
    for _ in range(20):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


async def test_a_call_that_answers_is_handed_on() -> None:
    """What it returns and what it raises."""

    async def answer() -> int:
        return 7

    async def fail() -> int:
        raise ZeroDivisionError("a slip")

    assert await within(1, answer()) == 7
    with pytest.raises(ZeroDivisionError, match="a slip"):
        await within(1, fail())


async def test_a_call_that_swallows_its_cancellation_ends_in_time() -> None:
    """It is cancelled and not waited for; whoever must see it end finds it among the calls."""
    calls: set[asyncio.Future[Any]] = set()
    started = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await within(0.02, stubborn(), calls)
    assert asyncio.get_running_loop().time() - started < 0.5
    (left,) = calls
    await left
    assert calls == set()


async def test_a_cancellation_nobody_asked_for_is_an_error_like_any_other() -> None:
    """It does not end the task that made the call."""

    async def cancelled_inside() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CallAborted):
        await within(1, cancelled_inside())
    assert not asked_to_stop()


async def test_a_cancellation_of_our_own_goes_through() -> None:
    """And takes the call with it."""
    reached, ended = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    seen: list[bool] = []

    async def caller() -> None:
        try:
            await within(60, call())
        except asyncio.CancelledError:
            seen.append(asked_to_stop())
            raise

    task = asyncio.ensure_future(caller())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), 1)
    assert seen == [True]
