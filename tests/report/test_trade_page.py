"""One trade as one page."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Page
from reports import blocked, every, hostile, in_doubt, stuck, tale, traded_back, well
from worlds import Walk

from fsm_arb.audit.story import story_of
from fsm_arb.report.shell import asset
from fsm_arb.report.trade_page import MEANINGS, badge_of, naked_now, outcome_of, trade_page

MINUS = "\N{MINUS SIGN}"


def page_of(path: Path, walk: Walk, index: str = "") -> Page:
    return Page(trade_page(tale(path / "j.db", walk), index))


@pytest.mark.parametrize("number", range(6))
def test_every_page_is_sound(tmp_path: Path, number: int) -> None:
    """Well formed, alone, under its policy, and with all that a screen reader needs."""
    page = page_of(tmp_path, every()[number], "../index.html")
    assert page.problems == []
    assert page.inline["script"] == [asset("trade.js")]
    assert [text for level, text in page.headings if level == 2][-6:] == [
        "Both legs", "The way it took", "Through time", "Orders", "Decisions", "Records",
    ]  # fmt: skip


def test_the_head_says_how_it_ended_and_what_it_came_to(tmp_path: Path) -> None:
    """Outcome, money, time naked, the worst of it, and both legs."""
    page = page_of(tmp_path, traded_back())
    assert page.headings[0] == (1, "Trade t-back rolled back")
    assert "entry_positive: sell BTC/USD on alpha and buy BTC/USDT on beta" in page.words
    for name, value in (
        ("PnL", f"{MINUS}5.00 USD"), ("Matched", "0 BTC"), ("Left over", "0 BTC"), ("Time naked", "580 ms"),
        ("Most naked", "10 BTC"), ("Worth of most naked", "1,000.00 USD"), ("Orders", "3"), ("Took", "600 ms"),
    ):  # fmt: skip
        assert f"{name}{value}" in page.words
    assert MEANINGS["rolled_back"] in page.words
    assert page.tables[0][1][:4] == ["BTC/USD on alpha", "sell", "10 BTC", "0 BTC"]
    assert "What to do" not in page.words


def test_a_halt_says_first_what_is_naked_and_what_to_do(tmp_path: Path) -> None:
    """Before all else, with the calls and ids that it takes."""
    page = page_of(tmp_path, in_doubt())
    assert page.headings[:3] == [
        (1, "Trade t-doubt halted"),
        (2, "10 BTC is naked (short)."),
        (3, "What to do"),
    ]
    assert "Worth 1,000.00 USD; naked for 35.97 s in all. As of 1970-01-01 00:00:36 UTC, the last record." in page.words
    assert "Why it halted: in doubt for longer than 30 s." in page.words
    assert "executor.settle_order('t-doubt', 'c1', filled=..., reason=...)" in page.words
    assert "executor.resume('t-doubt')" in page.words
    assert f"Naked now{MINUS}10 BTC" in page.words


def test_a_halt_of_which_nothing_known_is_naked_says_so(tmp_path: Path) -> None:
    """Both in doubt: nothing is known to be naked, and much may be."""
    walk = Walk(name="t", doubt_max_s=1).at(0.1).doubt(0).doubt(1).at(6).at(8)
    page = page_of(tmp_path, walk)
    assert walk.state == "HALTED"
    assert page.headings[1] == (2, "Nothing that is known is naked, but something is in doubt.")
    assert "It could still become" in page.words


def test_what_runs_is_not_called_halted(tmp_path: Path) -> None:
    """One leg has filled and the other is on its way: naked, and nobody is called yet."""
    walk = Walk(name="t").at(0.1).fills(0)
    page = page_of(tmp_path, walk)
    assert page.headings[0] == (1, "Trade t still running")
    assert "Nothing: it is being worked on." in page.words
    assert "So far100 ms" in page.words
    story = story_of(tale(tmp_path / "b.db", walk))
    assert (outcome_of(story), naked_now(story)) == ("still running", "10 BTC is naked (short)")
    begun = page_of(tmp_path / "begun", Walk(name="t", begin=False))
    assert "It has not ended yet." in begun.words
    assert "PnLnone" in begun.words


def test_orders_show_their_ids_and_how_long_they_took(tmp_path: Path) -> None:
    """Ours, the venue's, the answer, and the way there and back as far as it was measured."""
    page = page_of(tmp_path, hostile("h"))
    orders = page.tables[page.captions.index("Every order, as it was intended")]
    assert orders[2][0] == "1"
    assert orders[2][2].startswith("refused (<b>code</b>: ")
    assert orders[2][7:9] == ["20 ms", "20 ms"]
    assert orders[1][9].startswith("c0")
    assert "No order was sent." in page_of(tmp_path / "blocked", blocked()).words


def test_no_word_of_a_venue_is_ever_read_as_html(tmp_path: Path) -> None:
    """Names, reasons, refusals, ids and payloads: all of them an attack, all of them shown."""
    page = page_of(tmp_path, hostile())
    assert page.problems == []
    assert page.headings[0][1].startswith("Trade <script>alert('naked')</script>")
    assert "</title></style></pre><script>alert('naked')</script>" in page.words
    assert '"><img src=x onerror=alert(1)><script>' in page.words
    assert not page.attributes("img")
    assert page.inline["script"] == [asset("trade.js")]
    assert "\u202e" not in page.source
    assert "\0" not in page.source


def test_the_page_says_where_it_was_drawn_from(tmp_path: Path) -> None:
    """The last record's hash, to compare with the journal's."""
    told = tale(tmp_path / "j.db", well())
    page = Page(trade_page(told))
    assert f"Drawn from records 1 to {len(told.lines)} of the journal." in page.words
    assert told.lines[-1].record.hash in page.words
    assert page.attributes("a") == []
    assert [given["href"] for given in Page(trade_page(told, "../index.html")).attributes("a")] == ["../index.html"]


def test_outcomes_look_different() -> None:
    """And each is a word as well."""
    looks = {each: badge_of(each) for each in (*MEANINGS, "still running")}
    assert (looks["success"], looks["rolled_back"], looks["halted"], looks["still running"]) == (
        "good", "warn", "bad", "plain",
    )  # fmt: skip


def test_what_a_venue_said_again_and_again_is_told_once(tmp_path: Path) -> None:
    """With how often, so that the legs still fit on a screen."""
    walk = Walk(name="t", remedy="unwind", attempts_max=3).at(0.1).fills(0).refuse(1)
    walk.at(1).look().refuse(2).at(9).look().refuse(3)
    page = page_of(tmp_path, walk)
    assert [line[-1] for line in page.tables[0][1:]] == [
        "filled: insufficient_funds: no",
        "failed: insufficient_funds: no (2 times)",
    ]


def test_a_slow_retry_in_vain_is_told(tmp_path: Path) -> None:
    """Its decision and its records stand at the end."""
    page = page_of(tmp_path, stuck())
    assert "+65 s" in page.words
    assert page.tables[-1][-1][2].startswith("stalled")
