"""Paper trading: venues of our port that match against the books they are fed, and nothing leaves the process."""

from __future__ import annotations

from fsm_arb.paper.desk import PaperDesk
from fsm_arb.paper.venue import PaperVenue

__all__ = ["PaperDesk", "PaperVenue"]
