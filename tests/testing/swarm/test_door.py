"""Our own half of a call, broken."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.ports import InDoubt, OrderRef, OrderRequest
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.door import AdapterTroubles, Door
from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.testing.swarm.process import Process
from fsm_arb.values import OrderType, Side
from fsm_arb.virtual import VirtualClock, run

REQUEST = OrderRequest(
    symbol="BTC/USDT",
    side=Side.BUY,
    amount=Decimal(1),
    order_type=OrderType.IOC,
    bound=Decimal(100),
    client_order_id="id1",
)
REF = OrderRef(symbol="BTC/USDT", side=Side.BUY, amount=Decimal(1), client_order_id="id1")


class Venue:
    """A venue that takes a second for everything."""

    has_secrets = True

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        async def call(*_: Any) -> Any:
            self.calls.append(name)
            await asyncio.sleep(1)
            return InDoubt(code="x", message=name)

        return call


def door(venue: Venue, process: Process | None = None, **troubles: float) -> tuple[Door, list[tuple[int, str]]]:
    struck: list[tuple[int, str]] = []

    def note(fault: int, _key: str, *, venue: str = "", client_order_id: str = "") -> None:
        assert venue == "alpha"
        struck.append((fault, client_order_id))

    made = Door("alpha", venue, process or Process(1), Chance(1), AdapterTroubles(**troubles), note)  # type: ignore[arg-type]
    return made, struck


def test_a_sound_door_hands_everything_through() -> None:
    """Every call of the port, once, with its answer."""
    venue = Venue()
    made, struck = door(venue)

    async def main() -> None:
        assert made.has_secrets
        assert (await made.place(REQUEST, lambda: True)).code == "x"  # type: ignore[union-attr]
        for call in (made.cancel(REF), made.observe(REF), made.balances(), made.book("s"), made.health()):
            assert (await call).message  # type: ignore[attr-defined]
        await made.rules("s")
        await made.close()

    run(main(), VirtualClock())
    assert venue.calls == ["place", "cancel", "observe", "balances", "book", "health", "rules", "close"]
    assert struck == []


def test_placing_raises_before_or_after_the_request_has_gone_out() -> None:
    """Either way nobody knows what became of it; both happen."""
    venue = Venue()
    made, struck = door(venue, place_raises=1.0)

    async def main() -> int:
        calls = [made.place(REQUEST, lambda: True) for _ in range(40)]
        return sum(isinstance(each, Injected) for each in await asyncio.gather(*calls, return_exceptions=True))

    raised = run(main(), VirtualClock())
    unsent = 40 - venue.calls.count("place")
    assert 0 < unsent < raised < 40
    assert struck == [(40, "id1")] * raised


def test_placing_is_cancelled_from_within_while_its_request_is_out() -> None:
    """As a cancellation that nobody has asked of the task."""
    venue = Venue()
    made, struck = door(venue, place_cancelled=1.0)

    async def main() -> None:
        task = asyncio.create_task(made.place(REQUEST, lambda: True))  # type: ignore[arg-type]
        await asyncio.wait({task})
        assert task.cancelled()
        assert task.cancelling() == 0

    run(main(), VirtualClock())
    assert venue.calls == ["place"]
    assert struck == [(45, "id1")]


@pytest.mark.parametrize("name", ["cancel", "observe", "balances", "book", "health"])
def test_any_other_call_may_raise_what_no_adapter_should(name: str) -> None:
    """Before it reaches the venue."""
    venue = Venue()
    made, struck = door(venue, others_raise=1.0)
    arguments = {"cancel": (REF,), "observe": (REF,), "book": ("s",)}.get(name, ())

    async def main() -> None:
        with pytest.raises(Injected):
            await getattr(made, name)(*arguments)

    run(main(), VirtualClock())
    assert venue.calls == []
    assert [fault for fault, _ in struck] == [39]


def test_a_dead_process_hears_nothing_from_a_venue() -> None:
    """Neither of what it asks nor of what it had asked."""
    venue, process = Venue(), Process(1)
    made, _ = door(venue, process)

    async def main() -> None:
        asked = asyncio.create_task(made.book("s"))  # type: ignore[arg-type]
        await asyncio.sleep(0.5)
        process.alive = False
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked, 60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(made.balances(), 60)

    run(main(), VirtualClock())
    assert venue.calls == ["book"]
