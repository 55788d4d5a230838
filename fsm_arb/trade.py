"""One cross trade, without I/O: events in, records and orders out.

The same code runs live, in simulation and in replay. A trade decides
(`Trade.handle`) and records what it decided as facts; a fact is applied by
`Memory` alone. So the fold of its records is the trade, exactly, and folding
sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import define, evolve, field, fields, frozen

from fsm_arb.choice import Phase, Situation, Standing, budget, choose, overdue, short, standing
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput, LedgerBroken, MachineError
from fsm_arb.intents import first_intent, remedy_intent
from fsm_arb.ledger import Ledger
from fsm_arb.machines.table import Row
from fsm_arb.machines.trade import TRADE_TABLE, Checks, Placing, TradeState, TradeView
from fsm_arb.memory import TRIGGERS, Entry, Memory
from fsm_arb.messages import (
    Begun,
    Busted,
    CancelAsked,
    Checked,
    Choice,
    Event,
    ExternalFill,
    Intended,
    Intent,
    Judged,
    Kind,
    Missed,
    Moved,
    Observed,
    Outcome,
    PlaceEnded,
    Sized,
    Stalled,
    Ticked,
)
from fsm_arb.orders import Lifecycle
from fsm_arb.policy import ExecutionPolicy, seconds_ns
from fsm_arb.values import ZERO, Side

MOVES_MAX = 8  # edges one event can lead through; more is a circle in the table

_PHASES: dict[str, Phase] = {
    TradeState.PLACING: Phase.FIRST,
    TradeState.MONITORING: Phase.FIRST,
    TradeState.PARTIAL: Phase.REMEDY,
    TradeState.ROLLBACK: Phase.REMEDY,
    TradeState.HALTED: Phase.HALTED,
}


@frozen
class Step:
    """What one event led to. Orders are sent only after the entries are durable."""

    entries: tuple[Entry, ...] = ()
    sends: tuple[Intent, ...] = ()


@define(eq=False)
class Trade(Memory):
    """One cross trade. What it remembers stands in `Memory`; how it decides, here."""

    _entries: list[Entry] = field(factory=list)
    _sends: list[Intent] = field(factory=list)
    _moving: tuple[Moved, int] | None = None  # the fact and wall-clock time of the move that is being made

    # -------------------------------------------------------------- life

    @classmethod
    def begin(
        cls,
        trade_id: str,
        decision: CrossExchangeDecision,
        policy: ExecutionPolicy,
        fresh_id: Callable[[], str],
        *,
        now: int,
        at_ns: int,
        sides: tuple[Side, Side] | None = None,
        quantity: Decimal | None = None,
    ) -> tuple[Trade, Step]:
        """Take up a decision. *sides* and *quantity* (base) come from the position where it is an exit.

        Raises:
            InvalidInput: An exit without its sides: the wrong ones would double its position.
        """
        if sides is None and decision.action.is_exit:
            raise InvalidInput("sides", sides, "must be given for an exit: its position says what it reverses")
        begun = Begun(
            now=now, decision=decision, sides=sides or decision.entry_sides(), policy=policy, quantity=quantity
        )
        trade = cls(trade_id, fresh_id, begun, at_ns)
        trade._entries.append(Entry(at_ns, "begun", trade.state, trade.state, begun))
        return trade, trade._drain()

    def handle(self, event: Event, at_ns: int) -> Step:
        """Take in one event and return what follows from it. Nothing a venue reports is ever refused.

        Args:
            event: What happened; its `now` is a reading of the monotonic clock, ns.
            at_ns: The wall clock, UTC ns, for the record.

        Raises:
            InvalidInput: An operator's fill or bust does not fit what the trade holds.
        """
        self._take_in(event, at_ns)
        self._advance(event.now, at_ns)
        return self._drain()

    def copy(self) -> Trade:
        """Return an independent copy; everything it refers to is frozen and shared."""
        other = object.__new__(Trade)
        for name in _COPIED:
            setattr(other, name, getattr(self, name))
        other._entries, other._sends = [], []
        return other

    # -------------------------------------------------------------- what the driver asks

    def wants_survey(self, now: int) -> bool:
        """Whether a remedy is due and both venues must be asked what it would cost."""
        if self.survey is not None or self.state not in _PHASES:
            return False
        s = self._situation(now)
        if s.phase is Phase.FIRST or now < s.not_before or standing(s) is not Standing.UNMATCHED:
            return False
        return s.retry_due if s.phase is Phase.HALTED else s.attempt < budget(s)

    def wakes_at(self, now: int) -> int | None:
        """Return the next monotonic ns at which time alone may change something; None: never."""
        if self.state not in _PHASES:
            return None
        longest = seconds_ns(self.policy.doubt_max_s)
        open_ended = [order for order in self.orders if order.live or order.provisional]
        times = [order.deadline for order in open_ended]
        times += [order.unsure_since + longest for order in open_ended if order.unsure_since is not None]
        times.append(self.not_before)
        if self.retry_at is not None:
            times.append(self.retry_at)
        return min((time for time in times if time > now), default=None)

    def outlook(self, now: int) -> tuple[Choice | None, TradeView]:
        """Return what it would choose at *now*, None where there is nothing to choose, and what its guards would see.

        Changes nothing. `now` is a reading of the monotonic clock, ns.
        """
        situation = self._situation(now) if self.ledger else None
        choice = choose(situation) if situation and self.state in _PHASES else None
        return choice, self._view(situation, choice)

    # -------------------------------------------------------------- deciding

    def _take_in(self, event: Event, at_ns: int) -> None:
        """Record *event* if it tells anything new."""
        if isinstance(event, Ticked):
            return
        if isinstance(event, PlaceEnded | Observed | Missed) and not self._tells_more(event):
            return
        if isinstance(event, Sized) and self.orders:
            raise MachineError(f"{self.trade_id}: it has orders already; another plan would forget them")
        if isinstance(event, ExternalFill):
            self._check_external(event)
        if isinstance(event, Busted):
            self._check_bust(event)
        if isinstance(event, Judged):
            self._check_verdict(event)
        self._note(event, at_ns)

    def _tells_more(self, event: PlaceEnded | Observed | Missed) -> bool:
        """Whether the ledger would differ; a poll that shows what is known is not worth a record."""
        if self.ledger is None or event.order >= len(self.ledger.orders):
            raise LedgerBroken(
                f"{self.trade_id}: {type(event).__name__} of order {event.order}, which was never written"
            )
        return isinstance(event, PlaceEnded) or self._ledger_after(event) is not self.ledger

    def _check_external(self, fill: ExternalFill) -> None:
        """An operator's trade may make the exposure smaller; one that does not is another trade's business."""
        if self.ledger is None:
            raise InvalidInput("fill", fill, "the trade was never sized; it holds nothing to resolve")
        for order in self.orders:
            if order.in_doubt and order.intent.leg == fill.leg:
                name = order.intent.client_order_id
                raise InvalidInput("fill", fill, f"order {name} of that leg is in doubt and may be it; settle it first")
        after = evolve(self.ledger, external=(*self.ledger.external, fill))
        if abs(after.exposure) >= abs(self.ledger.exposure):
            raise InvalidInput("fill", fill, f"does not make the exposure of {self.ledger.exposure:f} smaller")
        if after.exposure * self.ledger.exposure < 0 and not after.within_dust:
            raise InvalidInput("fill", fill, f"turns the exposure of {self.ledger.exposure:f} into {after.exposure:f}")

    def _check_bust(self, bust: Busted) -> None:
        if not 0 <= bust.order < len(self.orders):
            raise InvalidInput("order", bust.order, f"is none of the trade's {len(self.orders)} orders")
        filled = self.orders[bust.order].filled
        if not ZERO < bust.amount <= filled:
            raise InvalidInput("amount", bust.amount, f"must be above zero and within the {filled:f} that has filled")

    def _check_verdict(self, verdict: Judged) -> None:
        if not 0 <= verdict.order < len(self.orders):
            raise InvalidInput("order", verdict.order, f"is none of the trade's {len(self.orders)} orders")
        order = self.orders[verdict.order]
        if not order.filled <= verdict.filled <= order.intent.amount:
            said = (
                f"must be between the {order.filled:f} that was seen and the {order.intent.amount:f} that was ordered"
            )
            raise InvalidInput("filled", verdict.filled, said)
        if order.placing_ended_at is None:
            raise InvalidInput("order", verdict.order, "is being sent right now; ask again once its call has ended")

    def _advance(self, now: int, at_ns: int) -> None:
        """Take every edge that is true now, one after the other, then act on the choice."""
        for _ in range(MOVES_MAX):
            choice, view = self.outlook(now)
            rows = TRADE_TABLE.enabled(self.state, view)
            if not rows:
                before = self.ledger
                if choice is not None:
                    self._act(choice, now, at_ns)
                if self._sends or self.ledger is before:
                    return
                continue  # what was written down may open an edge: an end asked for, a fee believed
            self._move(rows[0], view, choice, now, at_ns)
        raise MachineError(f"{self.trade_id}: {MOVES_MAX} moves on one event; the table leads in a circle")

    def _move(self, row: Row, view: TradeView, choice: Choice | None, now: int, at_ns: int) -> None:
        fact = Moved(
            now=now,
            choice=choice if choice is not None and choice.kind is not Kind.WAIT else None,
            note=self._note_for(row, choice),
            outcome=Outcome(row.outcome) if row.outcome else None,
        )
        if row.trigger == "booked":
            fact = evolve(fact, booked=self._hedged().matched_quantity, outcome=self._booked_outcome())
        self._moving = (fact, at_ns)
        try:
            getattr(self, row.trigger)(view)
        finally:
            self._moving = None

    def on_move(self, row: Row) -> None:
        """Record the move that is being made; called by the engine before the state is set."""
        if self._moving is None:
            raise MachineError(f"{self.trade_id}: {row} was fired by hand; tell the trade an event instead")
        fact, at_ns = self._moving
        self._entries.append(Entry(at_ns, row.trigger, row.source, row.dest, fact))
        self._apply_move(row.trigger, row.dest, fact, at_ns)

    def _note_for(self, row: Row, choice: Choice | None) -> str:
        """Say why, in words, where an edge ends the trade or calls a person."""
        match row.trigger:
            case "checks_refused" if self.checks:
                return self.checks.refusal
            case "size_refused" if self.sizing:
                return self.sizing.refusal
            case "abort":
                return self.aborting
            case "booked" if self._hedged().matched_quantity < 0:
                return "both legs stand the wrong way round; only that could be sent after a bust"
            case "wall" if choice:
                blocked = "; ".join(f"{o.kind.value}: {o.blocked}" for o in choice.weighed)
                return f"{choice.reason}; {blocked}" if blocked else choice.reason
            case _:
                legs = self.decision.legs
                refusals = [f"{legs[o.intent.leg].exchange}: {o.refusal}" for o in self.orders if o.refusal]
                return "; ".join(refusals) if row.outcome else ""

    def _hedged(self) -> Ledger:
        if self.ledger is None:
            raise LedgerBroken(f"{self.trade_id}: there is nothing to book")
        return self.ledger

    def _booked_outcome(self) -> Outcome:
        """Success, or a smaller size than was asked for; what the venues kept as base fees is no shortfall."""
        ledger = self._hedged()
        kept = sum((order.base_fee for order in ledger.orders if order.intent.side is Side.BUY), ZERO)
        short_by = ledger.plan.quantity - ledger.matched_quantity - kept
        return Outcome.SUCCESS if short_by < ledger.plan.dust else Outcome.PARTIAL_HEDGED

    def _act(self, choice: Choice, now: int, at_ns: int) -> None:
        """Write down what the choice calls for. Waiting and probing call for no record."""
        if choice.kind is Kind.CANCEL:
            self._note(CancelAsked(now=now, orders=choice.orders, choice=choice), at_ns)
        elif choice.kind is Kind.FIRST:
            ledger = self._hedged()
            intents = [
                first_intent(self.begun, ledger, leg, index=index, client_order_id=self.fresh_id(), now=now)
                for index, leg in enumerate(choice.legs, start=len(ledger.orders))
            ]
            self._send(intents, choice, now, at_ns)
        elif choice.option is not None:
            name = self.fresh_id()
            remedy = remedy_intent(self.begun, self._hedged(), choice.option, client_order_id=name, now=now)
            self._send([remedy], choice, now, at_ns)
        elif choice.weighed or (choice.kind is Kind.HALT and self._retry_due(now)):
            self._note(Stalled(now=now, choice=choice), at_ns)

    def _send(self, intents: list[Intent], choice: Choice, now: int, at_ns: int) -> None:
        self._note(Intended(now=now, intents=tuple(intents), choice=choice), at_ns)
        self._sends += intents

    # -------------------------------------------------------------- what is true now

    def _situation(self, now: int) -> Situation:
        return Situation(
            phase=_PHASES.get(self.state, Phase.OVER),
            ledger=self._hedged(),
            policy=self.policy,
            now=now,
            survey=self.survey,
            attempt=self.attempt,
            granted=self.granted,
            not_before=self.not_before,
            refused=self.refused,
            retry_due=self._retry_due(now),
            booked=self.booked_quantity,
            exits=self.decision.action.is_exit,
        )

    def _retry_due(self, now: int) -> bool:
        """Whether a halted trade may try again: its time has come, an operator asks, or its doubt is over."""
        if self.operator_asked or (self.retry_at is not None and now >= self.retry_at):
            return True
        return self.halted_in_doubt and self.ledger is not None and self.ledger.known

    def _view(self, s: Situation | None, choice: Choice | None) -> TradeView:
        if s is None:
            return TradeView(
                aborting=bool(self.aborting),
                checks=_verdict(self.checks),
                sizing=_verdict(self.sizing),
                standing=Standing.FLAT,
            )
        # Each fact costs; what no row of the state asks for is left out.
        placing, monitoring = self.state == TradeState.PLACING, self.state == TradeState.MONITORING
        return TradeView(
            checks=_verdict(self.checks),
            sizing=_verdict(self.sizing),
            placing=_placing(s.ledger) if placing else Placing.ACCEPTED,
            standing=standing(s),
            short=monitoring and short(s),
            overdue=monitoring and overdue(s),
            retry_due=s.retry_due,
            choice=choice.kind if choice else Kind.WAIT,
        )

    # -------------------------------------------------------------- applying facts: the only place that changes it

    def _note(self, fact: Any, at_ns: int) -> None:
        self._entries.append(Entry(at_ns, TRIGGERS[type(fact)], self.state, self.state, fact))
        self._apply(fact)

    def _drain(self) -> Step:
        step = Step(tuple(self._entries), tuple(self._sends))
        self._entries.clear()
        self._sends.clear()
        return step


def _verdict(fact: Checked | Sized | None) -> Checks:
    if fact is None:
        return Checks.PENDING
    return Checks.REFUSED if fact.refusal else Checks.PASSED


def _placing(ledger: Ledger) -> Placing:
    """What came of the first orders that were due."""
    if any(order.lifecycle is Lifecycle.PENDING and order.placing_ended_at is None for order in ledger.orders):
        return Placing.WAITING
    dead = sum(order.lifecycle is Lifecycle.DEAD for order in ledger.orders)
    if not ledger.orders:
        return Placing.WAITING
    if not dead:
        return Placing.ACCEPTED
    return Placing.REFUSED if dead == len(ledger.orders) else Placing.MIXED


_COPIED = tuple(each.name for each in fields(Trade))
