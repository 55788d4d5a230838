"""Whether any venue would take a remedy, reckoned apart from the core."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from worlds import intent, policy, sized

from fsm_arb.ledger import Ledger
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.testing.swarm.walls import walled, walls
from fsm_arb.values import Side

D = Decimal


class Trade:
    """As much of a trade as a wall is made of: alpha has sold ten at a hundred, beta has bought nothing."""

    def __init__(self, sold: Any = 10, *, halted: bool = True, live: bool = False) -> None:
        lifecycle = Lifecycle.OPEN if live else Lifecycle.CLOSED
        order = Order(intent=intent(0), base="BTC", deadline=0, gross=D(sold), lifecycle=lifecycle, fees_known=True)
        self.ledger = Ledger(plan=sized(), orders=(order,))
        self.policy = policy()
        self.halted = halted


class Markets:
    """What the venues would say."""

    def __init__(self, price: Any = 100, free: Any = 10_000) -> None:
        self.price, self.cash = price, free

    def touch(self, venue: str, symbol: str, side: Side) -> Decimal | None:
        assert side is Side.BUY
        return None if self.price is None else D(self.price)

    def free(self, venue: str, asset: str) -> Decimal | None:
        return None if self.cash is None else D(self.cash)


@pytest.mark.parametrize(
    ("markets", "stuck"),
    [
        (Markets(), False),
        (Markets(price=None), True),
        (Markets(price=1000), True),
        (Markets(free=1), True),
        (Markets(free=None), False),
    ],
)
def test_a_wall_is_no_book_no_price_or_no_funds_on_either_venue(markets: Markets, stuck: bool) -> None:
    """Anything else could be sent."""
    assert walled(Trade(), markets) is stuck  # type: ignore[arg-type]
    assert walls({"t1": Trade()}, markets) == ({"t1"} if stuck else set())  # type: ignore[dict-item]


def test_dust_that_no_venue_takes_is_a_wall() -> None:
    """Below both least orders nothing can be sent."""
    assert walled(Trade(sold="0.05"), Markets())  # type: ignore[arg-type]


def test_only_a_halted_trade_of_which_all_is_known_stands_at_a_wall() -> None:
    """Any other is on its way, or waits for an answer."""
    assert not walled(Trade(halted=False), Markets(price=None))  # type: ignore[arg-type]
    assert not walled(Trade(live=True), Markets(price=None))  # type: ignore[arg-type]
