"""One trade as a story: its head, its steps, its orders, what it weighed, and how much was naked when.

A story is told from the first so many records and knows nothing of later
ones: what was known then is all that stands in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.advice import advice
from fsm_arb.audit.details import details
from fsm_arb.audit.order_story import Orders, OrderStory
from fsm_arb.audit.summary import Reading, Summary
from fsm_arb.audit.words import words
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.messages import CancelAsked, Intended, Moved, Stalled
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_arb.audit.tales import Line, Tale
    from fsm_arb.memory import Entry, Memory
    from fsm_arb.messages import Choice
    from fsm_arb.policy import ExecutionPolicy


@frozen(kw_only=True)
class Step:
    """One record, in words.

    Attributes:
        number: Within the trade, from 1.
        seq: Of the record on the journal.
        epoch: Which opening of the journal wrote it.
        at_ns: Wall clock UTC.
        elapsed_ns: Since the trade was begun.
        trigger: What the record is called.
        before: The state it was in.
        after: The state it was in then.
        decided: Whether the trade decided this itself; else it is what came from outside.
        what: What happened, a sentence.
        why: Of an edge: what its row of the table says; else empty.
        details: The numbers behind it, a line each.
        exposure: Base that was naked after it, + for long, as far as it was known then.
        worst: Base, the far end of what the exposure could still become.
        naked: Whether the exposure was more than dust.
    """

    number: int
    seq: int
    epoch: int
    at_ns: int
    elapsed_ns: int
    trigger: str
    before: str
    after: str
    decided: bool
    what: str
    why: str
    details: tuple[str, ...]
    exposure: Decimal
    worst: Decimal
    naked: bool

    @property
    def moved(self) -> bool:
        """Whether it took an edge of the table."""
        return self.before != self.after


@frozen(kw_only=True)
class Weighing:
    """One decision, with all that it compared."""

    step: int  # the first record that came of it
    at_ns: int
    elapsed_ns: int
    choice: Choice


@frozen(kw_only=True)
class Story:
    """One trade, as far as its records had been written.

    Attributes:
        trade_id: Its name on the journal.
        trade: All that it is, folded from its records.
        summary: What it came to: money, time naked, worst exposure.
        result: What a bot was told, or would have been.
        as_of_ns: Wall clock UTC of the moment that is told; the last record's where none was asked for.
        whole: Whether nothing was left out: every record of the journal is told.
        steps: Its records, in order.
        orders: Its orders, as they were intended.
        weighings: Its decisions, in order.
        advice: What a person can do now; empty where nobody is needed.
    """

    trade_id: str
    trade: Memory
    summary: Summary
    result: CrossExecutionResult
    as_of_ns: int
    whole: bool
    steps: tuple[Step, ...]
    orders: tuple[OrderStory, ...]
    weighings: tuple[Weighing, ...]
    advice: tuple[str, ...]

    @property
    def began_ns(self) -> int:
        """When it was begun, wall clock UTC."""
        return self.steps[0].at_ns

    @property
    def policy(self) -> ExecutionPolicy:
        """The numbers it runs under."""
        return self.trade.policy

    @property
    def exposure(self) -> Decimal:
        """Base that is naked, + for long."""
        return self.steps[-1].exposure

    @property
    def dust(self) -> Decimal:
        """Base; an exposure below it is matched. Zero where it was never sized."""
        return self.trade.ledger.plan.dust if self.trade.ledger else ZERO

    @property
    def naked(self) -> bool:
        """Whether more than dust is naked."""
        return self.steps[-1].naked

    @property
    def over(self) -> bool:
        """Whether it is DONE."""
        return self.trade.done


def story_of(tale: Tale, *, upto: int | None = None, as_of_ns: int | None = None) -> Story:
    """Return one trade as a story.

    Args:
        tale: Its records.
        upto: How many of them are told, at least one; None: all.
        as_of_ns: The moment that is told, wall clock UTC: what was naked then has been so until then. None: the
            moment of the last record that is told.
    """
    lines = tale.lines if upto is None else tale.lines[: max(upto, 1)]
    reading = Reading.begin(lines[0].record)
    orders, steps, weighings = Orders(), list[Step](), list[Weighing]()
    for number, line in enumerate(lines, 1):
        if number > 1:
            reading.take(line.record)
        orders.take(number, line.entry, reading.memory)
        steps.append(_step(number, line, reading.memory, lines[0].record.at_ns))
        _weigh(weighings, steps[-1], line.entry)
    trade = reading.memory
    last_ns = lines[-1].record.at_ns
    as_of_ns = last_ns if as_of_ns is None else max(as_of_ns, last_ns)
    if not trade.done:
        reading.goes_on(as_of_ns)
    return Story(
        trade_id=trade.trade_id,
        trade=trade,
        summary=reading.summary(),
        result=result_of(trade),
        as_of_ns=as_of_ns,
        whole=len(lines) == len(tale.lines),
        steps=tuple(steps),
        orders=orders.told(trade),
        weighings=tuple(weighings),
        advice=advice(trade),
    )


def known_at(lines: Sequence[Line], at_ns: int) -> int:
    """Return how many records had been written at *at_ns*, wall clock UTC; a clock that was set back hides none."""
    count = 0
    for number, line in enumerate(lines, 1):
        if line.record.at_ns <= at_ns:
            count = number
    return count


def _step(number: int, line: Line, trade: Memory, began_ns: int) -> Step:
    entry, ledger = line.entry, trade.ledger
    row = TRADE_TABLE.find(entry.before, entry.trigger, entry.after) if isinstance(entry.fact, Moved) else None
    return Step(
        number=number,
        seq=line.record.seq,
        epoch=line.record.epoch,
        at_ns=entry.at_ns,
        elapsed_ns=entry.at_ns - began_ns,
        trigger=entry.trigger,
        before=entry.before,
        after=entry.after,
        decided=isinstance(entry.fact, Intended | CancelAsked | Stalled | Moved),
        what=words(trade, entry.fact),
        why=row.why if row else "",
        details=details(trade, entry.fact),
        exposure=trade.exposure,
        worst=ledger.worst_exposure if ledger else ZERO,
        naked=ledger is not None and not ledger.within_dust,
    )


def _weigh(weighings: list[Weighing], step: Step, entry: Entry) -> None:
    """Take in what was decided; an edge and the order that follows it come of one decision."""
    choice: Choice | None = getattr(entry.fact, "choice", None)
    if choice is None:
        return
    same = weighings and weighings[-1].choice == choice and weighings[-1].at_ns == entry.at_ns
    if not same:
        weighings.append(Weighing(step=step.number, at_ns=entry.at_ns, elapsed_ns=step.elapsed_ns, choice=choice))
