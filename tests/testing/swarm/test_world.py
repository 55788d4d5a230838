"""The course of one episode."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_arb import choice
from fsm_arb.executor.tending import Tending
from fsm_arb.ledger import Ledger
from fsm_arb.testing.swarm.running import Order, run_episode
from fsm_arb.testing.swarm.world import World


def failing(seed: int) -> list[str]:
    return [str(violation) for violation in run_episode(Order(seed=seed)).violations]


def test_an_episode_without_faults_ends_with_every_trade_done() -> None:
    """And takes no step that any invariant objects to."""
    told = run_episode(Order(seed=2, only=frozenset()))
    assert told.violations == ()
    assert not told.struck
    assert sum(told.census.still_halted.values()) == 0
    assert sum(told.census.judged.values()) > 100


def found_out(invariant: int, seeds: range = range(12)) -> bool:
    """Whether some episode of a few objects, by that invariant."""
    return any(each.startswith(f"invariant {invariant} ") for seed in seeds for each in failing(seed))


def test_an_order_that_is_sent_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A swarm that lets such a bot pass would prove nothing."""
    real = Tending.send

    def twice(self: Tending, *rest: Any) -> None:
        real(self, *rest)
        real(self, *rest)

    monkeypatch.setattr(Tending, "send", twice)
    assert found_out(3)


def test_a_remedy_that_is_too_large_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It over-hedges, by our books and by the venues'."""
    real = choice._quantity
    monkeypatch.setattr(choice, "_quantity", lambda *rest: real(*rest) * 2)
    assert found_out(2)


def test_an_end_that_is_not_flat_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trade that calls itself matched with a leg naked."""
    monkeypatch.setattr(Ledger, "within_dust", property(lambda _: True))
    assert found_out(7)


def test_a_trade_that_never_ends_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for something that has no end."""
    monkeypatch.setattr("fsm_arb.trade.Trade.wants_survey", lambda *_: False)
    assert found_out(15)


def test_asking_again_is_part_of_every_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor that sends again for a decision that has ended does not pass."""
    asked: list[int] = []
    real = World._ask_again

    async def counting(self: World) -> None:
        asked.append(len(self.bot.decisions))
        await real(self)

    monkeypatch.setattr(World, "_ask_again", counting)
    assert failing(2) == []
    assert asked
    assert asked[0] > 0
