"""A machine's states and edges as a small upright picture, with the way that one trade took through it.

Drawn from the rows that run, by simple rules and without Graphviz: the happy
path goes down on the left, the remedies on the right. What skips a state
bends around it on the outside; what crosses over goes straight.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.diagrams import happy_path
from fsm_arb.report.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsm_arb.machines.table import Row, Table

    Way = tuple[str, str, str]  # from, trigger, to
    Point = tuple[float, float]

BOX = (112.0, 38.0)  # px
COLUMNS = (164.0, 390.0)  # px, the middle of the happy path and of the remedies
WIDTH = 506.0
PITCH = 76.0  # px from state to state
TOP = 12.0
BEND = (40.0, 28.0)  # px: how far the innermost curve bends outwards, and each further one more
STEPS_MAX = 12  # told in words; what is in between is folded away
NUMBERS_MAX = 3  # on one edge; of more, the first and the last
PLACES = (0.5, 0.36, 0.64, 0.24, 0.76, 0.43, 0.57)  # along an edge, where its numbers may stand


@define
class _Edge:
    """All rows from one state to another, drawn as one arrow."""

    source: str
    dest: str
    rows: list[Row]
    taken: list[int] = field(factory=list)
    curve: tuple[Point, Point, Point, Point] = ((0, 0),) * 4

    @property
    def told(self) -> str:
        """What stands on it: at which steps it was taken."""
        first, last = map(str, (self.taken[0], self.taken[-1]))
        return ", ".join(map(str, self.taken)) if len(self.taken) <= NUMBERS_MAX else f"{first} … {last}"

    def at(self, share: float) -> Point:
        """Return a point along it."""
        rest = 1 - share
        weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
        x, y = (sum(weight * point[axis] for weight, point in zip(weights, self.curve, strict=True)) for axis in (0, 1))
        return x, y


@frozen
class _Place:
    """Where a state stands: its column and its row."""

    column: int
    row: int

    @property
    def x(self) -> float:
        """Its middle."""
        return COLUMNS[self.column]

    @property
    def y(self) -> float:
        """Its middle."""
        return TOP + BOX[1] / 2 + self.row * PITCH


def machine(table: Table, ways: Sequence[Way], state: str) -> Markup:
    """Return the picture as SVG.

    Args:
        table: The rows.
        ways: The edges that were taken, in order; each is numbered from 1.
        state: Where it stands.
    """
    places = _places(table)
    edges = _edges(table, ways)
    _route(edges, places)
    height = max(place.y for place in places.values()) + BOX[1] / 2 + TOP
    seen = {table.initial, *(dest for _, _, dest in ways)}
    path = ", ".join([table.initial, *(dest for _, _, dest in ways)])
    said = f"States in the order in which they were reached: {path}. It stands in {state}."
    drawn = sorted(edges, key=lambda edge: bool(edge.taken))  # what was taken lies on top
    return tag(
        "svg",
        tag("title", f"The {table.name} machine and the way through it", id="machine-title"),
        tag("desc", said, id="machine-desc"),
        tag("defs", *(_arrow(name) for name in ("idle", "taken"))),
        *(_line(edge) for edge in drawn),
        *(_box(table, name, place, seen, state) for name, place in places.items()),
        *_numbers(edges),
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        class_="machine",
        role="img",
        aria_labelledby="machine-title machine-desc",
    )


# ------------------------------------------------------------------ where things stand


def _places(table: Table) -> dict[str, _Place]:
    happy = [table.initial, *(row.dest for row in happy_path(table))]
    remedies = [name for name in table.states if name not in happy]
    into = [happy.index(row.source) for row in table.rows if row.source in happy and row.dest in remedies]
    first = min(into, default=0) + 1
    places = {name: _Place(0, index) for index, name in enumerate(happy)}
    return places | {name: _Place(1, first + index) for index, name in enumerate(remedies)}


def _edges(table: Table, ways: Iterable[Way]) -> list[_Edge]:
    edges: dict[tuple[str, str], _Edge] = {}
    for row in table.rows:
        edges.setdefault((row.source, row.dest), _Edge(row.source, row.dest, [])).rows.append(row)
    for number, (source, _, dest) in enumerate(ways, 1):
        edges[source, dest].taken.append(number)
    return list(edges.values())


def _route(edges: Sequence[_Edge], places: dict[str, _Place]) -> None:
    """Give each edge its curve: by which sides of its two boxes it leaves and arrives."""
    across, along, around = [], [], []
    for edge in edges:
        start, end = places[edge.source], places[edge.dest]
        if start.column != end.column:
            across.append(edge)
        elif abs(start.row - end.row) == 1:
            along.append(edge)
        else:
            around.append(edge)
    _route_along(along, places)
    _route_sideways(across, around, places)


def _route_along(edges: Sequence[_Edge], places: dict[str, _Place]) -> None:
    """Straight down or up between neighbours; side by side where both ways exist."""
    pairs = {(edge.source, edge.dest) for edge in edges}
    for edge in edges:
        start, end = places[edge.source], places[edge.dest]
        down = 1 if end.row > start.row else -1
        aside = (-15.0 * down) if (edge.dest, edge.source) in pairs else 0.0
        x, from_y, to_y = start.x + aside, start.y + down * BOX[1] / 2, end.y - down * BOX[1] / 2
        edge.curve = ((x, from_y), (x, (from_y * 2 + to_y) / 3), (x, (from_y + to_y * 2) / 3), (x, to_y))


def _route_sideways(across: Sequence[_Edge], around: Sequence[_Edge], places: dict[str, _Place]) -> None:
    """Out of one side and into another, each edge at a place of its own on that side."""
    ends: dict[tuple[str, int], list[tuple[float, _Edge]]] = {}  # by state and side: height of the other end, edge
    ordered = sorted(around, key=lambda edge: abs(places[edge.source].row - places[edge.dest].row))
    for edge in (*across, *ordered):
        for here, there in ((edge.source, edge.dest), (edge.dest, edge.source)):
            inner = places[here].column != places[there].column
            side = 1 if (places[here].column == 0) == inner else -1
            # A wide curve lies outside a narrow one, so it arrives on the far side of it.
            reach = places[there].row if inner else 2 * places[here].row - places[there].row
            ends.setdefault((here, side), []).append((reach, edge))
    port: dict[tuple[str, int], float] = {}
    for (name, _), found in ends.items():
        ranked = sorted(found, key=lambda each: (each[0], places[each[1].source].column))
        step = min(13.0, BOX[1] / len(ranked))
        for index, (_, edge) in enumerate(ranked):
            port[name, id(edge)] = places[name].y + (index - (len(ranked) - 1) / 2) * step
    bends = {column: itertools.count(BEND[0], BEND[1]) for column in (0, 1)}
    for edge in ordered:
        _curve(edge, places, port, next(bends[places[edge.source].column]))
    for edge in across:
        _curve(edge, places, port, (COLUMNS[1] - COLUMNS[0] - BOX[0]) / 2)


def _curve(edge: _Edge, places: dict[str, _Place], port: dict[tuple[str, int], float], bend: float) -> None:
    start, end = places[edge.source], places[edge.dest]
    inner = start.column != end.column
    sides = [1 if (place.column == 0) == inner else -1 for place in (start, end)]
    (x1, x2) = (place.x + side * BOX[0] / 2 for place, side in zip((start, end), sides, strict=True))
    (y1, y2) = (port[name, id(edge)] for name in (edge.source, edge.dest))
    edge.curve = ((x1, y1), (x1 + sides[0] * bend, y1), (x2 + sides[1] * bend, y2), (x2, y2))


# ------------------------------------------------------------------ how they are drawn


def _arrow(name: str) -> Markup:
    return tag(
        "marker",
        tag("path", d="M0,0 L8,3.5 L0,7 z"),
        id=f"arrow-{name}",
        class_=name,
        viewBox="0 0 8 7",
        refX="7.5",
        refY="3.5",
        markerWidth="8",
        markerHeight="7",
        markerUnits="userSpaceOnUse",
        orient="auto",
    )


def _line(edge: _Edge) -> Markup:
    start, *others = (f"{x:.1f},{y:.1f}" for x, y in edge.curve)
    name = "taken" if edge.taken else "idle"
    why = "; ".join(f"{row.label}: {row.why}" for row in edge.rows)
    return tag(
        "path",
        tag("title", f"{edge.source} to {edge.dest}. {why}"),
        d=f"M{start} C{' '.join(others)}",
        class_=f"edge {name}",
        marker_end=f"url(#arrow-{name})",
    )


def _box(table: Table, name: str, place: _Place, seen: set[str], state: str) -> Markup:
    kind = "here" if name == state else "seen" if name in seen else "unseen"
    wide, high = BOX
    frames = [
        tag(
            "rect",
            x=f"{place.x - wide / 2 + inset:.1f}",
            y=f"{place.y - high / 2 + inset:.1f}",
            width=f"{wide - 2 * inset:.1f}",
            height=f"{high - 2 * inset:.1f}",
            rx=f"{8 - inset:.0f}",
        )
        for inset in ((0.0, 4.0) if name in table.final else (0.0,))
    ]
    # A mark beside the name, so that it is told from the others by more than its colour.
    label = f"● {name}" if kind == "here" else name
    middle = tag("text", label, x=f"{place.x:.1f}", y=f"{place.y + 4.5:.1f}", text_anchor="middle")
    return tag("g", *frames, middle, class_=f"state {kind}")


def _numbers(edges: Iterable[_Edge]) -> Iterator[Markup]:
    """Put on each edge that was taken the numbers of its steps, where they cover no other."""
    spots: list[tuple[float, float, float]] = []
    for edge in sorted((edge for edge in edges if edge.taken), key=lambda edge: edge.taken):
        wide = max(18.0, 8 + 6.6 * len(edge.told))
        found = (_inside(edge.at(share), wide) for share in PLACES)
        clear = (spot for spot in found if all(_clear(spot, wide, *other) for other in spots))
        x, y = next(clear, _inside(edge.at(PLACES[0]), wide))
        spots.append((x, y, wide))
        yield tag(
            "g",
            tag("rect", x=f"{x - wide / 2:.1f}", y=f"{y - 9:.1f}", width=f"{wide:.1f}", height="18", rx="9"),
            tag("text", edge.told, x=f"{x:.1f}", y=f"{y + 4:.1f}", text_anchor="middle"),
            class_="number",
        )


def _inside(spot: Point, wide: float) -> Point:
    """Return a spot so far from both sides of the picture that what stands there is seen whole."""
    return min(max(spot[0], wide / 2 + 1), WIDTH - wide / 2 - 1), spot[1]


def _clear(spot: Point, wide: float, x: float, y: float, other: float) -> bool:
    return abs(spot[0] - x) >= (wide + other) / 2 + 2 or abs(spot[1] - y) >= 20  # noqa: PLR2004 - a number's height


def steps_taken(table: Table, ways: Sequence[Way], times: Sequence[str]) -> Markup:
    """Return the same way in words: each step with its number, its time and why the edge exists."""
    rows = {(row.source, row.trigger, row.dest): row for row in table.rows}
    items = []
    for way, time in itertools.zip_longest(ways, times):
        source, trigger, dest = way
        items.append(
            tag(
                "li",
                tag("b", f"{source} → {dest}"),
                " ",
                tag("span", f"{trigger}, {time}", class_="when"),
                tag("br"),
                rows[way].why,
            )
        )
    if len(items) <= STEPS_MAX:
        return tag("ol", *items, class_="steps") if items else tag("p", "It has taken no step yet.")
    half = STEPS_MAX // 2
    between = tag("ol", *items[half:-half], class_="steps", start=half + 1)
    more = tag("details", tag("summary", f"{len(items) - 2 * half} steps in between"), between)
    last = tag("ol", *items[-half:], class_="steps", start=len(items) - half + 1)
    return tag("div", tag("ol", *items[:half], class_="steps"), more, last)
