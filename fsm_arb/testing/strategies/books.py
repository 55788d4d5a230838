"""Order books and balances: deep, thin, one-sided, empty, far from where the decision was made."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from fsm_arb.testing.strategies.amounts import decimals, moves
from fsm_arb.testing.strategies.markets import PRICE
from fsm_arb.values import ONE, ZERO, Balances, Level, MarketRules, OrderBook, ceil_to, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import SearchStrategy

_HALF_SPREAD = Decimal("0.0001")  # fraction of the price
_STEP = Decimal("0.0005")  # between two levels, fraction of the price
_LEVELS_MAX = 4
PLENTY = Decimal(10) ** 12


def order_books(
    price: Decimal = PRICE,
    *,
    least: Decimal = Decimal("0.01"),
    tick: Decimal = ZERO,
    drifts: SearchStrategy[Decimal] | None = None,
    sides_max: int = _LEVELS_MAX,
) -> SearchStrategy[OrderBook]:
    """Draw books around *price*: uncrossed, best level first, each level a multiple of *least*.

    Args:
        price: Quote per base, where the middle would be if nothing had moved.
        least: Base, the smallest amount of a level.
        tick: Quote, the price grid; zero: none.
        drifts: How far the middle has moved, as a fraction; None: up to a fifth either way.
        sides_max: The most levels a side; a side may be empty.
    """
    amounts = st.lists(
        st.sampled_from((least * 100_000, least)) | decimals(least, least * 1000, least), max_size=sides_max
    )
    return st.builds(
        _book,
        price=st.just(price),
        tick=st.just(tick),
        drift=drifts if drifts is not None else moves(),
        bids=amounts,
        asks=amounts,
    )


def _book(
    *, price: Decimal, tick: Decimal, drift: Decimal, bids: Iterable[Decimal], asks: Iterable[Decimal]
) -> OrderBook:
    middle = price * (ONE + drift)
    best_bid = floor_to(middle * (ONE - _HALF_SPREAD), tick)
    best_ask = ceil_to(middle * (ONE + _HALF_SPREAD), tick)
    step = ceil_to(middle * _STEP, tick)
    return OrderBook(
        bids=(Level(best_bid - step * place, amount) for place, amount in enumerate(bids)),
        asks=(Level(best_ask + step * place, amount) for place, amount in enumerate(asks)),
    )


def deep_book(price: Decimal = PRICE, amount: Decimal = PLENTY) -> OrderBook:
    """Return a book with *amount* at either side of *price*."""
    return _book(price=price, tick=ZERO, drift=ZERO, bids=[amount], asks=[amount])


def rich(*rules: MarketRules) -> Balances:
    """Return balances that pay for anything on these markets."""
    return Balances(free={asset: PLENTY for each in rules for asset in (each.base, each.quote)})


def balances(*rules: MarketRules) -> SearchStrategy[Balances]:
    """Draw balances of the assets of these markets: plenty of each most of the time, else little or none."""
    assets = sorted({asset for each in rules for asset in (each.base, each.quote)})
    little = st.sampled_from((Decimal("0.01"), Decimal(1), Decimal(100)))
    drawn = st.fixed_dictionaries({asset: st.just(PLENTY) | st.just(Decimal(0)) | little for asset in assets})
    return st.just(rich(*rules)) | drawn.map(lambda free: Balances(free=free))
