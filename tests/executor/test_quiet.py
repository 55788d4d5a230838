"""The bot's metrics sink, wrapped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hall import papers

from fsm_arb.executor.quiet import QuietMetrics

if TYPE_CHECKING:
    from hall import Hall


class Broken:
    """A sink that fails at some of what it is told."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.told: list[str] = []

    def count(self, name: str, **labels: str) -> None:
        self.told.append(name)
        if name in self.names:
            raise RuntimeError("the collector is down")

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.count(name)


def test_an_error_of_the_sink_is_said_once_and_swallowed(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each name; what works is handed on."""
    caplog.set_level(logging.ERROR)
    sink = Broken("placed", "commit_seconds")
    metrics = QuietMetrics(sink)
    for _ in range(3):
        metrics.count("placed", venue="upbit")
        metrics.observe("commit_seconds", 0.1)
        metrics.count("trades", outcome="success")
    assert sink.told == ["placed", "commit_seconds", "trades"] * 3
    assert len(caplog.records) == 2


@pytest.mark.parametrize("names", [("placed",), ("commit_seconds",), ("transitions", "trades", "unanswered")])
async def test_a_sink_that_raises_stops_no_trade(hall: Hall, names: tuple[str, ...]) -> None:
    """Whatever it fails at, both legs are placed, matched and recorded."""
    async with hall.executor(venues=papers(), metrics=Broken(*names)) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "success"
