"""The path of one trade, to be read: its records in order, and the edges it took as a Mermaid diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.memory import Entry

NS_PER_S = 1_000_000_000


def path_diagram(trade_id: str, entries: Sequence[Entry]) -> str:
    """Return the edges that a trade took as the text of a Mermaid state diagram, numbered in order."""
    moves = [entry for entry in entries if entry.before != entry.after]
    lines = ["---", f"title: The path of {trade_id}", "---", "stateDiagram-v2"]
    if entries:
        lines.append(f"    [*] --> {entries[0].before}")
    lines += [
        f"    {entry.before} --> {entry.after}: {number}. {entry.trigger}" for number, entry in enumerate(moves, 1)
    ]
    if entries:
        lines.append(f"    {entries[-1].after} --> [*]")
    return "\n".join(lines) + "\n"


def story(trade_id: str, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield a trade's records, a line each: seconds since its beginning, trigger, states, exposure."""
    if not entries:
        return
    began = entries[0].at_ns
    trade: Memory | None = None
    for number, entry in enumerate(entries, 1):
        if trade is None:
            trade = Memory.fold(trade_id, [entry], _no_ids)
        else:
            trade.remember(entry)
        state = entry.after if entry.before == entry.after else f"{entry.before} -> {entry.after}"
        seconds = (entry.at_ns - began) / NS_PER_S
        said = f"{_said(entry)}; exposure {trade.exposure:f}"
        yield f"{number:4} {seconds:10.3f} s  {entry.trigger:<14} {state:<22} {said}"


def _said(entry: Entry) -> str:
    """Say what is particular to a record: the order, what it brought, what came of it."""
    fact = entry.fact
    words = []
    for name in ("order", "orders", "refusal", "note", "reason", "amount", "filled", "covered"):
        value = getattr(fact, name, None)
        if value not in {None, "", ()}:
            words.append(f"{name} {value}")
    words += [
        f"{intent.purpose.value} {intent.index} on leg {intent.leg}: {intent.side.value} {intent.amount:f}"
        f" ({intent.client_order_id})"
        for intent in getattr(fact, "intents", ())
    ]
    outcome = getattr(fact, "outcome", None)
    if outcome is not None:
        words.append(f"{type(outcome).__name__} {getattr(outcome, 'code', '')}".strip())
    snapshot = getattr(fact, "snapshot", None) or getattr(outcome, "snapshot", None)
    if snapshot is not None:
        words.append(f"{snapshot.status.value}, filled {snapshot.filled:f}")
    return ", ".join(words)


def _no_ids() -> str:
    raise AssertionError("a trade that is only read sends nothing")
