"""What was naked, as a plot and as a table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import Page
from reports import blocked, in_doubt, tale, traded_back, well

from fsm_arb.audit.story import Story, story_of
from fsm_arb.report.axis import Axis
from fsm_arb.report.exposure import data, plot
from fsm_arb.report.markup import Markup, tag
from fsm_arb.report.shell import shell
from fsm_arb.report.times import scale

MINUS = "\N{MINUS SIGN}"


def drawn(story: Story) -> Markup:
    return plot(story, Axis(scale([step.at_ns for step in story.steps]), story.began_ns))


def test_what_was_naked_is_drawn_for_as_long_as_it_was(tmp_path: Path) -> None:
    """Ten for a third of a second, six for a quarter, and nothing before or after."""
    story = story_of(tale(tmp_path / "j.db", traded_back()))
    picture = drawn(story)
    told = re.findall(r'class="naked"[^>]*><title>([^<]*)', picture)
    assert told == [f"{MINUS}10 BTC naked for 330 ms", f"{MINUS}6 BTC naked for 250 ms"]
    places = re.findall(r'class="naked" x="([\d.]+)%" width="([\d.]+)%"', picture)
    assert [float(x) for x, _ in places] == pytest.approx([3.33, 58.33], abs=0.01)
    assert [float(width) for _, width in places] == pytest.approx([55, 41.67], abs=0.01)
    heights = [float(each) for each in re.findall(r'class="naked"[^>]*height="([\d.]+)"', picture)]
    assert heights[1] / heights[0] == pytest.approx(0.6, abs=0.01)
    assert 'class="called" x="30.83%"' in picture
    assert f"at most {MINUS}10 BTC was naked, at +20 ms; dust is below 0.1" in picture


def test_dust_is_a_band_and_zero_a_line(tmp_path: Path) -> None:
    """So one sees what is below it."""
    picture = drawn(story_of(tale(tmp_path / "j.db", well())))
    assert picture.count('class="dust"') == picture.count('class="zero"') == 1
    assert '<line class="worst"' in picture


def test_what_goes_on_has_no_end(tmp_path: Path) -> None:
    """It is told since when, not for how long."""
    story = story_of(tale(tmp_path / "j.db", in_doubt()))
    axis = Axis(scale([*(step.at_ns for step in story.steps), 40 * 10**9]), story.began_ns)
    assert f"{MINUS}10 BTC naked since " in plot(story, axis)


def test_a_trade_that_was_never_sized_has_no_dust(tmp_path: Path) -> None:
    """Nor anything naked."""
    picture = drawn(story_of(tale(tmp_path / "j.db", blocked())))
    assert 'class="dust"' not in picture
    assert 'class="naked"' not in picture


def test_the_same_stands_in_a_table(tmp_path: Path) -> None:
    """A row for each record that changed it, and what that amounts to."""
    story = story_of(tale(tmp_path / "j.db", traded_back()))
    page = Page(shell("x", tag("header", tag("h1", "x")) + tag("main", data(story))))
    assert page.problems == []
    heads, *rows = page.tables[0]
    assert heads == ["record", "when", "naked, BTC", "at worst, BTC", "so it is"]
    assert [row[1:3] + row[4:] for row in rows] == [
        ["+0 s", "0", "even"],
        ["+0 s", "0", "even"],
        ["+20 ms", f"{MINUS}10", "naked"],
        ["+350 ms", f"{MINUS}6", "naked"],
        ["+600 ms", "0", "even"],
    ]
