"""A paper venue under whatever is fed and asked for: no fill beyond book or bound, money moves by fills less fees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from papers import QUOTED, SPOT, SWAP, book, fresh, request, venue

from fsm_arb.values import Level, OrderBook, OrderType, Side
from fsm_arb.virtual import run

D = Decimal

AMOUNTS = st.decimals(min_value=D("0.002"), max_value=D(4), places=3)
PRICES = st.integers(min_value=90, max_value=110).map(D)


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    """A few levels a side, never crossed."""
    bids = sorted(draw(st.sets(st.integers(80, 99), min_size=1, max_size=4)), reverse=True)
    asks = sorted(draw(st.sets(st.integers(bids[0] + 1, 120), min_size=1, max_size=4)))
    return OrderBook(
        bids=[Level(D(price), draw(AMOUNTS)) for price in bids], asks=[Level(D(price), draw(AMOUNTS)) for price in asks]
    )


ORDERS = st.tuples(st.sampled_from(Side), AMOUNTS, PRICES, st.sampled_from(OrderType))


@settings(max_examples=60)
@given(
    rules=st.sampled_from([SPOT, QUOTED, SWAP]),
    steps=st.lists(st.one_of(books(), ORDERS), min_size=1, max_size=12),
)
def test_no_fill_is_beyond_the_book_or_the_bound_and_money_moves_by_fills_less_fees(
    rules: Any, steps: list[Any]
) -> None:
    """Whatever is fed and asked for: per book and level, per order, and per account, counted by hand."""
    paper = venue(rules)
    begins = paper.owned()
    left = {Side.BUY: {D(101): D(1), D(102): D(2)}, Side.SELL: {D(100): D(1), D(99): D(2)}}
    asked: dict[str, Any] = {}
    seen = 0
    last: OrderBook | None = book()
    for number, step in enumerate(steps):
        if isinstance(step, OrderBook):
            paper.feed(rules.symbol, step)
            if last is None or (step.bids, step.asks) != (last.bids, last.asks):
                left = {side: {level.price: level.amount for level in step.against(side)} for side in Side}
            last = step
        else:
            side, amount, bound, kind = step
            asked[f"c{number}"] = step
            changes = {"order_type": kind, "symbol": rules.symbol, "client_order_id": f"c{number}"}
            run(paper.place(request(side, amount, bound, **changes), fresh), paper._clock)  # type: ignore[arg-type]
        for fill in paper.executions[seen:]:
            side, _, bound, kind = asked[str(fill.client_id)]
            if kind is not OrderType.MARKET:
                assert (fill.price - bound) * side.sign <= 0
            # A taker pays what stands there; whoever rested is met by anything that reaches its price.
            levels = left[side]
            reached = (
                sorted(price for price in levels if (price - fill.price) * side.sign <= 0)
                if fill.maker
                else [fill.price]
            )
            need = fill.amount
            for price in reached if side is Side.BUY else reached[::-1]:
                used = min(need, levels[price])
                levels[price] -= used
                need -= used
            assert need == 0
        seen = len(paper.executions)
    for name, (_, amount, _, _) in asked.items():
        assert sum(fill.amount for fill in paper.executions if fill.client_id == name) <= amount
    expected = dict(begins)
    for fill in paper.executions:
        if rules.spot:
            expected["BTC"] += fill.side.sign * fill.amount
            expected["USDT"] -= fill.side.sign * fill.amount * fill.price
        else:
            expected["USDT"] += fill.realised
        expected[fill.fee_asset] -= fill.fee
        rate = rules.maker_fee if fill.maker else rules.taker_fee
        worth = fill.amount if fill.fee_asset == "BTC" else fill.amount * fill.price
        assert 0 <= worth * rate - fill.fee < D("0.00000001")
    assert paper.owned() == expected
    assert rules is SWAP or all(amount >= 0 for amount in paper.owned().values())  # margin can be lost, an asset cannot
    held = sum((position.amount for position in paper.positions()), D(0))
    assert held == (0 if rules.spot else sum((fill.side.sign * fill.amount for fill in paper.executions), D(0)))
