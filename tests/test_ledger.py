"""The ledger: each thing that can happen to an order, and what no sequence of readings can do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from ledgers import BUY, DOUBT, FENCE, NO, SELL, ledger, miss, place, see
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, PRICE, SECOND, intent, sized, snapshot

from fsm_arb.errors import LedgerBroken
from fsm_arb.ledger import (
    Ledger,
    busted,
    cancel_asked,
    fees_believed,
    gross_up,
    intended,
    judged,
    observed,
    restarted,
    will_not_reduce,
)
from fsm_arb.messages import Busted, ExternalFill, Judged, Observed, Purpose
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus, Refused
from fsm_arb.values import ONE, ZERO, Fee, Fill, Side

D = Decimal


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


def test_a_refusal_answers_what_was_overdue() -> None:
    """Unless a stranger was shown under the order's id: that stays in doubt from when it was."""
    asked = cancel_asked(ledger(), [0], 2)
    assert (asked.orders[0].unsure_since, place(asked, 0, NO, now=3).orders[0].unsure_since) == (2, None)
    stranger = place(see(ledger(), 0, 10, symbol="ETH/USD", now=2), 0, NO, now=3).orders[0]
    assert (stranger.lifecycle, stranger.live, stranger.unsure_since) == (Lifecycle.DEAD, True, 2)


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


# ------------------------------------------------------------------ absence


def test_absence_needs_three_covered_misses_past_the_fence() -> None:
    """Before it a list may lag, and a miss says nothing, however often it is made."""
    books = place(ledger(), 0, DOUBT, now=SECOND)
    assert miss(books, 0, SECOND - 1) is books
    assert miss(books, 0, FENCE + SECOND - 1) is books
    assert miss(books, 0, FENCE * 2, covered=False) is books
    two = miss(miss(books, 0, FENCE + SECOND), 0, FENCE + SECOND)
    assert (two.orders[0].misses, two.orders[0].live) == (2, True)
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
    assert miss(asked, 0, FENCE * 3 - 1) is asked
    two = miss(miss(asked, 0, FENCE * 3), 0, FENCE * 3)
    assert two.orders[0].live
    gone = miss(two, 0, FENCE * 3)
    assert (gone.orders[0].lifecycle, gone.received[0]) == (Lifecycle.CLOSED, -4)
    assert gone.orders[0].refusal == "absent: not found 3 times, 15.0 s after it was asked to go"


def test_two_misses_prove_nothing_however_late_they_are() -> None:
    """An order is believed absent when it was looked for three times, not when long has passed."""
    books = place(ledger(), 0, DOUBT)
    assert miss(books, 0, FENCE * 9).orders[0].live
    two = miss(miss(books, 0, FENCE * 9), 0, FENCE * 9)
    assert two.orders[0].live
    gone = miss(two, 0, FENCE * 9).orders[0]
    assert (gone.live, gone.ended_at) == (False, FENCE * 9)


def test_a_sighting_or_a_cancel_begins_the_count_anew() -> None:
    """Three in a row since the last that happened to the order, or they prove nothing."""
    books = miss(miss(place(ledger(), 0, DOUBT), 0, FENCE), 0, FENCE)
    assert see(books, 0, 0).orders[0].misses == 0
    assert cancel_asked(books, [0], FENCE).orders[0].misses == 0


def test_an_order_is_not_absent_while_a_stranger_is_shown_under_its_id() -> None:
    """Something is there; that it is not found now and then does not free what is reserved."""
    books = see(place(ledger(), 0, DOUBT), 0, 10, symbol="ETH/USD")
    for _ in range(4):
        books = miss(books, 0, FENCE * 9)
    assert (books.orders[0].live, books.orders[0].misses) == (True, 0)


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
    books = miss(place(books, 2, DOUBT, now=1), 2, 1 + FENCE)
    assert books.orders[2].misses == 1
    closed = see(books, 0, 4, ended=True).orders[0]
    after = restarted(books, 99)
    for order in after.orders:
        assert (order.deadline, order.placing_ended_at, order.unsure_since, order.misses) == (99, 99, 99, 0)
    assert [order.cancel_asked_at for order in after.orders] == [99, None, None]
    assert restarted(books.replace(closed), 99).orders[0] == closed


# ------------------------------------------------------------------ an operator's word, and a venue's form


def test_a_verdict_closes_an_order_with_what_it_says() -> None:
    """At the price it says, and with nothing left to be known."""
    said = Judged(now=7, order=0, filled=D(4), price=D(101), reason="seen on the website")
    order = judged(place(ledger(), 0, DOUBT), said).orders[0]
    assert (order.lifecycle, order.filled, order.average) == (Lifecycle.CLOSED, 4, 101)
    assert not order.live
    assert not order.provisional
    assert (order.ended_at, order.unsure_since) == (7, None)
    assert order.refusal == "settled by an operator: seen on the website"


def test_a_verdict_counts_what_is_left_after_a_bust() -> None:
    """It says what filled in all and stands; what was taken back before is taken off no second time."""
    books = busted(see(ledger(), 0, 10), Busted(now=0, order=0, amount=D(3), reason=""))
    assert judged(books, Judged(now=7, order=0, filled=D(4), price=None, reason="")).orders[0].filled == 4


def test_a_verdict_about_a_purchase_reckons_with_the_usual_base_fee() -> None:
    """Nobody told one; to reckon with none would be to sell what the venue may have kept. A sale keeps none."""
    books = ledger(intent(0), intent(1, leg=1, side=BUY), intent(2, leg=1, side=SELL), beta=BETA_KEEPS_BASE)
    for order, received in ((1, "3.996"), (2, "-4")):
        settled = judged(books, Judged(now=7, order=order, filled=D(4), price=None, reason="")).orders[order]
        assert (settled.received, settled.fees_told) == (D(received), False)


def test_a_verdict_keeps_a_fee_that_was_told_for_all_that_filled() -> None:
    """For more than that it says nothing."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 4, fees=(Fee(D("0.01"), "BTC"),))
    same, more = (
        judged(books, Judged(now=7, order=1, filled=D(filled), price=None, reason="")).orders[1] for filled in (4, 5)
    )
    assert (same.base_fee, same.fees_told) == (D("0.01"), True)
    assert (more.base_fee, more.fees_told) == (D("0.005"), False)
    assert (same.fees, same.fees_of) == ((Fee(D("0.01"), "BTC"),), 4)
    assert (more.fees, more.fees_of) == ((), 0)
    untold = see(ledger(beta=BETA_KEEPS_BASE), 1, 4, fees=None)
    assert not judged(untold, Judged(now=7, order=1, filled=D(4), price=None, reason="")).orders[1].fees_told


def test_a_verdict_ends_the_doubt_about_a_stranger_under_the_order_s_id() -> None:
    """A person has looked: the order is over, though no venue shows one that fits."""
    stranger = see(ledger(), 0, 10, symbol="ETH/USD")
    settled = judged(stranger, Judged(now=7, order=0, filled=ZERO, price=None, reason=""))
    assert (stranger.orders[0].live, settled.orders[0].live) == (True, False)


def test_a_fee_that_nobody_tells_is_believed_as_it_was_assumed() -> None:
    """And an order whose fee is known is left alone."""
    books = see(ledger(beta=BETA_KEEPS_BASE), 1, 10, ended=True, fees=None)
    assert books.provisional
    believed = fees_believed(books)
    assert not believed.provisional
    assert believed.orders[1].unsure_since is None  # nobody waits for it any more
    assert believed.received == books.received
    assert fees_believed(believed) is believed


def test_only_a_refusal_that_speaks_of_reducing_is_one_of_the_form() -> None:
    """A reduce-only order may be refused for anything; and of a plain one the words mean something else."""
    spoken = Refused(code="invalid_order", message="no positions in this direction to reduce or close")
    for reduce_only, said, nets in ((True, spoken, True), (True, NO, False), (False, spoken, False)):
        written = ledger(intent(0), intent(1, leg=1, side=BUY, reduce_only=reduce_only))
        assert will_not_reduce(place(written, 1, said), 1) is nets


def test_a_venue_that_nets_positions_says_so_in_its_refusal() -> None:
    """However it writes the words, and whatever it said of the leg's other orders."""
    for words in ("Reduce-Only order is rejected", "reduceOnly rejected", "REDUCE ONLY not possible"):
        refused = place(ledger(), 1, Refused(code="invalid_order", message=words))
        assert will_not_reduce(refused, 1)
        assert not will_not_reduce(refused, 0)
        again = intended(refused, [intent(2, leg=1, side=BUY)])
        assert will_not_reduce(place(again, 2, NO), 1)
    assert not will_not_reduce(place(ledger(), 1, NO), 1)


@pytest.mark.parametrize("words", ["there is no position to reduce", "You don't have any positions to reduce or close"])
def test_a_reduce_only_order_refused_for_want_of_a_position_is_not_sent_again_as_one(words: str) -> None:
    """The same words to a plain order are about its size, and say nothing of positions."""
    said = Refused(code="invalid_order", message=words)
    reducing = evolve(intent(0, leg=0, side=BUY), reduce_only=True)
    assert will_not_reduce(place(ledger(reducing), 0, said), 0)
    assert not will_not_reduce(place(ledger(evolve(reducing, reduce_only=False)), 0, said), 0)


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


def test_what_an_operator_traded_by_hand_is_not_forgotten_when_an_order_moves() -> None:
    """Each later version of the books holds it."""
    by_hand = ExternalFill(now=0, leg=0, side=SELL, amount=D(2), price=PRICE, reason="")
    books = evolve(ledger(), external=(by_hand,))
    assert see(books, 1, 7).received == (-2, 7)
    assert intended(books, [intent(2)]).external == (by_hand,)


def test_all_is_known_when_nothing_lives_and_every_base_fee_is_told() -> None:
    """One order that lives, or one fee that is only assumed, and it is not."""
    one = see(ledger(beta=BETA_KEEPS_BASE), 0, 10, ended=True)
    assert one.known is False  # the other lives
    assumed = see(one, 1, 10, fees=None, ended=True)
    assert (assumed.live, assumed.known) == ((), False)
    assert see(assumed, 1, 10, fees=(Fee(D("0.01"), "BTC"),), ended=True).known is True


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


@pytest.mark.parametrize(("bought", "sold", "matched"), [(3, 2, -2), (2, 3, -2), (3, 0, 0), (0, 2, 0)])
def test_what_matches_the_wrong_way_round_is_below_zero(bought: int, sold: int, matched: int) -> None:
    """Leg zero sells and has bought, leg one buys and has sold: the lesser of both, and told as what it is."""
    books = ledger(intent(0, side=BUY, amount=3), intent(1, leg=1, side=SELL, amount=3))
    assert see(see(books, 0, bought), 1, sold).matched_quantity == matched


@pytest.mark.parametrize(("sold", "bought"), [(4, 7), (7, 4)])
def test_what_matches_is_what_the_lesser_leg_has(sold: int, bought: int) -> None:
    """Whichever leg that is."""
    assert see(see(ledger(), 0, sold), 1, bought).matched_quantity == 4


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


@pytest.mark.parametrize(
    ("nets", "leasts", "flat"),
    [
        (("-0.09", "0.1"), ("0.1", "0.2"), True),
        (("-0.1", "0.19"), ("0.1", "0.2"), False),  # the first could trade what it has
        (("0.1", "-0.19"), ("0.1", "0.2"), False),  # so it could the other way round
        (("-0.19", "0.1"), ("0.2", "0.1"), False),  # the second could
        (("0.19", "-0.1"), ("0.2", "0.1"), False),
        (("0.19", "-0.09"), ("0.2", "0.1"), False),  # neither could, and they are more than dust apart
        (("0.18", "-0.09"), ("0.2", "0.1"), True),
    ],
)
def test_a_leg_that_its_venue_would_trade_back_is_not_flat(
    nets: tuple[str, str], leasts: tuple[str, str], flat: bool
) -> None:
    """Its own least order counts, exactly that is enough, and the direction makes no difference."""
    rules = tuple(evolve(each, amount_min=D(least)) for each, least in zip((ALPHA, BETA), leasts, strict=True))
    by_hand = tuple(
        ExternalFill(now=0, leg=leg, side=SELL if D(net) < 0 else BUY, amount=abs(D(net)), price=PRICE, reason="")
        for leg, net in enumerate(nets)
    )
    assert Ledger(plan=sized(rules=(rules[0], rules[1])), external=by_hand).flat is flat


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
    unfilled = ledger(intent(0), intent(1, purpose=Purpose.COMPLETE))
    assert see(unfilled, 0, 10, average=D(100)).average_price(0) == D(100)  # an order without a fill has no price


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
