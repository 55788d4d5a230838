"""The picture: every row is drawn, nothing covers anything else, what is off the path stands in a group."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from lamps import LAMP, TABLES

from fsm_arb.diagrams.ink import FAINT
from fsm_arb.diagrams.paths import Reach, aside, aside_name
from fsm_arb.diagrams.svg import svg
from fsm_arb.machines.order import ORDER_TABLE
from fsm_arb.machines.trade import TRADE_TABLE

if TYPE_CHECKING:
    from fsm_arb.machines.table import Table

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("table", [*TABLES, LAMP], ids=lambda table: table.name)
def test_the_image_shows_every_state_and_one_arrow_for_each_pair_of_states(table: Table) -> None:
    """Rows between the same two states share an arrow, and its label names each of them."""
    image = ET.fromstring(svg(table))  # noqa: S314 - our own words
    texts = ["".join(each.itertext()) for each in image.iter(f"{SVG}text")]
    assert [text for text in texts if text in table.states] == list(table.states)
    arrows = [each for each in image.iter(f"{SVG}path") if "marker-end" in each.attrib]
    assert len(arrows) == len({(row.source, row.dest) for row in table.rows}) + 1  # and where it starts
    assert sum(text.split(" ")[0] in table.triggers for text in texts) == len(table.rows)
    reasons = "\n".join(each.text or "" for each in image.iter(f"{SVG}title"))
    assert all(f"{row}: {row.why}" in reasons for row in table.rows)


def arrow_ends(table: Table) -> list[tuple[float, float, float, float]]:
    paths = [each for each in ET.fromstring(svg(table)).iter(f"{SVG}path") if "marker-end" in each.attrib]  # noqa: S314
    numbers = [[float(number) for number in re.findall(r"-?[\d.]+", each.attrib["d"])] for each in paths]
    return [(each[0], each[1], each[-2], each[-1]) for each in numbers]


def state_boxes(table: Table) -> dict[str, tuple[float, float]]:
    texts = ET.fromstring(svg(table)).iter(f"{SVG}text")  # noqa: S314
    centres = {each.text or "": (float(each.attrib["x"]), float(each.attrib["y"])) for each in texts}
    return {state: centres[state] for state in table.states}


@pytest.mark.parametrize("table", [*TABLES, LAMP], ids=lambda table: table.name)
def test_each_arrow_runs_from_its_source_to_its_destination(table: Table) -> None:
    """An arrow that was laid out upwards still points where its row leads."""
    boxes = state_boxes(table)
    pairs = list(dict.fromkeys((row.source, row.dest) for row in table.rows))
    for (source, dest), (x1, y1, x2, y2) in zip(pairs, arrow_ends(table)[1:], strict=True):
        for state, x, y in ((source, x1, y1), (dest, x2, y2)):
            assert abs(x - boxes[state][0]) <= 62, (source, dest)
            assert abs(y - boxes[state][1]) <= 28, (source, dest)


def test_the_happy_path_is_one_straight_column() -> None:
    """The eye finds first what should happen."""
    boxes = state_boxes(TRADE_TABLE)
    happy = ["PRECHECK", "SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"]
    across = [boxes[state][0] for state in happy]
    assert max(across) - min(across) <= 1
    assert sorted(happy, key=lambda state: boxes[state][1]) == happy


@pytest.mark.parametrize("table", [TRADE_TABLE, ORDER_TABLE], ids=lambda table: table.name)
def test_labels_do_not_cover_each_other(table: Table) -> None:
    """Each label has the room that its longest line needs."""
    placed: list[tuple[float, float, str]] = []
    for group in ET.fromstring(svg(table)).iter(f"{SVG}g"):  # noqa: S314
        for each in group.iter(f"{SVG}text"):
            x, y, text = float(each.attrib["x"]), float(each.attrib["y"]), each.text or ""
            covered = [
                other
                for left, top, other in placed
                if abs(top - y) < 10 and abs(left - x) < (len(text) + len(other)) * 6.2 / 2
            ]
            assert covered == [], text
            placed.append((x, y, text))
    assert len(placed) > len(table.rows)


@pytest.mark.parametrize("table", [TRADE_TABLE, ORDER_TABLE], ids=lambda table: table.name)
def test_what_is_off_the_path_stands_in_a_group_with_a_name_and_nothing_else_does(table: Table) -> None:
    """The eye tells the remedies from the way things should go."""
    image = ET.fromstring(svg(table))  # noqa: S314 - our own words
    (group,) = [each for each in image.iter(f"{SVG}rect") if "stroke-dasharray" in each.attrib]
    left, top, wide, high = (float(group.attrib[name]) for name in ("x", "y", "width", "height"))
    within = {
        state
        for state, (x, y) in state_boxes(table).items()
        if left + 59 <= x <= left + wide - 59 and top + 20 <= y <= top + high - 20
    }
    assert within == set(aside(table))
    assert aside_name(table) in [each.text for each in image.iter(f"{SVG}text")]


def test_what_no_run_has_reached_is_faint() -> None:
    """An arrow is dashed where none of its rows was taken; of a shared arrow only the label's lines are faint."""
    monitoring = [row for row in TRADE_TABLE.rows if (row.source, row.dest) == ("MONITORING", "PARTIAL")]
    abort = next(row for row in TRADE_TABLE.rows if row.trigger == "unwind")
    image = ET.fromstring(svg(TRADE_TABLE, Reach(whose="here", within="", cut=(abort, monitoring[0]))))  # noqa: S314
    dashed = [each for each in image.iter(f"{SVG}path") if "stroke-dasharray" in each.attrib]
    assert [each.attrib["marker-end"] for each in dashed] == ["url(#faint)"]
    faint = [each.text for each in image.iter(f"{SVG}text") if each.attrib.get("fill") == FAINT.ink]
    assert faint == ["settled", "[unmatched]", "unwind", "[unmatched and to_unwind]"]
    assert next(image.iter(f"{SVG}title")).text == "The trade machine, here"


def test_reach_moves_nothing() -> None:
    """Two policies can be laid side by side: what is faint in one stands where it stands in the other."""
    reach = Reach(whose="here", within="", cut=TRADE_TABLE.rows)
    whole, faint = (re.findall(r' d="([^"]+)"', text) for text in (svg(TRADE_TABLE), svg(TRADE_TABLE, reach)))
    assert whole == faint
