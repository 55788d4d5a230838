"""What an audit found, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from fsm_arb.audit.auditing import Audit
    from fsm_arb.audit.findings import Finding

SHOWN = 20  # findings, and halted trades


def lines(found: Audit, compared: int, written: Path | None) -> Iterator[str]:
    """Yield what is told on a terminal, a sentence a line, with rich's markup.

    Args:
        found: What the audit found.
        compared: How many anchors it was compared with.
        written: The file of anchors that the head was added to; None: it was to none.
    """
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
    names = ", ".join(found.halted[:SHOWN]) + (f" and {len(found.halted) - SHOWN} more" if len(found.halted) > SHOWN else "")
    yield f"[yellow]Halted:[/] {escape(names)}." if found.halted else "Halted: none."
    for note, count in sorted(found.notes.items()):
        yield f"Note: {note}{f': {count}' if count > 1 else ''}."
    if compared:
        yield f"Anchors: compared with {compared}."
    if written is not None:
        yield f"Anchors: the head was added to {escape(str(written))}."
    yield "[green]All is well.[/]" if found.ok else "[red]Not all is well.[/]"


def _counted(counts: Counter[str]) -> str:
    each = ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
    return f"{counts.total():,}" + (f" ({each})" if each else "")


def as_json(found: Audit, compared: int) -> dict[str, Any]:
    """Return what is told to programs."""
    return {
        "journal": str(found.path),
        "ok": found.ok,
        "records": found.records,
        "openings": found.epochs,
        "head": {"seq": found.head[0], "hash": found.head[1]},
        "trades": dict(found.trades),
        "positions": dict(found.positions),
        "halted": found.halted,
        "anchors_compared": compared,
        "notes": dict(found.notes),
        "findings": [_finding(each) for each in found.findings],
        "findings_not_listed": found.more,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "record": finding.seq or None,
        "stream": finding.stream or None,
        "stream_record": finding.stream_seq,
        "at_ns": finding.at_ns,
        "what": finding.what,
    }
