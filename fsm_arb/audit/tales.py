"""A trade as its records tell it, read without the journal's lock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.summary import entry_of, no_ids
from fsm_arb.memory import Memory
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.journal.reader import JournalReader
    from fsm_arb.memory import Entry
    from fsm_arb.ports import Record


@frozen(kw_only=True)
class Line:
    """One record, and what the trade had come to after it."""

    record: Record
    entry: Entry
    exposure: Decimal  # base, + for long


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

    def upto(self, count: int) -> Tale:
        """Return the trade as it stood after its first *count* records, at least one."""
        lines = self.lines[:count]
        entries = [line.entry for line in lines]
        return Tale(trade=Memory.fold(self.trade.trade_id, entries, no_ids), lines=lines)

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
        entry = entry_of(record)
        if trade is None:
            trade = Memory.fold(trade_id, [entry], no_ids)
        else:
            trade.remember(entry)
        lines.append(Line(record=record, entry=entry, exposure=trade.exposure))
    return Tale(trade=trade, lines=tuple(lines)) if trade else None


def tell_all(reader: JournalReader) -> Iterator[Tale]:
    """Yield every trade of the journal, oldest first."""
    for stream in reader.streams(TRADE):
        tale = tell(reader, stream.removeprefix(TRADE))
        if tale is not None:
            yield tale
