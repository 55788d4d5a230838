"""Taking up a decision: what is asked before the first record that moves money."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hall import PaperVenue, Sink, quick, until
from worlds import entry

from fsm_arb import Action, CrossExchangeExecutor, CrossExchangeRiskGuard, Money, StaticFx
from fsm_arb.errors import VenueUnanswered
from fsm_arb.executor.opening import held_by, understood
from fsm_arb.fx import FxRate
from fsm_arb.ports import Refused
from fsm_arb.risk import GlobalLimits, RiskLimits
from fsm_arb.values import HealthStatus, Side

if TYPE_CHECKING:
    from hall import Hall

D = Decimal


@pytest.fixture
def venues() -> dict[str, PaperVenue]:
    return {name: PaperVenue(name) for name in ("upbit", "binance")}


def failing(venue: PaperVenue, *kinds: str) -> None:
    async def wait(what: str, detail: Any) -> None:
        if what in kinds:
            raise VenueUnanswered(f"{venue.name}: nobody answers {what}")

    venue.wait = wait  # type: ignore[method-assign]


def sent(venues: dict[str, PaperVenue]) -> int:
    return sum(venue.count("place") for venue in venues.values())


# ------------------------------------------------------------------ what a decision means


@pytest.mark.parametrize(
    ("action", "sides"),
    [(Action.ENTRY_POSITIVE, (Side.SELL, Side.BUY)), (Action.ENTRY_NEGATIVE, (Side.BUY, Side.SELL))],
)
async def test_an_entry_has_sides_and_no_quantity_yet(
    hall: Hall, venues: dict[str, PaperVenue], action: Action, sides: Any
) -> None:
    """Positive sells the first leg, negative buys it; an exit is sized from its position, with the sides reversed."""
    async with hall.executor(venues=venues) as executor:
        order = understood(hall.entry(action=action), executor._services)
        assert (order.sides, order.quantity, order.position) == (sides, None, None)
        entered = await executor.execute_decision(hall.entry("0.1", action=action))
        order = understood(hall.exit(entered), executor._services)
        assert order.sides == (sides[0].opposite, sides[1].opposite)
        assert order.quantity == D("0.1")
        assert order.position is executor.positions()[0]


# ------------------------------------------------------------------ readings


async def test_both_venues_are_asked_at_once(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """Every reading of one waits for the same reading of the other to have left: in turn, this would never end."""

    async def together(what: str, detail: Any) -> None:
        if what in {"rules", "health", "balances"}:
            await until(lambda: all(venue.count(what) for venue in venues.values()), 1)

    for venue in venues.values():
        venue.wait = together  # type: ignore[method-assign]
    async with hall.executor(venues=venues) as executor:
        assert (await executor.execute_decision(hall.entry())).status == "success"


async def test_young_readings_are_used_again(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """A second trade asks for nothing but the rules, which a venue keeps itself; with an age of zero, for all."""
    async with hall.executor(venues=venues) as executor:
        for _ in range(3):
            await executor.execute_decision(hall.entry())
        assert [(v.count("rules"), v.count("health"), v.count("balances")) for v in venues.values()] == [(3, 1, 1)] * 2
    async with hall.executor(venues=venues, policy=quick(health_age_s=0)) as executor:
        for venue in venues.values():
            venue.doing.clear()
        for _ in range(3):
            await executor.execute_decision(hall.entry())
        assert [(v.count("rules"), v.count("health"), v.count("balances")) for v in venues.values()] == [(3, 3, 3)] * 2


@pytest.mark.parametrize("kind", ["rules", "balances"])
async def test_an_entry_whose_readings_fail_sends_nothing(hall: Hall, venues: dict[str, PaperVenue], kind: str) -> None:
    """The note names the venue; the trade has ended, and the next one asks again."""
    failing(venues["binance"], kind)
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == ("blocked" if kind == "rules" else "failed")
        assert "binance: nobody answers" in result.note
        assert sent(venues) == 0
        venues["binance"].wait = PaperVenue("binance").wait  # type: ignore[method-assign]
        assert (await executor.execute_decision(hall.entry())).status == "success"


async def test_an_exit_needs_no_balances(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """The venue itself says whether it can be done."""
    async with hall.executor(venues=venues, policy=quick(health_age_s=0)) as executor:
        entered = await executor.execute_decision(hall.entry())
        failing(venues["binance"], "balances")
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"


async def test_an_exit_goes_to_a_venue_that_is_not_quite_well(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """Degraded health stops entries only."""
    async with hall.executor(venues=venues) as executor:
        entered = await executor.execute_decision(hall.entry())
        venues["upbit"].status = HealthStatus.DEGRADED
        for desk in executor._services.desks.values():
            desk._health = None
        assert (await executor.execute_decision(hall.entry())).status == "blocked"
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"


async def test_an_exit_waits_until_its_entry_has_settled(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """A disturbed entry is mended first: what it holds may change."""
    async with hall.executor(venues=venues, policy=quick(remedy="unwind")) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        (runner,) = executor._runners.values()
        runner._rest.clear()  # as it is while a trade runs
        leaving = asyncio.ensure_future(executor.execute_decision(hall.exit(entered)))
        await asyncio.sleep(0.05)
        assert sent(venues) == 2
        runner._rest.set()
        assert (await leaving).status == "success"


# ------------------------------------------------------------------ the risk guard


class Guard:
    """A guard that answers what it is told to."""

    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict
        self.asked = 0

    def check_cross_exchange_trade(self, decision: Any) -> Any:
        self.asked += 1
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


class Later(Guard):
    """The same, some time later."""

    async def check_cross_exchange_trade(self, decision: Any) -> Any:
        await asyncio.sleep(0.01)
        return super().check_cross_exchange_trade(decision)


def refusing() -> Any:
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(1), "KRW")), lambda: 10**18)
    guard.record_pnl(Money(D(-2), "KRW"))
    return guard


@pytest.mark.parametrize("kind", [Guard, Later])
@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (refusing().check_cross_exchange_trade(entry()), "DAILY_LOSS"),
        (RuntimeError("the guard is broken"), "the guard is broken"),
        (None, "risk"),
        ("fine", "risk"),
    ],
)
async def test_a_guard_that_does_not_approve_blocks_entries_and_is_not_asked_about_exits(
    hall: Hall, venues: dict[str, PaperVenue], kind: type[Guard], verdict: Any, words: str
) -> None:
    """Refused, broken or no verdict at all: what cannot be judged is not begun. An exit never asks."""
    guard = kind(type("Verdict", (), {"approved": True})())
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        entered = await executor.execute_decision(hall.entry())
        assert (entered.status, guard.asked) == ("success", 1)
        guard.verdict = verdict
        result = await executor.execute_decision(hall.entry())
        assert result.status == "blocked"
        assert words in result.note
        asked = guard.asked
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
        assert guard.asked == asked


async def test_a_guard_that_never_answers_is_a_no(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """In the time a call may take; whoever leaves is not held up by it."""

    class Silent(Guard):
        async def check_cross_exchange_trade(self, decision: Any) -> Any:
            await asyncio.Event().wait()

    async with hall.executor(venues=venues, risk_guard=Silent(None), policy=quick(request_timeout_s="0.1")) as executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 2)
        assert result.status == "blocked"
        assert "0.1 s" in result.note
        assert sent(venues) == 0


# ------------------------------------------------------------------ venues that take no orders


async def test_a_revoked_key_stops_entries_there_and_no_exit(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """After the first refusal a person is called; after the second, entries wait however well the venue reads."""
    sink = Sink()
    async with hall.executor(venues=venues, policy=quick(remedy="unwind"), alerts=sink) as executor:
        entered = await executor.execute_decision(hall.entry())
        revoked = Refused(code="authentication_failed", message="the key is revoked")
        statuses = []
        for _ in range(4):
            venues["binance"].outcomes = [revoked]
            result = await executor.execute_decision(hall.entry())
            statuses.append(result.status)
        assert statuses == ["rolled_back", "rolled_back", "blocked", "blocked"]
        assert "binance took no order: authentication_failed" in result.note
        assert [subject for subject, _, _ in sink.alerts] == ["binance takes no orders"] * 2
        venues["binance"].outcomes = []
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"


# ------------------------------------------------------------------ funds


async def test_what_is_held_covers_the_orders_and_undoing_them(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """By venue and asset; released once the trade is done and a younger balance has been read."""
    release = asyncio.Event()

    async def hold(what: str, detail: Any) -> None:
        if what == "place":
            await release.wait()

    venues["binance"].wait = hold  # type: ignore[method-assign]
    async with hall.executor(venues=venues) as executor:
        trade = asyncio.ensure_future(executor.execute_decision(hall.entry("0.1")))
        await until(lambda: executor._runners)
        (runner,) = executor._runners.values()
        held = {(venue, money.currency): money.amount for venue, money in held_by(runner.trade.ledger.plan)}
        assert set(held) == {("upbit", "KRW"), ("binance", "BTC"), ("binance", "USDT")}
        assert held["binance", "BTC"] == D("0.1")
        assert held["upbit", "KRW"] > D("0.1") * D(95_100_000)
        venues["binance"].free["BTC"] = D("0.15")
        executor._services.desks["binance"]._balances = None
        refused = await executor.execute_decision(hall.entry("0.1"))
        assert refused.status == "failed"
        assert "0.05" in refused.note
        release.set()
        assert (await trade).status == "success"
        assert (await executor.execute_decision(hall.entry("0.1"))).status == "success"


async def test_a_trade_that_could_not_be_begun_holds_nothing(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """Ten refusals in a row leave as much free as there was."""
    venues["binance"].free["BTC"] = D("0.1")
    async with hall.executor(venues=venues) as executor:
        for _ in range(10):
            assert (await executor.execute_decision(hall.entry("0.2"))).status == "failed"
        assert (await executor.execute_decision(hall.entry("0.1"))).status == "success"


async def test_without_a_reading_nothing_is_left_running(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """One venue's balance fails at once while the other's hangs: leaving waits for neither and leaves no task."""
    failing(venues["binance"], "balances")
    never = asyncio.Event()

    async def hang(what: str, detail: Any) -> None:
        if what == "balances":
            await never.wait()

    venues["upbit"].wait = hang  # type: ignore[method-assign]
    executor: CrossExchangeExecutor = hall.executor(venues=venues, policy=quick(request_timeout_s=30))
    before = asyncio.all_tasks()
    async with executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 2)
        assert result.status == "failed"
    assert {task.get_name() for task in asyncio.all_tasks() - before if "balances" in repr(task.get_coro())} == set()
    assert executor._services.desks["upbit"]._asking == {}


class Rates:
    """A provider whose reading of the guard's currency can be spoilt."""

    def __init__(self, **spoilt: Any) -> None:
        self.spoilt = spoilt

    def rate(self, base: str, quote: str) -> FxRate:
        told = FxRate(base=base, quote=quote, rate=D("1400"), source="a test")
        if (base, quote) != ("USD", "KRW"):
            return told
        if "error" in self.spoilt:
            raise self.spoilt["error"]
        return told.inverse if self.spoilt.get("turned") else evolve(told, at_ns=self.spoilt.get("at_ns"))


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"turned": True}, "asked for USD/KRW, a test told of KRW/USD"),
        ({"at_ns": 1}, "USD/KRW from a test is"),
        ({"error": ZeroDivisionError("no book")}, "ZeroDivisionError: no book"),
        ({}, ""),
    ],
)
async def test_the_room_that_risk_leaves_is_not_converted_at_an_unfit_rate(
    hall: Hall, venues: dict[str, PaperVenue], spoilt: Any, words: str
) -> None:
    """The entry is blocked and says why, and nothing stays reserved; at a good rate it is made smaller."""
    limits = RiskLimits(daily_loss=Money(10**6, "USD"), overall=GlobalLimits(exposure=Money(1000, "USD")))
    guard = CrossExchangeRiskGuard(limits, time.time_ns, fx=StaticFx({"USD/KRW": "1400"}))
    async with hall.executor(venues=venues, risk_guard=guard, fx=Rates(**spoilt)) as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        if words:
            assert result.status == "blocked"
            assert result.note.startswith("fx: the risk guard's room: ")
            assert words in result.note
            assert guard.held.amount == 0
            assert sent(venues) == 0
        else:
            assert result.status == "success"
            assert D("0.014") < result.leg("upbit").filled_qty < D("0.015")
