"""What a checker is shown: every trade, what is durable, and the venues' own books, at one moment.

Every instrument that attacks the library (the swarm, the stateful machine, the
explorer) takes glimpses of its world; the checkers of
`fsm_arb.testing.invariants` judge them, and know nothing of who took them.
A part that an instrument has no notion of is left empty, and its checkers find
nothing to object to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from attrs import field, frozen

from fsm_arb.memory import Entry
from fsm_arb.position import CrossExchangePosition
from fsm_arb.trade import Trade
from fsm_arb.values import ZERO, Side


@frozen(kw_only=True)
class VenueFill:
    """One execution on the venue's own books."""

    fill_id: str
    amount: Decimal  # base
    price: Decimal  # quote per base
    fee: Decimal = ZERO
    fee_currency: str = ""


@frozen(kw_only=True)
class VenueOrder:
    """One order on the venue's own books, whatever anybody has been told about it."""

    venue: str
    client_order_id: str
    symbol: str
    side: Side
    amount: Decimal  # base, as the venue accepted it
    live: bool  # it may still execute: it rests, or its request is still on the way
    told_over: bool = False  # the venue has said that it ended, was refused or is not there
    fills: tuple[VenueFill, ...] = ()  # those that were taken back are gone from here
    busted: Decimal = ZERO  # base, taken back by the venue

    @cached_property
    def filled(self) -> Decimal:
        """Base executed."""
        return sum((fill.amount for fill in self.fills), ZERO)

    @cached_property
    def received(self) -> Decimal:
        """Signed base that its fills brought, base fees taken off."""
        base = self.symbol.partition("/")[0]
        fees = sum((fill.fee for fill in self.fills if fill.fee_currency == base), ZERO)
        return self.filled * self.side.sign - fees


@frozen(kw_only=True)
class Create:
    """One request to place an order, as it came to a venue's door, whether or not a fault let it in."""

    venue: str
    client_order_id: str
    at: int  # monotonic ns
    durable: bool  # whether an intent of that id was durable at that moment
    intent_age_ns: int | None = None  # from when the intent was written down to its first byte; None: not known


@frozen(kw_only=True)
class Append:
    """One commit to the journal, as it was asked for."""

    epoch: int  # of the writer
    latest_epoch: int  # that existed then
    accepted: bool
    streams: tuple[str, ...] = ()


@frozen(kw_only=True)
class Glimpse:
    """One moment of a world."""

    now: int  # monotonic ns
    trades: Mapping[str, Trade]  # by id; copies that nobody changes any more
    orders: Mapping[str, VenueOrder]  # by client order id
    entries: Mapping[str, tuple[Entry, ...]] = field(factory=dict)  # durable records, by trade id, in order
    on_the_way: Mapping[str, tuple[Entry, ...]] = field(factory=dict)  # what a trade has written and is not durable yet
    creates: tuple[Create, ...] = ()  # since the beginning, in order
    appends: tuple[Append, ...] = ()  # since the beginning, in order
    positions: Mapping[str, CrossExchangePosition] = field(factory=dict)
    moved: Mapping[str, Mapping[str, Decimal]] = field(factory=dict)  # by venue and asset, since the beginning
    external: Mapping[str, Mapping[str, Decimal]] = field(factory=dict)  # the same, of what operators did by hand
    alerts: tuple[str, ...] = ()  # every alert that was raised, its words
    errors: tuple[str, ...] = ()  # what went wrong in our own code and was caught by nobody's plan
    faults_on: bool = True  # whether venues and networks still misbehave
    calm_since: int | None = None  # monotonic ns when they stopped; None: they have not, or nobody looked at a clock
    # Trades for which, as the instrument knows, neither venue would take any remedy at the policy's last band,
    # or would have taken one when the trade last asked, while its next try is not due yet.
    walls: frozenset[str] = frozenset()


class Checker(Protocol):
    """One invariant. Says in words what is wrong; says nothing where all is well."""

    @property
    def number(self) -> int:
        """Its number in the list of invariants, from 1."""
        ...

    @property
    def name(self) -> str:
        """A short name, for reports."""
        ...

    @property
    def claim(self) -> str:
        """What must hold, in one sentence."""
        ...

    def step(self, before: Glimpse, after: Glimpse) -> Iterable[str]:
        """Judge one step: the states at both ends and the edge between them."""
        ...

    def rest(self, glimpse: Glimpse) -> Iterable[str]:
        """Judge the end of a run, once the faults have stopped and nothing moves any more."""
        ...


@frozen(kw_only=True)
class Violation:
    """What a checker found."""

    number: int
    name: str
    what: str

    def __str__(self) -> str:
        return f"invariant {self.number} ({self.name}): {self.what}"


def judged(checkers: Iterable[Checker], before: Glimpse, after: Glimpse) -> tuple[Violation, ...]:
    """Return what *checkers* object to in one step."""
    return tuple(
        Violation(number=checker.number, name=checker.name, what=what)
        for checker in checkers
        for what in checker.step(before, after)
    )


def judged_at_rest(checkers: Iterable[Checker], glimpse: Glimpse) -> tuple[Violation, ...]:
    """Return what *checkers* object to once nothing moves any more."""
    return tuple(
        Violation(number=checker.number, name=checker.name, what=what)
        for checker in checkers
        for what in checker.rest(glimpse)
    )
