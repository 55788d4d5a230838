"""What a bot's test stands on: venues, clock, journal, alerts and executors that belong together."""

from __future__ import annotations

import asyncio
import hashlib
import random
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fsm_arb.clock import NS_PER_S
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.executor.executor import CrossExchangeExecutor
from fsm_arb.fx import StaticFx
from fsm_arb.ids import ID_BITS, client_order_id
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.testing.simulated import SimulatedVenues
from fsm_arb.values import Action, Leg, Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.testing.simulated import FaultKind, FaultPlan, VenueOptions
    from fsm_arb.virtual import VirtualClock

LEGS = (Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT"))
FX = {"USDT/KRW": "1400"}
NOTIONAL = Money(Decimal(1_000_000), "KRW")
_SEED_BYTES = 8


def seed_of(name: str, base: int) -> int:
    """Return the seed of the test called *name*: the same in every process, another for each name and *base*."""
    return int.from_bytes(hashlib.blake2b(f"{base}/{name}".encode(), digest_size=_SEED_BYTES).digest())


class Sink:
    """An alert sink that remembers.

    Attributes:
        alerts: What it was told: subject and body, oldest first.
    """

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str]] = []

    async def send(self, subject: str, body: str, labels: Mapping[str, str]) -> None:
        """Remember one alert."""
        del labels
        self.alerts.append((subject, body))


class BotWorld:
    """One test's world; its parts are made when they are first asked for.

    Args:
        clock: Both clocks.
        seed: Where everything drawn comes from, client order ids too.

    Attributes:
        alerts: Who is called when a trade halts.
        disk: What a killed executor's journal leaves to the next one.
    """

    def __init__(self, clock: VirtualClock, seed: int) -> None:
        self.clock, self.seed = clock, seed
        self.alerts = Sink()
        self.disk = MemoryDisk()

    @cached_property
    def venues(self) -> SimulatedVenues:
        """Two venues without faults, unless `simulate` has made others."""
        return SimulatedVenues(self.clock, seed=self.seed)

    def simulate(
        self,
        *,
        venues: Iterable[str | VenueOptions] = ("upbit", "binance"),
        faults: FaultPlan | Mapping[FaultKind, float] | str = "none",
    ) -> SimulatedVenues:
        """Make the venues of this world, as `SimulatedVenues` does, and return them."""
        self.venues = SimulatedVenues(self.clock, seed=self.seed, venues=venues, faults=faults)
        return self.venues

    @cached_property
    def journal(self) -> MemoryJournal:
        """The journal of this world."""
        return MemoryJournal(self.disk)

    def executor(self, policy: ExecutionPolicy | None = None, **others: Any) -> CrossExchangeExecutor:
        """Return an executor over this world, to be entered with ``async with``.

        Args:
            policy: None: the default.
            others: Whatever else `CrossExchangeExecutor` takes; it goes before what this world would give.
        """
        given: dict[str, Any] = {
            "venues": self.venues.exchanges(),
            "journal": self.journal,
            "fx": StaticFx(FX),
            "policy": policy,
            "clock": self.clock,
            "alerts": self.alerts,
            "ids": self._ids,
        }
        return CrossExchangeExecutor(**(given | others))

    def _ids(self, epoch: int) -> Callable[[], str]:
        chance = random.Random(f"{self.seed}/{epoch}")  # noqa: S311 - ids that a seed repeats
        return lambda: client_order_id(epoch, chance.getrandbits(ID_BITS))

    def decision(
        self,
        action: Action = Action.ENTRY_POSITIVE,
        *,
        legs: tuple[Leg, Leg] = LEGS,
        notional: Money | None = NOTIONAL,
        **others: Any,
    ) -> CrossExchangeDecision:
        """Return a decision made on the middle of both books as they stand now.

        Args:
            action: What to do.
            legs: The two markets.
            notional: How much of ``legs[0]``; None for an exit.
            others: Whatever else `CrossExchangeDecision` takes.
        """
        first, second = (self.price(leg) for leg in legs)
        given: dict[str, Any] = {"action": action, "legs": legs, "notional": notional, "prices": (first, second)}
        return CrossExchangeDecision(**(given | others))

    async def calm(self, seconds: float = 400.0) -> None:
        """Stop the faults, let all that is still on its way arrive, and let *seconds* pass.

        Args:
            seconds: More than the default policy's watch over finished orders.
        """
        self.venues.heal()
        while (due := self.venues.still_to_come()) is not None:  # noqa: ASYNC110 - it is known when to look
            await asyncio.sleep(max(due - self.clock.monotonic_ns(), 1) / NS_PER_S)  # one late event may set another
        await asyncio.sleep(seconds)

    def price(self, leg: Leg) -> Decimal:
        """Return the middle of a leg's book as it stands now, quote per base."""
        venue = self.venues.venues[leg.exchange]
        venue.advance()
        return venue.engine.liquidity.mark(leg.symbol, venue.now_ms())


def deepen(times: int) -> None:
    """Let Hypothesis try *times* as many examples, wherever a test does not say how many itself."""
    from hypothesis import settings

    default = settings.default
    if default is not None:
        name = f"fsm_arb-{times}"
        settings.register_profile(name, parent=default, max_examples=default.max_examples * times)
        settings.load_profile(name)
