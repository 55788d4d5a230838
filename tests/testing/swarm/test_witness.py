"""Who looks on as an episode runs."""

from __future__ import annotations

from typing import Any

import pytest
from episodes import calm, played

from fsm_arb.messages import Moved
from fsm_arb.policy import seconds_ns
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.testing.swarm.running import Order, run_episode
from fsm_arb.testing.swarm.witness import Witness
from fsm_arb.trade import Trade


class Collector:
    """A checker that objects to nothing and keeps what it is shown."""

    number, name, claim = 99, "collector", ""

    def __init__(self) -> None:
        self.steps: list[tuple[Glimpse, Glimpse]] = []
        self.ends: list[Glimpse] = []

    def step(self, before: Glimpse, after: Glimpse) -> tuple[str, ...]:
        self.steps.append((before, after))
        return ()

    def rest(self, glimpse: Glimpse) -> tuple[str, ...]:
        self.ends.append(glimpse)
        return ()


def collected(monkeypatch: Any, seed: int) -> tuple[Collector, Any]:
    collector = Collector()
    real = Witness.__init__

    def init(self: Witness, checkers: Any, *rest: Any) -> None:
        real(self, (*checkers, collector), *rest)

    monkeypatch.setattr(Witness, "__init__", init)
    return collector, played(calm(seed))


def test_every_step_begins_where_the_last_one_ended(monkeypatch: Any) -> None:
    """No moment is left out, and none is judged twice; the end is judged once."""
    collector, _ = collected(monkeypatch, 4)
    assert len(collector.steps) > 10
    assert all(one[1] is other[0] for one, other in zip(collector.steps, collector.steps[1:], strict=False))
    assert len(collector.ends) == 1
    assert collector.ends[0].calm_since is not None
    assert not collector.ends[0].faults_on


def test_what_is_shown_of_a_trade_is_what_its_records_say(monkeypatch: Any) -> None:
    """At each step, for each trade: memory and journal are compared at the moment when they must agree."""
    collector, _ = collected(monkeypatch, 4)
    for _, after in collector.steps:
        for trade_id, trade in after.trades.items():
            folded = Trade.fold(trade_id, after.entries[trade_id], str)
            assert (folded.state, folded.ledger) == (trade.state, trade.ledger)


def test_edges_are_counted_from_what_is_durable(monkeypatch: Any) -> None:
    """As often as records say that they were taken."""
    collector, world = collected(monkeypatch, 7)
    moves = sum(isinstance(entry.fact, Moved) for entries in collector.ends[0].entries.values() for entry in entries)
    assert sum(world.witness.census.trade_edges.values()) == moves > 0


def test_a_create_is_shown_with_the_age_of_its_intent(monkeypatch: Any) -> None:
    """Each of them was durable before it came to a door."""
    collector, _ = collected(monkeypatch, 4)
    creates = collector.ends[0].creates
    assert creates
    assert all(create.durable and create.intent_age_ns is not None for create in creates)


def test_a_fault_counts_for_the_trades_that_it_meets() -> None:
    """By order, by record or by venue; else for all that are alive."""
    world = played(calm(4))
    witness = world.witness
    trade_id, trade = next((name, each) for name, each in witness.trades.items() if each.orders)
    before = sum(witness.census.struck.values())
    witness.struck(1, "a", client_order_id=trade.orders[0].intent.client_order_id)
    witness.struck(33, "b", streams=(f"trade/{trade_id}", "position/x"))
    witness.struck(37, "c")  # nobody is alive any more
    witness.struck(24, "d", venue="nowhere")
    assert sum(witness.census.struck.values()) == before + 2
    assert witness.struck_keys == witness.struck_keys | {"a": 1, "b": 33, "c": 37, "d": 24}


BETWEEN_TRIES = Order(seed=519797, only=frozenset())  # ends while a price is back that its last try had not met


def test_a_halted_trade_waits_for_its_next_try_and_is_not_blamed_for_it() -> None:
    """The last one met a wall, by the venues' own books."""
    told = run_episode(BETWEEN_TRIES)
    assert [str(violation) for violation in told.violations] == []
    assert sum(told.census.still_halted.values()) == 1


def test_a_halted_trade_that_tries_again_too_late_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same episode: a wall excuses no longer than until the next slow retry is due."""
    real = Trade._retry_due

    def late(trade: Trade, now: int) -> bool:
        return real(trade, now - 2 * seconds_ns(trade.policy.halted_retry_s))

    monkeypatch.setattr(Trade, "_retry_due", late)
    told = run_episode(BETWEEN_TRIES)
    assert [violation.number for violation in told.violations] == [16]
