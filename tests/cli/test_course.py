"""What a demonstration trades: the same for the same seed, and of every kind."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from fsm_arb.cli.course import EXIT_EVERY, KOREA, RECORDED, Setting, course, entry, leave
from fsm_arb.position import CrossExchangePosition
from fsm_arb.values import Action, Level, OrderBook, Side


def book(bid: int) -> OrderBook:
    return OrderBook(bids=(Level(Decimal(bid), Decimal(1)),), asks=(Level(Decimal(bid + 1), Decimal(1)),))


BOOKS = book(100), book(200)


def test_a_seed_asks_for_the_same_trades() -> None:
    """A demonstration that was killed asks again for what it asked before, under the same ids."""
    assert course(7, 40, KOREA) == course(7, 40, KOREA)
    assert course(7, 40, KOREA)[:20] == course(7, 20, KOREA)
    assert course(8, 40, KOREA) != course(7, 40, KOREA)
    assert [slot.decision_id for slot in course(7, 2, KOREA)] == ["demo-7-0000", "demo-7-0001"]


def test_every_kind_of_trade_is_asked_for() -> None:
    """Both directions, every asset, and a third as many exits as entries."""
    slots = course(7, 60, KOREA)
    assert {slot.action for slot in slots} == {Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE}
    assert {slot.base for slot in slots} == {"BTC", "ETH", "XRP"}
    assert sum(slot.exits for slot in slots) * EXIT_EVERY == 60
    assert not slots[0].exits


@pytest.mark.parametrize("setting", [KOREA, RECORDED], ids=["korea", "recorded"])
def test_a_notional_lies_within_its_bounds(setting: Setting) -> None:
    """In the quote currency of the first leg; a decision is refused otherwise."""
    least, most = setting.notional
    for slot in course(1, 50, setting):
        assert least <= slot.notional.amount <= most
        assert slot.notional.amount % setting.step == 0
        assert slot.notional.currency == setting.legs(slot.base)[0].quote


@pytest.mark.parametrize(
    ("action", "prices"), [(Action.ENTRY_POSITIVE, (100, 201)), (Action.ENTRY_NEGATIVE, (101, 200))]
)
def test_an_entry_is_decided_on_the_prices_it_would_meet(action: Action, prices: tuple[int, int]) -> None:
    """It sells at the bid and buys at the ask."""
    slot = evolve(course(7, 1, KOREA)[0], action=action, base="BTC")
    decision = entry(slot, KOREA.legs("BTC"), BOOKS)
    assert decision.prices == prices
    assert decision.action is action
    assert decision.books == BOOKS


def test_an_exit_names_its_position_and_reverses_it() -> None:
    """It buys back at the ask what the entry sold."""
    position = CrossExchangePosition(
        position_id="P-1",
        state="OPEN",
        legs=KOREA.legs("BTC"),
        sides=(Side.SELL, Side.BUY),
        entry_trade_id="1",
        entry_quantity=Decimal(1),
        entry_prices=(None, None),
        leasts=(Decimal(0), Decimal(0)),
        fx=Decimal(1400),
    )
    decision = leave(course(7, 1, KOREA)[0], position, BOOKS)
    assert decision.position_id == "P-1"
    assert decision.notional is None
    assert decision.prices == (101, 200)


def test_an_empty_book_is_no_ground_for_a_decision() -> None:
    """There is no price to decide on."""
    empty = OrderBook(bids=(), asks=())
    with pytest.raises(LookupError, match="empty side"):
        entry(course(7, 1, KOREA)[0], KOREA.legs("BTC"), (BOOKS[0], empty))
