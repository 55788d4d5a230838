"""What an index tells of one trade: drawn from its summary, kept as small as can be read again."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Self

from attrs import asdict, frozen

from fsm_arb.audit.figures import amount, clock, money
from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.tables import row
from fsm_arb.report.times import lasting
from fsm_arb.values import Action

if TYPE_CHECKING:
    from fsm_arb.audit.summary import Summary

# The columns of every index: what the script sorts by, and how it is headed.
COLUMNS = {
    "trade": "<trade",
    "outcome": "<outcome",
    "pnl": "PnL",
    "naked": "time naked",
    "worst": "most naked",
    "begun": "begun, UTC",
    "took": "took",
    "route": "<route",
    "path": "<path",
}
GOOD = {"success", "partial_hedged", "blocked"}
NS_PER_US = 1000
NOTE_MAX = 160  # characters; the trade's own page has all of it
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@frozen(kw_only=True)
class Row:
    """One trade, as an index tells it. Money and quantities are text for people; numbers are for sorting."""

    trade: str
    outcome: str
    pnl: str
    pnl_by: float | None  # quote of the first leg
    currency: str
    naked_ns: int
    worst: str
    worst_by: float  # what it was worth, quote of the first leg
    begun_ns: int
    took_ns: int | None  # None: it has not ended
    route: str
    path: str
    note: str
    ill: bool  # something was sent and it did not simply succeed, or it has not ended

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """Return what a trade came to."""
        over = summary.state == "DONE"
        outcome = summary.status if over or summary.state == "HALTED" else "still running"
        first = summary.legs[0]
        return cls(
            trade=summary.trade_id,
            outcome=outcome,
            pnl=money(summary.net, first.quote) if summary.orders else "",
            pnl_by=None if summary.net is None or not summary.orders else float(summary.net),
            currency=first.quote,
            naked_ns=sum(each.to_ns - each.from_ns for each in summary.naked),
            worst=f"{amount(summary.worst_exposure)} {first.base}" if summary.worst_exposure else "",
            worst_by=float(summary.worst_worth),
            begun_ns=summary.began_ns,
            took_ns=None if summary.ended_ns is None or not over else summary.ended_ns - summary.began_ns,
            route=_route(summary),
            path=" ".join(summary.path),
            note=summary.note[:NOTE_MAX],
            ill=not over or summary.ever_halted or (summary.orders > 0 and summary.status != "success"),
        )

    def line(self) -> str:
        """Return it as one line of text."""
        return json.dumps(list(asdict(self).values()), separators=(",", ":"))

    @classmethod
    def read(cls, line: str) -> Self:
        """Return what `line` wrote."""
        return cls(**dict(zip(cls.__annotations__, json.loads(line), strict=True)))

    def html(self, page: str | None) -> Markup:
        """Return it as a row of a table; *page* is where the trade's own page is, if it has one."""
        named = tag("a", self.trade, href=page) if page else self.trade
        outcome = tag("span", self.outcome.replace("_", " "), class_=f"outcome {look_of(self.outcome)}")
        cells = (
            named,
            join([outcome, tag("span", self.note, class_="why") if self.note else ""]),
            self.pnl,
            lasting(self.naked_ns) if self.naked_ns >= NS_PER_US else "",
            self.worst,
            clock(self.begun_ns, days=True),
            "" if self.took_ns is None else lasting(self.took_ns),
            self.route,
            self.path,
        )
        return row(tuple(COLUMNS.values()), cells)

    def packed(self, words: dict[str, int]) -> str:
        """Return it for the script: cells as they are shown, numbers to sort by, what recurs as its number in *words*.

        Nothing in it can end the script that it stands in.
        """

        def known(word: str) -> int:
            return words.setdefault(word, len(words))

        cells: list[Any] = [
            self.trade,
            known(self.outcome),
            self.pnl,
            self.pnl_by,
            known(self.currency),
            self.naked_ns // NS_PER_US,
            self.worst,
            self.worst_by,
            self.begun_ns // 1_000_000,
            None if self.took_ns is None else self.took_ns // NS_PER_US,
            known(self.route),
            known(self.path),
            self.note,
        ]
        return inert(cells)


def inert(value: object) -> str:
    """Return *value* as JSON that can stand in a page: nothing in it opens or closes a tag."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def look_of(outcome: str) -> str:
    """Return how an outcome looks."""
    looks = {"success": "good", "partial_hedged": "good", "halted": "bad", "rolled_back": "warn"}
    return looks.get(outcome, "plain")


def file_of(trade_id: str) -> str:
    """Return the name of a trade's own page: safe on every file system, and no two trades share one."""
    if _PLAIN.fullmatch(trade_id):
        return f"{trade_id}.html"
    plain = re.sub("[^a-z0-9]+", "-", trade_id.lower()).strip("-")[:40]
    digest = hashlib.sha256(trade_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{plain or 'trade'}.{digest}.html"  # no plain name holds a dot


def _route(summary: Summary) -> str:
    first, second = (f"{leg.symbol} on {leg.exchange}" for leg in summary.legs)
    if summary.is_entry:
        sides = ("sell", "buy") if summary.action == Action.ENTRY_POSITIVE.value else ("buy", "sell")
        return f"{sides[0]} {first}, {sides[1]} {second}"
    return f"close {first} and {second}"
