"""What happens to a bot's process and its machine."""

from __future__ import annotations

import pytest
from episodes import calm, planned, played

from fsm_arb.errors import JournalError, MachineError
from fsm_arb.journal import memory
from fsm_arb.testing.swarm.episode import Mishap

NUMBERS = {Mishap.KILL: 32, Mishap.ALTERED: 34, Mishap.JUMP: 36, Mishap.STALL: 37}
SEEDS = (2, 4, 7)  # of which each begins a trade that takes a while


@pytest.mark.parametrize("what", list(Mishap))
def test_every_trade_ends_well_whatever_happens_to_the_process(what: Mishap) -> None:
    """And the fault is counted against the trades that were alive."""
    met = 0
    for seed in SEEDS:
        both = planned(what, 0.0, "DONE", 0.5), planned(what, 0.0, "MONITORING", 0.01, number=2)
        world = played(calm(seed, planned=both))
        met += sum(count for (fault, _, _), count in world.witness.census.struck.items() if fault == NUMBERS.get(what))
        assert all(trade.done for trade in world.trades.values())
    if what in NUMBERS:
        assert met


def test_a_kill_waits_for_the_state_it_is_meant_for() -> None:
    """So that every state is one in which a process has died."""
    world = played(calm(4, planned=(planned(Mishap.KILL, 0.0, "MONITORING"),)))
    states = {state for (fault, state, _), count in world.witness.census.struck.items() if fault == 32 and count}
    assert "MONITORING" in states
    assert world.disk.epoch == 2


def test_a_process_that_was_taken_over_is_fenced_and_its_trades_go_on() -> None:
    """In the hands of the second one, whose epoch is later."""
    fenced = 0
    for seed in SEEDS:
        world = played(calm(seed, planned=(planned(Mishap.TAKEOVER, 0.0, "MONITORING"),)))
        fenced += sum(count for (fault, _, _), count in world.witness.census.struck.items() if fault == 35)
        assert world.disk.epoch == 2
    assert fenced


def test_an_altered_journal_that_is_taken_up_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor that starts on it does not pass."""
    monkeypatch.setattr(memory, "_verified", lambda disk: len(disk.records))
    monkeypatch.setattr(memory, "check", lambda _: b"")
    with pytest.raises((AssertionError, MachineError, JournalError)):
        played(calm(4, planned=(planned(Mishap.ALTERED, 0.0, "DONE", 0.5),)))
