"""Order books from a CSV file of the user's own.

One line is one book of one market at one moment. The columns, in any order::

    time_ms | time_ns | time   when it was seen: milliseconds or nanoseconds since 1970 UTC, or ISO 8601 with a zone
    exchange                   the venue's name, as the settings call it
    symbol                     ccxt's unified symbol: BTC/KRW, BTC/USDT, BTC/USDT:USDT
    bid_price_1, bid_amount_1  the best bid: quote per base, and base
    ask_price_1, ask_amount_1  the best ask
    bid_price_2, ...           deeper levels, as many as there are; cells may be left empty from some level on

Other columns are an error, since one that is misspelt would be silently ignored.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.values import Leg, Level, OrderBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

NS_PER_MS = 1_000_000
NS_PER_US = 1_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TIMES = ("time_ms", "time_ns", "time")
LEVEL = re.compile(r"(bid|ask)_(price|amount)_([1-9]\d*)")


@frozen
class BookRow:
    """One book of one market, when it was seen."""

    at_ns: int  # wall clock UTC
    leg: Leg
    book: OrderBook


class _Wrong(Exception):
    """What is wrong with a line."""


def read_books(path: Path) -> Iterator[BookRow]:
    """Yield the books of a CSV file, in the order of its lines.

    Raises:
        InvalidInput: The file cannot be read, a column is missing, unknown or there twice, or a line is wrong;
            names file, line and what is wrong.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            columns = next(lines, [])
            layout = _layout(path, [column.strip() for column in columns])
            for cells in lines:
                if not any(cell.strip() for cell in cells):
                    continue
                try:
                    yield layout.row(cells)
                except _Wrong as wrong:
                    raise InvalidInput("books", f"{path}:{lines.line_num}", str(wrong)) from None
    except OSError as error:
        raise InvalidInput("books", str(path), f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput("books", str(path), f"is no CSV in UTF-8: {error}") from error


@frozen
class _Layout:
    """Where everything stands in a line."""

    width: int
    when: Callable[[str], int]
    at: Mapping[str, int]  # column to place
    depth: Mapping[str, int]  # side to levels

    def row(self, cells: Sequence[str]) -> BookRow:
        """Return one line as a book.

        Raises:
            _Wrong: It is none.
        """
        if len(cells) != self.width:
            raise _Wrong(f"has {len(cells)} cells, the first line names {self.width} columns")
        cell = {name: cells[place].strip() for name, place in self.at.items()}
        at_ns = self.when(next(cell[name] for name in TIMES if name in cell))
        try:
            leg = Leg(cell["exchange"], cell["symbol"])
        except InvalidInput as error:
            raise _Wrong(str(error)) from None
        bids, asks = (self._side(side, cell) for side in ("bid", "ask"))
        _ordered(bids, asks)
        return BookRow(at_ns, leg, OrderBook(bids=bids, asks=asks, at_ms=at_ns // NS_PER_MS))

    def _side(self, side: str, cell: Mapping[str, str]) -> list[Level]:
        levels: list[Level] = []
        ended = ""
        for number in range(1, self.depth[side] + 1):
            names = f"{side}_price_{number}", f"{side}_amount_{number}"
            texts = [cell[name] for name in names]
            if not any(texts):
                ended = ended or names[0]
                continue
            if ended:
                raise _Wrong(f"{names[0]} is given, {ended} before it is empty")
            price, amount = (_number(name, text) for name, text in zip(names, texts, strict=True))
            levels.append(Level(price, amount))
        return levels


def _layout(path: Path, columns: Sequence[str]) -> _Layout:
    """Return where everything stands.

    Raises:
        InvalidInput: A column is missing, unknown, or there twice.
    """
    wrong = _objection(columns)
    if wrong:
        raise InvalidInput("books", f"{path}:1", wrong)
    when = next(name for name in TIMES if name in columns)
    found = [match for column in columns if (match := LEVEL.fullmatch(column))]
    depth = {side: max(int(match[3]) for match in found if match[1] == side) for side in ("bid", "ask")}
    at = {column: place for place, column in enumerate(columns)}
    return _Layout(len(columns), _READERS[when], at, depth)


def _objection(columns: Sequence[str]) -> str:
    """Return what is wrong with the first line; empty: nothing is."""
    if not any(columns):
        return "names no columns"
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        return f"names {', '.join(twice)} twice"
    times = [name for name in TIMES if name in columns]
    if len(times) != 1:
        return f"must name one of {', '.join(TIMES)}; it names {', '.join(times) or 'none'}"
    levels = {(match[1], match[2], int(match[3])) for column in columns if (match := LEVEL.fullmatch(column))}
    deepest = {side: max((number for each, _, number in levels if each == side), default=1) for side in ("bid", "ask")}
    needed = ["exchange", "symbol"]
    needed += [
        f"{side}_{what}_{number}"
        for side, most in deepest.items()
        for number in range(1, most + 1)
        for what in ("price", "amount")
    ]
    missing = [name for name in needed if name not in columns]
    if missing:
        return f"lacks {', '.join(missing)}"
    unknown = [column for column in columns if column not in {*needed, *TIMES}]
    return f"names {', '.join(unknown)}, which no book has" if unknown else ""


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Wrong(f"{name}={text!r} is no number") from None
    if not number.is_finite() or number <= 0:
        raise _Wrong(f"{name}={text!r} must be greater than zero")
    return number


def _ordered(bids: Sequence[Level], asks: Sequence[Level]) -> None:
    for side, levels, sign in (("bid", bids, -1), ("ask", asks, 1)):
        prices = [level.price * sign for level in levels]
        if any(worse <= better for better, worse in itertools.pairwise(prices)):
            raise _Wrong(f"the {side}s do not stand best first, each price once")
    if bids and asks and bids[0].price >= asks[0].price:
        raise _Wrong(f"the book is crossed: bid {bids[0].price}, ask {asks[0].price}")


def _whole(name: str, ns: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise _Wrong(f"{name}={text!r} is no whole number")
        return int(text) * ns

    return read


def _iso(text: str) -> int:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"time={text!r} is no ISO 8601") from None
    if at.tzinfo is None:
        raise _Wrong(f"time={text!r} has no zone: end it with Z or +09:00")
    return (at - EPOCH) // dt.timedelta(microseconds=1) * NS_PER_US


_READERS: Mapping[str, Callable[[str], int]] = {
    "time_ms": _whole("time_ms", NS_PER_MS),
    "time_ns": _whole("time_ns", 1),
    "time": _iso,
}
