"""Order books from recordings, replayed on one clock.

A line of a recording is ``<local receive time, ns> <raw websocket JSON>``; one
line is a REST depth snapshot. Updates older than the snapshot are dropped, the
rest applied in their sequence (`U`, `u`, and on USD-M `pu`).
"""

from __future__ import annotations

import gzip
import heapq
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.liquidity import BookSource

LEVELS = 20  # a side
NS_PER_MS = 1_000_000


class Track:
    """One recorded market: a book that is read forward."""

    def __init__(self, path: Path) -> None:
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self._updates: Iterator[tuple[int, dict[str, Any]]] = self._read(path)
        self._next: tuple[int, dict[str, Any]] | None = None
        self.last_id = 0
        self.applied = 0  # the number of the book
        self.gaps = 0  # updates that did not follow the one before
        self.begins_ns = 0  # local time of the snapshot
        self.ended = False
        self._begin()

    @staticmethod
    def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
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
        for side, rows in ((self._bids, bids), (self._asks, asks)):
            for price_text, amount_text in rows:
                price, amount = Decimal(price_text), Decimal(amount_text)
                if amount:
                    side[price] = amount
                else:
                    side.pop(price, None)

    def play_to(self, at_ns: int) -> int:
        """Apply every update received by *at_ns* (recorder's clock); return the number of the book."""
        while self._next is not None and self._next[0] <= at_ns:
            self._apply(self._next[1])
            self._fetch_next()
        return self.applied

    def levels(self) -> tuple[Ladder, Ladder]:
        """Return bids and asks as they stand, best first."""
        bids, asks = heapq.nlargest(LEVELS, self._bids), heapq.nsmallest(LEVELS, self._asks)
        return [(price, self._bids[price]) for price in bids], [(price, self._asks[price]) for price in asks]


class Recording:
    """Several tracks on one clock: it begins when all of them have a book."""

    def __init__(self, paths: Mapping[tuple[str, str], Path], *, speed: float, started_ms: int) -> None:
        self.tracks = {key: Track(path) for key, path in paths.items()}
        self._speed = speed
        self._started_ms = started_ms
        self._begins_ns = max((track.begins_ns for track in self.tracks.values()), default=0)
        for track in self.tracks.values():
            track.play_to(self._begins_ns)

    def covers(self, dialect: str) -> bool:
        """Whether any market of *dialect* is recorded."""
        return any(name == dialect for name, _ in self.tracks)

    def prices(self) -> dict[str, float]:
        """Return the first middle price of each recorded base asset, for the markets that are not recorded."""
        prices = {}
        for (_, symbol), track in self.tracks.items():
            bids, asks = track.levels()
            prices[symbol.partition("/")[0]] = float((bids[0][0] + asks[0][0]) / 2)
        return prices

    def at_ns(self, now_ms: int) -> int:
        """Return where the replay stands, on the recorder's clock."""
        return self._begins_ns + int((now_ms - self._started_ms) * self._speed * NS_PER_MS)


class RecordedBooks:
    """Books of one venue: recorded where there is a recording, generated elsewhere."""

    def __init__(self, dialect: str, recording: Recording, rest: BookSource) -> None:
        self._tracks = {symbol: track for (name, symbol), track in recording.tracks.items() if name == dialect}
        self._recording = recording
        self._rest = rest

    def version(self, symbol: str, now_ms: int) -> int:
        """Return the number of the book that holds at *now_ms*."""
        track = self._tracks.get(symbol)
        if track is None:
            return self._rest.version(symbol, now_ms)
        return track.play_to(self._recording.at_ns(now_ms))

    def missed(self, symbol: str, version: int, now_ms: int) -> Iterable[int]:
        """Return the latest number if it is new: a recording is not read backwards."""
        if symbol not in self._tracks:
            return self._rest.missed(symbol, version, now_ms)
        latest = self.version(symbol, now_ms)
        return (latest,) if latest > version else ()

    def levels(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:
        """Return bids and asks; of a recorded market always the latest."""
        track = self._tracks.get(symbol)
        return self._rest.levels(symbol, version) if track is None else track.levels()
