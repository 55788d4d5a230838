"""When two trades are the same: everything that a trade may yet decide by, and nothing else.

Times count from now and stop where the trade stops caring; ids are left out;
orders are sorted; and where both legs are alike a trade and its mirror image
are one. `Canon.of` says under which renumbering of its orders a trade is the
one that stands for all like it.
"""

from __future__ import annotations

import itertools
import marshal
from hashlib import blake2b
from typing import Any

from attrs import frozen

from fsm_arb.ledger import MISSES_MIN, Ledger
from fsm_arb.machines.trade import TradeState
from fsm_arb.messages import Kind, Outcome, Purpose, Surveyed
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.testing.explorer.bounds import LOTS_MAX, UNIT, World
from fsm_arb.trade import Trade

_PURPOSES = {each: number for number, each in enumerate(Purpose)}
_LIFECYCLES = {each: number for number, each in enumerate(Lifecycle)}
_OUTCOMES: dict[Outcome | None, int] = {None: -1} | {each: number for number, each in enumerate(Outcome)}
# Where the budget of remedies is at work; leaving any other state sets it anew.
_FIRST = frozenset({TradeState.PLACING, TradeState.MONITORING})
_BUDGETED = frozenset({TradeState.PARTIAL, TradeState.ROLLBACK})

BODIES_MAX = 30_000  # that are remembered at a time
KEY_BYTES = 16
NOT_BOOKED = -LOTS_MAX - 1  # a booking the wrong way round is below zero

# Where they stand in the head of a key.
_OUTCOME, _BOOKED = 1, 9

Key = tuple[Any, ...]
Permutation = tuple[int, ...]


@frozen
class Likeness:
    """What a trade is like.

    Attributes:
        key: A digest of `Canon.words`: equal for two trades exactly where they are alike.
        order: Which order of the trade stands at each place of the key.
        bases: By place, the lots that count no more: those of an ended order that are known and in the sum.
        turns: The renumberings of places that leave the key as it is, the identity left out.
    """

    key: bytes
    order: Permutation
    bases: tuple[int, ...]
    turns: tuple[Permutation, ...]


@frozen
class Body:
    """The part of a likeness that the ledger decides."""

    digest: bytes
    sums: tuple[int, int]
    orders: Key
    order: Permutation
    bases: tuple[int, ...]
    turns: tuple[Permutation, ...]
    will_not_reduce: bool  # whether a venue has refused an order for being reduce-only


class Canon:
    """Finds what a trade of one world is like."""

    def __init__(self, world: World) -> None:
        self._fence = world.fence
        self._doubt = world.doubt
        self._alike = world.alike
        self._attempts = world.policy.attempts_max
        # By identity of the ledger, which stands beside what was found so that no other can take its place.
        self._bodies: dict[tuple[int, bool, bool, int], tuple[Ledger | None, Body]] = {}
        self._surveys: dict[int, tuple[Surveyed, str]] = {}

    def of(self, trade: Trade, now: int) -> Likeness:
        """Return what *trade* is like at *now*, monotonic ns."""
        body = self._body(trade, now)
        key = blake2b(marshal.dumps(self._head(trade, now, body), 0), digest_size=KEY_BYTES, key=body.digest).digest()
        return Likeness(key=key, order=body.order, bases=body.bases, turns=body.turns)

    def words(self, trade: Trade, now: int) -> Key:
        """Return in full what a trade is like: its head, what each leg has received, and its orders."""
        body = self._body(trade, now)
        return self._head(trade, now, body), body.sums, body.orders

    def _body(self, trade: Trade, now: int) -> Body:
        """Return what the ledger of *trade* is like, found once for each ledger that is shared."""
        ledger = trade.ledger
        state = trade.state
        first, budgeted = state in _FIRST, state in _BUDGETED
        asked = id(ledger), first, budgeted, now
        known = self._bodies.get(asked)
        if known is not None and known[0] is ledger:
            return known[1]
        body = self._find_body(trade, now, first=first, budgeted=budgeted)
        if len(self._bodies) >= BODIES_MAX:
            self._bodies.clear()
        self._bodies[asked] = ledger, body
        return body

    def _find_body(self, trade: Trade, now: int, *, first: bool, budgeted: bool) -> Body:
        orders = [order for order in trade.orders if first or not _spent(order)]
        bases = [0 if first else _base(order) for order in orders]
        sums, ranks = _sums(trade), _ranks(orders)
        parts = [
            (*self._part(order, base, first or (budgeted and order.intent.purpose is not Purpose.FIRST), now), rank)
            for order, base, rank in zip(orders, bases, ranks, strict=True)
        ]
        legs = [order.intent.leg for order in orders]
        here = there = _sorted(parts, legs)
        key = other = (sums, tuple((legs[i], parts[i]) for i in here))
        if self._alike:
            flipped = [1 - leg for leg in legs]
            there = _sorted(parts, flipped)
            # What the one leg has sold the other has bought.
            other = ((-sums[1], -sums[0]), tuple((flipped[i], parts[i]) for i in there))
            if other < key:
                key, other, here, there = other, key, there, here
        return Body(
            digest=blake2b(marshal.dumps(key, 0), digest_size=KEY_BYTES).digest(),
            sums=key[0],
            orders=key[1],
            order=tuple(orders[i].intent.index for i in here),
            bases=tuple(bases[i] for i in here),
            turns=_turns(key[1], here, there if other == key else here),
            will_not_reduce=any(_refusal(order.refusal) > 1 for order in trade.orders),
        )

    def _head(self, trade: Trade, now: int, body: Body) -> Key:
        budgeted = trade.state in _BUDGETED
        timed = budgeted or trade.halted
        refused = trade.refused if timed else ()
        return (
            str(trade.state),
            _OUTCOMES[trade.outcome],
            trade.attempt if budgeted else 0,
            max(trade.granted, self._attempts) if budgeted else 0,
            max(0, _units(trade.not_before - now)) if timed else 0,
            (Kind.COMPLETE in refused, Kind.UNWIND in refused),
            -1 if trade.retry_at is None else max(0, _units(trade.retry_at - now)),
            trade.operator_asked,
            trade.halted_in_doubt,
            NOT_BOOKED if trade.booked_quantity is None else int(trade.booked_quantity),
            trade.watch_ended,
            bool(trade.aborting),
            trade.checks is not None,
            trade.sizing is not None,
            "" if trade.survey is None else self._shown(trade.survey),
            body.will_not_reduce,
        )

    def _shown(self, survey: Surveyed) -> str:
        known = self._surveys.get(id(survey))
        if known is None or known[0] is not survey:
            known = self._surveys[id(survey)] = survey, repr(survey.legs)
        return known[1]

    def _part(self, order: Order, base: int, timed: bool, now: int) -> Key:  # noqa: FBT001
        """Return all of an order that matters from now on, its leg left out.

        *timed*: whether its own time is looked at. Past the first orders that is
        only a remedy's, and only while remedies are at work.
        """
        pending = order.lifecycle is Lifecycle.PENDING
        going = order.lifecycle is Lifecycle.OPEN and order.cancel_asked_at is not None
        called = order.placing_ended_at
        open_ended = order.live or order.provisional
        since = -1
        if (pending or going) and called is not None:
            from_when = called if order.cancel_asked_at is None else max(called, order.cancel_asked_at)
            since = min(_units(now - from_when), self._fence)
        unsure = -1
        if open_ended and order.unsure_since is not None:
            unsure = min(_units(now - order.unsure_since), self._doubt)
        return (
            _PURPOSES[order.intent.purpose],
            int(order.intent.amount) - base,
            _LIFECYCLES[order.lifecycle],
            called is None,
            going,
            since,
            min(order.misses, MISSES_MIN) if since >= 0 else 0,
            max(0, _units(order.deadline - now)) if open_ended and timed else -1,
            unsure,
            int(order.gross) - base,
            int(order.busted),
            -1 if order.accepted is None else int(order.accepted) - base,
            (order.fees_known, order.fees_told, order.fee_looks, order.base_fee.as_integer_ratio()),
            _refusal(order.refusal),
            order.mismatch,
            order.intent.reduce_only,
        )


def _over(order: Order) -> bool:
    """Whether the venue has called it over, and every fee is known."""
    return order.lifecycle is Lifecycle.CLOSED and not (order.refusal or order.mismatch or order.provisional)


def _ranks(orders: list[Order]) -> list[int]:
    """Return for each order how many remedies that live were sent before it, where it is such a one.

    Which of two was sent first is no matter to the trade; who judges it asks.
    """
    ranks, sent = [], 0
    for order in orders:
        remedy = order.live and order.intent.purpose is not Purpose.FIRST
        ranks.append(sent if remedy else 0)
        sent += remedy
    return ranks


def _spent(order: Order) -> bool:
    """Whether nothing can be told of it any more that is not known: it has filled whole."""
    return _over(order) and order.gross == order.intent.amount and not order.busted


def _base(order: Order) -> int:
    """Return the lots of an ended first order that stand in the sum: only what may still come counts apart."""
    return int(order.gross) if _over(order) and order.intent.purpose is Purpose.FIRST and not order.busted else 0


def ending_of(words: Key) -> Key:
    """Return how a run has ended: outcome, booked quantity, and what each leg has received."""
    head, sums, _ = words
    return head[_OUTCOME], head[_BOOKED], sums


def look_of(words: Key) -> Key:
    """Return the part of what a trade is like that no clock and no budget stands in: what the books look like."""
    head, sums, orders = words
    done = head[0] == TradeState.DONE
    return (
        done,
        head[_OUTCOME] if done else None,
        head[_BOOKED] if done else None,
        sums,
        tuple((leg, part[:3], part[8] >= 0, part[9:]) for leg, part in orders),
    )


def _units(span: int) -> int:
    """Return *span* ns in units, any part of one counted as a whole one."""
    return -(-span // UNIT)


def _refusal(words: str) -> int:
    return (1 + ("reduceonly" in words.lower().replace("-", "").replace(" ", ""))) if words else 0


def _sums(trade: Trade) -> tuple[int, int]:
    """Return what each leg has received in all, an operator's own trades too, signed lots."""
    if trade.ledger is None:
        return 0, 0
    first, second = trade.ledger.received
    return int(first), int(second)


def _sorted(parts: list[Key], legs: list[int]) -> Permutation:
    return tuple(sorted(range(len(parts)), key=lambda i: (legs[i], parts[i])))


def _turns(orders: tuple[Any, ...], here: Permutation, there: Permutation) -> tuple[Permutation, ...]:
    """Return the renumberings of places under which *orders* stay what they are.

    Like orders may change places; and where the mirror image is the same trade,
    so may the legs: *there* says which order then stands where.
    """
    if len(set(orders)) == len(orders) and here == there:
        return ()
    groups = [tuple(group) for _, group in itertools.groupby(range(len(orders)), key=orders.__getitem__)]
    swaps = [
        tuple(itertools.chain.from_iterable(choice))
        for choice in itertools.product(*(itertools.permutations(group) for group in groups))
    ]
    place = {order: index for index, order in enumerate(here)}
    turn = tuple(place[order] for order in there)
    found = set(swaps) | {tuple(turn[index] for index in swap) for swap in swaps}
    return tuple(sorted(found - {tuple(range(len(orders)))}))
