"""Three venues over one clock."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest

from fsm_arb.testing.loopback.options import Options
from fsm_arb.testing.loopback.world import LogEntry, World, exact


def test_exact_ignores_what_the_thread_was_told() -> None:
    """ccxt's helpers change the thread's decimal context."""
    with decimal.localcontext() as context:
        context.prec = 3
        with exact():
            assert Decimal("1.23456") * 3 == Decimal("3.70368")


def test_a_new_world_is_whole() -> None:
    """Three venues, their opening balances, nothing traded."""
    world = World(Options(), 1000)
    truth = world.truth(1000)
    assert set(truth["venues"]) == {"upbit", "binance", "binanceusdm"}
    assert truth["initial"]["upbit"]["KRW"] == "1000000000"
    assert truth["venues"]["upbit"]["orders"] == []


def test_the_log_forgets_but_the_counts_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run does not fill the memory."""
    monkeypatch.setattr("fsm_arb.testing.loopback.world.LOG_MAX", 20)
    world = World(Options(), 1000)
    for seq in range(30):
        world.enter(
            LogEntry(
                seq=seq,
                at_ms=1,
                dialect="upbit",
                operation="book",
                method="GET",
                path="/v1/orderbook",
                client_id=None,
                fault=None,
            )
        )
    log = world.log_json(0)
    assert (len(log["requests"]), log["counts"]) == (20, [["upbit", "book", "", 30]])
