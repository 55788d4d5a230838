"""Calling a person. An ERROR in the log always; the bot's own sink besides, where it gave one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.ports import AlertSink

logger = logging.getLogger(__name__)

SINK_TIMEOUT_S = 30.0


class Alerts:
    """Delivers alerts in the background: hedging never waits for it, and a sink that fails is logged."""

    def __init__(self, sink: AlertSink | None = None) -> None:
        self._sink = sink
        self._sending: set[asyncio.Task[None]] = set()

    def raise_alert(self, subject: str, body: str, labels: Mapping[str, str] | None = None) -> None:
        """Log at ERROR and hand on to the sink. Returns at once."""
        logger.error("%s: %s", subject, body)
        if self._sink is None:
            return
        task = asyncio.get_running_loop().create_task(self._send(self._sink, subject, body, dict(labels or {})))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, sink: AlertSink, subject: str, body: str, labels: Mapping[str, str]) -> None:
        try:
            await asyncio.wait_for(sink.send(subject, body, labels), SINK_TIMEOUT_S)
        except Exception:
            logger.exception("the alert %r could not be delivered", subject)

    async def close(self) -> None:
        """Wait for what is being delivered."""
        if self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)
