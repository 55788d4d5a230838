"""The books that a paper venue was fed, the latest of each market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.values import floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.values import Level, OrderBook


@frozen
class Fed:
    """One book as it was fed."""

    version: int  # how many different books of this market there were, this one included
    book: OrderBook
    lot: Decimal  # base
    at_ns: int  # wall clock UTC; when it was last fed, changed or not


class FedBooks:
    """Where a paper venue's liquidity comes from; a `BookSource` of the matching engine.

    A book with the same levels as the one before is the same book: what was
    taken of it stays taken.
    """

    def __init__(self) -> None:
        self._fed: dict[str, Fed] = {}

    def put(self, symbol: str, book: OrderBook, lot: Decimal, at_ns: int) -> bool:
        """Take in the book of *symbol*; return whether it was taken in.

        A crossed book is not: whoever traded against it would be paid for a glitch of the feed.

        Args:
            symbol: The market.
            book: What stands there now.
            lot: Base; what of a level no order could take is left out.
            at_ns: Wall clock UTC.
        """
        if book.bids and book.asks and max(map(_price, book.bids)) >= min(map(_price, book.asks)):
            return False
        known = self._fed.get(symbol)
        if known is None:
            version = 1
        else:
            same = known.book.bids == book.bids and known.book.asks == book.asks
            version = known.version if same else known.version + 1
        self._fed[symbol] = Fed(version, book, lot, at_ns)
        return True

    def latest(self, symbol: str) -> Fed | None:
        """Return the latest book of *symbol*; None while none was fed."""
        return self._fed.get(symbol)

    # -------------------------------------------------------------- as the engine asks

    def version(self, symbol: str, now_ms: int) -> int:  # noqa: ARG002 - the latest holds until the next
        """Return the number of the latest book; zero while none was fed."""
        fed = self._fed.get(symbol)
        return 0 if fed is None else fed.version

    def levels(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:  # noqa: ARG002 - only the latest is kept
        """Return bids and asks of the latest book, best first, in whole lots. Read only where somebody trades."""
        fed = self._fed.get(symbol)
        if fed is None:
            return [], []
        return _ladder(fed.book.bids, fed.lot)[::-1], _ladder(fed.book.asks, fed.lot)

    def missed(self, symbol: str, version: int, now_ms: int) -> Iterable[int]:
        """Return the latest number if it is new. Each book is matched when it is fed, so that none is missed."""
        latest = self.version(symbol, now_ms)
        return (latest,) if latest > version else ()


def _price(level: Level) -> Decimal:
    return level.price


def _ladder(levels: Iterable[Level], lot: Decimal) -> Ladder:
    """Return *levels* as price and amount, the lowest price first."""
    whole = ((level.price, floor_to(level.amount, lot)) for level in levels)
    return sorted((price, amount) for price, amount in whole if amount > 0 and price > 0)
