"""Books from a CSV file: what is read, and what is said of a line that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from papers import book

from fsm_arb.backtest.csv_books import BookRow, read_books
from fsm_arb.errors import InvalidInput
from fsm_arb.values import Leg

COLUMNS = "time_ms,exchange,symbol,bid_price_1,bid_amount_1,ask_price_1,ask_amount_1"
LINE = "1700000000000,upbit,BTC/KRW,100,1,101,2"
UPBIT = Leg("upbit", "BTC/KRW")
AT_NS = 1_700_000_000_000_000_000


def rows(path: Path, *lines: str) -> list[BookRow]:
    file = path / "books.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return list(read_books(file))


def test_a_line_is_a_book(tmp_path: Path) -> None:
    """Of one market at one moment; empty lines are none."""
    (row,) = rows(tmp_path, COLUMNS, "", LINE, "")
    expected = book(((100, 1),), ((101, 2),))
    assert (row.at_ns, row.leg) == (AT_NS, UPBIT)
    assert (row.book.bids, row.book.asks, row.book.at_ms) == (expected.bids, expected.asks, AT_NS // 1_000_000)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("time_ms", "1700000000000"),
        ("time_ns", str(AT_NS)),
        ("time", "2023-11-14T22:13:20Z"),
        ("time", "2023-11-15 07:13:20.000000+09:00"),
    ],
)
def test_times_are_told_in_one_of_three_ways(tmp_path: Path, column: str, text: str) -> None:
    """All of them the same moment."""
    (row,) = rows(tmp_path, COLUMNS.replace("time_ms", column), LINE.replace("1700000000000", text))
    assert row.at_ns == AT_NS


def test_columns_stand_in_any_order_and_sides_are_as_deep_as_they_are(tmp_path: Path) -> None:
    """Cells may be left empty from some level on; a byte order mark and blanks are nothing."""
    columns = (
        "\ufeffask_price_1 ,ask_amount_1,symbol,exchange,bid_amount_2,bid_price_2,bid_amount_1,bid_price_1,time_ms"
    )
    first, second, third = rows(
        tmp_path,
        columns,
        "101, 2 ,BTC/KRW,upbit,3,99,1,100,5",
        "101,2,BTC/KRW,upbit,,,1,100,6",
        ",,BTC/KRW,upbit,,,,,7",
    )
    assert first.book.bids == book(((100, 1), (99, 3))).bids
    assert second.book.bids == book(((100, 1),)).bids
    assert (third.book.bids, third.book.asks, third.at_ns) == ((), (), 7_000_000)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ("", "names no columns"),
        (COLUMNS + ",symbol", "names symbol twice"),
        (COLUMNS.replace("time_ms,", ""), "must name one of time_ms, time_ns, time; it names none"),
        (COLUMNS + ",time_ns", "it names time_ms, time_ns"),
        (COLUMNS.replace("exchange,", ""), "lacks exchange"),
        (COLUMNS + ",bid_price_2", "lacks bid_amount_2"),
        (COLUMNS + ",ask_price_3,ask_amount_3", "lacks ask_price_2, ask_amount_2"),
        (COLUMNS + ",bid_size_1", "names bid_size_1, which no book has"),
        (COLUMNS + ",bid_price_01", "names bid_price_01, which no book has"),
    ],
)
def test_a_first_line_that_is_wrong_is_named(tmp_path: Path, columns: str, what: str) -> None:
    """A column that is misspelt would silently be no level."""
    with pytest.raises(InvalidInput, match=r"books\.csv:1'") as raised:
        rows(tmp_path, columns, LINE)
    assert what in str(raised.value)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (LINE + ",5", "has 8 cells, the first line names 7 columns"),
        ("1700000000000", "has 1 cells"),
        (LINE.replace("1700000000000", "1700000000.5"), "time_ms='1700000000.5' is no whole number"),
        (LINE.replace("1700000000000", "-5"), "is no whole number"),
        (LINE.replace("upbit", ""), "exchange"),
        (LINE.replace("BTC/KRW", "KRW-BTC"), "symbol"),
        (LINE.replace(",100,", ",dear,"), "bid_price_1='dear' is no number"),
        (LINE.replace(",100,", ",-100,"), "bid_price_1='-100' must be greater than zero"),
        (LINE.replace(",100,", ",nan,"), "must be greater than zero"),
        (LINE.replace(",100,1,", ",100,,"), "bid_amount_1='' is no number"),
        (LINE.replace(",101,", ",100,"), "the book is crossed: bid 100, ask 100"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, what: str) -> None:
    """File, line, and what is wrong with it."""
    with pytest.raises(InvalidInput, match=r"books\.csv:3'") as raised:
        rows(tmp_path, COLUMNS, LINE, line)
    assert what in str(raised.value)


DEEP = COLUMNS + ",bid_price_2,bid_amount_2,ask_price_2,ask_amount_2"


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (",100,1,102,1", "the bids do not stand best first"),
        (",101,1,102,1", "the bids do not stand best first"),
        (",99,1,101,1", "the asks do not stand best first"),
    ],
)
def test_levels_stand_best_first(tmp_path: Path, cells: str, what: str) -> None:
    """Each price once."""
    with pytest.raises(InvalidInput, match=what):
        rows(tmp_path, DEEP, LINE + cells)


def test_no_level_follows_one_that_is_missing(tmp_path: Path) -> None:
    """It would be a cell that slipped."""
    line = LINE.replace(",100,1,", ",,,") + ",99,1,,"
    with pytest.raises(InvalidInput, match="bid_price_2 is given, bid_price_1 before it is empty"):
        rows(tmp_path, DEEP, line)


@pytest.mark.parametrize(
    ("text", "what"), [("yesterday", "is no ISO 8601"), ("2023-11-14T22:13:20", "has no zone: end it with Z")]
)
def test_a_time_of_no_zone_is_no_time(tmp_path: Path, text: str, what: str) -> None:
    """An exchange's own midnight would be nine hours off."""
    with pytest.raises(InvalidInput, match=what):
        rows(tmp_path, COLUMNS.replace("time_ms", "time"), LINE.replace("1700000000000", text))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    """Not there, or not in UTF-8."""
    with pytest.raises(InvalidInput, match=r"gone\.csv.*cannot be read"):
        list(read_books(tmp_path / "gone.csv"))
    file = tmp_path / "books.csv"
    file.write_bytes(b"\xff\xfe" + COLUMNS.encode("utf-16-le"))
    with pytest.raises(InvalidInput, match="is no CSV in UTF-8"):
        list(read_books(file))


def test_a_cell_with_a_line_break_counts_its_lines(tmp_path: Path) -> None:
    """The line that is named is the one that an editor shows."""
    wrong: Any = LINE.replace("upbit", '"up\nbit"').replace(",100,", ",x,")
    with pytest.raises(InvalidInput, match=r"books\.csv:4'"):
        rows(tmp_path, COLUMNS, LINE, wrong)
