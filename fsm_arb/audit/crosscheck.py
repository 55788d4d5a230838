"""Hold what positions say against what their trades' fills say, and every order's id against all others.

Trades and positions are read by different processes, so what they say meets
here: in a table of its own on disk, sorted there, whatever its size.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

from fsm_arb.audit.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.audit.findings import Part

_TABLES = (
    "CREATE TABLE intents (id TEXT, seq INTEGER)",
    "CREATE TABLE told (trade TEXT, seq INTEGER, position TEXT, side TEXT, quantity TEXT, price0 TEXT, price1 TEXT,"
    " pnl TEXT, fees TEXT, opens INTEGER, stands INTEGER, entry INTEGER, stream TEXT, stream_seq INTEGER, at_ns INTEGER)",
)
_TWICE = "SELECT id, seq FROM intents ORDER BY id, seq"
_TOLD = "SELECT * FROM told ORDER BY trade, seq"
TRADE, SEQ, POSITION, SIDE, QUANTITY, PRICE0, PRICE1, PNL, FEES, OPENS, STANDS, ENTRY, STREAM, STREAM_SEQ, AT_NS = range(15)
TURNOVER_SHARE = Decimal("1e-18")  # sums of another order round elsewhere


class Crosscheck:
    """What several processes have found, in one table."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("")  # a file that is gone once it is closed
        for statement in _TABLES:
            self._table.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def add(self, part: Part) -> None:
        """Take in what was found in one stretch."""
        self._table.executemany("INSERT INTO intents VALUES (?, ?)", part.intents)
        row = f"INSERT INTO told VALUES ({', '.join('?' * 15)})"
        # What a trade says has no stream of its own here: that is how it differs from what a position says of it.
        self._table.executemany(
            row,
            (
                (s.trade_id, s.seq, s.position_id, s.side, s.booked, *s.prices, s.pnl, s.fees, s.opens, s.stands)
                + (None, None, None, None)
                for s in part.statements
            ),
        )
        self._table.executemany(
            row,
            (
                (c.trade_id, c.record.seq, c.position_id, c.side, c.quantity, *c.prices, c.pnl, c.fees, None, None)
                + (c.entry, c.record.stream, c.record.stream_seq, c.record.at_ns)
                for c in part.claims
            ),
        )

    def findings(self) -> Iterator[Finding]:
        """Yield whatever does not agree."""
        before = ("", 0)
        for name, seq in self._table.execute(_TWICE):
            if name == before[0]:
                yield Finding(seq=seq, what=f"intends an order {name}; record {before[1]} has intended one of that id")
            before = (name, seq)
        for trade, rows in groupby(self._table.execute(_TOLD), key=itemgetter(TRADE)):
            yield from _of_trade(trade, rows)


def _of_trade(trade: str, rows: Iterator[Sequence[Any]]) -> Iterator[Finding]:
    """Yield how positions tell one trade otherwise than its fills do; *rows* in the order they were written."""
    said: Sequence[Any] | None = None
    claim: Sequence[Any] | None = None
    opens: Sequence[Any] | None = None  # the first time that a position should have been opened
    for row in rows:
        if row[STREAM] is None:
            said = row if row[STANDS] else None
            opens = opens or (row if row[OPENS] else None)
            continue
        if claim is not None and row[ENTRY] and row[POSITION] != claim[POSITION]:
            yield _finding(row, f"is entered by trade {trade}, which has entered position {claim[POSITION]}")
        claim = row
        if said is None:
            yield _finding(row, f"tells how trade {trade} ended, and it had not ended by then")
        elif wrong := _difference(said, row):
            yield _finding(row, wrong)
    if claim is not None and said is not None:
        yield from _disagreeing(said, claim)
    due = opens or (said if said is not None and said[POSITION] else None)
    if claim is None and due is not None:
        what = f"exits position {due[POSITION]}" if due[POSITION] else f"booked {due[QUANTITY]}"
        yield Finding(seq=due[SEQ], what=f"trade {trade} {what}, and no position tells of it")


def _disagreeing(said: Sequence[Any], claim: Sequence[Any]) -> Iterator[Finding]:
    """Yield that a trade said something later than its position, which was never told."""
    if said[SEQ] > claim[SEQ] and (wrong := _difference(said, claim)):
        what = f"changes what its position {claim[POSITION]} has to hold, and the position is not told: it {wrong}"
        yield Finding(seq=said[SEQ], what=what)


def _difference(said: Sequence[Any], claim: Sequence[Any]) -> str:
    """Return how what a position says of a trade is not what the trade's fills say."""
    trade, quantity = said[TRADE], Decimal(said[QUANTITY])
    if claim[ENTRY]:
        if said[POSITION]:
            return f"is entered by trade {trade}, which was to exit {said[POSITION]}"
        if said[SIDE] != claim[SIDE]:
            return f"was entered to {claim[SIDE]} first, trade {trade} did {said[SIDE]}"
        for leg, column in enumerate((PRICE0, PRICE1)):
            if not _alike(said[column], claim[column]):
                return f"was entered at {claim[column]} on leg {leg}, trade {trade} filled at {said[column]}"
    else:
        if said[POSITION] != claim[POSITION]:
            return f"is exited by trade {trade}, which was to exit {said[POSITION] or 'nothing'}"
        if said[SIDE] == claim[SIDE]:  # it left what stood the other way round
            quantity = -quantity
    if Decimal(claim[QUANTITY]) != quantity:
        return f"says that trade {trade} brought {claim[QUANTITY]}, its fills say {quantity}"
    if not _alike(said[PNL], claim[PNL]):
        return f"says that trade {trade} made {claim[PNL]}, its fills say {said[PNL]}"
    if claim[FEES] is not None and not _fees_alike(said[FEES], claim[FEES]):
        return f"says that trade {trade} was charged {claim[FEES] or 'nothing'}, its fills say {said[FEES] or 'nothing'}"
    return ""


def _alike(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    first, second = Decimal(one), Decimal(other)
    return abs(first - second) <= max(abs(first), abs(second), Decimal(1)) * TURNOVER_SHARE or first == second


def _fees_alike(one: str, other: str) -> bool:
    first, second = (dict(reversed(fee.split(" ")) for fee in fees.split(", ") if fee) for fees in (one, other))
    return first.keys() == second.keys() and all(_alike(amount, second[name]) for name, amount in first.items())


def _finding(row: Sequence[Any], what: str) -> Finding:
    return Finding(seq=row[SEQ], what=what, stream=row[STREAM], stream_seq=row[STREAM_SEQ], at_ns=row[AT_NS])


