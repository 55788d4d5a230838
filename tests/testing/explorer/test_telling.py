"""From a number to what a trade is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.messages import ExternalFill, Missed, Surveyed
from fsm_arb.testing.explorer.bounds import Bounds, world_of
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.telling import event_of, leader, reading
from fsm_arb.testing.explorer.venue import ENDED_READING, Tell, code
from fsm_arb.trade import Trade
from fsm_arb.values import Side


@pytest.fixture
def ahead() -> Trade:
    """A trade of two lots, of which the second leg has brought one more than the first."""
    core = Core(world_of(Bounds(lots=2)), lambda _told, *, new: None)
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        here = core.step(here, event)[0]  # type: ignore[index]
    trade = core.standings[here].trade.plain()
    trade.handle(event_of(core.world, trade, code(Tell.ACK, 2), 1, 0), 0)
    trade.handle(event_of(core.world, trade, code(Tell.ACK, 1), 0, 0), 0)
    return trade


def test_a_reading_shows_every_execution(ahead: Trade) -> None:
    """A lot each, always by the same name."""
    one, two = reading(ahead, 0, 1), reading(ahead, 0, 2 | ENDED_READING)
    assert two.fills[:1] == one.fills
    assert (one.filled, two.filled, len(two.fills)) == (1, 2, 2)


def test_who_leads_is_told_by_what_it_has_brought(ahead: Trade) -> None:
    """So a survey and a trade by hand mean the same for a trade and its mirror image."""
    world = world_of(Bounds(lots=2))
    assert leader(ahead) == 1
    by_hand = event_of(world, ahead, code(Tell.BY_HAND, 1 | 1 << 1), 0, 5)
    assert isinstance(by_hand, ExternalFill)
    assert (by_hand.leg, by_hand.amount) == (1, Decimal(1))
    assert by_hand.side is (Side.SELL if ahead.exposure > 0 else Side.BUY)
    silent = event_of(world, ahead, code(Tell.SURVEY, 5), 0, 5)
    assert isinstance(silent, Surveyed)
    assert silent.legs[1] is None
    assert silent.legs[0] is not None


def test_a_look_that_shows_nothing_says_how_much_was_searched(ahead: Trade) -> None:
    """Every list, or one of them."""
    for argument in (0, 1):
        missed = event_of(world_of(Bounds(lots=2)), ahead, code(Tell.MISSED, argument), 1, 7)
        assert missed == Missed(now=7, order=1, asked_at=7, covered=bool(argument))
