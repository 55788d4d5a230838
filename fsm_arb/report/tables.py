"""Tables that say what they are: a caption, heads with their scope, room to scroll in a narrow window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.report.markup import Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal


def table(caption: str, columns: Sequence[str], rows: Iterable[Markup], **attributes: str) -> Markup:
    """Return a table in a frame of its own, which is scrolled where the window is too narrow.

    Args:
        caption: What it holds; it is shown.
        columns: The head of each column; one that begins with ``<`` is set to the left, as its cells are.
        rows: As `row` makes them.
        attributes: Of the table itself.
    """
    made = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *heads_of(columns))),
        tag("tbody", *rows),
        **attributes,
    )
    return framed(made, caption)


def heads_of(columns: Sequence[str]) -> list[Markup]:
    """Return the heads of columns."""
    return [tag("th", name.removeprefix("<"), scope="col", class_=_side(name)) for name in columns]


def framed(inner: Markup, name: str) -> Markup:
    """Return what is wide in a frame that scrolls, and that a keyboard can reach."""
    return tag("div", inner, class_="wide", tabindex="0", role="group", aria_label=name)


def row(columns: Sequence[str], cells: Sequence[str], **attributes: str) -> Markup:
    """Return a row; its first cell names it."""
    first, *rest = zip(columns, cells, strict=True)
    named = tag("th", first[1], scope="row", class_=_side(first[0]))
    others = [tag("td", cell, class_=_side(name)) for name, cell in rest]
    return tag("tr", named, join(others), **attributes)


def price(value: Decimal | None, currency: str = "") -> str:
    """Return a price as it is quoted, without trailing zeros; nothing where it is not known."""
    if value is None:
        return ""
    told = f"{value:,f}"
    told = told.rstrip("0").rstrip(".") if "." in told else told
    return f"{told} {currency}".rstrip()


def _side(column: str) -> str | None:
    return "t" if column.startswith("<") else None
