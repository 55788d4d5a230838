"""An order meets a book."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fsm_arb.matching import ladders
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.orders import NewOrder
from fsm_arb.values import Side

D = Decimal
Make = Callable[..., Exchange]
NewOrders = Callable[..., NewOrder]


def test_takes_stops_at_the_limit_and_remove_eats_levels(order: NewOrders) -> None:
    """The pure part: what an order would take, and what remains."""
    ladder = [(D(10), D(1)), (D(11), D(1)), (D(12), D(1))]
    found = ladders.takes(ladder, order(Side.BUY, "5", "11"), amount_max=None, lot=D("0.1"))
    assert found == [(D(10), D(1)), (D(11), D(1))]
    assert (ladders.total(found), ladders.cost(found)) == (D(2), D(21))
    ladders.remove(ladder, D("1.5"))
    assert ladder == [(D(11), D("0.5")), (D(12), D(1))]
