"""What a trade is told, what it records, and what it asks for.

Facts are the payload of journal records. A trade's state is the fold of its
facts and nothing else, so whatever it must remember stands in one of these.
`now` is always a reading of the monotonic clock in nanoseconds; wall-clock
times stand in the record around the fact.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import CancelReply, OrderSnapshot, PlaceOutcome, Wire
from fsm_arb.values import ZERO, Balances, Fee, OrderBook, OrderType, Side


class Purpose(enum.Enum):
    """Why an order was sent."""

    FIRST = "first"
    COMPLETE = "complete"  # trade more on the lagging leg
    UNWIND = "unwind"  # trade back the excess on the leading leg


class Kind(enum.Enum):
    """The eight answers of `choose`."""

    WAIT = "wait"
    PROBE = "probe"
    CANCEL = "cancel"
    FIRST = "first"
    COMPLETE = "complete"
    UNWIND = "unwind"
    HALT = "halt"
    BOOK = "book"


class Outcome(enum.Enum):
    """How a trade ended."""

    SUCCESS = "success"
    PARTIAL_HEDGED = "partial_hedged"  # matched, but smaller than it was sized
    ROLLED_BACK = "rolled_back"  # traded, and traded back
    FAILED = "failed"  # tried and nothing came of it, or it could not be sized
    BLOCKED = "blocked"  # a check said no
    HALTED = "halted"  # not ended: automation has met a wall and goes on trying slowly


@frozen(kw_only=True)
class Intent:
    """One order, durable before it is sent."""

    index: int  # within the trade, from 0
    leg: int  # 0 or 1
    purpose: Purpose
    side: Side
    amount: Decimal  # base
    order_type: OrderType
    bound: Decimal  # quote per base
    client_order_id: str
    reduce_only: bool
    deadline: int  # monotonic ns; a live order is cancelled then


@frozen(kw_only=True)
class Option:
    """One remedy as it was weighed."""

    kind: Kind  # COMPLETE or UNWIND
    leg: int
    side: Side
    amount: Decimal  # base; what would be sent
    touch: Decimal | None = None  # best opposite price, quote per base
    vwap: Decimal | None = None  # for the whole amount; None: the book is too thin
    bound: Decimal | None = None  # the limit it would carry
    cost: Decimal | None = None  # in the quote of legs[0], fees included; what was paid for the excess is sunk
    blocked: str = ""  # why it cannot be sent; empty: it can


@frozen(kw_only=True)
class Choice:
    """One answer of `choose`, with what it saw."""

    kind: Kind
    reason: str
    orders: tuple[int, ...] = ()  # CANCEL: which orders
    legs: tuple[int, ...] = ()  # FIRST: which legs
    option: Option | None = None  # COMPLETE, UNWIND: what to send
    weighed: tuple[Option, ...] = ()  # every remedy that was looked at
    exposure: Decimal = ZERO  # base, + for long
    worst: Decimal = ZERO  # base, the far end of the interval
    attempt: int = 0


@frozen(kw_only=True)
class LegSurvey:
    """What one venue showed when a remedy was to be chosen."""

    book: OrderBook
    balances: Balances | None = None  # None: could not be read; the venue itself will say


# ------------------------------------------------------------------ facts


@frozen(kw_only=True)
class Begun:
    """A decision was taken up."""

    now: int
    decision: CrossExchangeDecision
    sides: tuple[Side, Side]
    policy: ExecutionPolicy
    quantity: Decimal | None = None  # base; an exit's, from its position


@frozen(kw_only=True)
class Checked:
    """The pre-checks have spoken."""

    now: int
    refusal: str = ""  # empty: passed; else which rule or venue said no, and the numbers
    readings: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Sized:
    """The trade was sized, or could not be."""

    now: int
    plan: Plan | None = None
    refusal: str = ""  # the rule, the numbers and the venue


@frozen(kw_only=True)
class Intended:
    """Orders that will be sent once this is durable."""

    now: int
    intents: tuple[Intent, ...]
    choice: Choice


@frozen(kw_only=True)
class PlaceEnded:
    """The call that placed an order came back, or was given up."""

    now: int
    order: int
    outcome: PlaceOutcome


@frozen(kw_only=True)
class Observed:
    """A venue showed an order."""

    now: int
    order: int
    snapshot: OrderSnapshot
    wire: Wire = Wire()


@frozen(kw_only=True)
class Missed:
    """A venue answered and did not show an order."""

    now: int
    order: int
    asked_at: int  # monotonic ns when the question left
    covered: bool  # every list that could show it was searched


@frozen(kw_only=True)
class CancelAsked:
    """Orders that are to be cancelled from now on, until they are seen to have ended."""

    now: int
    orders: tuple[int, ...]
    choice: Choice


@frozen(kw_only=True)
class CancelEnded:
    """A venue answered a cancel. Recorded for the audit; it proves nothing."""

    now: int
    order: int
    reply: CancelReply


@frozen(kw_only=True)
class Surveyed:
    """Both venues were asked for what a remedy needs to know; None where one gave no answer."""

    now: int
    legs: tuple[LegSurvey | None, LegSurvey | None]


@frozen(kw_only=True)
class Stalled:
    """A remedy was due and none could be sent, or an order is still in doubt: the attempt is spent."""

    now: int
    choice: Choice


@frozen(kw_only=True)
class Moved:
    """An edge of the table was taken."""

    now: int
    choice: Choice | None = None  # what its guards tested
    note: str = ""
    outcome: Outcome | None = None
    booked: Decimal | None = None  # base, the matched quantity


@frozen(kw_only=True)
class Resumed:
    """An operator asked a halted trade to try again."""

    now: int
    reason: str


@frozen(kw_only=True)
class Restarted:
    """Another process took the trade up; every clock of the one before is void."""

    now: int


@frozen(kw_only=True)
class ExternalFill:
    """An operator's own trade on the venue."""

    now: int
    leg: int
    side: Side
    amount: Decimal  # base, > 0
    price: Decimal  # quote per base
    reason: str
    fee: Fee | None = None


@frozen(kw_only=True)
class Busted:
    """A venue took executions back."""

    now: int
    order: int
    amount: Decimal  # base, > 0, in all
    reason: str


@frozen(kw_only=True)
class Judged:
    """An operator's verdict on an order that no venue shows: it has ended."""

    now: int
    order: int
    filled: Decimal  # base, in all
    price: Decimal | None  # quote per base; None: unknown
    reason: str


@frozen(kw_only=True)
class AbortAsked:
    """The trade is to end before its first intent."""

    now: int
    reason: str


@frozen(kw_only=True)
class WatchEnded:
    """The finished trade's orders are no longer observed."""

    now: int


@frozen(kw_only=True)
class Ticked:
    """Time has passed. Not recorded: what follows from it is."""

    now: int


Fact = (
    Begun
    | Checked
    | Sized
    | Intended
    | PlaceEnded
    | Observed
    | Missed
    | CancelAsked
    | CancelEnded
    | Surveyed
    | Stalled
    | Moved
    | Resumed
    | Restarted
    | ExternalFill
    | Busted
    | Judged
    | AbortAsked
    | WatchEnded
)

# What the driver may tell a trade; the rest of the facts a trade records of its own accord.
Event = (
    Checked
    | Sized
    | PlaceEnded
    | Observed
    | Missed
    | CancelEnded
    | Surveyed
    | Resumed
    | Restarted
    | ExternalFill
    | Busted
    | Judged
    | AbortAsked
    | WatchEnded
    | Ticked
)
