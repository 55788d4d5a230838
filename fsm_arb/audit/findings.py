"""What an audit finds wrong, and where: a record is named so that anybody finds it again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from fsm_arb.clock import NS_PER_S

if TYPE_CHECKING:
    from fsm_arb.errors import JournalCorrupt
    from fsm_arb.ports import Record

FINDINGS_MAX = 20  # of one stretch; one broken record may spoil many that follow


@frozen(kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        seq: Global sequence of the record; 0: it is of no single record.
        what: Why it is wrong, in words.
        stream: The stream that the record belongs to; empty: nobody can tell.
        stream_seq: Its number within the stream; None: nobody can tell.
        at_ns: Wall clock, UTC, as the record says; None: it cannot be read.
    """

    seq: int
    what: str
    stream: str = ""
    stream_seq: int | None = None
    at_ns: int | None = None

    @classmethod
    def of(cls, record: Record, what: str) -> Finding:
        """Return that *record*, which can be read, is wrong."""
        return cls(seq=record.seq, what=what, stream=record.stream, stream_seq=record.stream_seq, at_ns=record.at_ns)

    @classmethod
    def of_damage(cls, error: JournalCorrupt) -> Finding:
        """Return that the journal itself no longer holds together."""
        return cls(seq=error.seq, what=error.reason, stream=error.stream)

    @property
    def order(self) -> tuple[bool, int]:
        """What findings are sorted by: the first record that is wrong comes first."""
        return (not self.seq, self.seq)

    def __str__(self) -> str:
        if not self.seq:
            return self.what
        where = f"record {self.seq}"
        if self.stream:
            number = "" if self.stream_seq is None else f", its record {self.stream_seq}"
            where += f" (stream {self.stream}{number}{self._time()})"
        return f"{where}: {self.what}"

    def _time(self) -> str:
        return "" if self.at_ns is None else f", {moment(self.at_ns)}"


def moment(at_ns: int) -> str:
    """Return a wall clock to the microsecond, UTC, in ISO 8601; the number itself where no calendar has it."""
    try:
        at = dt.datetime.fromtimestamp(at_ns // NS_PER_S, tz=dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{at_ns} ns"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns % NS_PER_S // 1000:06d}Z"


@frozen(kw_only=True)
class Statement:
    """What the fills of a trade that is over say a position must hold of it, from a record on.

    Numbers are text, since they travel between processes and through a table.
    """

    trade_id: str
    seq: int  # of the record that made it so
    position_id: str  # that it exits; empty: it is an entry
    side: str  # of the first leg
    booked: str  # base
    prices: tuple[str | None, str | None]
    pnl: str | None
    fees: str  # charged, by currency
    opens: bool  # whether it is an entry and what was booked is enough for both venues
    stands: bool = True  # False: the trade is disturbed and no longer over; nothing is said until it is again


@frozen(kw_only=True)
class Claim:
    """What a record of a position says of the trade that made it."""

    trade_id: str
    record: Record  # without its payload
    position_id: str
    side: str  # which way the first leg was entered
    entry: bool  # whether the trade is the position's entry
    quantity: str  # base
    prices: tuple[str | None, str | None]
    pnl: str | None
    fees: str | None  # None: the record is of a version that told none


@define
class Part:
    """What was found in one stretch of the journal. Small: it travels between processes."""

    records: int = 0
    findings: list[Finding] = field(factory=list)
    more: int = 0  # findings that found no room
    intents: list[tuple[str, int]] = field(factory=list)  # client order id, and seq of the record
    statements: list[Statement] = field(factory=list)
    claims: list[Claim] = field(factory=list)
    trades: Counter[str] = field(factory=Counter)  # by how they ended, or ``unfinished``
    positions: Counter[str] = field(factory=Counter)  # by state
    halted: list[str] = field(factory=list)  # trade ids
    live: list[str] = field(factory=list)  # streams that a restart must take up
    notes: Counter[str] = field(factory=Counter)  # what is odd and no error
    epoch: int = 0  # of the last record

    def wrong(self, finding: Finding) -> None:
        """Take in something that is wrong."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.more += 1


def text(value: Any) -> str | None:
    """Return a number as text; None stays."""
    return None if value is None else str(value)
