"""Observers hear everything at the moment it happens."""

from __future__ import annotations

from decimal import Decimal

from stages import Stage

from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.simulated import FaultHit, FaultKind, Observer


def test_an_observer_need_not_listen() -> None:
    """What it does not override does nothing."""
    observer = Observer()
    observer.on_create("alpha", "ours")
    observer.on_execution("alpha", None, VenueFill(fill_id="1", amount=Decimal(1), price=Decimal(1)))
    observer.on_fault(
        FaultHit(number=1, kind=FaultKind.LOST_AFTER, key="k", venue="alpha", symbol=None, client_id=None, at=0)
    )
    stage = Stage(observers=[observer])
    stage.run(stage.buy())
    assert stage.sim.venue_orders()["ours"].filled == Decimal("0.5")


def test_a_create_is_told_before_anything_else_happens_to_it(stage: Stage) -> None:
    """Also before it is lost; then its execution, under the same id."""
    stage.sim.inject("alpha", "lost_after")
    stage.run(swallow(stage.buy()))
    words = [word for word, _ in stage.seen.told]
    assert words == ["create", "fault", "execution"]
    assert stage.seen.told[0][1] == ("alpha", "ours")
    venue, client_id, fill = stage.seen.told[2][1]
    assert (venue, client_id, fill.amount, fill.price) == ("alpha", "ours", Decimal("0.5"), Decimal(101))


def test_a_hit_names_its_fault_whole(stage: Stage) -> None:
    """Row, kind, key, where, which order, when."""
    (key,) = stage.sim.inject("alpha", FaultKind.REFUSED)
    stage.run(swallow(stage.buy()))
    assert stage.seen.hits() == [
        FaultHit(
            number=41,
            kind=FaultKind.REFUSED,
            key=key,
            venue="alpha",
            symbol="BTC/USDT",
            client_id="ours",
            at=stage.seen.hits()[0].at,
        )
    ]
    assert stage.seen.hits()[0].at == 10_000_000  # half of the way there and back


async def swallow(call: object) -> None:
    try:
        await call  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001
        assert type(error).__module__ == "ccxt.base.errors"  # noqa: PT017 - nothing else may come
