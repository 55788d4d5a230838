"""How what the code decides differs from what is recorded."""

from __future__ import annotations

import enum
from typing import Any

from attrs import evolve, fields, frozen, has

from fsm_arb.memory import Entry
from fsm_arb.messages import CancelAsked, Choice, Moved, Option


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
