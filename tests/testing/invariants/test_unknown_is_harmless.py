"""Invariant 14: what we do not understand changes nothing or calls a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, rested, seen, stepped
from worlds import Walk

from fsm_arb.orders import Lifecycle
from fsm_arb.ports import OrderStatus
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.unknown_is_harmless import UnknownIsHarmless
from fsm_arb.values import Side

D = Decimal
CHECKER = UnknownIsHarmless()


def changed(walk: Walk, order: int, **changes: Any) -> Glimpse:
    """Return a glimpse in which our book of an order is another."""
    after = seen(walk)
    trade = after.trades["t1"]
    assert trade.ledger is not None
    trade.ledger = trade.ledger.replace(trade.orders[order].changed(**changes))
    return after


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Somebody else's order under our id among them."""
    assert objections(CHECKER, script) == []


def test_an_error_of_our_own_is_found() -> None:
    """Once, whatever caused it."""
    walk = Walk()
    before, after = seen(walk, errors=("one",)), seen(walk, errors=("one", "KeyError: 'x'"))
    assert stepped(CHECKER, before, after) == ["our own code failed: KeyError: 'x'"]
    assert stepped(CHECKER, NOTHING, before) == ["our own code failed: one"]
    assert stepped(CHECKER, after, evolve(after, now=1)) == []


def test_another_order_under_our_id_moves_nothing() -> None:
    """Neither quantity nor end are believed."""
    walk = Walk().ack(1, 2)
    before = seen(walk)
    walk.see(1, 3, side=Side.SELL, ended=True)
    assert stepped(CHECKER, before, seen(walk)) == []
    believed = changed(walk, 1, gross=D(3))
    assert any("and yet 1 BTC of it were believed" in what for what in stepped(CHECKER, before, believed))
    # Told together with a reading that is ours, the quantity is that one's.
    walk = Walk().ack(1, 2)
    before = seen(walk)
    walk.see(1, 4).see(1, 9, side=Side.SELL)
    assert stepped(CHECKER, before, seen(walk)) == []


def test_another_order_under_our_id_does_not_end_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays in doubt until a person has looked."""
    from fsm_arb.orders import Order

    walk = Walk().ack(1, 2)
    before, after = seen(walk), changed(walk, 1, mismatch="side sell", lifecycle=Lifecycle.CLOSED)
    assert stepped(CHECKER, before, after) == []
    monkeypatch.setattr(Order, "live", property(lambda self: self.lifecycle is Lifecycle.OPEN))
    assert any("and yet it counts as ended" in what for what in stepped(CHECKER, before, after))


def test_somebody_is_told_of_it() -> None:
    """By the order's own id; an instrument that hears no alerts is not asked for them."""
    walk = Walk().ack(1).see(1, 3, side=Side.SELL)
    (what,) = rested(CHECKER, seen(walk, alerts=("trade t1: beta shows another order",)))
    assert what == "order c1: side sell instead of buy, and nobody was told"
    assert rested(CHECKER, seen(walk, alerts=("order c1: side sell",))) == []
    assert rested(UnknownIsHarmless(alerts=False), seen(walk)) == []


@pytest.mark.parametrize("placed", [True, False])
def test_a_status_that_is_no_word_ends_nothing(placed: bool) -> None:
    """It is treated as open, and what filled is believed."""
    walk = Walk() if placed else Walk().ack(0)
    before = seen(walk)
    if placed:
        walk.ack(0, 4, status=OrderStatus.UNKNOWN)
    else:
        walk.see(0, 4, status=OrderStatus.UNKNOWN)
    assert stepped(CHECKER, before, seen(walk)) == []
    wrong = changed(walk, 0, lifecycle=Lifecycle.CLOSED)
    assert any("by a reading whose status is no word we know" in what for what in stepped(CHECKER, before, wrong))


def test_a_known_word_ends_an_order() -> None:
    """And so does a refusal."""
    walk = Walk()
    before = seen(walk)
    assert stepped(CHECKER, before, seen(walk.ack(0, 4, ended=True))) == []
    before = seen(walk)
    assert stepped(CHECKER, before, seen(walk.refuse(1))) == []
