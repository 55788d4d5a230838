"""Rows as text, and files that are there whole or not at all."""

from __future__ import annotations

import csv
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.errors import InvalidInput
from fsm_arb.export.columns import Column, Kind, Table
from fsm_arb.export.writing import replacing, text_of, write_csv, write_jsonl

if TYPE_CHECKING:
    from fsm_arb.export.columns import Row

D = Decimal
TABLE = Table(
    "things",
    "A thing.",
    "at",
    tuple(Column(kind.value, kind, "") for kind in (Kind.TIME, *list(Kind)[:2], *list(Kind)[3:])),
)
NAMES = [column.name for column in TABLE.columns]


def row(*values: object) -> Row:
    return dict(zip(NAMES, values, strict=True))  # type: ignore[arg-type]


ROWS = [
    row(1, "plain", D("-1.50"), 7, True),
    row(0, "=1+1", D("1E+3"), -7, False),
    row(-1, 'a "quoted", line\nand another', D("1E-12"), 0, None),
    row(None, None, None, None, None),
]


def test_csv_holds_every_kind_as_the_page_says(tmp_path: Path) -> None:
    """Formulas are marked, negative numbers are not; what is not there is empty."""
    path = tmp_path / "t.csv"
    assert write_csv(path, TABLE, ROWS) == 4
    assert path.read_bytes() == (
        b"time,text,decimal,integer,flag\r\n"
        b"1970-01-01T00:00:00.000000001+00:00,plain,-1.5,7,true\r\n"
        b"1970-01-01T00:00:00.000000000+00:00,'=1+1,1000,-7,false\r\n"
        b'1969-12-31T23:59:59.999999999+00:00,"a ""quoted"", line\nand another",0.000000000001,0,\r\n'
        b",,,,\r\n"
    )


def test_json_lines_hold_every_kind_as_the_page_says(tmp_path: Path) -> None:
    """Decimals and times as strings, nothing marked."""
    path = tmp_path / "t.jsonl"
    assert write_jsonl(path, TABLE, ROWS) == 4
    assert [list(json.loads(line).values()) for line in path.read_text().splitlines()] == [
        ["1970-01-01T00:00:00.000000001+00:00", "plain", "-1.5", 7, True],
        ["1970-01-01T00:00:00.000000000+00:00", "=1+1", "1000", -7, False],
        ["1969-12-31T23:59:59.999999999+00:00", 'a "quoted", line\nand another', "0.000000000001", 0, None],
        [None] * 5,
    ]


@given(st.text())
def test_what_is_marked_can_be_read_back_and_is_no_formula(text: str) -> None:
    """Take one leading apostrophe off: whatever the text was, this is it."""
    told = text_of(Column("x", Kind.TEXT, ""), text)
    assert not told.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert told.removeprefix("'") == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=5))
def test_any_text_survives_csv(texts: list[str]) -> None:
    """Quotes, commas and line breaks included."""
    table = Table("t", "", "x", (Column("x", Kind.TEXT, ""), Column("y", Kind.TEXT, "")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_csv(path, table, [{"x": text, "y": "."} for text in texts])
        with path.open(encoding="utf-8", newline="") as file:
            found = [cells[0].removeprefix("'") for cells in csv.reader(file)][1:]
    assert found == texts


# ------------------------------------------------------------------ files


def test_a_file_appears_whole(tmp_path: Path) -> None:
    """Nothing stands at its place before, and nothing is left beside it after."""
    target = tmp_path / "t.csv"
    with replacing(target) as part:
        part.write_text("half")
        assert not target.exists()
        assert part.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert target.read_text() == "half"


@pytest.mark.parametrize("force", [False, True])
def test_what_fails_leaves_everything_as_it_was(tmp_path: Path, force: bool) -> None:
    """Also a file that would have been replaced."""
    target = tmp_path / "t.csv"
    if force:
        target.write_text("before")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError), replacing(target, force=force) as part:
        fail(part)
    assert [path.read_text() for path in tmp_path.iterdir()] == (["before"] if force else [])


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    """It is refused before anything is done."""
    target = tmp_path / "t.csv"
    target.write_text("before")
    with pytest.raises(InvalidInput, match="is there already"), replacing(target):
        pytest.fail("it should not have begun")
    with replacing(target, force=True) as part:
        part.write_text("after")
    assert target.read_text() == "after"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_not_replaced_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Somebody else may have exported at the same time; on a system without links it is asked for once more."""
    if not links:

        def refuse(*_: object) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    target = tmp_path / "t.csv"

    def race(part: Path) -> None:
        part.write_text("mine")
        target.write_text("theirs")

    with pytest.raises(InvalidInput, match="is there already"), replacing(target) as part:
        race(part)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]
    other = tmp_path / "u.csv"
    with replacing(other) as part:
        part.write_text("mine")
    assert other.read_text() == "mine"
