"""A journal's pages on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages import Page
from reports import blocked, every, hostile, journal, stuck, traded_back, well

from fsm_arb.errors import JournalError
from fsm_arb.report import writing as room
from fsm_arb.report.rows import file_of
from fsm_arb.report.writing import write_report, write_trade


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def numbers(page: Path) -> list[str]:
    """Return the ids that the script of an index reads."""
    told = page.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0]
    return [each[0] for each in json.loads(told)["rows"]]


def test_every_trade_of_a_small_journal_has_a_page(tmp_path: Path) -> None:
    """And the index leads to each of them; all of it is sound."""
    walks = every()
    seen: list[None] = []
    written = write_report(journal(tmp_path / "j.db", *walks), tmp_path / "out", advance=lambda: seen.append(None))
    assert (written.trades, written.pages, written.note, len(seen)) == (6, 6, "", 6)
    files = [f"trades/{file_of(walk.trade.trade_id)}" for walk in walks]
    assert names(tmp_path / "out") == sorted(["index.html", *files])
    index = Page(written.index.read_text(encoding="utf-8"))
    assert index.problems == []
    assert {given["href"] for given in index.attributes("a")} == set(files)
    assert index.headings[:2] == [
        (1, "6 trades of j.db"),
        (2, "3 trades are halted or naked: \N{MINUS SIGN}30 BTC in all"),
    ]
    assert numbers(written.index) == [walk.trade.trade_id for walk in walks]
    for file in files:
        page = Page((tmp_path / "out" / file).read_text(encoding="utf-8"))
        assert page.problems == []
        assert page.attributes("a")[0]["href"] == "../index.html"


def test_as_many_of_the_newest_as_asked_for_have_a_page(tmp_path: Path) -> None:
    """And what is halted or naked has one in any case."""
    path = journal(tmp_path / "j.db", stuck(), well("a"), well("b"), well("c"))
    written = write_report(path, tmp_path / "out", trades=2)
    assert written.note == "The newest 2 have a page of their own."
    assert names(tmp_path / "out") == ["index.html", "trades/b.html", "trades/c.html", "trades/t-stuck.html"]
    assert write_report(path, tmp_path / "none", trades=0).pages == 1
    assert write_report(path, tmp_path / "all", trades=9).note == ""


def test_of_very_many_those_have_a_page_that_did_not_simply_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index has all of them, and the plain pages too."""
    monkeypatch.setattr(room, "PAGES_MAX", 3)
    monkeypatch.setattr(room, "SHOWN", 2)
    monkeypatch.setattr(room, "PART_ROWS", 2)
    monkeypatch.setattr("fsm_arb.report.index_page.PART_ROWS", 2)
    walks = (well("a"), traded_back("b"), well("c"), blocked("d"), stuck("e"))
    written = write_report(journal(tmp_path / "j.db", *walks), tmp_path / "out")
    assert (written.trades, written.pages) == (5, 2)
    assert written.note == "The 2 that did not simply succeed have a page of their own; --trades N draws the newest N."
    lists = ["list-0001.html", "list-0002.html", "list-0003.html"]
    assert names(tmp_path / "out") == ["index.html", *lists, "trades/b.html", "trades/e.html"]
    assert numbers(written.index) == ["a", "b", "c", "d", "e"]
    rows = [Page((tmp_path / "out" / each).read_text(encoding="utf-8")).tables[0][1:] for each in lists]
    assert [[row[0] for row in part] for part in rows] == [["a", "b"], ["c", "d"], ["e"]]
    monkeypatch.setattr(room, "PAGES_MAX", 2)
    assert write_report(tmp_path / "j.db", tmp_path / "out").note.startswith("The 2 that last did not")


def test_memory_does_not_grow_with_the_journal(tmp_path: Path) -> None:
    """What is kept while trades pass by is bounded, whatever passes."""
    from reports import row

    seen = room._Seen(5)
    for number in range(20_000):
        seen.take(row(f"t{number}", state="HALTED"))
    kept = [value for name in ("newest", "last", "ill", "going_on") for value in getattr(seen, name)]
    assert len(kept) == room.SHOWN + 5 + room.PAGES_MAX + room.PRESSING_MAX
    assert (seen.unended, seen.outcomes.total()) == (20_000, 20_000)


def test_what_halted_is_named_but_not_by_the_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how many were looked at."""
    monkeypatch.setattr(room, "PRESSING_MAX", 1)
    written = write_report(journal(tmp_path / "j.db", stuck("a"), stuck("b")), tmp_path / "out")
    page = Page(written.index.read_text(encoding="utf-8"))
    assert "Looked at: the newest 1 of 2 trades that have not ended." in page.words


def test_a_report_can_be_drawn_again(tmp_path: Path) -> None:
    """Into the same folder, with what has come since; nothing half written stays."""
    path = journal(tmp_path / "j.db", well("a"))
    write_report(path, tmp_path / "out")
    before = (tmp_path / "out" / "index.html").read_bytes()
    write_report(path, tmp_path / "out")
    assert (tmp_path / "out" / "index.html").read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


def test_one_trade_alone_is_one_file(tmp_path: Path) -> None:
    """It has no index to lead back to; an unknown trade writes nothing."""
    path = journal(tmp_path / "j.db", well(), hostile())
    assert write_trade(path, "t-well", tmp_path / "deep" / "one.html")
    page = Page((tmp_path / "deep" / "one.html").read_text(encoding="utf-8"))
    assert (page.problems, page.attributes("a")) == ([], [])
    assert not write_trade(path, "nobody", tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_a_journal_that_was_altered_is_no_report(tmp_path: Path) -> None:
    """The error names the record; an index of what cannot be believed is not written."""
    import sqlite3

    path = journal(tmp_path / "j.db", well("a"), well("b"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET payload = replace(payload, '100', '101') WHERE seq = 1")
    connection.close()
    with pytest.raises(JournalError):
        write_report(path, tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_an_empty_journal_has_an_index(tmp_path: Path) -> None:
    """With nothing in it."""
    written: Any = write_report(journal(tmp_path / "j.db"), tmp_path / "out")
    assert (written.trades, written.pages, names(tmp_path / "out")) == (0, 0, ["index.html"])
