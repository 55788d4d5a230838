"""One order: all that is known of it, and how a venue's reading changes that.

Three facts are kept apart and never folded into one status: its lifecycle,
whether we asked to cancel it, and its cumulative filled quantity. The quantity
only grows, whatever a later reading says; only an explicit bust takes some back.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.messages import Intent
from fsm_arb.plan import LegPlan
from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.values import ONE, ZERO, Fee, FeeIn, Fill, Side, divide

if TYPE_CHECKING:
    from collections.abc import Iterable

JUDGED = "settled by an operator"  # how the refusal of an order begins whose end an operator has told
FEE_LOOKS_MIN = 3  # looks at an ended order before a venue that never tells fees is believed to charge none in base


class Lifecycle(enum.Enum):
    """Where an order stands on its venue, as far as it is proven."""

    PENDING = "pending"  # written; it may or may not exist
    OPEN = "open"  # it exists and may execute
    CLOSED = "closed"  # it existed and has ended; its quantity is revisable upwards
    DEAD = "dead"  # refused, or absent past every doubt; a late discovery brings it back


@frozen(kw_only=True, slots=False)  # with a dict, so that a later version of it is one copy and one update
class Order:
    """One instruction to a venue, and all that is known of it."""

    intent: Intent
    base: str
    deadline: int  # monotonic ns
    lifecycle: Lifecycle = Lifecycle.PENDING
    placing_ended_at: int | None = None  # None while the placing call is out
    cancel_asked_at: int | None = None
    ended_at: int | None = None
    venue_order_id: str | None = None
    accepted: Decimal | None = None  # base, the amount the venue took; None until it says
    gross: Decimal = ZERO  # base, the most that any reading has shown as filled
    busted: Decimal = ZERO  # base, taken back by the venue
    fills: tuple[Fill, ...] = ()
    average: Decimal | None = None  # quote per base over all that filled, or that a bust has left; None: unknown
    fees: tuple[Fee, ...] = ()
    fees_known: bool = False  # whether what was charged in base is known
    fees_of: Decimal = ZERO  # base, the part of `gross` that `fees` were charged for
    fees_told: bool = False  # whether `fees` cover all that is filled
    fee_looks: int = 0  # readings of the ended order that told no fee
    base_fee: Decimal = ZERO  # base, charged or, while not known, assumed
    misses: int = 0  # covered misses since the placing call ended
    refusal: str = ""  # why it is DEAD, or CLOSED because it was no longer found
    mismatch: str = ""  # why what the venue shows under our id cannot be ours
    unsure_since: int | None = None  # since when an answer is overdue

    def changed(self, **changes: Any) -> Order:
        """Return a later version of the order. What `attrs.evolve` does, at a tenth of its cost."""
        later = object.__new__(Order)
        later.__dict__.update(self.__dict__, **changes)
        return later

    @property
    def filled(self) -> Decimal:
        """Base quantity executed and not taken back."""
        return self.gross - self.busted

    @property
    def received(self) -> Decimal:
        """Signed base that the fills brought: less any base fee when buying, and minus it when selling."""
        return self.filled - self.base_fee if self.intent.side is Side.BUY else -self.filled - self.base_fee

    @property
    def live(self) -> bool:
        """Whether it may still execute: resting, being sent, or in doubt."""
        return self.lifecycle is Lifecycle.PENDING or self.lifecycle is Lifecycle.OPEN or bool(self.mismatch)

    @property
    def in_doubt(self) -> bool:
        """Whether it may or may not exist, the placing call being over; or what exists cannot be it."""
        return bool(self.mismatch) or (self.lifecycle is Lifecycle.PENDING and self.placing_ended_at is not None)

    @property
    def resting(self) -> bool:
        """Whether it is known to exist and may execute."""
        return self.lifecycle is Lifecycle.OPEN and not self.mismatch

    @property
    def fulfilled(self) -> bool:
        """Whether all that was ordered has been executed."""
        return self.gross >= self.intent.amount

    @property
    def judged(self) -> bool:
        """Whether it has ended by an operator's word."""
        return self.refusal.startswith(JUDGED)

    @property
    def provisional(self) -> bool:
        """Whether it has ended while a base fee is only assumed."""
        return self.lifecycle is Lifecycle.CLOSED and not self.fees_known

    def reserved(self, leg: LegPlan) -> tuple[Decimal, Decimal]:
        """Return the interval of received base from what it has brought to what it would bring if it filled whole."""
        if not self.live:
            return self.received, self.received
        whole = max(self.accepted or self.intent.amount, self.filled)
        if self.intent.side is Side.BUY:
            return self.received, max(self.received, whole * (ONE - leg.fee_on_buy))
        return min(self.received, -whole), self.received


# ------------------------------------------------------------------ merging a snapshot


def merged(order: Order, snapshot: OrderSnapshot, leg: LegPlan, now: int) -> Order:
    """Return what is known of *order* once a venue has shown it, in whatever state we believed it.

    Args:
        order: As it was known.
        snapshot: What the venue shows.
        leg: The rules of its market.
        now: Monotonic ns.
    """
    mismatch = mismatch_of(order, snapshot, leg)
    if mismatch:
        return order.changed(mismatch=mismatch, unsure_since=now if order.unsure_since is None else order.unsure_since)
    fills = _fills(order, snapshot)
    by_fills = sum((fill.amount for fill in fills), ZERO)
    gross = _gross(order, snapshot, by_fills)
    fees, fees_of = _fees(order, snapshot, fills, gross)
    ended = snapshot.status is OrderStatus.ENDED
    # What was only believed absent is back; what a venue has called over stays over, whatever an older reading says.
    back = order.lifecycle is Lifecycle.DEAD or (order.lifecycle is Lifecycle.CLOSED and bool(order.refusal))
    if order.judged and snapshot.status is OrderStatus.UNKNOWN and gross == order.gross:
        back = False  # a word that nobody knows, and nothing more filled: what the operator has said stands
    was_ended = order.lifecycle is Lifecycle.CLOSED and not back
    looks = order.fee_looks
    if ended and snapshot.filled >= gross > fees_of:
        looks = min(looks + 1, FEE_LOOKS_MIN)
    taken_on_trust = leg.rules.fee_in is FeeIn.UNKNOWN and looks >= FEE_LOOKS_MIN
    # A venue that has told the fee of a part does charge one: of the rest it is taken to be alike, and not told.
    told = fees_of >= gross or (taken_on_trust and not fees_of)
    shown = told or taken_on_trust or leg.rules.fee_in is FeeIn.QUOTE
    known = shown or (order.fees_known and gross == order.gross)  # believed once, for want of a word
    later = order.changed(
        mismatch="",
        venue_order_id=order.venue_order_id or snapshot.venue_order_id,
        accepted=snapshot.amount if snapshot.amount is not None else order.accepted,
        fills=fills,
        gross=gross,
        fees=fees,
        fees_of=fees_of,
        fees_known=known,
        fees_told=told,
        fee_looks=looks,
        base_fee=_base_fee(order, leg, _of_the_whole(fees, fees_of, gross) if shown else None, gross),
        average=_average(order, snapshot, fills, gross, by_fills),
        lifecycle=Lifecycle.CLOSED if was_ended else Lifecycle.OPEN,
        refusal=order.refusal if was_ended else "",
        misses=0,
        ended_at=order.ended_at if was_ended else None,
        unsure_since=None if back or order.cancel_asked_at is None else order.unsure_since,
    )
    if back:  # its time is long over, and its clocks may be those of another process
        later = later.changed(deadline=now, placing_ended_at=now, cancel_asked_at=None)
    if was_ended:
        since = now if order.unsure_since is None else order.unsure_since
        return later.changed(unsure_since=None if known else since)
    return ended_order(later, now) if ended else later


def fills_more(order: Order, snapshot: OrderSnapshot) -> bool:
    """Whether *snapshot* shows more filled than any reading of the order so far."""
    return _gross(order, snapshot, sum((fill.amount for fill in _fills(order, snapshot)), ZERO)) > order.gross


def _gross(order: Order, snapshot: OrderSnapshot, by_fills: Decimal) -> Decimal:
    return max(order.gross, snapshot.filled + _taken_back(order, snapshot), by_fills)


def ended_order(order: Order, now: int) -> Order:
    """A terminal word of the venue, or absence past doubt: its quantity is what is known, and revisable upwards."""
    return order.changed(lifecycle=Lifecycle.CLOSED, ended_at=now, unsure_since=None if order.fees_known else now)


def mismatch_of(order: Order, snapshot: OrderSnapshot, leg: LegPlan) -> str:
    """Say why what a venue shows under our id cannot be the order we meant; empty: it can."""
    intent = order.intent
    # Under the id that the venue gave this very order it is ours, however the venue writes our own.
    named = order.venue_order_id is not None and order.venue_order_id == snapshot.venue_order_id
    if not named and snapshot.client_order_id is not None and snapshot.client_order_id != intent.client_order_id:
        return f"client order id {snapshot.client_order_id} instead of {intent.client_order_id}"
    if snapshot.symbol is not None and snapshot.symbol != leg.leg.symbol:
        return f"symbol {snapshot.symbol} instead of {leg.leg.symbol}"
    if snapshot.side is not None and snapshot.side is not intent.side:
        return f"side {snapshot.side.value} instead of {intent.side.value}"
    # A venue or its library may round what we asked for, and then its amount counts; it may not make it more.
    if snapshot.amount is not None and snapshot.amount - intent.amount > leg.rules.lot:
        return f"amount {snapshot.amount} instead of {intent.amount}"
    return ""


def _fills(order: Order, snapshot: OrderSnapshot) -> tuple[Fill, ...]:
    """Return the executions known by now. More of them than the order can have filled is a count gone wrong."""
    seen = sum((fill.amount for fill in snapshot.fills), ZERO)
    if seen == snapshot.filled >= order.gross and not order.busted:
        return _united(_same_ids(order.fills, snapshot.fills), snapshot.fills)  # it shows all there is
    united = _united(order.fills, snapshot.fills)
    whole = max(order.accepted or ZERO, snapshot.amount or ZERO, order.intent.amount)
    return united if sum((fill.amount for fill in united), ZERO) <= whole else order.fills


def _taken_back(order: Order, snapshot: OrderSnapshot) -> Decimal:
    """Return how much of what was busted a reading leaves out, and so does not count: base."""
    if not order.busted or sum((fill.amount for fill in snapshot.fills), ZERO) != snapshot.filled:
        return ZERO  # it does not show all it counts
    shown = {fill.fill_id for fill in snapshot.fills}
    return min(order.busted, sum((fill.amount for fill in order.fills if fill.fill_id not in shown), ZERO))


def _same_ids(known: tuple[Fill, ...], seen: tuple[Fill, ...]) -> tuple[Fill, ...]:
    ids = {fill.fill_id for fill in seen}
    return tuple(fill for fill in known if fill.fill_id in ids)


def _united(known: tuple[Fill, ...], seen: tuple[Fill, ...]) -> tuple[Fill, ...]:
    """Return all executions, one each by id; a later report of one replaces the earlier (a fee may have come)."""
    if not seen:
        return known
    by_id = {fill.fill_id: fill for fill in known}
    for fill in seen:
        earlier = by_id.get(fill.fill_id)
        if earlier is None or fill.fee is not None:
            by_id[fill.fill_id] = fill
    return tuple(sorted(by_id.values(), key=lambda fill: fill.fill_id))


def _fees(
    order: Order, snapshot: OrderSnapshot, fills: tuple[Fill, ...], gross: Decimal
) -> tuple[tuple[Fee, ...], Decimal]:
    """Return the fees known so far and what they were charged for, base: by whatever tells of the most."""
    by_fills = sum((fill.amount for fill in fills if fill.fee is not None), ZERO)
    by_order = snapshot.filled if snapshot.fees is not None else ZERO
    if fills and by_fills == gross:
        return _summed(fill.fee for fill in fills if fill.fee is not None), gross
    if snapshot.fees is not None and by_order >= gross:
        return _summed(snapshot.fees), gross
    if snapshot.fees is not None and ZERO < gross - order.busted <= by_order:
        # Told after a bust, for what is left: kept as for the whole, of which what was taken back is taken off.
        return _of_the_whole(_summed(snapshot.fees), by_order, gross), gross
    if by_fills >= max(by_order, order.fees_of):
        return _summed(fill.fee for fill in fills if fill.fee is not None), by_fills
    if snapshot.fees is not None and by_order > order.fees_of:
        return _summed(snapshot.fees), by_order
    return order.fees, order.fees_of


def _of_the_whole(fees: tuple[Fee, ...], part: Decimal, whole: Decimal) -> tuple[Fee, ...]:
    """Return the fees that *whole* is charged if they are those of *part*; none where that is nothing."""
    if part == whole or not part:
        return fees
    return tuple(Fee(fee.amount * divide(whole, part), fee.currency) for fee in fees)


def _summed(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    by_currency: dict[str, Decimal] = {}
    for fee in fees:
        by_currency[fee.currency] = by_currency.get(fee.currency, ZERO) + fee.amount
    return tuple(Fee(amount, currency) for currency, amount in sorted(by_currency.items()))


def _base_fee(order: Order, leg: LegPlan, fees: tuple[Fee, ...] | None, gross: Decimal) -> Decimal:
    """Return what was charged in base, or what is assumed while it is not known (None); less what a bust took back."""
    if fees is not None:
        charged = sum((fee.amount for fee in fees if fee.currency == leg.rules.base), ZERO)
    else:
        charged = gross * leg.fee_on_buy if order.intent.side is Side.BUY else ZERO
    if order.busted:
        return charged * divide(gross - order.busted, gross)
    return charged


def _average(
    order: Order, snapshot: OrderSnapshot, fills: tuple[Fill, ...], gross: Decimal, by_fills: Decimal
) -> Decimal | None:
    if not gross:
        return None
    # Executions that are all of what filled, or all that a bust has left of it, outweigh every word about a price.
    if by_fills and by_fills in {gross, gross - order.busted}:
        return divide(sum((fill.amount * fill.price for fill in fills), ZERO), by_fills)
    known = order.average if gross == order.gross else None
    if snapshot.average is None or snapshot.filled != gross:
        return known
    # A venue that has no average shows the limit price in its place: whenever it comes, any other word outweighs it.
    # Of two other words for the same quantity none is known to be true, and the later stands.
    return known if known is not None and snapshot.average == order.intent.bound else snapshot.average
