"""One order's life: when each thing was known, and how long its calls took."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from histories import bad_nights, doubtful, tale, tale_of, unwound
from worlds import Walk, snapshot

from fsm_arb.audit.order_story import OrderStory, standing_of
from fsm_arb.audit.story import story_of
from fsm_arb.messages import CancelEnded, Observed
from fsm_arb.ports import Acknowledged, CancelReply, Refused, Wire

D = Decimal
MS = 1_000_000
BEGAN = 1_700_000_000 * 1_000_000_000
WIRE = Wire(sent_at_ns=BEGAN, received_at_ns=BEGAN + 12 * MS, http_status=200)


def orders(walk: Walk) -> tuple[OrderStory, ...]:
    return story_of(tale_of(walk)).orders


def resting() -> Walk:
    """Order 0 rests, order 1 is being sent, half a second after both were intended."""
    walk = Walk(name="resting")
    walk.now = 0.5
    return walk.place(0, Acknowledged(snapshot=snapshot(), wire=WIRE))


def test_an_order_is_told_from_its_intent() -> None:
    """What was ordered, under which id, by which record."""
    story = story_of(tale_of(unwound()))
    first, second, third = story.orders
    assert (first.purpose, first.side, first.amount, first.exchange) == ("first", "sell", D(10), "alpha")
    assert (third.purpose, third.side, third.client_order_id, third.exchange) == ("unwind", "buy", "c2", "alpha")
    assert story.steps[first.step - 1].trigger == story.steps[third.step - 1].trigger == "intended"
    assert second.note == "insufficient_funds: no"
    assert (first.answer, second.answer) == ("acknowledged", "refused")
    assert (first.standing, second.standing) == ("filled whole", "refused")
    assert first.average == D(100)
    assert third.answered_in_ns == 500 * MS


def test_a_round_trip_is_that_of_the_wire() -> None:
    """Measured at the socket, not between two records; None where nobody measured it."""
    acknowledged, sending = orders(resting())
    assert acknowledged.round_trip_ns == 12 * MS
    assert acknowledged.answered_in_ns == 500 * MS
    assert (sending.round_trip_ns, sending.answered_in_ns, sending.answer) == (None, None, "")
    assert (acknowledged.standing, sending.standing) == ("open", "being sent")
    assert orders(unwound())[0].round_trip_ns is None


def test_each_call_that_left_a_record_is_a_trip() -> None:
    """Placing, cancelling and looking, each with its answer."""
    walk = resting().ack(1).at(5)
    walk.now = 5.1
    walk.tell(CancelEnded(now=walk.ns, order=0, reply=CancelReply(accepted=False, code="not_found", wire=WIRE)))
    walk.tell(Observed(now=walk.ns, order=0, snapshot=snapshot(3, ended=True), wire=WIRE))
    told = orders(walk)[0]
    assert [(trip.what, trip.said, trip.round_trip_ns) for trip in told.trips] == [
        ("place", "acknowledged", 12 * MS),
        ("cancel", "refused: not_found", 12 * MS),
        ("look", "ended, filled 3", 12 * MS),
    ]
    assert told.cancel_asked_at_ns == BEGAN + 5000 * MS
    assert told.first_fill_at_ns == told.ended_at_ns == BEGAN + 5100 * MS
    assert told.standing == "ended in part"


def test_a_refusal_names_its_code() -> None:
    """A word that can be looked up."""
    walk = Walk(name="refused").place(0, Refused(code="invalid_order", message="too small", wire=WIRE))
    assert orders(walk)[0].trips[0].said == "refused: invalid_order"


def test_an_order_that_comes_back_has_not_ended() -> None:
    """What was believed absent and is shown again lives; its end is its next one."""
    walk = doubtful()
    walk.vanish(1)
    gone = orders(walk)[1]
    assert gone.standing == "believed absent"
    assert gone.ended_at_ns is not None
    back = orders(walk.see(1, 4))[1]
    assert (back.standing, back.ended_at_ns) == ("open, asked to go", None)


def in_doubt() -> Walk:
    return Walk().doubt(0)


@pytest.mark.parametrize(
    ("walk", "standing"),
    [
        (Walk, "being sent"),
        (in_doubt, "in doubt"),
        (lambda: Walk().ack(0, amount=D(99)), "in doubt: what is shown cannot be ours"),
        (lambda: Walk().ack(0), "open"),
        (lambda: Walk().ack(0).ack(1).at(5), "open, asked to go"),
        (lambda: Walk().refuse(0), "refused"),
        (lambda: Walk().fills(0), "filled whole"),
        (lambda: Walk().ack(0, 4, ended=True), "ended in part"),
        (lambda: Walk().ack(0, 0, ended=True), "ended, nothing filled"),
        (lambda: Walk().fills(0).bust(0, 1), "ended, part of it taken back"),
    ],
)
def test_where_an_order_stands_is_said_in_words(walk: object, standing: str) -> None:
    """One of a few, each of which a person can act on."""
    trade = walk().trade  # type: ignore[operator]
    assert standing_of(trade.orders[0]) == standing


def test_an_operators_verdict_is_an_end() -> None:
    """And is told as his."""
    from fsm_arb.messages import Judged

    walk = in_doubt()
    walk.tell(Judged(now=1, order=0, filled=D(0), price=None, reason="the venue's support says so"))
    assert standing_of(walk.trade.orders[0]) == "ended, as an operator says"


def test_times_never_go_backwards_in_an_orders_life() -> None:
    """On every bad night whose clock was not set back: intent, answer, fill, end."""
    for name, entries in bad_nights().items():
        if any(one.at_ns > other.at_ns for one, other in itertools.pairwise(entries)):
            continue
        for order in story_of(tale(name, entries)).orders:
            times = (order.intended_at_ns, order.placing_ended_at_ns, order.ended_at_ns)
            known = [time for time in times if time is not None]
            if order.answer:
                assert known == sorted(known)
