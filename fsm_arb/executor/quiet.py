"""The bot's metrics sink, wrapped: a number that cannot be delivered never stands in a trade's way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.metrics import Metrics

logger = logging.getLogger(__name__)


class QuietMetrics:
    """Hands numbers on; an error of the sink is logged once per kind and name, and swallowed."""

    def __init__(self, sink: Metrics) -> None:
        self._sink = sink
        self._told: set[tuple[str, str]] = set()

    def count(self, name: str, **labels: str) -> None:
        """One more of *name*."""
        self._try("count", name, lambda: self._sink.count(name, **labels))

    def observe(self, name: str, value: float, **labels: str) -> None:
        """One measurement of *name*."""
        self._try("observe", name, lambda: self._sink.observe(name, value, **labels))

    def _try(self, kind: str, name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            if (kind, name) not in self._told:
                self._told.add((kind, name))
                logger.exception("the metrics sink failed to %s %s; said once", kind, name)
