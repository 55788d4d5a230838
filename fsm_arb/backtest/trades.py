"""What each trade of a run came to, read from the records of its journal and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.summary import Reading, Summary
from fsm_arb.scribe import POSITION, TRADE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.ports import Record


@frozen(kw_only=True)
class Traded:
    """What a run's journal tells."""

    trades: tuple[Summary, ...] = ()
    opened: int = 0  # positions
    closed: int = 0


def trades_of(records: Iterable[Record], until_ns: int | None = None) -> Traded:
    """Return what a journal's records tell of its trades and positions, oldest first.

    Args:
        records: In global order.
        until_ns: When the run was over, wall clock UTC: a leg that is naked still has been until then. None: until
            its trade's last record.

    Raises:
        MachineError: They contradict the table.
    """
    tales: dict[str, Reading] = {}
    positions: dict[str, str] = {}
    for record in records:
        if record.stream.startswith(POSITION):
            positions[record.stream] = record.state_after
        if not record.stream.startswith(TRADE):
            continue
        tale = tales.get(record.stream)
        if tale is None:
            tales[record.stream] = Reading.begin(record)
        else:
            tale.take(record)
    for tale in tales.values():
        if until_ns is not None and not tale.memory.done:
            tale.goes_on(until_ns)
    closed = sum(state == "CLOSED" for state in positions.values())
    return Traded(trades=tuple(tale.summary() for tale in tales.values()), opened=len(positions), closed=closed)
