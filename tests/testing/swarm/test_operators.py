"""The operator of an episode."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from episodes import calm, planned, played
from worlds import intent

from fsm_arb.errors import JournalFailed
from fsm_arb.messages import Busted, ExternalFill, Judged
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.testing.simulated import FaultKind
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.episode import Act, Episode
from fsm_arb.testing.swarm.operators import Operator
from fsm_arb.testing.swarm.process import Process
from fsm_arb.virtual import VirtualClock, run

SEEDS = range(2, 14)


def venues_with(episode: Episode, **faults: float) -> Episode:
    kinds = {FaultKind(name): probability for name, probability in faults.items()}
    return evolve(episode, venues=tuple(evolve(venue, faults=kinds) for venue in episode.venues))


def facts(kind: type, act: Act, policy: dict[str, object], **faults: float) -> int:
    """Return how many records of a kind some episodes with that act have brought."""
    found = 0
    for seed in SEEDS:
        episode = calm(seed, planned=(planned(act), planned(act, number=2)))
        episode = evolve(episode, policy=evolve(episode.policy, **policy))  # type: ignore[arg-type]
        world = played(venues_with(episode, **faults))
        found += sum(isinstance(entry.fact, kind) for entries in world.entries.values() for entry in entries)
        assert world.operator.broken == []
        if found:
            break
    return found


@pytest.mark.parametrize(
    ("kind", "act", "policy", "faults"),
    [
        (Busted, Act.BUST, {}, {}),
        (ExternalFill, Act.RESOLVE, {"attempts_max": 0, "halted_retry_s": 30}, {"partial": 0.6}),
        (Judged, Act.SETTLE, {"doubt_max_s": 5}, {"no_id_lost": 0.5}),
    ],
)
def test_what_an_operator_says_is_written_down_and_true(
    kind: type, act: Act, policy: dict[str, object], faults: dict[str, float]
) -> None:
    """And the books agree in the end, with what was done by hand and what was taken back."""
    assert facts(kind, act, policy, **faults)


def test_a_halted_trade_is_resumed_and_entries_are_let_in_again() -> None:
    """Both are counted as done, and every trade ends."""
    done = 0
    for seed in SEEDS:
        episode = calm(seed, planned=(planned(Act.RESUME, 0.0), planned(Act.STOP, 0.1, number=2)))
        episode = evolve(episode, policy=evolve(episode.policy, attempts_max=0))
        world = played(venues_with(episode, partial=0.6))
        done += world.operator.done["resume"]
        assert world.operator.done["stop"] == 1
        if done:
            return
    pytest.fail("no trade was ever halted")


class Clerk:
    """An office with one trade whose only order is in doubt, and an executor whose journal fails once."""

    def __init__(self) -> None:
        self.filled = Decimal(6)
        self.told: list[Decimal] = []
        self.order = Order(intent=intent(0), base="BTC", deadline=0)
        self.process = Process(1)
        self.over = False

    @property
    def executor(self) -> Clerk:
        return self

    @property
    def trades(self) -> dict[str, Any]:
        return {"t1": SimpleNamespace(trade_id="t1", orders=(self.order,))}

    async def running(self) -> Clerk:
        return self

    def orders(self) -> dict[str, Any]:
        fills = (SimpleNamespace(amount=self.filled, price=Decimal(100)),)
        return {self.order.intent.client_order_id: SimpleNamespace(filled=self.filled, fills=fills)}

    async def settle_order(self, _trade: str, _name: str, filled: Decimal, _why: str, price: Decimal | None) -> None:
        self.told.append(filled)
        assert price == 100
        self.filled = Decimal(3)  # the venue takes half of it back meanwhile
        if len(self.told) == 1:
            raise JournalFailed("no room")
        self.order = self.order.changed(lifecycle=Lifecycle.CLOSED)
        raise JournalFailed("no room for the answer")


def test_a_verdict_that_was_not_heard_is_looked_up_anew_and_one_that_stands_is_not_repeated() -> None:
    """Told again as it was, it would be an untrue one about what a bust has changed."""
    clerk = Clerk()

    async def main() -> bool:
        operator = Operator(clerk, Chance(1))  # type: ignore[arg-type]
        return await operator.settle(clerk.trades["t1"], clerk.order)

    assert run(main(), VirtualClock())
    assert clerk.told == [6, 3]
