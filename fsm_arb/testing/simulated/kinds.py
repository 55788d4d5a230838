"""What may go wrong on a simulated venue, by the rows of the project's table of faults.

The table `FAULTS` is what coverage is counted against: every row that lies with
a venue or the way to it, the kinds that inject it, and where they apply.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen


class Operation(enum.Enum):
    """What a call is for."""

    CREATE = "create"
    CANCEL = "cancel"
    EDIT = "edit"
    FETCH = "fetch"  # one order
    LIST = "list"  # orders
    TRADES = "trades"
    BALANCE = "balance"
    BOOK = "book"  # tickers too
    MARKETS = "markets"
    TIME = "time"
    STATUS = "status"


class FaultKind(enum.Enum):
    """One thing that goes wrong."""

    LOST_AFTER = "lost_after"
    ERROR_AFTER = "error_after"
    LOST_BEFORE = "lost_before"
    ERROR_BEFORE = "error_before"
    DELIVERED_TWICE = "delivered_twice"
    ACCEPTED_LATE = "accepted_late"
    DELAYED = "delayed"
    REPLY_LATE = "reply_late"
    LATE_FILL = "late_fill"
    CANCEL_RACE = "cancel_race"
    CANCEL_LOST = "cancel_lost"
    PARTIAL = "partial"
    DUPLICATED_FILL = "duplicated_fill"
    REORDERED = "reordered"
    MISSING_FILL = "missing_fill"
    STALE = "stale"
    FILLS_LATE = "fills_late"
    HIDDEN = "hidden"
    AVERAGE_MISSING = "average_missing"
    AVERAGE_WRONG = "average_wrong"
    FEE_IN_BASE = "fee_in_base"
    FEE_MISSING = "fee_missing"
    FEE_ELSEWHERE = "fee_elsewhere"
    DUST_LEFT = "dust_left"
    ROUNDED = "rounded"
    BAND = "band"
    NO_FUNDS = "no_funds"
    OLD_BALANCE = "old_balance"
    HALT = "halt"
    MAINTENANCE = "maintenance"
    DOWN = "down"
    DELISTED = "delisted"
    RATE_LIMITED = "rate_limited"
    BANNED = "banned"
    SKEW = "skew"
    NONCE = "nonce"
    REVOKED = "revoked"
    BUST = "bust"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_FIELDS = "unknown_fields"
    SELF_TRADE = "self_trade"
    POST_ONLY = "post_only"
    REPLACE_LOSES_OLD = "replace_loses_old"
    CANCEL_LATE = "cancel_late"
    REFUSED = "refused"
    READS_FAIL = "reads_fail"
    REFUSES = "refuses"
    NO_ID = "no_id"
    NO_ID_LOST = "no_id_lost"
    GARBLED = "garbled"


@frozen
class FaultRow:
    """One kind: where it stands in the table of faults, and what it does.

    Attributes:
        number: The row of the table of faults.
        kind: What goes wrong.
        operations: The calls it may meet.
        ms: How long it lasts or how late something comes, from and to; None: it has no duration.
        words: What happens.
    """

    number: int
    kind: FaultKind
    operations: frozenset[Operation]
    ms: tuple[int, int] | None
    words: str


_CREATE = frozenset({Operation.CREATE})
_CANCEL = frozenset({Operation.CANCEL})
_SENDS = _CREATE | _CANCEL
_ANY = frozenset(Operation) - {Operation.EDIT}
_FILLS = frozenset({Operation.FETCH, Operation.LIST, Operation.TRADES})  # where executions are shown
_SHOWN = frozenset({Operation.FETCH, Operation.LIST})  # where orders are shown
_TOLD = _SHOWN | _CREATE
_PRIVATE = _FILLS | _SENDS | {Operation.BALANCE}

# Durations fit the default policy: what comes late comes within the absence fence, most outages end within minutes.
ROWS: tuple[FaultRow, ...] = (
    FaultRow(1, FaultKind.LOST_AFTER, _SENDS, None, "executed, and the reply is lost"),
    FaultRow(1, FaultKind.ERROR_AFTER, _SENDS, None, "executed, and a server error comes back"),
    FaultRow(2, FaultKind.LOST_BEFORE, _ANY, None, "the request is lost on its way"),
    FaultRow(2, FaultKind.ERROR_BEFORE, _ANY, None, "a server error comes back, and nothing was done"),
    FaultRow(
        3, FaultKind.DELIVERED_TWICE, _CREATE, None, "the way delivers it twice; the second copy's answer is seen"
    ),
    FaultRow(4, FaultKind.ACCEPTED_LATE, _CREATE, (100, 8_000), "it times out, and the order is accepted later"),
    FaultRow(4, FaultKind.DELAYED, _SENDS, (100, 5_000), "it waits in a queue before it is executed"),
    FaultRow(5, FaultKind.REPLY_LATE, _ANY, (100, 8_000), "executed at once, and the reply comes late"),
    FaultRow(6, FaultKind.LATE_FILL, _SENDS, (50, 20_000), "what ended unfilled fills later all the same"),
    FaultRow(7, FaultKind.CANCEL_RACE, _CANCEL, None, "the order fills just before its cancel arrives"),
    FaultRow(8, FaultKind.CANCEL_LOST, _CANCEL, None, "the cancel is agreed to and nothing is done"),
    FaultRow(9, FaultKind.PARTIAL, _CREATE, None, "a part executes, and the rest expires or is rejected"),
    FaultRow(10, FaultKind.DUPLICATED_FILL, _FILLS, None, "one execution is shown twice"),
    FaultRow(11, FaultKind.REORDERED, _FILLS, None, "rows come in reverse, all stamped alike"),
    FaultRow(12, FaultKind.MISSING_FILL, _FILLS, None, "this reading lacks an execution"),
    FaultRow(13, FaultKind.STALE, _FILLS, (100, 8_000), "orders and executions are shown as they stood before"),
    FaultRow(14, FaultKind.FILLS_LATE, _CREATE, (200, 10_000), "filled is shown at once, its executions later"),
    FaultRow(15, FaultKind.HIDDEN, _CREATE, (100, 8_000), "created, and reads do not find it yet"),
    FaultRow(16, FaultKind.AVERAGE_MISSING, _TOLD, None, "neither average nor cost is shown"),
    FaultRow(16, FaultKind.AVERAGE_WRONG, _TOLD, None, "the limit price is shown as the average"),
    FaultRow(17, FaultKind.FEE_IN_BASE, _CREATE, None, "the order is charged in what it receives"),
    FaultRow(17, FaultKind.FEE_MISSING, _TOLD | {Operation.TRADES}, None, "this reading names no fees"),
    FaultRow(18, FaultKind.FEE_ELSEWHERE, _CREATE, None, "the order is charged in a third asset"),
    FaultRow(19, FaultKind.DUST_LEFT, _CREATE, None, "all but less than any order executes, the rest expires"),
    FaultRow(20, FaultKind.ROUNDED, _CREATE, None, "a smaller amount than asked for is accepted"),
    FaultRow(21, FaultKind.BAND, _CREATE, (500, 30_000), "a price band refuses limits that go through the touch"),
    FaultRow(22, FaultKind.NO_FUNDS, _CREATE, None, "refused for want of funds that are there"),
    FaultRow(23, FaultKind.OLD_BALANCE, frozenset({Operation.BALANCE}), None, "the balances of the last look again"),
    FaultRow(24, FaultKind.HALT, _CREATE, (1_000, 60_000), "the market takes no orders"),
    FaultRow(24, FaultKind.MAINTENANCE, _ANY, (1_000, 60_000), "the venue is under maintenance"),
    FaultRow(24, FaultKind.DOWN, _ANY, (500, 60_000), "nothing on the venue answers"),
    FaultRow(24, FaultKind.DELISTED, _CREATE, (10_000, 120_000), "the market is gone, what rests there cancelled"),
    FaultRow(25, FaultKind.RATE_LIMITED, _ANY, None, "too many requests; not executed"),
    FaultRow(25, FaultKind.BANNED, _ANY, (1_000, 60_000), "every call is turned away for a while"),
    FaultRow(26, FaultKind.SKEW, frozenset({Operation.TIME}), (5_000, 300_000), "the venue's clock and stamps are off"),
    FaultRow(26, FaultKind.NONCE, _PRIVATE, None, "refused for its stamp"),
    FaultRow(27, FaultKind.REVOKED, _PRIVATE, (1_000, 60_000), "the key is not accepted"),
    FaultRow(28, FaultKind.BUST, _CREATE, (1_000, 60_000), "the venue takes the order's last execution back"),
    FaultRow(29, FaultKind.UNKNOWN_STATUS, _TOLD, None, "the status is a word nobody knows"),
    FaultRow(29, FaultKind.UNKNOWN_FIELDS, _TOLD | {Operation.TRADES}, None, "fields that nobody knows, others gone"),
    FaultRow(29, FaultKind.SELF_TRADE, _CREATE, None, "self-trade prevention ends the order"),
    FaultRow(30, FaultKind.POST_ONLY, _CREATE, None, "a post-only order is refused, nothing filled"),
    FaultRow(
        31, FaultKind.REPLACE_LOSES_OLD, frozenset({Operation.EDIT}), None, "replaced, and the old order lives on"
    ),
    FaultRow(31, FaultKind.CANCEL_LATE, _CANCEL, (100, 8_000), "the cancel is agreed to and done later"),
    FaultRow(41, FaultKind.REFUSED, _CREATE, None, "refused for no reason"),
    FaultRow(42, FaultKind.READS_FAIL, _SHOWN, None, "this and the next reads of orders fail"),
    FaultRow(43, FaultKind.REFUSES, _CREATE, (1_000, 30_000), "every order in the market is refused"),
    FaultRow(44, FaultKind.NO_ID, _CREATE, None, "executed, and the reply is an order without an id"),
    FaultRow(44, FaultKind.NO_ID_LOST, _CREATE, None, "the reply is an order without an id, and there is none"),
    FaultRow(44, FaultKind.GARBLED, _ANY - _CREATE, None, "the reply is something else than was asked for"),
)

ROW_OF: Mapping[FaultKind, FaultRow] = {row.kind: row for row in ROWS}
FAULTS: Mapping[int, tuple[FaultRow, ...]] = {
    number: tuple(row for row in ROWS if row.number == number) for number in sorted({row.number for row in ROWS})
}
# Those that hold on after the call that drew them, until their time is over.
STICKY = frozenset({
    FaultKind.BAND, FaultKind.HALT, FaultKind.MAINTENANCE, FaultKind.DOWN, FaultKind.DELISTED, FaultKind.BANNED,
    FaultKind.SKEW, FaultKind.REVOKED, FaultKind.READS_FAIL, FaultKind.REFUSES,
})  # fmt: skip
# Of these, those that hold in one market and leave the rest of the venue alone.
OF_ONE_MARKET = frozenset({FaultKind.BAND, FaultKind.HALT, FaultKind.DELISTED, FaultKind.REFUSES})


def spread(draw: float) -> float:
    """Return another number from 0 up to 1 that depends on *draw* and looks as if it did not."""
    return draw * 8_191 % 1.0


@frozen(kw_only=True)
class Fault:
    """One fault, ready to be met.

    Attributes:
        kind: What goes wrong.
        key: Its name, the same in every run of one seed: venue, operation, number of the call, kind.
        ms: How long, or how late.
        draw: A number from 0 up to 1, for whatever else about it is open.
    """

    kind: FaultKind
    key: str
    ms: int = 0
    draw: float = 0.0

    @property
    def number(self) -> int:
        """The row of the table of faults."""
        return ROW_OF[self.kind].number

    @property
    def spread(self) -> float:
        """A second number from 0 up to 1, so that what two things depend on does not go hand in hand."""
        return spread(self.draw)

    def either(self, *choices: str) -> str:
        """Return one of *choices*, by what was drawn."""
        return choices[int(self.draw * len(choices))]


@frozen(kw_only=True)
class FaultHit:
    """A fault that really bent something.

    One that was drawn and found nothing to bend is no hit. A fault that holds
    on hits every call that it bends, under one key.
    """

    number: int  # row of the table of faults
    kind: FaultKind
    key: str
    venue: str
    symbol: str | None
    client_id: str | None
    at: int  # monotonic ns
