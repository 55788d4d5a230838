"""Invariant 12: positions move along their table, are flat once closed, and agree with their trades."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import SCRIPTS, Watched, both_fill, objections, rested, seen, stepped, true_order
from worlds import Walk, leaving

from fsm_arb.position import CrossExchangePosition, Position
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.positions import Positions
from fsm_arb.trade import Trade
from fsm_arb.values import Side

D = Decimal
CHECKER = Positions()


def entered() -> Walk:
    return Walk().fills(0).fills(1)


def leave(amount: Any = 10, name: str = "t2") -> Walk:
    walk = Walk(leaving(), name=name, sides=(Side.BUY, Side.SELL), quantity=D(amount))
    return walk.fills(0).fills(1)


def held(walk: Walk, **changes: Any) -> CrossExchangePosition:
    return evolve(Position.opened("P-d1", walk.trade)[0].value, **changes)


def world(position: CrossExchangePosition, *walks: Walk) -> Glimpse:
    """Return a glimpse of some trades that have filled whole, ids made different, and of one position."""
    trades: dict[str, Trade] = {}
    orders = {}
    for walk in walks:
        trade = walk.trade.copy()
        for index in range(len(walk.sent)):
            intent = evolve(trade.orders[index].intent, client_order_id=f"{trade.trade_id}-{index}")
            assert trade.ledger is not None
            trade.ledger = trade.ledger.replace(trade.orders[index].changed(intent=intent))
            filled = trade.orders[index].filled
            orders[intent.client_order_id] = true_order(walk, index, filled, client_order_id=intent.client_order_id)
        trades[trade.trade_id] = trade
    return Glimpse(now=0, trades=trades, orders=orders, positions={position.position_id: position})


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """One of them opens a position."""
    assert objections(CHECKER, script) == []


def test_a_life_is_accepted() -> None:
    """Opened, being left, open again with less, left again, closed."""
    walk, half = entered(), leave(4)
    opened = held(walk)
    states = [
        opened,
        evolve(opened, state="CLOSING", exit_trade_id="t2"),
        evolve(opened, exits=(("t2", D(4)),)),
        evolve(opened, state="CLOSING", exit_trade_id="t3", exits=(("t2", D(4)),)),
        evolve(opened, state="CLOSED", exits=(("t2", D(4)), ("t3", D(6)))),
    ]
    glimpses = [world(state, walk, half) for state in states]
    for before, after in itertools.pairwise(glimpses):
        assert stepped(CHECKER, before, after) == []
    assert rested(CHECKER, world(states[2], walk, half)) == []
    assert rested(CHECKER, world(states[4], walk, half, leave(6, "t3"))) == []
    at_once = evolve(opened, state="CLOSED", exits=(("t2", D(10)),))
    assert stepped(CHECKER, glimpses[0], world(at_once, walk)) == []  # both moves in one commit


def test_an_edge_that_is_no_row_is_found() -> None:
    """Straight from CLOSED into another exit; nothing else is left out of the table."""
    walk = entered()
    closed = held(walk, state="CLOSED", exits=(("t2", D(10)),))
    leaving_again = evolve(closed, state="CLOSING", exit_trade_id="t3")
    found = stepped(CHECKER, world(closed, walk), world(leaving_again, walk))
    assert "position P-d1 went from CLOSED to CLOSING, which is no row of its table" in found


def test_only_a_trade_that_was_disturbed_reopens() -> None:
    """Else what was sold would be sold again; by its records, a bust or a late fill brought it back from DONE."""
    walk, out = entered(), leave()
    closed = held(walk, state="CLOSED", exits=(("t2", D(10)),))
    reopened = evolve(closed, state="OPEN", exits=(("t2", D(0)),))
    before = evolve(world(closed, walk, out), entries={"t2": tuple(out.entries)})
    (what,) = stepped(CHECKER, before, evolve(world(reopened, walk, out), entries=before.entries))
    assert "was CLOSED and is OPEN, and none of its trades was disturbed" in what
    out.bust(0, 10)
    after = evolve(world(reopened, walk, out), entries={"t2": tuple(out.entries)})
    assert stepped(CHECKER, before, after) == []


def test_a_position_that_stands_the_other_way_round_says_so_and_is_told() -> None:
    """Its exits closed twelve of ten: two are held the other way round, OPEN, and a person knows."""
    walk, out, back = entered(), leave(12), Walk(leaving(), name="t3", sides=(Side.SELL, Side.BUY), quantity=D(2))
    turned = held(walk, exits=(("t2", D(12)),), reversed=True, sides=(Side.BUY, Side.SELL))
    world_of = world(turned, walk, out)
    (what,) = rested(CHECKER, world_of)
    assert what == "position P-d1 stands the other way round with 2, and no alert says so"
    told = evolve(world_of, alerts=("position P-d1 stands the wrong way round: 2 BTC is hedged",))
    assert rested(CHECKER, told) == []
    longer = held(walk, exits=(("t2", D("12.000")),), reversed=True, sides=(Side.BUY, Side.SELL))
    assert rested(CHECKER, evolve(world(longer, walk, out), alerts=told.alerts)) == []  # amended by nothing
    assert rested(Positions(alerts=False), world_of) == []
    back.fills(0).fills(1)
    ended = evolve(turned, exits=(("t2", D(12)), ("t3", D(-2))), state="CLOSED", reversed=False, sides=walk_sides(walk))
    assert rested(CHECKER, world(ended, walk, out, back)) == []
    unsigned = evolve(ended, exits=(("t2", D(12)), ("t3", D(2))), reversed=True, sides=turned.sides)
    assert "position P-d1: exit t3 closed 2, and booked 2" in rested(CHECKER, world(unsigned, walk, out, back))


def walk_sides(walk: Walk) -> tuple[Side, Side]:
    return walk.trade.begun.sides


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "CLOSED"}, "is CLOSED with 10 left, which both venues would take"),
        ({"state": "CLOSING"}, "is CLOSING and its exit is nobody"),
        ({"exit_trade_id": "t2"}, "is OPEN and its exit is t2"),
        ({"exits": (("t2", D("10.2")),)}, "stands as it was entered: its exits closed 10.2 of the 10"),
        ({"reversed": True}, "stands the other way round: its exits closed 0 of the 10 that were entered"),
    ],
)
def test_a_position_that_contradicts_itself_is_found(changes: dict[str, Any], words: str) -> None:
    """In the step that made it so, and at rest."""
    walk = entered()
    before, after = world(held(walk), walk), world(held(walk, **changes), walk)
    for found in (stepped(CHECKER, before, after), rested(CHECKER, after)):
        assert any(words in what for what in found)


def test_a_position_that_is_forgotten_is_found() -> None:
    """Two venues hold it all the same."""
    walk = entered()
    before = world(held(walk), walk)
    assert stepped(CHECKER, before, evolve(before, positions={})) == ["position P-d1 is forgotten"]


def test_two_exits_at_work_on_one_position_are_found() -> None:
    """A second one would sell the same base twice; one that had ended before may be mended meanwhile."""
    first, second = (Walk(leaving(), name=name, sides=(Side.BUY, Side.SELL), quantity=D(10)) for name in ("t2", "t3"))
    position = held(entered())
    (what,) = stepped(CHECKER, world(position, entered()), world(position, first, second))
    assert what == "position P-d1: the exits t2, t3 are at work at once"
    first.trade.ended_at_ns = 1
    assert stepped(CHECKER, world(position, entered()), world(position, first, second)) == []


def test_quantities_that_do_not_agree_are_found() -> None:
    """Of the entry, of an exit, and of an exit that has ended and is waited for still."""
    walk, out = entered(), leave()
    (what,) = rested(CHECKER, world(held(walk, entry_quantity=D("9.9")), walk))
    assert what == "position P-d1 was entered with 9.9, trade t1 booked 10"
    closed = held(walk, state="CLOSED", exits=(("t2", D("9.9")),))
    assert "position P-d1: exit t2 closed 9.9, and booked 10" in rested(CHECKER, world(closed, walk, out))
    closing = held(walk, state="CLOSING", exit_trade_id="t2")
    assert rested(CHECKER, world(closing, walk, out)) == ["position P-d1 is CLOSING and its exit t2 is DONE"]


def test_what_the_venues_hold_is_the_position() -> None:
    """Leg by leg, by their own books: CLOSED is flat there, and OPEN is what it says."""
    walk, out = entered(), leave()
    closed = held(walk, state="CLOSED", exits=(("t2", D(10)),))
    right = world(closed, walk, out)
    assert rested(CHECKER, right) == []
    orders = dict(right.orders)
    del orders["t2-1"]
    (what,) = rested(CHECKER, evolve(right, orders=orders))
    assert what == "position P-d1 is CLOSED with 0 BTC on beta, its trades brought 10 there"
    unknown = {**right.orders, "t2-1": true_order(out, 1, 12, client_order_id="t2-1")}
    assert rested(CHECKER, evolve(right, orders=unknown)) == []  # late, and excused until it is seen


def test_what_an_operator_traded_is_held_too() -> None:
    """A position that a person completed is as large as he made it."""
    walk = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1).by_hand(1, Side.BUY, 10)
    assert walk.trade.done
    assert rested(CHECKER, world(held(walk), walk)) == []


def test_a_booked_entry_without_its_position_is_found() -> None:
    """Where positions are kept at all."""
    walk, other = entered(), Walk(name="t9").fills(0).fills(1)
    position = held(walk)
    assert rested(CHECKER, world(position, walk, other)) == ["trade t9 booked 10, and no position holds it"]
    assert rested(CHECKER, evolve(world(position, walk, other), positions={})) == []


def test_a_position_opens_with_the_walk() -> None:
    """The honest run above does hold one."""
    walk = both_fill(lambda *args, **kwargs: Watched((CHECKER,), *args, **kwargs))
    assert list(walk.positions) == ["P-d1"]
    assert rested(CHECKER, seen(walk, *walk.venue.values(), positions=walk.positions)) == []
