"""Compare what a journal says was executed with what an exchange says.

Both sides meet in one table on disk: what a hundred thousand trades filled
need not fit into memory.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from attrs import define, field

from fsm_arb.audit.findings import moment
from fsm_arb.values import EXACT, ZERO, divide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fsm_arb.audit.executions import Executed, Ours

DIFFERENCES_MAX = 100
NS_PER_MS = 1_000_000
PRICE_SHARE = Decimal("1e-6")  # of a price; an exchange's own average is rounded
FEE_SHARE = Decimal("1e-6")
FEE_STEP = Decimal("1e-8")  # per execution; exports round fees
OUR_IDS = re.compile(r"f[0-9a-z]{17}")  # see `fsm_arb.ids`
JOURNAL, EXCHANGE = "journal", "exchange"

_OURS = (
    "CREATE TABLE ours (exchange TEXT, symbol TEXT, trade TEXT, client TEXT, order_id TEXT, side TEXT, filled TEXT,"
    " average TEXT, fees TEXT, ids TEXT, began_ms INTEGER, ended_ms INTEGER, live INTEGER)"
)
_THEIRS = (
    "CREATE TABLE theirs (exchange TEXT, symbol TEXT, id TEXT, order_id TEXT, client TEXT, side TEXT, amount TEXT,"
    " price TEXT, fee TEXT, currency TEXT, at_ms INTEGER, place TEXT, ours INTEGER)"
)
_INDEXES = (
    "CREATE INDEX ours_by_order ON ours (exchange, symbol, order_id) WHERE order_id <> ''",
    "CREATE INDEX ours_by_client ON ours (exchange, client) WHERE client <> ''",
)
_MATCH_IDS = (
    "UPDATE theirs SET ours = (SELECT min(o.rowid) FROM ours o WHERE o.exchange = theirs.exchange"
    " AND o.symbol = theirs.symbol AND o.order_id = theirs.order_id AND o.order_id <> '')"
)
_MATCH_CLIENTS = (
    "UPDATE theirs SET ours = (SELECT min(o.rowid) FROM ours o WHERE o.exchange = theirs.exchange"
    " AND o.client = theirs.client AND o.client <> '') WHERE ours IS NULL AND client <> ''"
)
_PAIRS = (
    "SELECT o.rowid, o.*, t.* FROM ours o LEFT JOIN theirs t ON t.ours = o.rowid"
    " WHERE o.client <> '' ORDER BY o.rowid, t.at_ms, t.id"
)
_STRANGE = "SELECT * FROM theirs WHERE ours IS NULL ORDER BY exchange, symbol, order_id, at_ms, id"
_BY_HAND = "SELECT filled FROM ours WHERE client = '' AND exchange = ? AND symbol = ? AND side = ?"
_TRADED = "SELECT exchange, symbol, min(began_ms), max(ended_ms) FROM ours GROUP BY exchange, symbol"
_TWICE = (
    "SELECT exchange, symbol, id, order_id, group_concat(place, ' and '),"
    " count(DISTINCT side || ' ' || amount || ' ' || price || ' ' || coalesce(fee, '') || ' ' || currency)"
    " FROM theirs"
    " GROUP BY exchange, symbol, id, order_id HAVING count(*) > 1"
)
_ONCE = "DELETE FROM theirs WHERE rowid NOT IN (SELECT min(rowid) FROM theirs GROUP BY exchange, symbol, id, order_id)"


class Span(NamedTuple):
    """From when to when a list tells everything, wall clock UTC, ms."""

    from_ms: int
    to_ms: int


class Difference(NamedTuple):
    """One thing on which journal and exchange do not agree."""

    missing: str  # from which of the two: ``journal`` or ``exchange``; empty: both have it and it differs
    what: str


@define
class Comparison:
    """What a comparison of journal and exchange came to.

    Attributes:
        orders: Of the journal, that were compared.
        executions: Of the exchange.
        outside: Orders of the journal that filled where the exchange's list does not reach.
        others: Executions of other orders than this journal's, by their client order id.
        differences: The first hundred of them.
        more: How many there are besides.
    """

    orders: int = 0
    executions: int = 0
    outside: int = 0
    others: int = 0
    differences: list[Difference] = field(factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        """Whether both sides agree."""
        return not self.differences

    def differs(self, missing: str, what: str) -> None:
        """Take in a difference."""
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(Difference(missing, what))
        else:
            self.more += 1


def compare(
    ours: Iterable[Ours], theirs: Iterable[Executed], spans: Mapping[tuple[str, str], Span] | None = None
) -> Comparison:
    """Return how what a journal has and what exchanges list differ.

    Orders are matched by the exchange's id, else by ours. What was executed
    on markets or at times that the list does not cover is not looked at, nor
    is what else the account traded, as far as its client order ids tell.

    Args:
        ours: Of the whole journal.
        theirs: Of any exchanges and symbols; one that is listed twice counts once.
        spans: By exchange and symbol, from when to when *theirs* tells everything; None: each exchange's from its
            first execution to its last, for the symbols that are listed.
    """
    with _Tables() as tables:
        tables.take(ours, theirs)
        return tables.compared(spans)


class _Tables:
    def __init__(self) -> None:
        self._sql = sqlite3.connect("")  # a file that is gone once it is closed
        self._sql.execute(_OURS)
        self._sql.execute(_THEIRS)
        self._found = Comparison()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sql.close()

    def take(self, ours: Iterable[Ours], theirs: Iterable[Executed]) -> None:
        self._sql.executemany("INSERT INTO ours VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", map(_our_row, ours))
        self._sql.executemany("INSERT INTO theirs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,NULL)", map(_their_row, theirs))
        for statement in _INDEXES:
            self._sql.execute(statement)

    def compared(self, spans: Mapping[tuple[str, str], Span] | None) -> Comparison:
        found = self._found
        for exchange, symbol, name, order, places, kinds in self._sql.execute(_TWICE):
            if kinds > 1:
                what = f"{exchange} {symbol}: execution {name} of order {order} is listed in several ways: {places}"
                found.differs("", what)
        self._sql.execute(_ONCE)
        (found.executions,) = self._sql.execute("SELECT count(*) FROM theirs").fetchone()
        self._sql.execute(_MATCH_IDS)
        self._sql.execute(_MATCH_CLIENTS)
        reach = self._reach() if spans is None else spans
        for _, rows in groupby(self._sql.execute(_PAIRS), key=itemgetter(0)):
            pairs = [(_Order._make(row[1:14]), _Row._make(row[14:27])) for row in rows]
            self._order(pairs[0][0], [row for _, row in pairs if row.exchange is not None], reach)
        self._strangers()
        return found

    def _reach(self) -> dict[tuple[str, str], Span]:
        """Return what the list itself covers."""
        ends = {
            exchange: Span(first, last)
            for exchange, first, last in self._sql.execute(
                "SELECT exchange, min(at_ms), max(at_ms) FROM theirs GROUP BY exchange"
            )
        }
        listed = self._sql.execute("SELECT DISTINCT exchange, symbol FROM theirs")
        return {(exchange, symbol): ends[exchange] for exchange, symbol in listed}

    # -------------------------------------------------------------- one order of ours

    def _order(self, order: _Order, rows: Sequence[_Row], reach: Mapping[tuple[str, str], Span]) -> None:
        found = self._found
        span = reach.get((order.exchange, order.symbol))
        within = span is not None and span.from_ms <= order.began_ms and order.ended_ms <= span.to_ms
        filled = Decimal(order.filled)
        if not rows and not within:
            found.outside += bool(filled)
            return
        found.orders += 1
        for row in rows:
            if (row.symbol, row.side) != (order.symbol, order.side):
                found.differs("", f"{_name(order)} is a {row.side} of {row.symbol} there ({row.place})")
        listed = sum((Decimal(row.amount) for row in rows), ZERO)
        if listed == filled:
            self._money(order, rows, filled)
        elif listed > filled:
            live = " so far; it may still execute" if order.live else ""
            what = f"{_name(order)} filled {listed:f} there, the journal has {filled:f}{live}{_only_there(order, rows)}"
            found.differs(JOURNAL, what)
        elif within:
            only = _only_here(order, rows)
            found.differs(EXCHANGE, f"{_name(order)} filled {filled:f} in the journal, {listed:f} there{only}")

    def _money(self, order: _Order, rows: Sequence[_Row], filled: Decimal) -> None:
        """Compare price and fees of an order of which both sides have the same amount."""
        if not filled:
            return
        found = self._found
        cost = sum((EXACT.multiply(Decimal(row.amount), Decimal(row.price)) for row in rows), ZERO)
        average = divide(cost, filled)
        if order.average is not None and abs(average - Decimal(order.average)) > average * PRICE_SHARE:
            found.differs(
                "", f"{_name(order)} filled at {average:f} there, at {Decimal(order.average):f} in the journal"
            )
        ids = set(json.loads(order.ids))
        theirs = {row.id for row in rows}
        if ids & theirs and ids != theirs:  # else the journal's are made up, since the venue told none
            found.differs(
                "", f"{_name(order)} has other executions there: {_few(theirs - ids)} for {_few(ids - theirs)}"
            )
        if order.fees is None or any(row.fee is None for row in rows):
            return
        charged: Counter[str] = Counter()
        sums: dict[str, Decimal] = {}
        for row in rows:
            charged[row.currency] += 1
            sums[row.currency] = sums.get(row.currency, ZERO) + Decimal(row.fee or 0)
        told = {currency: Decimal(amount) for currency, amount in json.loads(order.fees)}
        for currency in sorted(sums.keys() | told.keys()):
            there, here = sums.get(currency, ZERO), told.get(currency, ZERO)
            if abs(there - here) > abs(here) * FEE_SHARE + FEE_STEP * max(charged[currency], 1):
                what = f"{_name(order)} was charged {there:f} {currency} there, {here:f} in the journal"
                found.differs("", what)

    # -------------------------------------------------------------- what is none of ours

    def _strangers(self) -> None:
        """Look at executions of orders that the journal does not have, on its markets and in its time."""
        found = self._found
        traded = {(exchange, symbol): Span(*times) for exchange, symbol, *times in self._sql.execute(_TRADED)}
        strange = map(_Row._make, self._sql.execute(_STRANGE))
        for _, group in groupby(strange, key=attrgetter("exchange", "symbol", "order_id")):
            rows = list(group)
            first = rows[0]
            span = traded.get((first.exchange, first.symbol))
            foreign = bool(first.client) and not OUR_IDS.fullmatch(first.client)
            if span is None or foreign or not span.from_ms <= first.at_ms <= span.to_ms or self._by_hand(rows):
                found.others += len(rows)
                continue
            amount = sum((Decimal(row.amount) for row in rows), ZERO)
            at = moment(first.at_ms * NS_PER_MS)
            what = (
                f"{first.exchange} {first.symbol}: order {first.order_id} filled {amount:f} ({first.side}, {at},"
                f" {len(rows)} executions, the first {first.id} in {first.place}), the journal knows of no such order"
            )
            found.differs(JOURNAL, what)

    def _by_hand(self, rows: Sequence[_Row]) -> bool:
        """Whether an operator has told this order."""
        amount = sum((Decimal(row.amount) for row in rows), ZERO)
        first = rows[0]
        told = self._sql.execute(_BY_HAND, (first.exchange, first.symbol, first.side))
        return any(Decimal(filled) == amount for (filled,) in told)


class _Order(NamedTuple):
    exchange: str
    symbol: str
    trade: str
    client: str
    order_id: str
    side: str
    filled: str
    average: str | None
    fees: str | None
    ids: str
    began_ms: int
    ended_ms: int
    live: int


class _Row(NamedTuple):
    exchange: str
    symbol: str
    id: str
    order_id: str
    client: str
    side: str
    amount: str
    price: str
    fee: str | None
    currency: str
    at_ms: int
    place: str
    ours: int | None


def _our_row(order: Ours) -> tuple[Any, ...]:
    return (
        order.exchange,
        order.symbol,
        order.trade_id,
        order.client_order_id,
        order.order_id,
        order.side,
        str(order.filled),
        None if order.average is None else str(order.average),
        None if order.fees is None else json.dumps([(currency, str(amount)) for currency, amount in order.fees]),
        json.dumps(order.ids),
        order.began_ms,
        order.ended_ms,
        order.live,
    )


def _their_row(one: Executed) -> tuple[Any, ...]:
    return (
        one.exchange,
        one.symbol,
        one.trade_id,
        one.order_id,
        one.client_order_id,
        one.side,
        f"{one.amount.normalize(EXACT):f}",
        f"{one.price.normalize(EXACT):f}",
        None if one.fee is None else f"{one.fee.normalize(EXACT):f}",
        one.fee_currency,
        one.at_ms,
        one.where,
    )


def _name(order: _Order) -> str:
    known = f"order {order.order_id} ({order.client})" if order.order_id else f"order {order.client}"
    return f"{order.exchange} {order.symbol}: {known} of trade {order.trade}"


def _only_there(order: _Order, rows: Sequence[_Row]) -> str:
    ids, theirs = set(json.loads(order.ids)), {row.id for row in rows}
    return f"; only there: {_few(theirs - ids)}" if not ids or ids & theirs else ""


def _only_here(order: _Order, rows: Sequence[_Row]) -> str:
    ids, theirs = set(json.loads(order.ids)), {row.id for row in rows}
    return f"; only in the journal: {_few(ids - theirs)}" if ids and (not theirs or ids & theirs) else ""


def _few(names: Iterable[str]) -> str:
    first = sorted(names)
    return (", ".join(first[:5]) + (", …" if len(first) > 5 else "")) or "none"  # noqa: PLR2004 - a handful
