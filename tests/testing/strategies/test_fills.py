"""Fills and readings that are drawn: never more than was ordered, never a reading that lies about the whole."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve
from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.ports import OrderStatus
from fsm_arb.testing.strategies.fills import fee_of, fills, readings
from fsm_arb.testing.strategies.markets import market_rules
from fsm_arb.values import FeeIn, MarketRules, Side, floor_to

D = Decimal
RULES = evolve(find(market_rules(), lambda _: True), taker_fee=D("0.001"), lot=D("0.01"))
IN_BASE = evolve(RULES, fee_in=FeeIn.BASE_ON_BUY)


def test_a_fee_is_charged_where_the_rules_say() -> None:
    """A buyer pays in base where the venue keeps base; a seller never does."""
    assert fee_of(IN_BASE, Side.BUY, D(10), D(100)).currency == "BTC"
    assert fee_of(IN_BASE, Side.BUY, D(10), D(100)).amount == D("0.01")
    assert fee_of(IN_BASE, Side.SELL, D(10), D(100)).currency == "USD"
    assert fee_of(RULES, Side.BUY, D(10), D(100)).amount == 1


@given(st.data(), market_rules(), st.sampled_from(Side), st.integers(1, 2000))
def test_fills_are_whole_lots_and_within_the_order(
    data: st.DataObject, rules: MarketRules, side: Side, lots: int
) -> None:
    """Each under an id of its own, at the limit or better, with the fee of its market."""
    amount = lots * rules.lot
    drawn = data.draw(fills(rules, side=side, amount=amount, price=D(100)))
    assert sum(fill.amount for fill in drawn) <= amount
    assert len({fill.fill_id for fill in drawn}) == len(drawn)
    for fill in drawn:
        assert floor_to(fill.amount, rules.lot) == fill.amount > 0
        assert (D(100) - fill.price) * side.sign >= 0
        assert fill.fee == fee_of(rules, side, fill.amount, fill.price)


def test_whole_partial_and_empty_executions_are_reached() -> None:
    """In one piece, which is the simplest, in several, or not at all."""
    drawn = fills(RULES, side=Side.BUY, amount=D(10))
    assert [fill.amount for fill in find(drawn, lambda _: True)] == [D(10)]
    assert len(find(drawn, lambda found: len(found) > 2)) > 2
    assert find(drawn, lambda found: not found) == ()


@given(st.data(), st.booleans())
def test_a_reading_is_true_of_the_quantity(data: st.DataObject, ended: bool) -> None:
    """Whatever else it leaves out."""
    executed = data.draw(fills(RULES, side=Side.SELL, amount=D(10)))
    reading = data.draw(readings(executed, ended=ended, venue_order_id="v1"))
    assert reading.filled == sum(fill.amount for fill in executed)
    assert (reading.status is OrderStatus.ENDED) is ended
    assert reading.fills == () or sum(fill.amount for fill in reading.fills) == reading.filled


def test_readings_without_fees_and_without_fills_are_reached() -> None:
    """Venues that tell the rest later."""
    executed = find(fills(RULES, side=Side.SELL, amount=D(10)), bool)
    drawn = readings(executed, ended=True, venue_order_id="v1")
    assert find(drawn, lambda found: found.fills == ()).filled == 10
    assert find(drawn, lambda found: bool(found.fills) and found.fills[0].fee is None).filled == 10
