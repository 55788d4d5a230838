"""Phase two: it brings a trade to rest where there is a way, and finds it where a trade does not come to rest."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from worlds import ALPHA, BETA, entry

from fsm_arb import choice
from fsm_arb.messages import Choice, Kind
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.invariants import every_checker
from fsm_arb.testing.stateful import calm
from fsm_arb.testing.stateful.calm import Ending, come_to_rest
from fsm_arb.testing.stateful.model import Place
from fsm_arb.testing.stateful.world import NakedLeg, World
from fsm_arb.testing.strategies import Scenario
from fsm_arb.values import Money

D = Decimal


def half_done(**numbers: object) -> World:
    """Leg 0 has sold all of its ten, leg 1 has bought half of them, and nothing lives."""
    policy = ExecutionPolicy(**numbers)  # type: ignore[arg-type]
    world = World(
        Scenario(decision=entry(), policy=policy, rules=(ALPHA, BETA), fx={"USDT/USD": D(1)}),
        every_checker(alerts=False),
    )
    world.begin()
    for order, share in zip(world.orders, (D(1), D("0.5")), strict=True):
        order.place = Place.OPEN
        order.fill(share)
        order.place = Place.OVER
        world.call_ends(order)
    return world


@pytest.mark.parametrize("remedy", ["complete", "unwind"])
def test_on_fair_venues_a_trade_is_done(remedy: str) -> None:
    """And what it knows is what the venues hold."""
    world = half_done(remedy=remedy)
    come_to_rest(world, Ending.FAIR)
    assert world.trade.done
    assert world.trade.exposure == world.exposure == 0
    assert not world.faults_on


@pytest.mark.parametrize(("closed", "leg"), [(Ending.FIRST_CLOSED, 1), (Ending.SECOND_CLOSED, 0)])
def test_with_one_venue_closed_it_is_put_right_on_the_other(closed: Ending, leg: int) -> None:
    """Each exposure can be traded away on either."""
    world = half_done()
    come_to_rest(world, closed)
    assert world.trade.done
    assert world.orders[-1].intent.leg == leg


def test_where_nothing_can_be_sent_it_halts_loudly() -> None:
    """That is the one other end that is allowed."""
    world = half_done()
    come_to_rest(world, Ending.ADRIFT)
    assert world.trade.halted
    assert "past the most it may lose" in world.trade.halt_reason
    assert world.exposure == -5


def test_requests_that_are_still_on_their_way_arrive_within_their_window() -> None:
    """Or never."""
    world = half_done()
    world = World(world.scenario, every_checker(alerts=False))
    world.begin()
    first, second = world.orders
    world.call_ends(first, answered=False)
    world.call_ends(second, answered=False)
    assert second.comes_until is not None
    second.comes_until = world.now
    come_to_rest(world, Ending.FAIR)
    assert first.here
    assert second.place is Place.NEVER
    assert world.trade.done


@pytest.mark.parametrize("attempts_max", [0, 1, 2])
def test_what_a_remedy_in_coarse_lots_leaves_is_traded_away_at_once(attempts_max: int) -> None:
    """Completing in lots of three leaves two for the other leg: that takes a second remedy, and no second retry."""
    policy = ExecutionPolicy(attempts_max=attempts_max, remedy="complete")
    coarse = evolve(BETA, lot=D(3), amount_min=D(3))
    world = World(
        Scenario(
            decision=entry(notional=Money(D(1200), "USD")), policy=policy, rules=(ALPHA, coarse), fx={"USDT/USD": D(1)}
        ),
        every_checker(alerts=False),
    )
    world.begin()
    first, second = world.orders
    first.place, second.place, second.refused = Place.OPEN, Place.NEVER, True
    first.fill(D("0.92"))
    first.place = Place.OVER
    for order in (first, second):
        world.call_ends(order)
    assert world.exposure == D("-11.04")
    come_to_rest(world, Ending.FAIR)
    assert world.trade.done
    assert [each.intent.amount for each in world.orders[2:]] == [D(9), D("2.04")]
    assert world.trade.ever_halted is (attempts_max < 1)


def _never_decides(_situation: choice.Situation) -> Choice:
    return Choice(kind=Kind.WAIT, reason="why hurry")


def test_a_trade_that_does_not_come_to_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that waits for ever keeps every invariant but this one."""
    world = half_done()
    monkeypatch.setattr("fsm_arb.trade.choose", _never_decides)
    monkeypatch.setattr(world, "checkers", ())
    with pytest.raises(NakedLeg, match="still PARTIAL when the faults had stopped"):
        come_to_rest(world, Ending.FAIR)


def test_a_trade_that_halts_in_silence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """HALTED is an end only where it says why and tries on."""
    world = half_done()
    come_to_rest(world, Ending.ADRIFT)
    monkeypatch.setattr(world.trade, "halt_reason", "")
    with pytest.raises(NakedLeg, match="HALTED in silence, with -5"):
        calm._judge(world)


def test_books_that_differ_from_the_venues_are_found() -> None:
    """Even where everything else looks well."""
    world = half_done()
    come_to_rest(world, Ending.FAIR)
    world.orders[0].fills.pop()
    with pytest.raises(NakedLeg, match="we know of 0"):
        calm._judge(world)


@pytest.mark.parametrize("ending", list(Ending))
def test_every_ending_says_where_a_remedy_can_be_sent(ending: Ending) -> None:
    """On both venues, on one, on none."""
    assert len(ending.open_legs()) == {"fair": 2, "adrift": 0}.get(ending.value, 1)
