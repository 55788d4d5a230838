"""The world between the trade and the venues: what is durable, what is on its way, what a crash leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from attrs import evolve, field, frozen
from worlds import ALPHA, BETA, POOR, RICH, book, entry

from fsm_arb.messages import Checked, ExternalFill, Restarted, Sized
from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.invariants import every_checker
from fsm_arb.testing.stateful.model import Place
from fsm_arb.testing.stateful.world import TRADE_ID, Death, Kind, NakedLeg, World
from fsm_arb.testing.strategies import Scenario
from fsm_arb.values import Money, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.testing.glimpse import Glimpse

D = Decimal
SECOND = 1_000_000_000
SCENARIO = Scenario(decision=entry(), policy=ExecutionPolicy(), rules=(ALPHA, BETA), fx={"USDT/USD": D(1)})


def begun(scenario: Scenario = SCENARIO) -> World:
    world = World(scenario, every_checker(alerts=False))
    world.begin()
    return world


def test_the_first_orders_set_out_once_they_are_durable() -> None:
    """Two requests, each told to the checkers with its intent on record."""
    world = begun()
    assert [(each.kind, each.order.index) for each in world.requests()] == [(Kind.PLACE, 0), (Kind.PLACE, 1)]
    assert world.requests() == []
    assert [create.durable for create in world.glimpse().creates] == [True, True]
    assert world.calls_out() == world.orders


@pytest.mark.parametrize(
    ("blocked", "abort_after", "edge"),
    [(True, "", "checks_refused"), (False, "begun", "abort"), (False, "checked", "abort")],
)
def test_a_trade_can_end_before_its_first_order(blocked: bool, abort_after: str, edge: str) -> None:
    """A check that says no, and a bot that no longer wants it."""
    world = World(SCENARIO, ())
    world.begin(blocked=blocked, abort_after=abort_after)
    assert world.trade.done
    assert world.entries[-1].trigger == edge
    assert world.orders == []


def test_what_cannot_be_sized_ends_so() -> None:
    """With the rule that refused it."""
    world = begun(evolve(SCENARIO, decision=entry(notional=Money(D(1), "USD"))))
    assert world.trade.done
    assert "lot" in world.trade.end_note or "minimum" in world.trade.end_note


def test_a_crash_before_the_commit_forgets_and_sends_nothing() -> None:
    """The new process knows only what was durable, and ends what it never began."""
    world = World(SCENARIO, every_checker(alerts=False))
    world.dies = Death.BEFORE_COMMIT
    world.begin()
    assert any(isinstance(each.fact, Restarted) for each in world.entries)
    assert world.orders == []


def test_a_crash_after_the_commit_leaves_intents_that_were_never_sent() -> None:
    """They are on record, no venue ever sees them, and another epoch takes them up."""
    world = World(SCENARIO, every_checker(alerts=False))
    world.tell(Checked(now=0))
    plan = SCENARIO.sized()
    assert isinstance(plan, Plan)
    world.dies = Death.AFTER_COMMIT
    world.tell(Sized(now=0, plan=plan))
    assert len(world.trade.orders) == 2
    assert [order.place for order in world.orders] == [Place.NEVER, Place.NEVER]
    assert world.calls_out() == []
    assert world.glimpse().creates == ()
    assert world.glimpse().appends[-1].epoch == 2


def test_what_is_naked_is_timed() -> None:
    """From the venues' own books, whatever the trade knows."""
    world = begun()
    world.pass_time(SECOND)
    world.orders[0].place = Place.OPEN
    world.orders[0].fill(D(1))
    world.pass_time(3 * SECOND)
    world.judge()
    assert (world.exposure, world.naked_ns, world.most_naked) == (D(-10), 3 * SECOND, D(10))


def test_an_operators_trade_counts_in_truth_and_is_shown() -> None:
    """By venue and asset."""
    world = begun()
    fill = ExternalFill(now=0, leg=1, side=Side.BUY, amount=D(2), price=D(100), reason="by hand")
    world.by_hand.append(fill)
    assert world.exposure == 2
    assert world.glimpse().external == {"beta": {"BTC": D(2)}}


def test_what_a_person_says_is_said_again_after_a_crash() -> None:
    """Whoever tells of his own trade waits for the answer."""
    world = begun()
    for order in world.orders:
        order.place = Place.OPEN
        order.fill(D(1) if order.index == 0 else D("0.5"))
        order.place = Place.OVER
        world.call_ends(order)
    world.survey([None, None], [POOR, POOR])
    fill = ExternalFill(now=world.now, leg=1, side=Side.BUY, amount=D(2), price=D(100), reason="by hand")
    world.by_hand.append(fill)
    world.dies = Death.BEFORE_COMMIT
    world.tell(fill)
    assert world.trade.ledger is not None
    assert world.trade.ledger.external == (fill,)
    assert world.trade.exposure == world.exposure


def test_the_same_moment_is_the_same_glimpse() -> None:
    """What has not changed is not copied, so that checkers can pass over it."""
    world = begun()
    world.judge()
    one, two = world.glimpse(), world.glimpse()
    assert one.trades is two.trades
    assert one.orders is two.orders
    assert one.entries is two.entries
    world.orders[0].place = Place.OPEN
    world.orders[0].fill(D(1))
    assert world.glimpse().orders is not one.orders
    assert world.glimpse().trades is one.trades
    assert one.trades[TRADE_ID] is not world.trade


@frozen
class Grumbler:
    """Objects to everything."""

    number: int = field(default=99)
    name: str = "grumbler"
    claim: str = "nothing is right"

    def step(self, before: Glimpse, after: Glimpse) -> Iterable[str]:
        yield f"{before.now} to {after.now}"

    def rest(self, glimpse: Glimpse) -> Iterable[str]:
        yield f"at {glimpse.now}"


def test_an_objection_stops_the_world_with_its_words() -> None:
    """At a step, and at the end."""
    world = World(SCENARIO, (Grumbler(),))
    with pytest.raises(NakedLeg, match=r"invariant 99 \(grumbler\): 0 to 0"):
        world.judge()
    with pytest.raises(NakedLeg, match=r"invariant 99 \(grumbler\): at 0"):
        world.judge_at_rest()


def test_a_survey_shows_what_each_venue_says() -> None:
    """And nothing of one that is silent."""
    world = begun()
    world.survey([book(), None], [RICH, None])
    fact = world.entries[-1].fact
    assert fact.legs[0] is not None  # type: ignore[union-attr]
    assert fact.legs[1] is None  # type: ignore[union-attr]
