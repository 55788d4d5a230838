"""What holds on a venue holds for its time, and for what it is about."""

from __future__ import annotations

import pytest

from fsm_arb.testing.simulated.conditions import FOR_EVER, READS_FAIL_TIMES, Condition, Conditions
from fsm_arb.testing.simulated.kinds import Fault, FaultKind, Operation


def fault(kind: FaultKind, ms: int = 100, draw: float = 0.0) -> Fault:
    return Fault(kind=kind, key=f"key of {kind.value}", ms=ms, draw=draw)


def test_an_outage_turns_every_call_away_until_it_is_over() -> None:
    """At its last moment it no longer holds."""
    held = Conditions()
    held.begin(fault(FaultKind.DOWN), 1_000, None)
    for operation in Operation:
        found = held.against(operation, 1_099)
        assert found is not None
        assert (found[0].key, found[1]) == ("key of down", "ExchangeNotAvailable")
    assert held.against(Operation.CREATE, 1_100) is None


@pytest.mark.parametrize(
    ("kind", "operation", "error"),
    [
        (FaultKind.MAINTENANCE, Operation.BOOK, "OnMaintenance"),
        (FaultKind.MAINTENANCE, Operation.STATUS, None),  # it says so instead
        (FaultKind.BANNED, Operation.TIME, "DDoSProtection"),
        (FaultKind.REVOKED, Operation.CREATE, "AuthenticationError"),
        (FaultKind.REVOKED, Operation.BALANCE, "AuthenticationError"),
        (FaultKind.REVOKED, Operation.BOOK, None),  # prices are for everybody
        (FaultKind.HALT, Operation.CREATE, None),  # the venue itself refuses it, once it looks
        (FaultKind.READS_FAIL, Operation.CANCEL, None),
    ],
)
def test_each_turns_away_what_it_is_about(kind: FaultKind, operation: Operation, error: str | None) -> None:
    """And nothing else."""
    held = Conditions()
    held.begin(fault(kind), 0, None)
    found = held.against(operation, 1)
    assert (found[1] if found else None) == error


def test_reads_fail_some_times_and_then_no_more() -> None:
    """One more than the four after which some bots call an order lost."""
    held = Conditions()
    held.begin(fault(FaultKind.READS_FAIL), 0, None)
    turned_away = [held.against(Operation.FETCH, 10**9) is not None for _ in range(READS_FAIL_TIMES + 2)]
    assert turned_away == [True] * READS_FAIL_TIMES + [False, False]


def test_a_market_s_own_leaves_other_markets_alone() -> None:
    """What is of the whole venue is of each market."""
    held = Conditions()
    held.begin(fault(FaultKind.HALT), 0, "BTC/USDT")
    assert held.of(FaultKind.HALT, 1, "BTC/USDT") is not None
    assert held.of(FaultKind.HALT, 1, "ETH/USDT") is None
    held.begin(fault(FaultKind.HALT), 0, None)
    assert held.of(FaultKind.HALT, 1, "ETH/USDT") is not None


def test_a_clock_is_off_either_way_by_up_to_three_seconds() -> None:
    """Drawn with the fault."""
    sizes = [Conditions().begin(fault(FaultKind.SKEW, draw=n / 1000), 0, None).size for n in range(1000)]
    assert min(sizes) < -1_000
    assert max(sizes) > 1_000
    assert all(100 <= abs(size) <= 3_000 for size in sizes)


def test_the_later_of_one_kind_takes_the_earlier_one_s_place() -> None:
    """So an outage is not prolonged by one that ended before."""
    held = Conditions()
    held.begin(fault(FaultKind.DOWN, ms=1_000), 0, None)
    held.begin(fault(FaultKind.DOWN, ms=10), 0, None)
    assert held.against(Operation.BOOK, 11) is None


def test_healing_leaves_what_was_put_there_by_hand() -> None:
    """It is lifted by hand."""
    held = Conditions()
    held.begin(fault(FaultKind.DOWN), 0, None)
    held.hold(Condition(FaultKind.HALT, "by hand", FOR_EVER, "BTC/USDT", by_hand=True))
    held.heal()
    assert held.against(Operation.BOOK, 1) is None
    assert held.of(FaultKind.HALT, 10**15, "BTC/USDT") is not None
    held.lift(FaultKind.HALT, "BTC/USDT")
    assert held.of(FaultKind.HALT, 1, "BTC/USDT") is None
