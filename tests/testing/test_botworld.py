"""A test's own world: its parts belong together, and the same seed makes the same world."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from fsm_arb import Action, ExecutionPolicy
from fsm_arb.testing.botworld import LEGS, BotWorld, deepen, seed_of
from fsm_arb.testing.simulated import FaultKind
from fsm_arb.virtual import VirtualClock, run

if TYPE_CHECKING:
    from fsm_arb import CrossExecutionResult

D = Decimal


async def trade(world: BotWorld, policy: ExecutionPolicy | None = None) -> CrossExecutionResult:
    async with world.executor(policy) as executor:
        return await executor.execute_decision(world.decision())


def test_a_world_trades_as_it_stands() -> None:
    """Without a line of set-up: venues, journal, rate, clock and ids are there."""
    clock = VirtualClock()
    world = BotWorld(clock, 1)
    result = run(trade(world), clock)
    assert result.status == "success"
    orders = world.venues.venue_orders().values()
    assert abs(sum(order.received for order in orders)) < result.dust
    assert {record.stream for record in world.disk.records} > {f"trade/{result.trade_id}"}


def test_the_same_seed_makes_the_same_world() -> None:
    """To the client order id and the fill; another seed makes another one."""

    def story(seed: int) -> str:
        clock = VirtualClock()
        world = BotWorld(clock, seed)
        world.simulate(faults="some")
        run(trade(world), clock)
        return repr(sorted(world.venues.venue_orders().items()))

    assert story(5) == story(5) != story(6)


def test_a_halt_calls_the_alerts_of_the_world() -> None:
    """What a person would be told can be asserted."""
    clock = VirtualClock()
    world = BotWorld(clock, 1)
    world.venues.inject("binance", FaultKind.REFUSED, count=99)
    result = run(trade(world, ExecutionPolicy(attempts_max=0)), clock)
    assert result.status == "halted"
    assert any(result.trade_id in f"{subject} {body}" for subject, body in world.alerts.alerts)


def test_a_decision_is_made_on_the_books_as_they_stand() -> None:
    """So that it is never stale when it is made."""
    world = BotWorld(VirtualClock(), 1)
    world.venues.set_book("binance", "BTC/USDT", bids=[(60_000, 1)], asks=[(60_010, 1)])
    decision = world.decision(Action.ENTRY_NEGATIVE, reason="a test")
    assert decision.prices[1] == 60_005
    assert (decision.action, decision.legs, decision.reason) == (Action.ENTRY_NEGATIVE, LEGS, "a test")


def test_every_test_has_a_seed_of_its_own() -> None:
    """From its name and the number that was asked for, in every process alike."""
    assert seed_of("test_a", 0) == seed_of("test_a", 0) == 6_960_168_233_122_386_211
    assert len({seed_of(name, base) for name in "abc" for base in (0, 1)}) == 6


def test_hypothesis_is_deepened_where_a_test_does_not_say_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test says itself stands."""
    before = settings.get_current_profile_name()
    examples = settings().max_examples
    try:
        deepen(3)
        assert settings().max_examples == examples * 3
        assert settings(max_examples=7).max_examples == 7
    finally:
        settings.load_profile(before)
