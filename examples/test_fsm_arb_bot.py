"""The same trades on the same venues with the same faults, executed by fsm_arb. These tests pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsm_arb.testing.botworld import BotWorld
from fsm_arb.testing.naked import assert_no_naked_leg
from fsm_arb.testing.simulated import Operation

DUST = "0.0001"  # BTC; below this no exchange of the two takes an order
FAULTS = ("lost_after", "accepted_late", "hidden", "no_id")


async def one_trade(world: BotWorld) -> None:
    """Trade once, then let time pass until nothing moves any more."""
    async with world.executor() as executor:
        await executor.execute_decision(world.decision())
        await world.calm()


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault(run: Callable[[Any], None], bot_world: BotWorld, fault: str) -> None:
    """One fault of one order on one venue."""
    bot_world.venues.inject("binance", fault, operation=Operation.CREATE)
    run(one_trade(bot_world))
    assert_no_naked_leg(bot_world.venues, dust=DUST)


@pytest.mark.parametrize("episode", range(10))
def test_many_faults(run: Callable[[Any], None], bot_world: BotWorld, episode: int) -> None:
    """Whatever the seed of this episode draws, about four calls in ten meet something."""
    bot_world.simulate(faults="many")
    run(one_trade(bot_world))
    assert_no_naked_leg(bot_world.venues, dust=DUST)
