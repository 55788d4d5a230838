"""Every request that came to the door, and what became of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.matching.orders import Execution, Kind, NewOrder, Order, Status, TimeInForce
from fsm_arb.testing.simulated.register import Register, add_execution, fill_of
from fsm_arb.values import Side

D = Decimal


def new(client_id: str | None = "a", symbol: str = "BTC/USDT") -> NewOrder:
    return NewOrder(
        symbol=symbol,
        side=Side.SELL,
        kind=Kind.LIMIT,
        time_in_force=TimeInForce.GTC,
        amount=D(2),
        price=D(100),
        client_id=client_id,
    )


def order(number: int, request: NewOrder) -> Order:
    return Order(number=number, order_id=str(number), new=request, created_ms=0, updated_ms=0)


def execution(number: int = 1) -> Execution:
    return Execution(
        trade_id=number,
        trade_uuid="",
        order_id="1",
        client_id="a",
        symbol="BTC/USDT",
        side=Side.SELL,
        amount=D(2),
        price=D(100),
        fee=D("0.2"),
        fee_asset="USDT",
        maker=False,
        at_ms=0,
    )


def test_a_request_on_its_way_counts_as_live() -> None:
    """It may still become an order."""
    register = Register("alpha")
    request = register.enter(new(), 5)
    shown = register.orders()["a"]
    assert (shown.live, shown.amount, shown.fills, shown.told_over) == (True, D(2), (), False)
    request.on_its_way = False
    assert register.orders() == {}  # it never arrived, or was refused


def test_an_order_is_shown_as_it_stands() -> None:
    """With its executions; a later look sees what changed since."""
    register = Register("alpha")
    request = register.enter(new(), 5)
    made = order(1, request.new)
    register.arrived(request, made)
    request.on_its_way = False
    assert register.orders()["a"].live
    made.fills.append(execution())
    made.filled = D(2)
    made.turn(Status.FILLED, 9)
    shown = register.orders()["a"]
    assert (shown.live, shown.filled, shown.fills) == (False, D(2), (fill_of(execution()),))
    request.busted = D(2)
    made.fills.clear()
    made.filled = D(0)
    assert (register.orders()["a"].busted, register.orders()["a"].filled) == (D(2), 0)


def test_an_id_that_comes_again_is_noted_and_kept_apart() -> None:
    """Whether or not the venue lets it in."""
    register = Register("alpha")
    for _ in range(3):
        register.enter(new(), 5)
    assert list(register.requests) == ["a", "a#2", "a#3"]
    assert register.sent_twice == ["a", "a"]
    assert [each.client_order_id for each in register.came()] == ["a", "a", "a"]


def test_what_has_no_id_gets_a_name() -> None:
    """So that it can be told of."""
    register = Register("alpha")
    assert register.enter(new(None), 5).name == "nameless 1"
    assert register.came()[0].client_order_id == "nameless 1"


def test_telling_that_an_order_is_over_is_remembered() -> None:
    """For good, and of that order alone."""
    register = Register("alpha")
    first, second = register.enter(new("a"), 1), register.enter(new("b"), 2)
    register.arrived(first, order(1, first.new))
    register.arrived(second, order(2, second.new))
    register.tell_over(["1", "77"])
    assert (first.told_over, second.told_over) == (True, False)


@pytest.mark.parametrize(("symbol", "told"), [("BTC/USDT", True), (None, True), ("ETH/USDT", False)])
def test_a_list_of_all_that_is_open_tells_what_is_not_there(symbol: str | None, told: bool) -> None:
    """Of requests on their way, and of orders that it does not show; of its own market."""
    register = Register("alpha")
    waits, hidden, shown = (register.enter(new(name), 1) for name in "abc")
    for number, request in ((1, hidden), (2, shown)):
        register.arrived(request, order(number, request.new))
        request.on_its_way = False
    found = register.absent(symbol, ["2"], asked_ns=1)
    assert found == ([waits, hidden] if told else [])
    assert shown not in found


@pytest.mark.parametrize(("since_ms", "told"), [(None, True), (0, True), (1, False)])
def test_a_list_from_a_time_on_says_nothing_of_what_is_older(since_ms: int | None, told: bool) -> None:
    """That order may live, and nobody was told otherwise."""
    register = Register("alpha")
    request = register.enter(new(), 1)
    register.arrived(request, order(1, request.new))  # made at 0
    assert (register.absent("BTC/USDT", [], asked_ns=1, since_ms=since_ms) == [request]) is told


def test_a_list_says_nothing_of_what_came_after_it_was_asked_for() -> None:
    """It could not have shown that."""
    register = Register("alpha")
    request = register.enter(new(), 7)
    assert register.absent(None, [], asked_ns=6) == []
    assert register.absent(None, [], asked_ns=7) == [request]


def test_not_found_tells_of_that_order() -> None:
    """By either id, on its way or there."""
    register = Register("alpha")
    by_client, by_venue, other = (register.enter(new(name), 1) for name in "abc")
    register.arrived(by_venue, order(9, by_venue.new))
    register.tell_unknown(None, "a")
    register.tell_unknown("9", None)
    assert (by_client.told_over, by_venue.told_over, other.told_over) == (True, True, False)


def test_an_execution_moves_base_quote_and_fee() -> None:
    """And taken back it moves them the other way."""
    moved: dict[str, Decimal] = {}
    add_execution(moved, execution())
    assert moved == {"BTC": D(-2), "USDT": D("199.8")}
    add_execution(moved, execution(), sign=-1)
    assert set(moved.values()) == {0}
