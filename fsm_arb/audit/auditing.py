"""Audit a whole journal: its chain, its streams, and whether what it says follows from what it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from fsm_arb.audit.crosscheck import Crosscheck
from fsm_arb.audit.findings import Finding, Part
from fsm_arb.audit.position_trial import PositionTrial
from fsm_arb.audit.survey import Stretch, gathered, spread, stretches
from fsm_arb.audit.trade_trial import TradeTrial
from fsm_arb.audit.trial import CANNOT_BE
from fsm_arb.codec import loads
from fsm_arb.errors import JournalCorrupt
from fsm_arb.journal.reader import JournalReader
from fsm_arb.residuals import Leftover
from fsm_arb.risk.history import Counted, RiskHistory
from fsm_arb.scribe import DUST, POSITION, TRADE

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from fsm_arb.ports import Record

# What stands whole in each record, by how the stream's name begins.
KINDS: dict[str, tuple[type, ...]] = {"risk/": (RiskHistory, Counted), DUST: (Leftover,)}
FINDINGS_SHOWN = 100  # of a whole journal
WRITTEN_TO = "the journal was written to meanwhile, so what is marked as unfinished was not compared with what is"
NO_MARK = "there is no mark beside the journal, so a tail that was cut off would not show; compare with an anchor"


@define
class Audit:
    """What an audit found.

    Attributes:
        path: The journal.
        records: How many were read.
        head: Global sequence and hash of the last of them; (0, 64 zeros) for none.
        epochs: How often it was opened.
        trades: How many, by outcome; ``unfinished``: it has none yet.
        positions: How many, by state.
        halted: Ids of the trades that are HALTED.
        findings: What is wrong, the first record that is wrong first; empty: all is well.
        more: How many findings are not among them.
        notes: What is odd and no error, and how often.
    """

    path: Path
    records: int = 0
    head: tuple[int, str] = (0, "")
    epochs: int = 0
    trades: Counter[str] = field(factory=Counter)
    positions: Counter[str] = field(factory=Counter)
    halted: list[str] = field(factory=list)
    findings: list[Finding] = field(factory=list)
    more: int = 0
    notes: Counter[str] = field(factory=Counter)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def wrong(self, finding: Finding) -> None:
        """Take in something that is wrong."""
        self.findings.append(finding)
        self.findings.sort(key=lambda each: each.order)
        if len(self.findings) > FINDINGS_SHOWN:
            self.findings.pop()
            self.more += 1


def audit(path: str | os.PathLike[str], *, jobs: int = 1, tell: Callable[[int, int], None] | None = None) -> Audit:
    """Return what is found in the journal at *path*, in bounded memory. Needs no lock: a bot may be writing.

    Args:
        path: The journal.
        jobs: Processes to use. With more than one, a script needs ``if __name__ == "__main__":``.
        tell: Called with how many records were read, and how many there are.

    Raises:
        JournalForeign: It is no journal, or of a version that cannot be read.
        JournalFailed: It cannot be read.
    """
    found = Audit(Path(path))
    with JournalReader(path) as reader, Crosscheck() as cross:
        found.head = reader.last()
        live = _read(found, cross, jobs, tell)
        try:
            reader.verify_streams()
        except JournalCorrupt as error:
            found.wrong(Finding.of_damage(error))
        if found.ok:
            for finding in cross.findings():
                found.wrong(finding)
            _compare_live(found, reader, live)
        if reader.mark() is None and found.head[0]:
            found.notes[NO_MARK] += 1
        found.findings = [_located(reader, each) for each in found.findings]
    return found


def _read(found: Audit, cross: Crosscheck, jobs: int, tell: Callable[[int, int], None] | None) -> set[str]:
    """Read everything; return the streams that a restart would have to take up."""
    live: set[str] = set()
    parts = stretches(found.path, found.head[0])
    for part in spread(examined, parts, jobs):
        cross.add(part)
        found.records += part.records
        found.trades += part.trades
        found.positions += part.positions
        found.halted += part.halted
        found.notes += part.notes
        found.epochs = max(found.epochs, part.epoch)
        found.more += part.more
        live.update(part.live)
        for finding in part.findings:
            found.wrong(finding)
        if tell is not None:
            tell(found.records, found.head[0])
    return live


def _compare_live(found: Audit, reader: JournalReader, due: set[str]) -> None:
    """Compare what is marked as unfinished with what is."""
    marked = set(reader.streams("", live=True))
    if reader.last() != found.head:
        found.notes[WRITTEN_TO] += 1
        return
    for stream in sorted(due - marked):
        what = f"stream {stream} is unfinished, and a restart would not take it up"
        found.wrong(Finding(seq=0, stream=stream, what=what))
    for stream in sorted(marked - due):
        found.wrong(Finding(seq=0, stream=stream, what=f"stream {stream} is over, and a restart would take it up"))


def _located(reader: JournalReader, finding: Finding) -> Finding:
    """Add to a finding where its record stands, as far as that can still be read."""
    if finding.stream_seq is not None or not finding.seq:
        return finding
    try:
        ((record, _, _),) = reader.stretch(finding.seq - 1, finding.seq)
    except JournalCorrupt:
        place = reader.place(finding.seq)
        return finding if place is None else evolve(finding, stream_seq=place[0], at_ns=place[1])
    return evolve(finding, stream=record.stream, stream_seq=record.stream_seq, at_ns=record.at_ns)


# ------------------------------------------------------------------ one stretch, in a process of its own


@define
class OtherTrial:
    """Records that follow from none: each has to be readable, and that is all."""

    part: Part

    def take(self, record: Record) -> None:
        """Read one."""
        try:
            fact = loads(record.payload)
        except CANNOT_BE as error:
            self.part.wrong(Finding.of(record, f"cannot be read: {error}"))
            return
        kinds = next((kinds for prefix, kinds in KINDS.items() if record.stream.startswith(prefix)), ())
        if not isinstance(fact, kinds):
            self.part.wrong(Finding.of(record, f"tells of a {type(fact).__name__} on a stream that is none of ours"))

    def close(self) -> None:
        """Take in that no record follows."""


Trial = TradeTrial | PositionTrial | OtherTrial


def examined(stretch: Stretch) -> Part:
    """Return what is found in one stretch, and in the streams that begin there."""
    part = Part()

    def see(record: Record) -> None:
        part.records += 1
        part.epoch = record.epoch

    def begin(record: Record) -> Trial:
        if record.stream.startswith(TRADE):
            return TradeTrial.begin(record, part)
        if record.stream.startswith(POSITION):
            return PositionTrial.begin(record, part)
        trial = OtherTrial(part)
        trial.take(record)
        return trial

    with JournalReader(stretch.path) as reader:
        try:
            for trial in gathered(reader, stretch, "", begin, see):
                trial.close()
        except JournalCorrupt as error:
            part.wrong(Finding.of_damage(error))
    return part
