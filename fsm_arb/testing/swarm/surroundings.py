"""What a bot brings along, and what goes wrong with it: its clock, its alert sink, its ids, its rates."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from fsm_arb.ids import client_order_id
from fsm_arb.testing.swarm.journal import Injected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsm_arb.ports import Clock
    from fsm_arb.testing.swarm.chance import Chance


class OwnClock:
    """The clock of the bot's machine. Its wall clock jumps; the venues' clocks do not."""

    def __init__(self, true: Clock) -> None:
        self._true = true
        self._ahead_ns = 0

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump."""
        return self._true.monotonic_ns()

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, UTC, as this machine believes."""
        return self._true.time_ns() + self._ahead_ns

    def jump(self, ns: int) -> None:
        """Set the wall clock ahead by *ns*, or back."""
        self._ahead_ns += ns

    def correct(self) -> None:
        """Set the wall clock right."""
        self._ahead_ns = 0


class SwarmAlerts:
    """An alert sink that is down, slow or raises, and keeps what it was told.

    Args:
        chance: Decides.
        probability: Of trouble, per alert.
        struck: Called with the fault's number and key when one takes effect.
    """

    def __init__(self, chance: Chance, probability: float, struck: Callable[[int, str], None]) -> None:
        self.told: list[str] = []
        self._chance = chance
        self._probability = probability
        self._struck = struck
        self._count = 0

    async def send(self, subject: str, body: str, labels: Mapping[str, str]) -> None:
        """Take in an alert, or fail to."""
        self._count += 1
        self.told.append(f"{subject}: {body} {dict(labels)}")
        key = f"alert {self._count}"
        if not self._chance.strikes(key, self._probability):
            return
        self._struck(38, key)
        if self._chance.one_of(key, (True, False)):
            await asyncio.sleep(self._chance.between(key, 1, 120))
        raise ConnectionError("the alert sink is down")


def ids_for(
    seed: int | str, chance: Chance, probability: float, struck: Callable[[int, str], None]
) -> Callable[[int], Callable[[], str]]:
    """Return the executor's source of client order ids: repeatable, fresh in every epoch, and at times broken.

    Args:
        seed: The episode's.
        chance: Decides when it breaks.
        probability: Of an error of our own, per id.
        struck: Called with the fault's number and key when one takes effect.
    """

    def of_epoch(epoch: int) -> Callable[[], str]:
        count = 0

        def fresh() -> str:
            nonlocal count
            count += 1
            key = f"e{epoch}/id {count}"
            if chance.strikes(key, probability):
                struck(39, key)
                raise Injected("a bug where ids are made")
            drawn = hashlib.blake2b(f"{seed}/{epoch}/{count}".encode(), digest_size=8).digest()
            return client_order_id(epoch, int.from_bytes(drawn))

        return fresh

    return of_epoch
