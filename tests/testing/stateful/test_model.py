"""A venue's own view of an order: it fills within the order, tells what it is asked to tell, and can take back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from worlds import ALPHA, BETA_KEEPS_BASE, intent

from fsm_arb.ports import OrderStatus
from fsm_arb.testing.stateful.model import ModelOrder, Place, Telling
from fsm_arb.values import MarketRules, Side

D = Decimal


def order(rules: MarketRules = ALPHA, side: Side = Side.SELL) -> ModelOrder:
    return ModelOrder(intent(side=side, amount="0.05"), "alpha", rules, place=Place.OPEN)


def test_fills_are_whole_lots_and_never_more_than_was_ordered() -> None:
    """However small the share: one lot at least; and what has filled whole is over."""
    mine = order()
    mine.fill(D("0.0001"))
    assert mine.filled == D("0.01")
    mine.fill(D("0.5"))
    assert mine.filled == D("0.03")
    assert mine.place is Place.OPEN
    mine.fill(D(1))
    mine.fill(D(1))
    assert mine.filled == D("0.05")
    assert mine.place is Place.OVER
    assert len({fill.fill_id for fill in mine.fills}) == len(mine.fills) == 3


@pytest.mark.parametrize(
    ("rules", "side", "received"),
    [(ALPHA, Side.SELL, "-0.05"), (BETA_KEEPS_BASE, Side.BUY, "0.04995"), (BETA_KEEPS_BASE, Side.SELL, "-0.05")],
)
def test_checkers_see_what_was_received(rules: MarketRules, side: Side, received: str) -> None:
    """A buyer's base fee taken off, and no other."""
    mine = order(rules, side)
    mine.fill(D(1))
    assert mine.seen().received == D(received)
    assert not mine.seen().live


@pytest.mark.parametrize("place", list(Place))
def test_it_is_live_until_it_can_execute_no_more(place: Place) -> None:
    """A request on its way may come yet."""
    mine = order()
    mine.place = place
    assert mine.seen().live is (place in {Place.ON_THE_WAY, Place.OPEN})
    assert mine.here is (place in {Place.OPEN, Place.OVER})


def test_a_reading_tells_as_much_as_it_is_to() -> None:
    """The quantity always; executions and fees where they are told."""
    mine = order()
    mine.fill(D(1))
    told = {telling: mine.reading(telling) for telling in Telling}
    assert {reading.filled for reading in told.values()} == {D("0.05")}
    assert {reading.status for reading in told.values()} == {OrderStatus.ENDED}
    assert told[Telling.ALL].fills[0].fee is not None
    assert told[Telling.NO_FEES].fills[0].fee is None
    assert told[Telling.TOTALS].fills == ()


def test_a_bust_takes_the_last_execution_back() -> None:
    """And says how much in all."""
    mine = order()
    mine.fill(D("0.4"))
    mine.fill(D(1))
    assert mine.bust() == D("0.03")
    assert (mine.filled, mine.busted, mine.seen().busted) == (D("0.02"), D("0.03"), D("0.03"))


def test_it_is_shown_by_what_does_not_change() -> None:
    """A failure's story names an order the same way from its first line to its last."""
    mine = order()
    before = repr(mine)
    mine.fill(D(1))
    assert repr(mine) == before == "<order 0: first sell 0.05 on alpha>"
