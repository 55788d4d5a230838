"""Rows as Parquet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from fsm_arb.export import parquet
from fsm_arb.export.columns import TABLES, Column, Kind, Table
from fsm_arb.export.parquet import schema_of, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from fsm_arb.export.columns import Row

D = Decimal
TABLE = Table("things", "A thing.", "time", tuple(Column(kind.value, kind, f"A {kind.value}.") for kind in Kind))
AT = 1_767_323_045_123_456_789


def row(number: int) -> Row:
    return {"text": f"=t{number}", "decimal": D(number) / 8, "time": AT + number, "integer": number, "flag": True}


NOTHING: Row = dict.fromkeys(("text", "decimal", "time", "integer", "flag"))


def test_every_kind_is_read_back(tmp_path: Path) -> None:
    """Text unmarked, decimals as their digits, times to the nanosecond, nothing as null."""
    path = tmp_path / "t.parquet"
    assert write_parquet(path, TABLE, [row(-3), NOTHING]) == 2
    found = pq.read_table(path)
    assert found.column("text").to_pylist() == ["=t-3", None]
    assert found.column("decimal").to_pylist() == ["-0.375", None]
    assert found.column("time").cast(pa.int64()).to_pylist() == [AT - 3, None]
    assert found.column("time").type == pa.timestamp("ns", tz="UTC")
    assert found.column("integer").to_pylist() == [-3, None]
    assert found.column("flag").to_pylist() == [True, None]


def test_rows_are_held_and_written_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the last row is asked for, the first ones are on disk."""
    monkeypatch.setattr(parquet, "ROWS_AT_A_TIME", 4)
    path, sizes = tmp_path / "t.parquet", []

    def rows() -> object:
        for number in range(10):
            sizes.append(path.stat().st_size)
            yield row(number)

    assert write_parquet(path, TABLE, rows()) == 10  # type: ignore[arg-type]
    assert sizes[0] < sizes[4] < sizes[8]
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [4, 4, 2]
    assert file.read().column("integer").to_pylist() == list(range(10))


def test_a_file_of_no_rows_has_its_columns(tmp_path: Path) -> None:
    """Who reads it finds them all."""
    path = tmp_path / "t.parquet"
    assert write_parquet(path, TABLE, []) == 0
    assert pq.read_schema(path).names == [kind.value for kind in Kind]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_each_field_carries_its_meaning(table: Table) -> None:
    """So that a file explains itself."""
    schema = schema_of(table)
    assert schema.metadata == {b"fsm_arb.table": table.name.encode()}
    for column in table.columns:
        told = schema.field(column.name).metadata
        assert told == {b"kind": column.kind.value.encode(), b"meaning": column.meaning.encode()}
