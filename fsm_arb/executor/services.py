"""What every running trade shares."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import Factory, define, field

from fsm_arb.executor.leavings import Leavings
from fsm_arb.executor.troubles import Troubles
from fsm_arb.funds import Funds

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.alerts import Alerts
    from fsm_arb.executor.desk import Desk
    from fsm_arb.executor.entries import Entries
    from fsm_arb.executor.guarding import Guarding
    from fsm_arb.executor.positions import CrossExchangePositionManager
    from fsm_arb.metrics import Metrics
    from fsm_arb.ports import Clock
    from fsm_arb.residuals import Residuals
    from fsm_arb.scribe import Scribe


@define(eq=False)
class Services:
    """One executor's parts, as its trades use them."""

    desks: dict[str, Desk]
    scribe: Scribe
    positions: CrossExchangePositionManager
    alerts: Alerts
    metrics: Metrics
    clock: Clock
    fresh_id: Callable[[], str]
    entries: Entries
    guarding: Guarding
    funds: Funds = field(factory=Funds)
    leavings: Leavings = field(default=Factory(lambda self: Leavings(self.scribe), takes_self=True))
    troubles: Troubles = field(factory=Troubles)
    leaving: asyncio.Event = field(factory=asyncio.Event)  # the executor is being left
    fenced: bool = False  # another process has taken the journal over: send nothing

    @property
    def residuals(self) -> Residuals:
        """What finished trades have left of each asset."""
        return self.leavings.residuals

    @property
    def stop_entries(self) -> Callable[..., None]:
        """Called with why, when nothing new may be begun."""
        return self.entries.stop
