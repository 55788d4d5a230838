"""A run as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal

from recorded_books import report, trade

from fsm_arb.audit.summary import Naked
from fsm_arb.backtest.curve import Mark
from fsm_arb.backtest.plot import POINTS_MAX, plot, reduced

D = Decimal
SECOND = 1_000_000_000
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own


def points(svg: ET.Element) -> list[tuple[float, float]]:
    (line,) = svg.iter(f"{SVG}polyline")
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.attrib["points"].split())]


def test_the_line_goes_as_the_worth_went() -> None:
    """Later is further right, more is higher, and all of it within the frame."""
    svg = drawn(plot(report(marks=(0, 10, -30, 5))))
    found = points(svg)
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    heights = [y for _, y in found]
    assert heights[1] < heights[3] < heights[0] < heights[2]
    assert all(0 <= x <= 960 and 0 <= y <= 464 for x, y in found)
    texts = [text.text or "" for text in svg.iter(f"{SVG}text")]
    assert "Made or lost, KRW" in texts
    assert {"0", "\N{MINUS SIGN}30"} <= set(texts)
    assert "Naked, BTC (never beyond dust)" in texts


def test_trades_stand_on_the_line_with_what_they_came_to() -> None:
    """A circle for an entry, a square for an exit; red what came to no hedge."""
    well, out = (
        trade(ended_ns=2 * SECOND),
        trade("b2", action="exit_tp", status="rolled_back", net=D(-3), ended_ns=None),
    )
    svg = drawn(plot(report(well, out, marks=(0, 10, -30, 5))))
    circles = list(svg.iter(f"{SVG}circle"))
    squares = [each for each in svg.iter(f"{SVG}rect") if "mark" in each.attrib.get("class", "")]
    assert [each.attrib["class"] for each in circles] == ["mark well"]
    assert [each.attrib["class"] for each in squares] == ["mark ill"]
    assert (float(circles[0].attrib["cx"]), float(circles[0].attrib["cy"])) == points(svg)[2]
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert titles[1] == "b1: entry_positive, success, 0.5 BTC, net 7.00 KRW, 00:00:02"
    assert titles[0] == "b2: exit_tp, rolled_back, 0.5 BTC, net \N{MINUS SIGN}3.00 KRW, 00:00:00"


def test_a_naked_leg_is_a_bar_as_long_as_it_lasted() -> None:
    """Long above the line, short below it, the worst of them as high as the strip."""
    pieces = (
        Naked(from_ns=0, to_ns=SECOND, exposure=D("0.2")),
        Naked(from_ns=SECOND, to_ns=3 * SECOND, exposure=D("-0.1")),
    )
    svg = drawn(plot(report(trade(naked=pieces), marks=(0, 0, 0, 0))))
    bars = [each.attrib for each in svg.iter(f"{SVG}rect") if each.attrib.get("class") == "naked"]
    assert [float(bar["height"]) for bar in bars] == [23, 11.5]
    assert abs(float(bars[1]["width"]) / float(bars[0]["width"]) - 2) < 0.01
    assert float(bars[0]["y"]) + 23 == float(bars[1]["y"])
    assert "Naked, BTC (at most 0.2 BTC)" in [text.text for text in svg.iter(f"{SVG}text")]


def test_a_run_without_a_price_is_drawn_as_such() -> None:
    """No line, no axis, one sentence."""
    svg = drawn(plot(report()))
    assert [text.text for text in svg.iter(f"{SVG}text")] == ["No price was seen."]


def test_small_amounts_keep_their_digits() -> None:
    """An axis of zeros would say nothing."""
    marks = (Mark(0, D(0), D(0)), Mark(SECOND, D("0.05"), D(0)))
    told = report()
    texts = [text.text for text in drawn(plot(type(told)(**{
        name: getattr(told, name) for name in ("legs", "seed", "trades", "opened", "closed", "why", "digest")
    } | {"marks": marks}))).iter(f"{SVG}text")]  # fmt: skip
    assert "0.05" in texts


def test_no_spike_is_lost_where_there_are_more_moments_than_columns() -> None:
    """The lowest and the highest of each stretch are kept, and both ends."""
    marks = [Mark(at, D(at % 7), D(0)) for at in range(50_000)]
    marks[31_234] = Mark(31_234, D(999), D(0))
    marks[41_235] = Mark(41_235, D(-999), D(0))
    kept = reduced(marks)
    assert len(kept) <= POINTS_MAX + 2
    assert {999, -999} <= {mark.worth for mark in kept}
    assert (kept[0], kept[-1]) == (marks[0], marks[-1])
    assert [mark.at_ns for mark in kept] == sorted({mark.at_ns for mark in kept})
    assert reduced(marks[:100]) == marks[:100]


def test_it_draws_itself_for_light_and_for_dark_and_fetches_nothing() -> None:
    """One file, no script, no address but the name of its own format."""
    text = plot(report(trade(), marks=(0, 1)))
    assert "prefers-color-scheme:dark" in text
    assert "<script" not in text
    assert text.count("http") == 1
