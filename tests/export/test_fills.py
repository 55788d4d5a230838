"""What was executed, piece by piece, and the sums over the pieces."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_journals import matched, mended, records
from worlds import Walk, fill, intent, sized, snapshot

from fsm_arb.export.fills import Book, cost_of, fills_of
from fsm_arb.memory import Memory
from fsm_arb.messages import Busted, Judged, Observed
from fsm_arb.orders import Order, merged
from fsm_arb.ports import Record
from fsm_arb.values import EXACT, ZERO, Fee, Side

if TYPE_CHECKING:
    from fsm_arb.export.columns import Row
    from fsm_arb.export.fills import Piece

D = Decimal
SHOWN = ("client_order_id", "venue_trade_id", "kind", "amount", "price", "price_from", "cost", "fee", "fee_currency")


def rows(walk: Walk) -> list[Row]:
    return list(fills_of(records(walk)))


def shown(walk: Walk, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns or SHOWN) for row in rows(walk)]


def test_executions_that_add_up_are_told_as_the_venue_told_them() -> None:
    """And elsewhere each reading tells what is new: first at the average, then at what two averages make of it."""
    assert shown(matched()) == [
        ("c0", "x1", "fill", 4, 100, "execution", 400, D("0.4"), "USD"),
        ("c0", "x2", "fill", 6, 101, "execution", 606, D("0.6"), "USD"),
        ("c1", None, "fill", 3, 100, "average", 300, D("0.3"), "USDT"),
        ("c1", None, "fill", 2, 101, "difference", 202, D("0.2"), "USDT"),
        ("c1", None, "fill", 5, 101, "difference", 505, D("0.2"), "USDT"),
        ("c1", None, "correction", 0, None, None, None, D("0.01"), "BNB"),
    ]


def test_a_row_says_when_where_and_why() -> None:
    """Every column of the table is there, empty or not."""
    first = rows(matched())[0]
    said = {name: first[name] for name in ("exchange", "symbol", "trade_id", "venue_order_id", "side", "purpose")}
    assert list(said.values()) == ["alpha", "BTC/USD", "t1", "v0", "sell", "first"]
    ats = [row["at"] for row in rows(matched())]
    assert ats == [0, 0, 10**9, 2 * 10**9, 3 * 10**9, 3 * 10**9]
    walk = Walk().fills(0, fills=(evolve(fill("x", 10), at_ms=1_234),))
    assert [(row["executed_at"], row["seq"]) for row in rows(walk)] == [(1_234_000_000, 7)]


def test_what_was_taken_back_and_what_was_traded_by_hand_are_rows_of_their_own() -> None:
    """The one is negative, the other has no order."""
    assert shown(mended(), "client_order_id", "side", "purpose", "kind", "amount", "cost", "fee") == [
        ("c0", "sell", "first", "fill", 10, 1000, None),
        ("c2", "buy", "complete", "fill", 10, 1000, None),
        ("c2", "buy", "complete", "bust", -2, -200, None),
        (None, "buy", "operator", "external", 2, 198, D("0.2")),
    ]


def test_an_operators_verdict_is_told_as_one() -> None:
    """Whatever the venue had said of executions before."""
    walk = Walk(doubt_max_s=1).fills(0).doubt(1)
    walk.tell(Judged(now=walk.ns, order=1, filled=D(10), price=D(98), reason="seen on the website"))
    assert shown(walk, "kind", "amount", "price", "cost")[1:] == [("judged", 10, 98, 980)]
    walk = Walk(doubt_max_s=1).fills(0).ack(1, 10, fills=(fill("x", 10),))
    walk.tell(Judged(now=walk.ns, order=1, filled=D(10), price=D(98), reason="seen on the website"))
    told = shown(walk, "kind", "amount", "price", "cost")[1:]
    assert told == [("fill", 10, 100, 1000), ("judged", 0, None, -20)]


def test_a_price_that_is_told_late_corrects_the_cost() -> None:
    """The amount was told without a price; later one comes for all of it."""
    walk = Walk().fills(1).ack(0, 4, average=None).see(0, 4, average=D(101)).see(0, 10, ended=True, average=D(102))
    assert shown(walk, "kind", "amount", "price", "cost")[1:] == [
        ("fill", 4, None, None),
        ("correction", 0, None, 404),
        ("fill", 6, None, 616),  # 102.666...: no exact number
    ]


def test_a_fee_of_the_order_goes_to_its_only_execution() -> None:
    """Of several executions none can be said to have paid it."""
    fees = (Fee(D(1), "USD"),)
    one, two = (fill("x", 10),), (fill("x", 4), fill("y", 6))
    assert shown(Walk().fills(0, fills=one, fees=fees), "kind", "fee") == [("fill", 1)]
    several = shown(Walk().fills(0, fills=two, fees=fees), "kind", "amount", "fee")
    assert several == [("fill", 4, None), ("fill", 6, None), ("correction", 0, 1)]


def test_a_trade_that_never_traded_has_no_rows() -> None:
    """Nor has one of no records."""
    assert rows(Walk().refuse(0).refuse(1)) == []
    assert list(fills_of([])) == []


# ------------------------------------------------------------------ sums


def totals(pieces: list[Piece]) -> tuple[Decimal, Decimal, dict[str, Decimal]]:
    """Return amount, cost and fees over all pieces."""
    fees: Counter[str] = Counter()
    for piece in pieces:
        if piece.fee:
            fees[piece.fee.currency] = EXACT.add(fees[piece.fee.currency] or ZERO, piece.fee.amount)  # type: ignore[assignment,arg-type]
    amount = cost = ZERO
    for piece in pieces:
        amount, cost = EXACT.add(amount, piece.amount), EXACT.add(cost, piece.cost or ZERO)
    return amount, cost, {name: value for name, value in fees.items() if value}  # type: ignore[misc]


AMOUNTS = st.integers(0, 100).map(lambda n: D(n) / 10)
PRICES = st.integers(9_900, 10_100).map(lambda n: D(n) / 100)
FEES = st.one_of(st.none(), st.lists(st.sampled_from(["USD", "BNB"]), unique=True, max_size=2))
READINGS = st.lists(
    st.tuples(AMOUNTS, st.one_of(st.none(), PRICES), FEES, st.integers(0, 3), st.booleans(), st.integers(0, 9)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200)
@given(READINGS)
def test_pieces_add_up_to_what_the_order_has_come_to(readings: list[tuple[Any, ...]]) -> None:
    """Whatever a venue shows, in whatever order, and whatever it takes back: amount, cost, and fees asset by asset."""
    order = Order(intent=intent(amount=10), base="BTC", deadline=0)
    book, plan = Book(order, "USD"), sized().legs[0]
    ledger_order = order
    for seq, (filled, average, currencies, executions, ended, step) in enumerate(readings, 1):
        if step == 0 and ledger_order.filled:
            fact: Any = Busted(now=seq, order=0, amount=ledger_order.filled / 2, reason="")
            later = ledger_order.changed(busted=ledger_order.busted + fact.amount)
        else:
            fees = None if currencies is None else tuple(Fee(filled / 1000, each) for each in currencies)
            part = filled // 1
            parts = {0: (), 1: (filled,), 2: (part, filled - part), 3: (part,)}[executions]  # the last: not all of it
            fills = tuple(fill(f"x{n}", each, average or 100) for n, each in enumerate(parts))
            shown = snapshot(filled, ended=ended, average=average, fees=fees, fills=fills)
            fact, later = Observed(now=seq, order=0, snapshot=shown), merged(ledger_order, shown, plan, seq)
        if later is not ledger_order:
            book.take(record(seq), later, fact)
        ledger_order = later
    amount, cost, charged = totals(list(book.told()))
    assert amount == ledger_order.filled
    assert charged == {fee.currency: fee.amount for fee in ledger_order.fees if fee.amount}
    total = cost_of(ledger_order)
    if total is not None:
        assert abs(cost - total) < D("1e-40")


def record(seq: int) -> Record:
    return Record(
        seq=seq,
        stream="trade/t1",
        stream_seq=seq,
        epoch=1,
        at_ns=seq,
        trigger="observed",
        state_before="",
        state_after="",
        payload="",
        previous_hash="",
        hash="",
    )


def test_rows_of_walked_trades_add_up_to_their_ledgers() -> None:
    """Over all orders of a trade, by side and asset."""
    for walk in (matched(), mended()):
        trade = Memory.fold("t", walk.entries, lambda: "")
        for order in trade.orders:
            mine = [row for row in rows(walk) if row["client_order_id"] == order.intent.client_order_id]
            assert sum((row["amount"] for row in mine), ZERO) == order.filled  # type: ignore[misc]
        assert {row["side"] for row in rows(walk)} == {Side.BUY.value, Side.SELL.value}
