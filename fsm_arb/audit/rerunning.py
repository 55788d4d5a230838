"""Replay all trades of a journal, on as many processes as are wanted."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.audit.hypothetical import Supposed, not_judged, suppose
from fsm_arb.audit.replay import Replayed, replay
from fsm_arb.audit.summary import Reading, entry_of
from fsm_arb.errors import FsmArbError
from fsm_arb.journal.reader import JournalReader
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHUNK = 32  # trades handed to a process at a time


@frozen(kw_only=True)
class Unreadable:
    """A trade that cannot be replayed: its records are damaged, or contradict the table."""

    trade_id: str
    why: str


Rerun = Replayed | Supposed | Unreadable


def trades_of(journal: Path) -> list[str]:
    """Return the ids of all trades, oldest first.

    Raises:
        JournalError: The journal cannot be read.
    """
    with JournalReader(journal) as reader:
        return [name.removeprefix(TRADE) for name in reader.streams(TRADE)]


def rerun(
    journal: Path, trades: Iterable[str], *, changes: Mapping[str, Any] | None = None, jobs: int = 1
) -> Iterator[Rerun]:
    """Yield what came of each trade, in the order of *trades*.

    Args:
        journal: Read only, without its lock.
        trades: Which.
        changes: The numbers to suppose, by name; None: decide each trade again under its own policy.
        jobs: How many processes; one: this one.

    Raises:
        JournalError: The journal cannot be read at all.
    """
    if jobs <= 1:
        with JournalReader(journal) as reader:
            yield from (_rerun(reader, trade_id, changes) for trade_id in trades)
        return
    # Fresh interpreters: what a fork inherits, locks and threads included, is nobody's business.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, (journal, changes)) as pool:
        yield from pool.imap(_in_process, trades, CHUNK)


def unjudged(journal: Path, trades: Iterable[str], changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the numbers in which *changes* differ from those of any trade, and that no replay can judge.

    Raises:
        JournalError: The journal cannot be read.
    """
    names: dict[str, None] = {}
    with JournalReader(journal) as reader:
        for trade_id in trades:
            record = next(iter(reader.read(TRADE + trade_id)))
            names |= dict.fromkeys(not_judged(changes, Reading.begin(record).memory.policy))
    return tuple(names)


def _rerun(reader: JournalReader, trade_id: str, changes: Mapping[str, Any] | None) -> Rerun:
    try:
        entries = [entry_of(record) for record in reader.read(TRADE + trade_id)]
        return replay(trade_id, entries) if changes is None else suppose(trade_id, entries, changes)
    except FsmArbError as error:
        return Unreadable(trade_id=trade_id, why=str(error))


# ------------------------------------------------------------------ in a process of its own

_at_work: list[tuple[JournalReader, Mapping[str, Any] | None]] = []


def _begin(journal: Path, changes: Mapping[str, Any] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the process that tells what was found stops
    reader = JournalReader(journal)
    reader.open()
    _at_work[:] = [(reader, changes)]


def _in_process(trade_id: str) -> Rerun:
    reader, changes = _at_work[0]
    return _rerun(reader, trade_id, changes)
