"""One run of the explorer, told event by event: what happened, what the trade knew, what the venues had, what was sent.

The run is walked again from its beginning with one real trade, so what is told
is what a bot would have done, with no small number in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.memory import Entry
from fsm_arb.messages import Moved
from fsm_arb.testing.explorer.bounds import SURVEYS, UNIT, World
from fsm_arb.testing.explorer.canon import Canon
from fsm_arb.testing.explorer.core import FreshIds
from fsm_arb.testing.explorer.course import Course, concerns_an_order, place_in
from fsm_arb.testing.explorer.judge import Judge
from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CODE_BITS,
    CODE_MASK,
    ENDED_READING,
    FILLED_MASK,
    FILLED_SHIFT,
    KIND_SHIFT,
    TOLD,
    Place,
    Tell,
    filled_of,
    place_of,
)
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_arb.orders import Order
    from fsm_arb.testing.explorer.moves import Moves
    from fsm_arb.testing.glimpse import Violation

NOWHERE = -1  # the label after which nothing happens any more
STATES = {
    Place.FLYING: "its request is on the way",
    Place.GONE: "refused",
    Place.RESTING: "rests",
    Place.ENDED: "ended",
    Place.LATE: "its request never arrived in time",
}
SAYINGS = {
    (Tell.TICK, False): "time passes",
    (Tell.CHECKED, False): "the checks pass",
    (Tell.CHECKED, True): "a check says no",
    (Tell.SIZED, False): "it is sized",
    (Tell.SIZED, True): "it cannot be sized",
    (Tell.ABORT, False): "it is to end before it has begun",
    (Tell.RESUME, False): "an operator lets it try again",
    (Tell.RESTART, False): "the process dies, and another takes the trade up",
}


@frozen(kw_only=True)
class Line:
    """One event of a run."""

    number: int
    at: int  # units of time since the beginning
    fault: bool
    happened: str
    path: tuple[str, ...]  # the states it led through, the one before first
    told: bool  # whether the trade was told anything
    knows: tuple[str, ...]  # by order
    has: tuple[str, ...]  # by order
    naked: str  # as the trade knows it, and on the venues
    sent: tuple[tuple[int, str], ...]  # to which leg, what
    leg: int | None  # which venue it happened on; None: on both, or none


@frozen(kw_only=True)
class Trace:
    """One run from its beginning to what is wrong with it."""

    lines: tuple[Line, ...]
    violations: tuple[Violation, ...]
    legs: tuple[str, str]  # the exchanges' names

    @property
    def faults(self) -> int:
        """How many things went wrong in it."""
        return sum(line.fault for line in self.lines)

    def text(self) -> str:
        """Return the run as people read it."""
        words = [f"{len(self.lines)} events, {self.faults} of them faults:", ""]
        for line in self.lines:
            words += _told(line)
        return "\n".join([*words, "", *map(str, self.violations)]) + "\n"

    def mermaid(self) -> str:
        """Return the run as the text of a Mermaid sequence diagram."""
        first, second = self.legs
        words = ["sequenceDiagram", f"    participant A as {first}", "    participant T as trade"]
        words.append(f"    participant B as {second}")
        for line in self.lines:
            words += _drawn(line)
        words += [f"    note over A,B: {_plain(str(violation))}" for violation in self.violations]
        return "\n".join(words) + "\n"


# ------------------------------------------------------------------ walking it again


def walk(world: World, moves: Moves, states: Sequence[int], label: int, violations: tuple[Violation, ...]) -> Trace:
    """Return the run that passes through *states* and then along *label*.

    *violations* are told in the words of this very run, where they can be found in it again.

    Raises:
        LookupError: No edge leads from one of the states to the next.
    """
    trade, step = Trade.begin("t", world.decision, world.policy, FreshIds("order-"), now=0, at_ns=0)
    course = Course(world=world, trade=trade, now=0, step=step)
    judge = Judge()
    lines: list[Line] = []
    found: tuple[Violation, ...] = ()
    canon = Canon(world)
    for here, after in zip(states, [*states[1:], None], strict=True):
        if after is None and label == NOWHERE:
            found = judge.rest(course)  # it has come to rest, and that is what is wrong
            break
        taken, fault = _edge(moves, here, after, label)
        following, index = _follow(moves, canon, course, here, taken)
        lines.append(_line(len(lines) + 1, course, following, taken, index, fault=fault))
        found = judge.state(course, following) if after is None else ()
        course = following
    first, second = (leg.exchange for leg in world.decision.legs)
    return Trace(lines=tuple(lines), violations=found or violations, legs=(first, second))


def _edge(moves: Moves, here: int, after: int | None, last: int) -> tuple[int, bool]:
    """Return the cheapest edge from one state to the next, and whether it is a fault; *last* where none follows."""
    found = [
        (faults, label)
        for faults, label, there in moves.edges(here, 1)
        if (label == last if after is None else there == after)
    ]
    if not found:
        if after is None:
            return last, False  # the core itself failed on it, so it leads nowhere
        raise LookupError(f"no edge leads from {here} to {after}")
    faults, label = min(found)
    return label, bool(faults)


def _follow(moves: Moves, canon: Canon, course: Course, here: int, label: int) -> tuple[Course, int | None]:
    """Return the course one edge on, and which order it was about."""
    if not concerns_an_order(Tell((label & CODE_MASK) >> KIND_SHIFT)):
        return course.follow(label), None
    _, numbers = moves.split(here)
    likeness = canon.of(course.trade, course.now)
    for turn in (tuple(range(len(numbers))), *likeness.turns):
        places = [(likeness.order[place], likeness.bases[place]) for place in turn]
        if all(
            course.orders[index] - (base << FILLED_SHIFT) == number
            for (index, base), number in zip(places, numbers, strict=True)
        ):
            index, base = places[place_in(label)]
            return course.follow(label, index, base), index
    raise LookupError(f"the run is not where the explorer believes: {here}")


# ------------------------------------------------------------------ in words


def _line(number: int, before: Course, after: Course, label: int, index: int | None, *, fault: bool) -> Line:
    trade = after.trade
    leg = None if index is None else trade.orders[index].intent.leg
    true = sum(filled_of(each) * order.intent.side.sign for each, order in zip(after.orders, trade.orders, strict=True))
    if trade.ledger is not None and trade.ledger.external:
        true += int(trade.exposure - sum(order.received for order in trade.orders))
    return Line(
        number=number,
        at=after.now // UNIT,
        fault=fault,
        happened=_happened(before, after, label, index),
        path=_path(before.trade.state, after.step.entries),
        told=after.event is not None,
        knows=tuple(_known(order) for order in trade.orders),
        has=tuple(_had(each) for each in after.orders),
        naked=f"naked: {trade.exposure:f} as the trade knows it, {true} on the venues",
        sent=tuple((each.leg, _name(trade, each.index)) for each in after.step.sends),
        leg=leg,
    )


def _path(state: str, entries: Sequence[Entry]) -> tuple[str, ...]:
    return (str(state), *(str(entry.after) for entry in entries if isinstance(entry.fact, Moved)))


def _name(trade: Trade, index: int) -> str:
    intent = trade.orders[index].intent
    exchange = trade.decision.legs[intent.leg].exchange
    return f"order {index} ({intent.purpose.value}: {intent.side.value} {intent.amount:f} on {exchange})"


def _known(order: Order) -> str:
    words = f"{order.lifecycle.value}, {order.filled:f} of {order.intent.amount:f} filled"
    if order.in_doubt:
        words += ", in doubt"
    if order.cancel_asked_at is not None and order.live:
        words += ", to be cancelled"
    return words + (f" ({order.refusal})" if order.refusal else "")


def _had(number: int) -> str:
    place = place_of(number)
    where = STATES.get(place, f"its request may still arrive within {place - Place.LATE} units")
    filled = f", {filled_of(number)} filled" if place in {Place.RESTING, Place.ENDED} else ""
    return where + filled + (", called over" if number & TOLD else "")


def _happened(before: Course, after: Course, label: int, index: int | None) -> str:
    """Say what an edge is."""
    kind, argument = Tell((label & CODE_MASK) >> KIND_SHIFT), label & ARGUMENT_MASK
    if index is not None:
        return f"{_name(after.trade, index)}: {_about(before, after, label, index)}"
    if kind is Tell.SURVEY:
        return f"both venues are asked for their books: {SURVEYS[argument]}"
    if kind is Tell.BY_HAND:
        which = "leads" if argument & 1 else "lags"
        return f"an operator trades {argument >> 1} by hand on the venue that {which}"
    return SAYINGS[kind, bool(argument)]


def _about(before: Course, after: Course, label: int, index: int) -> str:
    kind, argument = Tell((label & CODE_MASK) >> KIND_SHIFT), label & ARGUMENT_MASK
    was, later = before.orders[index], after.orders[index]
    if kind in {Tell.ACK, Tell.SEEN}:
        base = filled_of(later) - (label >> CODE_BITS >> FILLED_SHIFT & FILLED_MASK)
        status = "ended" if argument & ENDED_READING else "open"
        how = "the reply comes" if kind is Tell.ACK else "a look shows it"
        return f"{how}: {status}, {(argument & ~ENDED_READING) + base} filled"
    if kind is Tell.DOUBT:
        return "no reply; the request may still arrive" if place_of(was) is Place.FLYING else "the reply is lost"
    if kind is Tell.MISSED:
        return f"a look at {'every list' if argument else 'one list'} does not show it"
    if kind is Tell.NOTHING:
        return _on_venue(was, later)
    return "refused" if kind is Tell.REFUSED else "the cancel is answered"


def _on_venue(was: int, later: int) -> str:
    if filled_of(later) > filled_of(was):
        late = " although it had ended" if place_of(was) is Place.ENDED else ""
        return f"one lot fills{late}; {filled_of(later)} in all"
    if place_of(later) is Place.ENDED:
        return f"it ends with {filled_of(later)} filled"
    return "its request arrives" + ("" if place_of(was) is Place.FLYING else ", late")


def _told(line: Line) -> list[str]:
    flag = "FAULT " if line.fault else ""
    moves = f"   [{' -> '.join(line.path)}]" if len(line.path) > 1 else ""
    words = [f"{line.number:3}. t={line.at}  {flag}{line.happened}{moves}"]
    words += [f"          sent: {each}" for _, each in line.sent]
    for index, (knows, has) in enumerate(zip(line.knows, line.has, strict=True)):
        words.append(f"          order {index}: the trade knows: {knows}; the venue has: {has}")
    if line.knows:
        words.append(f"          {line.naked}")
    return words


def _drawn(line: Line) -> list[str]:
    flag = "FAULT: " if line.fault else ""
    what = _plain(flag + line.happened)
    if line.leg is None:
        words = [f"    note over T: {what}"]
    elif line.told:
        words = [f"    {'AB'[line.leg]}-->>T: {what}"]
    else:
        words = [f"    note over {'AB'[line.leg]}: {what}"]
    if len(line.path) > 1:
        words.append(f"    note over T: {' → '.join(line.path)}")
    words += [f"    T->>{'AB'[leg]}: {_plain(each)}" for leg, each in line.sent]
    return words


def _plain(words: str) -> str:
    """Return words without what Mermaid takes for its own."""
    return words.replace(";", ",").replace("#", "no. ").replace("\n", " ")
