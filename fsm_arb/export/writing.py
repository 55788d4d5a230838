"""Rows as text: CSV and JSON lines. A file is there whole, or as it was."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from fsm_arb.errors import InvalidInput
from fsm_arb.export.columns import Kind
from fsm_arb.export.moments import iso
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.export.columns import Column, Row, Table, Value

# What a spreadsheet takes for the beginning of a formula, and the mark itself, so that it can be taken off again.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
MARK = "'"


def text_of(column: Column, value: Value) -> str:
    """Return a value as a cell of a CSV file.

    Text that a spreadsheet would run as a formula is marked with an apostrophe
    before it; columns of other kinds hold nothing but numbers, times and flags.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int):
        return iso(value) if column.kind is Kind.TIME else str(value)
    return MARK + value if value.startswith(FORMULA_STARTS) else value


def json_of(column: Column, value: Value) -> str | int | bool | None:
    """Return a value as JSON holds it: numbers that are not whole as text, times as text."""
    if isinstance(value, Decimal):
        return plain(value)
    return iso(value) if column.kind is Kind.TIME and isinstance(value, int) else value


def write_csv(path: Path, table: Table, rows: Iterable[Row]) -> int:
    """Write rows as CSV (RFC 4180, UTF-8, a head line); return how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in table.columns])
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last is what is told
            writer.writerow([text_of(column, row[column.name]) for column in table.columns])
    return count


def write_jsonl(path: Path, table: Table, rows: Iterable[Row]) -> int:
    """Write rows as one JSON object a line, UTF-8; return how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last is what is told
            cells = {column.name: json_of(column, row[column.name]) for column in table.columns}
            file.write(json.dumps(cells, ensure_ascii=False, separators=(",", ":")) + "\n")
    return count


# ------------------------------------------------------------------ files


@contextmanager
def replacing(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a path to write to, and put what was written in the place of *target* once it is whole.

    Args:
        target: Where the file is to be.
        force: Whether one that is there may be replaced.

    Raises:
        InvalidInput: There is such a file, and it may not be replaced.
        OSError: It cannot be written; *target* is as it was.
    """
    if not force and target.exists():
        raise _taken(target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        if force:
            part.replace(target)
        else:
            _put(part, target)
    finally:
        part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _put(part: Path, target: Path) -> None:
    """Give *part* the name *target*, which nobody may have taken meanwhile."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system without links
        if target.exists():
            raise _taken(target) from None
        part.replace(target)


def _taken(target: Path) -> InvalidInput:
    return InvalidInput("out", str(target), "is there already, and is replaced only by force")
