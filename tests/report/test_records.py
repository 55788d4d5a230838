"""The records of one trade."""

from __future__ import annotations

import json
from pathlib import Path

from pages import Page
from reports import hostile, tale, well
from worlds import Walk

from fsm_arb.audit.story import story_of
from fsm_arb.report import records as room
from fsm_arb.report.markup import tag
from fsm_arb.report.records import clock_of, readable, records
from fsm_arb.report.shell import shell


def shown(path: Path, walk: Walk) -> Page:
    told = tale(path / "j.db", walk)
    page = Page(shell("x", tag("header", tag("h1", "x")) + tag("main", records(told, story_of(told)))))
    assert page.problems == []
    return page


def test_every_record_is_there_with_its_payload_and_its_hash(tmp_path: Path) -> None:
    """In order, each with its kind, its words, and what was naked after it."""
    told = tale(tmp_path / "again.db", well())
    page = shown(tmp_path, well())
    rows = page.tables[0][1:]
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(told.lines) + 1)]
    kinds = [given["data-kind"] for given in page.attributes("tr") if "data-kind" in given]
    assert kinds == [line.entry.trigger for line in told.lines]
    for line in told.lines:
        assert line.record.hash in page.words
        assert json.dumps(json.loads(line.record.payload), indent=1, ensure_ascii=False) in page.words
    assert "PRECHECK → SIZING" in page.words
    assert page.attributes("pre")[0]["tabindex"] == "0"


def test_what_was_naked_stands_out(tmp_path: Path) -> None:
    """At each record after which more than dust was, and at no other."""
    walk = well()
    told = tale(tmp_path / "b.db", walk)
    page = shown(tmp_path, walk)
    marked = [given.get("class") for given in page.attributes("td")][2::4]
    story = story_of(told)
    assert marked == ["bad" if step.naked else None for step in story.steps]
    assert set(marked) == {"bad", None}


def test_what_filters_them_waits_for_its_script(tmp_path: Path) -> None:
    """Without one there is no field that does nothing; the kinds are those that are there."""
    page = shown(tmp_path, well())
    (form,) = page.attributes("form")
    assert "hidden" in form
    values = [given["value"] for given in page.attributes("option")]
    assert values[0] == ""
    assert values[1:] == sorted({line.entry.trigger for line in tale(tmp_path / "b.db", well()).lines})


def test_a_hostile_payload_is_text(tmp_path: Path) -> None:
    """It ends no element, and what is not fit to be shown is shown as such."""
    page = shown(tmp_path, hostile())
    assert "</title></style></pre><script>alert('naked')</script>" in page.words
    assert "\u202e" not in page.source
    assert page.source.count("<script>") == 0


def test_of_very_many_the_first_and_the_last_are_shown(tmp_path: Path) -> None:
    """And it says how many are not."""
    before, room.SHOWN_MAX = room.SHOWN_MAX, 4
    try:
        page = shown(tmp_path, well())
    finally:
        room.SHOWN_MAX = before
    count = len(tale(tmp_path / "b.db", well()).lines)
    assert [row[0] for row in page.tables[0][1:]] == ["1", "2", str(count - 1), str(count)]
    assert f"{count - 4} in between are left out here" in page.words
    assert page.captions == [f"4 of {count} records"]


def test_what_is_no_json_is_shown_as_it_is() -> None:
    """A journal of another hand."""
    assert readable("{") == "{"
    assert readable('{"a":[1]}') == '{\n "a": [\n  1\n ]\n}'
    assert clock_of(1_700_000_000_123_456_789) == "22:13:20.123"
