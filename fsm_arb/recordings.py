"""Recorded order books: a book that is read forward, update by update.

A line of a recording is ``<local receive time, ns> <raw websocket JSON>``; one
line is a REST depth snapshot. Updates older than the snapshot are dropped, the
rest applied in their sequence (`U`, `u`, and on USD-M `pu`).
"""

from __future__ import annotations

import bisect
import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsm_arb.matching.ladders import Ladder

LEVELS = 20  # a side


def span_of(path: Path) -> tuple[int, int]:
    """Return when a recording's first book stands and when its last update came, ns, without applying any of it.

    Raises:
        ValueError: It holds no depth snapshot, or a line does not begin with a time.
        OSError: It cannot be read.
    """
    begins = ends = None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            update = '"depthUpdate"' in line
            if update or '"lastUpdateId"' in line:
                ends = int(line.partition(" ")[0])
                begins = ends if begins is None and not update else begins
    if begins is None or ends is None:
        raise ValueError("the recording holds no depth snapshot")
    return begins, ends


class _Side:
    """One side of a book: amounts by price, and the prices in order."""

    def __init__(self) -> None:
        self._amounts: dict[Decimal, Decimal] = {}
        self._prices: list[Decimal] = []  # ascending

    def apply(self, rows: list[list[str]]) -> None:
        """Set what stands at each price; zero: nothing does any more."""
        for price_text, amount_text in rows:
            price, amount = Decimal(price_text), Decimal(amount_text)
            known = price in self._amounts
            if amount:
                self._amounts[price] = amount
                if not known:
                    bisect.insort(self._prices, price)
            elif known:
                del self._amounts[price]
                del self._prices[bisect.bisect_left(self._prices, price)]

    def lowest(self) -> Ladder:
        """Return the levels of the lowest prices, the lowest first."""
        return [(price, self._amounts[price]) for price in self._prices[:LEVELS]]

    def highest(self) -> Ladder:
        """Return the levels of the highest prices, the highest first."""
        return [(price, self._amounts[price]) for price in self._prices[: -LEVELS - 1 : -1]]


class Track:
    """One recorded market: a book that is read forward."""

    def __init__(self, path: Path) -> None:
        self._bids, self._asks = _Side(), _Side()
        self._updates: Iterator[tuple[int, dict[str, Any]]] = self._lines(path)
        self._next: tuple[int, dict[str, Any]] | None = None
        self.last_id = 0
        self.applied = 0  # the number of the book
        self.gaps = 0  # updates that did not follow the one before
        self.begins_ns = 0  # local time of the snapshot
        self.ended = False
        self._begin()

    @staticmethod
    def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                # Trades and tickers are most of the file; only depth is parsed.
                if '"depthUpdate"' in line or '"lastUpdateId"' in line:
                    at, _, text = line.partition(" ")
                    data = json.loads(text)
                    yield int(at), data.get("data", data)

    def _begin(self) -> None:
        early: list[tuple[int, dict[str, Any]]] = []
        for at_ns, data in self._updates:
            if "lastUpdateId" in data:
                self.begins_ns, self.last_id = at_ns, int(data["lastUpdateId"])
                self._apply_levels(data["bids"], data["asks"])
                break
            early.append((at_ns, data))
        else:
            raise ValueError("the recording holds no depth snapshot")
        for _, data in early:
            self._apply(data)
        self._fetch_next()

    def _fetch_next(self) -> None:
        self._next = next(self._updates, None)
        self.ended = self._next is None

    def _apply(self, data: dict[str, Any]) -> None:
        if "lastUpdateId" in data or int(data["u"]) <= self.last_id:
            return
        follows = int(data["pu"]) <= self.last_id if "pu" in data else int(data["U"]) <= self.last_id + 1
        if not follows:
            self.gaps += 1
        self.last_id = int(data["u"])
        self.applied += 1
        self._apply_levels(data["b"], data["a"])

    def _apply_levels(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        self._bids.apply(bids)
        self._asks.apply(asks)

    @property
    def next_ns(self) -> int | None:
        """When the next update was received, recorder's clock; None: there is none."""
        return None if self._next is None else self._next[0]

    def play_to(self, at_ns: int) -> int:
        """Apply every update received by *at_ns* (recorder's clock); return the number of the book."""
        while self._next is not None and self._next[0] <= at_ns:
            self._apply(self._next[1])
            self._fetch_next()
        return self.applied

    def levels(self) -> tuple[Ladder, Ladder]:
        """Return bids and asks as they stand, best first."""
        return self._bids.highest(), self._asks.lowest()
