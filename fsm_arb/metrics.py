"""Numbers for whoever watches: a port, and the silence that is the default."""

from __future__ import annotations

from typing import Protocol


class Metrics(Protocol):
    """Where numbers go. Called on the event loop, so it must return at once."""

    def count(self, name: str, **labels: str) -> None:
        """One more of *name*."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """One measurement of *name*; the unit is the name's last word (``commit_seconds``)."""
        ...


class NoMetrics:
    """Keeps no numbers."""

    def count(self, name: str, **labels: str) -> None:
        """Do nothing."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Do nothing."""
