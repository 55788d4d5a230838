"""Whether any venue would take a remedy, reckoned apart from the core."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from worlds import intent, policy, sized

from fsm_arb.ledger import Ledger
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.testing.invariants.liveness import naked_max_ns
from fsm_arb.testing.swarm.walls import Walls, retry_max_ns, walled, walls
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


# ------------------------------------------------------------------ as prices come and go

AWAY, BACK = 1000, 100  # past the most a remedy may lose, and within it
S = 1_000_000_000


def looked(*looks: tuple[int, int, bool]) -> Walls:
    """Return walls after *looks*: when, seconds, at what price, and whether the trade had just tried."""
    seen = Walls(Markets())
    for at_s, price, tried in looks:
        seen.markets = Markets(price=price)
        seen.look({"t1": Trade()}, at_s * S, {"t1"} if tried else ())  # type: ignore[dict-item]
    return seen


def waits(seen: Walls, at_ns: int, trade: Trade | None = None) -> bool:
    """Whether a halted trade is excused at the end."""
    return "t1" in seen.waiting({"t1": trade or Trade()}, at_ns)  # type: ignore[dict-item]


def test_a_price_that_comes_back_between_two_tries_is_for_the_next_to_meet() -> None:
    """Until that one is due: a trade that does not try again has no excuse any more."""
    seen = looked((100, AWAY, True), (120, BACK, False))
    due = retry_max_ns(policy())
    assert due == (60 + 10) * S  # its slow retry, and both venues that are asked at once
    assert waits(seen, 100 * S + due)
    assert not waits(seen, 100 * S + due + 1)


def test_a_try_that_met_no_wall_excuses_nothing() -> None:
    """Nor does the one before it, nor a wall that came up after it and went again."""
    assert not waits(looked((100, BACK, True)), 101 * S)
    assert not waits(looked((90, AWAY, True), (100, BACK, True)), 101 * S)
    assert not waits(looked((100, BACK, True), (101, AWAY, False), (102, BACK, False)), 102 * S)


def test_a_wall_seen_beside_no_try_excuses_for_as_long_as_it_stands() -> None:
    """At that very moment, and not after it."""
    seen = looked((100, AWAY, False))
    assert waits(seen, 100 * S)
    assert not waits(seen, 100 * S + 1)


def test_a_trade_with_an_order_alive_waits_for_no_try() -> None:
    """It has met no wall: it waits for that order."""
    assert not waits(looked((100, AWAY, True)), 101 * S, Trade(live=True))
    assert not waits(looked((100, AWAY, True)), 101 * S, Trade(halted=False))


def test_while_it_still_goes_on_a_trade_has_all_the_time_of_its_policy_after_a_wall() -> None:
    """Only the end is judged by its last try."""
    seen, trades = looked((100, AWAY, False)), {"t1": Trade()}
    within = 100 * S + naked_max_ns(policy())
    assert seen.lately(trades, within) == {"t1"}  # type: ignore[arg-type]
    assert seen.lately(trades, within + 1) == set()  # type: ignore[arg-type]
