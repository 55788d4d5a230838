"""A row of a timeline: where moments stand in it, and what lies behind it.

Places are percentages, so that a narrow window makes a row narrower and
leaves its words at their size.
"""

from __future__ import annotations

from attrs import frozen

from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.times import Scale, since


@frozen
class Axis:
    """The axis, and a row's words for it."""

    scale: Scale
    begins_ns: int

    def x(self, at_ns: int) -> str:
        """Return a place along a row."""
        return f"{self.scale.at(at_ns) * 100:.2f}%"

    def wide(self, from_ns: int, to_ns: int) -> str:
        """Return a stretch of a row."""
        return f"{max(self.scale.at(to_ns) - self.scale.at(from_ns), 0.0) * 100:.2f}%"

    def when(self, at_ns: int) -> str:
        """Return a moment, counted from the beginning of the trade."""
        return since(at_ns, self.begins_ns)

    def ground(self, height: int) -> Markup:
        """Return what lies behind every row: a line at each mark, a shade over each break."""
        lines = [tag("line", class_="grid", x1=self.x(at), x2=self.x(at), y1=0, y2=height) for at in self.scale.marks()]
        shades = [
            tag("rect", class_="break", x=self.x(from_ns), width=self.wide(from_ns, to_ns), y=0, height=height)
            for from_ns, to_ns in self.scale.breaks
        ]
        return join([*lines, *shades])


def picture(height: int, title: str, description: str, *parts: Markup) -> Markup:
    """Return a row's picture, as high as *height* px and as wide as there is room, with what it shows in words."""
    described = tag("desc", description) if description else None
    label = f"{title}. {description}" if description else title
    parts = (tag("title", title), *([described] if described else []), *parts)
    return tag("svg", *parts, class_="lane", height=height, role="img", aria_label=label)
