"""The list of all trades."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from attrs import evolve
from pages import Page
from reports import SCRIPT, row

from fsm_arb.report.index_page import Index, Pressing, index_page, part_name, part_page
from fsm_arb.report.shell import asset

D = Decimal


def index(**changes: Any) -> Index:
    given: dict[str, Any] = {
        "name": "trades.db",
        "outcomes": Counter({"success": 2, "rolled_back": 1}),
        "newest": [row("c"), row("b")],
        "pages": {"b": "trades/b.html"},
    }
    return Index(**(given | changes))


def pressing(**changes: Any) -> Pressing:
    given: dict[str, Any] = {
        "trade": "b",
        "outcome": "halted",
        "naked": "2 BTC is naked (short)",
        "why": "no remedy can be sent",
        "base": "BTC",
        "exposure": D(-2),
    }
    return Pressing(**(given | changes))


def page(told: Index, *names: str) -> Page:
    return Page("".join(index_page(told, map(row, names or ("a", "b", "c")))))


def data(read: Page) -> Any:
    """Return what the script reads."""
    return json.loads(read.source.partition('id="data">')[2].partition("</script>")[0])


def test_the_newest_stand_in_a_table_and_all_in_the_data() -> None:
    """The table needs no script; the script needs no other file."""
    read = page(index())
    assert read.problems == []
    assert read.inline["script"] == [asset("index.js")]
    assert read.headings == [(1, "3 trades of trades.db")]
    assert "1 rolled back, 2 success." in read.words
    assert read.captions == ["The newest 2 of 3 trades"]
    assert [line[0] for line in read.tables[0]] == ["trade", "c", "b"]
    told = data(read)
    assert [each[0] for each in told["rows"]] == ["a", "b", "c"]
    assert told["words"][told["rows"][0][1]] == "rolled_back"
    assert told["pages"] == {"b": "trades/b.html"}
    assert [given["href"] for given in read.attributes("a")] == ["trades/b.html"]


def test_what_a_script_serves_waits_for_it() -> None:
    """Without one there is no field and no button that does nothing."""
    read = page(index())
    assert all("hidden" in given for given in read.attributes("form"))
    assert [given for given in read.attributes("nav") if "hidden" in given]
    assert "aria-sort" not in read.source.partition("</style>")[2].partition("<script")[0]


def test_what_is_halted_stands_first() -> None:
    """Each with what is naked and why, and how much that is in all."""
    told = index(pressing=(pressing(), pressing(trade="z", base="ETH", exposure=D("0.5"), why="")))
    read = page(told)
    assert read.problems == []
    assert read.headings[1] == (2, "2 trades are halted or naked: \N{MINUS SIGN}2 BTC, 0.5 ETH in all")
    assert "b (halted): 2 BTC is naked (short). No remedy can be sent." in read.words
    assert page(index(pressing=(pressing(exposure=D(0)),))).headings[1] == (2, "1 trade is halted or naked")
    assert (
        "Looked at: the newest 1 of 500 trades that have not ended."
        in page(evolve(told, going_on=500, looked_at=1)).words
    )


def test_without_a_script_every_trade_is_on_a_page() -> None:
    """A thousand each, linked one to the next, and from the index."""
    parts = ("list-0001.html", "list-0002.html", "list-0003.html")
    told = index(parts=parts, outcomes=Counter({"success": 2500}), note="The newest 1 have a page of their own.")
    assert [given["href"] for given in page(told).attributes("a")][-3:] == list(parts)
    assert "The newest 1 have a page of their own." in page(told).words
    read = [Page(part_page(told, number, [row("a"), row("b")])) for number in range(3)]
    assert [each.problems for each in read] == [[], [], []]
    assert [[given["href"] for given in each.attributes("a")] for each in read] == [
        ["index.html", "list-0002.html", "trades/b.html"],
        ["index.html", "list-0001.html", "list-0003.html", "trades/b.html"],
        ["index.html", "list-0002.html", "trades/b.html"],
    ]
    assert read[2].captions == ["Trades 2,001 to 2,500 of 2,500, begun 1970-01-01 00:00:05 to 1970-01-01 00:00:05 UTC"]
    assert part_name(0, 2500) == "1 to 1,000"


def test_a_hostile_name_is_text_and_data() -> None:
    """In the table, in the links, and in what the script reads."""
    told = index(newest=[row(SCRIPT)], pages={SCRIPT: "trades/x.html"}, pressing=[pressing(trade=SCRIPT, why=SCRIPT)])
    read = page(told, SCRIPT)
    assert read.problems == []
    assert read.inline["script"] == [asset("index.js")]
    assert data(read)["rows"][0][0] == SCRIPT
    assert read.tables[0][1][0] == SCRIPT


def test_a_journal_without_trades_has_an_index() -> None:
    """It says that there is nothing."""
    read = page(index(outcomes=Counter(), newest=[], pages={}))
    assert read.headings == [(1, "0 trades of trades.db")]
    assert "None was begun." in read.words
