"""Do a piece of work in a child of this process: what is imported here costs the child nothing, and it spoils nothing.

Needs an operating system that can fork.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class TimedOut(Exception):
    """The child did not answer in time, and was ended."""


class Died(Exception):
    """The child ended without an answer; the text says why."""


def in_child(work: Callable[[], Any], timeout_s: float, *, quiet: bool = True) -> Any:
    """Return what *work* returns (it must be JSON) when it is done in a child.

    Raises:
        TimedOut: It took longer than *timeout_s* seconds.
        Died: It ended otherwise than by returning.
    """
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(work, writing, quiet=quiet)  # never returns
    os.close(writing)
    try:
        return _listen(reading, child, timeout_s)
    finally:
        os.close(reading)


def _answer(work: Callable[[], Any], writing: int, *, quiet: bool) -> None:
    try:
        if quiet:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        try:
            told = json.dumps({"answer": work()})
        except BaseException:  # noqa: BLE001 - whatever it is, it is the parent's to judge
            told = json.dumps({"raised": traceback.format_exc()})
        said = told.encode()
        while said:
            said = said[os.write(writing, said) :]
        sys.stdout.flush()
    finally:
        os._exit(0)  # nothing that belongs to the parent is closed or flushed twice


def _listen(reading: int, child: int, timeout_s: float) -> Any:
    deadline = time.monotonic() + timeout_s
    said = b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise TimedOut
        piece = os.read(reading, 1 << 16)
        if not piece:
            break
        said += piece
    os.waitpid(child, 0)
    told = json.loads(said or '{"raised": "it ended without a word"}')
    if "raised" in told:
        raise Died(told["raised"])
    return told["answer"]
