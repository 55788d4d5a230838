"""What a trade remembers: the fold of its facts, and nothing else.

One function applies a fact. It decides nothing, so a trade that is read back
from its records is the trade that wrote them, whatever was learnt about
deciding since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from attrs import define, evolve, frozen

from fsm_arb import ledger as books
from fsm_arb.errors import MachineError
from fsm_arb.ledger import Ledger
from fsm_arb.machines.trade import TRADE_TABLE, TradeState, TradeTriggers
from fsm_arb.messages import (
    AbortAsked,
    Begun,
    Busted,
    CancelAsked,
    CancelEnded,
    Checked,
    ExternalFill,
    Fact,
    Intended,
    Judged,
    Kind,
    Missed,
    Moved,
    Observed,
    Outcome,
    PlaceEnded,
    Purpose,
    Restarted,
    Resumed,
    Sized,
    Stalled,
    Surveyed,
    WatchEnded,
)
from fsm_arb.orders import Order
from fsm_arb.policy import ExecutionPolicy, seconds_ns
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision

# What a record is called when it is no move.
TRIGGERS: dict[type, str] = {
    Begun: "begun",
    Checked: "checked",
    Sized: "planned",
    Intended: "intended",
    PlaceEnded: "place_ended",
    Observed: "observed",
    Missed: "missed",
    CancelAsked: "cancel_asked",
    CancelEnded: "cancel_ended",
    Surveyed: "surveyed",
    Stalled: "stalled",
    Resumed: "resume_asked",
    Restarted: "restarted",
    ExternalFill: "external_fill",
    Busted: "busted",
    Judged: "judged",
    AbortAsked: "abort_asked",
    WatchEnded: "watch_ended",
}

# What a fact does to the ledger. Facts that are not here leave it alone.
_LEDGER_AFTER: dict[type, Callable[[Ledger, Any, ExecutionPolicy], Ledger]] = {
    Intended: lambda ledger, fact, _: books.intended(ledger, fact.intents),
    PlaceEnded: lambda ledger, fact, _: books.place_ended(ledger, fact),
    Observed: lambda ledger, fact, _: books.observed(ledger, fact),
    Missed: lambda ledger, fact, policy: books.missed(ledger, fact, seconds_ns(policy.absence_fence_s)),
    CancelAsked: lambda ledger, fact, _: books.cancel_asked(ledger, fact.orders, fact.now),
    ExternalFill: lambda ledger, fact, _: evolve(ledger, external=(*ledger.external, fact)),
    Busted: lambda ledger, fact, _: books.busted(ledger, fact),
    Judged: lambda ledger, fact, _: books.judged(ledger, fact),
    Restarted: lambda ledger, fact, _: books.restarted(ledger, fact.now),
}


@frozen
class Entry:
    """One record to be: what happened, between which states, at which wall-clock time (UTC, ns)."""

    at_ns: int
    trigger: str
    before: str
    after: str
    fact: Fact


@define(eq=False)
class Memory(TradeTriggers):
    """All that a trade is, between two events.

    Attributes:
        trade_id: Its name; also its stream on the journal.
        fresh_id: Where client order ids come from; handed in, not part of the state.
        begun: The decision, its sides and the policy it runs under, to its end.
        state: One of `TradeState`, as plain text. Moved by the machine alone.
        ledger: None until it was sized.
    """

    trade_id: str
    fresh_id: Callable[[], str]
    begun: Begun
    begun_at_ns: int
    state: str = TRADE_TABLE.initial
    checks: Checked | None = None
    sizing: Sized | None = None
    ledger: Ledger | None = None
    aborting: str = ""
    survey: Surveyed | None = None
    attempt: int = 0
    granted: int = 0  # the least budget, once a halted trade was let go on or a remedy has filled whole
    not_before: int = 0
    refused: frozenset[Kind] = frozenset()  # remedies a venue refused or left half open within the budget
    retry_at: int | None = None  # HALTED: monotonic ns of the next slow retry
    operator_asked: bool = False
    halted_in_doubt: bool = False  # it halted because something was unknown, and has not been tried again since
    ever_halted: bool = False
    halt_reason: str = ""
    booked_quantity: Decimal | None = None  # base; below zero: both legs stand the wrong way round
    bookings: int = 0  # how often it was booked: a disturbed trade is booked again
    outcome: Outcome | None = None
    end_note: str = ""  # why it ended as it did
    ended_at_ns: int | None = None
    moved_at_ns: int | None = None  # wall clock UTC of the last edge taken
    watch_ended: bool = False

    @classmethod
    def fold(cls, trade_id: str, entries: Iterable[Entry], fresh_id: Callable[[], str]) -> Self:
        """Return the trade that these records describe. Sends nothing, decides nothing.

        Raises:
            MachineError: A record moves along an edge that is no row of the table.
        """
        rest = iter(entries)
        first = next(rest, None)
        if first is None or not isinstance(first.fact, Begun):
            raise MachineError(f"{trade_id}: its first record is not that it was begun")
        trade = cls(trade_id, fresh_id, first.fact, first.at_ns)
        for entry in rest:
            trade.remember(entry)
        return trade

    def remember(self, entry: Entry) -> None:
        """Take in the next record as it was written. Decides nothing.

        Raises:
            MachineError: The record moves along an edge that is no row of the table.
        """
        if entry.before != self.state:
            raise MachineError(f"{self.trade_id}: record {entry.trigger} leaves {entry.before}, but it is {self.state}")
        if not isinstance(entry.fact, Moved):
            self._apply(entry.fact)
            return
        if TRADE_TABLE.find(entry.before, entry.trigger, entry.after) is None:
            raise MachineError(f"{self.trade_id}: no row {entry.before} -- {entry.trigger} --> {entry.after}")
        self._apply_move(entry.trigger, entry.after, entry.fact, entry.at_ns)
        self.state = entry.after

    # -------------------------------------------------------------- what others ask

    @property
    def decision(self) -> CrossExchangeDecision:
        """What it was asked to do."""
        return self.begun.decision

    @property
    def policy(self) -> ExecutionPolicy:
        """The numbers it runs under."""
        return self.begun.policy

    @property
    def done(self) -> bool:
        """Whether it has ended; a late fact may still disturb it."""
        return self.state == TradeState.DONE

    @property
    def halted(self) -> bool:
        """Whether automation has met a wall."""
        return self.state == TradeState.HALTED

    @property
    def finished(self) -> bool:
        """Whether it has ended and nothing of it is watched any more."""
        return self.done and (self.watch_ended or not self.orders)

    @property
    def orders(self) -> tuple[Order, ...]:
        """Every order of the trade, as they were intended."""
        return self.ledger.orders if self.ledger else ()

    @property
    def exposure(self) -> Decimal:
        """Base that is naked now, + for long."""
        return self.ledger.exposure if self.ledger else ZERO

    # -------------------------------------------------------------- applying facts: the only place that changes it

    def _ledger_after(self, fact: object) -> Ledger | None:
        """Return what the ledger becomes; the same object where *fact* tells it nothing."""
        change = _LEDGER_AFTER.get(type(fact))
        return self.ledger if self.ledger is None or change is None else change(self.ledger, fact, self.policy)

    def _apply(self, fact: Fact) -> None:
        ledger = self._ledger_after(fact)
        if ledger is not self.ledger:
            self._reward(fact, self.ledger, ledger)
            self.ledger, self.survey = ledger, None  # what was surveyed was for another ledger
        change = _MEMORY_AFTER.get(type(fact))
        if change is not None:
            change(self, fact)

    def _reward(self, fact: Fact, before: Ledger | None, after: Ledger | None) -> None:
        """Grant one more attempt for a remedy that has filled whole: it was not in vain, and what it left is smaller.

        So a remedy in coarse lots leaves no rest that waits for a slow retry. Each
        makes the exposure smaller by what it traded, so that they come to an end.
        """
        if before is None or after is None or not isinstance(fact, PlaceEnded | Observed):
            return
        order = after.orders[fact.order]
        if order.intent.purpose is not Purpose.FIRST and order.fulfilled and not before.orders[fact.order].fulfilled:
            self.granted = max(self.policy.attempts_max, self.granted) + 1

    def _apply_checked(self, fact: Checked) -> None:
        self.checks = fact

    def _apply_sized(self, fact: Sized) -> None:
        self.sizing = fact
        self.ledger = Ledger(plan=fact.plan) if fact.plan else None

    def _apply_surveyed(self, fact: Surveyed) -> None:
        self.survey = fact

    def _apply_stalled(self, fact: Stalled) -> None:
        if self.halted and self.ledger is not None:
            self.ledger = books.fees_believed(self.ledger)
        self._spend_attempt(fact.now)

    def _apply_resumed(self, _fact: Resumed) -> None:
        self.operator_asked = self.halted

    def _apply_aborted(self, fact: AbortAsked) -> None:
        self.aborting = fact.reason

    def _apply_watch_ended(self, _fact: WatchEnded) -> None:
        self.watch_ended = self.done  # a late fact may have disturbed it in the same moment

    def _apply_intended(self, fact: Intended) -> None:
        if any(intent.purpose is not Purpose.FIRST for intent in fact.intents):
            self._spend_attempt(fact.now)

    def _apply_remedy(self, fact: PlaceEnded | Observed | Missed) -> None:
        """Remember a remedy that a venue refused or left half open: the other one goes first next time."""
        order = self.orders[fact.order]
        if order.intent.purpose is Purpose.FIRST or order.live or order.filled * 2 > order.intent.amount:
            return
        if self.ledger and order.intent.reduce_only and books.will_not_reduce(self.ledger, order.intent.leg):
            return  # refused for its form, which will be another one
        self.refused |= {Kind.COMPLETE if order.intent.purpose is Purpose.COMPLETE else Kind.UNWIND}

    def _spend_attempt(self, now: int) -> None:
        self.survey = None
        if self.halted:
            self.operator_asked = self.halted_in_doubt = False
            self.retry_at = now + seconds_ns(self.policy.halted_retry_s)
            return
        self.attempt += 1
        self.not_before = now + self.policy.backoff_ns(self.attempt)

    def _apply_restarted(self, fact: Restarted) -> None:
        self.survey, self.not_before = None, fact.now
        if self.retry_at is not None:
            self.retry_at = fact.now
        if self.ledger is None:
            self.aborting = "taken up after a restart before its first intent"

    def _apply_move(self, trigger: str, after: str, fact: Moved, at_ns: int) -> None:
        self.outcome = fact.outcome
        self.moved_at_ns = at_ns
        if fact.booked is not None:
            self.booked_quantity = fact.booked
            self.bookings += 1
        if trigger == "wall":
            self.ever_halted, self.halt_reason, self.survey = True, fact.note, None
            self.halted_in_doubt = self.ledger is not None and not self.ledger.known
            self.retry_at = fact.now + seconds_ns(self.policy.halted_retry_s)
        if trigger in {"resume", "disturbed"}:
            self.attempt, self.not_before, self.refused = 0, fact.now, frozenset()
            self.granted = 1 if trigger == "resume" else 0
            self.watch_ended = False
        if trigger != "wall":
            self.retry_at, self.operator_asked, self.halted_in_doubt = None, False, False
        if after == TradeState.DONE:
            self.ended_at_ns, self.end_note = at_ns, fact.note
            if trigger == "settled":
                self.booked_quantity = ZERO if self.booked_quantity is not None else None


# ruff: noqa: SLF001 - the table of its own methods
_MEMORY_AFTER: dict[type, Callable[[Memory, Any], None]] = {
    Checked: Memory._apply_checked,
    Sized: Memory._apply_sized,
    Intended: Memory._apply_intended,
    PlaceEnded: Memory._apply_remedy,
    Observed: Memory._apply_remedy,
    Missed: Memory._apply_remedy,
    Surveyed: Memory._apply_surveyed,
    Stalled: Memory._apply_stalled,
    Resumed: Memory._apply_resumed,
    Restarted: Memory._apply_restarted,
    AbortAsked: Memory._apply_aborted,
    WatchEnded: Memory._apply_watch_ended,
}
