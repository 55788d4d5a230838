"""Rows as Parquet. The only importer of pyarrow, which comes with the extra `parquet`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from fsm_arb.export.columns import Kind
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fsm_arb.export.columns import Column, Row, Table

ROWS_AT_A_TIME = 8192  # a row group; what is held in memory

_TYPES = {
    Kind.TEXT: pa.string(),
    # A decimal of a fixed scale would cut what does not fit; as text it is what it was.
    Kind.DECIMAL: pa.string(),
    Kind.TIME: pa.timestamp("ns", tz="UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.FLAG: pa.bool_(),
}


def schema_of(table: Table) -> Any:
    """Return a table's schema; each field carries its meaning."""
    fields = [
        pa.field(column.name, _TYPES[column.kind], metadata={"kind": column.kind.value, "meaning": column.meaning})
        for column in table.columns
    ]
    return pa.schema(fields, metadata={"fsm_arb.table": table.name})


def write_parquet(path: Path, table: Table, rows: Iterable[Row]) -> int:
    """Write rows as Parquet; return how many."""
    schema, rest, count = schema_of(table), iter(rows), 0
    with ParquetWriter(path, schema, compression="zstd") as writer:
        while chunk := list(itertools.islice(rest, ROWS_AT_A_TIME)):
            columns = [_array(column, chunk) for column in table.columns]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(chunk)
    return count


def _array(column: Column, rows: list[Row]) -> Any:
    values: Iterable[Any] = (row[column.name] for row in rows)
    if column.kind is Kind.DECIMAL:
        values = (value if value is None else plain(value) for value in values)
    return pa.array(list(values), type=_TYPES[column.kind])
