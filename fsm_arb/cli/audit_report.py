"""What an audit found, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from rich.markup import escape

from fsm_arb.audit.auditing import Audit
from fsm_arb.audit.reconciling import Comparison

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from fsm_arb.audit.findings import Finding


SHOWN = 20  # findings, and halted trades


@frozen(kw_only=True)
class Told:
    """All that one call of the command has found out."""

    audit: Audit
    anchors: int = 0  # that were compared
    written: Path | None = None  # the file of anchors that the head was added to
    comparison: Comparison | None = None  # None: with no exchange

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.audit.ok and (self.comparison is None or self.comparison.ok)


def lines(told: Told) -> Iterator[str]:
    """Yield what is told on a terminal, a sentence a line, with rich's markup."""
    found = told.audit
    for finding in found.findings[:SHOWN]:
        yield f"[red]Wrong:[/] {escape(str(finding))}"
    hidden = len(found.findings[SHOWN:]) + found.more
    if hidden:
        yield f"[red]Wrong:[/] {hidden} more."
    seq, own = found.head
    yield f"Journal: {escape(str(found.path))}, {found.records:,} records, {found.epochs} openings."
    yield f"Head: record {seq}, {own}."
    yield f"Trades: {_counted(found.trades)}."
    yield f"Positions: {_counted(found.positions)}."
    unnamed = len(found.halted[SHOWN:])
    names = ", ".join(found.halted[:SHOWN]) + (f" and {unnamed} more" if unnamed else "")
    yield f"[yellow]Halted:[/] {escape(names)}." if found.halted else "Halted: none."
    for note, count in sorted(found.notes.items()):
        yield f"Note: {note}{f': {count}' if count > 1 else ''}."
    if told.anchors:
        yield f"Anchors: compared with {told.anchors:,}."
    if told.written is not None:
        yield f"Anchors: the head was added to {escape(str(told.written))}."
    if told.comparison is not None:
        yield from _compared(told.comparison)
    yield "[green]All is well.[/]" if told.ok else "[red]Not all is well.[/]"


def _compared(found: Comparison) -> Iterator[str]:
    for difference in found.differences[:SHOWN]:
        place = f"missing from the {difference.missing}" if difference.missing else "different"
        yield f"[red]Exchange, {place}:[/] {escape(difference.what)}"
    hidden = len(found.differences[SHOWN:]) + found.more
    if hidden:
        yield f"[red]Exchange:[/] {hidden:,} more differences."
    yield f"Exchange: {found.orders:,} orders compared with {found.executions:,} executions."
    if found.outside:
        yield f"Exchange: {found.outside:,} orders that filled lie outside of what the list covers."
    if found.others:
        yield f"Exchange: {found.others:,} executions are of nobody's orders here."


def _counted(counts: Counter[str]) -> str:
    each = ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
    return f"{counts.total():,}" + (f" ({each})" if each else "")


def as_json(told: Told) -> dict[str, Any]:
    """Return what is told to programs."""
    found = told.audit
    return {
        "journal": str(found.path),
        "ok": told.ok,
        "records": found.records,
        "openings": found.epochs,
        "head": {"seq": found.head[0], "hash": found.head[1]},
        "trades": dict(found.trades),
        "positions": dict(found.positions),
        "halted": found.halted,
        "anchors_compared": told.anchors,
        "anchor_written": told.written is not None,
        "exchange": None if told.comparison is None else _comparison(told.comparison),
        "notes": dict(found.notes),
        "findings": [_finding(each) for each in found.findings],
        "findings_not_listed": found.more,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "orders": found.orders,
        "executions": found.executions,
        "outside": found.outside,
        "others": found.others,
        "differences": [each._asdict() for each in found.differences],
        "differences_not_listed": found.more,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "record": finding.seq or None,
        "stream": finding.stream or None,
        "stream_record": finding.stream_seq,
        "at_ns": finding.at_ns,
        "what": finding.what,
    }
