"""How much was naked, over time, in characters."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.values import ZERO
from fsm_arb.values import plain as number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS = 64
ROWS = 3  # above the axis, and as many below it
EIGHTHS = " ▁▂▃▄▅▆▇█"
HALVES = " ▀█"  # below the axis a block hangs from the top of its line


@frozen
class Held:
    """An exposure from one moment on."""

    at_ns: int
    exposure: Decimal  # base, + for long


def plot_lines(held: Sequence[Held], to_ns: int, base: str, end: str, *, plain: bool = False) -> Iterator[str]:
    """Yield the lines of a plot: long above the axis, short below it. A peak is seen however short it was.

    Args:
        held: The exposures, oldest first; at least one.
        to_ns: Where the axis ends; not before the first of them.
        base: Of what.
        end: What stands at the end of the axis.
        plain: With letters alone, where nobody's terminal shows blocks.
    """
    columns = peaks(held, to_ns)
    worst = max((abs(value) for value in columns), default=ZERO)
    if not worst:
        yield "nothing was naked at any time"
        return
    long, short = max(*columns, ZERO), min(*columns, ZERO)
    labels = {1: f"+{number(long)} {base} " if long else "", -1: f"{number(short)} {base} " if short else ""}
    width = max(len(label) for label in labels.values())
    margin = " " * width
    for sign, rows in ((1, range(ROWS, 0, -1)), (-1, range(1, ROWS + 1))):
        if sign < 0:
            yield margin + ("-" if plain else "─") * COLUMNS
        for row in rows if labels[sign] else ():
            label = labels[sign].rjust(width) if row == ROWS else margin
            yield (label + _row(columns, worst, row, sign, plain=plain)).rstrip()
    yield margin + "0" + end.rjust(COLUMNS - 1)


def peaks(held: Sequence[Held], to_ns: int) -> list[Decimal]:
    """Return the exposure that was furthest from zero in each column's time."""
    from_ns = held[0].at_ns
    span = max(to_ns - from_ns, 1)
    columns = [ZERO] * COLUMNS
    ends = [each.at_ns for each in held[1:]] + [max(to_ns, held[-1].at_ns)]
    for each, end in zip(held, ends, strict=True):
        if end == each.at_ns and each is not held[-1]:
            continue  # two replies of one moment are two records, and between them is no time to be naked in
        first = min((each.at_ns - from_ns) * COLUMNS // span, COLUMNS - 1)
        last = max(-(-(end - from_ns) * COLUMNS // span), first + 1)
        for column in range(max(first, 0), min(last, COLUMNS)):
            if abs(each.exposure) > abs(columns[column]):
                columns[column] = each.exposure
    return columns


def _row(columns: Sequence[Decimal], worst: Decimal, row: int, sign: int, *, plain: bool) -> str:
    return "".join(_cell(value * sign / worst * ROWS - (row - 1), sign, plain=plain) for value in columns)


def _cell(height: Decimal, sign: int, *, plain: bool) -> str:
    """Return one character for a height from 0 to 1; the least height is still seen."""
    if height <= 0:
        return " "
    if plain:
        return "#"
    blocks = EIGHTHS if sign > 0 else HALVES
    most = len(blocks) - 1
    return blocks[max(1, min(most, int(height * most)))]
