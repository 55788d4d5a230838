"""Remember the head of a journal's chain elsewhere, so that not even a whole new chain can take its place unseen.

Whoever can write the journal can make all its hashes anew, and its mark with
them. What an anchor file on another machine has seen, nobody can unsee.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.findings import Finding, moment
from fsm_arb.errors import InvalidInput, JournalCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fsm_arb.journal.reader import JournalReader

_HASH = re.compile(r"[0-9a-f]{64}")


@frozen(kw_only=True)
class Anchor:
    """The head of a chain as it was at one time."""

    seq: int  # of the last record; 0: there was none
    hash: str  # hex
    time: str  # when it was looked at, UTC, ISO 8601

    @property
    def line(self) -> str:
        """Return it as one line of a file."""
        return json.dumps({"seq": self.seq, "hash": self.hash, "time": self.time}) + "\n"


def read_anchors(path: Path) -> list[Anchor]:
    """Return the anchors of a file, one a line, in the order of their records.

    Raises:
        InvalidInput: A line is no anchor; names its number.
        OSError: The file cannot be read.
    """
    found = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                found.append(_anchor(f"{path}, line {number}", line))
    return sorted(found, key=lambda anchor: anchor.seq)


def _anchor(where: str, line: str) -> Anchor:
    try:
        told = json.loads(line)
        seq, own, time = told["seq"], told["hash"], told["time"]
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(where, line.strip()[:100], 'is no anchor: {"seq": …, "hash": …, "time": …}') from None
    if type(seq) is not int or seq < 0:
        raise InvalidInput(where, seq, "seq is no number of a record")
    if not isinstance(own, str) or not _HASH.fullmatch(own):
        raise InvalidInput(where, own, "hash is not 64 hexadecimal digits")
    return Anchor(seq=seq, hash=own, time=str(time))


def write_anchor(path: Path, head: tuple[int, str], at_ns: int) -> bool:
    """Add *head* to a file of anchors, durably; return whether it was not its last line already.

    Args:
        path: The file; made where there is none.
        head: Global sequence and hash of the last record.
        at_ns: Wall clock, UTC.

    Raises:
        OSError: It cannot be written.
    """
    anchor = Anchor(seq=head[0], hash=head[1], time=moment(at_ns))
    content = path.read_bytes() if path.exists() else b""
    last = content.splitlines()[-1:]
    if last and f'"hash": "{anchor.hash}"'.encode() in last[0]:
        return False
    with path.open("ab") as file:
        if content and not content.endswith(b"\n"):
            file.write(b"\n")  # a line that was cut off stays by itself, and is named when it is read
        file.write(anchor.line.encode())
        file.flush()
        os.fsync(file.fileno())
    return True


def compare_anchors(reader: JournalReader, anchors: Iterable[Anchor], head: tuple[int, str]) -> Iterator[Finding]:
    """Yield each anchor that the journal contradicts: it ends before it, or has another record there.

    Args:
        reader: Open.
        anchors: In the order of their records.
        head: Where the journal ends.
    """
    before: Anchor | None = None
    for anchor in anchors:
        if before is not None and (anchor.seq, anchor.hash) == (before.seq, before.hash):
            continue
        before = anchor
        if anchor.seq > head[0]:
            what = f"is missing: the journal ends at record {head[0]}, and had {anchor.seq} at {anchor.time}"
            yield Finding(seq=head[0] + 1, what=what)
        elif anchor.seq:
            yield from _replaced(reader, anchor)


def _replaced(reader: JournalReader, anchor: Anchor) -> Iterator[Finding]:
    try:
        record = next(reader.records(anchor.seq - 1))
    except JournalCorrupt as error:
        yield Finding.of_damage(error)
        return
    if record.hash != anchor.hash:
        what = (
            f"is not the record that was there at {anchor.time}: its hash was {anchor.hash[:12]}…,"
            f" it is {record.hash[:12]}…; it, or one before it, was replaced"
        )
        yield Finding.of(record, what)
