"""An order as one reading shows it, bent by one fault."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from fsm_arb.matching.orders import Execution, Kind, NewOrder, Order, Status, TimeInForce
from fsm_arb.testing.simulated.kinds import Fault, FaultKind
from fsm_arb.testing.simulated.views import UNKNOWN_WORDS, cancelled, reordered, seen
from fsm_arb.values import Side

D = Decimal
NEW = NewOrder(
    symbol="BTC/USDT", side=Side.BUY, kind=Kind.LIMIT, time_in_force=TimeInForce.IOC, amount=D(3), price=D(110)
)


def execution(number: int, amount: str, at_ms: int) -> Execution:
    return Execution(
        trade_id=number,
        trade_uuid=str(number),
        order_id="7",
        client_id="ours",
        symbol="BTC/USDT",
        side=Side.BUY,
        amount=D(amount),
        price=D(100 + number),
        fee=D("0.1"),
        fee_asset="USDT",
        maker=False,
        at_ms=at_ms,
    )


@pytest.fixture
def order() -> Order:
    """Filled in two executions at 10 and 20, over at 30."""
    fills = [execution(1, "1", 10), execution(2, "0.5", 20)]
    made = Order(number=7, order_id="7", new=NEW, created_ms=5, updated_ms=20, filled=D("1.5"), fills=fills)
    made.spent = sum((fill.cost for fill in fills), D(0))
    made.turn(Status.EXPIRED, 30)
    return made


def everything(fills: list[Execution], now_ms: int) -> list[Execution]:
    return fills


def fault(kind: FaultKind, draw: float = 0.0, ms: int = 0) -> Fault:
    return Fault(kind=kind, key="k", draw=draw, ms=ms)


def test_without_a_fault_it_is_shown_as_it_stands(order: Order) -> None:
    """Nothing is bent, and nothing is said to be."""
    view, bent = seen(order, None, 40, everything)
    assert (view.order, view.fills, view.says_over, bent) == (order, order.fills, True, False)


@pytest.mark.parametrize(
    ("ms", "filled", "over", "bent"),
    [(40, 0, False, True), (25, 1, False, True), (15, D("1.5"), False, True), (5, D("1.5"), True, False)],
)
def test_a_stale_reading_shows_the_order_as_it_stood(
    order: Order, ms: int, filled: Decimal, over: bool, bent: bool
) -> None:
    """With what had filled by then; one that shows the same as now bends nothing."""
    view, is_bent = seen(order, fault(FaultKind.STALE, ms=ms), 40, everything)
    assert (view.order.filled, view.says_over, is_bent) == (filled, over, bent)
    assert sum((fill.amount for fill in view.fills), D(0)) == filled


def test_a_reading_may_lack_an_execution_or_its_quantity_too(order: Order) -> None:
    """Either the rows alone, or what is filled with them."""
    view, bent = seen(order, fault(FaultKind.MISSING_FILL, 0.0), 40, everything)
    assert (view.order.filled, len(view.fills), bent) == (D("1.5"), 1, True)
    view, bent = seen(order, fault(FaultKind.MISSING_FILL, 0.9), 40, everything)
    assert (view.order.filled, view.order.spent, len(view.fills), bent) == (D(1), D(101), 1, True)
    assert order.filled == D("1.5")


def test_an_execution_may_be_shown_twice(order: Order) -> None:
    """The same one, by its id."""
    view, bent = seen(order, fault(FaultKind.DUPLICATED_FILL), 40, everything)
    assert ([fill.trade_id for fill in view.fills], bent) == ([1, 2, 2], True)


def test_executions_may_come_in_reverse_with_one_time(order: Order) -> None:
    """So that neither order nor time tells which was first."""
    view, bent = seen(order, fault(FaultKind.REORDERED), 40, everything)
    assert ([fill.trade_id for fill in view.fills], {fill.at_ms for fill in view.fills}, bent) == ([2, 1], {20}, True)
    assert [fill.at_ms for fill in order.fills] == [10, 20]
    assert reordered(order.fills) == view.fills


@pytest.mark.parametrize(
    ("kind", "attribute", "value"),
    [
        (FaultKind.AVERAGE_MISSING, "average", "missing"),
        (FaultKind.AVERAGE_WRONG, "average", "limit"),
        (FaultKind.FEE_MISSING, "fees", False),
        (FaultKind.UNKNOWN_FIELDS, "strange", True),
        (FaultKind.UNKNOWN_STATUS, "word", UNKNOWN_WORDS[0]),
    ],
)
def test_a_reading_may_tell_less_or_otherwise(order: Order, kind: FaultKind, attribute: str, value: object) -> None:
    """One thing each; the quantity is always right."""
    view, bent = seen(order, fault(kind), 40, everything)
    assert (getattr(view, attribute), view.order.filled, bent) == (value, D("1.5"), True)


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.MISSING_FILL,
        FaultKind.DUPLICATED_FILL,
        FaultKind.REORDERED,
        FaultKind.AVERAGE_MISSING,
        FaultKind.AVERAGE_WRONG,
        FaultKind.FEE_MISSING,
        FaultKind.PARTIAL,  # not of a reading at all
    ],
)
def test_where_nothing_filled_there_is_nothing_to_bend(order: Order, kind: FaultKind) -> None:
    """Such a fault is no hit."""
    unfilled = evolve(order, fills=[], filled=D(0), spent=D(0))
    assert not seen(unfilled, fault(kind), 40, everything)[1]


def test_a_word_nobody_knows_tells_nobody_that_it_is_over(order: Order) -> None:
    """Whoever reads it must go on asking."""
    assert not seen(order, fault(FaultKind.UNKNOWN_STATUS), 40, everything)[0].says_over


def test_executions_that_are_not_shown_yet_are_left_out(order: Order) -> None:
    """While the quantity is told at once."""
    first: Callable[[list[Execution], int], list[Execution]] = lambda fills, _: fills[:1]  # noqa: E731
    view, _ = seen(order, None, 40, first)
    assert (len(view.fills), view.order.filled) == (1, D("1.5"))


def test_a_cancel_may_be_shown_that_was_not_done(order: Order) -> None:
    """The order itself stays as it is."""
    lives = evolve(order, status=Status.OPEN)
    assert cancelled(lives).says_over
    assert lives.is_open
