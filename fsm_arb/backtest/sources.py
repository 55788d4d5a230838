"""Where a backtest's books come from: a recording, or a file of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fsm_arb.backtest.csv_books import BookRow, read_books
from fsm_arb.errors import InvalidInput
from fsm_arb.recordings import Track, span_of
from fsm_arb.values import Leg, Level, OrderBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from fsm_arb.matching.ladders import Ladder

NS_PER_MS = 1_000_000

BookEvent = BookRow


class Books(Protocol):
    """Recorded books of several markets, in the order in which they were seen."""

    begins_ns: int
    """When the first of its books stands, wall clock UTC."""
    ends_ns: int
    """When the last one does."""

    @property
    def legs(self) -> frozenset[Leg]:
        """The markets that it holds books of."""
        ...

    def events(self) -> Iterator[BookEvent]:
        """Yield every book, oldest first; each call begins anew."""
        ...


class CsvBooks:
    """Books from a CSV file, see `fsm_arb.backtest.csv_books` for its columns.

    The whole file is read and checked before the first book is given out, so
    that a line that is wrong is told before anything is traded on.

    Args:
        paths: One file, or several that are taken together.

    Raises:
        InvalidInput: A file cannot be read as such; names file and line.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        rows = [row for path in paths for row in read_books(path)]
        if not rows:
            raise InvalidInput("books", "", "hold no book")
        self._rows = sorted(rows, key=lambda row: row.at_ns)  # stable: lines of one time stay in their order
        self.begins_ns, self.ends_ns = self._rows[0].at_ns, self._rows[-1].at_ns

    @property
    def legs(self) -> frozenset[Leg]:
        """The markets that it holds books of."""
        return frozenset(row.leg for row in self._rows)

    def events(self) -> Iterator[BookEvent]:
        """Yield every book, oldest first."""
        return iter(self._rows)


class RecordedBooks:
    """Books from recordings of raw websocket messages, one file a market.

    It begins where every market has a book. Times are those of the recorder.

    Args:
        paths: The files, by market.

    Raises:
        InvalidInput: No file is given, or one cannot be read as a recording.
    """

    def __init__(self, paths: Mapping[Leg, Path]) -> None:
        if not paths:
            raise InvalidInput("paths", paths, "must name one recording at least")
        self._paths = dict(paths)
        spans = [_span(path) for path in self._paths.values()]
        self.begins_ns = max(begins for begins, _ in spans)
        self.ends_ns = max(ends for _, ends in spans)

    @property
    def legs(self) -> frozenset[Leg]:
        """The markets that it holds books of."""
        return frozenset(self._paths)

    def events(self) -> Iterator[BookEvent]:
        """Yield every book, oldest first."""
        tracks = {leg: Track(path) for leg, path in self._paths.items()}
        for leg, track in tracks.items():
            track.play_to(self.begins_ns)
            yield BookEvent(self.begins_ns, leg, _book(track.levels(), self.begins_ns))
        while True:
            due = [(track.next_ns, leg) for leg, track in tracks.items() if track.next_ns is not None]
            if not due:
                return
            at_ns, leg = min(due, key=lambda each: each[0])
            tracks[leg].play_to(at_ns)
            yield BookEvent(at_ns, leg, _book(tracks[leg].levels(), at_ns))


def _span(path: Path) -> tuple[int, int]:
    try:
        return span_of(path)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInput("paths", str(path), f"is no recording: {error}") from error


def _book(levels: tuple[Ladder, Ladder], at_ns: int) -> OrderBook:
    bids, asks = ((Level(price, amount) for price, amount in side) for side in levels)
    return OrderBook(bids=bids, asks=asks, at_ms=at_ns // NS_PER_MS)
