"""Liveness: once the faults have stopped every trade ends, or has met a wall and said so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import NOTHING, SCRIPTS, objections, rested, seen, stepped, true_order
from worlds import SECOND, Walk, policy

from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.invariants.liveness import Liveness, doubt_max_ns, naked_max_ns

D = Decimal
CHECKER = Liveness()
CALM: dict[str, Any] = {"faults_on": False, "calm_since": 0}


def halted() -> Walk:
    return Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1)


def after(walk: Walk, seconds: float, **changes: Any) -> Glimpse:
    """Return a glimpse of calm venues, some seconds after the faults have stopped."""
    return seen(walk, true_order(walk, 0, 10), now=round(seconds * SECOND), **(CALM | changes))


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """They end."""
    assert objections(CHECKER, script) == []


def test_a_trade_that_has_not_ended_is_found() -> None:
    """Whatever it waits for."""
    walk = Walk().fills(0).ack(1, 4, ended=True)
    assert rested(CHECKER, seen(walk, **CALM)) == ["trade t1 is PARTIAL still, with -6 naked as we know it"]
    assert rested(CHECKER, seen(walk)) == []  # the faults have not stopped
    assert rested(CHECKER, seen(Walk(begin=False), **CALM)) == [
        "trade t1 is PRECHECK still, with 0 naked as we know it"
    ]


def test_an_order_that_lives_still_is_found() -> None:
    """Resting, or in doubt."""
    found = rested(CHECKER, seen(Walk().fills(0).doubt(1), **CALM))
    assert "trade t1: order c1 is in doubt still" in found
    found = rested(CHECKER, seen(Walk().fills(0).ack(1), **CALM))
    assert "trade t1: order c1 is open still" in found


def test_halted_needs_a_wall_and_an_alert_that_names_the_exposure() -> None:
    """A trade that could be mended, or of which nobody was told, has not kept the promise."""
    walk = halted()
    loud = ("trade t1 halted: -10 BTC is naked, -10 at worst; no answer",)
    assert rested(CHECKER, seen(walk, **CALM, alerts=loud, walls=frozenset({"t1"}))) == []
    (what,) = rested(CHECKER, seen(walk, **CALM, alerts=loud))
    assert what == "trade t1 is HALTED with -10 naked, and a remedy could be sent"
    for alerts in ((), ("trade t1 halted",), ("trade t2 halted: -10 BTC is naked",)):
        (what,) = rested(CHECKER, seen(walk, **CALM, alerts=alerts, walls=frozenset({"t1"})))
        assert what == "trade t1 is HALTED with -10 naked, and no alert says so"
    assert rested(Liveness(alerts=False), seen(walk, **CALM, walls=frozenset({"t1"}))) == []


def test_what_stays_naked_for_too_long_is_found() -> None:
    """By the venues' own books, from when the faults stopped; the policy's own numbers are the bound."""
    walk = halted()
    bound_s = naked_max_ns(walk.policy) / SECOND
    assert stepped(CHECKER, NOTHING, after(walk, bound_s)) == []
    (what,) = stepped(CHECKER, NOTHING, after(walk, bound_s + 1))
    assert f"trade t1 is HALTED and -10 BTC has been naked for {bound_s + 1:.1f} s on calm venues" in what
    assert stepped(CHECKER, NOTHING, after(walk, bound_s + 1, walls=frozenset({"t1"}))) == []
    assert stepped(CHECKER, NOTHING, after(walk, bound_s + 1, calm_since=2 * SECOND)) == []
    assert stepped(CHECKER, NOTHING, after(walk, bound_s + 1, faults_on=True)) == []
    assert stepped(CHECKER, NOTHING, after(walk, bound_s + 1, calm_since=None)) == []
    matched = evolve(after(walk, bound_s + 1), orders={})
    assert stepped(CHECKER, NOTHING, matched) == []


def test_what_stays_in_doubt_for_too_long_is_found() -> None:
    """Past the fence and three late looks on venues that answer."""
    walk = Walk().fills(0).doubt(1)
    bound_s = doubt_max_ns(walk.policy) / SECOND
    assert stepped(CHECKER, NOTHING, after(walk, bound_s)) == []
    (what,) = stepped(CHECKER, NOTHING, after(walk, bound_s + 1))
    assert f"order c1 has been in doubt for {bound_s + 1:.1f} s on calm venues; its policy allows" in what


def test_nothing_has_taken_long_before_it_began() -> None:
    """A clock that stands, and a trade that is younger than the calm."""
    walk = Walk().fills(0).doubt(1)
    assert stepped(CHECKER, NOTHING, after(walk, 0)) == []


def test_the_bounds_are_the_policys_numbers_added_up() -> None:
    """Each wait once, at its worst, by hand."""
    plain = policy(
        fill_timeout_s=5,
        request_timeout_s=10,
        absence_fence_s=15,
        poll_interval_s=D("0.5"),
        halted_retry_s=60,
        attempts_max=2,
        backoff_s=1,
    )
    assert doubt_max_ns(plain) == (10 + 15 + 3 * (5 + 10)) * SECOND
    first, each = 5 + 10 + 60, 3 * 10 + (5 + 10) + 5
    assert naked_max_ns(plain) == (first + 70 + 2 * each + 1) * SECOND
    assert naked_max_ns(evolve(plain, attempts_max=0)) == (first + 70 + each) * SECOND
