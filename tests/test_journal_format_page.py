"""docs/journal-format.md says what the code does: tables, hashes, seal, mark, and every field."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import goldens
import pytest
import record_fields

from fsm_arb.codec import VERSION as CODEC_VERSION
from fsm_arb.executor.keeping import COUNTED, RISK
from fsm_arb.journal import JournalReader, SqliteJournal
from fsm_arb.journal.mark import SLOT_BYTES
from fsm_arb.journal.store import APPLICATION_ID, FORMAT
from fsm_arb.scribe import DUST, POSITION, TRADE
from fsm_arb.upcasts import VERSION

if TYPE_CHECKING:
    from pathlib import Path

PAGE = record_fields.PAGE.read_text(encoding="utf-8")
CLASSES = [*record_fields.facts().values(), *record_fields.parts()]


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found, language
    return str(found[0])


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of whole trades, closed."""
    name = goldens.names()[0]
    text = (goldens.FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return goldens.loaded(text, tmp_path_factory.mktemp("page") / "trades.db")


# ------------------------------------------------------------------ tables


def plain(sql: str) -> str:
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


async def test_the_tables_are_those_of_a_new_journal(tmp_path: Path) -> None:
    """Every table, index and view, column by column."""
    async with SqliteJournal(tmp_path / "trades.db", reserve_bytes=0):
        pass
    connection = sqlite3.connect(tmp_path / "trades.db")
    made = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
    keys = {key for (key,) in connection.execute("SELECT key FROM meta")}
    connection.close()
    told = [each.strip() for each in plain(block("sql")).split(";") if each.strip()]
    assert sorted(told) == sorted(map(plain, made))
    assert all(f"`{key}`, how" in PAGE for key in keys)


def test_the_numbers_that_name_the_file_are_told() -> None:
    """By them any program tells what it is."""
    assert f"`application_id` 0x{APPLICATION_ID:08X}" in PAGE
    assert f"`user_version` the format, {FORMAT}" in PAGE
    assert f"| payload {VERSION} |" in PAGE
    assert f"| format {FORMAT} |" in PAGE
    assert CODEC_VERSION == VERSION


def test_every_kind_of_stream_is_told() -> None:
    """And no other."""
    told = re.findall(r"^\| `(\w+/)<", PAGE, flags=re.MULTILINE)
    assert sorted(told) == sorted([TRADE, POSITION, RISK, COUNTED, DUST])


# ------------------------------------------------------------------ hashes


def verifier(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's own program: no package of ours, nothing but the standard library."""
    program = folder / "verify.py"
    program.write_text(block("python"), encoding="utf-8")
    # Our own interpreter with our own page's words.
    return subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-S", str(program), str(path)], capture_output=True, text=True, check=False
    )


def test_the_pages_program_verifies_a_journal_as_we_do(journal: Path, tmp_path: Path) -> None:
    """It is short, needs Python alone, and finds the hash that we find."""
    assert len([line for line in block("python").splitlines() if line]) <= 20
    assert {line.split()[1] for line in block("python").splitlines() if line.startswith("import")} <= (
        sys.stdlib_module_names
    )
    told = verifier(journal, tmp_path)
    with JournalReader(journal) as reader:
        assert (told.stdout.split(), told.stderr) == ([str(reader.verify()), reader.last()[1]], "")


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE records SET payload = payload || ' ' WHERE seq = 40", 40),
        ("UPDATE records SET at_ns = at_ns + 1 WHERE seq = 7", 7),
        ("UPDATE records SET stream_id = 2 WHERE seq = 3", 3),
        ("UPDATE streams SET name = 'trade/other' WHERE id = 1", 1),
        ("UPDATE records SET hash = zeroblob(32) WHERE seq = 1", 1),
        ("DELETE FROM records WHERE seq = 20", 20),
        ("DELETE FROM streams WHERE id = 1", 1),
    ],
)
def test_the_pages_program_names_the_first_record_that_is_wrong(
    journal: Path, tmp_path: Path, statement: str, seq: int
) -> None:
    """Altered, moved to another stream, renamed, or gone."""
    spoiled = shutil.copy(journal, tmp_path / "spoiled.db")
    connection = sqlite3.connect(spoiled)
    with connection:
        connection.execute(statement)
    connection.close()
    told = verifier(spoiled, tmp_path)
    assert (told.returncode, told.stderr) == (1, f"record {seq} is wrong\n")


def test_a_seal_is_what_the_page_says(journal: Path) -> None:
    """Reckoned from the page's words alone."""
    assert r"first 8 bytes of the SHA-256 of the UTF-8 text" in PAGE
    connection = sqlite3.connect(journal)
    rows = list(connection.execute("SELECT id, first_seq, live, name, seal FROM streams"))
    connection.close()
    assert rows
    for number, first, live, name, sealed in rows:
        assert hashlib.sha256(f"{number}\n{first}\n{live}\n{name}".encode()).digest()[:8] == sealed


async def test_a_mark_is_what_the_page_says(journal: Path, tmp_path: Path) -> None:
    """Two slots, the newest record in the one that counts, a checksum over the rest."""
    path = shutil.copy(journal, tmp_path / "trades.db")
    async with SqliteJournal(path, reserve_bytes=0):
        pass
    content = (tmp_path / "trades.db.mark").read_bytes()
    assert (len(content), SLOT_BYTES) == (1024, 512)
    with JournalReader(path) as reader:
        last = reader.last()
    form = re.escape(block("text").strip()).replace(re.escape("<hash, hex>"), "([0-9a-f]{64})")
    form = re.sub(r"<(seq|epoch)>", r"([0-9]+)", form).replace("<checksum>", "([0-9a-f]{16})")
    slots = [content[at : at + 512].decode("ascii") for at in (0, 512)]
    assert all(slot.endswith(" \n") for slot in slots)
    found: list[Any] = [re.fullmatch(form, slot.rstrip()) for slot in slots]
    assert [(int(each[1]), each[2]) for each in found] == [last, last]
    for slot, each in zip(slots, found, strict=True):
        before = slot.rstrip().rpartition(" ")[0]
        assert hashlib.sha256(before.encode()).hexdigest()[:16] == each[4]


# ------------------------------------------------------------------ fields


def test_the_list_of_fields_is_what_is_written_today() -> None:
    """Else renew it: `python tests/record_fields.py`."""
    assert record_fields.renewed(PAGE) == PAGE


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_has_a_meaning(kind: type) -> None:
    """A name alone is no explanation to somebody who has no source."""
    assert [each.name for each in attrs.fields(kind) if not record_fields.meaning(kind, each.name)] == []


def test_no_meaning_is_kept_of_a_field_that_is_gone() -> None:
    """What this page says of a field, it says of one that there is."""
    there = {f"{kind.__name__}.{each.name}" for kind in CLASSES for each in attrs.fields(kind)}
    assert sorted(set(record_fields.WORDS) - there) == []


def test_every_link_of_the_page_leads_somewhere() -> None:
    """To a heading of its own, or to a file that is there."""
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (record_fields.PAGE.parent / target).is_file(), target
