"""What was naked from moment to moment, as a plot with its dust band, and the same as a table."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount, round_marks
from fsm_arb.report.axis import Axis, picture
from fsm_arb.report.markup import Markup, tag
from fsm_arb.report.times import lasting, since

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.audit.story import Step, Story

HEIGHT = 168  # px
CALLED_SHARE = 0.3  # of the axis; a narrower stretch has no room for its name
EDGE = 16  # px above and below what is plotted


def plot(story: Story, axis: Axis) -> Markup:
    """Return the plot: what was naked, what it could still have become, and where dust ends."""
    values = [value for step in story.steps for value in (step.exposure, step.worst)]
    base, dust = story.trade.decision.legs[0].base, story.dust
    marks = round_marks(min(-dust, *values), max(dust, *values), 4)
    low, high = marks[0], marks[-1]

    def y(value: Decimal) -> float:
        return EDGE + float((high - value) / (high - low)) * (HEIGHT - 2 * EDGE)

    dusty = [_dust_band(y(dust), y(-dust))] if dust else []
    lines = [
        tag("line", class_="grid" if mark else "zero", x1=0, x2="100%", y1=f"{y(mark):.1f}", y2=f"{y(mark):.1f}")
        for mark in marks
    ]
    labels = [
        tag("text", f"{'+' if mark > 0 else ''}{amount(mark)}", class_="scale", x=3, y=f"{y(mark) - 3:.1f}")
        for mark in marks
    ]
    changes = _changes(story)
    course: list[Markup] = []
    for step, following in itertools.zip_longest(changes, changes[1:]):
        course += _stretch(step, following, axis, y, base)
    worst = max(story.steps, key=lambda step: abs(step.exposure))
    most = f"at most {amount(worst.exposure)} {base} was naked, at {axis.when(worst.at_ns)}"
    said = f"{most}; dust is below {amount(dust)}"
    parts = (*dusty, axis.ground(HEIGHT), *lines, *course, *labels, _called(changes, axis, y, base))
    return picture(HEIGHT, "What was naked", said, *parts)


def _changes(story: Story) -> list[Step]:
    """Return the first of each run of records after which nothing else was naked."""
    runs = itertools.groupby(story.steps, key=lambda step: (step.exposure, step.worst, step.naked))
    return [next(run) for _, run in runs]


def _called(changes: list[Step], axis: Axis, y: Callable[[Decimal], float], base: str) -> Markup:
    """Name the widest stretch in which something was naked, where it is wide enough for its name."""
    ends = [*(step.at_ns for step in changes[1:]), axis.scale.ends_ns]
    naked = [
        (axis.scale.at(to_ns) - axis.scale.at(step.at_ns), step, to_ns)
        for step, to_ns in zip(changes, ends, strict=True)
        if step.naked
    ]
    wide, step, to_ns = max(naked, key=lambda each: each[0], default=(0.0, None, 0))
    if step is None or wide < CALLED_SHARE:
        return Markup("")
    middle = (axis.scale.at(step.at_ns) + axis.scale.at(to_ns)) * 50
    height = f"{(y(step.exposure) + y(Decimal(0))) / 2 + 4:.1f}"
    label = f"{amount(step.exposure)} {base}"
    return tag("text", label, class_="called", x=f"{middle:.2f}%", y=height, text_anchor="middle")


def _dust_band(top: float, bottom: float) -> Markup:
    said = tag("title", "dust: neither venue would take an order for it")
    return tag("rect", said, class_="dust", x=0, width="100%", y=f"{top:.1f}", height=f"{max(bottom - top, 2):.1f}")


def _stretch(step: Step, following: Step | None, axis: Axis, y: Callable[[Decimal], float], base: str) -> list[Markup]:
    to_ns = following.at_ns if following else axis.scale.ends_ns
    x1, x2, at = axis.x(step.at_ns), axis.x(to_ns), y(step.exposure)
    parts = []
    if step.worst != step.exposure:
        parts.append(tag("line", class_="worst", x1=x1, x2=x2, y1=f"{y(step.worst):.1f}", y2=f"{y(step.worst):.1f}"))
    if step.naked and to_ns > step.at_ns:
        lasted = f"for {lasting(to_ns - step.at_ns)}" if following else f"since {axis.when(step.at_ns)}"
        said = tag("title", f"{amount(step.exposure)} {base} naked {lasted}")
        zero = y(Decimal(0))
        height = f"{abs(zero - at):.1f}"
        wide = axis.wide(step.at_ns, to_ns)
        parts.append(tag("rect", said, class_="naked", x=x1, width=wide, y=f"{min(zero, at):.1f}", height=height))
    parts.append(tag("line", class_="course", x1=x1, x2=x2, y1=f"{at:.1f}", y2=f"{at:.1f}"))
    if following and following.exposure != step.exposure:
        then = y(following.exposure)
        parts.append(tag("line", class_="course", x1=x2, x2=x2, y1=f"{at:.1f}", y2=f"{then:.1f}"))
    return parts


def data(story: Story) -> Markup:
    """Return what the plot shows as a table."""
    rows, last = [], None
    for step in story.steps:
        if (step.exposure, step.worst) != last:
            last = step.exposure, step.worst
            cells = (since(step.at_ns, story.began_ns), amount(step.exposure), amount(step.worst), _word(step))
            rows.append(tag("tr", tag("th", str(step.number), scope="row"), *(tag("td", cell) for cell in cells)))
    base = story.trade.decision.legs[0].base
    names = ("record", "when", f"naked, {base}", f"at worst, {base}", "so it is")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    table = tag("table", tag("caption", "What was naked after each record that changed it"), head, tag("tbody", *rows))
    return tag("details", tag("summary", "What was naked, as a table"), tag("div", table, class_="wide"))


def _word(step: Step) -> str:
    return "naked" if step.naked else "dust" if step.exposure else "even"
