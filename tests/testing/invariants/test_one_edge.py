"""Invariant 15: one way to go, or a reason to wait that ends."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, rested, seen, stepped
from worlds import SECOND, Walk

from fsm_arb import trade
from fsm_arb.errors import LedgerBroken
from fsm_arb.machines.table import Table
from fsm_arb.testing.invariants.one_edge import OneEdge, awaits

CHECKER = OneEdge()


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Every state of theirs."""
    assert objections(CHECKER, script) == []


def test_two_edges_at_once_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their triggers."""
    honest, walk = Table.enabled, Walk()
    monkeypatch.setattr(Table, "enabled", lambda self, state, view: (*honest(self, state, view), *self.rows[:2]))
    (what,) = stepped(CHECKER, NOTHING, seen(walk))
    assert "trade t1 in PLACING: 2 edges are true at once: PRECHECK -- checks_passed" in what


def test_a_trade_that_waits_for_nothing_is_found() -> None:
    """It would be forgotten: in the step, and at rest."""
    walk = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1)
    halted = seen(walk)
    assert stepped(CHECKER, NOTHING, halted) == []
    halted.trades["t1"].retry_at = None
    for found in (stepped(CHECKER, NOTHING, halted), rested(CHECKER, halted)):
        assert found == ["trade t1 in HALTED: no edge is true, and nothing is awaited that has an end"]
    assert stepped(CHECKER, halted, evolve(halted, now=1)) == []


def test_what_is_due_needs_nothing_to_wait_for() -> None:
    """Its time has come, and it has not been told the time yet."""
    walk = Walk(order_type="limit").ack(0).ack(1)
    late = seen(walk, now=1000 * SECOND)
    assert not awaits(late.trades["t1"], late.now)
    assert stepped(CHECKER, NOTHING, late) == []
    cancelling = seen(walk.at(6), now=1000 * SECOND)
    assert stepped(CHECKER, NOTHING, cancelling) == []


def test_a_trade_that_cannot_tell_what_to_do_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its books are broken: that is said, and the run goes on."""
    walk = Walk()

    def broken(_situation: Any) -> Any:
        raise LedgerBroken("some fill was counted twice")

    monkeypatch.setattr(trade, "choose", broken)
    (what,) = stepped(CHECKER, NOTHING, seen(walk))
    assert what == "trade t1 in PLACING cannot tell what to do: some fill was counted twice"


def test_what_is_awaited() -> None:
    """An end, the driver, a reply, a reading, a time."""
    assert awaits(Walk(begin=False).trade, 0)
    assert awaits(Walk().trade, 0)
    assert awaits(Walk().fills(0).fills(1).trade, 0)
    remedy_due = Walk().fills(0).refuse(1)
    assert remedy_due.trade.wants_survey(0)
    assert awaits(remedy_due.trade, 0)
