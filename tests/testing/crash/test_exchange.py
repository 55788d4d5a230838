"""The exchange does what it is told for each order, and its books say so."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from fsm_arb.ports import Acknowledged, Found, NotFound, OrderRequest, OrderStatus, Refused
from fsm_arb.testing.crash.exchange import FUNDS, Answer, Exchange, Tranche
from fsm_arb.values import OrderType, Side

D = Decimal
BUY = OrderRequest(
    symbol="BTC/USDT",
    side=Side.BUY,
    amount=D(10),
    order_type=OrderType.IOC,
    bound=D(101),
    client_order_id="c1",
)


class Hall:
    """An exchange, and what it has put off."""

    def __init__(self, *answers: Answer, base_fees: bool = False) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.exchange = Exchange(
            "beta", "BTC/USDT", answers, lambda s, act: self.later.append((s, act)), base_fees=base_fees
        )

    def place(self, request: OrderRequest = BUY) -> Acknowledged | Refused:
        outcome = self.exchange.place(request, self.exchange.leaves(request))
        assert isinstance(outcome, Acknowledged | Refused)
        return outcome


@pytest.mark.parametrize(("base_fees", "received", "quote_fee"), [(False, D(10), D("1.001")), (True, D("9.99"), D(0))])
def test_an_order_fills_at_the_touch(base_fees: bool, received: Decimal, quote_fee: Decimal) -> None:
    """Whole, at once, unless it was told otherwise; the fee is taken in quote, or in base from a buyer."""
    hall = Hall(base_fees=base_fees)
    outcome = hall.place()
    assert isinstance(outcome, Acknowledged)
    assert (outcome.snapshot.status, outcome.snapshot.filled, outcome.snapshot.average) == (
        OrderStatus.ENDED,
        D(10),
        D("100.1"),
    )
    order = hall.exchange.glimpsed()["c1"]
    assert (order.received, order.live) == (received, False)
    free = hall.exchange.balances().free
    assert (free["BTC"] - FUNDS, FUNDS - free["USDT"]) == (received, 1001 + quote_fee)


def test_a_limit_beyond_the_touch_fills_nothing() -> None:
    """An immediate-or-cancel order is over at once; a resting one rests."""
    hall = Hall()
    hall.place(evolve(BUY, bound=D(100)))
    resting = evolve(BUY, bound=D(100), order_type=OrderType.LIMIT, client_order_id="c2")
    hall.place(resting)
    orders = hall.exchange.glimpsed()
    assert [(order.filled, order.live) for order in orders.values()] == [(0, False), (0, True)]
    assert hall.exchange.cancel("c2").accepted
    assert not hall.exchange.glimpsed()["c2"].live
    assert not hall.exchange.cancel("c3").accepted


def test_answers_are_used_up_in_order() -> None:
    """A refusal, a part, and from then on whole fills."""
    hall = Hall(Answer(refused="insufficient_funds"), Answer(fills=(Tranche("0.4"),)))
    requests = [evolve(BUY, client_order_id=name) for name in ("c1", "c2", "c3")]
    outcomes = [hall.place(request) for request in requests]
    assert isinstance(outcomes[0], Refused)
    assert {name: order.filled for name, order in hall.exchange.glimpsed().items()} == {"c2": D(4), "c3": D(10)}


@pytest.mark.parametrize(("order_type", "filled"), [(OrderType.IOC, D(10)), (OrderType.LIMIT, D(6))])
def test_a_late_part_fills_what_was_over_but_not_what_was_cancelled(order_type: OrderType, filled: Decimal) -> None:
    """The venue fills on after it has said that an order is over; a cancelled one is left alone."""
    hall = Hall(Answer(fills=(Tranche("0.6"), Tranche("0.4", 5.0))))
    hall.place(evolve(BUY, order_type=order_type))
    if order_type is OrderType.LIMIT:
        hall.exchange.cancel("c1")
    ((after_s, late),) = hall.later
    late()
    assert after_s == 5.0
    assert hall.exchange.glimpsed()["c1"].filled == filled


def test_what_somebody_has_heard_is_noted() -> None:
    """That an order ended, and that it is not there; not what was said into the void."""
    hall = Hall()
    on_the_way = evolve(BUY, client_order_id="c2")
    outcome = hall.place()
    hall.exchange.leaves(on_the_way)
    assert [order.told_over for order in hall.exchange.glimpsed().values()] == [False, False]
    hall.exchange.heard("c1", outcome)
    missed = hall.exchange.observe("c2")
    assert isinstance(missed, NotFound)
    assert isinstance(hall.exchange.observe("c1"), Found)
    hall.exchange.heard("c2", missed)
    glimpsed = hall.exchange.glimpsed()
    assert [(order.told_over, order.live) for order in glimpsed.values()] == [(True, False), (True, True)]
    assert hall.exchange.glimpsed()["c1"] is glimpsed["c1"]


def test_an_id_that_was_sent_twice_is_two_orders() -> None:
    """So that nobody takes them for one."""
    hall = Hall()
    hall.place()
    hall.place(evolve(BUY))
    assert list(hall.exchange.glimpsed()) == ["c1", "c1 (sent 2 times)"]


def test_a_lost_request_is_not_on_the_way() -> None:
    """It left, and that was all."""
    hall = Hall(Answer(lost=True))
    hall.exchange.leaves(BUY)
    assert hall.exchange.glimpsed() == {}
