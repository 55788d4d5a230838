"""Calling a person: always in the log, and nothing waits for a sink."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from fsm_arb import alerts
from fsm_arb.alerts import Alerts

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sink:
    """Keeps what it is sent; may be slow or broken."""

    def __init__(self, *, wait: float = 0, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []
        self.wait = wait
        self.error = error

    async def send(self, subject: str, body: str, labels: Mapping[str, str]) -> None:
        if self.wait:
            await asyncio.sleep(self.wait)
        if self.error:
            raise self.error
        self.sent.append((subject, body, labels))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


async def test_without_a_sink_an_alert_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """There is always somebody who can read it."""
    calling = Alerts()
    calling.raise_alert("trade t1 halted", "10 BTC is naked", {"trade": "t1"})
    await calling.close()
    assert errors(caplog) == ["trade t1 halted: 10 BTC is naked"]


async def test_a_sink_is_called_besides(caplog: pytest.LogCaptureFixture) -> None:
    """With subject, body and labels; none where none are given."""
    sink = Sink()
    calling = Alerts(sink)
    calling.raise_alert("a", "b", {"trade": "t1"})
    calling.raise_alert("c", "d")
    assert sink.sent == []  # it returned before anything was delivered
    await calling.close()
    assert sink.sent == [("a", "b", {"trade": "t1"}), ("c", "d", {})]
    assert errors(caplog) == ["a: b", "c: d"]


async def test_labels_are_those_of_the_moment() -> None:
    """What the caller does with its mapping afterwards makes no difference."""
    sink = Sink()
    calling = Alerts(sink)
    labels = {"trade": "t1"}
    calling.raise_alert("a", "b", labels)
    labels["trade"] = "t2"
    await calling.close()
    assert sink.sent[0][2] == {"trade": "t1"}


async def test_a_sink_that_fails_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """The next alert goes out all the same."""
    sink = Sink(error=OSError("no route"))
    calling = Alerts(sink)
    calling.raise_alert("a", "b")
    await calling.close()
    sink.error = None
    calling.raise_alert("c", "d")
    await calling.close()
    assert "the alert 'a' could not be delivered" in errors(caplog)
    assert [subject for subject, _, _ in sink.sent] == ["c"]


async def test_a_sink_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that leaving the executor ends."""
    monkeypatch.setattr(alerts, "SINK_TIMEOUT_S", 0.01)
    calling = Alerts(Sink(wait=60))
    calling.raise_alert("a", "b")
    await asyncio.wait_for(calling.close(), 5)
    assert "the alert 'a' could not be delivered" in errors(caplog)
