"""A run as a picture: what it was worth over time, its trades on the line, and when a leg was naked. Plain SVG."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from attrs import frozen

from fsm_arb.audit.figures import amount, clock, money, round_marks, seconds, time_marks
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.audit.summary import Summary
    from fsm_arb.backtest.curve import Mark
    from fsm_arb.backtest.report import Report

WIDTH, HEIGHT = 960, 464
LEFT, RIGHT, TOP = 84, 20, 24
CURVE_HEIGHT = 290
STRIP_TOP, STRIP_HEIGHT = 376, 46
POINTS_MAX = 1200  # more than a screen has columns
GOOD = {"success", "partial_hedged"}

# Both themes, so that the picture suits the page that it is put on. Plain colours: not every viewer knows variables.
_THEME = (
    ".plot .ground{{fill:{0}}}.plot text{{fill:{1}}}.plot .title{{fill:{2}}}.plot .grid{{stroke:{3}}}"
    ".plot .zero{{stroke:{1}}}.plot .curve{{stroke:{4}}}.plot .area{{fill:{4}}}.plot .well{{fill:{5}}}"
    ".plot .ill{{fill:{6}}}.plot .mark{{stroke:{0}}}.plot .naked{{fill:{7}}}"
)
LIGHT = _THEME.format("#ffffff", "#59636e", "#1f2328", "#e4e7eb", "#0b62c4", "#1a7f37", "#cf222e", "#bc4c00")
DARK = _THEME.format("#0d1117", "#9198a1", "#e6edf3", "#262c36", "#58a6ff", "#3fb950", "#f85149", "#f0883e")
STYLE = (
    ".plot text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif}.plot .title{font-weight:600}"
    ".plot .zero{stroke-dasharray:3 3}.plot .curve{fill:none;stroke-width:2;stroke-linejoin:round}"
    f".plot .area{{opacity:.1}}.plot .mark{{stroke-width:1.5}}{LIGHT}@media (prefers-color-scheme:dark){{{DARK}}}"
)


@frozen
class _Frame:
    """From times and amounts to places in the picture."""

    from_ns: int
    to_ns: int
    low: Decimal
    high: Decimal

    def x(self, at_ns: int) -> float:
        share = (at_ns - self.from_ns) / max(self.to_ns - self.from_ns, 1)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, worth: Decimal) -> float:
        return TOP + float((self.high - worth) / (self.high - self.low)) * CURVE_HEIGHT


def reduced(marks: Sequence[Mark], most: int = POINTS_MAX) -> list[Mark]:
    """Return few enough marks to draw: of each stretch the lowest and the highest, so that no spike is lost."""
    if len(marks) <= most:
        return list(marks)
    width = -(-len(marks) // (most // 2))
    kept: list[Mark] = []
    for start in range(0, len(marks), width):
        stretch = marks[start : start + width]
        ends = {min(stretch, key=_worth).at_ns, max(stretch, key=_worth).at_ns}
        kept += [mark for mark in stretch if mark.at_ns in ends]
    return [marks[0], *(mark for mark in kept if marks[0].at_ns < mark.at_ns < marks[-1].at_ns), marks[-1]]


def plot(report: Report) -> str:
    """Return the picture as an SVG document of its own."""
    marks = reduced(report.marks)
    name = f"What {report.legs[0].base} on {report.legs[0].exchange} against {report.legs[1].exchange} was worth"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(name)}"><style>{STYLE}</style><rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>'
    )
    if not marks:
        return f'{head}<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">No price was seen.</text></svg>\n'
    worths = [mark.worth for mark in marks]
    scale = round_marks(min(ZERO, *worths), max(ZERO, *worths))
    frame = _Frame(marks[0].at_ns, marks[-1].at_ns, scale[0], scale[-1])
    parts = [
        *_scale(frame, scale, report.currency),
        *_times(frame),
        *_curve(frame, marks),
        *_trades(frame, report),
        *_naked(frame, report),
    ]
    return f"{head}{''.join(parts)}</svg>\n"


def _worth(mark: Mark) -> Decimal:
    return mark.worth


def _scale(frame: _Frame, scale: Sequence[Decimal], currency: str) -> Iterator[str]:
    yield f'<text class="title" x="{LEFT}" y="15">Made or lost, {escape(currency)}</text>'
    places = 0 if scale[1] - scale[0] >= 1 else 2
    for value in scale:
        y = frame.y(value)
        look = "grid" if value else "zero"
        yield f'<line class="{look}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        label = money(value) if places else f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _times(frame: _Frame) -> Iterator[str]:
    marks, days = time_marks(frame.from_ns, frame.to_ns)
    bottom = TOP + CURVE_HEIGHT
    for at_ns in marks:
        x = frame.x(at_ns)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        anchor = "end" if x > WIDTH - RIGHT - 30 else "middle"
        label = clock(at_ns, days=True)[:16] if days else clock(at_ns)
        yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="{anchor}">{label}</text>'


def _curve(frame: _Frame, marks: Sequence[Mark]) -> Iterator[str]:
    points = " ".join(f"{frame.x(mark.at_ns):.1f},{frame.y(mark.worth):.1f}" for mark in marks)
    zero = frame.y(ZERO)
    first, last = frame.x(marks[0].at_ns), frame.x(marks[-1].at_ns)
    yield f'<polygon class="area" points="{first:.1f},{zero:.1f} {points} {last:.1f},{zero:.1f}"/>'
    yield f'<polyline class="curve" points="{points}"/>'


def _trades(frame: _Frame, report: Report) -> Iterator[str]:
    """Draw a circle for an entry and a square for an exit where the line was when it ended."""
    marks, at = report.marks, 0
    for trade in sorted(report.trades, key=_ended):
        ended = _ended(trade)
        while at + 1 < len(marks) and marks[at + 1].at_ns <= ended:
            at += 1
        x, y = frame.x(ended), frame.y(min(max(marks[at].worth, frame.low), frame.high))
        look = f'class="mark {"well" if trade.status in GOOD else "ill"}"'
        told = escape(
            f"{trade.trade_id}: {trade.action}, {trade.status}, {amount(trade.quantity)} {report.legs[0].base}, "
            f"net {money(trade.net, report.currency)}, {clock(ended)}"
        )
        shape = (
            f'<circle {look} cx="{x:.1f}" cy="{y:.1f}" r="5">'
            if trade.is_entry
            else f'<rect {look} x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9">'
        )
        yield f"{shape}<title>{told}</title></{'circle' if trade.is_entry else 'rect'}>"


def _naked(frame: _Frame, report: Report) -> Iterator[str]:
    base = escape(report.legs[0].base)
    pieces = [(trade, piece) for trade in report.trades for piece in trade.naked]
    most = max((abs(piece.exposure) for _, piece in pieces), default=ZERO)
    middle = STRIP_TOP + STRIP_HEIGHT / 2
    said = f"at most {amount(most)} {base}" if pieces else "never beyond dust"
    yield f'<text class="title" x="{LEFT}" y="{STRIP_TOP - 8}">Naked, {base} ({said})</text>'
    yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{middle}" y2="{middle}"/>'
    for trade, piece in pieces:
        height = float(abs(piece.exposure) / most) * STRIP_HEIGHT / 2
        x, width = frame.x(piece.from_ns), max(frame.x(piece.to_ns) - frame.x(piece.from_ns), 1.5)
        y = middle - height if piece.exposure > 0 else middle
        told = escape(f"{trade.trade_id}: {amount(piece.exposure)} {report.legs[0].base} for {seconds(piece.seconds)}")
        yield (
            f'<rect class="naked" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
            f"<title>{told}</title></rect>"
        )
    yield (
        f'<text x="{LEFT}" y="{HEIGHT - 8}">Circles are entries, squares are exits; red ones came to no hedge. '
        "Times are UTC.</text>"
    )


def _ended(trade: Summary) -> int:
    return trade.began_ns if trade.ended_ns is None else trade.ended_ns
