"""From verdicts to decisions: one in flight, priced for its size, with its reason; and through the orchestrator."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from moments import FX, LEGS, NOTIONAL, NOW, OTHER, SECOND, UP, book, dear, held, moment, strategy

import fsm_arb
from fsm_arb.context import Held, MarketContext, utc
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.integration import CrossExchangeIntegration, Integration
from fsm_arb.orchestrator import CrossExchangeOrchestrator
from fsm_arb.spread import Role, Spread, spread
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Verdict
from fsm_arb.values import Action, HealthStatus, Leg, Level, Money, OrderBook

D = Decimal
WHY = Reason(code=ReasonCode.ENTRY, words="because")
DOWN = evolve(UP, status=HealthStatus.DOWN)


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"d{next(numbers)}"


class Said:
    """A bot's own strategy: says what it was told to say."""

    def __init__(self, action: Action, notional: Money | None = None) -> None:
        self.verdict = Verdict(action=action, reason=WHY, notional=notional)

    def entry(self, context: MarketContext) -> Verdict:
        return self.verdict

    def exit(self, context: MarketContext, held: Held) -> Verdict:
        return self.verdict


def integration(given: Any = None, **changes: Any) -> CrossExchangeIntegration:
    return CrossExchangeIntegration(strategy=given or strategy(), decision_ids=ids(), **changes)


def codes(told: CrossExchangeIntegration) -> list[ReasonCode]:
    return [each.verdict.reason.code for each in told.told]


# ------------------------------------------------------------------ entries


@pytest.mark.parametrize(("pct", "action"), [("1", Action.ENTRY_POSITIVE), ("-1", Action.ENTRY_NEGATIVE)])
def test_an_entry_carries_all_it_was_decided_on(pct: str, action: Action) -> None:
    """Size, prices, books, time, a reason with its numbers, and an id from the source it was handed."""
    context = moment(pct)
    (decision,) = integration().tick_entry(context)
    assert decision == CrossExchangeDecision(
        action=action,
        legs=LEGS,
        notional=NOTIONAL,
        prices=(dear(pct), OTHER),
        reason=decision.reason,
        decision_id="d1",
        decided_at=utc(NOW),
        books=context.books,
    )
    assert decision.reason.startswith(f"entry: net {int(pct):+d}.000 % of at least 0.500 % (gross ")


def test_prices_are_those_of_the_size() -> None:
    """The average over the levels that it takes, not the touch."""
    bids = (Level(dear("2"), D("0.01")), Level(dear("1"), D(10)))
    (decision,) = integration().tick_entry(moment(books=(OrderBook(bids=bids, asks=book(dear("2")).asks), book(OTHER))))
    size = NOTIONAL.amount / dear("2")
    expected = (D("0.01") * dear("2") + (size - D("0.01")) * dear("1")) / size
    assert abs(decision.prices[0] - expected) < D("0.000001")
    assert decision.prices[1] == OTHER
    assert len(str(decision.prices[0])) < 20


def test_nothing_to_do_is_said_with_its_reason() -> None:
    """Pair by pair, in the order in which they were asked."""
    ready = integration()
    assert ready.tick_entry([moment("0.2"), moment("0.05"), moment("1", health=(UP, DOWN))]) == ()
    assert codes(ready) == [ReasonCode.SPREAD, ReasonCode.NEUTRAL, ReasonCode.HEALTH]
    assert [each.decision for each in ready.told] == [None] * 3
    assert ready.told[0].context.gross_pct == D("0.2")
    assert ready.tick_exit([]) == ()
    assert ready.told == ()


def test_one_entry_of_a_pair_is_in_flight_at_a_time() -> None:
    """In whatever order its legs stand; another pair is none of it."""
    other = Leg("bybit", "BTC/USDT")
    ready = integration()
    turned = moment(legs=LEGS[::-1], books=(book(OTHER), book(dear(1))), fx=FX.inverse, balances=(None, None))
    third = moment("1", legs=(LEGS[0], other))
    decisions = ready.tick_entry([moment("1"), moment("1"), turned, third])
    assert [decision.legs for decision in decisions] == [LEGS, (LEGS[0], other)]
    assert codes(ready) == [ReasonCode.ENTRY, ReasonCode.IN_FLIGHT, ReasonCode.IN_FLIGHT, ReasonCode.ENTRY]
    assert str(ready.told[1].verdict.reason) == "in_flight: a trade of BTC/KRW and BTC/USDT is at work"


def test_a_trade_that_others_know_of_is_in_flight_too() -> None:
    """The strategy is not even asked."""
    ready = integration()
    assert ready.tick_entry(moment("1", in_flight=True)) == ()
    assert codes(ready) == [ReasonCode.IN_FLIGHT]


@pytest.mark.parametrize(("status", "again"), [
    (None, True), ("success", True), ("partial_hedged", True), ("rolled_back", True),
    ("blocked", False), ("failed", False), ("halted", False),
])  # fmt: skip
def test_a_pair_is_free_again_when_its_decision_is_over(status: str | None, again: bool) -> None:
    """One that came to nothing is not asked for at every tick."""
    ready = integration()
    (decision,) = ready.tick_entry(moment("1"))
    ready.concluded(decision, status)
    assert (len(ready.tick_entry(moment("1", now_ns=NOW + 9 * SECOND))) == 1) is again


def test_after_a_while_a_pair_is_free_again_whatever_became_of_it() -> None:
    """Ten seconds unless said otherwise; what still runs then is for the context to tell."""
    ready = integration()
    ready.tick_entry(moment("1"))
    fresh = evolve(FX, at_ns=NOW + 10 * SECOND)
    assert ready.tick_entry(moment("1", now_ns=NOW + 10 * SECOND - 1, fx=fresh)) == ()
    assert len(ready.tick_entry(moment("1", now_ns=NOW + 10 * SECOND, fx=fresh))) == 1
    hasty = integration(again_after_s=0)
    assert [len(hasty.tick_entry(moment("1"))) for _ in range(2)] == [1, 1]


def test_what_was_concluded_before_frees_nothing_that_came_after() -> None:
    """A late answer about an old decision."""
    ready = integration()
    (first,) = ready.tick_entry(moment("1"))
    ready.concluded(first)
    ready.concluded(first)
    ready.tick_entry(moment("1"))
    ready.concluded(first)
    assert ready.tick_entry(moment("1")) == ()


def test_a_clock_that_was_set_back_holds_up_nothing() -> None:
    """An exit least of all."""
    ready = integration()
    context = moment("0.5", positions=(held("1"),))
    assert len(ready.tick_exit(context)) == 1
    assert len(ready.tick_exit(evolve(context, now_ns=NOW - 1))) == 1


def test_a_tick_that_fails_leaves_nothing_in_flight() -> None:
    """What was decided on other pairs before the error was never handed out."""
    ready = integration()
    foreign = moment("1", legs=(Leg("kraken", "BTC/USD"), LEGS[1]), fx=evolve(FX, quote="USD"))
    with pytest.raises(CurrencyMismatch, match="liquidity_min"):
        ready.tick_entry([moment("0.2"), moment("1"), foreign])
    assert len(ready.tick_entry(moment("1"))) == 1


@pytest.mark.parametrize("value", [-1, "soon", float("nan")])
def test_a_pause_is_a_number(value: Any) -> None:
    """Zero or more."""
    for name in ("again_after_s", "exit_again_after_s", "exit_again_max_s"):
        with pytest.raises(InvalidInput, match=name):
            integration(**{name: value})


# ------------------------------------------------------------------ a strategy of one's own


def test_a_strategy_of_one_s_own_says_how_much_and_the_rest_is_worked_out() -> None:
    """Also where it computed no spread: prices are those of the size it asked for, in legs[0]'s currency."""
    bids = (Level(dear("2"), D("0.01")), Level(dear("1"), D(10)))
    context = moment(books=(OrderBook(bids=bids, asks=book(dear("2")).asks), book(OTHER)))
    (decision,) = integration(Said(Action.ENTRY_POSITIVE, Money(D(1000), "USDT"))).tick_entry(context)
    assert (decision.notional, decision.reason) == (Money(D(1_300_000), "KRW"), "entry: because")
    assert dear("1") < decision.prices[0] < dear("2")
    (bought,) = integration(Said(Action.ENTRY_NEGATIVE, NOTIONAL)).tick_entry(context)
    assert bought.prices == (dear("2"), OTHER)


def test_a_spread_of_other_sides_is_not_taken_for_prices() -> None:
    """A strategy that computed one way and trades the other is priced by its trade."""
    wide = moment(books=(book(dear("1"), gap=1000), book(OTHER, gap=10)))
    mixed = Said(Action.ENTRY_NEGATIVE, NOTIONAL)
    mixed.verdict = evolve(mixed.verdict, spread=strategy(entry_basis="gross").entry(wide).spread)
    (decision,) = integration(mixed).tick_entry(wide)
    assert decision.prices == (dear("1") + 500, OTHER - 5)


def test_a_strategy_that_computed_its_spread_is_taken_at_its_prices() -> None:
    """One that means to rest on a book is not priced as if it took from it."""
    wide = moment(books=(book(dear("1"), gap=1000), book(OTHER, gap=10)))
    resting = strategy(entry_basis="gross").entry(wide).spread
    assert resting is not None
    answer = spread(evolve(resting.inputs, roles=(Role.MAKER, Role.TAKER)))
    assert isinstance(answer, Spread)
    mine = Said(Action.ENTRY_POSITIVE, NOTIONAL)
    mine.verdict = evolve(mine.verdict, spread=answer)
    (decision,) = integration(mine).tick_entry(wide)
    assert decision.prices == (dear("1") + 500, OTHER + 5)


@pytest.mark.parametrize(
    ("books", "code"),
    [
        ((None, book(OTHER)), ReasonCode.NO_PRICE),
        ((book(dear(1)), None), ReasonCode.NO_PRICE),
        ((OrderBook(bids=(), asks=book(1).asks), book(OTHER)), ReasonCode.NO_PRICE),
        ((book(dear(1), "0.001"), book(OTHER)), ReasonCode.THIN_BOOK),
        ((book(dear(1)), book(OTHER, "0.001")), ReasonCode.THIN_BOOK),
    ],
)
def test_an_entry_without_a_price_is_none(books: Any, code: ReasonCode) -> None:
    """Whatever the strategy says, nothing is asked for at a price that nobody shows."""
    ready = integration(Said(Action.ENTRY_POSITIVE, NOTIONAL))
    assert ready.tick_entry(moment(books=books)) == ()
    assert codes(ready) == [code]
    assert ready.tick_entry(moment("1")) != ()


def test_an_answer_to_another_question_is_a_mistake() -> None:
    """An exit where an entry was asked for; a notional in a third currency."""
    with pytest.raises(InvalidInput, match=r"exit_tp.*is no answer to the question of an entry"):
        integration(Said(Action.EXIT_TP)).tick_entry(moment("1"))
    with pytest.raises(CurrencyMismatch, match=r"notional=.*EUR"):
        integration(Said(Action.ENTRY_POSITIVE, Money(D(1), "EUR"))).tick_entry(moment("1"))


# ------------------------------------------------------------------ exits


def test_an_exit_names_its_position_and_says_why() -> None:
    """It is sized by what is held, not by what the books show at the moment."""
    ready = integration()
    (decision,) = ready.tick_exit(moment("0.5", positions=(held("1"),)))
    assert decision == CrossExchangeDecision(
        action=Action.EXIT_TP,
        legs=LEGS,
        prices=(dear("0.5"), OTHER),
        reason="take_profit: come back by 0.500 points of at least 0.500: from +1.000 % to +0.500 %",
        decision_id="d1",
        position_id="P-1",
        decided_at=utc(NOW),
    )
    assert ready.told[0].position_id == "P-1"


def test_every_position_is_asked_about_and_answered_for() -> None:
    """What stays says why."""
    positions = (held("1"), held("0.6", position_id="P-2"), held("1", position_id="P-3", open=False))
    ready = integration()
    decisions = ready.tick_exit([moment("0.5", positions=positions), moment("0.5")])
    assert [decision.position_id for decision in decisions] == ["P-1"]
    assert codes(ready) == [ReasonCode.TAKE_PROFIT, ReasonCode.HOLD, ReasonCode.IN_FLIGHT]
    assert [each.position_id for each in ready.told] == ["P-1", "P-2", "P-3"]


def test_one_exit_of_a_position_is_in_flight_at_a_time() -> None:
    """And its pair may be entered meanwhile, as far as that goes."""
    ready = integration()
    context = moment("0.5", positions=(held("1"),))
    (decision,) = ready.tick_exit(context)
    assert ready.tick_exit(context) == ()
    assert str(ready.told[0].verdict.reason) == "in_flight: an exit of P-1 is at work"
    assert len(ready.tick_entry(moment("1"))) == 1
    ready.concluded(decision, "partial_hedged")
    assert len(ready.tick_exit(context)) == 1


@pytest.mark.parametrize("status", ["rolled_back", "blocked", "failed"])
def test_an_exit_that_came_to_nothing_is_asked_for_again_after_growing_pauses(status: str) -> None:
    """From the next tick on, whatever it took; an exit that got something done starts over."""
    ready = integration(exit_again_max_s=35)
    context = moment("0.5", positions=(held("1"),))
    at = NOW
    for pause in (10, 20, 35, 35):
        (decision,) = ready.tick_exit(evolve(context, now_ns=at))
        ready.concluded(decision, status)
        at += 1000 * SECOND  # the trade took its time
        assert ready.tick_exit(evolve(context, now_ns=at)) == ()
        assert codes(ready) == [ReasonCode.HELD_OFF]
        assert ready.tick_exit(evolve(context, now_ns=at + pause * SECOND - 1)) == ()
        at += pause * SECOND
    (decision,) = ready.tick_exit(evolve(context, now_ns=at))
    ready.concluded(decision, "partial_hedged")
    (decision,) = ready.tick_exit(evolve(context, now_ns=at))
    ready.concluded(decision, status)
    assert ready.tick_exit(evolve(context, now_ns=at)) == ()
    assert len(ready.tick_exit(evolve(context, now_ns=at + 10 * SECOND))) == 1


def test_an_exit_that_is_held_off_holds_up_no_other_and_no_clock_does() -> None:
    """Each position has its own pause, and a clock that was set back ends it."""
    ready = integration()
    first, second = held("1", position_id="P-1"), held("1", position_id="P-2")
    (decision,) = ready.tick_exit(moment("0.5", positions=(first,)))
    ready.concluded(decision, "rolled_back")
    assert [each.position_id for each in ready.tick_exit(moment("0.5", positions=(first, second)))] == ["P-2"]
    assert len(ready.tick_exit(moment("0.5", positions=(first,), now_ns=NOW - 1))) == 1


def test_a_strategy_that_fails_on_one_position_keeps_no_other_from_being_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told and logged; an entry where an exit was asked for is a failure too."""

    class Torn(Said):
        def exit(self, context: MarketContext, held: Held) -> Verdict:
            if held.position_id == "P-1":
                raise ZeroDivisionError("no volume")
            answers = {"P-2": Verdict(action=Action.ENTRY_POSITIVE, reason=WHY, notional=NOTIONAL)}
            return answers.get(held.position_id, self.verdict)

    ready = integration(Torn(Action.EXIT_SL))
    positions = tuple(held(position_id=f"P-{number}") for number in (1, 2, 3))
    assert [decision.position_id for decision in ready.tick_exit(moment("1", positions=positions))] == ["P-3"]
    assert [str(each.verdict.reason) for each in ready.told[:2]] == [
        "failed: ZeroDivisionError: no volume",
        "failed: InvalidInput: action='entry_positive': is no answer to the question of leaving P-2",
    ]
    assert [each.position_id for each in ready.told] == ["P-1", "P-2", "P-3"]
    assert "position P-1 could not be judged" in caplog.text


def test_an_exit_is_priced_for_its_size() -> None:
    """The average over the levels that it takes."""
    asks = (Level(D(52), D("0.01")), Level(D(54), D(1)))
    shown = OrderBook(bids=book(50).bids, asks=asks)
    (decision,) = integration().tick_exit(moment(books=(shown, book(40)), health=(UP, DOWN), positions=(held("1"),)))
    assert decision.prices == (53, 40)


ONE_SIDED = OrderBook(bids=(Level(D(51), D(1)),), asks=())


@pytest.mark.parametrize(
    ("books", "prices"),
    [
        ((book(52, gap=2), book(40, gap=2)), (53, 39)),
        ((book(52, "0.001", gap=2), book(40)), (53, 40)),
        ((ONE_SIDED, book(40)), (51, 40)),
        ((None, OrderBook(bids=(), asks=())), (52_520_000, 40_000)),
    ],
    ids=["for the size", "too thin: the touch", "one-sided: the other touch", "none: what was paid"],
)
def test_an_exit_waits_for_no_book(books: Any, prices: Any) -> None:
    """A position on a venue that is down is left at the best price that is known."""
    (decision,) = integration().tick_exit(moment(books=books, health=(UP, DOWN), positions=(held("1"),)))
    assert (decision.action, decision.prices) == (Action.EXIT_HEALTH, prices)


# ------------------------------------------------------------------ through the orchestrator


class Executor:
    """Executes by name, or fails."""

    def __init__(self, status: str = "success") -> None:
        self.status = status
        self.executed: list[str] = []

    async def execute_decision(self, decision: CrossExchangeDecision) -> Any:
        self.executed.append(decision.decision_id)
        if self.status == "raises":
            raise RuntimeError("the journal is gone")
        return SimpleNamespace(status=self.status)


async def test_paper_tick() -> None:
    """The decision, no executed result, no order; and the same again at the next tick."""
    executor = Executor()
    orchestrator = CrossExchangeOrchestrator(integration(), executor)  # type: ignore[arg-type]
    for _ in range(2):
        done = await orchestrator.process_entry_tick(moment("1"))
        assert (len(done.decisions), done.results, executor.executed) == (1, (), [])


@pytest.mark.parametrize("tick", ["entry", "exit"])
async def test_real_ticks(tick: str) -> None:
    """One decision, one result; what is over may be decided on again."""
    executor = Executor()
    orchestrator = CrossExchangeOrchestrator(integration(), executor, True)  # type: ignore[arg-type]
    context = moment("1" if tick == "entry" else "0.5", positions=() if tick == "entry" else (held("1"),))
    for count in (1, 2):
        done = await getattr(orchestrator, f"process_{tick}_tick")(context)
        assert (len(done.decisions), len(done.results), len(executor.executed)) == (1, 1, count)


async def test_a_decision_that_is_blocked_is_not_asked_for_at_every_tick() -> None:
    """Nor fills the journal."""
    executor = Executor("blocked")
    orchestrator = CrossExchangeOrchestrator(integration(), executor, True)  # type: ignore[arg-type]
    for _ in range(3):
        await orchestrator.process_entry_tick(moment("1"))
    assert executor.executed == ["d1"]


async def test_an_executor_that_raises_leaves_the_other_pairs_free() -> None:
    """The one that it raised on waits; those that were never asked do not."""
    executor = Executor("raises")
    ready = integration()
    orchestrator = CrossExchangeOrchestrator(ready, executor, True)  # type: ignore[arg-type]
    both = [moment("1"), moment("1", legs=(LEGS[0], Leg("bybit", "BTC/USDT")))]
    with pytest.raises(RuntimeError):
        await orchestrator.process_entry_tick(both)
    assert executor.executed == ["d1"]
    ready.tick_entry(both)
    assert codes(ready) == [ReasonCode.IN_FLIGHT, ReasonCode.ENTRY]


def test_the_public_name_is_the_one_that_stands_ready() -> None:
    """It fits the port, as a bot's own does."""
    ready: Integration = integration()
    assert isinstance(ready, fsm_arb.CrossExchangeIntegration)
    assert {"tick_entry", "tick_exit"} <= set(dir(fsm_arb.Integration))
