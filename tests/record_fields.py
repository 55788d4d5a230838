"""What stands in a payload, read off the classes that write it: the tables of docs/journal-format.md.

Run as a program it writes those tables anew, between their two marks::

    python tests/record_fields.py
"""

from __future__ import annotations

import ast
import enum
import inspect
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from fsm_arb.codec import _NAMES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "journal-format.md"
BEGIN, END = "<!-- fields -->", "<!-- end of fields -->"

# Where the source says it in its name, and a reader in ten years has no source.
WORDS = {
    "Begun.decision": "What the bot asked for.",
    "Begun.sides": "Which way each leg trades.",
    "Begun.policy": "The numbers the trade runs under, to its end.",
    "Checked.readings": "What each venue said of itself, in words, by venue.",
    "Sized.plan": "What both venues will take, and on what it was reckoned; null where they will not.",
    "Intended.intents": "The orders that are sent once this record is durable.",
    "Intended.choice": "Why.",
    "PlaceEnded.outcome": "What the call came back with.",
    "Observed.snapshot": "How the venue showed it.",
    "Observed.wire": "When the question left and the answer came.",
    "CancelAsked.orders": "Which orders.",
    "CancelAsked.choice": "Why.",
    "CancelEnded.reply": "What the venue answered.",
    "Surveyed.legs": "What each venue showed; null where it gave no answer.",
    "Stalled.choice": "What was due, and why it could not be sent.",
    "Moved.note": "Why, where the edge ends the trade or calls a person; else empty.",
    "Moved.outcome": "How the trade ended, where it did.",
    "ExternalFill.side": "Which way it traded.",
    "ExternalFill.fee": "What it was charged.",
    "Intent.leg": "Leg, 0 or 1.",
    "Intent.side": "Which way it trades.",
    "Intent.purpose": "Why it was sent.",
    "Intent.order_type": "How it meets the book.",
    "Intent.client_order_id": "The id that we gave it, in clear; by it the order is found on its venue.",
    "Intent.reduce_only": "Whether it may only make a position smaller (derivatives).",
    "Intent.bound": "Limit, quote per base: the worst price it may trade at.",
    "Option.leg": "Leg that would trade, 0 or 1.",
    "Option.side": "Which way.",
    "Choice.kind": "What was chosen.",
    "Choice.reason": "Why, in words.",
    "Choice.attempt": "How many remedies had been tried.",
    "LegSurvey.book": "The order book as the venue showed it.",
    "Plan.legs": "The two legs as they were sized.",
    "Plan.fx_source": "Where that rate is from.",
    "LegPlan.leg": "The market.",
    "LegPlan.side": "Which way it trades.",
    "LegPlan.rules": "What the venue accepted of that market then.",
    "MarketRules.symbol": "Unified symbol, as ccxt writes it.",
    "MarketRules.base": "Asset that is traded.",
    "MarketRules.quote": "Currency its price is in.",
    "MarketRules.maker_fee": "Fraction of the notional.",
    "MarketRules.fee_in": "Which asset the fee is taken in, as far as it touches the base.",
    "TickBand.tick": "Grid of prices from there on, quote.",
    "Leg.exchange": "Venue: its key in the executor's `venues`.",
    "Leg.symbol": "Unified symbol, as ccxt writes it.",
    "Money.amount": "How much.",
    "Money.currency": "Of which currency.",
    "Fee.currency": "In which currency.",
    "Balances.free": "What is free to trade, by asset.",
    "OrderBook.bids": "Highest price first.",
    "OrderBook.asks": "Lowest price first.",
    "OrderSnapshot.status": "Whether it may still execute; `unknown`: a word we do not know, taken as open.",
    "OrderSnapshot.venue_order_id": "The venue's own id; null where it told none.",
    "OrderSnapshot.symbol": "Unified symbol; null where the reply does not carry it.",
    "OrderSnapshot.side": "Side; null where the reply does not carry it.",
    "OrderSnapshot.raw": "What the venue said, as it came, secrets removed.",
    "Wire.http_status": "Status of the reply; null: none came, or none that is known.",
    "Acknowledged.snapshot": "The order as the venue showed it in its reply; it may hold fills already.",
    "Acknowledged.wire": "When the call left and came back.",
    "Refused.message": "What was said, in words.",
    "Refused.raw": "What the venue said, as it came, secrets removed.",
    "Refused.wire": "When the call left and came back.",
    "InDoubt.code": "Why nothing is proven: `timeout`, `unavailable` and the like.",
    "InDoubt.message": "What was said, in words.",
    "InDoubt.raw": "What the venue said, as it came, secrets removed.",
    "InDoubt.wire": "When the call left and came back.",
    "CancelReply.accepted": "Whether the venue took the cancel; no proof that the order ended.",
    "CancelReply.code": "Why not.",
    "CancelReply.message": "What was said, in words.",
    "CancelReply.raw": "What the venue said, as it came, secrets removed.",
    "CancelReply.wire": "When the call left and came back.",
    "PositionFact.position": "How the position stands after this record, whole.",
    "Counted.route": "The two markets, as one word.",
    "Counted.asset": "Base asset.",
    "Counted.day": "Day it counts for: whole days since 1970-01-01 UTC.",
    "RouteHistory.cooldown_until_ns": "No entries on this route before then: wall clock UTC, ns.",
    "SymbolHistory.result": "What all trades of this asset have made.",
    "RiskHistory.day": "Today: whole days since 1970-01-01 UTC.",
    "RiskHistory.daily": "What today's trades have made, in the limits' currency.",
    "RiskHistory.result": "What all trades have made, in the limits' currency.",
    "RiskHistory.cooldown_until_ns": "No entries before then: wall clock UTC, ns.",
    "RiskHistory.routes": "By route.",
    "RiskHistory.symbols": "By base asset.",
}
# What a name means wherever it stands.
NAMES = {
    "now": "Monotonic clock of the process that wrote it, ns: only differences within one epoch mean anything.",
    "order": "Which order of the trade: its intent's `index`.",
    "leg": "Leg, 0 or 1.",
    "reason": "Why, in the words of whoever asked.",
}


def facts() -> dict[str, type]:
    """Return every kind of payload by the name that stands under ``fact``."""
    return {name: kind for kind, name in _NAMES.items()}


def parts() -> list[type]:
    """Return every class that stands within a payload, in the order in which a reader meets them."""
    found: list[type] = []
    waiting: list[Any] = list(facts().values())
    while waiting:
        kind = waiting.pop(0)
        if attrs.has(kind):
            if kind in found:
                continue
            found.append(kind)
            hints = get_type_hints(kind)
            waiting += [hints[each.name] for each in attrs.fields(kind)]
        else:
            waiting += [each for each in get_args(kind) if each is not NoneType]
    return [kind for kind in found if kind not in facts().values()]


# ------------------------------------------------------------------ one class


def meanings(kind: type) -> dict[str, str]:
    """Return what the source says of each field: behind it, or in the docstring."""
    told = dict(_from_docstring(inspect.getdoc(kind) or ""))
    source = inspect.getsource(kind)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno in comments:
            told.setdefault(node.target.id, comments[node.end_lineno])
    return told


def _from_docstring(text: str) -> Iterator[tuple[str, str]]:
    _, _, after = text.partition("Attributes:\n")
    name, words = "", ""
    for line in after.splitlines():
        begun = re.match(r"    (\w+): (.*)", line)
        if begun:
            if name:
                yield name, words
            name, words = begun[1], begun[2]
        elif line.startswith("     "):
            words += f" {line.strip()}"
        else:
            break
    if name:
        yield name, words


def meaning(kind: type, name: str) -> str:
    """Return what a field means, as a sentence; empty where nobody has said it."""
    words = WORDS.get(f"{kind.__name__}.{name}") or meanings(kind).get(name) or NAMES.get(name, "")
    words = re.sub(r"\bNone\b", "null", words.replace("``", "`").replace("|", "\\|")).strip()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")


PLAIN: dict[Any, str] = {
    Decimal: "decimal",
    str: "text",
    int: "whole number",
    bool: "true or false",
    Any: "any JSON",
    datetime: "time, ISO 8601 with its offset",
}


def shape(kind: Any) -> str:
    """Return how a value stands in JSON."""
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return " ".join(f"`{each.value}`" for each in kind)
    if attrs.has(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    inner = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) in {Union, UnionType}:
        told = ", told apart by `type`" if len(inner) > 1 else ""
        return " or ".join([*map(shape, inner), *(["null"] if NoneType in get_args(kind) else [])]) + told
    if get_origin(kind) is tuple:
        return _row(inner)
    assert get_origin(kind) in {Mapping, dict}, kind
    return f"object, by text: {shape(inner[1])}"


def _row(inner: list[Any]) -> str:
    if inner[-1] is Ellipsis:
        return f"list of {shape(inner[0])}"
    if inner[0] == inner[1]:
        return f"list of two: {shape(inner[0])}"
    return f"list: {', '.join(map(shape, inner))}"


def table(kind: type) -> list[str]:
    """Return the table of one class."""
    hints = get_type_hints(kind)
    rows = [
        f"| `{each.name}` | {shape(hints[each.name])} | {meaning(kind, each.name)} |" for each in attrs.fields(kind)
    ]
    return ["| field | JSON | meaning |", "|---|---|---|", *rows]


def _said(kind: type) -> str:
    words = " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split()).replace("``", "`")
    return re.sub(r"\bNone\b", "null", words)


def text() -> str:
    """Return all tables: first what `fact` may name, then what stands within."""
    lines = ["", "### Facts", ""]
    for name, kind in facts().items():
        lines += [f"#### `{name}`", "", _said(kind), "", *table(kind), ""]
    lines += ["### What stands within", ""]
    for kind in parts():
        lines += [f"#### {kind.__name__}", "", _said(kind), "", *table(kind), ""]
    return "\n".join(lines)


def renewed(page: str) -> str:
    """Return *page* with its tables as they are today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
