"""The two doors to the world: venues and journals. Adapters implement these; nothing above knows more.

Placing an order has three outcomes, and they are types. The third is the
important one: whatever is not proven to be a definite refusal is `InDoubt`,
because an order that is believed dead and lives is a naked leg.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import field, frozen

from fsm_arb.values import Fee, Fill, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fsm_arb.values import Balances, Health, MarketRules, OrderBook

Raw = Any  # JSON-able: dicts, lists, str, int, bool, None; what a venue said, secrets removed


# ------------------------------------------------------------------ venues


@frozen(kw_only=True)
class OrderRequest:
    """One order, ready for the wire."""

    symbol: str
    side: Side
    amount: Decimal  # base, a multiple of the lot, also where the venue counts contracts
    order_type: OrderType
    bound: Decimal  # quote per base, on the tick grid: the worst price; a market order's only estimate of cost
    client_order_id: str
    reduce_only: bool = False  # derivatives: may only make a position smaller
    post_only: bool = False  # must rest


@frozen(kw_only=True)
class OrderRef:
    """What is known about an order that is to be observed or cancelled."""

    symbol: str
    side: Side
    amount: Decimal  # base, as requested
    client_order_id: str
    venue_order_id: str | None = None  # None while the venue has told none
    since_ms: int | None = None  # wall clock UTC, not later than when it was sent


class OrderStatus(enum.Enum):
    """Whether an order may still execute. What it did is in `OrderSnapshot.filled`, never here."""

    OPEN = "open"
    ENDED = "ended"
    UNKNOWN = "unknown"  # a word we do not know; treated as open


@frozen(kw_only=True)
class OrderSnapshot:
    """One order as a venue reports it at one moment."""

    status: OrderStatus
    filled: Decimal  # base, cumulative
    venue_order_id: str | None = None
    client_order_id: str | None = None  # None where the reply does not carry it
    symbol: str | None = None
    side: Side | None = None
    amount: Decimal | None = None  # base, as the venue accepted it; None where it does not say
    average: Decimal | None = None  # quote per base, from fills or cost, never from the limit price
    fills: tuple[Fill, ...] = ()  # the executions known; may cover less than `filled`
    fees: tuple[Fee, ...] | None = None  # cumulative, of all that is `filled`; None: not known (yet)
    raw: Raw = field(default=None, eq=False)


@frozen(kw_only=True)
class Wire:
    """When a call left and came back, wall clock UTC."""

    sent_at_ns: int | None = None  # None: nothing reached the socket
    received_at_ns: int | None = None  # None: no reply
    http_status: int | None = None


@frozen(kw_only=True)
class Acknowledged:
    """The venue has the order. The snapshot may already hold fills."""

    snapshot: OrderSnapshot
    wire: Wire = Wire()


@frozen(kw_only=True)
class Refused:
    """It is proven that this order does not exist and never will."""

    code: str  # the field's word: insufficient_funds, invalid_order, not_sent, too_old, ...
    message: str
    raw: Raw = field(default=None, eq=False)
    wire: Wire = Wire()


@frozen(kw_only=True)
class InDoubt:
    """The order may exist, now or later. Nobody knows until it is observed."""

    code: str
    message: str
    raw: Raw = field(default=None, eq=False)
    wire: Wire = Wire()


PlaceOutcome = Acknowledged | Refused | InDoubt


@frozen(kw_only=True)
class CancelReply:
    """What a venue said to a cancel. Never proof that the order ended: only an observation is."""

    accepted: bool
    code: str = ""
    message: str = ""
    raw: Raw = field(default=None, eq=False)
    wire: Wire = Wire()


@frozen(kw_only=True)
class Found:
    """The order exists; this is how it stands."""

    snapshot: OrderSnapshot
    wire: Wire = Wire()


@frozen(kw_only=True)
class NotFound:
    """The venue answered and does not show the order."""

    covered: bool  # every list that could show it answered and reached back far enough
    raw: Raw = field(default=None, eq=False)
    wire: Wire = Wire()


@frozen(kw_only=True)
class Unanswered:
    """The read failed. It says nothing about the order."""

    code: str
    message: str
    wire: Wire = Wire()


Observation = Found | NotFound | Unanswered


@runtime_checkable
class Venue(Protocol):
    """One exchange account.

    `place`, `cancel` and `observe` never raise for anything the world does:
    their outcomes are types. The other reads raise `VenueUnanswered`.
    All may be called concurrently, from one event loop.
    """

    @property
    def has_secrets(self) -> bool:
        """Whether the credentials that orders need are all there."""
        ...

    async def rules(self, symbol: str) -> MarketRules:
        """Return what the venue accepts for *symbol*; loads markets on first use.

        Raises:
            UnknownSymbol: The venue answers and does not list it.
            VenueMisconfigured: The account cannot be traded safely as it is set up.
            VenueUnanswered: Markets could not be read.
        """
        ...

    async def place(self, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Send one order, once.

        Args:
            request: What to send.
            fresh: Asked just before the bytes are written, after any queue or
                throttle; when it says False nothing is sent and the outcome is
                ``Refused(code="too_old")``.
        """
        ...

    async def cancel(self, ref: OrderRef) -> CancelReply:
        """Ask for a cancel, by venue id if known, else by client id. Idempotent."""
        ...

    async def observe(self, ref: OrderRef) -> Observation:
        """Find out how an order stands, by venue id if known, else by client id in every list that could show it."""
        ...

    async def balances(self) -> Balances:
        """Return what is free now, by asset."""
        ...

    async def book(self, symbol: str) -> OrderBook:
        """Return the order book as it stands now, some twenty levels a side."""
        ...

    async def health(self) -> Health:
        """Return a fresh reading. Never raises: no answer is `HealthStatus.DOWN`."""
        ...

    async def close(self) -> None:
        """Release what this adapter opened itself. Whatever was lent to it stays open."""
        ...


# ------------------------------------------------------------------ journal


@frozen(kw_only=True)
class Draft:
    """A record before the journal has numbered and chained it."""

    at_ns: int  # wall clock UTC
    trigger: str  # a row of a machine's table, or the name of an observation
    state_before: str
    state_after: str
    payload: str  # canonical JSON text, versioned, secrets never in it


@frozen(kw_only=True)
class Batch:
    """Drafts for one stream. A stream is one trade (``trade/<id>``) or one position (``position/<id>``)."""

    stream: str
    expected_seq: int  # records the writer knows of on this stream; 0 for a new one
    drafts: tuple[Draft, ...]
    live: bool  # whether the stream must be taken up again after a restart


@frozen(kw_only=True)
class Record:
    """One durable line of the journal."""

    seq: int  # global, from 1, without a gap
    stream: str
    stream_seq: int  # within the stream, from 1, without a gap
    epoch: int  # which process wrote it; grows with every opening
    at_ns: int
    trigger: str
    state_before: str
    state_after: str
    payload: str
    previous_hash: str  # of the record before in global sequence, hex; 64 zeros for the first
    hash: str


class Journal(Protocol):
    """An append-only store that one process drives at a time.

    `append` is awaited; reads are synchronous, on a connection of their own,
    and see everything that an awaited append has written.
    """

    async def open(self) -> int:
        """Take the lock, verify the tail of the chain, begin and return a new epoch.

        Raises:
            JournalLocked: Another process drives it.
            JournalForeign: Not a journal, or of a version we cannot read.
            JournalCorrupt: The chain is broken or records are missing.
        """
        ...

    async def append(self, batches: Sequence[Batch]) -> int | None:
        """Make all *batches* durable in one commit, or none. Concurrent calls share an fsync.

        Returns:
            The global sequence of the last of these records, which stand together in the order given.
            None: the journal does not tell; then nobody can subscribe to what is committed.

        Raises:
            JournalConflict: A stream is not at its expected sequence.
            JournalFenced: A later epoch exists.
            JournalFull: No room; entries must stop. Batches that hold no new
                entry may be tried once more: a reserve has been released.
            JournalFailed: Anything else; nothing of these batches is durable.
        """
        ...

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order; none for an unknown stream."""
        ...

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first, read lazily."""
        ...

    async def close(self) -> None:
        """Wait for what is being written, then let go of lock and files."""
        ...


# ------------------------------------------------------------------ what a bot may bring


class Clock(Protocol):
    """Where time comes from. Deadlines use `monotonic_ns`; the audit uses `time_ns`."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump."""
        ...

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class AlertSink(Protocol):
    """Who is called when automation meets a wall. A slow or failing sink never delays a trade."""

    async def send(self, subject: str, body: str, labels: Mapping[str, str]) -> None:
        """Deliver one alert."""
        ...
