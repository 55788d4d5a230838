"""Where a backtest's books come from."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from recorded_books import BINANCE, UPBIT, Swing, csv_of

from fsm_arb.backtest.setup import SPOT, USDM
from fsm_arb.backtest.sources import CsvBooks, RecordedBooks
from fsm_arb.errors import InvalidInput

D = Decimal
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "binance_l2_2024"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")
MS = 1_000_000


def test_lines_of_several_files_are_one_stream(tmp_path: Path) -> None:
    """In the order of their times, each file's own order kept; read again it is the same."""
    swing = Swing(seconds=4)
    whole = csv_of(tmp_path / "whole.csv", swing).read_text().splitlines()
    (tmp_path / "late.csv").write_text("\n".join([whole[0], *whole[5:]]))
    (tmp_path / "early.csv").write_text("\n".join(whole[:5]))
    books = CsvBooks([tmp_path / "late.csv", tmp_path / "early.csv"])
    assert list(books.events()) == list(books.events())
    assert [row.at_ns for row in books.events()] == [row.at_ns for row in swing.events()]
    assert (books.begins_ns, books.ends_ns) == (swing.begins_ns, swing.ends_ns)
    assert books.legs == {UPBIT, BINANCE}


def test_a_file_without_books_is_refused(tmp_path: Path) -> None:
    """There would be nothing to trade on."""
    lines = csv_of(tmp_path / "whole.csv", Swing(seconds=1)).read_text().splitlines()
    (tmp_path / "none.csv").write_text(lines[0])
    with pytest.raises(InvalidInput, match="hold no book"):
        CsvBooks([tmp_path / "none.csv"])


def recording(path: Path, *lines: tuple[int, Any]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{at} {json.dumps(data)}\n" for at, data in lines)
    return path


def snapshot(bid: str, ask: str) -> dict[str, Any]:
    return {"lastUpdateId": 5, "bids": [[bid, "1"]], "asks": [[ask, "1"]]}


def update(number: int, bid: str, amount: str) -> dict[str, Any]:
    return {"data": {"e": "depthUpdate", "U": number, "u": number, "b": [[bid, amount]], "a": []}}


def test_recordings_are_merged_on_one_clock(tmp_path: Path) -> None:
    """It begins where both have a book; from there every update is a book of its own, when it was received."""
    spot = recording(
        tmp_path / "a.gz", (1 * MS, snapshot("10", "11")), (2 * MS, update(6, "9", "4")), (5 * MS, update(7, "10", "2"))
    )
    usdm = recording(
        tmp_path / "b.gz",
        (3 * MS, snapshot("20", "21")),
        (4 * MS, update(6, "19", "3")),
        (6 * MS, {"data": {"e": "trade"}}),
    )
    books = RecordedBooks({SPOT: spot, USDM: usdm})
    assert (books.begins_ns, books.ends_ns, books.legs) == (3 * MS, 5 * MS, {SPOT, USDM})
    told = [
        (row.at_ns // MS, row.leg is SPOT, row.book.at_ms, [(level.price, level.amount) for level in row.book.bids])
        for row in books.events()
    ]
    assert told == [
        (3, True, 3, [(D(10), D(1)), (D(9), D(4))]),
        (3, False, 3, [(D(20), D(1))]),
        (4, False, 4, [(D(20), D(1)), (D(19), D(3))]),
        (5, True, 5, [(D(10), D(2)), (D(9), D(4))]),
    ]


@pytest.mark.parametrize("lines", [[], [(1, update(6, "1", "1"))]])
def test_a_recording_without_a_book_is_refused(tmp_path: Path, lines: list[Any]) -> None:
    """The file is named."""
    with pytest.raises(InvalidInput, match=r"a\.gz.*no depth snapshot"):
        RecordedBooks({SPOT: recording(tmp_path / "a.gz", *lines)})


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    """No gzip, no time at the beginning of a line, or no file."""
    (tmp_path / "text.gz").write_text("1 {}")
    with gzip.open(tmp_path / "odd.gz", "wt") as file:
        file.write('soon {"lastUpdateId": 5}')
    for name in ("text.gz", "odd.gz", "none.gz"):
        with pytest.raises(InvalidInput, match="is no recording"):
            RecordedBooks({SPOT: tmp_path / name})
    with pytest.raises(InvalidInput, match="one recording at least"):
        RecordedBooks({})


@recorded
def test_the_real_recordings_never_go_back_in_time_nor_cross() -> None:
    """Their first thousand books, of both markets."""
    paths = {SPOT: FOLDER / "spot_btcusdt_20240808.gz", USDM: FOLDER / "usdm_btcusdt_20240808.gz"}
    books = RecordedBooks(paths)
    assert 340 < (books.ends_ns - books.begins_ns) / 1e9 < 346
    rows = [row for row, _ in zip(books.events(), range(1000), strict=False)]
    assert all(before.at_ns <= after.at_ns for before, after in pairwise(rows))
    assert {row.leg for row in rows} == {SPOT, USDM}
    assert all(row.book.bids[0].price < row.book.asks[0].price for row in rows)
