"""From a journal to a file."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from fsm_arb.errors import InvalidInput
from fsm_arb.export.columns import TABLES
from fsm_arb.export.moments import ALWAYS
from fsm_arb.export.tables import rows_of
from fsm_arb.export.writing import replacing, write_csv, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from fsm_arb.export.columns import Row, Table
    from fsm_arb.export.moments import Window
    from fsm_arb.journal.reader import JournalReader

    Write = Callable[[Path, Table, Iterable[Row]], int]

TRACES = "traces"
BESIDE = (".mark", ".lock", ".reserve", "-wal", "-shm")  # files of the journal's own


class Format(enum.Enum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    OTLP_JSON = "otlp-json"  # traces only: OpenTelemetry's JSON, a request a line


def export(
    reader: JournalReader,
    what: str,
    form: Format,
    out: Path,
    window: Window = ALWAYS,
    *,
    force: bool = False,
) -> int:
    """Write a table, or traces, of a journal to a file; return how many rows, or spans.

    The file is whole or not there, the same journal gives the same file, and
    memory does not grow with the journal.

    Args:
        reader: The journal, open.
        what: A name of `fsm_arb.export.columns.TABLES`, or ``traces``.
        form: How it is written.
        out: The file.
        window: Only what lies in it, by `fsm_arb.export.columns.Table.moment`; traces by the trade's begin.
        force: Whether a file that is there may be replaced.

    Raises:
        InvalidInput: There is no such table, the format does not suit it or needs an extra, or the file may not
            be written to.
        JournalError: The journal cannot be read, or was altered.
        MachineError: Its records contradict the table of the machine.
        OSError: The file cannot be written.
    """
    if what != TRACES and what not in TABLES:
        raise InvalidInput("what", what, f"must be one of {', '.join([*TABLES, TRACES])}")
    if (what == TRACES) is not (form is Format.OTLP_JSON):
        raise InvalidInput("format", form.value, f"does not suit {what}: traces are otlp-json, tables are not")
    _check_apart(reader.path, out)
    write = None if what == TRACES else _writer(form)
    traces = _traces() if write is None else None
    with replacing(out, force=force) as part:
        if traces is not None:
            return traces(reader, part, window)
        assert write is not None  # noqa: S101 - one of the two is there
        return write(part, TABLES[what], rows_of(reader, TABLES[what], window))


def _writer(form: Format) -> Write:
    if form is Format.PARQUET:
        try:
            from fsm_arb.export.parquet import write_parquet
        except ModuleNotFoundError as error:
            raise _missing(error, form, "parquet") from error
        return write_parquet
    return write_csv if form is Format.CSV else write_jsonl


def _traces() -> Callable[[JournalReader, Path, Window], int]:
    try:
        from fsm_arb.export.otel import write_traces
    except ModuleNotFoundError as error:
        raise _missing(error, Format.OTLP_JSON, "otel") from error
    return write_traces


def _missing(error: ModuleNotFoundError, form: Format, extra: str) -> Exception:
    if (error.name or "").partition(".")[0] == "fsm_arb":
        return error
    words = f"needs {error.name}, which comes with an extra: pip install 'fsm_arb[{extra}]'"
    return InvalidInput("format", form.value, words)


def _check_apart(journal: Path, out: Path) -> None:
    """Refuse to write over the journal or what stands beside it, whatever force is used.

    Raises:
        InvalidInput: The file is one of these.
    """
    whole = journal.resolve()
    if out.resolve() in {whole, *(whole.with_name(whole.name + suffix) for suffix in BESIDE)}:
        raise InvalidInput("out", str(out), f"is the journal itself, or belongs to it: {journal}")
