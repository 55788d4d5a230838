"""What the venue's books do beyond those of the loopback exchange."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve
from stages import SYMBOL, Stage

from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import Kind, NewOrder, OrderRefused, Refusal, Status, TimeInForce
from fsm_arb.testing.simulated.books import Walk
from fsm_arb.testing.simulated.engine import Bends
from fsm_arb.values import Side

D = Decimal


def buying(amount: str = "0.5", price: str = "101", time_in_force: TimeInForce = TimeInForce.IOC) -> NewOrder:
    return NewOrder(
        symbol=SYMBOL,
        side=Side.BUY,
        kind=Kind.LIMIT,
        time_in_force=time_in_force,
        amount=D(amount),
        price=D(price),
    )


@pytest.mark.parametrize(
    ("rule", "asset", "fee"),
    [
        (None, "USDT", "0.0505"),
        (FeeRule.RECEIVED, "BTC", "0.0005"),
        (FeeRule.BNB, "BNB", "0.00006312"),
    ],
)
def test_one_order_may_be_charged_otherwise(stage: Stage, rule: FeeRule | None, asset: str, fee: str) -> None:
    """The account's own rule holds again for the next."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    order = engine.place_bent(buying(), now_ms, Bends(fee_rule=rule))
    assert [(fill.fee_asset, fill.fee) for fill in order.fills] == [(asset, D(fee))]
    usual = engine.place_bent(buying("0.1"), now_ms, Bends())
    assert usual.fills[0].fee_asset == "USDT"


def test_the_rule_holds_for_fills_that_come_later(stage: Stage) -> None:
    """An order that rests keeps its own."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    order = engine.place_bent(
        buying(price="99", time_in_force=TimeInForce.GTC), now_ms, Bends(fee_rule=FeeRule.RECEIVED)
    )
    stage.sim.set_book("alpha", SYMBOL, [], [(98, 1)])
    assert [fill.fee_asset for fill in order.fills] == ["BTC"]


def test_a_part_executes_and_the_rest_ends(stage: Stage) -> None:
    """Even of an order that would have rested."""
    order = stage.venue.engine.place_bent(
        buying("0.5", time_in_force=TimeInForce.GTC), stage.venue.now_ms(), Bends(share=D("0.4"))
    )
    assert (order.filled, order.status) == (D("0.2"), Status.EXPIRED)


def test_executions_may_be_shown_late(stage: Stage) -> None:
    """At their time they are there; and all at once where everything is to be shown."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    order = engine.place_bent(buying(), now_ms, Bends(fills_shown_after_ms=100))
    assert engine.shown(order.fills, now_ms + 99) == []
    assert engine.shown(order.fills, now_ms + 100) == order.fills
    engine.show_all()
    assert engine.shown(order.fills, now_ms) == order.fills


def test_an_order_is_told_before_it_executes(stage: Stage) -> None:
    """So that the execution is known by its client id."""
    engine, told = stage.venue.engine, []
    engine.accepting = lambda order: told.append(order.filled)
    engine.place_bent(buying(), stage.venue.now_ms(), Bends())
    assert told == [0]


def test_a_bust_takes_back_the_last_execution_and_its_fee(stage: Stage) -> None:
    """Balances are as before; an order without executions has none to take back."""
    engine = stage.venue.engine
    order = engine.place_bent(buying(), stage.venue.now_ms(), Bends())
    execution = engine.take_back(order, stage.venue.now_ms())
    assert execution is not None
    assert (execution.amount, order.filled) == (D("0.5"), 0)
    assert set(stage.venue.moved().values()) == {0}
    assert engine.take_back(order, stage.venue.now_ms()) is None


def test_ending_what_has_ended_does_nothing(stage: Stage) -> None:
    """Its status stays."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    rests = engine.place_bent(buying(price="99", time_in_force=TimeInForce.GTC), now_ms, Bends())
    engine.end(rests, Status.CANCELED, now_ms)
    engine.end(rests, Status.EXPIRED, now_ms)
    assert rests.status is Status.CANCELED


@pytest.mark.parametrize(
    ("price", "refusal"), [("101", None), ("101.01", None), ("101.02", Refusal.BAND), ("99", None)]
)
def test_a_band_refuses_what_goes_through_the_touch(stage: Stage, price: str, refusal: Refusal | None) -> None:
    """By more than it allows."""
    new = buying(price=price)
    assert stage.venue.engine.refusal_for_band(new, stage.venue.now_ms(), D("0.0001")) is refusal


def test_a_band_is_no_matter_without_a_limit_or_a_touch(stage: Stage) -> None:
    """There is nothing to compare."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    assert engine.refusal_for_band(evolve(buying(), price=None, kind=Kind.MARKET), now_ms, D(0)) is None
    stage.sim.set_book("alpha", SYMBOL, [], [])
    assert engine.refusal_for_band(buying(price="500"), now_ms, D(0)) is None


def test_the_last_event_to_come_is_known(stage: Stage) -> None:
    """None once all have come."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    assert engine.last_event_ms() is None
    for ms in (50, 200, 100):
        engine.schedule(now_ms + ms, lambda at_ms: None)
    assert engine.last_event_ms() == now_ms + 200
    engine.advance(now_ms + 200)
    assert engine.last_event_ms() is None


def test_a_client_id_is_used_up_for_ever_or_while_its_order_is_open(make: Callable[..., Stage]) -> None:
    """As the venue's habit is."""
    for ever, refused in ((True, True), (False, False)):
        stage = make(ids_used_for_ever=ever)
        stage.run(stage.buy("0.1"))
        again = NewOrder(
            symbol=SYMBOL,
            side=Side.BUY,
            kind=Kind.LIMIT,
            time_in_force=TimeInForce.IOC,
            amount=D("0.1"),
            price=D(101),
            client_id="ours",
        )
        if refused:
            with pytest.raises(OrderRefused, match="duplicate"):
                stage.venue.engine.place(again, stage.venue.now_ms())
        else:
            assert stage.venue.engine.place(again, stage.venue.now_ms()).filled == D("0.1")


def filled_at(seed: int, look_every_ms: int) -> list[tuple[Decimal, int]]:
    """Return what of an order that rests in moving books has filled within five seconds, and when."""
    stage = Stage(walk=Walk(seed=seed, step_ms=100, swing_bps=40))
    stage.sim.free_book("alpha", SYMBOL)
    began_ms = stage.venue.now_ms()
    stage.run(stage.rest("9", "99.95"))
    while stage.venue.now_ms() < began_ms + 5_000:
        stage.pass_ms(look_every_ms)
        stage.sim.advance()
    (order,) = stage.venue.engine.orders.values()
    return [(fill.amount, fill.at_ms - began_ms) for fill in order.fills]


def test_what_rests_fills_when_its_book_comes_whoever_looks() -> None:
    """At that book's time and no other; a look does not make it earlier, nor the want of one later."""
    seldom, often = ([filled_at(seed, ms) for seed in range(8)] for ms in (5_000, 20))
    assert seldom == often
    assert sum(bool(fills) for fills in seldom) > 3
    assert all(at_ms % 100 == 0 or at_ms < 100 for fills in seldom for _, at_ms in fills)


def test_what_is_due_happens_in_the_order_of_its_time(stage: Stage) -> None:
    """And says when that was, however late it was looked at."""
    engine, now_ms = stage.venue.engine, stage.venue.now_ms()
    seen: list[tuple[int, int | None]] = []
    for ms in (30, 10, 20):
        engine.schedule(now_ms + ms, lambda at_ms: seen.append((at_ms - now_ms, engine.happening_ms)))
    engine.advance(now_ms + 100)
    assert seen == [(ms, now_ms + ms) for ms in (10, 20, 30)]
    assert engine.happening_ms is None
