"""A call into foreign code, bounded: it ends in time, whatever it does with its cancellation or raises of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


class CallAborted(Exception):
    """A call raised a cancellation that nobody had asked of it: what became of it is unknown."""


def asked_to_stop() -> bool:
    """Whether the running task itself was asked to end; a cancellation without that is foreign."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def within(seconds: float, call: Awaitable[T], calls: set[asyncio.Future[Any]] | None = None) -> T:
    """Return what *call* returns, within *seconds*.

    It runs as a task of its own. One that is late is cancelled and not waited
    for: it may swallow its cancellation.

    Args:
        seconds: How long it may take.
        call: What to await.
        calls: Where it is kept for as long as it runs, for whoever must see it end.

    Raises:
        TimeoutError: It took longer.
        CallAborted: It was cancelled from within.
    """
    task: asyncio.Future[T] = asyncio.ensure_future(call)
    if calls is not None:
        calls.add(task)
        task.add_done_callback(calls.discard)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except BaseException:
        _give_up(task)
        raise
    if not done:
        _give_up(task)
        raise TimeoutError
    if task.cancelled():
        raise CallAborted("the call was cancelled from within")
    return task.result()


def _give_up(task: asyncio.Future[Any]) -> None:
    task.cancel()
    # Nobody waits for what it says in the end.
    task.add_done_callback(lambda late: late.cancelled() or late.exception())
