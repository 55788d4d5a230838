"""Tables and lines: what a person is shown."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from rich.console import Console

from fsm_arb.audit.tales import Tale, tell_all
from fsm_arb.cli.judge import Verdict
from fsm_arb.cli.render import WIDTH_IN_A_FILE, cash, console, story_lines, trades_table, verdict_lines
from fsm_arb.journal.reader import JournalReader
from fsm_arb.ports import Acknowledged
from fsm_arb.values import plain

D = Decimal
VERDICT = Verdict(
    problems=(),
    trades=40,
    orders=80,
    fills=90,
    halted_ever=1,
    exposure={"BTC": D("-0.00001")},
    dust={"BTC": D("0.0021")},
    outcomes={"success": 39, "failed": 1},
)


@pytest.fixture(scope="module")
def tales(ended: Path) -> list[Tale]:
    with JournalReader(ended / "trades.db") as reader:
        return list(tell_all(reader))


@pytest.mark.parametrize(
    ("value", "text"), [("-1116.254", "-1,116.25 KRW"), ("0.000012", "0.000012 KRW"), (None, "unknown")]
)
def test_money_can_be_copied(value: str | None, text: str) -> None:
    """Its minus is the one on the keyboard."""
    assert cash(None if value is None else D(value), "KRW") == text


def test_a_file_gets_wide_lines_and_no_control_codes() -> None:
    """Tables are not wrapped at eighty columns where nobody's terminal is that narrow."""
    out = console()
    assert not out.is_terminal
    assert out.width == WIDTH_IN_A_FILE


def test_the_table_has_a_row_for_each_trade(tales: list[Tale]) -> None:
    """Path, what filled, what is left, and what it brought."""
    out = Console(file=io.StringIO(), width=WIDTH_IN_A_FILE)
    out.print(trades_table(tales))
    text = out.file.getvalue()  # type: ignore[attr-defined]
    for tale in tales:
        assert tale.trade.trade_id in text
        assert tale.result.status in text
    assert "PRECHECK SIZING PLACING" in text
    assert "at once" in text
    assert "in turn" in text
    assert "bought or sold on upbit, the reverse on binance" in text


def test_a_verdict_is_told_with_its_numbers() -> None:
    """How many orders, what is naked and what may be, and how often a person would have been called."""
    text = "\n".join(verdict_lines(VERDICT))
    assert "80 orders, 90 fills" in text
    assert "-0.00001 BTC (dust: below 0.0021)" in text
    assert "1 of 40 trades (2.5%)" in text
    assert "39 success" in text
    assert "Checked against them" in text


def test_a_verdict_with_problems_claims_nothing() -> None:
    """The sentence that all was checked is left out where something was wrong."""
    assert "Checked" not in "\n".join(verdict_lines(evolve(VERDICT, problems=("x",))))


def test_a_story_tells_every_record_with_state_and_exposure(tales: list[Tale]) -> None:
    """Two lines a record: when, what, which state; then words and what is naked after it."""
    tale = next(each for each in tales if len(each.trade.orders) > 1)
    lines = list(story_lines(tale))
    for number, record in enumerate(tale.lines, 1):
        head, said = lines[2 * number - 2], lines[2 * number - 1]
        assert head.split()[0] == str(number)
        assert record.entry.trigger in head
        assert f"exposure {plain(record.exposure)} " in said
    assert "Z  begun" in lines[0]
    assert f"Outcome {tale.result.status}" in lines[-1]


def test_a_story_names_the_venues_orders(tales: list[Tale]) -> None:
    """Every order id that a venue told stands in the story."""
    tale = next(each for each in tales if each.result.status == "success")
    text = "\n".join(story_lines(tale))
    told = [
        line.entry.fact.outcome.snapshot.venue_order_id
        for line in tale.lines
        if hasattr(line.entry.fact, "outcome") and isinstance(line.entry.fact.outcome, Acknowledged)
    ]
    assert told
    assert all(each in text for each in told)


def test_an_unfinished_trade_is_not_given_an_outcome(tales: list[Tale]) -> None:
    """A story that was cut short says where it stands."""
    tale = next(each for each in tales if len(each.trade.orders) > 1)
    cut = next(n for n, line in enumerate(tale.lines) if line.entry.after == "PLACING")
    from fsm_arb.memory import Memory

    entries = [line.entry for line in tale.lines[: cut + 1]]
    short = Tale(trade=Memory.fold(tale.trade.trade_id, entries, str), lines=tale.lines[: cut + 1])
    assert "Outcome still PLACING" in list(story_lines(short))[-1]
