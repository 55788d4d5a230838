"""One trade through time."""

from __future__ import annotations

import re
from pathlib import Path

from pages import Page
from reports import blocked, in_doubt, stuck, tale, traded_back, well
from worlds import Walk

from fsm_arb.audit.story import story_of
from fsm_arb.report import timeline as room
from fsm_arb.report.markup import Markup, tag
from fsm_arb.report.shell import shell
from fsm_arb.report.timeline import timeline


def figure(path: Path, walk: Walk) -> Markup:
    told = tale(path / "j.db", walk)
    return timeline(told, story_of(told))


def described(picture: str) -> list[str]:
    """Return what a screen reader is told of each row."""
    return re.findall(r'<svg class="lane"[^>]*aria-label="([^"]*)"', picture)


def test_every_row_is_told_in_words(tmp_path: Path) -> None:
    """The axis, the states, the decisions, each order from its intent to its end, and what was naked."""
    told = described(figure(tmp_path, traded_back()))
    assert told[0] == "The axis: 600 ms from the first record to the last"
    assert "PARTIAL from +90 ms for 210 ms; ROLLBACK from +300 ms for 300 ms; DONE from +600 ms on" in told[1]
    assert told[2].startswith("What it decided. 1: first, a first order is owed, at +0 s")
    assert "unwind" in told[2]
    assert told[3] == (
        "Order 0: sell on alpha, first, 10 BTC. being sent +0 s to +20 ms; 10 filled by +20 ms;"
        " filled whole, 10 of 10 at 100"
    )
    assert told[4].endswith("being sent +0 s to +90 ms; refused")
    assert told[5] == (
        "Order 2: buy on alpha, unwind, 10 BTC. being sent +300 ms to +350 ms; open +350 ms to +600 ms;"
        " 4 filled by +350 ms; 10 filled by +600 ms; filled whole, 10 of 10 at 100.5"
    )
    assert told[6].startswith("What was naked.")


def test_the_rows_stand_on_one_axis(tmp_path: Path) -> None:
    """The fill of an order stands where what was naked changed."""
    picture = figure(tmp_path, traded_back())
    fill = re.findall(r'class="fill" cx="([\d.]+%)"', picture)
    drops = re.findall(r'class="course" x1="([\d.]+%)" x2="\1"', picture)
    assert set(fill) <= set(drops)
    assert len(fill) == 3


def test_a_doubt_is_hatched_and_not_only_coloured(tmp_path: Path) -> None:
    """From the moment that it was one, and as far as it goes."""
    picture = figure(tmp_path, in_doubt())
    assert picture.count('class="bar doubt"') == 2  # it, and its sample in the legend
    assert "in doubt for " in picture
    assert 'id="hatch"' in picture
    assert "HALTED from +36 s on" in described(picture)[1]


def test_a_cancel_is_a_cross(tmp_path: Path) -> None:
    """Where it was decided."""
    walk = Walk(name="t").ack(0).ack(1).at(5).answer_cancel(0).at(5.2).see(0, ended=True).see(1, ended=True)
    picture = figure(tmp_path, walk)
    assert picture.count("asked to go at +5 s") == 2
    assert picture.count('class="bar leaving"') == 3


def test_filled_is_as_high_as_it_is_filled(tmp_path: Path) -> None:
    """Four of ten stand four tenths high while it is open."""
    picture = figure(tmp_path, well())
    heights = [float(each) for each in re.findall(r'class="filled"[^>]*height="([\d.]+)"', picture)]
    assert heights == [round((room.BAR_HEIGHT - 4) * 0.4, 1)]


def test_what_nobody_would_see_is_said(tmp_path: Path, monkeypatch: object) -> None:
    """Orders that are not drawn, and time that is not to scale."""
    assert "drawn shorter" in figure(tmp_path, stuck())
    told = tale(tmp_path / "again.db", traded_back())
    before, room.LANES_MAX = room.LANES_MAX, 2
    try:
        picture = timeline(told, story_of(told))
    finally:
        room.LANES_MAX = before
    assert "1 orders in between are not drawn" in picture
    assert [each[:7] for each in described(picture) if each.startswith("Order")] == ["Order 0", "Order 2"]


def test_a_trade_without_an_order_has_a_time_too(tmp_path: Path) -> None:
    """It was blocked: no order, no decision, nothing naked; the page is sound."""
    picture = figure(tmp_path, blocked())
    assert "Order 0" not in picture
    page = Page(shell("x", tag("header", tag("h1", "x")) + tag("main", picture), styles=("base.css", "trade.css")))
    assert page.problems == []
