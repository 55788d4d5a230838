"""The bot of an episode."""

from __future__ import annotations

from attrs import evolve
from episodes import calm, planned, played

from fsm_arb.testing.swarm.episode import Mishap


def test_every_decision_is_asked_for_and_answered() -> None:
    """Under its own id, and with the result of its own trade."""
    for seed in (2, 4, 7):
        world = played(calm(seed))
        asked = [f"t{ask.number}" for ask in world.episode.asks]
        assert sorted(world.bot.decisions) == sorted(asked)
        assert all(world.bot.results[name].trade_id == name for name in world.bot.results)
        assert set(world.bot.results) == set(world.trades)


def test_an_impatient_bot_asks_again_and_gets_the_same_trade() -> None:
    """Cancelling whoever waits cancels no trade."""
    episode = calm(4)
    hasty = evolve(episode, asks=tuple(evolve(ask, impatience_s=0.001) for ask in episode.asks))
    patient, world = played(episode), played(hasty)
    assert world.bot.results.keys() == patient.bot.results.keys()
    assert world.bot.broken == []


def test_a_bot_whose_process_dies_comes_back_for_its_answer() -> None:
    """From the next process, without a second trade."""
    world = played(calm(4, planned=(planned(Mishap.KILL, 0.0, "PLACING"), planned(Mishap.ABANDON, 0.4, number=2))))
    assert world.disk.epoch == 2
    assert set(world.bot.results) == set(world.trades)


def test_an_exit_leaves_the_oldest_position_that_is_open() -> None:
    """Each position once; where none opens in time, an entry is made instead."""
    exits = entries = 0
    for seed in range(2, 20):
        episode = calm(seed)
        asks = tuple(evolve(ask, exits=ask.number > 1, size=10.0) for ask in episode.asks)
        world = played(evolve(episode, asks=asks))
        left = [each.position_id for each in world.bot.decisions.values() if each.action.is_exit]
        assert len(left) == len(set(left))
        exits += len(left)
        entries += sum(each.action.is_entry for each in world.bot.decisions.values())
        if exits and entries > 3:
            return
    raise AssertionError("no position was ever left")
