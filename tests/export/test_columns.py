"""What each table holds, and the page that says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fsm_arb.export.columns import TABLES, Kind, Table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_page_lists_every_column_as_it_is(table: Table) -> None:
    """In order, with kind and meaning; and what a row is, and which moment a stretch of time is asked of."""
    found = re.search(rf"^### {table.name}\n\n(.*?)\n\n(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert found.group(1) == f"{table.of} `--since` and `--until` are asked of `{table.moment}`."
    rows = found.group(2).splitlines()[2:]
    assert rows == [f"| `{each.name}` | {each.kind.value} | {each.meaning} |" for each in table.columns]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_names_no_column_twice_and_its_moment_is_one(table: Table) -> None:
    """A stretch of time is asked of a time that every row has."""
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert next(column.kind for column in table.columns if column.name == table.moment) is Kind.TIME


def test_the_page_says_how_each_kind_is_written() -> None:
    """No kind is left to be guessed."""
    section = PAGE.partition("### How values are written")[2].partition("###")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")][2:]
    assert rows == [*(kind.value for kind in Kind), "nothing"]
