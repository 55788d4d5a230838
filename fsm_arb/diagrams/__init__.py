"""Draw a machine from the rows that run: Mermaid text, a Markdown table, and SVG.

Nothing here knows an edge of its own. The happy path is what the tables say it
is: from the initial state along the first row of each state. What is off it
stands in a group of its own, so that the eye meets first what should happen.
"""

from __future__ import annotations

from fsm_arb.diagrams.files import check_diagrams, write_diagrams
from fsm_arb.diagrams.markdown import markdown
from fsm_arb.diagrams.mermaid import mermaid
from fsm_arb.diagrams.paths import Reach, aside, happy_path
from fsm_arb.diagrams.svg import can_draw_svg, svg

__all__ = [
    "Reach",
    "aside",
    "can_draw_svg",
    "check_diagrams",
    "happy_path",
    "markdown",
    "mermaid",
    "svg",
    "write_diagrams",
]
