"""Try one trade's records: each must follow from those before, and say what the fills say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from fsm_arb import results
from fsm_arb.audit.findings import Statement, text
from fsm_arb.audit.recount import EXACTLY, fees_of, hedged, outcome_of, pnl_of, told_alike
from fsm_arb.audit.summary import entry_of, no_ids
from fsm_arb.audit.trial import CLOCK_BACK, Trial
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.memory import TRIGGERS, Memory
from fsm_arb.messages import Begun, CancelAsked, ExternalFill, Intended, Moved, PlaceEnded
from fsm_arb.scribe import TRADE
from fsm_arb.values import ZERO, Fill

if TYPE_CHECKING:
    from fsm_arb.ledger import Ledger
    from fsm_arb.memory import Entry
    from fsm_arb.ports import Record

UNFINISHED = "unfinished"
SENT_BEFORE = "orders whose bytes left before their intent was made, by the wall clock"

# By edge: how a trade ended that took it; None: it has not ended.
_OUTCOMES: dict[tuple[str, str, str], set[str | None]] = {}
for _row in TRADE_TABLE.rows:
    _OUTCOMES.setdefault((_row.source, _row.trigger, _row.dest), set()).add(_row.outcome)


@define
class TradeTrial(Trial):
    """One trade as far as its records have been tried. What is wrong ends it."""

    memory: Memory | None = None
    answered: set[int] = field(factory=set)  # orders whose placing call has come back
    intended_ns: dict[int, int] = field(factory=dict)  # wall clock of each order's intent
    fills: dict[int, dict[str, Fill]] = field(factory=dict)  # by order, then by the venue's own id
    stated: Statement | None = None
    weighed: Ledger | None = None  # what it was stated of

    def close(self) -> None:
        """Take in that no record follows."""
        memory, part = self.memory, self.part
        if memory is None or self.dead:
            part.trades[UNFINISHED] += 1
            return
        outcome = memory.outcome
        part.trades[outcome.value if memory.done and outcome else UNFINISHED] += 1
        if memory.halted:
            part.halted.append(memory.trade_id)
        if not memory.finished:
            part.live.append(TRADE + memory.trade_id)

    # -------------------------------------------------------------- one record

    def _tried(self, record: Record) -> str:
        """Return why *record* is wrong; empty: it is not."""
        entry = entry_of(record)
        fact = entry.fact
        if self.memory is None:
            return self._begun(record, entry)
        if self.last is not None and record.at_ns < self.last.at_ns:
            self.part.notes[CLOCK_BACK] += 1
        wrong = _misnamed(entry) or _of_nothing(self.memory, fact)
        if wrong:
            return wrong
        if isinstance(fact, Moved):
            wrong = _misjudged(self.memory, entry)
        elif isinstance(fact, PlaceEnded):
            wrong = self._answered(fact)
        if wrong:
            return wrong
        self.memory.remember(entry)
        if isinstance(fact, Intended):
            self._intended(fact, record)
        self._gather(fact)
        return self._state(record)

    def _begun(self, record: Record, entry: Entry) -> str:
        if not isinstance(entry.fact, Begun):
            return f"is {record.trigger} where its trade has to begin"
        memory = self.memory = Memory.fold(record.stream.removeprefix(TRADE), [entry], no_ids)
        if entry.before != memory.state:
            return f"begins in {entry.before}, trades begin in {memory.state}"
        if memory.decision.decision_id != memory.trade_id:
            return f"begins decision {memory.decision.decision_id} on the stream of {memory.trade_id}"
        return _misnamed(entry)

    def _answered(self, fact: PlaceEnded) -> str:
        if fact.order in self.answered:
            return f"tells a second time what came of the call that placed order {fact.order}"
        self.answered.add(fact.order)
        wire = fact.outcome.wire
        if wire.sent_at_ns is not None and wire.sent_at_ns < self.intended_ns.get(fact.order, 0):
            self.part.notes[SENT_BEFORE] += 1
        return ""

    def _intended(self, fact: Intended, record: Record) -> None:
        for intent in fact.intents:
            self.intended_ns[intent.index] = record.at_ns
            self.part.intents.append((intent.client_order_id, record.seq))

    def _gather(self, fact: Any) -> None:
        """Keep what the venue said of single executions, apart from how the ledger merges it."""
        snapshot = getattr(fact, "snapshot", None) or getattr(getattr(fact, "outcome", None), "snapshot", None)
        if snapshot is None or not snapshot.fills:
            return
        known = self.fills.setdefault(fact.order, {})
        for fill in snapshot.fills:
            if fill.fill_id not in known or fill.fee is not None:
                known[fill.fill_id] = fill

    # -------------------------------------------------------------- what it comes to

    def _state(self, record: Record) -> str:
        """Take down what the trade's position must say, where it is over; return what its own results get wrong."""
        memory = self.memory
        if memory is None or not memory.done:
            if self.stated is not None and self.stated.stands:
                self.stated = evolve(self.stated, seq=record.seq, opens=False, stands=False)
                self.part.statements.append(self.stated)
            return ""
        ledger = memory.ledger
        if self.stated is not None and self.stated.stands and self.weighed is ledger:
            return ""
        self.weighed = ledger
        pnl: Decimal | None = ZERO
        prices: tuple[str | None, str | None] = (None, None)
        fees, opens = "", False
        if ledger is not None:
            pnl = pnl_of(ledger, self.fills)
            told = results.pnl_of(ledger)
            if not told_alike(pnl, told, ledger):
                return f"leaves a PnL of {told}, and {pnl} by its fills"
            prices = (text(ledger.average_price(0)), text(ledger.average_price(1)))
            fees = fees_of(ledger)
            least = max(leg.least for leg in ledger.plan.legs)
            opens = memory.decision.action.is_entry and abs(memory.booked_quantity or ZERO) >= least
        made = Statement(
            trade_id=memory.trade_id,
            seq=record.seq,
            position_id=memory.decision.position_id or "",
            side=memory.begun.sides[0].value,
            booked=str(memory.booked_quantity or ZERO),
            prices=prices,
            pnl=text(pnl),
            fees=fees,
            opens=opens,
        )
        if self.stated is None or _differ(self.stated, made):
            self.part.statements.append(made)
            self.stated = made
        return ""


def _differ(one: Statement, other: Statement) -> bool:
    return evolve(one, seq=other.seq) != other


def _misnamed(entry: Entry) -> str:
    """Return how the columns of a record contradict its payload."""
    if isinstance(entry.fact, Moved):
        return ""
    due = TRIGGERS[type(entry.fact)]
    if entry.trigger != due:
        return f"is called {entry.trigger}, and tells what is called {due}"
    if entry.after != entry.before:
        return f"goes from {entry.before} to {entry.after}, and what it tells is no move"
    return ""


def _of_nothing(memory: Memory, fact: Any) -> str:
    """Return which order a fact speaks of that was never intended."""
    count = len(memory.orders)
    orders = fact.orders if isinstance(fact, CancelAsked) else (getattr(fact, "order", None),)
    for order in orders:
        if order is not None and not 0 <= order < count:
            return f"speaks of order {order}, and no intent of it was written before; there are {count}"
    legs = [intent.leg for intent in fact.intents] if isinstance(fact, Intended) else []
    legs += [fact.leg] if isinstance(fact, ExternalFill) else []
    for leg in legs:
        if leg not in {0, 1}:
            return f"speaks of leg {leg}, and a trade has two"
    if isinstance(fact, Intended | ExternalFill) and memory.ledger is None:
        return "orders something before the trade was sized"
    return ""


def _misjudged(memory: Memory, entry: Entry) -> str:
    """Return how a move says something else than the fills that led to it."""
    fact = entry.fact
    assert isinstance(fact, Moved)  # noqa: S101 - of whoever calls
    outcomes = _OUTCOMES.get((entry.before, entry.trigger, entry.after))
    if outcomes is None:
        return f"takes no row of the table: {entry.before} -- {entry.trigger} --> {entry.after}"
    said = fact.outcome.value if fact.outcome else None
    if entry.trigger != "booked":
        if said not in outcomes:
            return f"says that the trade ended {said}, its row of the table says {' or '.join(map(str, outcomes))}"
        return "" if fact.booked is None else f"books {fact.booked:f} where nothing is booked"
    if memory.ledger is None:
        return "books a trade that was never sized"
    quantity = hedged(memory.ledger)
    if fact.booked is None or abs(fact.booked - quantity) > abs(quantity) * EXACTLY:
        return f"books {_f(fact.booked)}, and {quantity:f} is matched by the fills"
    due = outcome_of(memory.ledger)
    return "" if said == due else f"says that the trade ended {said}, its fills say {due}"


def _f(value: Decimal | None) -> str:
    return "nothing" if value is None else f"{value:f}"
