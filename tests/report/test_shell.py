"""What every page shares."""

from __future__ import annotations

import re

import pytest
from pages import Page

from fsm_arb.report.markup import Markup, tag
from fsm_arb.report.shell import asset, foot, head, shell

BODY = tag("header", tag("h1", "x")) + tag("main", "y")


@pytest.mark.parametrize("script", ["", "trade.js", "index.js"])
def test_a_page_lets_nothing_in(script: str) -> None:
    """Its policy names its own sheet and script by their hashes, and forbids all else."""
    page = Page(shell("a & b", BODY, styles=("base.css", "trade.css"), script=script))
    assert page.problems == []
    assert page.inline["script"] == ([asset(script)] if script else [])
    assert "<title>a &amp; b</title>" in page.source


def test_a_picture_may_bring_its_own_sheet() -> None:
    """Where the page says so, and only that one."""
    body = BODY.replace("y", "<svg role='img' aria-label='z'><style>.a{}</style></svg>")
    assert Page(shell("a", Markup(body), beside=(".a{}",))).problems == []
    assert len(Page(shell("a", Markup(body))).problems) == 1


def test_it_can_be_written_piece_by_piece() -> None:
    """Its end fits its beginning."""
    assert head("a", script="trade.js") + BODY + foot("trade.js") == shell("a", BODY, script="trade.js")


@pytest.mark.parametrize("name", ["trade.js", "index.js"])
def test_no_script_reaches_outside_or_writes_html(name: str) -> None:
    """What it shows goes in as text, so that no word of a venue is ever read as HTML."""
    script = asset(name)
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "fetch", "XMLHttp", "import"):
        assert word not in script, word
    assert "</script" not in script


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG."""
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def themes() -> dict[str, dict[str, str]]:
    """Return the colours of both themes, by name."""
    light, dark = re.findall(r":root\{([^}]*)\}", asset("base.css"))[:2]
    return {name: dict(re.findall(r"--(\w+):#(\w+)", text)) for name, text in (("light", light), ("dark", dark))}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_word_can_be_read(theme: str) -> None:
    """At least 4.5 to one for words on whatever ground they stand, 3 to one for lines that mean something."""
    colours = themes()[theme]
    assert len(colours) >= 13
    words = {
        "ground": ("ink", "muted", "accent", "good", "bad", "warn"),
        "band": ("ink", "muted", "accent"),
        "soft": ("ink",),
        "badsoft": ("ink", "accent"),
        "accent": ("ground",),
        "bad": ("ground",),
    }
    low = {
        (ground, ink): round(contrast(colours[ground], colours[ink]), 2)
        for ground, inks in words.items()
        for ink in inks
        if contrast(colours[ground], colours[ink]) < 4.5
    }
    assert low == {}
    lines = {each: round(contrast(colours["ground"], colours[each]), 2) for each in ("strong", "accent", "bad", "warn")}
    assert {each: value for each, value in lines.items() if value < 3} == {}


def test_both_themes_name_the_same_colours() -> None:
    """None is left over from the other one."""
    light, dark = themes().values()
    assert light.keys() == dark.keys()
    used = set(re.findall(r"var\(--(\w+)\)", "".join(map(asset, ("base.css", "trade.css", "index.css")))))
    assert used <= light.keys()
