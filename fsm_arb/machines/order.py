"""The life of one order: which facts move it, and where to.

No engine runs this table. An order is the fold of what venues and operators
have said of it (`fsm_arb.orders`, `fsm_arb.ledger`), and must be, since nothing
a venue says may be refused. The table says in rows what that fold does, for
those who review it; its test holds the fold to the rows, both ways.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.ledger import MISSES_MIN
from fsm_arb.machines.table import Row, Table, guard
from fsm_arb.messages import CancelAsked, Judged, Missed, Observed, PlaceEnded, Restarted
from fsm_arb.orders import Lifecycle, Order, fills_more, mismatch_of
from fsm_arb.ports import Acknowledged, InDoubt, OrderStatus, Refused

if TYPE_CHECKING:
    from fsm_arb.messages import Fact
    from fsm_arb.plan import LegPlan
    from fsm_arb.ports import OrderSnapshot


class OrderState(enum.StrEnum):
    """Where one order stands, as far as it is proven."""

    SENDING = "SENDING"  # its intent is durable, the call that places it is out
    OPEN = "OPEN"  # its venue has shown it: it exists and may execute
    CANCELLING = "CANCELLING"  # the same, and it was asked to go; it may fill until it is seen to have ended
    CLOSED = "CLOSED"  # its venue has called it over; its quantity is revisable upwards
    IN_DOUBT = "IN_DOUBT"  # it may exist or not, or what stands under its id cannot be it
    DEAD = "DEAD"  # refused, or absent past every doubt
    WRITTEN_OFF = "WRITTEN_OFF"  # seen once and no longer found, or an operator has said how it ended


class Said(enum.Enum):
    """What one fact says of one order, as far as it can move it."""

    OPEN = "open"
    ENDED = "ended"
    OTHER = "other"
    AS_JUDGED = "as_judged"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    GONE = "gone"
    CANCEL = "cancel"
    VERDICT = "verdict"
    RESTART = "restart"
    NOTHING = "nothing"  # it leaves the order where it stands


@frozen
class OrderView:
    """All that the guards see."""

    said: Said
    asked: bool  # it was asked to go, and has not been believed over since
    over: bool  # its venue has called it over


shown_open = guard(
    "open", "said", Said.OPEN, doc="A reading shows that it may still execute, or in words nobody knows."
)
shown_ended = guard("ended", "said", Said.ENDED, doc="A reading shows that it has ended.")
shown_other = guard(
    "other", "said", Said.OTHER, doc="Under its id stands an order of another symbol, side, name or larger amount."
)
shown_as_judged = guard(
    "as_judged",
    "said",
    Said.AS_JUDGED,
    doc="An operator has said how it ended; a reading in words nobody knows shows no more filled.",
)
refused = guard("", "said", Said.REFUSED, doc="The placing call proved that it does not exist and never will.")
unanswered = guard("", "said", Said.UNANSWERED, doc="The placing call proved nothing.")
gone = guard(
    "past_the_fence",
    "said",
    Said.GONE,
    doc=f"{MISSES_MIN} readings in which it must have stood, asked for past the absence fence, do not show it.",
)
cancel = guard("", "said", Said.CANCEL, doc="It is to be cancelled.")
verdict = guard("", "said", Said.VERDICT, doc="An operator has said how it ended.")
restart = guard("", "said", Said.RESTART, doc="Another process took the trade up.")
asked = guard("asked_to_go", "asked", True, doc="Its cancel was asked for.")
not_asked = guard(
    "not_asked_to_go", "asked", False, doc="Its cancel was not asked for, or so long ago that it was over."
)
over = guard("over", "over", True, doc="Its venue has called it over before.")
not_over = guard("not_over", "over", False, doc="Its venue has never called it over.")

S = OrderState
_DOUBTFUL = "What stands under its id cannot be it: nothing that counts on it is sent until that is cleared up."
_JUDGED = "An operator looked it up and says how it ended; its venue may still say otherwise."

# The first row of a state is the way things should go. What is shown is an observation or an acknowledgement.
ORDER_TABLE = Table(
    name="order",
    states=OrderState,
    initial=S.SENDING,
    final=frozenset({S.CLOSED, S.DEAD, S.WRITTEN_OFF}),
    rows=(
        Row(S.SENDING, "shown", S.OPEN, (shown_open,), why="Acknowledged, or seen before the reply: it exists."),
        Row(S.SENDING, "shown", S.CLOSED, (shown_ended,), why="An order that may not rest was over with the reply."),
        Row(S.SENDING, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
        Row(S.SENDING, "refused", S.DEAD, (refused,), why="A definite refusal: nothing stays reserved."),
        Row(
            S.SENDING,
            "unanswered",
            S.IN_DOUBT,
            (unanswered,),
            why="No reply, or one that proves nothing: it stays reserved in full and is never sent again.",
        ),
        Row(
            S.SENDING,
            "restarted",
            S.IN_DOUBT,
            (restart,),
            why="The trade was taken up anew while the call was out: its reply may never be heard.",
        ),
        Row(S.OPEN, "shown", S.CLOSED, (shown_ended,), why="Filled, expired, or cancelled by its venue."),
        Row(S.OPEN, "cancel_asked", S.CANCELLING, (cancel,), why="It is to go; it may fill until it is seen to end."),
        Row(S.OPEN, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
        Row(S.OPEN, "judged", S.WRITTEN_OFF, (verdict,), why=_JUDGED),
        Row(S.CANCELLING, "shown", S.CLOSED, (shown_ended,), why="It is seen to have ended, with what it filled."),
        Row(
            S.CANCELLING,
            "missed",
            S.WRITTEN_OFF,
            (gone,),
            why="It was asked to go and is found nowhere any more: it ended with what is known of it.",
        ),
        Row(S.CANCELLING, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
        Row(S.CANCELLING, "judged", S.WRITTEN_OFF, (verdict,), why=_JUDGED),
        # Venues fill orders they have called over; that changes what it filled, not that it is over.
        Row(S.CLOSED, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
        Row(S.CLOSED, "judged", S.WRITTEN_OFF, (verdict,), why=_JUDGED),
        Row(
            S.IN_DOUBT,
            "shown",
            S.OPEN,
            (shown_open, not_asked, not_over),
            why="Found: it exists.",
        ),
        Row(
            S.IN_DOUBT,
            "shown",
            S.CANCELLING,
            (shown_open, asked, not_over),
            why="Found as itself again, and the cancel that was asked for still stands.",
        ),
        Row(S.IN_DOUBT, "shown", S.CLOSED, (shown_ended,), why="Found, and it has ended."),
        Row(
            S.IN_DOUBT,
            "shown",
            S.CLOSED,
            (shown_open, over),
            why="Found as itself again by an older reading: what its venue has called over stays over.",
        ),
        Row(
            S.IN_DOUBT,
            "shown",
            S.WRITTEN_OFF,
            (shown_as_judged,),
            why="Found as itself again in words nobody knows: what an operator has said stands.",
        ),
        Row(S.IN_DOUBT, "missed", S.DEAD, (gone,), why="It never arrived: nothing stays reserved."),
        Row(
            S.IN_DOUBT,
            "refused",
            S.DEAD,
            (refused,),
            why="The trade was taken up anew while the call was out, and its reply came after all: a definite refusal.",
        ),
        Row(S.IN_DOUBT, "judged", S.WRITTEN_OFF, (verdict,), why=_JUDGED),
        # Absence is believed, not known; without these rows an order found late is a naked leg.
        Row(S.DEAD, "shown", S.OPEN, (shown_open,), why="Believed absent, and found after all."),
        Row(S.DEAD, "shown", S.CLOSED, (shown_ended,), why="Believed absent, and found ended."),
        Row(S.DEAD, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
        Row(S.DEAD, "judged", S.WRITTEN_OFF, (verdict,), why=_JUDGED),
        Row(S.WRITTEN_OFF, "shown", S.OPEN, (shown_open,), why="No longer looked for, and found after all."),
        Row(S.WRITTEN_OFF, "shown", S.CLOSED, (shown_ended,), why="No longer looked for, and found ended."),
        Row(S.WRITTEN_OFF, "shown", S.IN_DOUBT, (shown_other,), why=_DOUBTFUL),
    ),
)


def order_state(order: Order) -> OrderState:
    """Return where *order* stands."""
    if order.in_doubt:
        return S.IN_DOUBT
    if order.lifecycle is Lifecycle.PENDING:
        return S.SENDING
    if order.lifecycle is Lifecycle.OPEN:
        return S.OPEN if order.cancel_asked_at is None else S.CANCELLING
    if order.lifecycle is Lifecycle.DEAD:
        return S.DEAD
    return S.WRITTEN_OFF if order.refusal else S.CLOSED


def order_view(order: Order, fact: Fact, leg: LegPlan, fence_ns: int) -> OrderView:
    """Return what the guards see of *order* when *fact* is told.

    Args:
        order: As it was known before.
        fact: What is told; one that is about another order says nothing.
        leg: The rules of the order's market.
        fence_ns: The policy's absence fence.
    """
    ended = order.lifecycle is Lifecycle.CLOSED
    believed_over = order.lifecycle is Lifecycle.DEAD or (ended and bool(order.refusal))
    return OrderView(
        said=_said(order, fact, leg, fence_ns),
        asked=order.cancel_asked_at is not None and not believed_over,
        over=ended and not order.refusal,
    )


def _said(order: Order, fact: Fact, leg: LegPlan, fence_ns: int) -> Said:  # noqa: PLR0911 - one a kind of fact
    index = order.intent.index
    match fact:
        case Restarted():
            return Said.RESTART
        case CancelAsked(orders=orders) if index in orders:
            return Said.CANCEL
        case Judged(order=number) if number == index:
            return Said.VERDICT
        case Missed(order=number) if number == index:
            return _missed(order, fact, fence_ns)
        case Observed(order=number, snapshot=snapshot) if number == index:
            return _shown(order, snapshot, leg)
        case PlaceEnded(order=number, outcome=Acknowledged(snapshot=snapshot)) if number == index:
            return _shown(order, snapshot, leg)
        case PlaceEnded(order=number, outcome=Refused()) if number == index:
            # Never over what a venue has shown, be it under our id something else.
            return Said.REFUSED if order.lifecycle is Lifecycle.PENDING and not order.mismatch else Said.NOTHING
        case PlaceEnded(order=number, outcome=InDoubt()) if number == index:
            return Said.UNANSWERED
        case _:
            return Said.NOTHING


def _shown(order: Order, snapshot: OrderSnapshot, leg: LegPlan) -> Said:
    if mismatch_of(order, snapshot, leg):
        return Said.OTHER
    if snapshot.status is OrderStatus.ENDED:
        return Said.ENDED
    if order.judged and snapshot.status is OrderStatus.UNKNOWN and not fills_more(order, snapshot):
        return Said.AS_JUDGED
    return Said.OPEN


def _missed(order: Order, fact: Missed, fence_ns: int) -> Said:
    """Say whether this miss is the one that ends the doubt: enough of them, each asked past the fence."""
    since = order.placing_ended_at
    if since is None or order.mismatch or not fact.covered:
        return Said.NOTHING
    if order.lifecycle is Lifecycle.OPEN:
        if order.cancel_asked_at is None:
            return Said.NOTHING
        since = max(since, order.cancel_asked_at)
    past_the_fence = fact.asked_at >= since + fence_ns
    return Said.GONE if past_the_fence and order.misses + 1 >= MISSES_MIN else Said.NOTHING
