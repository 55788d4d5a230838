"""The scenarios of decisions, row by row: what is judged, and what comes out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from moments import FX, NOW, SECOND, UP, held, moment, strategy

import fsm_arb.strategy as room
from fsm_arb.spread import Direction, direction_of, spread_pct
from fsm_arb.strategy import ReasonCode
from fsm_arb.values import Action, HealthStatus, Money

D = Decimal
KEYLESS = evolve(UP, has_secrets=False)
DEGRADED = evolve(UP, status=HealthStatus.DEGRADED, note="slow")
DOWN = evolve(UP, status=HealthStatus.DOWN, note="no answer in 10 s")
THIN = Money(D(50_000_000), "KRW")


@pytest.mark.parametrize(
    ("pct", "action"),
    [
        pytest.param("1", Action.ENTRY_POSITIVE, id="entry positive: +1 %, threshold 0.5 %"),
        pytest.param("-1", Action.ENTRY_NEGATIVE, id="entry negative: -1 %, threshold 0.5 %"),
        pytest.param("0.5", Action.ENTRY_POSITIVE, id="at the threshold"),
    ],
)
def test_entries(pct: str, action: Action) -> None:
    """A spread beyond the threshold is entered, and the dear venue is the one that is sold."""
    verdict = strategy(entry_pct="0.5").entry(moment(pct))
    assert verdict.action is action
    assert verdict.reason.code is ReasonCode.ENTRY
    assert verdict.spread is not None
    assert abs(verdict.spread.decides.pct - D(pct)) < D("1e-20")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        pytest.param({"health": (UP, KEYLESS)}, ReasonCode.SECRETS, "binance", id="no secrets"),
        pytest.param({"health": (DEGRADED, UP)}, ReasonCode.HEALTH, r"upbit is degraded \(slow\)", id="unhealthy"),
        pytest.param({"health": (UP, DOWN)}, ReasonCode.HEALTH, "binance is down", id="unhealthy: down"),
        pytest.param(
            {"fx": evolve(FX, confidence="0.5")},
            ReasonCode.FX_CONFIDENCE,
            r"has confidence 0\.5 \(at least 0\.8\)",
            id="FX confidence 0.5",
        ),
        pytest.param(
            {"liquidity": THIN}, ReasonCode.LIQUIDITY, r"50000000 KRW .*\(at least 100000000\)", id="liquidity 50M"
        ),
    ],
)
def test_gates(changes: dict[str, Any], code: ReasonCode, words: str) -> None:
    """What would be entered is not, and the reason names what is wrong and the numbers."""
    context = moment("1", **changes)
    verdict = strategy(liquidity_min=Money(D(100_000_000), "KRW")).entry(context)
    assert (verdict.action, verdict.reason.code) == (Action.NO_ACTION, code)
    assert re.search(words, str(verdict.reason))


def test_gate_spread() -> None:
    """0.2 % is not enough where 0.5 % is asked for."""
    verdict = strategy(entry_pct="0.5").entry(moment("0.2"))
    assert (verdict.action, verdict.reason.code) == (Action.NO_ACTION, ReasonCode.SPREAD)
    assert verdict.reason.numbers["limit"] == D("0.5")
    assert str(verdict.reason).startswith("spread: net +0.200 % is below 0.500 %")


@pytest.mark.parametrize(
    ("entered", "now", "changes", "action"),
    [
        pytest.param("1.0", "0.5", {}, Action.EXIT_TP, id="take profit: 1.0 to 0.5"),
        pytest.param("1.0", "1.5", {}, Action.EXIT_SL, id="stop loss: 1.0 to 1.5"),
        pytest.param(
            "1.0", "1.0", {"opened_at_ns": NOW - 120 * SECOND}, Action.EXIT_TIMEOUT, id="time-out: held 120 s, limit 60"
        ),
        pytest.param("0.3", "-0.1", {}, Action.EXIT_REVERSAL, id="reversal: +0.3 to -0.1 with TP 0.5"),
        pytest.param("1.0", "0.95", {}, Action.NO_ACTION, id="hold: 1.0 to 0.95"),
        pytest.param("-1.0", "-0.5", {}, Action.EXIT_TP, id="take profit, entered on the other side"),
        pytest.param("-1.0", "-1.5", {}, Action.EXIT_SL, id="stop loss, entered on the other side"),
        pytest.param("-0.3", "0.1", {}, Action.EXIT_REVERSAL, id="reversal, entered on the other side"),
        pytest.param("-1.0", "-0.95", {}, Action.NO_ACTION, id="hold, entered on the other side"),
    ],
)
def test_exits(entered: str, now: str, changes: dict[str, Any], action: Action) -> None:
    """Each exit has its one cause, and what holds says so."""
    position = held(entered, **changes)
    verdict = strategy(take_profit_pct="0.5", stop_loss_pct="0.5", hold_max_s=60).exit(moment(now), position)
    assert verdict.action is action
    code = {
        Action.EXIT_TP: ReasonCode.TAKE_PROFIT,
        Action.EXIT_SL: ReasonCode.STOP_LOSS,
        Action.EXIT_TIMEOUT: ReasonCode.TIMEOUT,
        Action.EXIT_REVERSAL: ReasonCode.REVERSAL,
        Action.NO_ACTION: ReasonCode.HOLD,
    }[action]
    assert verdict.reason.code is code


@pytest.mark.parametrize("health", [(UP, DOWN), (DEGRADED, UP)])
def test_exit_health(health: Any) -> None:
    """A position on a venue that is unhealthy is left."""
    verdict = strategy().exit(moment("1", health=health), held("1"))
    assert (verdict.action, verdict.reason.code) == (Action.EXIT_HEALTH, ReasonCode.HEALTH)


@pytest.mark.parametrize(
    ("premium", "pct", "direction"),
    [
        pytest.param(52_600_000, "1.15", Direction.POSITIVE, id="52.6M against 40k at 1300"),
        pytest.param(52_000_000, "0.00", Direction.NEUTRAL, id="52.0M against 40k at 1300"),
        pytest.param(50_000_000, "-3.85", Direction.NEGATIVE, id="50.0M against 40k at 1300"),
    ],
)
def test_spread(premium: int, pct: str, direction: Direction) -> None:
    """The formula, its sign, and nothing below 0.1 %."""
    found = spread_pct(D(premium), D(40_000), D(1300))
    assert round(found, 2) == D(pct)
    assert direction_of(found) is direction


ORDER = [
    (((UP, DOWN), 120, "-0.6"), Action.EXIT_HEALTH),
    (((UP, UP), 120, "-0.6"), Action.EXIT_TIMEOUT),
    (((UP, UP), 1, "-0.6"), Action.EXIT_REVERSAL),
    (((UP, UP), 1, "0.05"), Action.EXIT_TP),
    (((UP, UP), 1, "2.5"), Action.EXIT_SL),
]


@pytest.mark.parametrize(("case", "action"), ORDER)
def test_exit_gates_are_judged_in_order(case: Any, action: Action) -> None:
    """Health, time-out, reversal, take profit, stop loss: of several that hold, the first is the answer."""
    health, age_s, now = case
    position = held("1", opened_at_ns=NOW - age_s * SECOND)
    assert strategy(hold_max_s=60).exit(moment(now, health=health), position).action is action


def test_the_room_shows_what_a_bot_needs() -> None:
    """The port, the one that stands ready, and its words."""
    assert all(hasattr(room, name) for name in room.__all__)
