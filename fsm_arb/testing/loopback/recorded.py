"""Order books from recordings, replayed on one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.recordings import Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.liquidity import BookSource

NS_PER_MS = 1_000_000


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
