"""What the venues' own books say of one trade, and where they may honestly differ from ours.

A venue that executes an order after it has itself said that the order is over
knows something that nobody could know. Until we see it, such a difference is
excused: by name, by exactly its amount, and no longer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.ledger import MISSES_MIN
from fsm_arb.orders import FEE_LOOKS_MIN, Lifecycle, Order
from fsm_arb.policy import ExecutionPolicy, seconds_ns
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fsm_arb.memory import Entry
    from fsm_arb.plan import Plan
    from fsm_arb.testing.glimpse import Glimpse, VenueOrder
    from fsm_arb.trade import Trade

LATE = "executed after the venue had said that it was over"
VERDICT = "executed otherwise than an operator had judged"
TAKEN_BACK = "taken back by the venue, and not told yet"
UNTOLD_FEE = "a fee in base that the venue has not told"
ABSENT = "absent"  # how the refusal begins of an order that was presumed absent
BY_OPERATOR = "settled by an operator"  # how the refusal begins of an order that was judged


@frozen(kw_only=True)
class Excuse:
    """One order whose executions on the venue differ from what we know, through no fault of ours."""

    client_order_id: str
    why: str
    amount: Decimal  # signed base: received on the venue, less received as we know it


def touched(before: Glimpse, after: Glimpse) -> Iterator[tuple[Trade | None, Trade]]:
    """Yield every trade that may have changed in a step, as it was (None: it is new) and as it is."""
    same_orders = before.orders is after.orders
    for trade_id, trade in after.trades.items():
        old = before.trades.get(trade_id)
        if not (same_orders and old is trade):
            yield old, trade


def relearnt(before: Glimpse, after: Glimpse) -> Iterator[tuple[Trade | None, Trade]]:
    """Yield every trade whose own ledger has changed in a step, whatever happened on the venues."""
    for trade_id, trade in after.trades.items():
        old = before.trades.get(trade_id)
        if old is not trade and (old is None or old.ledger is not trade.ledger):
            yield old, trade


def tolerance(plan: Plan) -> Decimal:
    """Return the base that cannot be avoided: the coarser lot, or dust where that is more."""
    return max(plan.legs[0].rules.lot, plan.legs[1].rules.lot, plan.dust)


def coarser_lot(plan: Plan) -> Decimal:
    """Return the coarser of both lots, base."""
    return max(plan.legs[0].rules.lot, plan.legs[1].rules.lot)


def by_hand(trade: Trade) -> Decimal:
    """Return the signed base of an operator's own trades, as they were told to *trade*."""
    ledger = trade.ledger
    if ledger is None or not ledger.external:
        return ZERO
    return ledger.exposure - sum((order.received for order in ledger.orders), ZERO)


def true_exposure(trade: Trade, orders: Mapping[str, VenueOrder]) -> Decimal:
    """Return what the trade's orders brought by the venues' own books, + for long.

    An operator's own trades are no orders of ours; they count as they were
    told, and the end of a run compares them with what was really done.
    """
    total = by_hand(trade)
    for order in trade.orders:
        true = orders.get(order.intent.client_order_id)
        if true is not None:
            total += true.received
    return total


def judged_over(order: Order) -> bool:
    """Whether an operator has said that this order ended."""
    return order.refusal.startswith(BY_OPERATOR)


def called_over(order: Order, true: VenueOrder | None, policy: ExecutionPolicy) -> bool:
    """Whether the venue, or an operator, has called this order over, and we were right to believe it.

    That a venue does not show an order is no word to be believed before the
    absence fence has passed, nor for being said less than three times.
    """
    if judged_over(order):
        return True
    return true is not None and true.told_over and not _presumed_early(order, policy)


def _presumed_early(order: Order, policy: ExecutionPolicy) -> bool:
    if order.live or order.ended_at is None or not order.refusal.startswith(ABSENT):
        return False
    since = max(order.placing_ended_at or 0, order.cancel_asked_at or 0)
    if since > order.ended_at:
        return False  # its clocks are those of a later process
    return order.misses < MISSES_MIN or order.ended_at - since < seconds_ns(policy.absence_fence_s)


def excuses(trade: Trade, orders: Mapping[str, VenueOrder]) -> tuple[Excuse, ...]:
    """Return every honest difference between the venues' books and ours, for orders that are over as we know them."""
    found: list[Excuse] = []
    for order in trade.orders:
        true = orders.get(order.intent.client_order_id)
        if true is not None and not order.live:
            found += _excuses(order, true, trade.policy)
    return tuple(found)


def _excuses(order: Order, true: VenueOrder, policy: ExecutionPolicy) -> Iterator[Excuse]:
    name, sign = order.intent.client_order_id, order.intent.side.sign
    unseen = true.filled - order.filled
    fee = (true.filled * sign - true.received) - order.base_fee
    if unseen > 0 and called_over(order, true, policy):
        yield Excuse(client_order_id=name, why=VERDICT if judged_over(order) else LATE, amount=unseen * sign)
    elif unseen < 0 and true.busted > order.busted:
        back = min(-unseen, true.busted - order.busted)
        yield Excuse(client_order_id=name, why=TAKEN_BACK, amount=-back * sign)
    if fee and (unseen or not fee_is_told(order)):
        yield Excuse(client_order_id=name, why=UNTOLD_FEE, amount=-fee)


def fee_is_told(order: Order) -> bool:
    """Whether what was charged in base is the venue's own word, not an assumption or a belief."""
    return order.fees_told and order.fee_looks < FEE_LOOKS_MIN and order.lifecycle is not Lifecycle.DEAD


def excused(trade: Trade, orders: Mapping[str, VenueOrder]) -> Decimal:
    """Return the signed base by which the venues' books may differ from ours, of orders that are over."""
    return sum((excuse.amount for excuse in excuses(trade, orders)), ZERO)


def slack(trade: Trade, orders: Mapping[str, VenueOrder]) -> Decimal:
    """Return the most by which excused differences can have moved the exposure, base, >= 0."""
    return sum((abs(excuse.amount) for excuse in excuses(trade, orders)), ZERO)


def written(glimpse: Glimpse, trade_id: str) -> tuple[Entry, ...]:
    """Return all that a trade has written, durable or on its way there."""
    durable = glimpse.entries.get(trade_id, ())
    more = glimpse.on_the_way.get(trade_id)
    return durable + more if more else durable


def added(before: Glimpse, after: Glimpse, trade_id: str) -> tuple[Entry, ...] | None:
    """Return what a trade has written in a step; None where its records were lost or begun anew."""
    known, now = written(before, trade_id), written(after, trade_id)
    if len(now) < len(known) or (known and now[len(known) - 1] is not known[-1] and now[len(known) - 1] != known[-1]):
        return None
    return now[len(known) :]


def owner(trades: Iterable[Trade], client_order_id: str) -> tuple[Trade, Order] | None:
    """Return the trade, and the order in it, that has this client order id."""
    for trade in trades:
        for order in trade.orders:
            if order.intent.client_order_id == client_order_id:
                return trade, order
    return None


def never_asked() -> str:
    """Stand in for the source of client order ids where none may be asked for.

    Raises:
        AssertionError: Always.
    """
    raise AssertionError("folding asked for a client order id")
