"""The pre-checks: may a trade be begun now?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import PAR, entry, leaving, policy

from fsm_arb.checks import NS_PER_S, Readings, refusal
from fsm_arb.fx import FxRate
from fsm_arb.values import Health, HealthStatus

D = Decimal
UP = Health(status=HealthStatus.UP, latency_ms=D("12.34"), clock_offset_ms=D(20))
DOWN = Health(status=HealthStatus.DOWN, note="no answer in 10 s")
DEGRADED = Health(status=HealthStatus.DEGRADED, note="slow")
KEYLESS = Health(status=HealthStatus.UP, has_secrets=False)
NOW = 1_000_000 * NS_PER_S


def readings(**changes: Any) -> Readings:
    return evolve(Readings(at_ns=NOW, health=(UP, UP), fx=PAR), **changes)


def rate(**changes: Any) -> FxRate:
    return evolve(PAR, source="book", **changes)


def at(seconds_ago: float) -> datetime:
    return datetime.fromtimestamp(NOW / NS_PER_S - seconds_ago, tz=UTC)


def test_all_well_means_no_refusal() -> None:
    """For an entry and for an exit."""
    assert refusal(entry(decided_at=at(9)), policy(), readings()) == ""
    assert refusal(leaving(), policy(), readings()) == ""


ENTRY_ONLY: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"health": (UP, DEGRADED)}, {}, "health: beta is degraded (slow)"),
    ({"health": (DEGRADED, UP)}, {}, "health: alpha is degraded (slow)"),
    (
        {"health": (evolve(UP, clock_offset_ms=D("5000.1")), UP)},
        {},
        "clock: alpha's differs from ours by 5000 ms (at most 5000 ms)",
    ),
    (
        {"health": (UP, evolve(UP, clock_offset_ms=D(-6000)))},
        {},
        "clock: beta's differs from ours by -6000 ms (at most 5000 ms)",
    ),
    ({"fx": "no rate from USDT to USD"}, {}, "fx: no rate from USDT to USD"),
    ({}, {"decided_at": at(10.5)}, "stale price: decided 10.5 s ago (at most 10 s)"),
    ({}, {"decided_at": at(-10.5)}, "stale price: decided 10.5 s in the future; a clock is wrong"),
    (
        {"fx": rate(confidence=D("0.5"))},
        {},
        "fx: USDT/USD from book has confidence 0.5 (at least 0.8)",
    ),
    ({"fx": rate(at_ns=NOW - 61 * NS_PER_S)}, {}, "fx: USDT/USD from book is 61 s old (at most 60 s)"),
    (
        {"fx": rate(at_ns=NOW + 61 * NS_PER_S)},
        {},
        "fx: USDT/USD from book was seen 61 s in the future; a clock is wrong",
    ),
    ({"fx": rate(base="USD", quote="USDT")}, {}, "fx: asked for USDT/USD, book told of USD/USDT"),
    ({"fx": rate(base="EUR")}, {}, "fx: asked for USDT/USD, book told of EUR/USD"),
    ({"risk": "risk: too much"}, {}, "risk: too much"),
]


@pytest.mark.parametrize(("changes", "decided", "said"), ENTRY_ONLY)
def test_what_makes_an_entry_unwise_makes_an_exit_no_less_needed(
    changes: dict[str, Any], decided: dict[str, Any], said: str
) -> None:
    """The entry is refused with venue or rule and numbers; the exit goes on."""
    assert refusal(entry(**decided), policy(), readings(**changes)) == said
    assert refusal(leaving(**decided), policy(), readings(**changes)) == ""


@pytest.mark.parametrize("decision", [entry(), leaving()], ids=["entry", "exit"])
@pytest.mark.parametrize(
    ("health", "said"),
    [
        ((UP, DOWN), "health: beta is down (no answer in 10 s)"),
        ((DOWN, UP), "health: alpha is down (no answer in 10 s)"),
        ((KEYLESS, UP), "secrets: the credentials of alpha are not all there"),
        (
            (DOWN, KEYLESS),
            "health: alpha is down (no answer in 10 s); secrets: the credentials of beta are not all there",
        ),
    ],
)
def test_a_venue_that_cannot_be_traded_on_blocks_both(decision: Any, health: tuple[Health, Health], said: str) -> None:
    """Each venue is named, where neither can."""
    assert refusal(decision, policy(), readings(health=health)) == said


def test_an_entry_names_a_degraded_venue_beside_one_that_is_down() -> None:
    """As the scenario of two troubled venues asks."""
    said = refusal(entry(), policy(), readings(health=(DEGRADED, DOWN)))
    assert said == "health: alpha is degraded (slow); health: beta is down (no answer in 10 s)"


@pytest.mark.parametrize(
    ("fx", "seconds"),
    [
        (rate(confidence=D("0.8")), 0),
        (rate(at_ns=NOW - 60 * NS_PER_S), 0),
        (rate(at_ns=NOW + 60 * NS_PER_S), 0),
        (rate(), 10),
    ],
)
def test_limits_are_allowed(fx: FxRate, seconds: int) -> None:
    """At most and at least mean that; a rate or a decision from the future is not old."""
    assert refusal(entry(decided_at=at(seconds)), policy(), readings(fx=fx)) == ""
    assert refusal(entry(decided_at=at(-5)), policy(), readings(fx=fx)) == ""


def test_an_offset_that_was_not_measured_says_nothing() -> None:
    """None is not zero, and no reason either."""
    assert refusal(entry(), policy(), readings(health=(evolve(UP, clock_offset_ms=None), UP))) == ""


def test_the_record_keeps_what_was_read() -> None:
    """In words."""
    assert readings().as_text() == {"health": "up in 12.3 ms; up in 12.3 ms", "fx": "1 from par"}
    said = readings(health=(evolve(UP, latency_ms=None), DOWN), fx="none").as_text()
    assert said == {"health": "up in 0.0 ms; down in 0.0 ms", "fx": "none"}
