"""The ledger: each thing that can happen to an order, and what no sequence of readings can do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, PRICE, SECOND, fill, intent, sized, snapshot

from fsm_arb.errors import LedgerBroken
from fsm_arb.ledger import (
    FEE_LOOKS_MIN,
    MISSES_MIN,
    Ledger,
    Lifecycle,
    Order,
    busted,
    cancel_asked,
    gross_up,
    intended,
    missed,
    observed,
    place_ended,
    restarted,
)
from fsm_arb.messages import Busted, ExternalFill, Intent, Missed, Observed, PlaceEnded, Purpose
from fsm_arb.ports import Acknowledged, InDoubt, OrderSnapshot, OrderStatus, Refused
from fsm_arb.values import ONE, ZERO, Fee, FeeIn, Fill, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
FENCE = 15 * SECOND


def ledger(*intents: Intent, beta: Any = BETA) -> Ledger:
    """Return a ledger with these orders written; alpha sells ten, beta buys ten, unless said otherwise."""
    written = intents or (intent(0), intent(1, leg=1, side=BUY))
    return intended(Ledger(plan=sized(rules=(ALPHA, beta))), written)


def see(books: Ledger, order: int, filled: Any, *, ended: bool = False, now: int = 0, **changes: Any) -> Ledger:
    return observed(books, Observed(now=now, order=order, snapshot=snapshot(filled, ended=ended, **changes)))


def miss(books: Ledger, order: int, asked_at: int, *, covered: bool = True) -> Ledger:
    return missed(books, Missed(now=asked_at, order=order, asked_at=asked_at, covered=covered), FENCE)


def place(books: Ledger, order: int, outcome: Any, now: int = 0) -> Ledger:
    return place_ended(books, PlaceEnded(now=now, order=order, outcome=outcome))


DOUBT = InDoubt(code="timeout", message="no answer")
NO = Refused(code="invalid_order", message="too small")


# ------------------------------------------------------------------ intents


def test_an_order_is_reserved_in_full_from_its_intent_on() -> None:
    """Written is as good as sent: worst exposure is the far end, and legs are never netted."""
    books = ledger()
    assert (books.exposure, books.worst_exposure) == (0, 10)
    assert [order.lifecycle for order in books.orders] == [Lifecycle.PENDING] * 2
    assert books.live == books.orders
    assert not books.known
    assert not any(order.in_doubt or order.resting or order.provisional for order in books.orders)


def test_an_intent_out_of_sequence_is_our_bug() -> None:
    """Orders are numbered as they are written."""
    with pytest.raises(LedgerBroken, match="intent 2 written where 1 was due"):
        ledger(intent(0), intent(2))


# ------------------------------------------------------------------ placing


def test_an_acknowledgement_may_hold_fills() -> None:
    """It is a reading like any other."""
    books = place(ledger(), 0, Acknowledged(snapshot=snapshot(4, venue_order_id="v1")), now=7)
    order = books.orders[0]
    assert (order.lifecycle, order.filled, order.venue_order_id, order.placing_ended_at) == (
        Lifecycle.OPEN,
        4,
        "v1",
        7,
    )
    assert order.resting
    assert books.received == (-4, 0)


def test_a_refusal_kills_an_order_that_was_never_seen() -> None:
    """Nothing stays reserved, and the reason is kept."""
    books = place(ledger(), 0, NO, now=3)
    order = books.orders[0]
    assert (order.lifecycle, order.refusal, order.ended_at) == (Lifecycle.DEAD, "invalid_order: too small", 3)
    assert order.reserved(books.plan.legs[0]) == (0, 0)
    assert books.worst_exposure == 10


@pytest.mark.parametrize("outcome", [NO, DOUBT])
def test_what_a_venue_has_shown_is_not_undone_by_what_the_placing_call_says(outcome: Any) -> None:
    """The order exists; the call is merely over."""
    books = place(see(ledger(), 0, 4), 0, outcome, now=9)
    order = books.orders[0]
    assert (order.lifecycle, order.filled, order.refusal, order.unsure_since) == (Lifecycle.OPEN, 4, "", None)
    assert order.placing_ended_at == 9


def test_no_answer_leaves_the_order_in_doubt() -> None:
    """It stays reserved in full until it is observed."""
    books = place(ledger(), 1, DOUBT, now=5)
    assert books.orders[1].in_doubt
    assert books.orders[1].unsure_since == 5
    assert books.orders[1].reserved(books.plan.legs[1]) == (0, 10)


def test_an_unknown_outcome_is_our_bug() -> None:
    """There are three."""
    with pytest.raises(LedgerBroken, match="order 0: unknown outcome"):
        place(ledger(), 0, "well")


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
    two = see(one, 0, 6, fills=(fill("x", 4), fill("y", 2)))
    assert two.orders[0].filled == 6
    assert [each.fill_id for each in two.orders[0].fills] == ["x", "y"]


def test_more_executions_than_the_order_are_a_count_gone_wrong() -> None:
    """What the venue states as filled holds."""
    books = see(ledger(), 0, 6, fills=(fill("a", 6),))
    assert see(books, 0, 7, fills=(fill("b", 6),)).orders[0].filled == 7


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


def test_the_first_venue_id_stays() -> None:
    """A venue tells one id once; a reading without it takes none away."""
    books = see(see(ledger(), 0, 0, venue_order_id="v1"), 0, 1)
    assert books.orders[0].venue_order_id == "v1"


# ------------------------------------------------------------------ quantity, price and fee of a reading


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


@pytest.mark.parametrize(
    ("readings", "average"),
    [
        ([{"filled": 0}], None),
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
    more = see(by_fills, 1, 11, fees=None)
    assert not more.orders[1].fees_known


def test_a_late_fill_with_an_unknown_fee_is_unsure_from_then_on() -> None:
    """Of an order that had ended and was known: the doubt begins with what has come."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 8, ended=True)
    late = see(books, 1, 10, fees=None, ended=True, now=50)
    assert late.orders[1].unsure_since == 50
    assert see(late, 1, 10, fees=None, ended=True, now=60).orders[1].unsure_since == 50


def test_a_venue_of_unknown_ways_is_asked_three_times_for_its_fee() -> None:
    """Then it is believed to charge none in base."""
    books = ledger(beta=evolve(BETA, fee_in=FeeIn.UNKNOWN))
    for look in range(1, FEE_LOOKS_MIN):
        books = see(books, 1, 10, fees=None, ended=True)
        assert books.orders[1].fee_looks == look
        assert books.provisional
    books = see(books, 1, 10, fees=None, ended=True)
    assert not books.provisional
    assert see(books, 1, 10, fees=None, ended=True) is books


def test_a_venue_that_charges_quote_need_not_be_asked() -> None:
    """What it charges does not touch the base."""
    assert not see(ledger(), 1, 10, fees=None, ended=True).provisional


# ------------------------------------------------------------------ absence


def test_absence_needs_three_covered_misses_the_last_past_the_fence() -> None:
    """Asked after the placing call ended."""
    books = place(ledger(), 0, DOUBT, now=SECOND)
    assert miss(books, 0, SECOND - 1) is books  # asked before
    assert miss(books, 0, FENCE * 2, covered=False) is books
    two = miss(miss(books, 0, SECOND), 0, SECOND + 1)
    assert two.orders[0].misses == 2
    assert miss(two, 0, FENCE + SECOND - 1).orders[0].live
    gone = miss(two, 0, FENCE + SECOND)
    assert (gone.orders[0].lifecycle, gone.orders[0].unsure_since) == (Lifecycle.DEAD, None)
    assert gone.orders[0].refusal == "absent: not found 3 times, 15.0 s after it was sent"
    assert miss(gone, 0, FENCE * 3) is gone


def test_absence_says_nothing_while_the_placing_call_is_out() -> None:
    """The request may be on its way still."""
    books = ledger()
    assert miss(books, 0, FENCE * 9) is books


def test_an_order_that_was_shown_is_absent_only_after_it_was_asked_to_go() -> None:
    """Then it ends with what is known of it; the fence counts from the cancel."""
    books = see(place(ledger(), 0, DOUBT), 0, 4)
    assert miss(books, 0, FENCE * 2) is books
    asked = cancel_asked(books, [0], FENCE * 2)
    assert miss(asked, 0, FENCE * 2 - 1).orders[0].misses == 1  # asked before the cancel, counted, not past the fence
    three = miss(miss(miss(asked, 0, FENCE * 2), 0, FENCE * 2), 0, FENCE * 2)
    assert three.orders[0].live
    gone = miss(three, 0, FENCE * 3)
    assert (gone.orders[0].lifecycle, gone.received[0]) == (Lifecycle.CLOSED, -4)
    assert gone.orders[0].refusal == "absent: not found 4 times, 15.0 s after it was asked to go"


def test_a_sighting_begins_the_count_anew() -> None:
    """Three in a row, or they prove nothing."""
    books = miss(miss(place(ledger(), 0, DOUBT), 0, FENCE), 0, FENCE)
    assert see(books, 0, 0).orders[0].misses == 0


# ------------------------------------------------------------------ cancels, busts, restarts


def test_a_cancel_is_remembered_from_the_first_time_it_was_asked() -> None:
    """The order stays reserved in full, and its end is overdue from then on."""
    books = cancel_asked(see(ledger(), 0, 4), [0, 1], 3)
    assert [order.cancel_asked_at for order in books.orders] == [3, 3]
    assert cancel_asked(books, [0], 9) is books
    assert books.orders[0].reserved(books.plan.legs[0]) == (-10, -4)
    assert see(books, 0, 5).orders[0].unsure_since == 3


def test_a_bust_takes_back_quantity_and_its_share_of_the_base_fee() -> None:
    """What was shown before may be shown again, and counts no second time."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, fees=(Fee(D("0.01"), "BTC"),), ended=True)
    after = busted(books, Busted(now=0, order=1, amount=D(4), reason=""))
    order = after.orders[1]
    assert (order.gross, order.filled, order.base_fee, order.received) == (10, 6, D("0.006"), D("5.994"))
    assert see(after, 1, 10, fees=(Fee(D("0.01"), "BTC"),), ended=True).received[1] == D("5.994")
    assert see(after, 1, 6, fees=None, ended=True).received[1] == D("5.994")
    twice = busted(after, Busted(now=0, order=1, amount=D(6), reason=""))
    assert twice.received[1] == 0


def test_a_bust_of_more_than_filled_is_our_bug() -> None:
    """Input is judged before it comes here."""
    with pytest.raises(LedgerBroken, match="bust of 5 exceeds the 4 that filled"):
        busted(see(ledger(), 0, 4), Busted(now=0, order=0, amount=D(5), reason=""))


def test_a_restart_voids_the_clocks_of_what_is_not_over() -> None:
    """Calls are over, deadlines have passed, fences start now; what had ended is left alone."""
    books = ledger(intent(0), intent(1, leg=1, side=BUY), intent(2, leg=1, side=BUY), beta=BETA_KEEPS_BASE)
    books = cancel_asked(see(books, 0, 4), [0], 1)
    books = see(books, 1, 10, ended=True, fees=None)
    books = miss(place(books, 2, DOUBT, now=1), 2, 2)
    closed = see(books, 0, 4, ended=True).orders[0]
    after = restarted(books, 99)
    for order in after.orders:
        assert (order.deadline, order.placing_ended_at, order.unsure_since, order.misses) == (99, 99, 99, 0)
    assert [order.cancel_asked_at for order in after.orders] == [99, None, None]
    assert restarted(books.replace(closed), 99).orders[0] == closed


# ------------------------------------------------------------------ sums


def test_exposure_is_what_both_legs_received() -> None:
    """Plus for long; an operator's own fills count like ours."""
    books = see(see(ledger(), 0, 4), 1, 7)
    assert (books.received, books.exposure) == ((-4, 7), 3)
    by_hand = ExternalFill(now=0, leg=0, side=SELL, amount=D(2), price=PRICE, reason="", fee=Fee(D("0.5"), "BTC"))
    assert evolve(books, external=(by_hand,)).received == (D("-6.5"), 7)
    quote_fee = evolve(by_hand, side=BUY, fee=Fee(D("0.5"), "USD"))
    assert evolve(books, external=(quote_fee,)).received == (-2, 7)
    assert evolve(books, external=(evolve(by_hand, fee=None),)).received == (-6, 7)


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [
        ((0, False), (0, False), 10),
        ((0, True), (4, False), 10),
        ((10, True), (4, False), -6),
        ((2, False), (2, True), -8),
    ],
)
def test_worst_exposure_is_the_far_end(first: tuple[int, bool], second: tuple[int, bool], worst: int) -> None:
    """Each live order may fill whole or not at all; the two are not netted."""
    books = see(ledger(), 0, first[0], ended=first[1])
    assert see(books, 1, second[0], ended=second[1]).worst_exposure == worst


def test_progress_is_in_the_leg_s_own_direction() -> None:
    """An unwind takes some of it back."""
    books = ledger(intent(0), intent(1, leg=0, side=BUY, amount=3, purpose=Purpose.UNWIND))
    books = see(see(books, 0, 10, ended=True), 1, 3, ended=True)
    assert (books.progress(0), books.progress(1)) == (7, 0)
    assert books.matched_quantity == 0
    assert see(ledger(intent(0, side=BUY, amount=3)), 0, 3).matched_quantity == 0


@pytest.mark.parametrize(
    ("sold", "bought", "flat", "dust"),
    [
        ("0", "0", True, True),
        ("0.05", "0", True, True),
        ("0.1", "0", False, False),  # a least order of alpha
        ("0", "0.15", False, False),  # none of beta, and more than dust
        ("0.09", "0.18", True, True),
        ("10", "9.91", False, True),
        ("10", "9.9", False, False),
    ],
)
def test_flat_and_dust(sold: str, bought: str, flat: bool, dust: bool) -> None:
    """Flat: each leg below its least order and no more than dust apart."""
    books = see(see(ledger(), 0, sold, ended=True), 1, bought, ended=True)
    assert (books.flat, books.within_dust) == (flat, dust)


def test_the_first_order_of_a_leg_is_told_from_its_remedies() -> None:
    """None while there is none."""
    books = ledger(intent(0, purpose=Purpose.COMPLETE), intent(1))
    assert books.first_order(0) == books.orders[1]
    assert books.first_order(1) is None


def test_the_average_price_of_a_leg_is_over_its_own_direction() -> None:
    """Unwinds are left out; a price that is unknown makes it unknown; no fill, none."""
    books = ledger(
        intent(0),
        intent(1, side=SELL, amount=5, purpose=Purpose.COMPLETE),
        intent(2, side=BUY, amount=5, purpose=Purpose.UNWIND),
    )
    assert books.average_price(0) is None
    books = see(see(see(books, 0, 10, average=D(100)), 1, 5, average=D(103)), 2, 5, average=D(50))
    assert books.average_price(0) == D(101)
    assert see(books, 1, 6, average=None, amount=None).average_price(0) is None
    assert books.average_price(1) is None


@pytest.mark.parametrize(
    ("received", "side", "ordered"),
    [("10", BUY, "10.01"), ("10", SELL, "10"), ("0.999", BUY, "1"), ("0.009", SELL, "0")],
)
def test_a_buyer_s_order_is_grossed_up_and_floored(received: str, side: Side, ordered: str) -> None:
    """One lot rounded up would turn a hedge into a position."""
    leg = sized(rules=(ALPHA, BETA_KEEPS_BASE)).legs[1]
    assert gross_up(D(received), leg, side) == D(ordered)
    assert gross_up(D("1.234"), sized().legs[1], BUY) == D("1.23")


# ------------------------------------------------------------------ what no sequence of readings can do

AMOUNTS = st.integers(0, 1000).map(lambda lots: D(lots) / 100)


@st.composite
def histories(draw: st.DrawFn) -> list[OrderSnapshot]:
    """Readings of one order with one true history: executions in order, each reading a moment of it."""
    sizes = draw(st.lists(st.integers(1, 200).map(lambda lots: D(lots) / 100), max_size=5))
    executions = [
        Fill(fill_id=f"f{index}", amount=size, price=PRICE + index, fee=Fee(size / 1000, "BTC"))
        for index, size in enumerate(sizes)
    ]
    readings = []
    for _ in range(draw(st.integers(1, 6))):
        count = draw(st.integers(0, len(executions)))
        done = executions[:count]
        shown = draw(st.sampled_from(["all", "none", "bare"]))
        listed = {"all": done, "none": [], "bare": [evolve(each, fee=None) for each in done]}[shown]
        over = count == len(executions) and draw(st.booleans())
        total = sum((each.amount for each in done), ZERO)
        cost = sum((each.amount * each.price for each in done), ZERO)
        readings.append(
            OrderSnapshot(
                status=OrderStatus.ENDED if over else OrderStatus.OPEN,
                filled=total,
                average=cost / total if total and draw(st.booleans()) else None,
                fills=tuple(listed),
                fees=(Fee(total / 1000, "BTC"),) if draw(st.booleans()) else None,
            )
        )
    return readings


def after(readings: list[OrderSnapshot]) -> Order:
    books = ledger(beta=BETA_KEEPS_BASE)
    for each in readings:
        books = observed(books, Observed(now=0, order=1, snapshot=each))
    return books.orders[1]


def told(order: Order) -> tuple[Any, ...]:
    return order.filled, order.lifecycle, order.fills, order.live


@given(readings=histories(), data=st.data())
def test_readings_may_come_in_any_order_and_any_number(readings: list[OrderSnapshot], data: st.DataObject) -> None:
    """What is known in the end depends on neither."""
    shuffled = data.draw(st.permutations(readings + data.draw(st.lists(st.sampled_from(readings), max_size=4))))
    assert told(after(readings)) == told(after(list(shuffled)))


@given(readings=histories())
def test_the_same_reading_twice_is_the_same_reading_once(readings: list[OrderSnapshot]) -> None:
    """Merging is idempotent, fee looks of a venue that tells none aside."""
    doubled = [each for reading in readings for each in (reading, reading)]
    assert evolve(after(doubled), fee_looks=0) == evolve(after(readings), fee_looks=0)


@given(readings=histories())
def test_known_filled_never_shrinks(readings: list[OrderSnapshot]) -> None:
    """Whatever a later reading says."""
    known = [after(readings[: count + 1]).filled for count in range(len(readings))]
    assert known == sorted(known)
    assert known[-1] == max(each.filled for each in readings)


@given(readings=histories(), share=st.integers(1, 100))
def test_only_a_bust_takes_some_back_and_it_stays_taken(readings: list[OrderSnapshot], share: int) -> None:
    """Readings from before it change nothing."""
    books = ledger(beta=BETA_KEEPS_BASE).replace(after(readings))
    filled = books.orders[1].filled
    amount = filled * share / 100
    if not amount:
        return
    books = busted(books, Busted(now=0, order=1, amount=amount, reason=""))
    assert books.orders[1].filled == filled - amount
    for each in readings:
        books = observed(books, Observed(now=0, order=1, snapshot=each))
    assert books.orders[1].filled == filled - amount


@given(shown=AMOUNTS, last=AMOUNTS, side=st.sampled_from(Side), ended=st.booleans())
def test_what_is_reserved_holds_all_that_can_still_be_received(
    shown: Decimal, last: Decimal, side: Side, ended: bool
) -> None:
    """From what an order has brought to what it would bring if it filled whole; a point once it has ended."""
    written = ledger(intent(0), intent(1, leg=1, side=side), beta=BETA_KEEPS_BASE)
    books = see(written, 1, shown, ended=ended, fees=None)
    leg = books.plan.legs[1]
    low, high = books.orders[1].reserved(leg)
    if ended:
        assert low == high == books.received[1]
        return
    final = max(shown, last)
    kept = final * leg.fee_on_buy if side is BUY else ZERO
    brought = see(books, 1, final, ended=True, fees=(Fee(kept, "BTC"),)).received[1]
    assert low <= min(brought, books.received[1])
    assert max(brought, books.received[1]) <= high


@given(first=AMOUNTS, second=AMOUNTS, ends=st.tuples(st.booleans(), st.booleans()), more=st.tuples(AMOUNTS, AMOUNTS))
def test_no_way_that_live_orders_fill_is_worse_than_the_worst(
    first: Decimal, second: Decimal, ends: tuple[bool, bool], more: tuple[Decimal, Decimal]
) -> None:
    """Worst exposure bounds every exposure that can follow."""
    books = see(see(ledger(), 0, first, ended=ends[0]), 1, second, ended=ends[1])
    worst = abs(books.worst_exposure)
    later = books
    for order, amount in enumerate(more):
        if not ends[order]:
            later = see(later, order, amount, ended=True)
    assert abs(later.exposure) <= worst
    assert worst <= abs(books.exposure) + sum((ONE * 10 - order.filled for order in books.orders if order.live), ZERO)
