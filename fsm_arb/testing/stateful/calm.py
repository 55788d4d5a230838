"""Phase two: venues and the line behave, every truth is told, and the trade must come to rest."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.ledger import gross_up
from fsm_arb.messages import Missed, Purpose, Ticked
from fsm_arb.policy import NS_PER_S
from fsm_arb.testing.stateful.model import ModelOrder, Place
from fsm_arb.testing.stateful.world import TRADE_ID, NakedLeg
from fsm_arb.testing.strategies.books import PLENTY
from fsm_arb.values import ONE, Level, MarketRules, OrderBook, OrderType, Side

if TYPE_CHECKING:
    from fsm_arb.testing.stateful.world import World

ROUNDS_MAX = 200  # of at most a minute each: more than any budget, back-off and fence together
ROUNDS_AT_A_WALL = 40  # the same where no end may come: several slow retries
STEP_NS = 5 * NS_PER_S
_FAR = Decimal("0.5")  # how far both books are from the decision's prices where no remedy can be sent


class Ending(enum.Enum):
    """What the venues are like once the faults have stopped."""

    FAIR = "fair"  # both trade at the decision's prices
    FIRST_CLOSED = "first closed"  # legs[0]'s venue takes no new order and shows no book
    SECOND_CLOSED = "second closed"
    ADRIFT = "adrift"  # both have moved, against each other, past what a remedy may lose

    def open_legs(self) -> tuple[int, ...]:
        """Return the legs on which a remedy can be sent."""
        return _OPEN_LEGS[self]


_OPEN_LEGS = {Ending.FAIR: (0, 1), Ending.FIRST_CLOSED: (1,), Ending.SECOND_CLOSED: (0,), Ending.ADRIFT: ()}


def come_to_rest(world: World, ending: Ending) -> None:
    """Stop the faults, tell every truth, let time pass, and judge what is left.

    Raises:
        NakedLeg: A checker objects, or the trade does not come to rest.
    """
    world.faults_on, world.dies = False, None
    world.calm_since = world.now
    for _ in range(ROUNDS_MAX if ending is Ending.FAIR else ROUNDS_AT_A_WALL):
        _serve_all(world)
        world.walls = frozenset({TRADE_ID}) if _at_a_wall(world, ending) else frozenset()
        _answer_survey(world, ending)
        if world.trade.done and not any(order.place is Place.OPEN for order in world.orders):
            break
        _wait(world)
        world.tell(Ticked(now=world.now))
    for order in world.orders:  # the watch after DONE shows the last word of each
        if order.here:
            world.show(order)
    _judge(world)


def _wait(world: World) -> None:
    """Let time pass: up to the next look while an order is looked for, else up to when something is due."""
    wakes_at, looks = world.trade.wakes_at(world.now), any(order.live for order in world.trade.orders)
    wait = STEP_NS if looks else 12 * STEP_NS
    world.pass_time(min(max(wakes_at - world.now, 1), wait) if wakes_at else wait)


def _judge(world: World) -> None:
    trade = world.trade
    if not trade.done and not trade.halted:
        raise NakedLeg(f"still {trade.state} when the faults had stopped")
    tries_on = trade.wakes_at(world.now) is not None or trade.wants_survey(world.now)
    if trade.halted and not (trade.halt_reason and tries_on):
        raise NakedLeg(f"HALTED in silence, with {trade.exposure} naked: reason {trade.halt_reason!r}")
    if trade.exposure != world.exposure:
        raise NakedLeg(f"we know of {trade.exposure}, the venues hold {world.exposure}")
    world.judge_at_rest()


def _at_a_wall(world: World, ending: Ending) -> bool:
    """Whether what is naked is too small for, or closed to, every venue that a remedy could be sent to."""
    ledger = world.trade.ledger
    if ledger is None:
        return False
    side = Side.SELL if ledger.exposure > 0 else Side.BUY
    # Where a bust has left less than nothing, the other venue hedges it the wrong way round rather than not at all.
    legs = [ledger.plan.legs[index] for index in ending.open_legs()]
    return all(gross_up(abs(ledger.exposure), leg, side) < leg.least for leg in legs)


def _serve_all(world: World) -> None:
    for order in world.orders:
        _arrive(world, order)
        if order.comes_until is None:
            world.call_ends(order)
        _trade(world, order)
        if order.here:
            world.show(order)
        elif world.trade.orders[order.index].live:
            order.told_over = True
            world.tell(Missed(now=world.now, order=order.index, asked_at=world.now, covered=True))


def _arrive(world: World, order: ModelOrder) -> None:
    """What is still on its way comes, or never will."""
    if order.place is Place.ON_THE_WAY:
        in_time = order.comes_until is None or world.now < order.comes_until
        order.place = Place.OPEN if in_time else Place.NEVER


def _trade(world: World, order: ModelOrder) -> None:
    """Fill remedies, end what is not meant to rest, obey cancels."""
    if order.place is not Place.OPEN:
        return
    if order.intent.purpose is not Purpose.FIRST:
        order.fill(ONE)
    asked_to_go = world.trade.orders[order.index].cancel_asked_at is not None
    if order.intent.order_type is not OrderType.LIMIT or asked_to_go:
        order.place = Place.OVER


def _answer_survey(world: World, ending: Ending) -> None:
    if not world.trade.wants_survey(world.now):
        return
    books: list[OrderBook | None] = [
        _book(*each) for each in zip(world.scenario.rules, _prices(world, ending), strict=True)
    ]
    if ending is Ending.FIRST_CLOSED:
        books[0] = None
    elif ending is Ending.SECOND_CLOSED:
        books[1] = None
    world.survey(books, world.scenario.free())


def _book(rules: MarketRules, price: Decimal) -> OrderBook:
    """Return a book without a spread, on the price grid: what cannot be sent there is held back by nothing but us."""
    asks = Level(rules.bound_price(Side.BUY, price), PLENTY)
    return OrderBook(bids=(Level(rules.bound_price(Side.SELL, price), PLENTY),), asks=(asks,))


def _prices(world: World, ending: Ending) -> tuple[Decimal, Decimal]:
    """Return where both books stand: where no remedy can be sent, dear to buy on and cheap to sell on."""
    prices = world.scenario.decision.prices
    if ending is not Ending.ADRIFT:
        return prices
    away = ONE + _FAR if world.trade.exposure < 0 else ONE - _FAR
    return prices[0] * away, prices[1] * away
