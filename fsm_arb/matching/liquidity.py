"""What may still be traded against, market by market: generated, recorded or fixed by hand, less what was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import define

from fsm_arb.values import ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from fsm_arb.matching.ladders import Ladder


class BookSource(Protocol):
    """Where the books of one venue come from."""

    def version(self, symbol: str, now_ms: int) -> int:
        """Return the number of the book that holds at *now_ms*; it only grows."""

    def levels(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:
        """Return bids and asks of that number, best first."""

    def missed(self, symbol: str, version: int, now_ms: int) -> Iterable[int]:
        """Return the numbers of the books since *version* that resting orders must still meet."""


@define
class LiveBook:
    """What may still be traded against in one market."""

    version: int
    bids: Ladder
    asks: Ladder
    fixed: bool = False
    met: bool = False  # whether resting orders have had their chance at it

    def against(self, side: Side) -> Ladder:
        """The levels that an order of *side* would trade against."""
        return self.asks if side is Side.BUY else self.bids


class Liquidity:
    """The live books of one venue."""

    def __init__(self, source: BookSource) -> None:
        self._source = source
        self._books: dict[str, LiveBook] = {}

    def book(self, symbol: str, now_ms: int) -> LiveBook:
        """Return what may be traded against in *symbol* at *now_ms*."""
        live = self._books.get(symbol)
        if live is not None and live.fixed:
            return live
        version = self._source.version(symbol, now_ms)
        if live is None or live.version < version:  # a late event may look back; a book does not
            live = self._load(symbol, version)
        return live

    def unmet(self, symbol: str, now_ms: int) -> Iterator[LiveBook]:
        """Yield every book up to *now_ms* that resting orders have not met yet; each is live until the next."""
        live = self._books.get(symbol) or self.book(symbol, now_ms)
        if not live.met:
            live.met = True
            yield live
        if live.fixed:
            return
        for version in self._source.missed(symbol, live.version, now_ms):
            live = self._load(symbol, version)
            live.met = True
            yield live

    def _load(self, symbol: str, version: int) -> LiveBook:
        bids, asks = self._source.levels(symbol, version)
        live = self._books[symbol] = LiveBook(version, list(bids), list(asks))
        return live

    def fix(self, symbol: str, bids: Ladder, asks: Ladder) -> None:
        """Fix the book of *symbol*: it shrinks as it is taken and moves no more by itself."""
        self._books[symbol] = LiveBook(-1, sorted(bids, reverse=True), sorted(asks), fixed=True)

    def free(self, symbol: str) -> None:
        """Let the book of *symbol* move by itself again."""
        self._books.pop(symbol, None)

    def touch(self, symbol: str, side: Side, now_ms: int) -> Decimal | None:
        """The best price that an order of *side* could trade at."""
        ladder = self.book(symbol, now_ms).against(side)
        return ladder[0][0] if ladder else None

    def mark(self, symbol: str, now_ms: int) -> Decimal:
        """The middle of the book; zero where a side is empty."""
        bid, ask = self.touch(symbol, Side.SELL, now_ms), self.touch(symbol, Side.BUY, now_ms)
        return (bid + ask) / 2 if bid is not None and ask is not None else ZERO
