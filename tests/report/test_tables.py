"""Tables that say what they are."""

from __future__ import annotations

from decimal import Decimal

from pages import Page

from fsm_arb.report.markup import tag
from fsm_arb.report.shell import shell
from fsm_arb.report.tables import price, row, table

COLUMNS = ("<name", "amount")


def test_a_table_has_a_caption_heads_and_room_to_scroll() -> None:
    """A keyboard reaches it, and each row has a name."""
    made = table("What & how much", COLUMNS, [row(COLUMNS, ("<a>", "1"), id="one")], id="all")
    page = Page(shell("x", tag("header", tag("h1", "x")) + tag("main", made)))
    assert page.problems == []
    assert page.captions == ["What & how much"]
    assert page.tables == [[["name", "amount"], ["<a>", "1"]]]
    assert '<div class="wide" tabindex="0" role="group" aria-label="What &amp; how much"><table id="all">' in made
    assert '<th scope="col" class="t">name</th><th scope="col">amount</th>' in made
    assert '<tr id="one"><th scope="row" class="t">&lt;a&gt;</th><td>1</td></tr>' in made


def test_a_price_is_as_long_as_it_must_be() -> None:
    """Without trailing zeros, in thousands; nothing where it is not known."""
    assert price(Decimal("67737.13000000"), "USDT") == "67,737.13 USDT"
    assert price(Decimal(94836000)) == "94,836,000"
    assert price(Decimal("0.00001200")) == "0.000012"
    assert price(Decimal(100)) == "100"
    assert price(None, "USDT") == ""
