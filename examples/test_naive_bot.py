"""The naive bot on venues that go wrong. These tests fail: that is what they are for.

Run them with ``pytest examples/test_naive_bot.py``; the failure names the naked leg.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from naive_bot import NaiveBot

from fsm_arb.testing.botworld import BotWorld
from fsm_arb.testing.naked import assert_no_naked_leg
from fsm_arb.testing.simulated import Operation

SYMBOLS = ("BTC/KRW", "BTC/USDT")
DUST = "0.0001"  # BTC; below this no exchange of the two takes an order
FAULTS = ("lost_after", "accepted_late", "hidden", "no_id")


async def one_trade(world: BotWorld) -> None:
    """Let the bot trade once, then let time pass until nothing moves any more."""
    venues = world.venues
    bot = NaiveBot(venues.exchange("upbit"), venues.exchange("binance"), SYMBOLS)
    try:
        await bot.enter(0.01)
    finally:
        await world.calm()


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault(run: Callable[[Any], None], bot_world: BotWorld, fault: str) -> None:
    """One fault of one order on one venue."""
    bot_world.venues.inject("binance", fault, operation=Operation.CREATE)
    run(one_trade(bot_world))
    assert_no_naked_leg(bot_world.venues, dust=DUST)


@pytest.mark.parametrize("episode", range(3))
def test_many_faults(run: Callable[[Any], None], bot_world: BotWorld, episode: int) -> None:
    """Whatever the seed of this episode draws, about four calls in ten meet something."""
    bot_world.simulate(faults="many")
    run(one_trade(bot_world))
    assert_no_naked_leg(bot_world.venues, dust=DUST)
