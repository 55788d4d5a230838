"""A run as one page."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from pages import Page
from recorded_books import report, trade

from fsm_arb.backtest import page as room
from fsm_arb.backtest.page import outcome_rows, page, span, summary

D = Decimal


class Cells(HTMLParser):
    """Collects the cells of every row, and checks that what is opened is closed."""

    VOID = ("meta", "line", "rect", "polyline", "polygon", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        assert tag in self.VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data


def test_every_number_of_a_run_stands_on_its_page() -> None:
    """By outcome, what the strategy said, and trade by trade; well formed to the last tag."""
    lost = trade("b2", action="exit_sl", net=D(-3), gross=D(0), note='a "quote" & more')
    told = report(trade(), lost, marks=(0, 4))
    cells = Cells(page(told))
    assert cells.open == []
    rows = cells.rows
    assert ["entry", "success", "1", "10.00 KRW", "3.00 KRW", "7.00 KRW", "1.00 KRW", "0.00 s", "0 BTC"] in rows
    assert ["all", "", "2", "10.00 KRW", "6.00 KRW", "4.00 KRW", "2.00 KRW", "0.00 s", "0 BTC"] in rows
    assert ["spread", "3"] in rows
    assert rows[-1] == [
        "b2", "00:00:00", "exit_sl", "success", "0.5 BTC", "0.00", "3.00", "\N{MINUS SIGN}3.00", "1.00",
        "0.00 s", "PRECHECK DONE",
    ]  # fmt: skip
    text = page(told)
    assert 'class="lost">\N{MINUS SIGN}3.00' in text
    assert "a &quot;quote&quot; &amp; more" in text


def test_it_needs_nothing_from_anywhere() -> None:
    """No script, no sheet, no picture of others; light and dark."""
    text = page(report(trade(), marks=(0, 1)))
    assert not any(word in text for word in ("<script", "<link", "<img", "src=", "href=", "@import", "url("))
    assert text.count("prefers-color-scheme:dark") == 2
    assert "<svg" in text
    assert Page(text).problems == []


def test_a_run_without_prices_is_a_sound_page_too() -> None:
    """Its tables are empty, and named all the same."""
    told = Page(page(report()))
    assert told.problems == []
    assert len(told.captions) == 3


def test_the_sum_says_what_was_left_open() -> None:
    """And what is unknown."""
    told = report(trade(gross=None, net=None), marks=(0, 4), opened=5, closed=3)
    assert dict(summary(told)) | {"Positions left open": "2 of 5", "Worth at the end": "4.00 KRW"} == dict(
        summary(told)
    )
    assert list(outcome_rows(told))[-1][2][0] == "1 (1 unknown)"


def test_what_was_played_is_told() -> None:
    """From when to when, how often it was looked at, and the seed."""
    assert span(report(marks=(0, 4))) == "1970-01-01 00:00:00 to 1970-01-01 00:00:01 UTC, 3 looks, seed 7"
    assert span(report()) == "No price was seen; seed 7"


def test_a_page_is_not_a_journal(monkeypatch: Any) -> None:
    """Beyond so many trades it says where the others are."""
    monkeypatch.setattr(room, "TRADES_MAX", 2)
    text = page(report(*(trade(f"b{number}") for number in range(5))))
    assert "3 more are on the journal." in text
    assert "b2</td>" not in text
    assert "are on the journal" not in page(report(trade()))
