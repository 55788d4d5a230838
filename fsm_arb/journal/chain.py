"""Bind each record to all before it: canonical bytes, the hash chain, and its verification.

The hash of a record is SHA-256 over the raw hash of the record before and one
text that holds every field. Numbers end in a newline and texts carry their
length, so that no two different records share one text.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fsm_arb.errors import JournalCorrupt
from fsm_arb.ports import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

GENESIS = bytes(32)  # stands before the first record
GENESIS_HEX = GENESIS.hex()

_NUMBERS = ("seq", "stream_seq", "epoch", "at_ns")
_TEXTS = ("stream", "trigger", "state_before", "state_after", "payload", "previous_hash", "hash")


def digest(  # noqa: PLR0917 - called once per record in the writer; positions cost less than names
    previous: bytes,
    seq: int,
    stream: str,
    stream_seq: int,
    epoch: int,
    at_ns: int,
    trigger: str,
    state_before: str,
    state_after: str,
    payload: str,
) -> bytes:
    """Return the hash of one record, 32 bytes.

    Args:
        previous: Hash of the record before in global sequence, 32 bytes; GENESIS for the first.
        seq: Global sequence.
        stream: Name of the stream.
        stream_seq: Sequence within the stream.
        epoch: Which opening wrote it.
        at_ns: Wall clock, UTC, nanoseconds.
        trigger: What moved the stream.
        state_before: State that it left.
        state_after: State that it entered.
        payload: Canonical JSON text.

    Raises:
        UnicodeEncodeError: A text cannot be written as UTF-8 (a lone surrogate).
    """
    text = (
        f"{seq}\n{stream_seq}\n{epoch}\n{at_ns}\n{len(stream)}:{stream}{len(trigger)}:{trigger}"
        f"{len(state_before)}:{state_before}{len(state_after)}:{state_after}{len(payload)}:{payload}"
    )
    return hashlib.sha256(previous + text.encode()).digest()


def check(record: Record) -> bytes:
    """Return the hash of *record*, having compared it with its own fields.

    Raises:
        JournalCorrupt: A field has another type than was written, or the hash differs.
    """
    for name in _NUMBERS:
        if type(getattr(record, name)) is not int:
            raise JournalCorrupt(record.seq, f"{name} is no longer a whole number")
    for name in _TEXTS:
        if type(getattr(record, name)) is not str:
            raise JournalCorrupt(record.seq, f"{name} is no longer text")
    try:
        found = digest(
            bytes.fromhex(record.previous_hash),
            record.seq,
            record.stream,
            record.stream_seq,
            record.epoch,
            record.at_ns,
            record.trigger,
            record.state_before,
            record.state_after,
            record.payload,
        )
    except UnicodeEncodeError:
        raise JournalCorrupt(record.seq, "a text in it is no longer UTF-8") from None
    except ValueError:
        raise JournalCorrupt(record.seq, "previous_hash is no longer hexadecimal") from None
    if found.hex() != record.hash:
        raise JournalCorrupt(record.seq, f"its content does not give its hash {record.hash[:12]}…: it was altered")
    return found


class Chain:
    """The end of a chain as far as it has been verified, in constant memory."""

    def __init__(self, seq: int = 0, previous_hash: str = GENESIS_HEX, epoch: int = 0) -> None:
        self.seq = seq
        self.previous_hash = previous_hash
        self.epoch = epoch

    def accept(self, record: Record) -> None:
        """Take *record* as the next one.

        Raises:
            JournalCorrupt: It is not the next one; names the first position that is wrong.
        """
        expected = self.seq + 1
        if record.seq != expected:
            fate = "is missing" if _later(record.seq, expected) else "is out of order"
            raise JournalCorrupt(expected, f"{fate}; record {record.seq} stands in its place")
        check(record)
        if record.previous_hash != self.previous_hash:
            raise JournalCorrupt(expected, "does not follow from the record before it: one of both was replaced")
        if record.epoch < self.epoch:
            raise JournalCorrupt(expected, f"epoch {record.epoch} comes after epoch {self.epoch}")
        self.seq = expected
        self.previous_hash = record.hash
        self.epoch = record.epoch


def verify(records: Iterable[Record], chain: Chain | None = None) -> int:
    """Return how many *records* were verified, each against its own fields and the one before.

    Args:
        records: In global order, as one journal holds them.
        chain: Where to go on from; None to begin at the first record.

    Raises:
        JournalCorrupt: Names the first record that is wrong.
    """
    end = chain or Chain()
    count = 0
    for record in records:
        end.accept(record)
        count += 1
    return count


def _later(found: object, expected: int) -> bool:
    return isinstance(found, int) and found > expected
