"""Invariant 9: a trade is the fold of its records, at every prefix, and folding does nothing else.

The step is an induction: what the trade was before, with the records that were
added, is what it is now. So every prefix is judged as it comes into being, at
the cost of the records that are new. At rest the whole of it is done again:
every prefix folds to the state that its record names, two folds are equal, each
record reads back as it was written, nothing is sent and no id is asked for.

Where a trade may be ahead of the journal, `Glimpse.on_the_way` says by what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import fields

from fsm_arb.codec import dumps, loads
from fsm_arb.errors import FsmArbError
from fsm_arb.memory import Memory
from fsm_arb.testing.invariants.reckoning import added, never_asked, written
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.memory import Entry
    from fsm_arb.testing.glimpse import Glimpse

# All that a trade is; where its ids come from is no part of it.
REMEMBERED = tuple(each.name for each in fields(Memory) if each.name != "fresh_id")


class FoldIsTheTrade(Silent):
    """Folding a trade's records gives the trade, and nothing but the trade."""

    number = 9
    name = "fold is the trade"
    claim = "the fold of a trade's records is the trade at every prefix; folding sends nothing and asks for no id"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge every trade of which something was written."""
        for trade_id, trade in after.trades.items():
            entries = after.entries.get(trade_id)
            if entries is None:
                continue
            old = before.trades.get(trade_id)
            same = entries is before.entries.get(trade_id)
            if old is trade and same and after.on_the_way.get(trade_id) == before.on_the_way.get(trade_id):
                continue
            new = added(before, after, trade_id) if old is not None else None
            if old is None or new is None:
                yield from _compared(trade, _folded(trade_id, written(after, trade_id)))
            else:
                yield from _compared(trade, _continued(old, new))

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Fold every trade, record by record, and once more."""
        for trade_id, trade in glimpse.trades.items():
            if trade_id not in glimpse.entries:
                continue
            entries = written(glimpse, trade_id)
            folded = _folded(trade_id, entries)
            yield from _compared(trade, folded)
            if isinstance(folded, Trade):
                yield from _compared(folded, _folded(trade_id, entries), "two folds of the same records differ")
                yield from _prefixes(trade_id, entries)


def differences(one: Memory, other: Memory) -> tuple[str, ...]:
    """Return the names of all that differs between two trades."""
    found = []
    for name in REMEMBERED:
        a, b = getattr(one, name), getattr(other, name)
        if a is not b and a != b:
            found.append(name)
    return tuple(found)


def _compared(
    trade: Trade, folded: Trade | str, what: str = "the fold of its records is not what it is"
) -> Iterable[str]:
    if isinstance(folded, str):
        return (f"trade {trade.trade_id}: {folded}",)
    differ = differences(trade, folded)
    if not differ:
        return ()
    shown = "; ".join(f"{name} is {getattr(trade, name)!r}, folded {getattr(folded, name)!r}" for name in differ)
    return (f"trade {trade.trade_id}: {what}: {shown}",)


def _folded(trade_id: str, entries: tuple[Entry, ...]) -> Trade | str:
    try:
        return Trade.fold(trade_id, entries, never_asked)
    except (FsmArbError, AssertionError) as error:
        return f"its records cannot be folded: {error}"


def _continued(old: Trade, new: tuple[Entry, ...]) -> Trade | str:
    if not new:
        return old
    folded = old.copy()
    folded.fresh_id = never_asked
    try:
        for entry in new:
            folded.remember(entry)
    except (FsmArbError, AssertionError) as error:
        return f"its records cannot be folded: {error}"
    return folded


def _prefixes(trade_id: str, entries: tuple[Entry, ...]) -> Iterator[str]:
    """Yield every record after which the fold is not in the state that the record names, or that reads back changed."""
    folded = Trade.fold(trade_id, entries[:1], never_asked)
    for number, entry in enumerate(entries, start=1):
        name = f"trade {trade_id}: record {number} ({entry.trigger})"
        if number > 1:
            folded.remember(entry)
        if folded.state != entry.after:
            yield f"{name} ends in {entry.after}, its fold in {folded.state}"
        if loads(dumps(entry.fact)) != entry.fact:
            yield f"{name} does not read back as it was written"
    step = folded.copy()
    if step._entries or step._sends or folded._entries or folded._sends:  # noqa: SLF001 - what a fold must leave alone
        yield f"trade {trade_id}: folding wrote or sent something"
