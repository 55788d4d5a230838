"""Journals that earlier code has written: they open, verify and say the same for ever."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import attrs
import goldens
import pytest

from fsm_arb import codec
from fsm_arb.codec import dumps, loads
from fsm_arb.journal import JournalReader, SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = goldens.names()


@pytest.fixture(params=NAMES)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """One of the journals, as a file of its own."""
    text = (goldens.FOLDER / f"{request.param}.sql").read_text(encoding="utf-8")
    return request.param, goldens.loaded(text, tmp_path / "trades.db")


def payloads(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        return [record.payload for record in reader.records()]


def test_there_are_journals_of_the_first_version() -> None:
    """Without one, nothing below would be tested."""
    assert [name for name in NAMES if name.startswith("v1-")]


def test_no_journal_that_is_kept_was_edited() -> None:
    """Each is as it was on the day it was made; what is new is a journal more."""
    lines = (goldens.FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    noted = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert len(noted) == len(lines)
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in goldens.FOLDER.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert there == noted


def test_it_verifies_and_says_what_it_said(golden: tuple[str, Path]) -> None:
    """Every trade and position, folded today, stands as on the day the journal was made."""
    name, path = golden
    told = json.loads((goldens.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert goldens.results(path) == told


def test_nothing_it_says_is_lost_in_reading(golden: tuple[str, Path]) -> None:
    """Each field of each record, written again, has the value it had: none is passed over."""
    _, path = golden
    for text in payloads(path):
        assert within(json.loads(text)["body"], json.loads(dumps(loads(text)))["body"]), text


def within(old: Any, new: Any) -> bool:
    """Whether all of *old* is in *new*, which may hold more fields."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and within(value, new[name]) for name, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(within, old, new))
    return bool(old == new and type(old) is type(new))


async def test_it_is_driven_on(golden: tuple[str, Path]) -> None:
    """A bot of today takes it up, and its chain goes on."""
    _, path = golden
    before = len(payloads(path))
    async with SqliteJournal(path, reserve_bytes=0) as journal:
        stream = next(iter(journal.streams("trade/", live=True)))
        records = list(journal.read(stream))
        last = records[-1]
        draft = goldens.Draft(
            at_ns=last.at_ns,
            trigger="restarted",
            state_before=last.state_after,
            state_after=last.state_after,
            payload='{"v":1,"fact":"restarted","body":{"now":1}}',
        )
        await journal.append([goldens.Batch(stream=stream, expected_seq=len(records), drafts=(draft,), live=True)])
    with JournalReader(path) as reader:
        assert reader.verify() == before + 1


# ------------------------------------------------------------------ what they cover


def known() -> set[tuple[str, str]]:
    """Return every field of every class that a fact of today may hold."""
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(codec._NAMES)
    while waiting:
        kind = waiting.pop()
        if attrs.has(kind) and not any(name == kind.__name__ for name, _ in found):
            hints = get_type_hints(kind)
            found |= {(kind.__name__, each.name) for each in attrs.fields(kind)}
            waiting += [hints[each.name] for each in attrs.fields(kind)]
        waiting += get_args(kind)
    return found


def held(value: Any, body: Any) -> Iterator[tuple[str, str]]:
    """Yield every field of every class in *value* that its text *body* spells out."""
    if attrs.has(type(value)):
        for each in attrs.fields(type(value)):
            if each.name in body:
                yield type(value).__name__, each.name
                yield from held(getattr(value, each.name), body[each.name])
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from held(each, body[name])
    elif isinstance(value, tuple):
        for each, text in zip(value, body, strict=True):
            yield from held(each, text)


def test_every_field_that_is_written_today_stands_in_one_of_them(tmp_path: Path) -> None:
    """A fact or a field that came since calls for a journal more: `python tests/goldens.py NAME`."""
    found: set[tuple[str, str]] = set()
    for name in NAMES:
        text = (goldens.FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        for payload in payloads(goldens.loaded(text, tmp_path / f"{name}.db")):
            found |= set(held(loads(payload), json.loads(payload)["body"]))
    assert sorted(known() - found) == []
