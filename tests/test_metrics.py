"""Numbers for whoever watches."""

from __future__ import annotations

from fsm_arb.metrics import Metrics, NoMetrics


def test_silence_is_the_default() -> None:
    """It takes what the port takes, keeps nothing and returns nothing."""
    metrics: Metrics = NoMetrics()
    assert metrics.count("trades", outcome="success") is None  # type: ignore[func-returns-value]
    assert metrics.observe("commit_seconds", 0.1, venue="alpha") is None  # type: ignore[func-returns-value]
    assert vars(metrics) == {}
