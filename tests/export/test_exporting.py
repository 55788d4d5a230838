"""From a journal to a file."""

from __future__ import annotations

import builtins
import json
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from kept_journals import a_round, keep
from worlds import Walk

from fsm_arb.errors import InvalidInput, JournalCorrupt
from fsm_arb.export.columns import TABLES
from fsm_arb.export.exporting import BESIDE, TRACES, Format, export
from fsm_arb.export.moments import Window
from fsm_arb.journal.reader import JournalReader

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (Format.CSV, Format.JSONL)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JournalReader]:
    with JournalReader(a_round(tmp_path_factory.mktemp("kept") / "trades.db")) as reader:
        yield reader


@pytest.mark.parametrize("what", TABLES)
def test_all_formats_hold_the_same_rows(reader: JournalReader, tmp_path: Path, what: str) -> None:
    """As many, and cell by cell where both are text."""
    counts = [export(reader, what, form, tmp_path / form.value) for form in (*TEXT, Format.PARQUET)]
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    table = pq.read_table(tmp_path / "parquet")
    assert counts == [len(lines)] * 3
    for column in TABLES[what].columns:
        if column.kind.value in {"text", "decimal", "integer", "flag"}:
            assert table.column(column.name).to_pylist() == [line[column.name] for line in lines]


@pytest.mark.parametrize(
    ("what", "form"), [*(("fills", form) for form in (*TEXT, Format.PARQUET)), (TRACES, Format.OTLP_JSON)]
)
def test_the_same_journal_gives_the_same_file(reader: JournalReader, tmp_path: Path, what: str, form: Format) -> None:
    """To the byte."""
    for name in ("a", "b"):
        export(reader, what, form, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_window_is_heeded_by_tables_and_traces(reader: JournalReader, tmp_path: Path) -> None:
    """Nothing was begun before it."""
    assert export(reader, "trades", Format.CSV, tmp_path / "a", Window(1)) == 0
    assert export(reader, TRACES, Format.OTLP_JSON, tmp_path / "b", Window(1)) == 0


@pytest.mark.parametrize(
    ("what", "form", "said"),
    [
        ("dances", Format.CSV, "must be one of fills, orders, trades, positions, traces"),
        ("fills", Format.OTLP_JSON, "does not suit fills"),
        (TRACES, Format.CSV, "does not suit traces"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    reader: JournalReader, tmp_path: Path, what: str, form: Format, said: str
) -> None:
    """Before anything is written."""
    with pytest.raises(InvalidInput, match=said):
        export(reader, what, form, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["", *BESIDE])
def test_a_journal_is_never_written_over(tmp_path: Path, suffix: str) -> None:
    """Not even by force, by another name, or as one of the files beside it."""
    path = keep(tmp_path / "trades.db", {"t1": Walk()})
    before = path.read_bytes()
    (tmp_path / "other").symlink_to(tmp_path)
    with JournalReader(path) as reader, pytest.raises(InvalidInput, match="is the journal itself"):
        export(reader, "fills", Format.CSV, tmp_path / "other" / f"trades.db{suffix}", force=True)
    assert path.read_bytes() == before


def test_an_altered_journal_ends_the_export_and_leaves_no_file(tmp_path: Path) -> None:
    """The record is named; half a file would be taken for a whole one."""
    import sqlite3

    path = keep(tmp_path / "trades.db", {"t1": Walk().fills(0).fills(1)})
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS records_never_change")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE records SET payload = replace(payload, '100', '101') WHERE seq = 7")
    connection.close()
    (tmp_path / "out").mkdir()
    for what, form in (("fills", Format.CSV), (TRACES, Format.OTLP_JSON)):
        with JournalReader(path) as reader, pytest.raises(JournalCorrupt, match="record 7"):
            export(reader, what, form, tmp_path / "out" / what)
    assert list((tmp_path / "out").iterdir()) == []


MISSING = {  # the library: what is asked for, the module of ours that needs it, the extra
    "pyarrow": ("fills", Format.PARQUET, "fsm_arb.export.parquet", "parquet"),
    "opentelemetry": (TRACES, Format.OTLP_JSON, "fsm_arb.export.otel", "otel"),
}


@pytest.mark.parametrize("library", MISSING)
def test_a_missing_library_names_the_extra(
    reader: JournalReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """Nothing is written; an error of our own is not taken for a missing library."""
    real = builtins.__import__
    what, form, module, extra = MISSING[library]

    def without(missing: str) -> Any:
        def load(name: str, *rest: Any, **options: Any) -> Any:
            if missing in {name, name.partition(".")[0]}:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return real(name, *rest, **options)

        return load

    for missing, error in ((library, InvalidInput), (module, ModuleNotFoundError)):
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setattr(builtins, "__import__", without(missing))
        with pytest.raises(error) as told:
            export(reader, what, form, tmp_path / "out")
        monkeypatch.setattr(builtins, "__import__", real)
        assert (f"pip install 'fsm_arb[{extra}]'" in str(told.value)) is (missing == library)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("what", "form"), [("fills", Format.CSV), (TRACES, Format.OTLP_JSON)])
def test_memory_does_not_grow_with_the_journal(tmp_path: Path, what: str, form: Format) -> None:
    """A journal five times as long takes hardly more at its peak."""
    peaks = []
    for count in (24, 120):
        walk = Walk(watch_after_done_s=0).fills(0).fills(1).end_watch()
        path = keep(tmp_path / f"{count}.db", {f"t{n:04d}": walk for n in range(count)})
        with JournalReader(path) as reader:
            export(reader, what, form, tmp_path / "warm", force=True)
            tracemalloc.start()
            export(reader, what, form, tmp_path / f"{count}.out")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 200_000
