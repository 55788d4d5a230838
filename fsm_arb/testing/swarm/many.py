"""Many episodes, on as many processes as are wanted."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import signal
import time
from typing import TYPE_CHECKING

from fsm_arb.testing.swarm.running import Order, Told, run_episode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK = 8  # episodes handed to a process at a time
COLLECT_EVERY = 16  # episodes; the collector is off while one runs

_count = itertools.count(1)


def orders(seed: int, episodes: int | None, *, for_s: float | None = None, focus: str | None = None) -> Iterator[Order]:
    """Yield the episodes to run, in the order of their seeds.

    Args:
        seed: Of the first one.
        episodes: How many; None: without end.
        for_s: Seconds of real time after which no more are begun; None: no such bound.
        focus: What all of them aim at; None: each decides for itself.
    """
    until = None if for_s is None else time.monotonic() + for_s
    for number in itertools.count() if episodes is None else range(episodes):
        if until is not None and time.monotonic() >= until:
            return
        yield Order(seed=seed + number, focus=focus)


def run_many(wanted: Iterable[Order], jobs: int = 1) -> Iterator[Told]:
    """Run *wanted* and yield what came of each, as it comes.

    Args:
        wanted: Which episodes.
        jobs: How many processes; one: this one.
    """
    if jobs <= 1:
        yield from map(_run, wanted)
        return
    # Fresh interpreters: what a fork inherits, locks and threads included, is nobody's business.
    context = multiprocessing.get_context("spawn")
    # Whoever interrupts the run wants to know what was found: only the process that tells it stops.
    with context.Pool(jobs, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        for batch in _batches(wanted, CHUNK * jobs):
            yield from pool.imap_unordered(_run, batch, CHUNK // 2)


def _batches(wanted: Iterable[Order], size: int) -> Iterator[list[Order]]:
    """Yield *wanted* in pieces, so that an endless run is not handed over all at once."""
    rest = iter(wanted)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _run(order: Order) -> Told:
    told = run_episode(order)
    if next(_count) % COLLECT_EVERY == 0:
        gc.collect()
    return told
