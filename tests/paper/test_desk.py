"""An executor over paper venues."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from papers import ALPHA, BETA, QUOTED, SWAP, UP, book, context, desk, entry, leaving

from fsm_arb.errors import UnknownVenue
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.paper.desk import PaperDesk
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.values import Health, HealthStatus, Leg
from fsm_arb.virtual import VirtualClock, run

D = Decimal


def test_in_and_out_again_on_paper() -> None:
    """The same result, position and journal as for money."""
    clock = VirtualClock()

    async def play() -> None:
        async with desk(clock) as paper:
            paper.feed(context((book(), book())))
            entered = await paper.execute_decision(entry())
            assert (entered.status, entered.net_exposure) == ("success", 0)
            assert paper.trade("d1") == entered
            (position,) = paper.executor.positions()
            assert (position.state, position.quantity) == ("OPEN", 1)
            paper.feed(context((book(((100, 3),)), book(((100, 3),)))))
            left = await paper.execute_decision(leaving(entered.position_id))
            assert left.status == "success"
            assert [each.state for each in paper.executor.positions()] == ["CLOSED"]
            assert [venue.positions() for venue in paper.venues.values()] == [(), ()]

    run(play(), clock)


def test_each_venue_gets_its_book_and_the_health_of_the_real_one() -> None:
    """Of one context or several; secrets are needed for nothing, and what is no context is passed over."""
    clock = VirtualClock()
    paper = desk(clock)
    low = Health(status=HealthStatus.DEGRADED, note="slow", has_secrets=False)
    paper.feed([{"no": "context"}, context((book(), None), health=(UP, low))])
    assert paper.venues["alpha"].latest("BTC/USDT") == book()
    assert paper.venues["beta"].latest("BTC/USDT:USDT") is None
    assert paper.venues["beta"].health_now == Health(status=HealthStatus.DEGRADED, note="slow")
    paper.feed("nothing")
    paper.feed(None)


def test_who_feeds_by_hand_is_not_disturbed() -> None:
    """A context's books are older than a feed's own."""
    clock = VirtualClock()
    paper = desk(clock, fed_by_contexts=False)
    paper.feed(context((book(), book())))
    assert paper.venues["alpha"].latest("BTC/USDT") is None


def test_a_context_of_elsewhere_is_an_error() -> None:
    """Trades of it would meet no book."""
    other = Leg("gamma", "BTC/USDT")
    with pytest.raises(UnknownVenue, match="gamma"):
        desk(VirtualClock()).feed(context((book(), book()), legs=(other, BETA)))


class Real:
    """A venue of the port that tells its rules, and must never be asked for more."""

    def __init__(self, rules: Any) -> None:
        self._rules = {each.symbol: each for each in rules}
        self.asked: list[str] = []

    async def rules(self, symbol: str) -> Any:
        self.asked.append(symbol)
        return self._rules[symbol]

    async def place(self, *_: Any) -> Any:
        raise AssertionError("an order for money")

    observe = place


def test_a_desk_takes_the_rules_of_real_venues() -> None:
    """Each is asked once for each market; orders go nowhere near them."""
    clock = VirtualClock()
    alpha, beta = Real([QUOTED]), Real([SWAP])

    async def play() -> None:
        paper = await PaperDesk.over(
            {"alpha": alpha, "beta": beta, "gamma": object()},
            [ALPHA, BETA, ALPHA],
            {"alpha": {"USDT": 1000, "BTC": 5}, "beta": {"USDT": 1000}},
            MemoryJournal(),
            clock=clock,
            latency_ms=10,
        )
        assert (alpha.asked, beta.asked, set(paper.venues)) == (["BTC/USDT"], ["BTC/USDT:USDT"], {"alpha", "beta"})
        async with paper:
            paper.feed(context((book(), book())))
            assert (await paper.execute_decision(entry())).status == "success"
            clock.advance(11_000_000_000)  # and a feed that has died is noticed
            assert (await paper.venues["alpha"].health()).status is HealthStatus.DOWN

    run(play(), clock)


def test_a_desk_over_venues_that_are_not_there() -> None:
    """The leg is named."""
    with pytest.raises(UnknownVenue, match="alpha"):
        run(PaperDesk.over({}, [ALPHA], {}, MemoryJournal()), VirtualClock())


def test_an_account_that_begins_with_nothing_can_buy_nothing() -> None:
    """A venue whose balances were left out."""
    clock = VirtualClock()

    async def play() -> None:
        paper = await PaperDesk.over({"alpha": Real([QUOTED])}, [ALPHA], {}, MemoryJournal(), clock=clock)
        assert isinstance(paper.venues["alpha"], PaperVenue)
        assert paper.venues["alpha"].owned() == {}

    run(play(), clock)
