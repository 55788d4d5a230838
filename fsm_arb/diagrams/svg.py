"""A machine as a picture, laid out by Graphviz (the optional extra ``svg``) and inked here.

Graphviz is told the size of every label and never measures a font, so the same
rows give the same bytes on a machine that has other fonts or none.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.diagrams.ink import FAINT, GUARD_TEXT, HAPPY, OTHER, PAPER, REMEDY, TEXT, Ink
from fsm_arb.diagrams.paths import Reach, aside, aside_name, happy_path, title
from fsm_arb.machines.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.machines.table import Table

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"

MARGIN = 24.0  # px; one point of Graphviz is one px here
TITLE_HEIGHT = 34.0
STATE_SIZE = (118.0, 40.0)
START_SIZE = 14.0
LINE_HEIGHT = 14.0
LABEL_FONT = 11.5
CHAR_WIDTH = {"trigger": 7.6, "guard": 6.7}  # px, on the wide side, so that no label outgrows its place
ONE_LINE_CHARS = 20  # of guards; more are broken before each "and"
_START = "*"


@frozen
class Line:
    """One line of a label."""

    kind: str  # trigger or guard
    text: str
    faint: bool


@frozen
class Edge:
    """All rows from one state to another, drawn as one arrow."""

    source: str
    dest: str
    rows: tuple[Row, ...]
    style: Ink
    faint: frozenset[Row] = frozenset()  # those of the rows that no run has taken

    @property
    def lines(self) -> tuple[Line, ...]:
        """The label, line by line."""
        lines = []
        for row in self.rows:
            faint = row in self.faint
            ending = f" / {row.outcome}" if row.outcome else ""
            parts = [each.name for each in row.guards if each.name]
            if not parts:
                lines.append(Line("trigger", row.trigger + ending, faint))
                continue
            lines.append(Line("trigger", row.trigger, faint))
            if sum(map(len, parts)) > ONE_LINE_CHARS:
                lines += [Line("guard", text, faint) for text in f"[{' |and '.join(parts)}]{ending}".split("|")]
            else:
                lines.append(Line("guard", f"[{' and '.join(parts)}]{ending}", faint))
        return tuple(lines)

    @property
    def size(self) -> tuple[float, float]:
        """Room for the label, px."""
        return max(len(each.text) * CHAR_WIDTH[each.kind] for each in self.lines) + 8, len(self.lines) * LINE_HEIGHT + 6


def can_draw_svg() -> bool:
    """Whether the optional extra ``svg`` is installed."""
    try:
        import pygraphviz  # noqa: F401
    except ImportError:
        return False
    return True


def svg(table: Table, reach: Reach | None = None) -> str:
    """Return *table* as an SVG image.

    Args:
        table: What is drawn.
        reach: Which rows some runs have taken; those they have not are faint. None: nothing is said of it.

    Raises:
        ImportError: pygraphviz is not installed.
    """
    remedies = aside(table)
    edges = tuple(_edges(table, remedies, reach))
    graph = _layout(table, edges, remedies)
    left, low, right, high = (float(part) for part in graph.graph_attr["bb"].split(","))
    width, height = right - left + 2 * MARGIN, high - low + 2 * MARGIN + TITLE_HEIGHT
    place = Place(MARGIN - left, high + MARGIN + TITLE_HEIGHT)
    head = _head(title(table, reach), width, height)
    return "\n".join([*head, *_body(table, edges, remedies, graph, place), "</svg>", ""])


@frozen
class Place:
    """From Graphviz's points, which grow upwards, to px, which grow downwards."""

    left: float
    top: float

    def __call__(self, point: str) -> tuple[float, float]:
        """Return where ``"x,y"`` is drawn."""
        x, y = point.split(",")
        return self.left + float(x), self.top - float(y)


def _edges(table: Table, remedies: tuple[str, ...], reach: Reach | None) -> Iterator[Edge]:
    happy = happy_path(table)
    together: dict[tuple[str, str], list[Row]] = {}
    for row in table.rows:
        together.setdefault((row.source, row.dest), []).append(row)
    for (source, dest), rows in together.items():
        faint = frozenset(row for row in rows if reach and reach.missed(row))
        off_path = source in remedies or dest in remedies
        style = HAPPY if rows[0] in happy else REMEDY if off_path else OTHER
        yield Edge(source, dest, tuple(rows), FAINT if len(faint) == len(rows) else style, faint)


def _layout(table: Table, edges: tuple[Edge, ...], remedies: tuple[str, ...]) -> Any:
    """Return a Graphviz graph in which everything has its place. No text goes in, so no font comes out."""
    import pygraphviz

    graph = pygraphviz.AGraph(directed=True, strict=False, name=table.name)
    graph.graph_attr.update(rankdir="TB", newrank="true", nodesep="0.25", ranksep="0.3", splines="true")
    graph.node_attr.update(shape="box", fixedsize="true", label="", width=_inches(STATE_SIZE[0]))
    graph.node_attr.update(height=_inches(STATE_SIZE[1]))
    graph.add_node(_START, shape="circle", width=_inches(START_SIZE), height=_inches(START_SIZE), group="happy")
    for state in table.states:
        graph.add_node(state, group="remedy" if state in remedies else "happy")
    if remedies:
        graph.add_subgraph(remedies, name="cluster_remedies", margin="14")
    graph.add_edge(_START, table.initial, weight="100")
    order, happy = _downwards(table, remedies), happy_path(table)
    for edge in edges:
        wide, high = (round(part) for part in edge.size)
        room = f'BORDER="0" CELLPADDING="0" FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}"'
        label = f'<<TABLE CELLBORDER="0" CELLSPACING="0" {room}><TR><TD {room}></TD></TR></TABLE>>'
        against = order.index(edge.source) > order.index(edge.dest)
        ends = (edge.dest, edge.source) if against else (edge.source, edge.dest)
        look = {
            "label": label,
            "weight": "100" if edge.rows[0] in happy else "1",
            "dir": "back" if against else "forward",
        }
        graph.add_edge(*ends, key=_key(edge), **look)
    graph.layout(prog="dot")
    return graph


def _key(edge: Edge) -> str:
    return f"{edge.source}-{edge.dest}"


def _downwards(table: Table, remedies: tuple[str, ...]) -> list[str]:
    """Return the states from top to bottom: the happy path, with the remedies just above where they lead back to it."""
    happy = [table.initial, *(row.dest for row in happy_path(table))]
    back = [happy.index(row.dest) for row in table.rows if row.source in remedies and row.dest in happy]
    where = min(back, default=len(happy))
    return [*happy[:where], *remedies, *happy[where:]]


def _inches(px: float) -> str:
    return f"{px / 72:.4f}"


def _head(words: str, width: float, height: float) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" role="img">'
    )
    yield f"<title>{escape(words)}</title>"
    yield "<defs>"
    for style in (HAPPY, REMEDY, OTHER, FAINT):
        yield (
            f'<marker id="{style.name}" viewBox="0 0 10 8" refX="9.5" refY="4" markerWidth="10" markerHeight="8"'
            f' markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,4 L0,8 z" fill="{style.ink}"/></marker>'
        )
    yield "</defs>"
    yield f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    yield (
        f'<text x="{MARGIN:.0f}" y="{MARGIN + 12:.0f}" font-size="17" font-weight="bold" fill="{TEXT}">'
        f"{escape(words)}</text>"
    )


def _body(table: Table, edges: tuple[Edge, ...], remedies: tuple[str, ...], graph: Any, place: Place) -> Iterator[str]:
    laid_out = {each.key: each for each in (graph.get_edge(*ends) for ends in graph.edges(keys=True))}
    drawn = [(edge, laid_out[_key(edge)]) for edge in edges]
    if remedies:
        yield from _cluster(graph, place, aside_name(table))
    start = graph.get_edge(_START, table.initial)
    yield _path(HAPPY, start.attr["pos"], place)
    for edge, laid in drawn:
        yield _path(edge.style, laid.attr["pos"], place)
    x, y = place(graph.get_node(_START).attr["pos"])
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{START_SIZE / 2:.1f}" fill="{TEXT}"/>'
    for state in table.states:
        style = REMEDY if state in remedies else HAPPY
        yield from _state(state, style, place(graph.get_node(state).attr["pos"]), final=state in table.final)
    for edge, laid in drawn:
        yield from _edge_label(edge, place(laid.attr["lp"]))


def _cluster(graph: Any, place: Place, name: str) -> Iterator[str]:
    box = graph.get_subgraph("cluster_remedies").graph_attr["bb"].split(",")
    (left, bottom), (right, top) = place(",".join(box[:2])), place(",".join(box[2:]))
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="10"'
        f' fill="#fffaf2" stroke="#ecd2a8" stroke-dasharray="5 4"/>'
    )
    look = f'font-size="12" text-anchor="end" fill="{REMEDY.ink}"'
    yield f'<text x="{right - 4:.1f}" y="{top - 6:.1f}" {look}>{escape(name)}</text>'


def _path(style: Ink, pos: str, place: Place) -> str:
    """Return an arrow: Graphviz gives its tip, then the control points of its curves."""
    tip, *points = pos.split()
    if tip.startswith("s,"):  # laid out against its direction
        points.reverse()
    spots = [f"{x:.1f},{y:.1f}" for x, y in map(place, points)]
    x, y = place(tip[2:])
    curve = f"M{spots[0]} C{' '.join(spots[1:])} L{x:.1f},{y:.1f}"
    ink = f'stroke="{style.ink}" stroke-width="{style.width}" marker-end="url(#{style.name})"'
    if style is FAINT:
        ink += ' stroke-dasharray="4 4"'
    return f'<path d="{curve}" fill="none" {ink}/>'


def _state(state: str, style: Ink, centre: tuple[float, float], *, final: bool) -> Iterator[str]:
    x, y = centre
    for inset in (0.0, 4.0) if final else (0.0,):
        wide, high = STATE_SIZE[0] - 2 * inset, STATE_SIZE[1] - 2 * inset
        yield (
            f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}"'
            f' rx="{9 - inset:.0f}" fill="{style.fill}" stroke="{style.ink}" stroke-width="1.6"/>'
        )
    yield (
        f'<text x="{x:.1f}" y="{y + 4.5:.1f}" font-size="13" font-weight="bold" text-anchor="middle"'
        f' fill="{TEXT}">{escape(state)}</text>'
    )


def _edge_label(edge: Edge, centre: tuple[float, float]) -> Iterator[str]:
    x, y = centre
    first = y - (len(edge.lines) - 1) * LINE_HEIGHT / 2 + LABEL_FONT * 0.35
    why = "\n".join(f"{row}: {row.why}" for row in edge.rows)
    yield (
        f'<g font-size="{LABEL_FONT}" text-anchor="middle" stroke="{PAPER}" stroke-width="3"'
        f' stroke-linejoin="round" paint-order="stroke"><title>{escape(why)}</title>'
    )
    for index, line in enumerate(edge.lines):
        ink = FAINT.ink if line.faint else edge.style.ink if line.kind == "trigger" else GUARD_TEXT
        look = f'fill="{ink}" font-weight="bold"' if line.kind == "trigger" else f'fill="{ink}"'
        yield f'<text x="{x:.1f}" y="{first + index * LINE_HEIGHT:.1f}" {look}>{escape(line.text)}</text>'
    yield "</g>"
