"""What a run is worth, moment by moment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from papers import ALPHA, BETA, QUOTED, SWAP, book, fresh, request
from recorded_books import setup

from fsm_arb.backtest.curve import Curve
from fsm_arb.fx import StaticFx
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.values import Leg, Money, OrderBook, Side
from fsm_arb.virtual import VirtualClock, run

D = Decimal
BOOK = book()


class World:
    def __init__(self, fx: Any = None) -> None:
        self.clock = VirtualClock()
        self.venues = {
            "alpha": PaperVenue.from_rules("alpha", [QUOTED], {"BTC": 50, "USDT": 1000}, clock=self.clock),
            "beta": PaperVenue.from_rules("beta", [SWAP], {"USDT": 1000}, clock=self.clock),
        }
        made = setup(
            legs=(ALPHA, BETA),
            rules=(QUOTED, SWAP),
            balances={"alpha": {}, "beta": {}},
            notional=Money(D(1), "USDT"),
        )
        self.curve = Curve(made, self.venues, fx or StaticFx({}))

    def feed(self, first: OrderBook = BOOK, second: OrderBook = BOOK) -> None:
        self.venues["alpha"].feed(ALPHA.symbol, first)
        self.venues["beta"].feed(BETA.symbol, second)

    def trade(self, leg: Leg, side: Side, bound: Any, name: str = "c") -> None:
        asked = request(side, 1, bound, symbol=leg.symbol, client_order_id=name)
        run(self.venues[leg.exchange].place(asked, fresh), self.clock)

    def worth(self) -> Decimal:
        self.curve.mark(1, D(0))
        return self.curve.marks[-1].worth


def test_what_is_merely_held_makes_nothing() -> None:
    """However its price moves."""
    world = World()
    world.feed()
    assert world.worth() == 0
    world.feed(book(((200, 1),), ((201, 1),)))
    assert world.worth() == 0


def test_a_hedge_is_worth_what_closing_it_at_the_middle_brings_less_fees() -> None:
    """Half the gap of each book and both fees are lost at once; a move of both prices changes nothing."""
    world = World()
    world.feed()
    world.trade(ALPHA, Side.SELL, 100)
    assert world.worth() == D("-0.5") - D("0.1")
    world.trade(BETA, Side.BUY, 101)
    lost = -D("0.5") * 2 - D("0.1") - D("0.0505")
    assert world.worth() == lost
    world.feed(book(((110, 1),), ((111, 1),)), book(((110, 1),), ((111, 1),)))
    assert world.worth() == lost
    world.feed(book(((109, 1),), ((110, 1),)), book(((110, 1),), ((111, 1),)))
    assert world.worth() == lost + 1


def test_a_contract_is_marked_to_its_own_book() -> None:
    """Short: a higher price is a loss."""
    world = World()
    world.feed()
    world.trade(BETA, Side.SELL, 100)
    world.feed(second=book(((104, 1),), ((105, 1),)))
    assert world.worth() == D(100) - D("104.5") - D("0.05")


@pytest.mark.parametrize("empty", ["alpha", "beta"])
def test_without_a_price_nothing_is_marked(empty: str) -> None:
    """Nor before the first book."""
    world = World()
    world.curve.mark(1, D(0))
    world.feed(*(OrderBook(bids=(), asks=()) if name == empty else BOOK for name in ("alpha", "beta")))
    world.curve.mark(2, D(0))
    assert world.curve.marks == []


def test_without_a_rate_nothing_is_marked() -> None:
    """Money of two currencies is never added up."""
    clock = VirtualClock()
    made = setup()
    venues = {
        leg.exchange: PaperVenue.from_rules(leg.exchange, [rules], {}, clock=clock)
        for leg, rules in zip(made.legs, made.rules, strict=True)
    }
    for leg in made.legs:
        venues[leg.exchange].feed(leg.symbol, book())
    for fx, count in ((StaticFx({}), 0), (StaticFx({"USDT/KRW": 1400}), 1)):
        curve = Curve(made, venues, fx)
        curve.mark(1, D("0.5"))
        assert len(curve.marks) == count
    assert (curve.marks[0].at_ns, curve.marks[0].exposure) == (1, D("0.5"))
