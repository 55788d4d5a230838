"""Invariant 13: what a trade earned is what its fills say, in whatever order and however often they were told.

At rest the readings of each trade are told again to an empty ledger, backwards,
twice, in halves and in strides; base received, average prices, fees and PnL
must come out the same. Readings are moved only between two busts or verdicts,
since those are about what was known at that moment. And it is added up once
more, from the executions on the venues' own books alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb import ledger as books
from fsm_arb.errors import FsmArbError
from fsm_arb.messages import Busted, ExternalFill, Intended, Judged, Observed, PlaceEnded
from fsm_arb.ports import Acknowledged
from fsm_arb.results import result_of
from fsm_arb.testing.invariants.reckoning import excuses, written
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import EXACT, ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from fsm_arb.ledger import Ledger
    from fsm_arb.plan import Plan
    from fsm_arb.testing.glimpse import Glimpse, VenueOrder
    from fsm_arb.trade import Trade
    from fsm_arb.values import Fee

Reading = Observed | PlaceEnded
STRIDE = 7  # a prime: every reading is told once unless there are a multiple of it
ROUNDED = EXACT.create_decimal("1e-6")  # of what changed hands; a venue's own average is rounded
EXACTLY = EXACT.create_decimal("1e-20")  # of what changed hands; sums of another order round elsewhere


def _as_told(readings: Sequence[Reading]) -> list[Reading]:
    return list(readings)


def _backwards(readings: Sequence[Reading]) -> list[Reading]:
    return list(readings[::-1])


def _twice(readings: Sequence[Reading]) -> list[Reading]:
    return [each for reading in readings for each in (reading, reading)]


def _again_from_the_start(readings: Sequence[Reading]) -> list[Reading]:
    return [*readings, *readings]


def _halves_swapped(readings: Sequence[Reading]) -> list[Reading]:
    half = len(readings) // 2
    return [*readings[half:], *readings[:half]]


def _strides(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for start in range(STRIDE) for reading in readings[start::STRIDE]]


TELLINGS: tuple[tuple[str, Callable[[Sequence[Reading]], list[Reading]]], ...] = (
    ("as they came", _as_told),
    ("backwards", _backwards),
    ("each twice", _twice),
    ("all of them again", _again_from_the_start),
    ("with their halves swapped", _halves_swapped),
    (f"in strides of {STRIDE}", _strides),
)


@frozen
class Earned:
    """What fills amount to."""

    received: tuple[Decimal, Decimal]
    averages: tuple[Decimal | None, Decimal | None]
    fees: tuple[tuple[Fee, ...] | None, ...]  # by order; None: not told
    pnl: Decimal | None


class PnlOfFills(Silent):
    """What is earned does not depend on how it was told."""

    number = 13
    name = "PnL of fills"
    claim = "received, prices, fees and PnL do not depend on the order or the duplication of fill events"

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Tell every trade its readings again, and add up what the venues have."""
        for trade in glimpse.trades.values():
            if trade.ledger is None:
                continue
            if trade.trade_id in glimpse.entries:
                yield from _retold(trade, trade.ledger, [entry.fact for entry in written(glimpse, trade.trade_id)])
            yield from _by_the_venues(trade, trade.ledger, glimpse)


def earned(trade: Trade, ledger: Ledger) -> Earned:
    """Return what the fills of *ledger* amount to, were they those of *trade*."""
    probe = trade.copy()
    probe.ledger = ledger
    return Earned(
        received=ledger.received,
        averages=(ledger.average_price(0), ledger.average_price(1)),
        fees=tuple(order.fees if order.fees_told else None for order in ledger.orders),
        pnl=result_of(probe).pnl,
    )


def _retold(trade: Trade, ledger: Ledger, facts: Sequence[object]) -> Iterator[str]:
    now = earned(trade, ledger)
    for how, permuted in TELLINGS:
        try:
            again = earned(trade, retell(ledger, facts, permuted))
        except FsmArbError as error:
            yield f"trade {trade.trade_id}: its readings cannot be told {how}: {error}"
            continue
        for what in ("received", "averages", "fees", "pnl"):
            one, other = getattr(now, what), getattr(again, what)
            if one != other and not _alike(one, other):
                yield f"trade {trade.trade_id}: {what} is {one}, and {other} when its readings are told {how}"


def _alike(one: object, other: object) -> bool:
    """Whether two numbers, or tuples of them, differ by no more than the rounding of another order of sums."""
    if (one, other) in {(None, ()), ((), None)}:
        return True  # a fee that no venue tells is believed to be none after so many looks, not by what they say
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(a == b or _alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, type(ZERO)) and isinstance(other, type(ZERO)):
        return abs(one - other) <= EXACTLY * max(abs(one), abs(other))
    return False


def retell(ledger: Ledger, facts: Sequence[object], permuted: Callable[[Sequence[Reading]], list[Reading]]) -> Ledger:
    """Return the ledger that *facts* lead to when their readings are told in another order.

    Args:
        ledger: As it stands; its plan and the venue's ids of its orders are taken from it.
        facts: Of the trade's records, as they were written.
        permuted: The order to tell them in; called for each stretch between two busts or verdicts.

    Raises:
        LedgerBroken: They contradict each other in that order.
    """
    intents = [intent for fact in facts if isinstance(fact, Intended) for intent in fact.intents]
    told = books.intended(books.Ledger(plan=ledger.plan, external=ledger.external), intents)
    # Which order the venue's own id names is no fill: it is known from the reply to the placing call.
    told = told.with_orders(
        tuple(
            new.changed(venue_order_id=old.venue_order_id) for new, old in zip(told.orders, ledger.orders, strict=True)
        )
    )
    stretch: list[Reading] = []
    for fact in (*facts, None):
        if isinstance(fact, Observed) or (isinstance(fact, PlaceEnded) and isinstance(fact.outcome, Acknowledged)):
            stretch.append(fact)
            continue
        if fact is not None and not isinstance(fact, Busted | Judged):
            continue
        for reading in permuted(stretch):
            told = books.observed(told, reading) if isinstance(reading, Observed) else books.place_ended(told, reading)
        stretch = []
        if isinstance(fact, Busted):
            told = books.busted(told, fact)
        elif isinstance(fact, Judged):
            told = books.judged(told, fact)
    return told


def _by_the_venues(trade: Trade, ledger: Ledger, glimpse: Glimpse) -> Iterator[str]:
    """Compare the PnL with the one that the venues' own executions make."""
    pnl = result_of(trade).pnl
    if pnl is None or any(order.busted for order in ledger.orders) or excuses(trade, glimpse.orders):
        return
    total = ledger.exposure * ledger.plan.legs[0].price
    turnover, covered = ZERO, True
    for order in ledger.orders:
        true = glimpse.orders.get(order.intent.client_order_id)
        if true is None:
            continue
        if true.filled != order.filled:
            return  # `books_agree` names it
        covered = covered and sum((fill.amount for fill in order.fills), ZERO) == order.filled
        cash, traded = _cash(true)
        total += ledger.plan.worth(order.intent.leg, cash)
        turnover += ledger.plan.worth(order.intent.leg, traded)
    for external in ledger.external:
        total += ledger.plan.worth(external.leg, _operators(ledger.plan, external))
    if abs(total - pnl) > turnover * (EXACTLY if covered else ROUNDED):
        yield f"trade {trade.trade_id}: its PnL is {pnl:f}, by the venues' own executions {total:f}"


def _cash(true: VenueOrder) -> tuple[Decimal, Decimal]:
    """Return what an order brought in quote, fees in quote taken off, and what changed hands."""
    quote = true.symbol.partition("/")[2].partition(":")[0]
    cash = traded = ZERO
    for fill in true.fills:
        traded += fill.amount * fill.price
        cash -= fill.amount * fill.price * true.side.sign
        if fill.fee_currency == quote:
            cash -= fill.fee
    return cash, traded


def _operators(plan: Plan, fill: ExternalFill) -> Decimal:
    fee = fill.fee.amount if fill.fee and fill.fee.currency == plan.legs[fill.leg].rules.quote else ZERO
    return -fill.side.sign * fill.amount * fill.price - fee
