"""Risk under whatever comes: trades, faults, busts and restarts in any order, over the real executor.

However it goes, positions are what the venues filled, what is reserved is what
is at work and held, each round trip counts once, no entry passes a limit, and
no exit is stopped by one.
"""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import Any

from attrs import frozen
from hall import ASK, BID, FX, IN_DOUBT, SYMBOLS, PaperVenue, crash, quick, shows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_arb import Action, CrossExchangeDecision, CrossExchangeExecutor, CrossExchangeRiskGuard, Leg, Money
from fsm_arb.errors import PositionNotOpen
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.ports import Acknowledged, Refused
from fsm_arb.position import CrossExchangePosition
from fsm_arb.risk import GlobalLimits, RiskLimits, RouteLimits
from fsm_arb.scribe import Scribe
from fsm_arb.values import ZERO, Side
from fsm_arb.virtual import VirtualClock, run

D = Decimal
NAMES = ("upbit", "binance")
LEGS = (Leg("upbit", SYMBOLS["upbit"]), Leg("binance", SYMBOLS["binance"]))
ROOM = Money(D(25_000_000), "KRW")  # a quarter of a BTC and a little
LOSS = Money(D(100_000), "KRW")
POLICY = quick(watch_after_done_s=20, poll_interval_s="0.5", absence_fence_s=2, halted_retry_s=2, fill_timeout_s=3)
LEAST = D("0.00008")  # 5 USDT and a little
REST_S = 240  # as long as the slowest remedy takes, and a watch


class Faulty(PaperVenue):
    """A venue whose next orders go as they are told to; it keeps the true books."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: list[str | None] = []  # what becomes of the next orders
        self.truth: dict[str, Decimal] = {}  # signed base that executed, by client order id

    async def wait(self, what: str, detail: Any) -> None:
        await asyncio.sleep(0.01)

    async def place(self, request: Any, fresh: Any) -> Any:
        told = self.told.pop(0) if self.told else None
        await asyncio.sleep(0.01)
        if told in {"doubt", "refused"} or not fresh():
            return IN_DOUBT if told == "doubt" else Refused(code="insufficient_funds", message="no")
        filled = (request.amount / 2).quantize(D("0.00001")) if told == "half" else request.amount
        snapshot = shows(self, request, filled)
        self.truth[request.client_order_id] = filled * request.side.sign
        return IN_DOUBT if told == "late" else Acknowledged(snapshot=snapshot)


class Judge(CrossExchangeRiskGuard):
    """The guard that is shipped, watched: what it lets pass must fit."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.wrong: list[str] = []  # an error of its own would only be a no

    def admit(self, decision: CrossExchangeDecision) -> Any:
        known = self._holdings.get(decision.decision_id) is not None
        verdict = super().admit(decision)
        if verdict.approved and not known and self.held > ROOM:
            self.wrong.append(f"{decision.decision_id} has passed the limit of exposure: {self.held}")
        if verdict.approved and not known and self.daily_pnl.amount <= -LOSS.amount:
            self.wrong.append(f"{decision.decision_id} has passed the limit of a day's loss: {self.daily_pnl}")
        return verdict


FAULTS = st.lists(st.sampled_from([None, "half", "late", "doubt", "refused"]), max_size=2)


@frozen
class Enter:
    """Ask for entries at once."""

    sizes: tuple[Decimal, ...]
    action: Action
    faults: tuple[list[str | None], list[str | None]]
    after_s: float | None  # what comes next comes this much later; None: once they rest


@frozen
class Leave:
    """Ask for the exit of a position."""

    which: int
    faults: tuple[list[str | None], list[str | None]]


@frozen
class Bust:
    """Let a venue take back what an order has executed."""

    which: int


@frozen
class Restart:
    """End the process in good order, or as a power cut does."""

    killed: bool


@frozen
class Pause:
    """Let time pass."""

    seconds: int


SIZES = st.sampled_from([D("0.02"), D("0.1"), D("0.2")])
ENTERS = st.builds(
    Enter,
    st.lists(SIZES, min_size=1, max_size=3).map(tuple),
    st.sampled_from([Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE]),
    st.tuples(FAULTS, FAULTS),
    st.sampled_from([None, 0.0, 0.025, 1.0]),
)
STEPS = st.one_of(
    ENTERS,
    ENTERS,
    st.builds(Leave, st.integers(0, 9), st.tuples(FAULTS, FAULTS)),
    st.builds(Leave, st.integers(0, 9), st.just(([], []))),
    st.builds(Bust, st.integers(0, 9)),
    st.builds(Restart, st.booleans()),
    st.builds(Pause, st.sampled_from([1, 30])),
)


class Course:
    """One run: the venues and the disk live on, executors and guards come and go."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.disk = MemoryDisk()
        self.venues = {name: Faulty(name) for name in NAMES}
        self.ids = (f"d{number}" for number in itertools.count(1))
        self.asked: list[asyncio.Task[Any]] = []
        self.exits: list[str] = []

    async def start(self) -> None:
        self.guard = Judge(
            RiskLimits(
                daily_loss=LOSS,
                consecutive_losses=1000,
                route=RouteLimits(consecutive_losses=1000),
                directional_bias=1,
                overall=GlobalLimits(exposure=ROOM),
            ),
            self.clock.time_ns,
            fx=FX,
        )
        self.executor = CrossExchangeExecutor(
            venues=self.venues,
            journal=MemoryJournal(self.disk),
            fx=FX,
            policy=POLICY,
            risk_guard=self.guard,
            clock=self.clock,
        )
        await self.executor.__aenter__()

    async def play(self, steps: list[Any]) -> None:
        await self.start()
        for step in steps:
            await getattr(self, f"_{type(step).__name__.lower()}")(step)
            self.check_what_is_held()
        await self.rest()
        self.check_all()
        await self._restart(Restart(killed=False))
        self.check_all()
        await self.executor.__aexit__(None, None, None)

    async def rest(self) -> None:
        """Let everything come to its end."""
        await asyncio.gather(*self.asked, return_exceptions=True)
        for _ in range(REST_S):
            await self.executor.settled()
            if all(each.state == "DONE" for each in self.executor.trades(live=True)):
                return
            await asyncio.sleep(1)
        raise AssertionError([(each.trade_id, each.state, each.note) for each in self.executor.trades(live=True)])

    # -------------------------------------------------------------- steps

    def _spoil(self, faults: tuple[list[str | None], list[str | None]]) -> None:
        for name, told in zip(NAMES, faults, strict=True):
            self.venues[name].told = list(told)

    async def _enter(self, step: Enter) -> None:
        self._spoil(step.faults)
        side = BID if step.action is Action.ENTRY_POSITIVE else ASK
        other = ASK if step.action is Action.ENTRY_POSITIVE else BID
        for size in step.sizes:
            decision = CrossExchangeDecision(
                action=step.action,
                legs=LEGS,
                notional=Money(size * side["upbit"], "KRW"),
                prices=(side["upbit"], other["binance"]),
                decision_id=next(self.ids),
            )
            self.asked.append(asyncio.ensure_future(self.executor.execute_decision(decision)))
        if step.after_s is None:
            await self.rest()
        else:
            await asyncio.sleep(step.after_s)

    async def _leave(self, step: Leave) -> None:
        held = [each for each in self.executor.positions() if each.state == "OPEN"]
        if not held:
            return
        self._spoil(step.faults)
        position = held[step.which % len(held)]
        prices = [(BID if side is Side.BUY else ASK)[name] for side, name in zip(position.sides, NAMES, strict=True)]
        decision = CrossExchangeDecision(
            action=Action.EXIT_TP,
            legs=LEGS,
            prices=tuple(prices),
            decision_id=next(self.ids),
            position_id=position.position_id,
        )
        try:
            result = await self.executor.execute_decision(decision)
        except PositionNotOpen:  # a bust has closed it meanwhile
            return
        assert result.status != "blocked", result.note

    async def _bust(self, step: Bust) -> None:
        await self.rest()
        filled = [
            (each.trade_id, order)
            for each in self.executor.trades()
            for leg in each.legs
            for order in leg.client_order_ids
            if self._truth(order)
        ]
        if filled:
            trade_id, order = filled[step.which % len(filled)]
            amount = abs(self._truth(order))
            for venue in self.venues.values():
                if order in venue.truth:
                    venue.truth[order] = ZERO
            await self.executor.bust(trade_id, order, amount, "a test")

    def _truth(self, order: str) -> Decimal:
        return sum((venue.truth.get(order, ZERO) for venue in self.venues.values()), ZERO)

    async def _restart(self, step: Restart) -> None:
        if step.killed:
            await crash(self.executor)
        else:
            await self.executor.__aexit__(None, None, None)
        await asyncio.gather(*self.asked, return_exceptions=True)
        self.asked.clear()
        await self.start()

    async def _pause(self, step: Pause) -> None:
        await asyncio.sleep(step.seconds)

    # -------------------------------------------------------------- what must hold

    def check_what_is_held(self) -> None:
        """Reserved: every entry at work and every position that is not closed, and nothing else."""
        assert self.guard.wrong == []
        runners = self.executor._runners.values()
        entries = {each.trade.trade_id for each in runners if each.trade.decision.action.is_entry}
        at_work = {each for each in entries if not self.executor._runners[each].trade.done}
        held = {each.entry_trade_id for each in self.executor.positions() if each.state != "CLOSED"}
        reserved = set(self.guard._holdings._by_id)
        assert held | at_work <= reserved
        assert reserved <= held | at_work | set(self.executor._opened)

    def check_all(self) -> None:
        """At rest, from the venues' books and the journal alone."""
        positions = [each for each in self.executor.positions() if each.state != "CLOSED"]
        worth = sum((each.quantity * price_of(each) for each in positions), ZERO)
        assert self.guard.held == Money(worth, "KRW")
        trades = list(self.executor.trades())
        too_small = len(trades) * LEAST * 2  # naked after each, and hedged where no venue takes an exit of it
        for index, name in enumerate(NAMES):
            filled = sum(self.venues[name].truth.values(), ZERO)
            stands = sum((each.quantity * each.sides[index].sign for each in positions), ZERO)
            assert abs(filled - stands) <= too_small, f"{name} has filled {filled}, positions hold {stands}"
        assert self.guard.history.result == self.made(trades)

    def made(self, trades: list[Any]) -> Decimal:
        """What every round trip that is over has made, each once."""
        scribe = Scribe(self.executor._journal)
        total, opened = ZERO, set()
        for position_id in scribe.position_ids():
            found = scribe.position(position_id)
            assert found is not None
            position = found[0].value
            opened.add(position.entry_trade_id)
            if position.state == "CLOSED":
                assert position.realised_pnl is not None
                total += position.realised_pnl
            else:  # what it was counted at before a bust reopened it stands until it is closed again
                kept = self.guard.history.counted.get(position.entry_trade_id)
                total += kept.pnl if kept else ZERO
        for each in trades:
            if each.decision.action.is_entry and each.trade_id not in opened:
                total += each.pnl or ZERO
        return total


def price_of(position: CrossExchangePosition) -> Decimal:
    """What a position was entered at, by its second leg where nothing is left of the first one's fills."""
    first, second = position.entry_prices
    if first is not None:
        return first
    assert second is not None
    return second * position.fx


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(first=ENTERS, steps=st.lists(STEPS, min_size=6, max_size=20))
def test_risk_holds_whatever_comes(first: Enter, steps: list[Any]) -> None:
    """Any sequence of entries, exits, faults, busts and restarts."""
    course = Course()
    run(course.play([first, *steps]), course.clock)
