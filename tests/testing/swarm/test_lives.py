"""The lives of a bot."""

from __future__ import annotations

from episodes import calm, planned, played

from fsm_arb.testing.swarm.episode import Mishap
from fsm_arb.testing.swarm.journal import DiskTroubles


def test_a_process_is_begun_whenever_none_runs() -> None:
    """Killed or left, the next one takes up what is durable, in an epoch of its own."""
    mishaps = (planned(Mishap.KILL, 0.0, "MONITORING"), planned(Mishap.LEAVE, 0.0, "DONE", 1.0, number=2))
    world = played(calm(4, planned=mishaps))
    assert world.disk.epoch == 3
    assert len({record.epoch for record in world.disk.records}) > 1
    assert all(trade.finished for trade in world.trades.values())


def test_a_process_that_cannot_start_is_begun_again() -> None:
    """A journal that fails while it is taken up is no reason to stay away."""
    found = 0
    for seed in (2, 4, 7, 9):
        mishaps = (planned(Mishap.KILL, 0.0, "MONITORING"), planned(Mishap.KILL, 0.0, "DONE", number=2))
        world = played(calm(seed, planned=mishaps, disk=DiskTroubles(failed=0.15, span_s=2)))
        found += world.disk.epoch > 1
        assert all(trade.finished for trade in world.trades.values())
    assert found


def test_nobody_holds_the_journal_in_the_end() -> None:
    """The bot is left as bots are left."""
    assert played(calm(2)).disk.driver is None
