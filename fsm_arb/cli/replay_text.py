"""What a replay found, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import fields
from rich.markup import escape

from fsm_arb.audit.details import option_words
from fsm_arb.audit.difference import Kind
from fsm_arb.audit.figures import clock
from fsm_arb.audit.hypothetical import How, Supposed
from fsm_arb.audit.replay import Replayed
from fsm_arb.audit.replay_json import kinds
from fsm_arb.audit.rerunning import Unreadable
from fsm_arb.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsm_arb.audit.difference import Difference
    from fsm_arb.audit.hypothetical import Divergence
    from fsm_arb.audit.rerunning import Rerun
    from fsm_arb.memory import Entry
    from fsm_arb.messages import Choice

SHOWN_MAX = 20  # differences, or divergences, that are told in full
HYPOTHETICAL = "HYPOTHETICAL"
KINDS = {
    Kind.MISSING: "recorded, and not decided now",
    Kind.ADDED: "decided now, and not recorded",
    Kind.OTHER: "something else is decided now",
    Kind.NUMBERS: "decided now with other numbers",
    Kind.WORDS: "only worded otherwise",
    Kind.REFUSED: "what is recorded is not taken",
}


# ------------------------------------------------------------------ the code of today on what is recorded


def replay_lines(found: Sequence[Rerun]) -> Iterator[str]:
    """Yield what came of deciding every trade again."""
    replayed = [each for each in found if isinstance(each, Replayed)]
    differences = [each for trade in replayed for each in trade.differences]
    for difference in differences[:SHOWN_MAX]:
        yield from _difference(difference)
    if len(differences) > SHOWN_MAX:
        yield f"... and {len(differences) - SHOWN_MAX:,} differences more; --json tells all"
    yield from _unreadable(found)
    records, decisions = sum(each.records for each in replayed), sum(each.decisions for each in replayed)
    yield f"{_trades(len(found))}, {records:,} records, {decisions:,} decisions made again."
    late = max((each for each in replayed if each.latest), key=_lateness, default=None)
    if late is not None and late.latest is not None:
        by = f"{_lateness(late) / NS_PER_S:.3f} s after it was due"
        yield escape(
            f"What time alone decided was recorded no later than {by} ({late.trade_id}, {late.latest.number})."
        )
    yield _verdict(replayed, len(found))


def _verdict(replayed: Sequence[Replayed], trades: int) -> str:
    other = sum(not each.same for each in replayed)
    worded = sum(each.same and bool(each.differences) for each in replayed)
    if other or len(replayed) < trades:
        lost = trades - len(replayed)
        return f"[red]{_trades(other)} {'is' if other == 1 else 'are'} decided otherwise now[/]" + (
            f", {lost:,} cannot be replayed." if lost else "."
        )
    said = f"; {worded:,} only in other words" if worded else ""
    return f"[green]Every decision is made again as it is recorded{said}.[/]"


def _trades(count: int) -> str:
    return f"{count:,} trade{'' if count == 1 else 's'}"


def _lateness(replayed: Replayed) -> int:
    return replayed.latest.by_ns if replayed.latest else 0


def _difference(difference: Difference) -> Iterator[str]:
    style = "yellow" if difference.kind is Kind.WORDS else "red"
    where = f"{difference.trade_id}, record {difference.number}, {clock(difference.at_ns, days=True)} UTC"
    yield f"[{style}]{escape(where)}: {KINDS[difference.kind]}[/]"
    yield escape(f"  recorded: {_entry(difference.recorded)}")
    if difference.decided is not None or not difference.why:
        yield escape(f"  now:      {_entry(difference.decided)}")
    if difference.why:
        yield escape(f"  now:      {difference.why}")
    if difference.recorded is not None and difference.decided is not None:
        for name, was, now in changed(difference.recorded, difference.decided):
            yield escape(f"  {name}: {was} is recorded, {now} is decided")


def changed(one: Entry, other: Entry) -> Iterator[tuple[str, str, str]]:
    """Yield what differs between two facts of one kind: name, and how it stands in each."""
    if type(one.fact) is not type(other.fact):
        return
    yield from _changed("", one.fact, other.fact)


def _changed(path: str, one: Any, other: Any) -> Iterator[tuple[str, str, str]]:
    if one == other:
        return
    if type(one) is type(other) and hasattr(type(one), "__attrs_attrs__"):
        for each in fields(type(one)):
            yield from _changed(f"{path}.{each.name}".lstrip("."), getattr(one, each.name), getattr(other, each.name))
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _changed(f"{path}[{index}]", left, right)
    else:
        yield path, _plain(one), _plain(other)


def _plain(value: object) -> str:
    return str(getattr(value, "value", value)) or "nothing"


def _entry(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    choice: Choice | None = getattr(entry.fact, "choice", None)
    edge = entry.before if entry.before == entry.after else f"{entry.before} -> {entry.after}"
    orders = " and ".join(
        f"{intent.purpose.value} {intent.side.value} {intent.amount:f} on leg {intent.leg} at {intent.bound:f}"
        for intent in getattr(entry.fact, "intents", ())
    )
    return "; ".join(part for part in (f"{entry.trigger}, {edge}", orders, choice.reason if choice else "") if part)


# ------------------------------------------------------------------ another policy on what is recorded


def hypothetical_lines(found: Sequence[Rerun], changes: Mapping[str, Any], not_judged: Sequence[str]) -> Iterator[str]:
    """Yield what other policy numbers would have decided, each line marked as what it is."""
    for line in _supposed(found, changes, not_judged):
        yield f"[magenta]{HYPOTHETICAL}[/]  {line}"


def _supposed(found: Sequence[Rerun], changes: Mapping[str, Any], not_judged: Sequence[str]) -> Iterator[str]:
    supposed = [each for each in found if isinstance(each, Supposed)]
    numbers = ", ".join(f"{name} {_plain(value)}" for name, value in changes.items()) or "no other number"
    yield escape(f"the same observations with {numbers}; all other numbers, checks, sizes and limits of first orders")
    yield "as they are recorded; what was observed after a trade would have parted says nothing of it"
    if not_judged:
        yield escape(f"not judged, since no record could show it: {', '.join(not_judged)}")
    parted = [each for each in supposed if each.divergence is not None]
    for each in parted[:SHOWN_MAX]:
        if each.divergence is not None:
            yield from _divergence(each, each.divergence)
    if len(parted) > SHOWN_MAX:
        yield f"... and {len(parted) - SHOWN_MAX:,} trades more; --json tells all"
    for each in supposed:
        if each.unknown:
            yield escape(f"{each.trade_id}: nothing can be said: {each.unknown}")
    yield from _unreadable(found)
    unchanged = len(supposed) - len(parted) - sum(bool(each.unknown) for each in supposed)
    yield f"{_trades(len(found))}: {unchanged:,} unchanged, {len(parted):,} would have parted from what is recorded"
    for (how, recorded, instead), count in kinds(supposed).most_common():
        yield escape(f"{count:>6,}  {_words(How(how), recorded, instead)}")


def _words(how: How, recorded: str, instead: str) -> str:
    match how:
        case How.SOONER:
            return f"{instead}, sooner" + (f" than {recorded}" if recorded != instead else "")
        case How.LATER:
            return f"{instead}, where it was: {recorded}"
        case How.NUMBERS:
            return f"{instead}, with other numbers"
        case _:
            return f"{instead}, instead of: {recorded}"


def _divergence(trade: Supposed, parted: Divergence) -> Iterator[str]:
    what = _words(parted.how, parted.recorded, parted.instead)
    sooner = f", {parted.sooner_ns / NS_PER_S:.3f} s before it" if parted.sooner_ns else ""
    ended = f"really ended {trade.status}" if trade.status else "has not ended"
    yield escape(f"{trade.trade_id}, record {parted.number}{sooner}: {what} ({ended})")
    yield from _compared("recorded", parted.recorded_choice)
    yield from _compared("supposed", parted.choice)


def _compared(name: str, choice: Choice | None) -> Iterator[str]:
    if choice is None:
        return
    yield escape(f"    {name}: {choice.kind.value}, {choice.reason}")
    for option in choice.weighed:
        yield escape(f"      {'>' if option == choice.option else ' '} {option_words(option)}")


def _unreadable(found: Sequence[Rerun]) -> Iterator[str]:
    for each in found:
        if isinstance(each, Unreadable):
            yield f"[red]{escape(f'{each.trade_id}: cannot be replayed: {each.why}')}[/]"
