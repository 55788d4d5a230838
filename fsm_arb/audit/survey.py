"""Go through a whole journal once, every record verified on the way, by as many processes as there are cores.

The journal is cut into stretches of records. A stretch belongs to one process,
and so does every stream that begins in it, to that stream's end: a record is
read once, save those of the few streams that reach into another stretch.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

from fsm_arb.audit.summary import Reading, Summary
from fsm_arb.journal.reader import JournalReader
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    import os

    from fsm_arb.ports import Record

STRETCH_RECORDS = 10_000  # some thousand trades: what a process holds at a time
_GC = 100_000, 20, 100
AHEAD = 2  # stretches that wait for each process, or for whoever takes in what was found

T = TypeVar("T")
R = TypeVar("R")


@frozen
class Stretch:
    """A part of the journal, by global sequence."""

    path: Path
    after: int  # of the last record that is no part of it
    upto: int  # of its last record
    head: int  # of the last record of the journal when the survey began; what is written later is not looked at


class Gathers(Protocol):
    """Something that takes in the records of one stream."""

    def take(self, record: Record) -> None:
        """Take in the next record."""
        ...


G = TypeVar("G", bound=Gathers)


def stretches(path: str | os.PathLike[str], head: int, size: int = STRETCH_RECORDS) -> list[Stretch]:
    """Return the first *head* records of the journal at *path* in parts of *size*."""
    return [Stretch(Path(path), at, min(at + size, head), head) for at in range(0, head, size)]


def spread(work: Callable[[T], R], parts: Iterable[T], jobs: int) -> Iterator[R]:
    """Yield what *work* makes of each of *parts*, in their order, with never much more of it in memory than is used.

    Args:
        work: A function of a module, where *jobs* is more than one: other processes import it by its name.
        parts: What is to be done.
        jobs: Processes; 1: all is done in this one.
    """
    if jobs <= 1:
        yield from map(work, parts)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process that has threads may hang
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) > jobs * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _prepare() -> None:
    """Leave interrupts to the parent, and do not look for circles among records: they make none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(*_GC)


def gathered(
    reader: JournalReader, stretch: Stretch, prefix: str, begin: Callable[[Record], G], see: Callable[[Record], object]
) -> Iterator[G]:
    """Yield, in order of birth, each stream that begins in *stretch*, its records taken in to its end.

    Args:
        reader: Open.
        stretch: Where to look.
        prefix: How the names of the streams begin.
        begin: Called with a stream's first record.
        see: Called with every record of the stretch first, whatever its stream.

    Raises:
        JournalError: A record is wrong or cannot be read.
    """
    found: dict[str, G | None] = {}  # None: to be read on its own
    for record, first, last in reader.stretch(stretch.after, stretch.upto):
        see(record)
        stream = record.stream
        if first <= stretch.after or not stream.startswith(prefix):
            continue
        if last > stretch.upto:
            found[stream] = None
        elif record.stream_seq == 1:
            found[stream] = begin(record)
        else:
            one = found[stream]
            if one is not None:
                one.take(record)
    for stream, one in found.items():
        yield one if one is not None else _read_on_its_own(reader, stream, stretch.head, begin)


def _read_on_its_own(reader: JournalReader, stream: str, head: int, begin: Callable[[Record], G]) -> G:
    records = reader.read(stream)
    one = begin(next(records))
    for record in records:
        if record.seq > head:
            break
        one.take(record)
    return one


def summaries(path: str | os.PathLike[str], *, jobs: int = 1) -> Iterator[Summary]:
    """Yield what each trade of a journal came to, or how it stands: oldest first, in bounded memory, all verified.

    A bot may be writing all the while: what it has written when this begins is told.

    Args:
        path: The journal.
        jobs: Processes to use. With more than one, a script needs ``if __name__ == "__main__":``.

    Raises:
        JournalError: A record is wrong or cannot be read.
        MachineError: A trade's records contradict the table.
    """
    with JournalReader(path) as reader:
        head, _ = reader.last()
    for some in spread(_summaries_of, stretches(path, head), jobs):
        yield from some


def _summaries_of(stretch: Stretch) -> list[Summary]:
    with JournalReader(stretch.path) as reader:
        return [reading.summary() for reading in gathered(reader, stretch, TRADE, Reading.begin, _unseen)]


def _unseen(_record: Record) -> None:
    """See nothing in particular."""
