"""Calls travel to a venue's books and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from stages import SYMBOL, Stage

from fsm_arb.matching.market import FeeRule
from fsm_arb.testing.simulated import FaultKind, Operation, market

D = Decimal


def test_a_venue_s_clock_runs_with_the_monotonic_one(stage: Stage) -> None:
    """A jump of the caller's wall clock is no business of its."""
    before = stage.venue.now_ms()
    stage.clock.jump_wall(3_600 * 10**9)
    assert stage.venue.now_ms() == before
    stage.pass_ms(250)
    assert stage.venue.now_ms() == before + 250


def test_latency_is_drawn_within_its_range(make: Callable[..., Stage]) -> None:
    """Call by call, the same for the same seed."""

    def taken(stage: Stage) -> list[int]:
        times = []
        for _ in range(30):
            before = stage.clock.monotonic_ns()
            stage.run(stage.exchange.fetch_time())
            times.append((stage.clock.monotonic_ns() - before) // 10**6)
        return times

    first = taken(make(latency_ms=(10.0, 60.0)))
    assert first == taken(make(latency_ms=(10.0, 60.0)))
    assert min(first) >= 9
    assert max(first) <= 61
    assert len(set(first)) > 10


def test_no_latency_still_lets_others_run(make: Callable[..., Stage]) -> None:
    """A call that never yields would hide every race."""
    stage = make(latency_ms=(0.0, 0.0))
    order: list[str] = []

    async def main() -> None:
        async def other() -> None:
            order.append("other")

        task = asyncio.ensure_future(other())
        await stage.exchange.fetch_time()
        order.append("call")
        await task

    stage.run(main())
    assert order == ["other", "call"]


def test_two_calls_run_at_the_same_time(stage: Stage) -> None:
    """They take as long as one."""

    async def main() -> None:
        await asyncio.gather(stage.exchange.fetch_time(), stage.exchange.fetch_balance())

    stage.run(main())
    assert stage.clock.monotonic_ns() == pytest.approx(20_000_000, abs=10_000)


def test_what_is_to_happen_happens_though_nobody_looks(stage: Stage) -> None:
    """Where a loop runs, at its time; else when somebody looks."""
    happened: list[int] = []

    async def main() -> None:
        stage.venue.at(stage.venue.now_ms() + 100, happened.append)
        await asyncio.sleep(0.099)
        assert happened == []
        await asyncio.sleep(0.002)

    stage.run(main())
    assert len(happened) == 1
    stage.venue.at(stage.venue.now_ms() + 100, happened.append)
    stage.pass_ms(100)
    assert len(happened) == 1
    stage.venue.advance()
    assert len(happened) == 2


def test_only_so_many_calls_are_taken_in_a_second(make: Callable[..., Stage]) -> None:
    """Where a venue counts them; the next second is a new one."""
    stage = make(calls_per_s=2, latency_ms=(0.0, 0.0))

    async def main() -> list[Any]:
        return await asyncio.gather(*(stage.exchange.fetch_time() for _ in range(4)), return_exceptions=True)

    assert [isinstance(each, ccxt.RateLimitExceeded) for each in stage.run(main())] == [False, False, True, True]
    assert {(hit.number, hit.key) for hit in stage.seen.hits()} == {(25, "alpha/nature/rate_limited")}
    stage.pass_ms(1_000)
    stage.run(stage.exchange.fetch_time())


def test_a_stamp_that_is_off_is_refused_where_the_venue_looks_at_it(make: Callable[..., Stage]) -> None:
    """The caller's clock or the venue's; prices are for everybody."""
    stage = make(request_window_ms=1_000)
    stage.run(stage.exchange.fetch_balance())
    stage.clock.jump_wall(2 * 10**9)
    with pytest.raises(ccxt.InvalidNonce):
        stage.run(stage.buy())
    stage.run(stage.exchange.fetch_order_book(SYMBOL))
    assert [(hit.number, hit.client_id) for hit in stage.seen.hits()] == [(26, "ours")]
    assert stage.sim.venue_orders() == {}


def test_a_resting_order_meets_the_books_that_come(make: Callable[..., Stage]) -> None:
    """Sooner or later the price passes by."""
    stage = make()
    stage.run(stage.rest("0.5", "99"))
    stage.sim.set_book("alpha", SYMBOL, [(97, 1)], [("98.5", "0.2")])
    order = stage.sim.venue_orders()["ours"]
    assert (order.filled, order.live) == (D("0.2"), True)
    assert stage.seen.told[-1][0] == "execution"


def test_a_fault_that_holds_on_and_was_drawn_before_healing_begins_no_more(stage: Stage) -> None:
    """A call under way when all was healed must not bring the venue down again."""

    async def main() -> None:
        stage.sim.inject("alpha", FaultKind.DOWN, operation=Operation.TIME)
        asking = asyncio.ensure_future(stage.exchange.fetch_time())
        await asyncio.sleep(0.001)
        stage.sim.heal()
        await asking

    stage.run(main())
    assert stage.seen.hits() == []


def test_balances_move_by_exactly_fills_less_fees(make: Callable[..., Stage]) -> None:
    """Whatever the rule of fees."""
    for rule in FeeRule:
        stage = make(fee_rule=rule)
        stage.run(stage.buy("1.5", "102"))
        stage.run(stage.exchange.create_order(SYMBOL, "market", "sell", "0.7"))
        amounts: dict[str, Decimal] = {}
        for order in stage.sim.venue_orders().values():
            for fill in order.fills:
                signed = fill.amount * order.side.sign
                for asset, change in (("BTC", signed), ("USDT", -signed * fill.price), (fill.fee_currency, -fill.fee)):
                    amounts[asset] = amounts.get(asset, D(0)) + change
        moved = {asset: change for asset, change in stage.sim.moved()["alpha"].items() if change}
        assert moved == amounts


def test_on_margin_base_is_the_position(make: Callable[..., Stage]) -> None:
    """And quote what it cost, as if it had been paid."""
    symbol = "BTC/USDT:USDT"
    stage = make(markets=(market(symbol, lot="0.001", fee="0.001"),), margin=True, balances={"USDT": D(1_000)})
    stage.run(stage.exchange.create_order(symbol, "limit", "buy", "0.5", "101", {"timeInForce": "IOC"}))
    assert stage.sim.moved()["alpha"] == {"BTC": D("0.5"), "USDT": D("-50.5505")}
