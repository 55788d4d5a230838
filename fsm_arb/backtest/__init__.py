"""Backtests: the strategy, the risk guard, the machine and paper venues over recorded books, in virtual time."""

from __future__ import annotations

from fsm_arb.backtest.report import Report
from fsm_arb.backtest.run import backtest
from fsm_arb.backtest.setup import Setup
from fsm_arb.backtest.sources import BookEvent, Books, CsvBooks, RecordedBooks

__all__ = ["BookEvent", "Books", "CsvBooks", "RecordedBooks", "Report", "Setup", "backtest"]
