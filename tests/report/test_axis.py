"""A row of a timeline."""

from __future__ import annotations

from pages import Page

from fsm_arb.report.axis import Axis, picture
from fsm_arb.report.markup import tag
from fsm_arb.report.shell import shell
from fsm_arb.report.times import Scale

AXIS = Axis(Scale(((100, 0.0), (200, 0.5), (10_100, 1.0)), ((200, 10_100),)), 100)


def test_places_are_percentages() -> None:
    """So a narrow window makes a row narrower and leaves its words at their size."""
    assert [AXIS.x(at) for at in (0, 100, 150, 200, 10_100)] == ["0.00%", "0.00%", "25.00%", "50.00%", "100.00%"]
    assert AXIS.wide(100, 150) == "25.00%"
    assert AXIS.wide(200, 150) == "0.00%"  # a clock that was set back
    assert AXIS.when(10_100) == "+0.01 ms"


def test_a_break_is_shaded_behind_every_row() -> None:
    """Where time is not to scale."""
    ground = AXIS.ground(20)
    assert '<rect class="break" x="50.00%" width="50.00%" y="0" height="20"/>' in ground


def test_a_picture_says_in_words_what_it_shows() -> None:
    """A name and a description, for whoever does not see it."""
    made = picture(30, "A <name>", "what it shows", tag("line", x1=0))
    assert 'aria-label="A &lt;name&gt;. what it shows"' in made
    assert "<title>A &lt;name&gt;</title><desc>what it shows</desc>" in made
    bare = picture(30, "A name", "")
    assert "<desc>" not in bare
    page = shell("x", tag("header", tag("h1", "x")) + tag("main", made, bare))
    assert Page(page).problems == []
