"""A Hypothesis state machine that drives the real core through everything venues and networks do.

`TradeMachine` is a `RuleBasedStateMachine`: each rule is one thing that happens.
A model of both venues keeps the true books, and the checkers of
`fsm_arb.testing.invariants` judge after every rule. In the end the faults stop,
every truth is told, and the trade must be DONE, or HALTED and loud.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import HealthCheck, settings, target
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from fsm_arb.errors import InvalidInput
from fsm_arb.messages import Busted, CancelEnded, ExternalFill, Judged, Missed, Resumed, Ticked
from fsm_arb.orders import Lifecycle
from fsm_arb.policy import NS_PER_S
from fsm_arb.ports import CancelReply
from fsm_arb.testing.invariants import every_checker
from fsm_arb.testing.stateful.calm import Ending, come_to_rest
from fsm_arb.testing.stateful.model import ModelOrder, Place, Telling
from fsm_arb.testing.stateful.world import Death, Kind, World
from fsm_arb.testing.strategies import Scenario, balances, order_books, shares
from fsm_arb.testing.strategies import scenarios as any_scenarios
from fsm_arb.values import ZERO, Balances, MarketRules, OrderBook, Side, divide, floor_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from fsm_arb.testing.glimpse import Checker

# ruff: noqa: SLF001 - the strategies of a rule ask its own machine
# Long enough to pass a poll, a deadline, a fence, a doubt; the last one more than all of them together.
_WAITS = tuple(NS_PER_S * tenths // 10 for tenths in (1, 10, 60, 200, 1300, 6000))


def _one_of(find: Callable[[Any], Sequence[Any]]) -> SearchStrategy[Any]:
    """Draw one of what the machine has at this moment."""
    return st.runner().flatmap(lambda machine: st.sampled_from(find(machine)))


def _drawn_by(find: Callable[[Any], SearchStrategy[Any]]) -> SearchStrategy[Any]:
    """Draw from a strategy that the machine itself knows."""
    return st.runner().flatmap(find)


@lru_cache(maxsize=64)
def _any_book(price: Decimal, least: Decimal, tick: Decimal) -> SearchStrategy[OrderBook]:
    return order_books(price, least=least, tick=tick)  # a strategy is checked once, and checking it costs


@lru_cache(maxsize=64)
def _any_balances(rules: MarketRules) -> SearchStrategy[Balances | None]:
    return balances(rules) | st.none()


class TradeMachine(RuleBasedStateMachine):
    """Everything that can happen to one trade.

    Make a subclass to attack what is yours::

        class MyTrades(TradeMachine):
            scenarios = scenarios(policies=st.just(MY_POLICY), markets=st.just(MY_RULES))

        TestMyTrades = MyTrades.TestCase

    Attributes:
        scenarios: What trades begin with.
        endings: What the venues are like once the faults have stopped.
        checkers: Who judges.
    """

    scenarios: ClassVar[SearchStrategy[Scenario]] = any_scenarios()
    endings: ClassVar[SearchStrategy[Ending]] = st.sampled_from((*[Ending.FAIR] * 5, *Ending))
    checkers: ClassVar[Sequence[Checker]] = every_checker(alerts=False)

    in_flight = Bundle("in_flight")  # requests on their way to a venue: orders to place, cancels
    readings = Bundle("readings")  # orders as they once stood, each told any number of times, late or not

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.ending = Ending.FAIR

    # -------------------------------------------------------------- what the rules ask

    @property
    def _world(self) -> World:
        assert self.world is not None  # noqa: S101 - no rule runs before the first one
        return self.world

    def _arrived(self) -> list[ModelOrder]:
        return [order for order in self._world.orders if order.here]

    def _unseen(self) -> list[ModelOrder]:
        """Orders that are looked for: their call is over, and nothing proves that they have ended."""
        world = self._world
        return [o for o in world.orders if o.comes_until is not None and world.trade.orders[o.index].live]

    def _bustable(self) -> list[ModelOrder]:
        """Orders that are over and known to be, all of whose executions have been told."""
        return [o for o in self._arrived() if o.place is Place.OVER and o.fills and not o.busted and self._is_known(o)]

    def _judgeable(self) -> list[ModelOrder]:
        """Orders in doubt that a person can say the last word on: nothing of them can move any more."""
        known = self._world.trade.orders
        return [
            order
            for order in self._world.orders
            if known[order.index].in_doubt and order.place is Place.NEVER and not known[order.index].filled
        ]

    def _is_known(self, order: ModelOrder) -> bool:
        known = self._world.trade.orders[order.index]
        return known.lifecycle is Lifecycle.CLOSED and known.filled == order.filled and known.fees_told

    def _fresh(self) -> Any:
        """Return what has set out since the last rule, for the bundle."""
        return multiple(*self._world.requests())

    # -------------------------------------------------------------- the beginning

    @initialize(
        target=in_flight,
        scenario=_drawn_by(lambda m: m.scenarios),
        ending=_drawn_by(lambda m: m.endings),
        opening=st.sampled_from((*["goes on"] * 16, "blocked", "begun", "checked", "killed")),
    )
    def begins(self, scenario: Scenario, ending: Ending, opening: str) -> Any:
        """A decision is taken up; now and then it ends before anything was sent."""
        self.ending = ending
        self.world = World(scenario, self.checkers)
        if opening == "killed":
            self.world.dies = Death.BEFORE_COMMIT
        ends_early = opening in {"begun", "checked"}
        self.world.begin(blocked=opening == "blocked", abort_after=opening if ends_early else "")
        return self._fresh()

    # -------------------------------------------------------------- requests on their way

    @rule(target=in_flight, request=consumes(in_flight), share=shares())
    def goes_well(self, request: Any, share: Decimal) -> Any:
        """A request comes to its venue, is done, and the reply comes back."""
        world, order = self._world, request.order
        self._comes(request, share)
        if request.kind is Kind.PLACE and order.comes_until is None:
            world.call_ends(order)
        elif order.here:
            world.show(order)
        return self._fresh()

    @precondition(lambda self: self.world and self.world.calls_out())
    @rule(target=in_flight, share=shares())
    def all_go_well(self, share: Decimal) -> Any:
        """Every order that is out comes to its venue, fills alike, and the replies come back."""
        for order in self._world.calls_out():
            if order.place is Place.ON_THE_WAY:
                order.place = Place.OPEN
                order.fill(share)
            self._world.call_ends(order)
        return self._fresh()

    @rule(request=consumes(in_flight))
    def comes(self, request: Any) -> None:
        """A request comes to its venue and is done; nobody hears of it yet."""
        self._comes(request, ZERO)

    def _comes(self, request: Any, share: Decimal) -> None:
        order: ModelOrder = request.order
        if request.kind is Kind.CANCEL:
            order.place = Place.OVER if order.place is Place.OPEN else order.place
            return
        past = order.comes_until is not None and self._world.now >= order.comes_until
        if order.place is not Place.ON_THE_WAY:
            return
        # Past its window a request is refused by a venue that enforces one; another takes it all the same.
        order.place = Place.NEVER if past and order.rules.enforces_expiry else Place.OPEN
        if order.place is Place.OPEN and share:
            order.fill(share)

    @rule(request=consumes(in_flight))
    def is_lost(self, request: Any) -> None:
        """A request never comes. Or a cancel is agreed to, and nothing is done."""
        if request.kind is Kind.PLACE and request.order.place is Place.ON_THE_WAY:
            request.order.place = Place.NEVER

    @rule(target=in_flight, request=consumes(in_flight))
    def is_refused(self, request: Any) -> Any:
        """A venue says no, and the reply comes back."""
        world, order = self._world, request.order
        if request.kind is Kind.CANCEL:
            world.tell(
                CancelEnded(now=world.now, order=order.index, reply=CancelReply(accepted=False, code="too_late"))
            )
        elif order.place is Place.ON_THE_WAY:
            order.place, order.refused = Place.NEVER, True
            if order.comes_until is None:
                world.call_ends(order)
        return self._fresh()

    @precondition(lambda self: self.world and self.world.calls_out())
    @rule(target=in_flight, order=_one_of(lambda m: m._world.calls_out()), answered=st.booleans())
    def call_ends(self, order: ModelOrder, answered: bool) -> Any:  # noqa: FBT001 - Hypothesis names it
        """The call that placed an order comes back: with what is true now, or with nothing."""
        self._world.call_ends(order, answered=answered)
        return self._fresh()

    # -------------------------------------------------------------- what venues do

    @precondition(lambda self: self.world and self._arrived())
    @rule(order=_one_of(lambda m: m._arrived()), share=shares())
    def fills(self, order: ModelOrder, share: Decimal) -> None:
        """An order executes; also one that was said to be over."""
        if not order.busted:
            order.fill(share)

    @precondition(lambda self: self.world and any(order.place is Place.OPEN for order in self.world.orders))
    @rule(order=_one_of(lambda m: [o for o in m._world.orders if o.place is Place.OPEN]))
    def expires(self, order: ModelOrder) -> None:
        """A venue ends an order, asked or not."""
        order.place = Place.OVER

    # -------------------------------------------------------------- what venues say

    @precondition(lambda self: self.world and self._arrived())
    @rule(
        target=readings,
        order=_one_of(lambda m: m._arrived()),
        telling=st.sampled_from(Telling),
    )
    def is_looked_at(self, order: ModelOrder, telling: Telling) -> Any:
        """A venue is asked for an order; the answer is on its way."""
        return order, order.reading(telling)

    @rule(target=in_flight, reading=readings)
    def reading_comes(self, reading: Any) -> Any:
        """An answer comes: late, after a later one, or again."""
        self._world.show(*reading)
        return self._fresh()

    @precondition(lambda self: self.world and self._arrived())
    @rule(target=in_flight, order=_one_of(lambda m: m._arrived()))
    def is_seen(self, order: ModelOrder) -> Any:
        """A venue shows an order as it stands."""
        self._world.show(order)
        return self._fresh()

    @precondition(lambda self: self.world and self._unseen())
    @rule(
        target=in_flight,
        order=_one_of(lambda m: m._unseen()),
        covered=st.booleans(),
        times=st.sampled_from((1, 3)),
    )
    def is_missed(self, order: ModelOrder, covered: bool, times: int) -> Any:  # noqa: FBT001 - likewise
        """A venue answers and does not show an order; it may be there all the same."""
        world = self._world
        for _ in range(times):
            past = order.comes_until is not None and world.now >= order.comes_until
            order.told_over |= covered and past
            world.tell(Missed(now=world.now, order=order.index, asked_at=world.now, covered=covered))
        return self._fresh()

    # -------------------------------------------------------------- time, books, death

    @rule(target=in_flight, wait=st.sampled_from(_WAITS) | st.sampled_from(("just before", "just at")))
    def time_passes(self, wait: Any) -> Any:
        """Time passes, up to the moment at which something is due, or short of it by a nanosecond."""
        world = self._world
        if isinstance(wait, str):
            due = world.trade.wakes_at(world.now)
            wait = 0 if due is None else due - world.now - (wait == "just before")
        world.pass_time(wait)
        world.tell(Ticked(now=world.now))
        return self._fresh()

    @precondition(lambda self: self.world and self.world.trade.wants_survey(self.world.now))
    @rule(
        target=in_flight,
        books=_drawn_by(lambda m: m._books()),
        free=_drawn_by(lambda m: m._free()),
        silent=st.sampled_from((None, None, None, 0, 1)),
    )
    def is_surveyed(self, books: tuple[Any, Any], free: tuple[Any, Any], silent: int | None) -> Any:
        """Both venues say what a remedy would meet; one may be silent, short of funds, or far away."""
        shown = [None if leg == silent else book for leg, book in enumerate(books)]
        self._world.survey(shown, free)
        return self._fresh()

    def _books(self) -> SearchStrategy[Any]:
        scenario, plan = self._world.scenario, self._world.plan
        least = [leg.least for leg in plan.legs] if plan else [each.lot for each in scenario.rules]
        markets = zip(scenario.decision.prices, least, scenario.rules, strict=True)
        return st.tuples(*(_any_book(price, lot, each.tick_at(price)) for price, lot, each in markets))

    def _free(self) -> SearchStrategy[Any]:
        return st.tuples(*(_any_balances(each) for each in self._world.scenario.rules))

    @precondition(lambda self: self.world and not self.world.dies)
    @rule(target=in_flight, death=st.none() | st.sampled_from(Death))
    def dies(self, death: Death | None) -> Any:
        """The process is killed and started again: now, or over the next thing it hears of."""
        self._world.dies = death
        if death is None:
            self._world.restart()
        return self._fresh()

    # -------------------------------------------------------------- what people do

    @precondition(lambda self: self.world and self.world.trade.halted)
    @rule(target=in_flight)
    def operator_resumes(self) -> Any:
        """A person tells a halted trade to go on."""
        self._world.tell(Resumed(now=self._world.now, reason="try again"))
        return self._fresh()

    @precondition(lambda self: self.world and self.world.trade.halted and self.world.trade.exposure)
    @rule(target=in_flight, leg=st.integers(0, 1), share=shares())
    def operator_trades(self, leg: int, share: Decimal) -> Any:
        """A person trades some of the exposure away by hand, and says so; what does not fit is refused and not done."""
        world = self._world
        naked, rules = world.trade.exposure, world.scenario.rules[leg]
        amount = floor_to(abs(naked) * share, rules.lot)
        if not amount:
            return multiple()
        fill = ExternalFill(
            now=world.now,
            leg=leg,
            side=Side.SELL if naked > 0 else Side.BUY,
            amount=amount,
            price=world.scenario.decision.prices[leg],
            reason="traded by hand",
        )
        world.by_hand.append(fill)
        try:
            world.tell(fill)
        except InvalidInput:
            world.by_hand.pop()
        return self._fresh()

    @precondition(lambda self: self.world and (self.world.trade.done or self.world.trade.halted) and self._bustable())
    @rule(target=in_flight, order=_one_of(lambda m: m._bustable()))
    def venue_busts(self, order: ModelOrder) -> Any:
        """A venue takes an execution back, and a person says so."""
        world = self._world
        amount = order.bust()
        world.tell(Busted(now=world.now, order=order.index, amount=amount, reason="an error of the venue"))
        return self._fresh()

    @precondition(lambda self: self.world and self._judgeable())
    @rule(target=in_flight, order=_one_of(lambda m: m._judgeable()))
    def operator_judges(self, order: ModelOrder) -> Any:
        """A person says what became of an order that no venue shows."""
        world = self._world
        world.tell(Judged(now=world.now, order=order.index, filled=ZERO, price=None, reason="never arrived"))
        return self._fresh()

    # -------------------------------------------------------------- judging

    @invariant()
    def no_promise_is_broken(self) -> None:
        """The checkers see every step, also one that only a venue took."""
        if self.world is not None:
            self.world.judge()

    def teardown(self) -> None:
        """Phase two: the faults stop, every truth is told, and the trade must come to rest."""
        if self.world is None:
            return
        come_to_rest(self.world, self.ending)
        plan = self.world.plan
        if plan is not None:
            # Scores for the search, no money.
            target(float(divide(self.world.most_naked, plan.quantity)), label="exposure")
            target(self.world.naked_ns / NS_PER_S, label="seconds naked")


def configured(**numbers: Any) -> settings:
    """Return Hypothesis settings that suit these machines: no deadlines, and no complaint about their size."""
    return settings(deadline=None, suppress_health_check=list(HealthCheck), **numbers)
