"""Draw a machine from the rows that run: Mermaid text, a Markdown table, and SVG.

Nothing here knows an edge of its own. The happy path is what the tables say it
is: from the initial state along the first row of each state.

The SVG is laid out by Graphviz (the optional extra ``svg``) and inked here.
Graphviz is told the size of every label and never measures a font, so the same
rows give the same bytes on a machine that has other fonts or none.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.machines.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from fsm_arb.machines.table import Table


def write_diagrams(folder: Path, tables: Iterable[Table]) -> tuple[str, ...]:
    """Write every diagram of *tables* into *folder* and return the names of the files.

    The SVGs are left out where pygraphviz is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(tables)
    for name, text in files.items():
        folder.joinpath(name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(files)


def check_diagrams(folder: Path, tables: Iterable[Table]) -> tuple[str, ...]:
    """Return the names of the files in *folder* that are missing or not what *tables* would draw, in order."""
    return tuple(name for name, text in _files(tables).items() if _read(folder / name) != text)


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", errors="replace") if path.is_file() else None


def _files(tables: Iterable[Table]) -> Mapping[str, str]:
    files = {}
    for table in tables:
        files[f"{table.name}.mmd"] = mermaid(table)
        files[f"{table.name}.md"] = markdown(table)
        if can_draw_svg():
            files[f"{table.name}.svg"] = svg(table)
    return files


# ------------------------------------------------------------------ what a table says about itself


def happy_path(table: Table) -> tuple[Row, ...]:
    """Return the rows along which all goes well: the first of each state, until a final one or one seen before."""
    path: list[Row] = []
    state, seen = table.initial, {table.initial}
    while state not in table.final and table.rows_from(state):
        row = table.rows_from(state)[0]
        if row.dest in seen:
            break
        path.append(row)
        state = row.dest
        seen.add(state)
    return tuple(path)


def _remedies(table: Table) -> tuple[str, ...]:
    """Return the states that are off the happy path."""
    happy = {table.initial, *(row.dest for row in happy_path(table))}
    return tuple(state for state in table.states if state not in happy)


def _label(row: Row) -> str:
    """Trigger, guards and outcome, as UML writes them."""
    return f"{row.label} / {row.outcome}" if row.outcome else row.label


# ------------------------------------------------------------------ Mermaid


def mermaid(table: Table) -> str:
    """Return *table* as the text of a Mermaid state diagram."""
    lines = ["---", f"title: The {table.name} machine", "---", "stateDiagram-v2", f"    [*] --> {table.initial}"]
    lines += [f"    {row.source} --> {row.dest}: {_label(row)}" for row in table.rows]
    lines += [f"    {state} --> [*]" for state in table.states if state in table.final]
    if remedies := _remedies(table):
        lines += [f"    classDef remedy fill:{REMEDY.fill},stroke:{REMEDY.ink},color:{TEXT}"]
        lines += [f"    class {','.join(remedies)} remedy"]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------ Markdown


def markdown(table: Table) -> str:
    """Return *table* as a page: every row with its reason, then every guard in words."""
    final = ", ".join(state for state in table.states if state in table.final) or "none"
    lines = [
        f"# The {table.name} machine",
        "",
        f"Drawn from the rows that run. It starts in {table.initial}; final: {final}.",
        "",
        "| from | trigger | guards | to | why |",
        "|---|---|---|---|---|",
    ]
    for row in table.rows:
        dest = f"{row.dest} (`{row.outcome}`)" if row.outcome else row.dest
        guards = " and ".join(each.name for each in row.guards)
        lines.append(f"| {row.source} | {row.trigger} | {guards} | {dest} | {_cell(row.why)} |")
    known = {each.name: each for row in table.rows for each in row.guards}
    if known:
        lines += ["", "| guard | reads | true when |", "|---|---|---|"]
        lines += [f"| {each.name} | {each.field} | {_cell(each.doc)} |" for each in known.values()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# ------------------------------------------------------------------ SVG


@frozen
class Ink:
    """How one kind of thing is drawn."""

    name: str
    ink: str
    fill: str
    width: float  # px


HAPPY = Ink("happy", "#1d5f9c", "#e6f0fa", 2.4)
REMEDY = Ink("remedy", "#b3640a", "#fdf0dc", 1.3)
OTHER = Ink("other", "#6b7280", "#f3f4f6", 1.3)
PAPER, TEXT, GUARD_TEXT = "#ffffff", "#1f2937", "#4b5563"
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
class Edge:
    """All rows from one state to another, drawn as one arrow."""

    source: str
    dest: str
    rows: tuple[Row, ...]
    style: Ink

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The label: kind of text and text, line by line."""
        lines = []
        for row in self.rows:
            ending = f" / {row.outcome}" if row.outcome else ""
            if not row.guards:
                lines.append(("trigger", row.trigger + ending))
                continue
            lines.append(("trigger", row.trigger))
            parts = [each.name for each in row.guards]
            if sum(map(len, parts)) > ONE_LINE_CHARS:
                lines += [("guard", text) for text in f"[{' |and '.join(parts)}]{ending}".split("|")]
            else:
                lines.append(("guard", f"[{' and '.join(parts)}]{ending}"))
        return tuple(lines)

    @property
    def size(self) -> tuple[float, float]:
        """Room for the label, px."""
        return max(len(text) * CHAR_WIDTH[kind] for kind, text in self.lines) + 8, len(self.lines) * LINE_HEIGHT + 6


def can_draw_svg() -> bool:
    """Whether the optional extra ``svg`` is installed."""
    try:
        import pygraphviz  # noqa: F401
    except ImportError:
        return False
    return True


def svg(table: Table) -> str:
    """Return *table* as an SVG image.

    Raises:
        ImportError: pygraphviz is not installed.
    """
    remedies = _remedies(table)
    edges = tuple(_edges(table, remedies))
    graph = _layout(table, edges, remedies)
    left, low, right, high = (float(part) for part in graph.graph_attr["bb"].split(","))
    width, height = right - left + 2 * MARGIN, high - low + 2 * MARGIN + TITLE_HEIGHT
    place = Place(MARGIN - left, high + MARGIN + TITLE_HEIGHT)
    return "\n".join([*_head(table, width, height), *_body(table, edges, remedies, graph, place), "</svg>", ""])


@frozen
class Place:
    """From Graphviz's points, which grow upwards, to px, which grow downwards."""

    left: float
    top: float

    def __call__(self, point: str) -> tuple[float, float]:
        """Return where ``"x,y"`` is drawn."""
        x, y = point.split(",")
        return self.left + float(x), self.top - float(y)


def _edges(table: Table, remedies: tuple[str, ...]) -> Iterator[Edge]:
    happy = happy_path(table)
    together: dict[tuple[str, str], list[Row]] = {}
    for row in table.rows:
        together.setdefault((row.source, row.dest), []).append(row)
    for (source, dest), rows in together.items():
        off_path = source in remedies or dest in remedies
        yield Edge(source, dest, tuple(rows), HAPPY if rows[0] in happy else REMEDY if off_path else OTHER)


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
    order = _downwards(table, remedies)
    for edge in edges:
        wide, high = (round(part) for part in edge.size)
        room = f'BORDER="0" CELLPADDING="0" FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{high}"'
        label = f'<<TABLE CELLBORDER="0" CELLSPACING="0" {room}><TR><TD {room}></TD></TR></TABLE>>'
        against = order.index(edge.source) > order.index(edge.dest)
        ends = (edge.dest, edge.source) if against else (edge.source, edge.dest)
        look = {
            "label": label,
            "weight": "100" if edge.style is HAPPY else "1",
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


def _head(table: Table, width: float, height: float) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" role="img">'
    )
    yield f"<title>The {escape(table.name)} machine</title>"
    yield "<defs>"
    for style in (HAPPY, REMEDY, OTHER):
        yield (
            f'<marker id="{style.name}" viewBox="0 0 10 8" refX="9.5" refY="4" markerWidth="10" markerHeight="8"'
            f' markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,4 L0,8 z" fill="{style.ink}"/></marker>'
        )
    yield "</defs>"
    yield f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    yield (
        f'<text x="{MARGIN:.0f}" y="{MARGIN + 12:.0f}" font-size="17" font-weight="bold" fill="{TEXT}">'
        f"The {escape(table.name)} machine</text>"
    )


def _body(table: Table, edges: tuple[Edge, ...], remedies: tuple[str, ...], graph: Any, place: Place) -> Iterator[str]:
    laid_out = {each.key: each for each in (graph.get_edge(*ends) for ends in graph.edges(keys=True))}
    drawn = [(edge, laid_out[_key(edge)]) for edge in edges]
    if remedies:
        yield from _cluster(graph, place)
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


def _cluster(graph: Any, place: Place) -> Iterator[str]:
    box = graph.get_subgraph("cluster_remedies").graph_attr["bb"].split(",")
    (left, bottom), (right, top) = place(",".join(box[:2])), place(",".join(box[2:]))
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="10"'
        f' fill="#fffaf2" stroke="#ecd2a8" stroke-dasharray="5 4"/>'
    )


def _path(style: Ink, pos: str, place: Place) -> str:
    """Return an arrow: Graphviz gives its tip, then the control points of its curves."""
    tip, *points = pos.split()
    if tip.startswith("s,"):  # laid out against its direction
        points.reverse()
    spots = [f"{x:.1f},{y:.1f}" for x, y in map(place, points)]
    x, y = place(tip[2:])
    curve = f"M{spots[0]} C{' '.join(spots[1:])} L{x:.1f},{y:.1f}"
    ink = f'stroke="{style.ink}" stroke-width="{style.width}" marker-end="url(#{style.name})"'
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
    for index, (kind, text) in enumerate(edge.lines):
        look = f'fill="{edge.style.ink}" font-weight="bold"' if kind == "trigger" else f'fill="{GUARD_TEXT}"'
        yield f'<text x="{x:.1f}" y="{first + index * LINE_HEIGHT:.1f}" {look}>{escape(text)}</text>'
    yield "</g>"
