"""The page on backtests: its books and settings trade, its code runs, and its tables name what there is."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "executor"))

from hall import open_hall

from fsm_arb.backtest import CsvBooks, backtest
from fsm_arb.backtest.page import OUTCOME_COLUMNS
from fsm_arb.cli.backtest_settings import SECTIONS, read_setup
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.values import Leg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "backtest.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_books_and_settings_of_the_page_are_a_backtest(tmp_path: Path) -> None:
    """An entry on the premium, and an exit when it is gone."""
    (tmp_path / "books.csv").write_text(block("csv"))
    (tmp_path / "settings.toml").write_text(block("toml"))
    report = backtest(read_setup(tmp_path / "settings.toml"), CsvBooks([tmp_path / "books.csv"]))
    assert [(trade.action, trade.status) for trade in report.trades] == [
        ("entry_positive", "success"),
        ("exit_tp", "success"),
    ]
    assert report.opened == report.closed == 1


@pytest.mark.parametrize("name", [*OUTCOME_COLUMNS[1:], "worth", "deepest fall"])
def test_every_number_that_is_printed_is_explained(name: str) -> None:
    """In the table of what numbers mean."""
    assert re.search(rf"^\| {name} \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(SECTIONS - {"seed"}))
def test_every_section_of_the_settings_is_shown(name: str) -> None:
    """The seed is the command's as a rule."""
    assert re.search(rf"^(\[+{name}\b|{name} = )", block("toml"), re.MULTILINE)


async def test_the_code_of_the_page_trades_on_paper(tmp_path: Path) -> None:
    """In and out again on live books, and no order reaches the venues."""
    room: dict[str, Any] = {}
    exec(compile(block("python"), "backtest.md", "exec"), room)  # noqa: S102 - our own words
    legs = Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")
    async with open_hall(tmp_path) as hall:

        async def ticks() -> AsyncIterator[None]:
            for shift in (200, 0):
                await hall.set_book("upbit", shift_bps=shift)
                yield

        exchanges = {name: hall.server.ccxt(name) for name in ("upbit", "binance")}
        results = await room["trade_on_paper"](exchanges, legs, MemoryJournal(), ticks())
        assert [(each.decision.action.value, each.status) for each in results] == [
            ("entry_positive", "success"),
            ("exit_tp", "success"),
        ]
        assert await hall.creates() == 0
