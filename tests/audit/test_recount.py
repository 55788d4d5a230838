"""Counted again: the same numbers by another way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from forging import round_trip
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.audit.recount import fees_of, fees_text, hedged, outcome_of, pnl_of, received, told_alike
from fsm_arb.audit.summary import entry_of, no_ids
from fsm_arb.ledger import Ledger
from fsm_arb.memory import Memory
from fsm_arb.messages import ExternalFill
from fsm_arb.results import result_of
from fsm_arb.values import Fee, Fill, Side

D = Decimal


def folded(stream: str) -> Memory:
    entries = [entry_of(record) for record in round_trip() if record.stream == stream]
    return Memory.fold(stream.removeprefix("trade/"), entries, no_ids)


def ledger(stream: str = "trade/d1") -> Ledger:
    found = folded(stream).ledger
    assert found is not None
    return found


@pytest.mark.parametrize("stream", ["trade/d1", "trade/d2"])
def test_a_trade_counts_the_same_by_its_executions(stream: str) -> None:
    """What is received, hedged, made and charged."""
    trade, own = folded(stream), ledger(stream)
    fills = {order.intent.index: {fill.fill_id: fill for fill in order.fills} for order in own.orders}
    assert received(own) == own.received
    assert hedged(own) == own.matched_quantity == 1
    assert outcome_of(own) == "success"
    assert pnl_of(own, fills) == result_of(trade).pnl
    assert pnl_of(own, {}) == result_of(trade).pnl
    total: dict[str, Decimal] = {}
    for fee in (fee for leg in result_of(trade).legs for fee in leg.fees):
        total[fee.currency] = total.get(fee.currency, D(0)) + fee.amount
    assert fees_of(own) == fees_text(total) != ""


def test_executions_outweigh_what_the_ledger_has_made_of_them() -> None:
    """Where they are all there; else the order's own average counts."""
    own = ledger()
    order = own.orders[0]
    dearer = {
        fill.fill_id: Fill(fill_id=fill.fill_id, amount=fill.amount, price=fill.price + 1, fee=fill.fee)
        for fill in order.fills
    }
    right, other = pnl_of(own, {}), pnl_of(own, {0: dearer})
    assert right is not None
    assert other is not None
    assert abs(right - other) == 1
    some = dict(list(dearer.items())[:0])
    assert pnl_of(own, {0: some}) == right


def test_what_is_not_known_makes_the_result_unknown() -> None:
    """A price, a fee, or the rate of a fee's currency."""
    own = ledger()
    order = own.orders[0]
    for changes in ({"average": None}, {"fees_told": False}, {"fees": (Fee(D(1), "BNB"),)}):
        assert pnl_of(own.replace(order.changed(**changes)), {}) is None
    assert pnl_of(own.replace(order.changed(fees=(Fee(D(0), "BNB"),))), {}) is not None


@pytest.mark.parametrize(
    ("fee", "change"),
    [(None, "0"), (Fee(D("0.5"), "USDT"), "-0.5"), (Fee(D("0.01"), "BTC"), "-1"), (Fee(D(1), "BNB"), None)],
)
def test_an_operators_own_trade_counts(fee: Fee | None, change: str | None) -> None:
    """At its price; a fee in base at the decision's."""
    own = ledger()
    fill = ExternalFill(now=0, leg=0, side=Side.BUY, amount=D("0.1"), price=D(100), reason="", fee=fee)
    after = pnl_of(Ledger(plan=own.plan, orders=own.orders, external=(fill,)), {})
    before = pnl_of(own, {})
    assert before is not None
    assert after == (None if change is None else before + D(change))


@given(*(st.decimals(min_value=-3, max_value=3, places=2) for _ in "ab"))
def test_what_is_hedged_is_what_the_ledger_says(first: Decimal, second: Decimal) -> None:
    """The smaller of both legs, below zero where both stand the wrong way round, nothing where one of them does."""
    own = ledger()
    sold, bought = own.orders
    other = own.with_orders((sold.changed(gross=first, base_fee=D(0)), bought.changed(gross=second, base_fee=D(0))))
    assert hedged(other) == other.matched_quantity


def test_a_smaller_hedge_is_partial() -> None:
    """By more than dust; what a venue kept as a fee in base is no shortfall."""
    own = ledger()
    sold, bought = own.orders
    half = own.with_orders((sold.changed(gross=D("0.5")), bought.changed(gross=D("0.5"))))
    assert outcome_of(half) == "partial_hedged"
    kept = own.with_orders((sold, bought.changed(base_fee=D("0.01"))))
    assert outcome_of(kept) == "success"


def test_rounding_is_no_difference() -> None:
    """A number that is not known is none that is."""
    own = ledger()
    assert told_alike(D(1), D("1.0000000000000000000001"), own)
    assert not told_alike(D(1), D("1.0000001"), own)
    assert told_alike(None, None, own)
    assert not told_alike(None, D(0), own)


def test_fees_have_one_text() -> None:
    """Without zeros, in order; what cancels out is none."""
    assert fees_text({"USDT": D("1.500"), "BTC": D("1E-7"), "BNB": D(0)}) == "0.0000001 BTC, 1.5 USDT"
