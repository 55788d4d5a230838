"""One order: what a venue's reading does to what is known of it."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from ledgers import BUY, DOUBT, FENCE, NO, SELL, ledger, miss, place, see
from worlds import BETA, BETA_KEEPS_BASE, SECOND, fill, intent, snapshot

from fsm_arb.ledger import (
    MISSES_MIN,
    busted,
    cancel_asked,
    fees_believed,
    judged,
)
from fsm_arb.messages import Busted, Judged
from fsm_arb.orders import Lifecycle, Order, fills_more
from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.values import Fee, FeeIn

D = Decimal


# ------------------------------------------------------------------ an order by itself


def test_an_order_that_was_only_written_claims_nothing() -> None:
    """No quantity, no fee, no answer: neither of what it did nor of why it would be over."""
    order = Order(intent=intent(0), base="BTC", deadline=5)
    assert (order.lifecycle, order.filled, order.received, order.average) == (Lifecycle.PENDING, 0, 0, None)
    assert (order.fees, order.fees_of, order.fees_known, order.fees_told, order.fee_looks) == ((), 0, False, False, 0)
    assert (order.misses, order.refusal, order.mismatch, order.unsure_since) == (0, "", "", None)


def test_an_order_is_in_doubt_until_a_venue_shows_it() -> None:
    """While its call is out it is being sent; once it was seen it rests, is over or cannot be ours."""
    books = ledger()
    assert not books.orders[0].in_doubt
    doubtful = place(books, 0, DOUBT)
    assert doubtful.orders[0].in_doubt
    assert not see(doubtful, 0, 4).orders[0].in_doubt
    assert not see(doubtful, 0, 4, ended=True).orders[0].in_doubt
    assert not place(books, 0, NO).orders[0].in_doubt


def test_what_cannot_be_ours_does_not_rest_though_it_is_open() -> None:
    """It is in doubt instead: cancelling it would be cancelling somebody else's order."""
    open_one = see(ledger(), 0, 4)
    assert open_one.orders[0].resting
    stranger = see(open_one, 0, 4, symbol="ETH/USD").orders[0]
    assert (stranger.lifecycle, stranger.resting, stranger.in_doubt) == (Lifecycle.OPEN, False, True)


def test_what_an_order_may_still_bring_is_net_of_the_base_fee_it_would_be_charged() -> None:
    """A buyer of ten who pays a thousandth in base receives 9.99 at most; a seller gives ten."""
    books = ledger(beta=BETA_KEEPS_BASE)
    assert books.orders[1].reserved(books.plan.legs[1]) == (0, D("9.99"))
    some = see(books, 1, 4, fees=(Fee(D("0.003"), "BTC"),)).orders[1]
    assert some.reserved(books.plan.legs[1]) == (D("3.997"), D("9.99"))
    assert books.orders[0].reserved(books.plan.legs[0]) == (-10, 0)
    over = see(books, 1, 4, fees=(Fee(D("0.003"), "BTC"),), ended=True).orders[1]
    assert over.reserved(books.plan.legs[1]) == (D("3.997"), D("3.997"))


# ------------------------------------------------------------------ readings


def test_a_reading_counts_in_any_state_of_an_order() -> None:
    """Refused, absent, ended: what a venue shows has happened."""
    dead = place(ledger(), 0, NO)
    alive = see(dead, 0, 3, now=77 * SECOND)
    order = alive.orders[0]
    assert (order.lifecycle, order.refusal, order.ended_at) == (Lifecycle.OPEN, "", None)
    assert (order.deadline, order.placing_ended_at) == (77 * SECOND, 77 * SECOND)  # its time is over
    ended = see(dead, 0, 3, ended=True, now=8)
    assert (ended.orders[0].lifecycle, ended.orders[0].ended_at) == (Lifecycle.CLOSED, 8)
    more = see(ended, 0, 5, ended=True, now=9)
    assert (more.orders[0].filled, more.orders[0].ended_at) == (5, 8)


def test_a_reading_that_tells_nothing_new_returns_the_same_ledger() -> None:
    """So that it is not worth a record."""
    books = see(ledger(), 0, 4)
    assert see(books, 0, 4) is books
    assert see(books, 0, 2) is books
    assert see(books, 0, 2, ended=True) is not books


def test_an_order_called_over_stays_over() -> None:
    """An older reading that still shows it open says nothing; one that was only not found comes back."""
    over = see(ledger(), 0, 4, ended=True)
    assert see(over, 0, 4) is over
    gone = cancel_asked(see(place(ledger(), 0, DOUBT), 0, 4), [0], 0)
    for _ in range(MISSES_MIN):
        gone = miss(gone, 0, FENCE)
    assert gone.orders[0].lifecycle is Lifecycle.CLOSED
    back = see(gone, 0, 4, now=99 * SECOND)
    order = back.orders[0]
    assert (order.lifecycle, order.cancel_asked_at, order.deadline) == (Lifecycle.OPEN, None, 99 * SECOND)
    assert order.resting


def test_a_word_that_nobody_knows_leaves_the_order_open() -> None:
    """Unknown is never taken for over."""
    assert see(ledger(), 0, 4, status=OrderStatus.UNKNOWN).orders[0].resting


def test_a_sighting_ends_the_doubt() -> None:
    """Nothing is overdue any more, save the end of what was asked to go."""
    doubtful = place(ledger(), 0, DOUBT, now=5)
    assert see(doubtful, 0, 0, now=9).orders[0].unsure_since is None
    asked = cancel_asked(see(doubtful, 0, 0, now=9), [0], 11)
    assert see(asked, 0, 4, now=12).orders[0].unsure_since == 11


def test_an_order_that_was_believed_absent_and_is_shown_open_is_not_overdue() -> None:
    """What was still to be known of its end, its fee, is not asked of an order that has none."""
    gone = cancel_asked(see(ledger(beta=BETA_KEEPS_BASE), 1, 4, fees=None), [1], 0)
    gone = place(gone, 1, DOUBT)
    for _ in range(3):
        gone = miss(gone, 1, FENCE)
    assert (gone.orders[1].lifecycle, gone.orders[1].unsure_since) == (Lifecycle.CLOSED, FENCE)
    back = see(gone, 1, 4, fees=None, now=99 * SECOND).orders[1]
    assert (back.lifecycle, back.unsure_since) == (Lifecycle.OPEN, None)


def test_a_word_that_nobody_knows_brings_an_order_back_that_was_only_believed_absent() -> None:
    """It is there, whatever it is doing; only an operator's verdict stands against such a word."""
    gone = cancel_asked(see(ledger(), 0, 4), [0], 0)
    gone = place(gone, 0, DOUBT)
    for _ in range(3):
        gone = miss(gone, 0, FENCE)
    assert gone.orders[0].lifecycle is Lifecycle.CLOSED
    assert see(gone, 0, 4, status=OrderStatus.UNKNOWN).orders[0].lifecycle is Lifecycle.OPEN


def test_executions_that_come_in_place_of_busted_ones_count_in_full() -> None:
    """Six were taken back, ten came after them under other ids: ten are filled."""
    books = see(ledger(), 0, 6, fills=(fill("a", 6),))
    books = busted(books, Busted(now=1, order=0, amount=D(6), reason="error of the venue"))
    assert see(books, 0, 10, fills=(fill("b", 10),)).orders[0].filled == 10


def test_an_amount_that_was_rounded_down_is_what_counts() -> None:
    """The venue's amount, not the request: no more than that can fill."""
    order = see(ledger(), 0, 0, amount=D("9.5")).orders[0]
    assert not order.mismatch
    assert order.reserved(ledger().plan.legs[0])[0] == D("-9.5")


def test_an_order_is_ours_under_the_id_the_venue_gave_it() -> None:
    """However the venue writes our own id."""
    known = see(ledger(), 0, 0, venue_order_id="v7")
    assert not see(known, 0, 4, venue_order_id="v7", client_order_id="broker-c0").orders[0].mismatch
    assert see(known, 0, 4, venue_order_id="v8", client_order_id="broker-c0").orders[0].mismatch


def test_executions_that_change_their_ids_are_counted_once() -> None:
    """A venue that gives none lets each reading make its own; what it says is filled holds."""
    one = see(ledger(), 0, 4, fills=(fill("a", 4),))
    same = see(one, 0, 4, fills=(fill("x", 4),))
    assert (same.orders[0].filled, same.orders[0].fills) == (4, (fill("x", 4),))
    two = see(one, 0, 6, fills=(fill("x", 4), fill("y", 2)))
    assert two.orders[0].filled == 6
    assert [each.fill_id for each in two.orders[0].fills] == ["x", "y"]


def test_more_executions_than_the_order_are_a_count_gone_wrong() -> None:
    """What the venue states as filled holds."""
    books = see(ledger(), 0, 6, fills=(fill("a", 6),))
    assert see(books, 0, 7, fills=(fill("b", 6),)).orders[0].filled == 7
    assert see(books, 0, 7, fills=(fill("b", 4),)).orders[0].filled == 10  # as much as was ordered, and no more
    small = see(ledger(intent(0, amount="0.5")), 0, "0.3", fills=(fill("a", "0.3"),))
    assert see(small, 0, "0.4", fills=(fill("b", "0.3"),)).orders[0].filled == D("0.4")


@pytest.mark.parametrize("told_at_first", [True, False])
def test_executions_may_add_up_to_the_amount_that_the_venue_took(told_at_first: bool) -> None:
    """It rounded the order up by a lot, and says so once."""
    took = {"amount": D("10.01")}
    books = see(ledger(), 0, 6, fills=(fill("a", 6),), **(took if told_at_first else {}))
    books = see(books, 0, 10, fills=(fill("b", "4.01"),), **({} if told_at_first else took))
    assert (books.orders[0].mismatch, books.orders[0].filled) == ("", D("10.01"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"client_order_id": "x"}, "client order id x instead of c0"),
        ({"symbol": "ETH/USD"}, "symbol ETH/USD instead of BTC/USD"),
        ({"side": BUY}, "side buy instead of sell"),
        ({"amount": D("10.02")}, "amount 10.02 instead of 10"),
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_an_order_that_cannot_be_ours_is_in_doubt_and_changes_no_quantity(
    changes: dict[str, Any], why: str, ended: bool
) -> None:
    """Until a reading fits."""
    books = see(ledger(), 0, 10, ended=ended, now=4, **changes)
    order = books.orders[0]
    assert (order.mismatch, order.filled, order.unsure_since) == (why, 0, 4)
    assert order.in_doubt
    assert order.live
    assert not order.resting
    again = see(books, 0, 10, ended=ended, now=6, **changes)
    assert again.orders[0].unsure_since == 4
    fits = see(books, 0, 10, ended=True)
    assert (fits.orders[0].mismatch, fits.orders[0].filled, fits.orders[0].live) == ("", 10, False)


def test_a_mismatch_about_an_order_that_had_ended_makes_it_live_again() -> None:
    """What is reserved is what it would bring if it filled whole."""
    books = see(see(ledger(), 0, 4, ended=True), 0, 4, symbol="ETH/USD")
    assert books.orders[0].live
    assert books.orders[0].reserved(books.plan.legs[0]) == (-10, -4)
    assert miss(books, 0, 10**12) is books  # not found proves nothing about it


def test_a_refusal_does_not_end_the_doubt_about_what_a_venue_shows_under_our_id() -> None:
    """The venue contradicts itself: live, and unsure since it first did."""
    books = place(see(ledger(), 0, 4, symbol="ETH/USD", now=2), 0, NO, now=5)
    assert books.orders[0].live
    assert (books.orders[0].lifecycle, books.orders[0].unsure_since) == (Lifecycle.DEAD, 2)


def test_a_venue_may_round_by_a_lot() -> None:
    """The amount it took is the order's amount."""
    books = see(ledger(), 0, 0, amount=D("9.99"), client_order_id="c0", symbol="BTC/USD", side=SELL)
    assert (books.orders[0].mismatch, books.orders[0].accepted) == ("", D("9.99"))
    assert books.orders[0].reserved(books.plan.legs[0]) == (D("-9.99"), 0)
    assert see(books, 0, 1).orders[0].accepted == D("9.99")  # a reading that does not say keeps it
    assert not see(ledger(), 0, 0, amount=D("10.01")).orders[0].mismatch


def test_the_first_venue_id_stays() -> None:
    """A venue tells one id once; a reading without it takes none away."""
    books = see(see(ledger(), 0, 0, venue_order_id="v1"), 0, 1)
    assert books.orders[0].venue_order_id == "v1"


# ------------------------------------------------------------------ quantity, price and fee of a reading


@pytest.mark.parametrize(
    ("reading", "more"),
    [
        (snapshot(5), True),
        (snapshot(4), False),
        (snapshot(3), False),
        (snapshot(0, fills=(fill("a", 2), fill("b", 3))), True),  # its total lags behind its executions
        (snapshot(4, fills=(fill("a", 2), fill("b", 2))), False),
    ],
)
def test_a_reading_fills_more_where_its_total_or_its_executions_exceed_all_that_was_shown(
    reading: OrderSnapshot, more: bool
) -> None:
    """Four were shown before; as many, or an older reading, are nothing new."""
    assert fills_more(see(ledger(), 0, 4).orders[0], reading) is more


def test_executions_count_even_where_the_total_lags() -> None:
    """The larger of what is said in all and what the executions add up to."""
    books = see(ledger(), 0, 1, fills=(fill("a", 2), fill("b", 3)))
    assert books.orders[0].filled == 5


def test_an_execution_is_counted_once_by_its_id() -> None:
    """A duplicate adds nothing; a later report with a fee replaces one without."""
    books = see(ledger(), 0, 5, fees=None, fills=(fill("a", 2), fill("b", 3)))
    books = see(books, 0, 5, fees=None, fills=(fill("b", 3, fee=Fee(D(1), "USD")),))
    books = see(books, 0, 5, fees=None, fills=(fill("b", 3),))
    order = books.orders[0]
    assert [(each.fill_id, each.fee) for each in order.fills] == [("a", None), ("b", Fee(D(1), "USD"))]
    assert order.filled == 5


def test_executions_stand_in_the_order_of_their_ids() -> None:
    """So that two histories that differ in nothing else are equal, whatever came first."""
    late = see(see(ledger(), 0, 3, fills=(fill("b", 3),)), 0, 5, fills=(fill("a", 2),))
    assert late.orders[0].fills == (fill("a", 2), fill("b", 3))


@pytest.mark.parametrize(
    ("readings", "average"),
    [
        ([{"filled": 0}], None),
        ([{"filled": 0, "average": D(101)}], None),  # what it would fill at is no price of anything
        ([{"filled": 4, "average": D(101)}], D(101)),
        ([{"filled": 4, "average": None}], None),
        ([{"filled": 4, "fills": (fill("a", 1, 100), fill("b", 3, 104))}], D(103)),  # executions before any average
        ([{"filled": 4, "average": D(101)}, {"filled": 2, "average": D(90)}], D(101)),  # an older reading
        ([{"filled": 4, "average": D(101)}, {"filled": 5, "average": None}], None),  # no longer covers all
        ([{"filled": 4, "average": D(101)}, {"filled": 4, "average": None}], D(101)),
    ],
)
def test_the_average_is_told_only_where_it_covers_all_that_filled(
    readings: list[dict[str, Any]], average: Decimal | None
) -> None:
    """From executions, else from the venue's own word, else unknown."""
    books = ledger()
    for each in readings:
        books = see(books, 0, **each)
    assert books.orders[0].average == average


LIMIT = intent(0).bound
WORDS: tuple[dict[str, Any], ...] = (  # of an order that fills whole, and of which some executions are never shown
    {"filled": 4, "average": D(97), "fills": (fill("a", 4, 97),)},
    {"filled": 10, "average": LIMIT},
    {"filled": 10, "average": D(98)},
    {"filled": 10, "average": None, "fills": (fill("c", 3, 99),)},
)
REST = {"filled": 10, "average": D(107), "fills": (fill("b", 3, 97), fill("c", 3, 99))}  # with a price that is wrong


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("words", list(itertools.permutations(WORDS)))
def test_a_limit_price_never_outweighs_another_average(words: tuple[dict[str, Any], ...], times: int) -> None:
    """It is what a venue shows that has no average, be it in its first answer or in the last."""
    books = ledger()
    for each in words:
        for _ in range(times):
            books = see(books, 0, **each)
    assert (books.orders[0].filled, books.orders[0].average) == (D(10), D(98))


@pytest.mark.parametrize("words", list(itertools.permutations((*WORDS, REST))))
def test_executions_that_are_all_there_is_outweigh_every_average(words: tuple[dict[str, Any], ...]) -> None:
    """Whichever readings showed them, and whatever is told before, with or after them: 4 and 3 at 97, 3 at 99."""
    books = ledger()
    for each in words:
        books = see(books, 0, **each)
    assert (books.orders[0].filled, books.orders[0].average) == (D(10), D("97.6"))


def test_a_limit_price_is_the_average_where_nothing_else_is_told() -> None:
    """An order that rested fills at it; a price of fewer than have filled by now is no other word for them."""
    books = see(see(ledger(), 0, 4, average=D(98)), 0, 10, average=LIMIT)
    assert books.orders[0].average == LIMIT
    assert see(books, 0, 10, average=None).orders[0].average == LIMIT


@pytest.mark.parametrize("told", list(itertools.permutations([D(101), D(107)])))
def test_after_a_bust_the_executions_that_are_left_say_the_average(told: tuple[Decimal, ...]) -> None:
    """Whatever a venue said of it before, and in whichever order; what it said holds until they are shown."""
    books = ledger()
    for average in told:
        books = see(books, 0, 10, ended=True, average=average)
    books = busted(books, Busted(now=1, order=0, amount=D(4), reason="error of the venue"))
    assert see(books, 0, 6, ended=True, average=D(102)).orders[0].average == told[-1]
    whole = {"filled": 6, "ended": True, "average": D(102), "fills": (fill("a", 2, 100), fill("b", 4, 103))}
    older = {"filled": 10, "ended": True, "average": told[0]}
    for readings in itertools.permutations([whole, whole, older]):
        later = books
        for each in readings:
            later = see(later, 0, **each)
        assert (later.orders[0].filled, later.orders[0].average) == (D(6), D(102))


def test_an_order_that_was_taken_back_whole_keeps_the_price_it_was_told() -> None:
    """No execution is left to say one."""
    books = see(ledger(), 0, 4, ended=True, average=D(101))
    books = busted(books, Busted(now=1, order=0, amount=D(4), reason="error of the venue"))
    assert see(books, 0, 0, ended=True, fees=()).orders[0].average == D(101)


def test_a_base_fee_is_assumed_until_it_is_known() -> None:
    """Provisional: nothing is known for certain while it is only assumed."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, fees=None, ended=True, now=3)
    order = books.orders[1]
    assert (order.base_fee, order.received, order.fees_known) == (D("0.010"), D("9.990"), False)
    assert order.provisional
    assert order.unsure_since == 3
    assert books.provisional
    assert not books.known
    told = see(books, 1, 10, fees=(Fee(D("0.02"), "BTC"), Fee(D("0.01"), "BTC"), Fee(D(1), "BNB")), ended=True)
    order = told.orders[1]
    assert (order.base_fee, order.received, order.unsure_since) == (D("0.03"), D("9.97"), None)
    assert order.fees == (Fee(D(1), "BNB"), Fee(D("0.03"), "BTC"))
    assert not told.provisional


def test_a_seller_is_assumed_to_pay_no_base() -> None:
    """And is charged it where it is told."""
    sells = ledger(intent(0), intent(1, leg=1, side=SELL), beta=BETA_KEEPS_BASE)
    books = see(sells, 1, 10, fees=None, ended=True)
    assert books.orders[1].received == -10
    assert books.orders[1].provisional
    assert see(books, 1, 10, fees=(Fee(D("0.02"), "BTC"),)).orders[1].received == D("-10.02")


def test_fees_of_a_part_do_not_cover_the_whole() -> None:
    """A total told for less than has filled by now is not yet all."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, fees=None)
    assert not see(books, 1, 5, fees=(Fee(D("0.005"), "BTC"),)).orders[1].fees_known
    by_fills = see(books, 1, 10, fees=None, fills=(fill("a", 10, fee=Fee(D("0.01"), "BTC")),))
    assert by_fills.orders[1].fees_known
    assert (by_fills.orders[1].base_fee, by_fills.orders[1].fees) == (D("0.01"), (Fee(D("0.01"), "BTC"),))
    more = see(by_fills, 1, 11, fees=None)
    assert not more.orders[1].fees_known


def test_the_fee_of_one_execution_is_not_the_fee_of_all() -> None:
    """While one has none the fee of the order is assumed, or base that the venue kept would be sold."""
    books = ledger(beta=BETA_KEEPS_BASE)
    some = see(books, 1, 10, fees=None, fills=(fill("a", 4, fee=Fee(D("0.004"), "BTC")), fill("b", 6)))
    assert (some.orders[1].fees_known, some.orders[1].base_fee) == (False, D("0.010"))


def test_the_fees_of_executions_that_are_all_there_is_outweigh_the_order_s_own_word() -> None:
    """Whichever of the two is told first; a venue may say none for the order and name them on its executions."""
    by_order = {"filled": 10, "fees": (Fee(D("0.03"), "BTC"),)}
    by_fills = {"filled": 10, "fees": (), "fills": (fill("a", 10, fee=Fee(D("0.01"), "BTC")),)}
    for readings in itertools.permutations((by_order, by_fills)):
        books = ledger(beta=BETA_KEEPS_BASE)
        for reading in readings:
            books = see(books, 1, **reading)
        assert (books.orders[1].fees, books.orders[1].base_fee) == ((Fee(D("0.01"), "BTC"),), D("0.01"))


def test_an_execution_of_nothing_changes_nothing() -> None:
    """Neither the fee that is told for all the others, nor, where it alone names one, that of all."""
    books = see(ledger(), 0, 4, fees=None, fills=(fill("a", 4, fee=Fee(D("0.4"), "USD")), fill("b", 0)))
    assert (books.orders[0].fees, books.orders[0].fees_told) == ((Fee(D("0.4"), "USD"),), True)
    alone = see(ledger(), 0, 4, fees=None, fills=(fill("b", 0, fee=Fee(D("0.4"), "USD")),)).orders[0]
    assert (alone.received, alone.fees_of, alone.fees_told) == (-4, 0, False)


def test_the_fee_of_a_part_is_never_taken_for_that_of_the_whole() -> None:
    """A venue whose lists are cut short told the fee of the first four alone: the rest is alike, and stays untold."""
    books = ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN))
    early = {"filled": 4, "fees": (Fee(D("0.004"), "BTC"),)}
    late = {"filled": 10, "fees": None, "ended": True}
    for readings in ((early, late, late, late), (late, late, late, early), (late, early, late, late)):
        told = books
        for reading in readings:
            told = see(told, 1, **reading)
        order = told.orders[1]
        assert (order.fees_told, order.fees_of, order.provisional) == (False, 4, False)
        assert (order.base_fee, order.received) == (D("0.010"), D("9.990"))
    whole = see(told, 1, 10, fees=(Fee(D("0.02"), "BTC"),), ended=True).orders[1]
    assert (whole.fees_told, whole.fees_of, whole.base_fee) == (True, 10, D("0.02"))


def test_of_several_parts_whose_fees_are_told_the_largest_counts() -> None:
    """By the order's own word or by its executions, in whatever order they are told."""
    books = ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN))
    readings = (
        {"filled": 3, "fees": (Fee(D("0.3"), "USDT"),)},
        {"filled": 9, "fees": None, "fills": (fill("a", 5, fee=Fee(D("0.5"), "USDT")), fill("b", 2))},
        {"filled": 4, "fees": (Fee(D("0.4"), "USDT"),)},
    )
    for permuted in itertools.permutations(readings):
        told = books
        for reading in permuted:
            told = see(told, 1, **reading)
        order = told.orders[1]
        assert (order.fees, order.fees_of, order.fees_told) == ((Fee(D("0.5"), "USDT"),), 5, False)


def test_of_two_words_about_the_fee_of_one_part_its_executions_count_and_then_the_first() -> None:
    """Five of nine, once by the order and once by its executions; and twice by the order."""
    books = see(ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN)), 1, 9, fees=None)
    by_order = {"filled": 5, "fees": (Fee(D("0.6"), "USDT"),)}
    by_fills = {"filled": 9, "fees": None, "fills": (fill("a", 5, fee=Fee(D("0.5"), "USDT")),)}
    for readings in itertools.permutations((by_order, by_fills)):
        told = books
        for reading in readings:
            told = see(told, 1, **reading)
        assert (told.orders[1].fees, told.orders[1].fees_of) == ((Fee(D("0.5"), "USDT"),), 5)
    once = see(books, 1, **by_order)
    assert see(once, 1, 5, fees=(Fee(D("0.7"), "USDT"),)) is once


def test_an_order_is_fulfilled_once_all_that_was_ordered_has_been_executed() -> None:
    """Whatever is taken back of it later."""
    some, whole = see(ledger(), 1, 9), see(ledger(), 1, 10, ended=True)
    assert not some.orders[1].fulfilled
    assert whole.orders[1].fulfilled
    assert busted(whole, Busted(now=1, order=1, amount=D(4), reason="error of the venue")).orders[1].fulfilled


def test_fees_that_were_told_once_stay_told() -> None:
    """A later reading that leaves them out takes nothing away, as long as nothing more has filled."""
    fee = Fee(D("0.02"), "BTC")
    books = see(see(ledger(beta=BETA_KEEPS_BASE), 1, 10, fees=(fee,)), 1, 10, fees=None)
    assert (books.orders[1].fees, books.orders[1].fees_told, books.orders[1].fees_known) == ((fee,), True, True)
    assert not see(books, 1, 11, fees=None).orders[1].fees_told


def test_a_fee_for_an_order_that_filled_nothing_is_kept() -> None:
    """Some venue may charge for the asking."""
    fee = Fee(D("0.5"), "USD")
    assert see(ledger(), 0, 0, fees=(fee,), ended=True).orders[0].fees == (fee,)


def test_an_order_that_ended_without_a_fill_owes_no_fee() -> None:
    """There is nothing to wait for."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 0, fees=None, ended=True)
    assert not books.orders[1].provisional
    assert books.orders[1].unsure_since is None


def test_a_fee_that_was_believed_is_not_doubted_again_by_a_reading_that_tells_none() -> None:
    """Else it would be believed and doubted in turn for ever; one that is told corrects it, more that fills is new."""
    books = fees_believed(see(ledger(beta=BETA_KEEPS_BASE), 1, 8, fees=None, ended=True))
    assert not see(books, 1, 8, fees=None, ended=True).provisional
    assert see(books, 1, 8, fees=(Fee(D(1), "BTC"),), ended=True).received[1] == 7
    assert see(books, 1, 9, fees=None, ended=True).provisional


def test_a_late_fill_with_an_unknown_fee_is_unsure_from_then_on() -> None:
    """Of an order that had ended and was known: the doubt begins with what has come."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 8, ended=True)
    late = see(books, 1, 10, fees=None, ended=True, now=50)
    assert late.orders[1].unsure_since == 50
    assert see(late, 1, 10, fees=None, ended=True, now=60).orders[1].unsure_since == 50


def test_a_venue_of_unknown_ways_is_asked_three_times_for_its_fee() -> None:
    """Then it is believed to charge none in base."""
    books = ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN))
    for look in (1, 2):
        books = see(books, 1, 10, fees=None, ended=True)
        assert books.orders[1].fee_looks == look
        assert books.provisional
    books = see(books, 1, 10, fees=None, ended=True)
    assert not books.provisional
    assert (books.orders[1].fees, books.orders[1].fees_told) == ((), True)  # none is a fee, and its result is known
    assert see(books, 1, 10, fees=None, ended=True) is books


def test_only_a_look_at_the_ended_order_in_full_counts_as_one_that_told_no_fee() -> None:
    """While it is open its fee may be on its way; an older reading and one that tells say nothing about it."""
    books = ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN))
    for _ in range(4):
        books = see(books, 1, 10, fees=None)
    assert (books.orders[1].fee_looks, books.orders[1].fees_known) == (0, False)
    assert see(see(books, 1, 10, fees=None, ended=True), 1, 4, fees=None, ended=True).orders[1].fee_looks == 1
    assert see(books, 1, 10, fees=(), ended=True).orders[1].fee_looks == 0


def test_a_venue_that_is_known_to_keep_base_is_never_believed_to_keep_none() -> None:
    """However often it tells no fee: what it kept cannot be sold."""
    books = ledger(beta=BETA_KEEPS_BASE)
    for _ in range(4):
        books = see(books, 1, 10, fees=None, ended=True)
    assert (books.provisional, books.received[1]) == (True, D("9.990"))


def test_a_venue_that_charges_quote_need_not_be_asked() -> None:
    """What it charges does not touch the base."""
    assert not see(ledger(), 1, 10, fees=None, ended=True).provisional


def test_a_fee_told_after_a_bust_is_for_what_is_left() -> None:
    """The venue shows six of ten and the fee of six."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, ended=True, fees=None)
    books = busted(books, Busted(now=1, order=1, amount=D(4), reason="error of the venue"))
    order = see(books, 1, 6, ended=True, fees=(Fee(D("0.006"), "BTC"),)).orders[1]
    assert (order.filled, order.base_fee) == (6, D("0.006"))
    assert not order.provisional


def test_a_fee_told_after_a_bust_is_kept_as_for_the_whole() -> None:
    """One of five that are left of ten stands for two of ten, of which half was taken back."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, ended=True, fees=None)
    books = busted(books, Busted(now=1, order=1, amount=D(5), reason="error of the venue"))
    order = see(books, 1, 5, ended=True, fees=(Fee(D(1), "USDT"),)).orders[1]
    assert (order.fees, order.fees_of, order.fees_told) == ((Fee(D(2), "USDT"),), 10, True)


def test_an_order_that_was_taken_back_whole_keeps_the_fee_it_was_told() -> None:
    """Of nothing that is left nothing can be told for the whole."""
    fee = Fee(D("0.01"), "BTC")
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, ended=True, fees=(fee,))
    books = busted(books, Busted(now=1, order=1, amount=D(10), reason="error of the venue"))
    order = see(books, 1, 0, ended=True, fees=()).orders[1]
    assert (order.fees, order.fees_of, order.base_fee) == ((fee,), 10, 0)


def test_an_order_that_was_taken_back_whole_has_no_fee_left() -> None:
    """Whatever the venue tells of it then."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, ended=True, fees=None)
    books = busted(books, Busted(now=1, order=1, amount=D(10), reason="error of the venue"))
    order = see(books, 1, 0, ended=True, fees=()).orders[1]
    assert (order.filled, order.base_fee, order.received) == (0, 0, 0)


# ------------------------------------------------------------------ what an operator has said, against what is read


def test_a_status_nobody_knows_does_not_undo_an_operators_word() -> None:
    """Else a venue that keeps to its word would reopen the trade after each verdict, for ever."""
    verdict = Judged(now=7, order=0, filled=D(4), price=None, reason="seen on the website")
    books = judged(see(ledger(), 0, 4, status=OrderStatus.UNKNOWN), verdict)
    again = see(books, 0, 4, now=9, status=OrderStatus.UNKNOWN)
    assert (again.orders[0].lifecycle, again.orders[0].refusal) == (Lifecycle.CLOSED, books.orders[0].refusal)
    assert (again.orders[0].ended_at, again.orders[0].unsure_since) == (7, None)


@pytest.mark.parametrize(
    ("filled", "status", "lifecycle"),
    [
        (4, OrderStatus.OPEN, Lifecycle.OPEN),
        (5, OrderStatus.UNKNOWN, Lifecycle.OPEN),
        (4, OrderStatus.ENDED, Lifecycle.CLOSED),
    ],
)
def test_a_word_that_is_known_or_more_filled_outweighs_an_operator(
    filled: int, status: OrderStatus, lifecycle: Lifecycle
) -> None:
    """The venue's own books are the truth; an operator's word stands only where they say nothing."""
    books = judged(place(ledger(), 0, DOUBT), Judged(now=7, order=0, filled=D(4), price=None, reason=""))
    order = see(books, 0, filled, now=9, status=status).orders[0]
    assert (order.lifecycle, order.filled, order.refusal) == (lifecycle, filled, "")


def test_a_fill_that_comes_after_a_bust_is_counted_beside_what_was_taken_back() -> None:
    """A venue that leaves the busted executions out reports net: its six are six, not six less two."""
    books = see(ledger(), 0, 5, ended=True, fills=(fill("a", 3), fill("b", 2)))
    books = busted(books, Busted(now=1, order=0, amount=D(2), reason="error of the venue"))
    assert books.orders[0].filled == D(3)
    late = see(books, 0, 6, ended=True, fills=(fill("a", 3), fill("c", 3)))
    assert (late.orders[0].filled, late.orders[0].average) == (D(6), D(100))
    assert see(late, 0, 6, ended=True, fills=(fill("a", 3), fill("c", 3))).orders[0].filled == D(6)
    next_one = see(late, 0, 7, ended=True, fills=(fill("a", 3), fill("c", 3), fill("d", 1)))
    assert next_one.orders[0].filled == D(7)


def test_an_older_reading_after_a_bust_brings_nothing_back() -> None:
    """It still shows what was taken back, or tells no executions at all."""
    books = see(ledger(), 0, 5, ended=True, fills=(fill("a", 3), fill("b", 2)))
    books = busted(books, Busted(now=1, order=0, amount=D(2), reason="error of the venue"))
    assert see(books, 0, 5, ended=True, fills=(fill("a", 3), fill("b", 2))).orders[0].filled == D(3)
    assert see(books, 0, 5, ended=True).orders[0].filled == D(3)
    assert see(books, 0, 3, ended=True, fills=(fill("a", 3),)).orders[0].filled == D(3)
