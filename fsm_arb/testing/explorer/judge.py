"""What is checked, and how often: each checker once for each thing it can tell apart.

A step of the core is judged when it is first taken; a state of the whole world
when what a checker can see of it, clocks left out, is first met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from fsm_arb.orders import Lifecycle
from fsm_arb.testing.explorer.course import Course
from fsm_arb.testing.glimpse import Glimpse, VenueFill, VenueOrder, Violation, judged, judged_at_rest
from fsm_arb.testing.invariants import INVARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.ledger import Ledger
    from fsm_arb.orders import Order
    from fsm_arb.testing.explorer.core import Told
    from fsm_arb.testing.glimpse import Checker
    from fsm_arb.trade import Trade

# Judged on each distinct step of the core.
OF_STEPS = frozenset({2, 6, 9})
# Judged, besides, on each step that sends orders: ids, and what may lie beside a remedy when it goes out.
OF_SENDS = frozenset({3, 4, 10})
# Judged on each distinct trade.
OF_TRADES = frozenset({15})
# Judged on each distinct pair of what we know and what the venues have.
OF_STATES = frozenset({1, 2, 3, 4, 5, 7})
# Judged where a trade is DONE and nothing moves any more.
AT_REST = frozenset({7, 8, 13})
BOOKS_MAX = 20_000  # that are remembered at a time


@define(eq=False)
class Judge:
    """Holds the checkers, and what they have objected to."""

    checkers: tuple[Checker, ...] = INVARIANTS
    steps: list[tuple[Told, tuple[Violation, ...]]] = field(factory=list)  # that were objected to
    states_judged: int = 0
    # By identity of the ledger, which stands beside what was found so that no other can take its place.
    _books: dict[int, tuple[Ledger | None, dict[str, VenueOrder]]] = field(factory=dict)
    _of_steps: tuple[Checker, ...] = field(init=False)
    _of_sends: tuple[Checker, ...] = field(init=False)
    _of_trades: tuple[Checker, ...] = field(init=False)
    _of_states: tuple[Checker, ...] = field(init=False)
    _at_rest: tuple[Checker, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._of_steps = _those(self.checkers, OF_STEPS)
        self._of_sends = _those(self.checkers, OF_STEPS | OF_SENDS)
        self._of_trades = _those(self.checkers, OF_TRADES)
        self._of_states = _those(self.checkers, OF_STATES)
        self._at_rest = _those(self.checkers, AT_REST)

    def step(self, told: Told, *, new: bool) -> None:
        """Judge one step of the core, as kindly as what it was told allows. *new*: no trade like it was met before."""
        found = self.objections(told)
        if new and not found:
            found = self._trade(told.after, told.now)
        if found:
            self.steps.append((told, found))

    def objections(self, told: Told) -> tuple[Violation, ...]:
        """Return what is wrong with one step of the core."""
        if told.error is not None:
            return (_broken(told.error),)
        if not told.step.entries and told.event.now == told.now and told.before.ledger is told.after.ledger:
            changed = told.after.state != told.before.state
            return (_broken(AssertionError("the state changed without a record")),) if changed else ()
        name = told.before.trade_id
        orders = self._kindly(told.before)
        before = Glimpse(now=told.now, trades={name: told.before}, orders=orders, entries={name: ()})
        after = Glimpse(now=told.now, trades={name: told.after}, orders=orders, entries={name: told.step.entries})
        return judged(self._of_sends if told.step.sends else self._of_steps, before, after)

    def _kindly(self, trade: Trade) -> dict[str, VenueOrder]:
        """Return venues' books that agree with all that the trade knows: what it takes for over was called over."""
        ledger = trade.ledger
        known = self._books.get(id(ledger))
        if known is not None and known[0] is ledger:
            return known[1]
        books = {order.intent.client_order_id: _as_known(trade, order) for order in trade.orders}
        if len(self._books) >= BOOKS_MAX:
            self._books.clear()
        self._books[id(ledger)] = ledger, books
        return books

    def _trade(self, trade: Trade, now: int) -> tuple[Violation, ...]:
        nothing = Glimpse(now=now, trades={}, orders={})
        return judged(self._of_trades, nothing, Glimpse(now=now, trades={trade.trade_id: trade}, orders={}))

    def state(self, before: Course, after: Course) -> tuple[Violation, ...]:
        """Return what is wrong with a state that was reached by one edge."""
        self.states_judged += 1
        if after.error is not None:
            return (_broken(after.error),)
        return judged(self._of_states, before.glimpse(), after.glimpse())

    def rest(self, course: Course) -> tuple[Violation, ...]:
        """Return what is wrong with an end: DONE, and everything has been told."""
        return judged_at_rest(self._at_rest, course.glimpse())


def _those(checkers: Iterable[Checker], numbers: frozenset[int]) -> tuple[Checker, ...]:
    return tuple(checker for checker in checkers if checker.number in numbers)


def _broken(error: Exception) -> Violation:
    return Violation(
        number=14, name="unknown is harmless", what=f"our own code failed: {type(error).__name__}: {error}"
    )


def _as_known(trade: Trade, order: Order) -> VenueOrder:
    intent = order.intent
    leg = trade.decision.legs[intent.leg]
    return VenueOrder(
        venue=leg.exchange,
        client_order_id=intent.client_order_id,
        symbol=leg.symbol,
        side=intent.side,
        amount=intent.amount,
        live=order.live,
        told_over=order.lifecycle in {Lifecycle.CLOSED, Lifecycle.DEAD},
        fills=tuple(VenueFill(fill_id=fill.fill_id, amount=fill.amount, price=fill.price) for fill in order.fills),
    )
