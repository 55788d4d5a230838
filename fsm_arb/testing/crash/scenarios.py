"""What is crashed: trades that go every way a trade can go."""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.crash.exchange import Answer, Tranche
from fsm_arb.testing.crash.lives import Bot, Plot, insist
from fsm_arb.testing.crash.outside import MARKETS
from fsm_arb.values import Action, Leg, Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.executor.executor import CrossExchangeExecutor

LEGS = tuple(Leg(name, symbol) for name, symbol in MARKETS.items())
PRICE = Decimal(100)
SIZE = Decimal(1000)  # of the first leg's quote: ten base
POLICY = ExecutionPolicy(
    fill_timeout_s=3,
    poll_interval_s="0.5",
    absence_fence_s=12,
    watch_after_done_s=6,
    halted_retry_s=20,
    backoff_s="0.2",
)

WHOLE = Answer()
PART = Answer(fills=(Tranche("0.4"),))
NOTHING = Answer(fills=())
REFUSED = Answer(refused="insufficient_funds")
UNHEARD = Answer(unheard=True)
LOST = Answer(lost=True)
SLOW = Answer(transit_s=11.0)  # longer than the caller waits
SOON = Answer(fills=(Tranche("0.6"), Tranche("0.4", 0.3)))
AT_ONCE = Answer(fills=(Tranche("0.6"), Tranche("0.4", 0.1)))
WHERE = (tuple(MARKETS), *((name,) for name in MARKETS))  # both venues, and each alone
LATE = Answer(fills=(Tranche("0.6"), Tranche("0.4", 1.5)))  # what was over fills on


@frozen(kw_only=True)
class Scenario:
    """A plot, and the ways in which it may go without any crash.

    Attributes:
        name: For reports.
        plot: What is done.
        others: What else venues may answer to an order, in runs without a crash.
        orders: How many orders of each venue are answered otherwise, first one, then two, and so on.
        bots: What else the bot may have done: asked in another order, or not at all.
    """

    name: str
    plot: Plot
    others: tuple[Answer, ...] = (WHOLE, REFUSED, LOST, UNHEARD, NOTHING, PART)
    orders: int = 2
    bots: tuple[Bot, ...] = ()

    def variations(self) -> Iterator[Plot]:
        """Yield the plot as it may go without a crash: every answer to both orders of a pair, in every combination."""
        for bot in (self.plot.bot, *self.bots):
            plot = evolve(self.plot, bot=bot)
            yield plot
            for at in range(self.orders):
                # Most crashes look like orders that were lost.
                for count, where in itertools.product(range(1, self.orders + 1), WHERE):
                    answers = plot.answers
                    lost = {name: _lost(answers.get(name, ()), at, count if name in where else 0) for name in MARKETS}
                    yield evolve(plot, answers=lost)
                alpha, beta = (_replaced(plot.answers.get(name, ()), at, self.others) for name in MARKETS)
                for first, second in itertools.product(alpha, beta):
                    yield evolve(plot, answers={"alpha": first, "beta": second})


def _replaced(answers: Sequence[Answer], at: int, others: Sequence[Answer]) -> list[tuple[Answer, ...]]:
    """Return *answers* with each of *others* in the place *at*; before it everything fills where nothing is said."""
    whole = [*answers, *[WHOLE] * (at + 1 - len(answers))]
    return [(*whole[:at], other, *whole[at + 1 :]) for other in dict.fromkeys((whole[at], *others))]


def _lost(answers: Sequence[Answer], at: int, count: int) -> tuple[Answer, ...]:
    """Return *answers* with *count* orders before the one at *at* that never arrive, as those that are never sent."""
    before = [*answers[:at], *[WHOLE] * (at - len(answers))]
    return (*before, *[LOST] * count, *answers[at:])


def entry(decision_id: str = "entry") -> CrossExchangeDecision:
    """Return a decision to sell on alpha and buy on beta."""
    return CrossExchangeDecision(
        action=Action.ENTRY_POSITIVE,
        legs=LEGS,
        notional=Money(SIZE, "USD"),
        prices=(PRICE, PRICE),
        decision_id=decision_id,
    )


async def one_entry(executor: CrossExchangeExecutor) -> None:
    """Enter once."""
    await insist(executor, entry())


async def two_entries(executor: CrossExchangeExecutor) -> None:
    """Enter twice at once."""
    await asyncio.gather(insist(executor, entry("first")), insist(executor, entry("second")))


async def in_turn(executor: CrossExchangeExecutor) -> None:
    """Enter twice, one after the other."""
    await insist(executor, entry("first"))
    await insist(executor, entry("second"))


async def the_other_way_round(executor: CrossExchangeExecutor) -> None:
    """Enter twice, the second first."""
    await insist(executor, entry("second"))
    await insist(executor, entry("first"))


async def in_and_out(executor: CrossExchangeExecutor) -> None:
    """Enter, and leave what was entered, twice where the first exit comes to nothing."""
    entered = await insist(executor, entry())
    if entered is None or entered.position_id is None:
        return
    for number in (1, 2):
        decision = CrossExchangeDecision(
            action=Action.EXIT_TP,
            legs=LEGS,
            prices=(PRICE, PRICE),
            decision_id=f"exit-{number}",
            position_id=entered.position_id,
        )
        await insist(executor, decision)


async def resumed(executor: CrossExchangeExecutor) -> None:
    """Enter, and be the operator who lets a halted trade go on."""
    result = await insist(executor, entry())
    if result is not None and result.status == "halted":
        await executor.resume(result.trade_id)


def _plot(
    bot: Bot = one_entry, *, alpha: tuple[Answer, ...] = (), beta: tuple[Answer, ...] = (), **policy: Any
) -> Plot:
    return Plot(bot=bot, policy=evolve(POLICY, **policy), answers={"alpha": alpha, "beta": beta})


SCENARIOS = (
    Scenario(name="both fill", plot=_plot()),
    Scenario(name="one refused", plot=_plot(beta=(REFUSED,), remedy="unwind")),
    Scenario(name="in doubt, exists", plot=_plot(beta=(UNHEARD,))),
    Scenario(name="in doubt, does not exist", plot=_plot(beta=(LOST,))),
    Scenario(name="partial, unwinds", plot=_plot(beta=(PART,), remedy="unwind")),
    Scenario(name="partial, completes", plot=_plot(beta=(PART,), remedy="complete")),
    Scenario(name="halted, resumed", plot=_plot(resumed, beta=(PART,), attempts_max=0)),
    Scenario(name="exit", plot=_plot(in_and_out)),
    Scenario(name="exit rolls back", plot=_plot(in_and_out, beta=(WHOLE, REFUSED), remedy="unwind"), orders=3),
    Scenario(name="sequential", plot=_plot(alpha=(PART,), placement="sequential")),
    Scenario(name="rests, is cancelled", plot=_plot(alpha=(PART,), order_type="limit")),
    Scenario(
        name="two at once",
        plot=_plot(two_entries, beta=(WHOLE, PART)),
        others=(WHOLE, REFUSED, PART),
        bots=(in_turn, the_other_way_round, one_entry),
    ),
    Scenario(name="late fill", plot=_plot(alpha=(LATE,), remedy="unwind"), others=(WHOLE, LATE, SOON, AT_ONCE, LOST)),
    Scenario(name="accepted late", plot=_plot(beta=(SLOW,))),
)
