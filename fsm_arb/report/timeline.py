"""One trade through time: its states, its decisions, each order, and what was naked, on one axis.

Every row is a picture of its own whose places are percentages, so that a
narrow window makes it narrower and leaves its words at their size.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount
from fsm_arb.report.axis import Axis, picture
from fsm_arb.report.exposure import data, plot
from fsm_arb.report.lives import Stage, lives
from fsm_arb.report.markup import Markup, tag
from fsm_arb.report.tables import price
from fsm_arb.report.times import lasting, scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.audit.order_story import OrderStory
    from fsm_arb.audit.story import Story
    from fsm_arb.audit.tales import Tale
    from fsm_arb.report.lives import Life

LANES_MAX = 24  # orders that are drawn; the table has them all
LANE_HEIGHT, BAR_TOP, BAR_HEIGHT = 46, 6, 18  # px
STRIP_HEIGHT, MARKS_HEIGHT = 26, 22
BEYOND = 0.06  # of the axis: what is drawn after the last record of a trade that goes on
NAME_SHARE = 0.05  # of the axis; a narrower state has no room for its name
NUMBERS_APART = 0.04  # of the axis, between two decisions' numbers

_LOOKS = {Stage.SENDING: "sending", Stage.DOUBT: "doubt", Stage.OPEN: "open", Stage.LEAVING: "leaving"}


def timeline(tale: Tale, story: Story) -> Markup:
    """Return the whole figure: every row, what its signs mean, and its data as a table."""
    axis = Axis(scale(_moments(story)), story.began_ns)
    found = lives(tale, axis.scale.ends_ns)
    drawn = story.orders
    left_out = len(drawn) - LANES_MAX
    if left_out > 0:
        drawn = (*drawn[: LANES_MAX // 2], *drawn[-LANES_MAX // 2 :])
    rows = [_row("Time", "since it began", _marks(axis)), _row("State", "", _states(story, axis))]
    if story.weighings:
        rows.append(_row("Decisions", "numbered as below", _decisions(story, axis)))
    rows += [_lane_row(order, found[order.index], story, axis) for order in drawn]
    rows.append(_row("Naked", f"{story.trade.decision.legs[0].base}, + for long", plot(story, axis)))
    between = f"{left_out} orders in between are not drawn; the table of orders has them."
    more = tag("p", between) if left_out > 0 else ""
    broken = tag("p", "Shaded: nothing happened for so long that it is drawn shorter.") if axis.scale.breaks else ""
    return tag("figure", *rows, more, broken, _legend(), data(story), class_="timeline")


def _moments(story: Story) -> list[int]:
    """Return the moments that the axis must show; what goes on is drawn a little beyond its last record."""
    moments = [step.at_ns for step in story.steps]
    first, last = min(moments), max(moments)
    return moments if story.over else [*moments, last + max(round((last - first) * BEYOND), 1)]


def _row(name: str, rest: str, picture: Markup) -> Markup:
    label = tag("div", tag("b", name), tag("span", rest) if rest else None, class_="label")
    return tag("div", label, picture, class_="row")


# ------------------------------------------------------------------ time, states, decisions


def _marks(axis: Axis) -> Markup:
    parts = []
    for at_ns in axis.scale.marks():
        place = axis.scale.at(at_ns)
        anchor = "start" if place < 0.03 else "end" if place > 0.92 else "middle"  # noqa: PLR2004 - near an edge
        label = "0" if at_ns == axis.begins_ns else axis.when(at_ns)
        parts.append(tag("text", label, x=axis.x(at_ns), y=15, text_anchor=anchor))
    for from_ns, to_ns in axis.scale.breaks:
        middle = (axis.scale.at(from_ns) + axis.scale.at(to_ns)) * 50
        parts.append(tag("text", f"≈ {lasting(to_ns - from_ns)}", x=f"{middle:.2f}%", y=15, text_anchor="middle"))
    whole = lasting(axis.scale.ends_ns - axis.scale.begins_ns)
    return picture(MARKS_HEIGHT, f"The axis: {whole} from the first record to the last", "", axis.ground(22), *parts)


def _states(story: Story, axis: Axis) -> Markup:
    moves = [(story.steps[0].at_ns, story.steps[0].before)]
    moves += [(step.at_ns, step.after) for step in story.steps if step.moved]
    ends = [at_ns for at_ns, _ in moves[1:]] + [axis.scale.ends_ns]
    parts, told = [], []
    for number, ((from_ns, state), to_ns) in enumerate(zip(moves, ends, strict=True)):
        lasted = f" for {lasting(to_ns - from_ns)}" if number + 1 < len(moves) else " on"
        said = f"{state} from {axis.when(from_ns)}{lasted}"
        told.append(said)
        x, wide, look = axis.x(from_ns), axis.wide(from_ns, to_ns), "odd" if number % 2 else "even"
        look = "halt" if state == "HALTED" else look
        height = STRIP_HEIGHT - 4
        parts.append(tag("rect", tag("title", said), class_=f"strip {look}", x=x, width=wide, y=2, height=height))
        if axis.scale.at(to_ns) - axis.scale.at(from_ns) >= NAME_SHARE:
            # A picture within cuts off what of the name has no room in a narrow window.
            inner = tag("text", state, x=5, y=17, class_="name")
            parts.append(tag("svg", inner, x=x, width=wide, height=STRIP_HEIGHT, class_="cut"))
    return picture(STRIP_HEIGHT, "The states it was in", "; ".join(told), *parts)


def _decisions(story: Story, axis: Axis) -> Markup:
    parts, told, last = [], [], -1.0
    for number, weighing in enumerate(story.weighings, 1):
        said = f"{number}: {weighing.choice.kind.value}, {weighing.choice.reason}, at {axis.when(weighing.at_ns)}"
        told.append(said)
        x, place = axis.x(weighing.at_ns), axis.scale.at(weighing.at_ns)
        parts.append(tag("line", tag("title", said), class_="tick", x1=x, x2=x, y1=0, y2=7))
        if place - last >= NUMBERS_APART:
            last = place
            anchor = "start" if place < 0.02 else "end" if place > 0.98 else "middle"  # noqa: PLR2004 - near an edge
            parts.append(tag("text", str(number), x=x, y=19, text_anchor=anchor))
    return picture(MARKS_HEIGHT, "What it decided", "; ".join(told), axis.ground(MARKS_HEIGHT), *parts)


# ------------------------------------------------------------------ orders


def _lane_row(order: OrderStory, life: Life, story: Story, axis: Axis) -> Markup:
    base = story.trade.decision.legs[order.leg].base
    name = f"Order {order.index}: {order.side} on {order.exchange}"
    rest = f"{order.purpose}, {amount(order.amount)} {base}"
    return _row(name, rest, _lane(order, life, axis, f"{name}, {rest}"))


def _lane(order: OrderStory, life: Life, axis: Axis, title: str) -> Markup:
    ends_ns = life.spans[-1].to_ns if life.spans else order.intended_at_ns
    parts = [axis.ground(LANE_HEIGHT), *_bars(order, life, axis), *_signs(order, life, axis)]
    place = axis.scale.at(ends_ns)
    words = _came_of(order)
    parts.append(
        tag(
            "text",
            words,
            x=axis.x(ends_ns) if place >= 0.5 else axis.x(order.intended_at_ns),  # noqa: PLR2004 - where there is room
            y=LANE_HEIGHT - 7,
            text_anchor="end" if place >= 0.5 else "start",  # noqa: PLR2004
            class_="bad" if _ill(order) else "came",
        )
    )
    spans = [f"{span.stage.value} {axis.when(span.from_ns)} to {axis.when(span.to_ns)}" for span in life.spans]
    fills = [f"{amount(level.filled)} filled by {axis.when(level.at_ns)}" for level in life.levels]
    return picture(LANE_HEIGHT, title, "; ".join([*spans, *fills, words]), *parts)


def _bars(order: OrderStory, life: Life, axis: Axis) -> Iterator[Markup]:
    """Draw what it was as outlines, and what of it had filled as the height of what is in them."""
    for span in life.spans:
        said = f"{span.stage.value} for {lasting(span.to_ns - span.from_ns)}, from {axis.when(span.from_ns)}"
        x, wide = axis.x(span.from_ns), axis.wide(span.from_ns, span.to_ns)
        look = f"bar {_LOOKS[span.stage]}"
        yield tag("rect", tag("title", said), class_=look, x=x, width=wide, y=BAR_TOP, height=BAR_HEIGHT)
    ends_ns = life.spans[-1].to_ns if life.spans else order.intended_at_ns
    levels = [*life.levels, None]
    for level, following in itertools.pairwise(levels):
        if level is None or level.at_ns >= ends_ns:
            continue
        high = float(min(level.filled / order.amount, Decimal(1))) * (BAR_HEIGHT - 4)
        to_ns = min(following.at_ns if following else ends_ns, ends_ns)
        x, wide = axis.x(level.at_ns), axis.wide(level.at_ns, to_ns)
        top = f"{BAR_TOP + BAR_HEIGHT - 2 - high:.1f}"
        yield tag("rect", class_="filled", x=x, width=wide, y=top, height=f"{high:.1f}")


def _signs(order: OrderStory, life: Life, axis: Axis) -> Iterator[Markup]:
    """Draw a disc where something filled, a cross where a cancel was asked for, a stroke where it was over."""
    middle = BAR_TOP + BAR_HEIGHT / 2
    if order.ended_at_ns is not None:
        x = axis.x(order.ended_at_ns)
        said = tag("title", f"over at {axis.when(order.ended_at_ns)}: {order.standing}")
        yield tag("line", said, class_="end", x1=x, x2=x, y1=BAR_TOP - 3, y2=BAR_TOP + BAR_HEIGHT + 3)
    if order.cancel_asked_at_ns is not None:
        said = tag("title", f"asked to go at {axis.when(order.cancel_asked_at_ns)}")
        inner = tag("path", said, d=f"M-5,{middle - 5} l10,10 m0,-10 l-10,10", class_="cancel")
        # A picture within: its place is a percentage, its shape is not.
        yield tag("svg", inner, x=axis.x(order.cancel_asked_at_ns), class_="sign", overflow="visible")
    for level in life.levels:
        said = tag("title", f"{amount(level.filled)} filled by {axis.when(level.at_ns)}")
        yield tag("circle", said, class_="fill", cx=axis.x(level.at_ns), cy=middle, r=4.5)


def _came_of(order: OrderStory) -> str:
    at = f" at {price(order.average)}" if order.average is not None else ""
    filled = f"{amount(order.filled)} of {amount(order.amount)}{at}" if order.filled else ""
    return ", ".join(part for part in (order.standing, filled) if part)


def _ill(order: OrderStory) -> bool:
    return order.standing.startswith(("in doubt", "refused", "believed absent"))


def _legend() -> Markup:
    def sample(*parts: Markup) -> Markup:
        return tag("svg", *parts, class_="sample", width=30, height=20, aria_hidden="true")

    def bar(look: str) -> Markup:
        return sample(tag("rect", class_=f"bar {look}", x=2, y=3, width=26, height=14))

    entries = (
        (bar("sending"), "being sent"),
        (bar("open"), "open on the venue"),
        (bar("leaving"), "asked to go"),
        (bar("doubt"), "in doubt"),
        (sample(tag("circle", class_="fill", cx=15, cy=10, r=4.5)), "a fill"),
        (sample(tag("path", class_="cancel", d="M10,5 l10,10 m0,-10 l-10,10")), "cancel decided"),
        (sample(tag("line", class_="end", x1=15, x2=15, y1=0, y2=20)), "over"),
        (sample(tag("rect", class_="naked", x=2, y=3, width=26, height=14)), "naked beyond dust"),
        (sample(tag("rect", class_="dust", x=2, y=3, width=26, height=14)), "dust"),
        (sample(tag("line", class_="worst", x1=2, x2=28, y1=10, y2=10)), "could still become"),
    )
    items = (tag("li", picture, " ", said) for picture, said in entries)
    hatch = tag(
        "pattern",
        tag("path", d="M0,6 L6,0", class_="hatching"),
        id="hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    patterns = tag("svg", tag("defs", hatch), class_="sample", width=0, height=0, aria_hidden="true")
    return tag("figcaption", patterns, tag("ul", *items, class_="legend"))
