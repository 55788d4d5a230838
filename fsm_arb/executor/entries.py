"""Whether new entries may begin. What stopped them, and what lets them begin again."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_arb.alerts import Alerts
    from fsm_arb.ports import Journal

logger = logging.getLogger(__name__)


class Cause(enum.Enum):
    """What stopped entries."""

    FENCED = "fenced"  # another process drives the journal: for good
    ASKED = "asked"  # stop() was called
    ERROR = "error"  # an error of ours: until an operator has looked
    FULL = "full"  # no room on the disk: until the journal has some again
    COMMIT = "commit"  # a commit failed or is overdue: until one succeeds


class Entries:
    """The one switch that every opening asks."""

    def __init__(self, alerts: Alerts, journal: Journal) -> None:
        self._alerts = alerts
        self._journal = journal
        self._why: dict[Cause, str] = {}

    @property
    def stopped(self) -> str:
        """Why nothing new may begin; empty: it may."""
        return next((self._why[cause] for cause in Cause if cause in self._why), "")

    def stop(self, why: str, cause: Cause = Cause.ERROR) -> None:
        """Begin no new entry. A person is called for what nobody asked for, once for as long as it lasts."""
        if not self._why and cause is not Cause.ASKED:
            self._alerts.raise_alert("entries stopped", why)
        self._why[cause] = why

    def committed(self) -> None:
        """Take in that a commit has succeeded."""
        if not self._why:
            return
        self._lift(Cause.COMMIT)
        if not getattr(self._journal, "full", True):
            self._lift(Cause.FULL)

    def not_begun(self) -> None:
        """Take in that an opening whose commit failed was given up: nobody tries that commit again."""
        self._lift(Cause.COMMIT)

    def allow(self) -> None:
        """Let entries begin again, whatever stopped them, save a fence."""
        for cause in Cause:
            if cause is not Cause.FENCED:
                self._lift(cause)

    def _lift(self, cause: Cause) -> None:
        why = self._why.pop(cause, None)
        if why is not None and not self._why:
            logger.warning("entries may begin again; they had been stopped: %s", why)
