"""A process that can be killed: its tasks end where they stand, and what they do while they end reaches nothing.

Everything that runs on behalf of a bot is marked with the process it belongs
to, by the context that asyncio hands from task to task. What belongs to nobody,
such as a venue that goes on after its client has died, is left alone.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

_CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)

ROUNDS_MAX = 50  # of cancelling, until the last task has ended


class Process:
    """One life of a bot: from its start to its end or its death.

    Args:
        number: Which life of the episode it is, from 1.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive = True
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in order of birth

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take in a task that runs on its behalf."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run *work* as a part of this process."""
        context = copy_context()
        context.run(_CURRENT.set, self)
        return asyncio.get_running_loop().create_task(work, name=name, context=context)

    async def kill(self) -> None:
        """End it at once: from here on it reaches neither journal nor venue, and then its tasks are gone.

        Raises:
            RuntimeError: A task does not heed its cancellation.
        """
        self.alive = False
        for _ in range(ROUNDS_MAX):
            tasks = [task for task in self._tasks if not task.done()]
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        raise RuntimeError(f"process {self.number}: {len(self._tasks)} tasks do not end: {list(self._tasks)}")

    async def ensure_alive(self) -> None:
        """Go on where the process lives; else never return: a dead process does nothing more."""
        if not self.alive:
            await nothing_more()


async def nothing_more() -> NoReturn:
    """Wait until the task that asks is cancelled."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody answers this")


def track_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task that is made on *loop* from now on be known to the process it belongs to."""
    loop.set_task_factory(_made)


def _made(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **options: Any,
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
    context = options.get("context")
    process = context.get(_CURRENT) if context is not None else _CURRENT.get()
    if process is not None:
        process.adopt(task)
    return task
