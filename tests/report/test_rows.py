"""What an index tells of one trade."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from reports import summary

from fsm_arb.report.rows import COLUMNS, NOTE_MAX, Row, file_of, inert, look_of

D = Decimal
SECOND = 1_000_000_000
MINUS = "\N{MINUS SIGN}"


def cells(row: Row, page: str | None = None) -> list[str]:
    import re

    return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row.html(page))


def test_a_row_says_what_a_trade_came_to() -> None:
    """Outcome and why, money, time and worst exposure, when, how long, and which way."""
    assert cells(Row.of(summary()), "trades/t1.html") == [
        '<a href="trades/t1.html">t1</a>',
        '<span class="outcome warn">rolled back</span><span class="why">beta: no</span>',
        f"{MINUS}3.00 USD",
        "2 s",
        "0.5 BTC",
        "1970-01-01 00:00:05",
        "4 s",
        "buy BTC/USD on alpha, sell BTC/USDT on beta",
        "PRECHECK DONE",
    ]
    assert len(COLUMNS) == 9


def test_what_there_was_not_is_left_empty() -> None:
    """No order: no money. Not ended: no duration. Never naked: no time."""
    row = Row.of(summary(orders=0, naked=(), worst_exposure=D(0), ended_ns=None, state="PRECHECK", note=""))
    outcome, *others = cells(row)[1:7]
    assert outcome == '<span class="outcome plain">still running</span>'
    assert others == ["", "", "", "1970-01-01 00:00:05", ""]
    assert row.pnl_by is row.took_ns is None
    assert Row.of(summary(net=None)).pnl == "unknown"


@pytest.mark.parametrize(
    ("changes", "outcome", "ill"),
    [
        ({"status": "success"}, "success", False),
        ({"status": "success", "ever_halted": True}, "success", True),
        ({"status": "rolled_back"}, "rolled_back", True),
        ({"status": "failed", "orders": 0}, "failed", False),
        ({"status": "blocked", "orders": 0}, "blocked", False),
        ({"status": "halted", "state": "HALTED", "ended_ns": None}, "halted", True),
        ({"status": "halted", "state": "PLACING", "ended_ns": None}, "still running", True),
        ({"status": "halted", "state": "PARTIAL", "ended_ns": 9 * SECOND}, "still running", True),  # disturbed
    ],
)
def test_what_did_not_simply_succeed_is_known(changes: dict[str, Any], outcome: str, ill: bool) -> None:
    """Something was sent and it went another way, or it goes on."""
    row = Row.of(summary(**changes))
    assert (row.outcome, row.ill) == (outcome, ill)
    assert (row.took_ns is None) == (outcome in {"halted", "still running"})


def test_the_way_of_the_legs_is_told() -> None:
    """An exit says what it closes."""
    assert Row.of(summary(action="entry_positive")).route == "sell BTC/USD on alpha, buy BTC/USDT on beta"
    assert Row.of(summary(action="exit_tp")).route == "close BTC/USD on alpha and BTC/USDT on beta"


@given(st.text(), st.text(max_size=400))
def test_a_row_is_read_as_it_was_written(trade: str, note: str) -> None:
    """On one line, whatever a trade is called and whatever a venue said."""
    row = Row.of(evolve(summary(), trade_id=trade, note=note))
    line = row.line()
    assert line.isascii()
    assert line.splitlines() == [line]
    assert Row.read(line) == row
    assert len(row.note) <= NOTE_MAX


@given(st.text())
def test_what_the_script_reads_cannot_end_it(word: str) -> None:
    """No tag is opened or closed, and the words come back as they were."""
    row = Row.of(evolve(summary(), trade_id=f"</script>{word}<!--", note=f"{word}]]>"))
    words: dict[str, int] = {"x": 0}
    packed = row.packed(words)
    assert not set("<>&") & set(packed)
    told = json.loads(packed)
    assert told[0] == row.trade
    assert told[-1] == row.note
    assert list(words)[told[1]] == "rolled_back"
    assert inert({"</script>": "&"}) == '{"\\u003c/script\\u003e":"\\u0026"}'


def test_words_that_recur_are_written_once() -> None:
    """Else a hundred thousand paths would be a page of their own."""
    words: dict[str, int] = {}
    first, second = (json.loads(Row.of(summary(trade_id=name)).packed(words)) for name in ("a", "b"))
    assert first[1:] == second[1:]
    assert len(words) == 4


def test_every_trade_has_a_file_that_every_system_takes() -> None:
    """Plain names stay; others are made plain, and never the same."""
    assert file_of("demo-3-0001") == "demo-3-0001.html"
    names = ["../../etc/passwd", "A", "a", "a.html", "a b", "a/b", "", "x" * 64, "X" * 64, ".", "..", "\ud800", "con\0"]
    files = [file_of(name) for name in names]
    assert len({each.lower() for each in files}) == len(names)
    for each in files:
        assert set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert not each.startswith(".")
        assert len(each) <= 80


def test_outcomes_look_different() -> None:
    """And an unknown one plain."""
    assert [look_of(each) for each in ("success", "rolled_back", "halted", "other")] == ["good", "warn", "bad", "plain"]
