"""Lead a trade along its records: what came from outside is told to it again, and its answers are compared.

A record is either what came from outside (a reading of a venue, an operator's
word) or what the trade made of it. The first are told to a fresh trade one by
one, each at the time and under the order ids that are recorded; the second
must come of them, record by record. What time alone brought is asked for at
the time at which it was decided.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from fsm_arb.audit.difference import Difference, Kind, alike, kind_of
from fsm_arb.errors import FsmArbError
from fsm_arb.memory import Entry
from fsm_arb.messages import CancelAsked, Intended, Moved, Restarted, Stalled, Ticked
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsm_arb.messages import Begun

MILD = frozenset({Kind.NUMBERS, Kind.WORDS})  # the same is done, so what follows can be compared
DECIDED = (Intended, CancelAsked, Stalled, Moved)  # what a trade records of its own accord


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
        if not alike(self.entries[0], step.entries[0]):
            yield from self._differences(turn, step.entries, "")

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
        as_recorded = turn.recorded[: len(decided)]
        if decided and len(as_recorded) == len(decided) and all(map(self._same, as_recorded, decided)):
            taken = len(decided)  # what is left was decided at the same moment, by time alone
        else:
            found = list(self._differences(turn, decided, error))
            if all(each.kind in MILD for each in found):
                turn = evolve(turn, recorded=as_recorded)
            taken = len(turn.recorded)
            yield from found
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

    def _follows(self, first: Entry, entry: Entry) -> bool:
        return isinstance(entry.fact, DECIDED) and entry.fact.now == first.fact.now

    def _differences(self, turn: Turn, decided: Sequence[Entry], error: str) -> Iterator[Difference]:
        """Yield where *decided* and what is recorded part, one for each decision."""
        if error:
            yield self._difference(turn, 0, Kind.REFUSED, recorded=turn.recorded[0], why=error)
            return
        if not decided:
            why = "" if isinstance(turn.event, Ticked) else "it would not be recorded: it tells nothing new"
            yield self._difference(turn, 0, Kind.MISSING, recorded=turn.recorded[0], why=why)
            return
        for index, (one, other) in enumerate(itertools.zip_longest(turn.recorded[: len(decided)], decided)):
            if one is not None and self._same(one, other):
                continue
            kind = kind_of(one, other)
            yield self._difference(turn, index, kind, recorded=one, decided=other)
            if kind not in MILD:
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
