"""From what a strategy says to decisions that an executor takes: a tick in, decisions out, nothing sent.

An integration is anything with `tick_entry` and `tick_exit`; `Integration` is
the port. `CrossExchangeIntegration` is the one that stands ready: it asks a
`Strategy` about each `MarketContext` and writes down what it says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any, Protocol

from attrs import define, field, frozen

from fsm_arb.context import Held, MarketContext, utc
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput
from fsm_arb.spread import middle, sides_of
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Strategy, Verdict
from fsm_arb.values import Action, Leg, OrderBook, Side, divide, not_negative, to_decimal

logger = logging.getLogger(__name__)

NS_PER_S = 1_000_000_000
# An average has as many digits as the arithmetic; a decision is journaled and read by people.
_SHORT = Context(prec=18)
_CAME_TO_NOTHING = frozenset({"blocked", "failed", "halted"})
_LEFT_NOTHING = _CAME_TO_NOTHING | {"rolled_back"}  # of exits: the position stands as it stood
_DOUBLINGS_MAX = 32


class Integration(Protocol):
    """What looks at a context (books, FX, balances, health) and decides. May be sync or async."""

    def tick_entry(self, context: Any) -> Any:
        """Return the entries to execute now: a sequence of decisions, maybe empty."""
        ...

    def tick_exit(self, context: Any) -> Any:
        """Return the exits to execute now: a sequence of decisions, maybe empty."""
        ...


@frozen(kw_only=True)
class Told:
    """What was said at one tick about one pair, or about one position of it.

    Attributes:
        context: What was looked at.
        verdict: What was said, and why.
        position_id: The position that was asked about; None for an entry.
        decision: What came of it; None for nothing.
    """

    context: MarketContext
    verdict: Verdict
    position_id: str | None = None
    decision: CrossExchangeDecision | None = None


def _again(value: Decimal | float | str) -> Decimal:
    return to_decimal(str(value), "again_after_s")


def _exit_again(value: Decimal | float | str) -> Decimal:
    return to_decimal(str(value), "exit_again_after_s")


def _exit_again_max(value: Decimal | float | str) -> Decimal:
    return to_decimal(str(value), "exit_again_max_s")


@define(eq=False, kw_only=True)
class CrossExchangeIntegration:
    """Turns a strategy's verdicts into decisions, one in flight for each pair and each position.

    A pair, or a position, that a decision was made on is left alone until `concluded` says that the decision
    has run its course, and where nobody says so for `again_after_s`. A trade that runs on longer than that is
    what `MarketContext.in_flight` and `Held.open` are for.

    Args:
        strategy: Decides.
        decision_ids: Gives a fresh id, 1 to 64 characters, at each call.
        again_after_s: Seconds; the default is as long as an executor's default policy takes an entry for fresh.
        exit_again_after_s: Seconds for which a position is not left again after an exit that came to nothing, from
            the next tick on; twice as long after each further one.
        exit_again_max_s: Seconds; the longest of these pauses.

    Attributes:
        told: What was said at the last tick, in the order in which it was asked; each NO_ACTION with its reason.

    Raises:
        InvalidInput: The seconds are negative or no number.
    """

    strategy: Strategy
    decision_ids: Callable[[], str]
    again_after_s: Decimal = field(default=Decimal(10), converter=_again, validator=not_negative)
    exit_again_after_s: Decimal = field(default=Decimal(10), converter=_exit_again, validator=not_negative)
    exit_again_max_s: Decimal = field(default=Decimal(60), converter=_exit_again_max, validator=not_negative)
    told: tuple[Told, ...] = field(default=(), init=False)
    _running: dict[frozenset[Leg] | str, tuple[str, int]] = field(factory=dict, init=False)
    _futile: dict[str, tuple[int, int | None]] = field(factory=dict, init=False)  # exits in a row, by position; since

    def tick_entry(self, context: MarketContext | Iterable[MarketContext]) -> tuple[CrossExchangeDecision, ...]:
        """Return the entries to execute now, one a pair at most.

        Args:
            context: One pair at one moment, or several.

        Raises:
            InvalidInput: The strategy answered with an exit.
            CurrencyMismatch: A notional or a threshold is in neither quote currency of its pair. What else the
                strategy raises comes through as well; nothing of this tick is in flight then.
        """
        told: list[Told] = []
        try:
            for each in _each(context):
                told.append(self._entry(each))  # noqa: PERF401 - what was decided before an error is let go of
        except Exception:
            for lost in told:
                if lost.decision is not None:
                    self.concluded(lost.decision)
            raise
        self.told = tuple(told)
        return tuple(told.decision for told in self.told if told.decision is not None)

    def tick_exit(self, context: MarketContext | Iterable[MarketContext]) -> tuple[CrossExchangeDecision, ...]:
        """Return the exits to execute now, one a position at most.

        What a strategy raises on one position is logged and told, and keeps no other from being left.

        Args:
            context: One pair at one moment, or several.
        """
        self.told = tuple(self._asked(each, held) for each in _each(context) for held in each.positions)
        return tuple(told.decision for told in self.told if told.decision is not None)

    def concluded(self, decision: CrossExchangeDecision, status: str | None = None) -> None:
        """Take in that a decision has run its course, so that its pair or position may be decided on again.

        Args:
            decision: As a tick returned it.
            status: Its result's; None where it was left on paper. An entry that came to nothing, or has halted,
                is not asked for again before `again_after_s`: the same market would give the same answer. An exit
                that came to nothing is held off.
        """
        key = decision.position_id or frozenset(decision.legs)
        if self._running.get(key, ("", 0))[0] != decision.decision_id:
            return
        if decision.position_id is not None:
            times, _ = self._futile.pop(decision.position_id, (0, None))
            if status in _LEFT_NOTHING:
                self._futile[decision.position_id] = times + 1, None
            del self._running[key]
        elif status not in _CAME_TO_NOTHING:
            del self._running[key]

    def _entry(self, context: MarketContext) -> Told:
        if context.in_flight or self._busy(frozenset(context.legs), context.now_ns):
            words = f"a trade of {context.legs[0].symbol} and {context.legs[1].symbol} is at work"
            return Told(context=context, verdict=_nothing(ReasonCode.IN_FLIGHT, words))
        verdict = self.strategy.entry(context)
        if verdict.action is Action.NO_ACTION:
            return Told(context=context, verdict=verdict)
        if verdict.notional is None:
            raise InvalidInput("action", verdict.action.value, "is no answer to the question of an entry")
        notional = context.in_first(verdict.notional, "notional")
        sides = sides_of(1 if verdict.action is Action.ENTRY_POSITIVE else -1)
        prices = _entry_prices(context, verdict, sides, notional.amount)
        if isinstance(prices, Reason):
            return Told(context=context, verdict=Verdict(action=Action.NO_ACTION, reason=prices, spread=verdict.spread))
        decision = CrossExchangeDecision(
            action=verdict.action,
            legs=context.legs,
            notional=notional,
            prices=(_SHORT.plus(prices[0]), _SHORT.plus(prices[1])),
            reason=str(verdict.reason),
            decision_id=self.decision_ids(),
            decided_at=utc(context.now_ns),
            books=context.books,
        )
        self._running[frozenset(context.legs)] = decision.decision_id, context.now_ns
        return Told(context=context, verdict=verdict, decision=decision)

    def _asked(self, context: MarketContext, held: Held) -> Told:
        try:
            return self._exit(context, held)
        except Exception as error:
            logger.exception("position %s could not be judged", held.position_id)
            verdict = _nothing(ReasonCode.FAILED, f"{type(error).__name__}: {error}")
            return Told(context=context, verdict=verdict, position_id=held.position_id)

    def _exit(self, context: MarketContext, held: Held) -> Told:
        position_id = held.position_id
        if not held.open or self._busy(position_id, context.now_ns):
            verdict = _nothing(ReasonCode.IN_FLIGHT, f"an exit of {position_id} is at work")
            return Told(context=context, verdict=verdict, position_id=position_id)
        if self._held_off(position_id, context.now_ns):
            times, _ = self._futile[position_id]
            words = f"the last exit of {position_id} came to nothing ({times} in a row); it is asked for after a pause"
            return Told(context=context, verdict=_nothing(ReasonCode.HELD_OFF, words), position_id=position_id)
        verdict = self.strategy.exit(context, held)
        if verdict.action is Action.NO_ACTION:
            return Told(context=context, verdict=verdict, position_id=position_id)
        if verdict.action.is_entry:
            raise InvalidInput("action", verdict.action.value, f"is no answer to the question of leaving {position_id}")
        decision = CrossExchangeDecision(
            action=verdict.action,
            legs=held.legs,
            prices=_exit_prices(context, held),
            reason=str(verdict.reason),
            decision_id=self.decision_ids(),
            position_id=position_id,
            decided_at=utc(context.now_ns),
        )  # without books: an exit is not made smaller for what stands there at the moment
        self._running[position_id] = decision.decision_id, context.now_ns
        return Told(context=context, verdict=verdict, position_id=position_id, decision=decision)

    def _busy(self, key: frozenset[Leg] | str, now_ns: int) -> bool:
        _, since_ns = self._running.get(key, ("", None))
        # A clock that was set back holds up nothing.
        return since_ns is not None and 0 <= now_ns - since_ns < self.again_after_s * NS_PER_S

    def _held_off(self, position_id: str, now_ns: int) -> bool:
        """Whether the pause after an exit that came to nothing has not passed; it begins with the tick after it."""
        times, since_ns = self._futile.get(position_id, (0, None))
        if not times:
            return False
        if since_ns is None:
            since_ns = now_ns
            self._futile[position_id] = times, since_ns
        pause = min(self.exit_again_after_s * (1 << min(times - 1, _DOUBLINGS_MAX)), self.exit_again_max_s)
        return 0 <= now_ns - since_ns < pause * NS_PER_S


def _each(context: MarketContext | Iterable[MarketContext]) -> Iterable[MarketContext]:
    return (context,) if isinstance(context, MarketContext) else context


def _nothing(code: ReasonCode, words: str) -> Verdict:
    return Verdict(action=Action.NO_ACTION, reason=Reason(code=code, words=words))


def _entry_prices(
    context: MarketContext, verdict: Verdict, sides: tuple[Side, Side], notional: Decimal
) -> tuple[Decimal, Decimal] | Reason:
    """Return what each leg would trade at, for the intended size; or why that cannot be told.

    Args:
        context: The moment.
        verdict: The entry; where it brings a spread of these sides, its prices are taken.
        sides: Which way each leg is traded.
        notional: In the quote currency of legs[0].
    """
    known = verdict.spread
    if known is not None and (known.inputs.legs, known.inputs.sides) == (context.legs, sides):
        return known.prices
    first, second = context.books
    start = None if first is None else middle(first)
    if first is None or second is None or start is None:
        return Reason(code=ReasonCode.NO_PRICE, words="not both books show a price")
    quantity = divide(notional, start)
    prices = first.vwap(sides[0], quantity), second.vwap(sides[1], quantity)
    if prices[0] is None or prices[1] is None:
        return Reason(code=ReasonCode.THIN_BOOK, words=f"a book holds less than the {quantity:.8f} that are wanted")
    return prices[0], prices[1]


def _exit_prices(context: MarketContext, held: Held) -> tuple[Decimal, Decimal]:
    """Return what each leg would be closed at, as well as that can be told: an exit waits for no book."""
    first, second = (
        _SHORT.plus(_exit_price(book, side.opposite, held.quantity) or entered)
        for book, side, entered in zip(context.books, held.sides, held.entry_prices, strict=True)
    )
    return first, second


def _exit_price(book: OrderBook | None, side: Side, quantity: Decimal) -> Decimal | None:
    """Return the average price of the quantity; of a thin book its touch, of a one-sided one the other touch."""
    if book is None:
        return None
    return book.vwap(side, quantity) or book.touch(side) or book.touch(side.opposite)
