"""A thread for somebody else's function, so that one which waits, or never comes back, holds up nobody but itself."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

Job = tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Hand(Executor):
    """Does one thing after the other, in a thread that keeps no process from ending.

    For ``loop.run_in_executor``. The thread begins with the first thing to do.

    Args:
        name: Of the thread.

    Attributes:
        busy: Whether something it was given has not come back.
    """

    def __init__(self, name: str) -> None:
        self.busy = False
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do *fn* next, and return what will tell its outcome."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        future: Future[Any] = Future()
        self._jobs.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - its base's
        """Begin nothing new; nobody waits for what is being done."""
        del wait, cancel_futures
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function, args, kwargs = job
            if not future.set_running_or_notify_cancel():
                continue
            self.busy = True
            try:
                answer = function(*args, **kwargs)
            except StopIteration as error:
                self.busy = False
                future.set_exception(RuntimeError(f"raised {error!r}"))  # a future cannot carry it
            except BaseException as error:  # noqa: BLE001 - it is told to whoever asked
                self.busy = False
                future.set_exception(error)
            else:
                self.busy = False
                future.set_result(answer)
