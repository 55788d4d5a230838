"""The list of all trades: the newest as a table, and with a script all of them, to be sorted and filtered.

Without a script the others stand on pages of their own, a thousand each.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.figures import amount, clock
from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.rows import COLUMNS, Row, inert
from fsm_arb.report.shell import foot, head
from fsm_arb.report.tables import table

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STYLES = ("base.css", "trade.css", "index.css")
HEADS = tuple(COLUMNS.values())
SHOWN = 200  # trades on the first page, and on each page that the script makes
PART_ROWS = 1000  # trades on each page of the list that needs no script


@frozen(kw_only=True)
class Pressing:
    """A trade that a person should look at first."""

    trade: str
    outcome: str
    naked: str  # what is naked, in words
    why: str
    base: str
    exposure: Decimal


@frozen(kw_only=True)
class Index:
    """What an index is drawn from, save the trades themselves, of which there may be too many to hold.

    Attributes:
        name: Of the journal.
        outcomes: How often each came about.
        newest: The trades of the first page, the newest first.
        pages: Where a trade's own page is, for those that have one.
        parts: Pages that list all trades without a script; none where the first page does.
        pressing: Trades that are halted or naked.
        going_on: How many have not ended; of very many only the newest were looked at for *pressing*.
        looked_at: How many of these were.
        note: Which trades have a page of their own, in words; empty: all.
    """

    name: str
    outcomes: Counter[str]
    newest: Sequence[Row]
    pages: Mapping[str, str]
    parts: Sequence[str] = ()
    pressing: Sequence[Pressing] = ()
    going_on: int = 0
    looked_at: int = 0
    note: str = ""

    @property
    def total(self) -> int:
        """How many trades there are."""
        return self.outcomes.total()


def index_page(index: Index, rows: Iterable[Row]) -> Iterator[str]:
    """Yield the page, piece by piece. *rows* are all trades, oldest first: read once, never held together."""
    total = index.total
    yield head(f"Trades of {index.name}", styles=STYLES, script="index.js")
    yield tag(
        "header",
        tag("h1", f"{total:,} trades of {index.name}"),
        tag("p", _summed(index.outcomes)),
        tag("p", index.note) if index.note else None,
    )
    yield "<main>"
    yield _pressing(index)
    yield _filters(index.outcomes)
    whole = total <= len(index.newest)
    caption = f"All {total:,} trades" if whole else f"The newest {len(index.newest):,} of {total:,} trades"
    yield table(caption, HEADS, (each.html(index.pages.get(each.trade)) for each in index.newest), id="trades")
    yield _pager()
    if index.parts:
        links = [tag("li", tag("a", part_name(at, total), href=part)) for at, part in enumerate(index.parts)]
        opened = tag("summary", f"All {total:,} trades on {len(index.parts):,} plain pages, oldest first")
        yield tag("nav", tag("details", opened, tag("ol", *links)), aria_label="Plain pages", class_="parts")
    yield "</main>"
    yield '<script type="application/json" id="data">{"rows":['
    words: dict[str, int] = {}
    for number, each in enumerate(rows):
        yield f"{',' if number else ''}\n{each.packed(words)}"
    rest = {"words": list(words), "pages": dict(index.pages), "shown": SHOWN, "columns": list(COLUMNS)}
    yield f"],{inert(rest)[1:]}</script>"
    yield foot("index.js")


def _pressing(index: Index) -> Markup:
    """Return what a person should look at first; nothing where there is nothing."""
    if not index.pressing:
        return Markup("")
    naked: dict[str, Decimal] = {}
    for each in index.pressing:
        naked[each.base] = naked.get(each.base, Decimal(0)) + each.exposure
    told = ", ".join(f"{amount(value)} {base}" for base, value in sorted(naked.items()) if value)
    items = (
        tag(
            "li",
            tag("a", each.trade, href=index.pages[each.trade]) if each.trade in index.pages else each.trade,
            f" ({each.outcome}): {each.naked}.",
            f" {each.why[:1].upper()}{each.why[1:]}." if each.why else "",
        )
        for each in index.pressing
    )
    count = len(index.pressing)
    title = f"{count} {'trade is' if count == 1 else 'trades are'} halted or naked{f': {told} in all' if told else ''}"
    left = f"Looked at: the newest {index.looked_at:,} of {index.going_on:,} trades that have not ended."
    more = tag("p", left) if index.going_on > index.looked_at else None
    heading = tag("h2", title, id="urgent")
    return tag("section", heading, tag("ul", *items), more, class_="urgent", aria_labelledby="urgent")


def _summed(outcomes: Counter[str]) -> str:
    told = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
    return f"{told}." if told else "None was begun."


def _filters(outcomes: Counter[str]) -> Markup:
    every = tag("option", "every outcome", value="")
    options = [tag("option", each.replace("_", " "), value=each) for each in sorted(outcomes)]
    return tag(
        "form",
        tag("label", "Text ", tag("input", type="search", id="text", autocomplete="off")),
        tag("label", "Outcome ", tag("select", every, *options, id="outcome")),
        tag("p", role="status", id="told"),
        class_="filters",
        role="search",
        aria_label="Trades",
        hidden=True,
    )


def _pager() -> Markup:
    buttons = (("first", "First"), ("back", "Back"), ("on", "Next"), ("last", "Last"))
    made = (tag("button", label, type="button", id=name) for name, label in buttons)
    return tag("nav", *made, aria_label="Pages of the table", class_="pager", hidden=True)


# ------------------------------------------------------------------ without a script


def part_name(number: int, total: int) -> str:
    """Return what a page of the plain list is called."""
    return f"{number * PART_ROWS + 1:,} to {min((number + 1) * PART_ROWS, total):,}"


def part_page(index: Index, number: int, rows: Sequence[Row]) -> Markup:
    """Return one page of the plain list of all trades: the *number*-th, from 0."""
    links = [tag("a", "Newest trades", href="index.html")]
    if number:
        links.append(tag("a", "Older", href=index.parts[number - 1]))
    if number + 1 < len(index.parts):
        links.append(tag("a", "Newer", href=index.parts[number + 1]))
    caption = f"Trades {part_name(number, index.total)} of {index.total:,}, begun {_span(rows)}"
    body = (
        tag("header", tag("nav", join(links, " "), aria_label="Pages"), tag("h1", f"Trades of {index.name}")),
        tag("main", table(caption, HEADS, (each.html(index.pages.get(each.trade)) for each in rows))),
    )
    return Markup(f"{head(f'Trades of {index.name}', styles=STYLES)}{join(body)}{foot()}")


def _span(rows: Sequence[Row]) -> str:
    return f"{clock(rows[0].begun_ns, days=True)} to {clock(rows[-1].begun_ns, days=True)} UTC"
