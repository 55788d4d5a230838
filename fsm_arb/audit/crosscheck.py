"""Hold what positions say against what their trades' fills say, and every order's id against all others.

Trades and positions are read by different processes, so what they say meets
here: in a table of its own on disk, sorted there, whatever its size.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Self

from fsm_arb.audit.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.audit.findings import Claim, Part, Statement

_INTENTS = "CREATE TABLE intents (id TEXT, seq INTEGER)"
_ALL_TOLD = (
    "CREATE TABLE told (trade TEXT, seq INTEGER, position TEXT, side TEXT, quantity TEXT, price0 TEXT, price1 TEXT,"
    " pnl TEXT, fees TEXT, opens INTEGER, stands INTEGER, entry INTEGER, stream TEXT, stream_seq INTEGER,"
    " at_ns INTEGER)"
)
_INTEND = "INSERT INTO intents VALUES (?, ?)"
_TELL = "INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TWICE = "SELECT id, seq FROM intents ORDER BY id, seq"
_TOLD = "SELECT * FROM told ORDER BY trade, seq"
ROUNDED = Decimal("1e-18")  # of a number; sums of another order round elsewhere


class Told(NamedTuple):
    """What a trade's fills say, or what a position's record says of the trade."""

    trade: str
    seq: int
    position: str
    side: str
    quantity: str
    price0: str | None
    price1: str | None
    pnl: str | None
    fees: str | None
    opens: int = 0
    stands: int = 1
    entry: int = 0
    stream: str = ""  # of a position; empty: it is the trade that says it
    stream_seq: int = 0
    at_ns: int = 0

    @classmethod
    def by_trade(cls, said: Statement) -> Told:
        """Return what a trade says."""
        return cls(
            trade=said.trade_id,
            seq=said.seq,
            position=said.position_id,
            side=said.side,
            quantity=said.booked,
            price0=said.prices[0],
            price1=said.prices[1],
            pnl=said.pnl,
            fees=said.fees,
            opens=said.opens,
            stands=said.stands,
        )

    @classmethod
    def by_position(cls, claim: Claim) -> Told:
        """Return what a position says."""
        return cls(
            trade=claim.trade_id,
            seq=claim.record.seq,
            position=claim.position_id,
            side=claim.side,
            quantity=claim.quantity,
            price0=claim.prices[0],
            price1=claim.prices[1],
            pnl=claim.pnl,
            fees=claim.fees,
            entry=claim.entry,
            stream=claim.record.stream,
            stream_seq=claim.record.stream_seq,
            at_ns=claim.record.at_ns,
        )

    def wrong(self, what: str) -> Finding:
        """Return that this record of a position is wrong."""
        return Finding(seq=self.seq, what=what, stream=self.stream, stream_seq=self.stream_seq, at_ns=self.at_ns)


class Crosscheck:
    """What several processes have found, in one table."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("")  # a file that is gone once it is closed
        self._table.execute(_INTENTS)
        self._table.execute(_ALL_TOLD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def add(self, part: Part) -> None:
        """Take in what was found in one stretch."""
        self._table.executemany(_INTEND, part.intents)
        self._table.executemany(_TELL, map(Told.by_trade, part.statements))
        self._table.executemany(_TELL, map(Told.by_position, part.claims))

    def findings(self) -> Iterator[Finding]:
        """Yield whatever does not agree."""
        name, first = "", 0
        for again, seq in self._table.execute(_TWICE):
            if again == name:
                yield Finding(seq=seq, what=f"intends an order {name}, as record {first} has done")
            else:
                name, first = again, seq
        for trade, rows in groupby(map(Told._make, self._table.execute(_TOLD)), key=attrgetter("trade")):
            yield from _of_trade(trade, rows)


def _of_trade(trade: str, rows: Iterable[Told]) -> Iterator[Finding]:
    """Yield how positions tell one trade otherwise than its fills do; *rows* in the order they were written."""
    said: Told | None = None  # by the trade, as long as it stands
    claim: Told | None = None  # by a position
    opens: Told | None = None  # when a position should first have been opened
    for row in rows:
        if not row.stream:
            said = row if row.stands else None
            opens = opens or (row if row.opens else None)
            continue
        if claim is not None and row.entry and row.position != claim.position:
            yield row.wrong(f"is entered by trade {trade}, which has entered position {claim.position}")
        claim = row
        if said is None:
            yield row.wrong(f"tells how trade {trade} ended, and it had not ended by then")
        elif wrong := difference(said, row):
            yield row.wrong(wrong)
    if claim is not None and said is not None and said.seq > claim.seq and (wrong := difference(said, claim)):
        what = f"changes what position {claim.position} has to hold, and the position was never told: it {wrong}"
        yield Finding(seq=said.seq, what=what)
    due = opens or (said if said is not None and said.position else None)
    if claim is None and due is not None:
        what = f"ends the exit of position {due.position}" if due.position else f"books {due.quantity}"
        yield Finding(seq=due.seq, what=f"{what}, and no position tells of it")


def difference(said: Told, claim: Told) -> str:
    """Return how what a position says of a trade is not what the trade's fills say; empty: it is."""
    return (_of_entry(said, claim) if claim.entry else _of_exit(said, claim)) or _of_money(said, claim)


def _of_entry(said: Told, claim: Told) -> str:
    if said.position:
        return f"is entered by trade {said.trade}, which was to exit {said.position}"
    if said.side != claim.side:
        return f"was entered with a {claim.side} on its first leg, trade {said.trade} was to {said.side} there"
    for leg, (price, told) in enumerate(((said.price0, claim.price0), (said.price1, claim.price1))):
        if not _alike(price, told):
            return f"was entered at {told} on leg {leg}, the fills of trade {said.trade} say {price}"
    return _of_quantity(said, claim, Decimal(said.quantity))


def _of_exit(said: Told, claim: Told) -> str:
    if said.position != claim.position:
        return f"is exited by trade {said.trade}, which was to exit {said.position or 'nothing'}"
    quantity = Decimal(said.quantity)
    # Where it left what stood the other way round, it trades as the entry did.
    return _of_quantity(said, claim, -quantity if said.side == claim.side else quantity)


def _of_quantity(said: Told, claim: Told, quantity: Decimal) -> str:
    if _alike(claim.quantity, str(quantity)):
        return ""
    return f"says that trade {said.trade} brought {claim.quantity}, its fills say {quantity}"


def _of_money(said: Told, claim: Told) -> str:
    if not _alike(said.pnl, claim.pnl):
        return f"says that trade {said.trade} made {claim.pnl}, its fills say {said.pnl}"
    if claim.fees is None or _fees(said.fees, claim.fees):
        return ""
    return f"says that trade {said.trade} was charged {claim.fees or 'nothing'}, its fills say {said.fees or 'nothing'}"


def _alike(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    first, second = Decimal(one), Decimal(other)
    return abs(first - second) <= max(abs(first), abs(second)) * ROUNDED


def _fees(one: str | None, other: str) -> bool:
    first, second = (dict(fee.split(" ")[::-1] for fee in (text or "").split(", ") if fee) for text in (one, other))
    return first.keys() == second.keys() and all(_alike(amount, second[name]) for name, amount in first.items())
