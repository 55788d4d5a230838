"""One pair of markets, looked at."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from papers import ALPHA, BETA, QUOTED, book, desk, entry, leaving

from fsm_arb.context import utc
from fsm_arb.errors import InvalidInput, UnknownVenue, VenueUnanswered
from fsm_arb.fx import StaticFx
from fsm_arb.fx_sources import BookFx
from fsm_arb.lookout import Lookout
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.risk import CrossExchangeRiskGuard, RiskLimits
from fsm_arb.spread import Fees
from fsm_arb.values import Balances, Health, HealthStatus, Leg, Money, OrderBook
from fsm_arb.virtual import EPOCH_NS, VirtualClock, run

D = Decimal
SECOND = 1_000_000_000
USD = StaticFx({"USDT/KRW": "1400"})


class World:
    """A desk that has been fed, and a lookout over it."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.desk = desk(self.clock)
        for name, leg in (("alpha", ALPHA), ("beta", BETA)):
            self.desk.venues[name].feed(leg.symbol, book())
        given: dict[str, Any] = {
            "legs": (ALPHA, BETA),
            "venues": self.desk.venues,
            "executor": self.desk.executor,
            "fx": USD,
            "clock": self.clock,
        }
        self.lookout = Lookout(**(given | options))


def test_a_look_sees_all_there_is() -> None:
    """Books, health, fees, balances and the rate, at one moment."""
    world = World()

    async def play() -> None:
        async with world.desk:
            seen = await world.lookout.look()
        assert (seen.now_ns, seen.legs, seen.books) == (EPOCH_NS, (ALPHA, BETA), (book(), book()))
        assert (seen.fees[0], seen.fees[1].maker) == (Fees(taker=D("0.001"), maker=D("0.0004")), D("0.0002"))
        assert [each.status for each in seen.health] == [HealthStatus.UP] * 2
        assert seen.balances == (Balances(free={"BTC": D(100), "USDT": D(10_000)}), Balances(free={"USDT": D(10_000)}))
        assert not isinstance(seen.fx, str)
        assert (seen.fx.rate, seen.positions, seen.in_flight, seen.recent) == (1, (), False, ())

    run(play(), world.clock)


def test_spreads_are_remembered_for_the_looks_that_follow() -> None:
    """The latest of them, each with its time; a moment without a price is none."""
    world = World(samples=2)

    async def play() -> None:
        async with world.desk:
            for bid in (90, 95, 100, 99):
                world.desk.venues["alpha"].feed(ALPHA.symbol, book(bids=((bid, 1),)))
                await world.lookout.look()
                await asyncio.sleep(1)
            world.desk.venues["alpha"].feed(ALPHA.symbol, OrderBook(bids=(), asks=()))
            await world.lookout.look()
            seen = await world.lookout.look()
        assert [each.at_ns for each in seen.recent] == [EPOCH_NS + at * SECOND for at in (2, 3)]
        assert seen.recent[0].pct == 0
        assert seen.gross_pct is None

    run(play(), world.clock)


def test_what_is_held_and_what_is_at_work_are_told() -> None:
    """A trade while it runs; then its position, with when it was decided; then nothing."""
    world = World()

    async def play() -> None:
        async with world.desk:
            executing = asyncio.create_task(world.desk.execute_decision(entry(decided_at=utc(EPOCH_NS))))
            busy = []
            while not executing.done():
                busy.append((await world.lookout.look()).in_flight)
                await asyncio.sleep(0)
            assert True in busy
            seen = await world.lookout.look()
            assert not seen.in_flight
            (held,) = seen.positions
            assert (held.quantity, held.opened_at_ns, held.open) == (1, EPOCH_NS, True)
            assert held.entry_prices == (D(100), D(101))

    run(play(), world.clock)


def test_a_decision_that_tells_no_time_was_made_when_its_position_was_booked() -> None:
    """Not when somebody first looks, as after a restart: a position that is held too long is left in time."""
    world = World()

    async def play() -> None:
        async with world.desk:
            await world.desk.execute_decision(entry())
            for _ in range(2):
                await asyncio.sleep(60)
                seen = await world.lookout.look()
                assert seen.positions[0].opened_at_ns == EPOCH_NS < seen.now_ns

    run(play(), world.clock)


class Mute(PaperVenue):
    """Gives no answer to what it is told to keep quiet about."""

    quiet: tuple[str, ...] = ()

    async def book(self, symbol: str) -> OrderBook:
        if "book" in self.quiet:
            raise VenueUnanswered("no book")
        return await super().book(symbol)

    async def rules(self, symbol: str) -> Any:
        if "rules" in self.quiet:
            raise VenueUnanswered("no rules")
        return await super().rules(symbol)

    async def balances(self) -> Balances:
        if "balances" in self.quiet:
            raise VenueUnanswered("no balances")
        return await super().balances()


def mute(clock: VirtualClock, *quiet: str) -> Mute:
    venue = Mute.from_rules("alpha", [QUOTED], {"BTC": 1}, clock=clock)
    venue.feed(ALPHA.symbol, book())
    venue.quiet = quiet
    return venue


@pytest.mark.parametrize("what", ["book", "rules", "balances"])
def test_a_venue_that_gives_no_answer_leaves_its_part_empty(what: str) -> None:
    """Without rules nobody knows what a trade costs, so there is no book to decide on; later they are asked again."""
    world = World()
    venue = mute(world.clock, what)

    async def play() -> None:
        async with world.desk:
            venues = {"alpha": venue, "beta": world.desk.venues["beta"]}
            lookout = Lookout((ALPHA, BETA), venues, world.desk.executor, fx=USD, clock=world.clock)
            seen = await lookout.look()
            assert (seen.books[0] is None) is (what != "balances")
            assert (seen.balances[0] is None) is (what == "balances")
            assert seen.books[1] == book()
            if what == "rules":
                assert seen.health[0].status is HealthStatus.DOWN
                assert seen.health[0].note == "alpha has not told the rules of BTC/USDT"
                assert seen.fees[0] == Fees()
            venue.quiet = ()
            seen = await lookout.look()
            assert (seen.books[0], seen.fees[0].taker) == (book(), D("0.001"))

    run(play(), world.clock)


def test_on_paper_no_secrets_are_needed() -> None:
    """A venue without them may still be looked at; balances are those of the paper account."""
    world = World()
    real = mute(world.clock)
    real.health_now = Health(status=HealthStatus.UP, has_secrets=False)
    venues = {"alpha": real, "beta": world.desk.venues["beta"]}

    async def play() -> None:
        async with world.desk:
            parts: dict[str, Any] = {"fx": USD, "clock": world.clock}
            seen = await Lookout((ALPHA, BETA), venues, world.desk.executor, **parts).look()
            assert (seen.health[0].has_secrets, seen.balances[0]) == (False, Balances(free={"BTC": D(1)}))
            parts |= {"accounts": world.desk.venues, "secrets_needed": False}
            seen = await Lookout((ALPHA, BETA), venues, world.desk.executor, **parts).look()
            assert seen.health[0].has_secrets
            assert seen.balances[0] == Balances(free={"BTC": D(100), "USDT": D(10_000)})

    run(play(), world.clock)


def test_a_source_of_rates_that_watches_books_is_told_them() -> None:
    """And without a rate the context says why."""
    clock = VirtualClock()
    legs = Leg("alpha", "USDT/KRW"), Leg("beta", "USDT/USDC")
    told = []

    class Watching(BookFx):
        def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
            told.append(leg)
            super().observe(leg, book, at_ns)

    rules = [
        PaperVenue.from_rules(leg.exchange, [QUOTED.__class__(
            symbol=leg.symbol, base=leg.base, quote=leg.quote, lot=D(1), ticks=QUOTED.ticks
        )], {}, clock=clock)
        for leg in legs
    ]  # fmt: skip
    venues = dict(zip(("alpha", "beta"), rules, strict=True))
    for leg in legs:
        venues[leg.exchange].feed(leg.symbol, book())

    async def play() -> None:
        async with desk(clock) as paper:
            seen = await Lookout(legs, venues, paper.executor, fx=Watching(legs[0]), clock=clock).look()
        assert told == list(legs)
        assert isinstance(seen.fx, str)

    run(play(), clock)


def test_what_is_closed_or_of_another_pair_is_not_held() -> None:
    """A strategy is asked about what can be left on its own pair."""
    world = World()
    other = Lookout(
        (BETA, ALPHA), world.desk.venues, world.desk.executor, fx=USD, clock=world.clock
    )  # the pair the other way round is another one: its sides would be read the wrong way

    async def play() -> None:
        async with world.desk:
            entered = await world.desk.execute_decision(entry())
            assert (len((await world.lookout.look()).positions), (await other.look()).positions) == (1, ())
            world.desk.venues["alpha"].feed(ALPHA.symbol, book(((100, 2),)))
            world.desk.venues["beta"].feed(BETA.symbol, book(((100, 2),)))
            await world.desk.execute_decision(leaving(entered.position_id))
            assert (await world.lookout.look()).positions == ()

    run(play(), world.clock)


def test_a_guard_is_told_no_more_than_is_known() -> None:
    """Neither a price nor a balance is made up; health is told all the same."""
    clock = VirtualClock()
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(100), "USDT")), clock.time_ns)
    other = Leg("gamma", "BTC/USDT")
    venues = {"alpha": mute(clock, "book"), "gamma": PaperVenue.from_rules("gamma", [QUOTED], {"BTC": 3}, clock=clock)}
    venues["gamma"].feed("BTC/USDT", book())

    async def play() -> None:
        async with desk(clock) as paper:
            watching = BookFx(Leg("alpha", "USDT/KRW"))
            await Lookout((ALPHA, other), venues, paper.executor, fx=watching, clock=clock, risk_guard=guard).look()

    run(play(), clock)
    assert set(guard._inventory) == {("gamma", "BTC")}
    assert (guard._volatility, set(guard._health)) == ({}, {"alpha", "gamma"})


def test_the_risk_guard_is_told_the_same() -> None:
    """Health, what two spot venues hold, and how restless the price is."""
    clock = VirtualClock()
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(100), "USDT")), clock.time_ns)
    other = Leg("gamma", "BTC/USDT")
    venues = {
        "alpha": mute(clock),
        "gamma": PaperVenue.from_rules("gamma", [QUOTED], {"BTC": 3}, clock=clock),
    }
    venues["gamma"].feed("BTC/USDT", book())
    venues["gamma"].health_now = Health(status=HealthStatus.DEGRADED)

    async def play() -> None:
        async with desk(clock) as paper:
            lookout = Lookout((ALPHA, other), venues, paper.executor, fx=USD, clock=clock, risk_guard=guard)
            await lookout.look()
            assert guard._volatility == {}
            await asyncio.sleep(60)
            venues["alpha"].feed("BTC/USDT", book(bids=((103, 1),), asks=((104, 1),)))
            await lookout.look()

    run(play(), clock)
    assert {name: health.status for name, health in guard._health.items()} == {
        "alpha": HealthStatus.UP,
        "gamma": HealthStatus.DEGRADED,
    }
    assert guard._inventory == {
        ("alpha", "BTC"): Money(D("103.5"), "USDT"),
        ("gamma", "BTC"): Money(3 * D("100.5"), "USDT"),
    }
    assert abs(guard._volatility["BTC"] - (D("103.5") / D("100.5") - 1)) < D("1e-12")


def test_contracts_are_no_inventory() -> None:
    """What is held of them can be less than nothing."""
    clock = VirtualClock()
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(100), "USDT")), clock.time_ns)
    world = World(risk_guard=guard)

    async def play() -> None:
        async with world.desk:
            await world.lookout.look()

    run(play(), world.clock)
    assert guard._inventory == {}
    assert set(guard._health) == {"alpha", "beta"}


def test_what_is_not_there_is_said() -> None:
    """A venue or an account that no leg can be traded on; a memory that holds no change."""
    with pytest.raises(UnknownVenue, match="gamma"):
        World(legs=(Leg("gamma", "BTC/USDT"), BETA))
    with pytest.raises(UnknownVenue, match="alpha"):
        World(accounts={})
    with pytest.raises(InvalidInput, match="samples"):
        World(samples=1)
