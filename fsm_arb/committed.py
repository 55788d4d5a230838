"""One durable record as whoever follows an executor gets it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from fsm_arb.codec import loads
from fsm_arb.scribe import POSITION, TRADE

if TYPE_CHECKING:
    from fsm_arb.ports import Draft, Record

FOLLOWED = (TRADE, POSITION)  # streams of other kinds are the executor's own notes


@frozen(kw_only=True)
class Committed:
    """One record of a trade or a position, durable by the time that it is seen.

    Attributes:
        seq: Its place on the whole journal, from 1; hand it to ``executor.records(after=...)`` to go on behind it.
        stream: ``trade/<trade id>`` or ``position/<position id>``.
        stream_seq: Its place within the stream, from 1.
        at_ns: When it was written, wall clock UTC.
        trigger: A row of a machine's table, or the name of an observation.
        before: State before.
        after: State after.
        payload: The fact as the journal keeps it; what a venue said stands in it as it came.
    """

    seq: int
    stream: str
    stream_seq: int
    at_ns: int
    trigger: str
    before: str
    after: str
    payload: str = field(repr=False)

    @classmethod
    def read(cls, record: Record) -> Committed:
        """Return a record that was read from a journal."""
        return cls(
            seq=record.seq,
            stream=record.stream,
            stream_seq=record.stream_seq,
            at_ns=record.at_ns,
            trigger=record.trigger,
            before=record.state_before,
            after=record.state_after,
            payload=record.payload,
        )

    @classmethod
    def written(cls, draft: Draft, *, seq: int, stream: str, stream_seq: int) -> Committed:
        """Return a draft that has become durable at this place."""
        return cls(
            seq=seq,
            stream=stream,
            stream_seq=stream_seq,
            at_ns=draft.at_ns,
            trigger=draft.trigger,
            before=draft.state_before,
            after=draft.state_after,
            payload=draft.payload,
        )

    @cached_property
    def fact(self) -> Any:
        """What happened: a fact of `fsm_arb.messages`, or a `fsm_arb.position.PositionFact`.

        Read from the payload when it is first asked for, so that who only follows
        states pays nothing, and nobody holds what a running trade holds.

        Raises:
            JournalForeign: The payload is of a version that this code does not know.
        """
        return loads(self.payload)

    @property
    def moved(self) -> bool:
        """Whether an edge of a machine was taken."""
        return self.before != self.after

    @property
    def trade_id(self) -> str | None:
        """The trade; None for a position's record."""
        return self.stream.removeprefix(TRADE) if self.stream.startswith(TRADE) else None

    @property
    def position_id(self) -> str | None:
        """The position; None for a trade's record."""
        return self.stream.removeprefix(POSITION) if self.stream.startswith(POSITION) else None
