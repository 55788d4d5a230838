"""Decide a recorded trade again: what came from outside is told to the code of today, and its answers are compared.

A record is either what came from outside (a reading of a venue, an operator's
word) or what the trade made of it. The first are told to a fresh trade one by
one, each at the time and under the order ids that are recorded; the second
must come of them, record by record. What time alone brought is asked for at
the time at which it was decided. So the journal is a test of the code: a
change that decides otherwise than what is recorded is found and named.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, fields, frozen, has

from fsm_arb.errors import FsmArbError
from fsm_arb.memory import Entry
from fsm_arb.messages import CancelAsked, Choice, Intended, Moved, Option, Restarted, Stalled, Ticked
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsm_arb.messages import Begun

DECIDED = (Intended, CancelAsked, Stalled, Moved)  # what a trade records of its own accord


class Kind(enum.Enum):
    """How what the code says now differs from what is recorded."""

    MISSING = "missing"  # recorded, and not decided now
    ADDED = "added"  # decided now, and not recorded
    OTHER = "other"  # something else is decided
    NUMBERS = "numbers"  # the same is decided, with other numbers
    WORDS = "words"  # only what is said of it is worded otherwise
    REFUSED = "refused"  # the code does not take what was recorded


@frozen(kw_only=True)
class Difference:
    """One place where the code says something else than the journal.

    Attributes:
        trade_id: Which trade.
        number: The record, within the trade, from 1; of what was added, the one before which it would stand.
        at_ns: The wall clock of that record, UTC.
        kind: How it differs.
        recorded: What stands there; None: nothing does.
        decided: What the code decides now; None: nothing.
        why: What else there is to say.
    """

    trade_id: str
    number: int
    at_ns: int
    kind: Kind
    recorded: Entry | None = None
    decided: Entry | None = None
    why: str = ""


@frozen(kw_only=True)
class Late:
    """A decision of time alone that is recorded some time after it was due."""

    number: int  # the record, within the trade, from 1
    by_ns: int


@frozen(kw_only=True)
class Replayed:
    """What came of deciding one trade again.

    Attributes:
        trade_id: Which trade.
        records: How many it has.
        events: How many of them came from outside.
        decisions: How many of them the trade decided.
        timely: How many moments there were at which time alone decided.
        state: The state the code of today leads to; as it is recorded, unless something differs.
        status: How it ended, likewise.
        latest: The decision of time alone that was recorded latest after it was due; None: none was late.
        differences: In the order of the records.
    """

    trade_id: str
    records: int
    events: int
    decisions: int
    timely: int
    state: str
    status: str
    latest: Late | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether every decision is decided again as it is recorded, words aside."""
        return all(each.kind is Kind.WORDS for each in self.differences)


@frozen
class Ids:
    """Gives a trade the client order ids that it was given then."""

    recorded: tuple[str, ...]
    _asked: list[str] = field(factory=list)

    def __call__(self) -> str:
        """Return the id of the next order; one that was never recorded says so."""
        number = len(self._asked)
        name = self.recorded[number] if number < len(self.recorded) else f"never-recorded-{number}"
        self._asked.append(name)
        return name

    def back_to(self, orders: int) -> None:
        """Take back what was asked for beyond the first so many orders."""
        del self._asked[orders:]


def ids_of(entries: Sequence[Entry]) -> Ids:
    """Return the client order ids of a trade's records, in the order of its orders."""
    facts = (entry.fact for entry in entries)
    return Ids(tuple(each.client_order_id for fact in facts if isinstance(fact, Intended) for each in fact.intents))


def replay(trade_id: str, entries: Sequence[Entry]) -> Replayed:
    """Decide one trade again and return what differs.

    A difference does not end it: from the next event on it goes on from what is recorded.

    Args:
        trade_id: Its name on the journal.
        entries: All its records, in order.

    Raises:
        MachineError: They contradict the table.
    """
    course = Course(trade_id, entries)
    differences = [*course.begun()]
    late: Late | None = None
    timely = 0
    for turn in course.turns():
        waited = course.waited(turn)
        if waited is not None and (late is None or waited > late.by_ns):
            late = Late(number=turn.first, by_ns=waited)
        timely += isinstance(turn.event, Ticked)
        differences += course.take(turn)
    trade = course.trade
    return Replayed(
        trade_id=trade_id,
        records=len(entries),
        events=sum(not isinstance(entry.fact, DECIDED) for entry in entries),
        decisions=sum(isinstance(entry.fact, DECIDED) for entry in entries),
        timely=timely,
        state=trade.state,
        status=trade.outcome.value if trade.outcome else "",
        latest=late,
        differences=tuple(differences),
    )


# ------------------------------------------------------------------ one event and what follows


@frozen(kw_only=True)
class Turn:
    """One event and the records that it may have led to."""

    event: Any  # what is told to the trade; `Ticked` where time alone decided
    at_ns: int
    first: int  # number of the first record, from 1
    recorded: tuple[Entry, ...]  # it, where the event is one, and all that was decided before anything else came in


class Course:
    """Leads one trade along its records."""

    def __init__(
        self,
        trade_id: str,
        entries: Sequence[Entry],
        begun: Begun | None = None,
        same: Callable[[Entry, Entry], bool] | None = None,
    ) -> None:
        """Take up a trade at its first record.

        Args:
            trade_id: Its name.
            entries: All its records, in order.
            begun: What it begins with instead of what is recorded.
            same: Whether a recorded and a decided entry are the same; `alike` unless given.

        Raises:
            MachineError: The first record is no beginning.
        """
        self.entries = tuple(entries)
        self.ids = ids_of(entries)
        self._same = same or alike
        first = self.entries[:1] if begun is None else (evolve(entries[0], fact=begun),)
        self.trade = Trade.fold(trade_id, first, self.ids)
        self.at = 1  # records told so far
        self.now = self.entries[0].fact.now  # monotonic ns, the latest that any of them knew

    def begun(self) -> Iterator[Difference]:
        """Yield what differs in the first record; an exit's sides are its position's to say."""
        begun, at_ns = self.trade.begun, self.trade.begun_at_ns
        sides = begun.sides if begun.decision.action.is_exit else None
        _, step = Trade.begin(
            self.trade.trade_id,
            begun.decision,
            begun.policy,
            self.ids,
            now=begun.now,
            at_ns=at_ns,
            sides=sides,
            quantity=begun.quantity,
        )
        turn = Turn(event=begun, at_ns=at_ns, first=1, recorded=self.entries[:1])
        yield from self._differences(turn, step.entries, 0, "")

    def turns(self) -> Iterator[Turn]:
        """Yield what there is to tell, one after the other; each must be taken before the next is asked for."""
        while self.at < len(self.entries):
            entry = self.entries[self.at]
            outside = not isinstance(entry.fact, DECIDED)
            end = self.at + outside
            while end < len(self.entries) and self._follows(entry, self.entries[end]):
                end += 1
            yield Turn(
                event=entry.fact if outside else Ticked(now=entry.fact.now),
                at_ns=entry.at_ns,
                first=self.at + 1,
                recorded=self.entries[self.at : end],
            )

    def take(self, turn: Turn) -> Iterator[Difference]:
        """Tell the trade, and yield what differs; then stand where the records do."""
        before = self.trade.copy()
        self.ids.back_to(len(before.orders))
        decided, error = told(self.trade, turn.event, turn.at_ns)
        count = self._count(turn.recorded, decided)
        if not error and count == len(decided) > 0:
            taken = count  # what is left was decided at the same moment, by time alone
        else:
            taken = len(turn.recorded)
            yield from self._differences(turn, decided, count, error)
            self.trade = before
            yield from self._remember(turn)
        self.at += taken
        self.now = turn.event.now if isinstance(turn.event, Restarted) else max(self.now, turn.event.now)

    def _remember(self, turn: Turn) -> Iterator[Difference]:
        """Go on from what is recorded, also where the code has it otherwise."""
        for index, entry in enumerate(turn.recorded):
            try:
                self.trade.remember(entry)
            except FsmArbError as refusal:
                self.entries = self.entries[: self.at + len(turn.recorded)]  # nothing can follow from it
                yield self._difference(turn, index, Kind.REFUSED, recorded=entry, why=str(refusal))
                return

    def waited(self, turn: Turn) -> int | None:
        """Return how long before *turn* time alone would have decided something, ns; None: it would not have."""
        due = self.due(turn)
        return None if due is None else turn.event.now - due[0]

    def due(self, turn: Turn) -> tuple[int, tuple[Entry, ...]] | None:
        """Return when, before *turn*, time alone would first have decided something, monotonic ns, and what."""
        if isinstance(turn.event, Restarted):
            return None  # nobody was there to decide
        time = self.trade.wakes_at(self.now)
        while time is not None and time < turn.event.now:
            self.ids.back_to(len(self.trade.orders))
            decided, _ = told(self.trade.copy(), Ticked(now=time), turn.at_ns)
            if decided:
                return time, decided
            time = self.trade.wakes_at(time)
        return None

    # -------------------------------------------------------------- comparing

    def _count(self, recorded: Sequence[Entry], decided: Sequence[Entry]) -> int:
        """Return how many entries are the same, from the first on."""
        count = 0
        for one, other in zip(recorded, decided, strict=False):
            if not self._same(one, other):
                break
            count += 1
        return count

    def _follows(self, first: Entry, entry: Entry) -> bool:
        return isinstance(entry.fact, DECIDED) and entry.fact.now == first.fact.now

    def _differences(self, turn: Turn, decided: Sequence[Entry], count: int, error: str) -> Iterator[Difference]:
        """Yield where *decided* and what is recorded part, one for each decision."""
        if error:
            yield self._difference(turn, 0, Kind.REFUSED, recorded=turn.recorded[0], why=error)
            return
        if not decided and not isinstance(turn.event, Ticked):
            why = "it would not be recorded: it tells nothing new"
            yield self._difference(turn, 0, Kind.MISSING, recorded=turn.recorded[0], why=why)
            return
        for index in range(count, max(len(turn.recorded), len(decided))):
            one = turn.recorded[index] if index < len(turn.recorded) else None
            other = decided[index] if index < len(decided) else None
            if one is not None and other is not None and self._same(one, other):
                continue
            kind = kind_of(one, other)
            yield self._difference(turn, index, kind, recorded=one, decided=other)
            if kind not in {Kind.NUMBERS, Kind.WORDS}:
                return  # what follows from another decision follows from it, and is none of its own

    def _difference(
        self, turn: Turn, index: int, kind: Kind, *, recorded: Entry | None, decided: Entry | None = None, why: str = ""
    ) -> Difference:
        return Difference(
            trade_id=self.trade.trade_id,
            number=turn.first + index,
            at_ns=turn.at_ns,
            kind=kind,
            recorded=recorded,
            decided=decided,
            why=why,
        )


def told(trade: Trade, event: Any, at_ns: int) -> tuple[tuple[Entry, ...], str]:
    """Return what *trade* makes of *event*, or why it does not take it."""
    try:
        return trade.handle(event, at_ns).entries, ""
    except Exception as error:  # noqa: BLE001 - whatever the code of today raises is a difference
        return (), f"{type(error).__name__}: {error}"


def alike(one: Entry, other: Entry) -> bool:
    """Whether two entries say the same, the wall clock aside."""
    return (one.trigger, one.before, one.after) == (other.trigger, other.before, other.after) and one.fact == other.fact


def kind_of(recorded: Entry | None, decided: Entry | None) -> Kind:
    """Return how two entries that are not alike differ."""
    if recorded is None:
        return Kind.ADDED
    if decided is None:
        return Kind.MISSING
    if essence(recorded) != essence(decided):
        return Kind.OTHER
    return Kind.WORDS if wordless(recorded.fact) == wordless(decided.fact) else Kind.NUMBERS


def essence(entry: Entry) -> tuple[Any, ...]:
    """Return what an entry does, without its numbers: two that share it differ in numbers or words alone."""
    fact = entry.fact
    intents = getattr(fact, "intents", ())
    return (
        entry.trigger,
        entry.before,
        entry.after,
        type(fact),
        getattr(fact, "outcome", None) if isinstance(fact, Moved) else None,
        tuple((each.leg, each.purpose, each.side) for each in intents),
        fact.orders if isinstance(fact, CancelAsked) else (),
    )


def wordless(value: Any) -> Any:
    """Return *value* without what is only said, reasons and notes. That a remedy is blocked stays; why, does not."""
    if isinstance(value, Choice):
        return evolve(
            value, reason="", option=wordless(value.option), weighed=tuple(wordless(each) for each in value.weighed)
        )
    if isinstance(value, Option):
        return evolve(value, blocked="blocked" if value.blocked else "")
    if has(type(value)):
        names = {each.name for each in fields(type(value))}
        changes: dict[str, Any] = {"note": ""} if "note" in names else {}
        if "choice" in names:
            changes["choice"] = wordless(value.choice)
        return evolve(value, **changes)
    return value
