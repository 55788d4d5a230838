"""Positions: opened by entries, closed by exits, amended by what comes late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve, fields
from worlds import SECOND, Walk, entry, leaving

from fsm_arb.errors import MachineError, PositionNotOpen
from fsm_arb.machines.position import Cause
from fsm_arb.position import Position, PositionEntry
from fsm_arb.values import Action, Fee, Level, OrderBook, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def entered(quantity: Any = 10, **changes: Any) -> tuple[Position, Walk]:
    """Enter ten at 101 and 99, and hold what both filled."""
    walk = Walk(**changes).ack(0, quantity, ended=True, average=D(101)).ack(1, quantity, ended=True, average=D(99))
    position, entries = Position.opened("P-t1", walk.trade)
    assert moves(entries) == [("opened", "OPEN", "OPEN")]
    return position, walk


def moves(entries: tuple[PositionEntry, ...]) -> list[tuple[str, str, str]]:
    return [(each.trigger, each.before, each.after) for each in entries]


def left(quantity: Any, name: str = "t2", **changes: Any) -> Walk:
    """Return an exit of ten that closes *quantity*."""
    walk = Walk(leaving(), name=name, sides=(BUY, SELL), quantity=D(10), **changes)
    return walk.ack(0, quantity, ended=True).ack(1, quantity, ended=True) if D(quantity) else walk.refuse(0).refuse(1)


# ------------------------------------------------------------------ opening


def test_a_booked_entry_opens_a_position_of_what_it_matched() -> None:
    """With the true averages, both least orders, and the rate."""
    value = entered(8)[0].value
    assert (value.state, value.quantity, value.entry_quantity, value.entry_trade_id) == ("OPEN", 8, 8, "t1")
    assert (value.entry_prices, value.leasts, value.fx, value.sides) == (
        (101, 99),
        (D("0.1"), D("0.2")),
        1,
        (SELL, BUY),
    )
    assert (value.legs, value.pnls, value.realised_pnl) == (entry().legs, (("t1", D(16)),), 16)
    assert entered(8, decision=entry(Action.ENTRY_NEGATIVE))[0].value.sides == (BUY, SELL)


def test_what_booked_nothing_opens_no_position() -> None:
    """A failed trade, or one that is not over."""
    for walk in (Walk(), Walk(begin=False), Walk().refuse(0).refuse(1)):
        with pytest.raises(MachineError, match="nothing was booked"):
            Position.opened("P-t1", walk.trade)


def test_a_position_is_its_last_record() -> None:
    """Whole in each, so that one is enough to read."""
    position, walk = entered()
    facts = [Position.opened("P-t1", walk.trade)[1][0].fact]
    facts += [each.fact for each in position.exit_started("t2")]
    folded = Position.fold(facts)
    assert folded is not None
    assert folded.value == position.value
    assert Position.fold([]) is None


# ------------------------------------------------------------------ exits


def test_an_exit_closes_it() -> None:
    """To dust or less."""
    position, _ = entered()
    assert moves(position.exit_started("t2")) == [("exit_started", "OPEN", "CLOSING")]
    assert (position.value.state, position.value.exit_trade_id, position.closed) == ("CLOSING", "t2", False)
    assert moves(position.trade_ended(left(10).trade)) == [("exit_ended", "CLOSING", "CLOSED")]
    assert (position.value.quantity, position.value.exit_trade_id, position.closed) == (0, None, True)
    assert position.value.realised_pnl == 20


@pytest.mark.parametrize(
    ("closed", "state", "remains"),
    [(0, "OPEN", 10), (4, "OPEN", 6), ("9.8", "OPEN", "0.2"), ("9.81", "CLOSED", "0.19"), (10, "CLOSED", 0)],
)
def test_an_exit_leaves_what_it_did_not_close(closed: Any, state: str, remains: Any) -> None:
    """Open again with that, or closed where a leg's remainder is below its least order."""
    position, _ = entered()
    position.exit_started("t2")
    position.trade_ended(left(closed).trade)
    assert (position.value.state, position.value.quantity) == (state, D(remains))


def test_a_second_exit_closes_the_rest() -> None:
    """Each is remembered by its trade."""
    position, _ = entered()
    position.exit_started("t2")
    position.trade_ended(left(4).trade)
    position.exit_started("t3")
    position.trade_ended(left(6, "t3").trade)
    assert position.value.exits == (("t2", D(4)), ("t3", D(6)))
    assert position.closed


def test_a_position_has_one_exit_at_a_time() -> None:
    """A second one would sell the same base twice."""
    position, _ = entered()
    position.exit_started("t2")
    with pytest.raises(PositionNotOpen, match="position P-t1 is CLOSING, not OPEN"):
        position.exit_started("t3")
    position.trade_ended(left(10).trade)
    with pytest.raises(PositionNotOpen, match="is CLOSED"):
        position.exit_started("t3")
    assert position.value.exit_trade_id is None


def test_an_exit_that_was_blocked_leaves_it_open() -> None:
    """It was never sized: it made and lost nothing."""
    position, _ = entered()
    position.exit_started("t2")
    walk = Walk(leaving(), name="t2", begin=False, sides=(BUY, SELL), quantity=D(10)).abort()
    assert moves(position.trade_ended(walk.trade)) == [("exit_ended", "CLOSING", "OPEN")]
    assert (position.value.quantity, position.value.realised_pnl) == (10, 20)


# ------------------------------------------------------------------ amendments


def test_an_entry_that_ends_again_as_it_was_makes_no_record() -> None:
    """Nothing has changed."""
    position, walk = entered()
    assert position.trade_ended(walk.trade) == ()


def test_a_bust_amends_the_quantity() -> None:
    """Its twin was reduced, the position is smaller."""
    position, walk = entered()
    walk.bust(1, 3).silence(1).fills(2, average=D(101))
    assert moves(position.trade_ended(walk.trade)) == [("amended", "OPEN", "OPEN")]
    assert (position.value.quantity, position.value.entry_quantity) == (7, 7)


def test_a_bust_that_was_completed_amends_the_price() -> None:
    """Seven at 99 and three at 109 are ten at 102."""
    position, walk = entered()
    walk.bust(1, 3).silence(0).fills(2, average=D(109))
    assert moves(position.trade_ended(walk.trade)) == [("amended", "OPEN", "OPEN")]
    assert (position.value.quantity, position.value.entry_prices) == (10, (101, 102))


def test_an_entry_that_was_taken_back_whole_closes_it() -> None:
    """Nothing is left to exit."""
    position, walk = entered()
    walk.bust(1, 10).bust(0, 10)
    (record,) = position.trade_ended(walk.trade)
    assert moves((record,)) == [("amended", "OPEN", "CLOSED")]
    assert record.fact.cause is Cause.BUST
    assert position.value.quantity == 0


def test_an_amendment_while_it_closes_waits_for_the_exit() -> None:
    """It is recorded; the exit's end decides on the state."""
    position, walk = entered()
    position.exit_started("t2")
    walk.bust(1, 10).bust(0, 10)
    assert moves(position.trade_ended(walk.trade)) == [("amended", "CLOSING", "CLOSING")]
    assert moves(position.trade_ended(left(0).trade)) == [("exit_ended", "CLOSING", "CLOSED")]


def test_a_bust_of_the_exit_reopens_it() -> None:
    """Both legs hold base again."""
    position, _ = entered()
    position.exit_started("t2")
    out = left(10)
    position.trade_ended(out.trade)
    out.bust(1, 4).silence(1).fills(2)
    assert position.value.closed_at_ns is not None
    assert moves(position.trade_ended(out.trade)) == [("reopened", "CLOSED", "OPEN")]
    assert position.value.closed_at_ns is None
    assert position.value.quantity == 4


def test_a_closed_position_is_amended_in_its_records_only() -> None:
    """A late fee changes what it made, not that it is over."""
    position, _ = entered()
    position.exit_started("t2")
    out = left("9.9")
    position.trade_ended(out.trade)
    assert position.closed
    out.see(0, "9.95", ended=True, average=D(101))
    assert moves(position.trade_ended(out.trade)) == [("amended", "CLOSED", "CLOSED")]


def test_an_unknown_pnl_makes_the_whole_unknown() -> None:
    """Not a smaller number."""
    walk = Walk().fills(0, average=None).fills(1)
    position, _ = Position.opened("P-t1", walk.trade)
    assert position.value.realised_pnl is None


def turned() -> tuple[Position, Walk, Walk]:
    """Enter ten and leave it whole; of the entry three are taken back, and its twin is unwound."""
    position, walk = entered()
    position.exit_started("t2")
    out = left(10)
    position.trade_ended(out.trade)
    walk.bust(1, 3).silence(1).fills(2)
    (record,) = position.trade_ended(walk.trade)
    assert moves((record,)) == [("reopened", "CLOSED", "OPEN")]
    assert record.fact.cause is Cause.BUST
    return position, walk, out


def test_exits_of_more_than_was_entered_leave_a_position_the_other_way_round() -> None:
    """Three stand reversed on both venues: it is open, and says so."""
    value = turned()[0].value
    assert (value.entry_quantity, value.net, value.quantity, value.tradable) == (7, -3, 3, True)
    assert (value.reversed, value.sides, value.entry_sides) == (True, (BUY, SELL), (SELL, BUY))


def test_what_stands_the_other_way_round_is_left_like_any_other() -> None:
    """By an exit of the entry's own sides, which adds to it."""
    position, _, _ = turned()
    position.exit_started("t3")
    back = Walk(leaving(), name="t3", sides=(SELL, BUY), quantity=D(3)).fills(0).fills(1)
    assert moves(position.trade_ended(back.trade)) == [("exit_ended", "CLOSING", "CLOSED")]
    value = position.value
    assert value.exits == (("t2", D(10)), ("t3", D(-3)))
    assert (value.quantity, value.reversed, value.sides) == (0, False, (SELL, BUY))


def test_what_stands_the_other_way_round_ends_where_its_exit_is_taken_back_as_well() -> None:
    """Three of the exit were taken back and its twin unwound: nothing is left."""
    position, _, out = turned()
    out.bust(0, 3).silence(0).fills(2)
    assert moves(position.trade_ended(out.trade)) == [("amended", "OPEN", "CLOSED")]
    assert (position.value.quantity, position.value.reversed, position.value.sides) == (0, False, (SELL, BUY))


def test_dust_the_other_way_round_stays_closed() -> None:
    """No exit could be sent for it; it is recorded as it stands."""
    position, walk = entered()
    position.exit_started("t2")
    position.trade_ended(left(10).trade)
    walk.bust(1, "0.1").bust(0, "0.1")
    assert moves(position.trade_ended(walk.trade)) == [("amended", "CLOSED", "CLOSED")]
    assert (position.value.net, position.value.reversed, position.value.tradable) == (D("-0.1"), True, False)


def test_a_late_fill_that_could_not_all_be_traded_back_reopens_it_and_is_called_no_bust() -> None:
    """Nine of ten that came twice were sold again, the tenth could only be matched: one is hedged that nobody left."""
    walk = Walk().fills(0).ack(1, 0, ended=True).silence(0).fills(2)
    position, _ = Position.opened("P-t1", walk.trade)
    position.exit_started("t2")
    position.trade_ended(left(10).trade)
    assert position.closed
    walk.see(1, 10, ended=True).look().ack(3, 9, ended=True).later(10).silence(1).fills(4)
    assert (walk.trade.state, walk.trade.booked_quantity) == ("DONE", 11)
    (record,) = position.trade_ended(walk.trade)
    assert (record.trigger, record.after, record.fact.cause) == ("reopened", "OPEN", Cause.AMENDMENT)
    assert (position.value.quantity, position.value.reversed) == (1, False)


def test_an_entry_that_only_the_wrong_way_round_could_hedge_opens_a_position_of_that() -> None:
    """Its first order was taken back after its unwind, and that venue is silent: what stands is held as it stands."""
    walk = Walk(remedy="unwind", attempts_max=1).fills(0).refuse(1).look().fills(2)
    assert walk.trade.done
    walk.bust(0, 10).silence(0).fills(3)
    assert (walk.trade.state, walk.trade.booked_quantity) == ("DONE", -10)
    assert walk.trade.end_note == "both legs stand the wrong way round; only that could be sent after a bust"
    position, _ = Position.opened("P-t1", walk.trade)
    value = position.value
    assert (value.state, value.entry_quantity, value.quantity) == ("OPEN", -10, 10)
    assert (value.reversed, value.sides, value.entry_sides) == (True, (BUY, SELL), (SELL, BUY))


def test_an_ended_exit_that_the_position_does_not_know_is_no_exit_of_it() -> None:
    """The machine has no such move from OPEN; what it closed is recorded all the same."""
    position, _ = entered()
    assert moves(position.trade_ended(left(4).trade)) == [("amended", "OPEN", "OPEN")]
    assert position.value.quantity == 6


# ------------------------------------------------------------------ what it is worth


def book(bid: Any, ask: Any, depth: Any = 100) -> OrderBook:
    return OrderBook(bids=(Level(D(bid), D(depth)),), asks=(Level(D(ask), D(depth)),))


def test_what_closing_now_would_bring_is_added_to_what_was_realised() -> None:
    """Ten sold at 101 and bought at 99 have realised 20; bought back at 102 and sold at 97, half of that is lost."""
    value = entered()[0].value
    assert value.realised_pnl == 20
    assert value.unrealised_pnl((book(99, 100), book(100, 101))) == 0
    assert value.unrealised_pnl((book(101, 102), book(97, 98))) == -50
    assert evolve(value, sides=(BUY, SELL)).unrealised_pnl((book(101, 102), book(97, 98))) == 30


def test_money_of_another_currency_is_worth_what_it_is_worth_now() -> None:
    """At the rate that is given, else at the one of the entry."""
    value = evolve(entered()[0].value, fx=D(2))
    books = (book(99, 100), book(50, 51))
    assert value.unrealised_pnl(books) == 0
    assert value.unrealised_pnl(books, D(3)) == 500
    assert value.unrealised_pnl(books, D(0)) == -1000


def test_books_too_thin_to_close_it_give_no_number() -> None:
    """On either leg; what holds nothing is worth nothing, whatever the books."""
    value = entered()[0].value
    enough, thin = book(99, 101, 10), book(99, 101, D("9.9"))
    assert value.unrealised_pnl((enough, enough)) == -20
    assert value.unrealised_pnl((thin, enough)) is None
    assert value.unrealised_pnl((enough, thin)) is None
    assert evolve(value, entry_quantity=D(0)).unrealised_pnl((thin, thin)) == 0


def test_it_is_worth_nothing_at_the_books_of_another_number_of_legs() -> None:
    """One too many is a mistake of the caller, and no book to be left out."""
    three: Any = (book(99, 101),) * 3
    with pytest.raises(ValueError, match="longer"):
        entered()[0].value.unrealised_pnl(three)


def test_it_is_held_from_its_booking_until_nothing_but_dust_is_left() -> None:
    """And for longer while it is not closed."""
    position, walk = entered()
    opened = walk.trade.ended_at_ns
    assert opened is not None
    assert (position.value.opened_at_ns, position.value.closed_at_ns) == (opened, None)
    assert position.value.held_ns(opened + 7) == 7
    position.exit_started("t2")
    assert position.value.closed_at_ns is None
    out = left(10)
    position.trade_ended(out.trade)
    assert (position.value.state, position.value.closed_at_ns) == ("CLOSED", out.trade.ended_at_ns)
    assert position.value.held_ns(opened + 10**18) == out.trade.ended_at_ns - opened


def test_how_long_it_was_held_is_from_one_booking_to_the_other() -> None:
    """Not from when its trades began: entered at three seconds of its clock, left at eight."""
    position, _ = Position.opened("P-t1", Walk().at(2).ack(0, 10, ended=True).at(3).ack(1, 10, ended=True).trade)
    position.exit_started("t2")
    out = Walk(leaving(), name="t2", sides=(BUY, SELL), quantity=D(10))
    position.trade_ended(out.at(7).ack(0, 10, ended=True).at(8).ack(1, 10, ended=True).trade)
    value = position.value
    assert (value.opened_at_ns, value.closed_at_ns) == (3 * SECOND, 8 * SECOND)
    assert value.held_ns(99 * SECOND) == 5 * SECOND


def test_an_entry_that_is_taken_back_closes_it_when_that_was_settled() -> None:
    """When its entry ended again, not when it was booked."""
    walk = Walk().fills(0).fills(1)
    position, _ = Position.opened("P-t1", walk.trade)
    position.trade_ended(walk.at(4).bust(1, 10).at(6).bust(0, 10).trade)
    assert (walk.state, position.value.state, position.value.quantity) == ("DONE", "CLOSED", 0)
    assert (position.value.opened_at_ns, position.value.closed_at_ns) == (0, 6 * SECOND)


def test_a_record_that_says_no_moment_says_zero() -> None:
    """Of a version that did not know it."""
    value = entered()[0].value
    said = {each.name: getattr(value, each.name) for each in fields(type(value)) if "_at_ns" not in each.name}
    old = type(value)(**said)
    assert (old.opened_at_ns, old.closed_at_ns) == (0, None)


def test_fees_are_summed_over_entry_and_exits() -> None:
    """One sum an asset; a trade that tells its fees again counts once."""
    position, _ = entered()
    some, more = (Fee(D(1), "USDT"), Fee(D(2), "BNB")), (Fee(D("0.5"), "USDT"),)
    value = evolve(position.value, charged=(("t1", some), ("t2", more)))
    assert value.fees == (Fee(D(2), "BNB"), Fee(D("1.5"), "USDT"))
    assert position.value.charged == (("t1", ()),)
    position.exit_started("t2")
    position.trade_ended(left(10).trade)
    assert dict(position.value.charged).keys() == {"t1", "t2"}
