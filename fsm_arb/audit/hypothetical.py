"""What other policy numbers would have decided on the same observations. HYPOTHETICAL from the first word.

A trade is led along its records under another policy until the first decision
that would have been another one. There it ends: whatever came later came of
what was really sent, and says nothing of what would have been.
"""

from __future__ import annotations

import enum
import warnings
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from fsm_arb.audit.course import DECIDED, Course, told
from fsm_arb.audit.difference import Kind
from fsm_arb.messages import CancelAsked, Intended, Moved, Purpose, Restarted, Stalled, Surveyed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsm_arb.audit.course import Turn
    from fsm_arb.memory import Entry
    from fsm_arb.messages import Choice
    from fsm_arb.policy import ExecutionPolicy

_EDGES = {"wall": "halt", "unwind": "unwind", "complete": "complete", "booked": "book", "resume": "resume"}
NOTHING = "wait"
ASK = "ask both venues"
# Read by the driver or when a trade is begun: what they would have changed cannot be seen in what is recorded.
NOT_JUDGED = (
    "request_timeout_s",
    "poll_interval_s",
    "send_max_age_s",
    "decision_max_age_s",
    "watch_after_done_s",
    "health_age_s",
    "clock_offset_max_ms",
    "fx_max_age_s",
    "fx_min_confidence",
)


class How(enum.Enum):
    """How the first other decision differs."""

    SOONER = "sooner"  # it would have come before what is recorded
    LATER = "later"  # what is recorded would not have been done then
    OTHER = "other"  # something else would have been done at that moment
    NUMBERS = "numbers"  # the same, with other numbers


@frozen(kw_only=True)
class Divergence:
    """The first decision that would have been another one.

    Attributes:
        number: The record, within the trade, from 1, at which it would have parted.
        at_ns: The wall clock of that record, UTC.
        how: How it differs.
        recorded: What was done, in a word or two.
        instead: What would have been done.
        recorded_choice: What was compared then; None: there was nothing to choose.
        choice: What would have been compared; likewise.
        recorded_entry: The record itself; None: nothing was decided then.
        entry: The record that would have been; likewise.
        sooner_ns: How long before that record it would have come.
    """

    number: int
    at_ns: int
    how: How
    recorded: str
    instead: str
    recorded_choice: Choice | None = None
    choice: Choice | None = None
    recorded_entry: Entry | None = None
    entry: Entry | None = None
    sooner_ns: int = 0


@frozen(kw_only=True)
class Supposed:
    """One trade under another policy, as far as that can be known.

    Attributes:
        trade_id: Which trade.
        records: How many it has.
        status: How it really ended; empty: it has not.
        divergence: Where it would have parted from what is recorded; None: nowhere.
        unknown: Why nothing can be said of it: the code of today decides otherwise under its own policy, too.
    """

    trade_id: str
    records: int
    status: str
    divergence: Divergence | None = None
    unknown: str = ""


def not_judged(changes: Mapping[str, Any], recorded: ExecutionPolicy) -> tuple[str, ...]:
    """Return the numbers in *changes* that differ from those of *recorded* and that a replay cannot judge."""
    names = [name for name in changes if name in NOT_JUDGED and changes[name] != getattr(recorded, name)]
    if changes.get("absence_fence_s", recorded.absence_fence_s) < recorded.absence_fence_s:
        names.append("absence_fence_s")  # what was missed before the fence is not on the journal
    return tuple(names)


def suppose(trade_id: str, entries: Sequence[Entry], changes: Mapping[str, Any]) -> Supposed:
    """Lead one trade along its records under another policy.

    Its checks, its size and the limits of its first orders stay as they are recorded.

    Args:
        trade_id: Its name on the journal.
        entries: All its records, in order.
        changes: The numbers of its policy to suppose, by name; all others stay as they are recorded.

    Raises:
        MachineError: The records contradict the table.
    """
    real = Course(trade_id, entries)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing is traded under it
        policy = evolve(real.trade.policy, **changes)
    other = Course(trade_id, entries, evolve(real.trade.begun, policy=policy), same_act)
    divergence, unknown = None, ""
    for turn in real.turns():
        divergence = divergence or _in_time(real, other, turn)
        differs = [each for each in real.take(turn) if each.kind is not Kind.WORDS]
        if differs and divergence is None:
            unknown = f"record {differs[0].number} is decided otherwise under its own policy"
        if divergence is None and not unknown:
            divergence = _lead(other, turn, real.at - turn.first + 1)
    outcome = real.trade.outcome
    return Supposed(
        trade_id=trade_id,
        records=len(entries),
        status=outcome.value if outcome else "",
        divergence=None if unknown else divergence,
        unknown=unknown,
    )


def _in_time(real: Course, other: Course, turn: Turn) -> Divergence | None:
    """Return where the other policy would have done something before *turn*, or would not have asked by then."""
    due, would = _moment(real, turn), _moment(other, turn)
    if would is not None and (due is None or would[0] < due[0]):
        entry = would[1]
        return Divergence(
            number=turn.first,
            at_ns=turn.at_ns,
            how=How.SOONER,
            recorded=_next_act(turn),
            instead=act(entry) if entry else ASK,
            recorded_choice=_choice(turn.recorded[0]),
            choice=_choice(entry) if entry else other.trade.outlook(would[0])[0],
            recorded_entry=turn.recorded[0],
            entry=entry,
            sooner_ns=turn.event.now - would[0],
        )
    if isinstance(turn.event, Surveyed) and due is not None and (would is None or would[0] > due[0]):
        return Divergence(
            number=turn.first,
            at_ns=turn.at_ns,
            how=How.LATER,
            recorded=ASK,
            instead=NOTHING,
            recorded_choice=_choice(turn.recorded[-1]),
            choice=other.trade.outlook(turn.event.now)[0],
            recorded_entry=turn.recorded[0],
        )
    return None


def _moment(course: Course, turn: Turn) -> tuple[int, Entry | None] | None:
    """Return when, before *turn*, a trade would first do something of itself; without an entry: ask both venues."""
    if isinstance(turn.event, Restarted):
        return None
    due = course.due(turn)
    until = due[0] if due else turn.event.now
    if due is None and isinstance(turn.event, Surveyed):
        until += 1  # an answer of the same moment was asked for in that moment
    time: int | None = course.now
    while time is not None and time < until:
        if course.trade.wants_survey(time):
            return time, None
        time = course.trade.wakes_at(time)
    return (due[0], due[1][0]) if due else None


def _lead(other: Course, turn: Turn, count: int) -> Divergence | None:
    """Tell the other trade what came next, the first *count* records of *turn*; return where it parts from them."""
    recorded = turn.recorded[:count]
    other.ids.back_to(len(other.trade.orders))
    decided = list(told(other.trade, turn.event, turn.at_ns)[0])
    outside = not isinstance(recorded[0].fact, DECIDED)
    if outside and (not decided or isinstance(decided[0].fact, DECIDED)):
        decided.insert(0, recorded[0])  # it tells the other trade nothing new, which is no decision
    other.at += count
    other.now = turn.event.now if isinstance(turn.event, Restarted) else max(other.now, turn.event.now)
    for index in range(max(count, len(decided))):
        was = recorded[index] if index < count else None
        would = decided[index] if index < len(decided) else None
        if was is not None and would is not None and same_act(was, would):
            continue
        return Divergence(
            number=turn.first + index,
            at_ns=turn.at_ns,
            how=_how(was, would),
            recorded=act(was) if was else NOTHING,
            instead=act(would) if would else _idle(other, turn.event.now),
            recorded_choice=_choice(was),
            choice=_choice(would) if would else other.trade.outlook(turn.event.now)[0],
            recorded_entry=was,
            entry=would,
        )
    return None


def _idle(course: Course, now: int) -> str:
    """Return what a trade does that decides nothing now."""
    return ASK if course.trade.wants_survey(now) else NOTHING


def _how(was: Entry | None, would: Entry | None) -> How:
    if would is None:
        return How.LATER
    if was is None:
        return How.SOONER
    return How.NUMBERS if (was.trigger, act(was)) == (would.trigger, act(would)) else How.OTHER


def _next_act(turn: Turn) -> str:
    """Return what was decided next, if anything came of this event."""
    return next((act(entry) for entry in turn.recorded if isinstance(entry.fact, DECIDED)), NOTHING)


def _choice(entry: Entry | None) -> Choice | None:
    return getattr(entry.fact, "choice", None) if entry else None


def act(entry: Entry) -> str:
    """Return what an entry does, in a word or two."""
    fact = entry.fact
    match fact:
        case Intended():
            first = fact.intents[0]
            if first.purpose is not Purpose.FIRST:
                return str(first.purpose.value)
            return "first orders" if len(fact.intents) > 1 else f"first order of leg {first.leg}"
        case CancelAsked():
            return "cancel"
        case Stalled():
            return "no remedy"
        case Moved():
            return _EDGES.get(entry.trigger, f"{entry.trigger} to {entry.after}")
    return entry.trigger


def same_act(one: Entry, other: Entry) -> bool:
    """Whether two entries do the same, whatever was weighed, said, and set as a deadline."""
    return _done(one) == _done(other)


def _done(entry: Entry) -> tuple[Any, ...]:
    fact = entry.fact
    edge = (entry.trigger, entry.before, entry.after)
    match fact:
        case Intended():
            return (*edge, tuple(evolve(intent, deadline=0) for intent in fact.intents))
        case CancelAsked():
            return (*edge, fact.orders)
        case Stalled():
            return edge
        case Moved():
            return (*edge, fact.outcome, fact.booked)
    return (*edge, fact)
