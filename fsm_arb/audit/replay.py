"""Decide a recorded trade again, and name every place where the code of today decides otherwise.

So the journal is a test of the code, on what has really happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.course import DECIDED, Course
from fsm_arb.audit.difference import Difference, Kind
from fsm_arb.messages import Ticked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_arb.memory import Entry


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
