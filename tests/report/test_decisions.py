"""What a trade decided, with what it compared."""

from __future__ import annotations

from pathlib import Path

from pages import Page
from reports import blocked, stuck, tale, traded_back
from worlds import Walk

from fsm_arb.audit.story import story_of
from fsm_arb.report import decisions as room
from fsm_arb.report.decisions import decisions
from fsm_arb.report.markup import tag
from fsm_arb.report.shell import shell

MINUS = "\N{MINUS SIGN}"


def shown(path: Path, walk: Walk) -> Page:
    told = decisions(story_of(tale(path / "j.db", walk)))
    page = Page(shell("x", tag("header", tag("h1", "x")) + tag("main", told)))
    assert page.problems == []
    return page


def test_each_decision_shows_both_remedies_and_which_was_chosen(tmp_path: Path) -> None:
    """With the books it looked at, the limit, and what each would have cost."""
    page = shown(tmp_path, traded_back())
    assert f"It saw {MINUS}10 BTC naked, at worst {MINUS}10 BTC" in page.words
    heads, complete, unwind = page.tables[0]
    assert heads == ["remedy", "order", "touch", "average for all", "limit", "cost", "so"]
    assert complete[:3] == ["complete", "buy 10 BTC on beta", "100.01"]
    assert complete[-1] == "possible"
    assert unwind[:4] == ["unwind", "buy 10 BTC on alpha", "100.5", "100.5"]
    assert unwind[-1] == "chosen"
    assert unwind[5].endswith(" USD")


def test_what_could_not_be_sent_says_why(tmp_path: Path) -> None:
    """The reason stands beside the remedy, and how often was tried before."""
    page = shown(tmp_path, stuck())
    cells = [cell for table in page.tables for line in table for cell in line]
    assert "not possible: 130.00 is past the most it may lose, 103.00" in cells
    assert "not possible: beta gives no answer" in cells
    assert "after 1 attempt." in page.words


def test_no_decision_is_said(tmp_path: Path) -> None:
    """A trade that was blocked came to none."""
    assert "It came to no decision of its own." in shown(tmp_path, blocked()).words


def test_of_very_many_the_first_and_the_last_are_shown(tmp_path: Path) -> None:
    """Each keeps its number."""
    before, room.SHOWN_MAX = room.SHOWN_MAX, 2
    try:
        page = shown(tmp_path, stuck())
    finally:
        room.SHOWN_MAX = before
    assert "2 in between are left out here" in page.words
    assert [given["value"] for given in page.attributes("li")] == ["1", "4"]
