"""What each order of a trade was, from moment to moment: the spans and levels that a picture of it is drawn from."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.audit.summary import no_ids
from fsm_arb.memory import Memory
from fsm_arb.orders import Lifecycle, Order

if TYPE_CHECKING:
    from decimal import Decimal

    from fsm_arb.audit.tales import Tale


class Stage(enum.Enum):
    """What an order is, as far as it is known."""

    SENDING = "being sent"
    DOUBT = "in doubt"
    OPEN = "open"
    LEAVING = "asked to go"
    OVER = "over"


@frozen
class Span:
    """A stretch of time in which an order was one thing."""

    stage: Stage
    from_ns: int
    to_ns: int


@frozen
class Level:
    """How much of an order had filled from some moment on."""

    at_ns: int
    filled: Decimal  # base, in all


@define
class Life:
    """One order through time; what came after it was over and revived it is there too.

    Attributes:
        spans: While it was not over, oldest first.
        levels: Each change of what had filled, oldest first.
    """

    spans: list[Span] = field(factory=list)
    levels: list[Level] = field(factory=list)
    _stage: Stage = Stage.OVER
    _since_ns: int = 0

    def see(self, order: Order, at_ns: int) -> None:
        """Take in how it stands at a moment."""
        stage = stage_of(order)
        if stage is not self._stage:
            self.end(at_ns)
            self._stage, self._since_ns = stage, at_ns
        if order.filled != (self.levels[-1].filled if self.levels else 0):
            self.levels.append(Level(at_ns, order.filled))

    def end(self, at_ns: int) -> None:
        """Close the stretch that it is in."""
        if self._stage is not Stage.OVER:
            self.spans.append(Span(self._stage, self._since_ns, at_ns))


def stage_of(order: Order) -> Stage:
    """Return what an order is."""
    if order.in_doubt:
        return Stage.DOUBT
    if order.lifecycle is Lifecycle.PENDING:
        return Stage.SENDING
    if order.lifecycle is Lifecycle.OPEN:
        return Stage.LEAVING if order.cancel_asked_at is not None else Stage.OPEN
    return Stage.OVER


def lives(tale: Tale, ends_ns: int) -> tuple[Life, ...]:
    """Return every order of a trade, in the order in which they were intended.

    Args:
        tale: The trade.
        ends_ns: How far what has not ended is taken to go on, wall clock UTC.

    Raises:
        MachineError: Its records contradict the table.
    """
    first, *rest = tale.lines
    trade = Memory.fold(tale.trade.trade_id, [first.entry], no_ids)
    found: list[Life] = []
    for line in rest:
        trade.remember(line.entry)
        found += [Life() for _ in trade.orders[len(found) :]]
        for life, order in zip(found, trade.orders, strict=True):
            life.see(order, line.entry.at_ns)
    for life in found:
        life.end(ends_ns)
    return tuple(found)
