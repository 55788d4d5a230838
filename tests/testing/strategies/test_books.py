"""Books and balances that are drawn: never crossed, best level first, and sometimes nothing at all."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.testing.strategies.books import PLENTY, balances, deep_book, order_books, rich
from fsm_arb.testing.strategies.markets import market_rules
from fsm_arb.values import Balances, OrderBook, Side

D = Decimal
RULES = find(market_rules(), lambda _: True)


@given(order_books(D(200), least=D("0.5")))
def test_a_book_is_sorted_and_not_crossed(book: OrderBook) -> None:
    """No venue shows another."""
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert not bids or not asks or bids[0] < asks[0]
    assert all(level.amount % D("0.5") == 0 and level.amount > 0 for level in (*book.bids, *book.asks))


def test_empty_thin_and_far_books_are_reached() -> None:
    """Each has made a remedy impossible somewhere."""
    empty = find(order_books(), lambda book: not book.bids and bool(book.asks))
    assert empty.touch(Side.SELL) is None
    thin = find(order_books(D(100), least=D(1)), lambda book: book.depth(Side.BUY, D(10**6)) == 1)
    assert thin.vwap(Side.BUY, D(2)) is None
    assert find(order_books(D(100)), lambda book: any(level.price > 119 for level in book.asks))


@given(order_books(D(100), drifts=st.just(D("0.5"))))
def test_a_drift_that_is_given_is_the_only_one(book: OrderBook) -> None:
    """Levels stay within a fraction of the middle."""
    assert all(abs(level.price - 150) < 1 for level in (*book.bids, *book.asks))


def test_a_deep_book_takes_anything_at_the_price() -> None:
    """So that what cannot be traded there cannot be traded."""
    assert deep_book(D(100)).vwap(Side.BUY, D(10**6)) < D("100.02")


def test_balances_are_plenty_first_and_may_be_nothing() -> None:
    """Of every asset of the markets that were named."""
    assert find(balances(RULES), lambda _: True) == rich(RULES) == Balances(free={"BTC": PLENTY, "USD": PLENTY})
    assert find(balances(RULES), lambda drawn: drawn.of("BTC") == 0).of("BTC") == 0
