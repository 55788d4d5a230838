"""A trade as its records tell it, read without the journal's lock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.codec import loads
from fsm_arb.memory import Entry, Memory
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.journal.reader import JournalReader


@frozen(kw_only=True)
class Line:
    """One record, and what the trade had come to after it."""

    entry: Entry
    epoch: int
    exposure: Decimal


@frozen(kw_only=True)
class Tale:
    """One trade from its first record to its last."""

    trade: Memory
    lines: tuple[Line, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The states it went through, the first included."""
        moves = (line.entry.after for line in self.lines if line.entry.after != line.entry.before)
        return (self.lines[0].entry.before, *moves)

    @property
    def result(self) -> CrossExecutionResult:
        """How it stands or ended."""
        return result_of(self.trade)


def tell(reader: JournalReader, trade_id: str) -> Tale | None:
    """Return one trade; None where the journal holds none of that id.

    Raises:
        JournalError: Its records cannot be read.
        MachineError: They contradict the table.
    """
    trade: Memory | None = None
    lines = []
    for record in reader.read(TRADE + trade_id):
        entry = Entry(record.at_ns, record.trigger, record.state_before, record.state_after, loads(record.payload))
        if trade is None:
            trade = Memory.fold(trade_id, [entry], _no_ids)
        else:
            trade.remember(entry)
        lines.append(Line(entry=entry, epoch=record.epoch, exposure=trade.exposure))
    return Tale(trade=trade, lines=tuple(lines)) if trade else None


def tell_all(reader: JournalReader) -> Iterator[Tale]:
    """Yield every trade of the journal, oldest first."""
    for stream in reader.streams(TRADE):
        tale = tell(reader, stream.removeprefix(TRADE))
        if tale is not None:
            yield tale


def _no_ids() -> str:
    raise AssertionError("a trade that is only read sends nothing")
