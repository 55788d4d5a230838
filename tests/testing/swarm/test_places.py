"""The simulated venues, as an episode needs them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fsm_arb.messages import Intent, Purpose
from fsm_arb.orders import Order
from fsm_arb.testing.swarm.drawing import draw
from fsm_arb.testing.swarm.places import CALM_DEPTH, Places
from fsm_arb.values import OrderType, Side
from fsm_arb.virtual import VirtualClock, run


class Witness:
    """Who is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def intended_at(self, name: str) -> int | None:
        return 0 if name == "written" else None

    def step(self) -> None:
        self.heard.append("step")

    def soon(self) -> None:
        self.heard.append("soon")

    def struck(self, fault: int, key: str, **_: Any) -> None:
        self.heard.append(f"{fault} {key}")


def places(seed: int = 1, focus: str = "", **masks: Any) -> tuple[Places, VirtualClock, list[str]]:
    clock, told = VirtualClock(), list[str]()
    masks = {"mask": frozenset(), "only": None} | masks
    return Places(draw(seed, focus), clock, told=told.append, **masks), clock, told


def order(**changes: Any) -> Order:
    values: dict[str, Any] = {"amount": Decimal(1), "side": Side.BUY, "client_order_id": "x"} | changes
    intent = Intent(
        index=0,
        leg=0,
        purpose=Purpose.FIRST,
        order_type=OrderType.IOC,
        bound=Decimal(1),
        reduce_only=False,
        deadline=0,
        **values,
    )
    return Order(intent=intent, base="BTC", deadline=0)


def test_whoever_comes_to_a_door_is_written_down() -> None:
    """With whether that order had been written down before, and how long before."""
    made, clock, _ = places()
    witness = Witness()
    made.watch(witness)  # type: ignore[arg-type]
    clock.advance(7)
    made.on_create("binance", "written")
    made.on_create("binance", "unwritten")
    assert [(each.client_order_id, each.durable, each.intent_age_ns) for each in made.creates()] == [
        ("written", True, 7),
        ("unwritten", False, None),
    ]
    assert witness.heard == ["step", "step"]


def test_what_changes_hands_on_margin_is_no_balance() -> None:
    """Only spot venues tell of balances that moved."""
    for seed in range(40):
        made, _, _ = places(seed)
        margin = {each.name for each in draw(seed, "").venues if each.options.margin}
        assert set(made.moved()) == {each.name for each in draw(seed, "").venues} - margin
        assert all(not moved for row in made.moved().values() for moved in row.values())


def test_an_operator_trades_where_there_is_somebody_to_trade_with() -> None:
    """What was done by hand is told apart from what orders did."""
    made, _, _ = places()
    venue = draw(1, "").venues[0].name
    symbol = made.market(venue, "BTC")
    amount = made.least(venue, symbol) * 3
    amount -= amount % Decimal("0.001")
    amount = max(amount, Decimal("0.001"))

    async def main() -> Any:
        return made.trade_by_hand(venue, symbol, Side.BUY, amount)

    fill = run(main(), VirtualClock())
    assert fill is not None
    assert made.external()[venue]["BTC"] > 0
    made.undo_by_hand(venue, fill)
    assert not any(made.external()[venue].values())
    touch = made.touch(venue, symbol, Side.BUY)
    assert touch is not None
    assert abs(touch - made.price(venue, symbol)) < touch / 50
    assert made.orders() == {}


def test_healing_gives_every_book_somebody_to_trade_with() -> None:
    """A trade that is stuck in phase two is stuck for a better reason than a thin book."""
    made, _, _ = places(seed=3, focus="resting")
    venue = draw(3, "resting").venues[0]
    symbol = made.market(venue.name, "BTC")
    before = made.touch(venue.name, symbol, Side.BUY)
    made.heal()
    books = made.exchange(venue.name).venue.books
    assert books._depth == CALM_DEPTH
    assert before is not None
    assert made.still_to_come() is None


def test_a_fault_of_a_venues_own_nature_has_no_key_to_mask() -> None:
    """It is counted all the same."""
    from fsm_arb.testing.simulated import FaultHit, FaultKind

    made, _, told = places()
    witness = Witness()
    made.watch(witness)  # type: ignore[arg-type]
    for key in ("binance/nature/no_funds", "binance/create/1/self_trade"):
        kind = FaultKind.SELF_TRADE if "self" in key else FaultKind.NO_FUNDS
        made.on_fault(FaultHit(number=29, kind=kind, key=key, venue="binance", symbol=None, client_id="x", at=0))
    assert told == ["binance/create/1/self_trade"]
    assert len(witness.heard) == 2
    unreadable, other = (order(client_order_id=name) for name in ("x", "y"))
    assert made.needs_a_person("anywhere", "BTC/USDT", unreadable)  # whose status is no word that anybody knows
    assert not made.needs_a_person("anywhere", "BTC/USDT", other)


def test_a_trade_by_hand_that_may_be_the_order_needs_a_person() -> None:
    """It bears no name: the same market and way and no more than was ordered, beside an order that was never seen."""
    made, _, _ = places()
    plan = next(each for each in draw(1, "").venues if not each.blind)
    symbol = made.market(plan.name, "BTC")
    amount = max(made.least(plan.name, symbol) * 3, Decimal("0.001"))
    amount -= amount % Decimal("0.001")

    async def main() -> Any:
        return made.trade_by_hand(plan.name, symbol, Side.BUY, amount)

    fill = run(main(), VirtualClock())
    assert fill is not None

    def needed(where: str = symbol, **changes: Any) -> bool:
        return made.needs_a_person(plan.name, where, order(**({"amount": fill.amount} | changes)))

    assert needed()
    assert needed(amount=fill.amount * 2)
    assert not needed(amount=fill.amount / 2)
    assert not needed(side=Side.SELL)
    assert not needed(made.market(plan.name, "ETH"))
    seen = order(amount=fill.amount).changed(venue_order_id="1")
    assert not made.needs_a_person(plan.name, symbol, seen)
    made.undo_by_hand(plan.name, fill)
    assert needed(), "the lists show it all the same"
