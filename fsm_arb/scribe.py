"""Between live objects and the journal: what is written of them, and how they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, evolve

from fsm_arb.codec import dumps, loads
from fsm_arb.memory import Entry
from fsm_arb.ports import Batch, Draft, Journal
from fsm_arb.position import Position, PositionEntry
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsm_arb.risk.history import Counted, RiskHistory

TRADE = "trade/"
POSITION = "position/"
DUST = "dust/"


@define(eq=False)
class Page:
    """A live object's place on the journal: its stream and how many of its records are durable."""

    stream: str
    seq: int = 0
    live: bool = True  # whether it would be taken up after a restart; a new one is until it says otherwise

    def batch(self, drafts: Sequence[Draft], *, live: bool) -> Batch:
        """Return *drafts* as the next records of this stream."""
        return Batch(stream=self.stream, expected_seq=self.seq, drafts=tuple(drafts), live=live)


def trade_drafts(entries: Sequence[Entry]) -> list[Draft]:
    """Return a trade's entries as the journal takes them."""
    return [
        Draft(
            at_ns=entry.at_ns,
            trigger=entry.trigger,
            state_before=entry.before,
            state_after=entry.after,
            payload=dumps(entry.fact),
        )
        for entry in entries
    ]


def position_drafts(entries: Sequence[PositionEntry], at_ns: int) -> list[Draft]:
    """Return a position's entries as the journal takes them."""
    return [
        Draft(
            at_ns=at_ns,
            trigger=entry.trigger,
            state_before=entry.before,
            state_after=entry.after,
            payload=dumps(entry.fact),
        )
        for entry in entries
    ]


class Scribe:
    """Reads and writes live objects on one journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        # Told what has become durable, in the order in which it did: sequence of the last record, and the batches.
        self.heard: Callable[[int | None, Sequence[Batch]], None] | None = None

    async def write(self, batches: Sequence[tuple[Page, Batch]]) -> None:
        """Make *batches* durable in one commit, then move their pages on.

        Raises:
            JournalError: Nothing of them is durable.
        """
        merged: dict[str, tuple[Page, Batch]] = {}
        for page, batch in batches:
            earlier = merged.get(batch.stream)
            if earlier is not None:  # an exit that begins and ends in one commit
                batch = evolve(batch, drafts=earlier[1].drafts + batch.drafts)  # noqa: PLW2901
            merged[batch.stream] = page, batch
        together = [batch for _, batch in merged.values()]
        last = await self.journal.append(together)
        for page, batch in merged.values():
            page.seq += len(batch.drafts)
            page.live = batch.live
        if self.heard is not None:
            self.heard(last, together)

    async def note(self, notes: Sequence[tuple[Page, RiskHistory | Counted]], at_ns: int) -> None:
        """Write down how things stand in one commit, each whole: the last record of its stream is enough to read.

        Raises:
            JournalError: None of it is durable.
        """
        batches = []
        for page, whole in notes:
            draft = Draft(at_ns=at_ns, trigger="counted", state_before="", state_after="", payload=dumps(whole))
            batches.append((page, page.batch([draft], live=False)))
        await self.write(batches)

    def last(self, stream: str) -> tuple[Any, int]:
        """Return what the last record of *stream* says, and how many records there are.

        Raises:
            JournalError: It cannot be read, or holds none.
        """
        count, payload = 0, ""
        for record in self.journal.read(stream):
            count, payload = count + 1, record.payload
        return loads(payload), count

    def entries(self, trade_id: str) -> Iterator[Entry]:
        """Yield a trade's records as they were written; none for an unknown trade."""
        for record in self.journal.read(TRADE + trade_id):
            yield Entry(record.at_ns, record.trigger, record.state_before, record.state_after, loads(record.payload))

    def trade(self, trade_id: str, fresh_id: Callable[[], str]) -> tuple[Trade, Page] | None:
        """Return a trade as its records describe it, or None where there is none.

        Raises:
            JournalError: Its records cannot be read.
            MachineError: They contradict the table.
        """
        entries = list(self.entries(trade_id))
        if not entries:
            return None
        trade = Trade.fold(trade_id, entries, fresh_id)
        return trade, Page(TRADE + trade_id, len(entries), live=not trade.finished)

    def position(self, position_id: str) -> tuple[Position, Page] | None:
        """Return a position as its records describe it, or None where there is none."""
        facts = [loads(record.payload) for record in self.journal.read(POSITION + position_id)]
        position = Position.fold(facts)
        return (position, Page(POSITION + position_id, len(facts))) if position else None

    def trade_ids(self, *, live: bool | None = None) -> Iterator[str]:
        """Yield the ids of trades, oldest first; *live*: those to be taken up after a restart."""
        for stream in self.journal.streams(TRADE, live=live):
            yield stream.removeprefix(TRADE)

    def position_ids(self, *, live: bool | None = None) -> Iterator[str]:
        """Yield the ids of positions, oldest first; *live*: those not closed."""
        for stream in self.journal.streams(POSITION, live=live):
            yield stream.removeprefix(POSITION)
