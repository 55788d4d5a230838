"""A world of venues: the books that count, faults from outside, and somebody's own hands."""

from __future__ import annotations

import asyncio
import decimal
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from stages import SYMBOL, Stage, alpha

from fsm_arb.clock import SystemClock
from fsm_arb.matching.orders import OrderRefused
from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.simulated import FaultHit, FaultKind, FaultPlan, Observer, Operation, SimulatedVenues, market
from fsm_arb.testing.simulated.exchange import SimulatedExchange
from fsm_arb.values import Side
from fsm_arb.virtual import VirtualClock, run

D = Decimal


# ------------------------------------------------------------------ repeatable


class Looks(Observer):
    """Writes down what it hears of, and looks at all the books each time if it is told to."""

    def __init__(self, *, looks: bool) -> None:
        self.looks = looks
        self.hits: list[str] = []
        self.sim: SimulatedVenues | None = None

    def look(self) -> None:
        if self.looks and self.sim is not None:
            self.sim.venue_orders()
            self.sim.moved()

    def on_create(self, venue: str, client_id: str) -> None:
        self.look()

    def on_execution(self, venue: str, client_id: str | None, fill: VenueFill) -> None:
        self.look()

    def on_fault(self, hit: FaultHit) -> None:
        self.hits.append(f"{hit.at} {hit.key} {hit.client_id}")
        self.look()


async def talk(exchange: SimulatedExchange, symbol: str, price: str, heard: list[Any]) -> None:
    """Say a bit of everything to an exchange, and write down what it answers."""

    def named(letter: str) -> dict[str, str]:
        return {"clientOrderId": f"{exchange.id}{letter}{len(heard)}"}

    calls: list[Callable[[], Any]] = [
        exchange.fetch_balance,
        lambda: exchange.create_order(symbol, "market", "buy", "0.01", None, named("m")),
        lambda: exchange.create_order(symbol, "limit", "sell", "0.01", price, named("r")),
        lambda: exchange.fetch_open_orders(symbol),
        lambda: exchange.fetch_order_book(symbol),
        lambda: exchange.cancel_order(None, symbol, {"clientOrderId": f"{exchange.id}r2"}),
        lambda: exchange.fetch_closed_orders(symbol),
    ]
    for number in range(42):
        try:
            heard.append(await calls[number % len(calls)]())
        except ccxt.BaseError as error:
            heard.append(repr(error))


def transcript(seed: int, faults: FaultPlan | str = "many", *, looks: bool = False) -> str:
    """Return everything that a bot of many words hears in a world full of faults, and what was true in the end."""
    clock, observer = VirtualClock(), Looks(looks=looks)
    sim = SimulatedVenues(
        clock, seed=seed, venues=["upbit", "binance", "binanceusdm"], faults=faults, observers=[observer]
    )
    observer.sim = sim
    heard: dict[str, list[Any]] = {name: [] for name in sim.venues}

    async def main() -> None:
        await asyncio.gather(
            talk(sim.exchange("upbit"), "BTC/KRW", "95200000", heard["upbit"]),
            talk(sim.exchange("binance"), "BTC/USDT", "68000", heard["binance"]),
            talk(sim.exchange("binanceusdm"), "BTC/USDT:USDT", "67950", heard["binanceusdm"]),
        )

    run(main(), clock)
    told = [heard, observer.hits, sim.venue_orders(), sim.moved(), clock.monotonic_ns()]
    return json.dumps(told, default=str)


def test_a_world_is_the_same_to_the_byte_for_the_same_seed() -> None:
    """Replies, errors, hits, books and time; another seed is another world."""
    assert transcript(11) == transcript(11)
    assert transcript(11) != transcript(12)


def test_the_thread_s_own_precision_changes_nothing() -> None:
    """ccxt's helpers leave it changed."""
    with decimal.localcontext(decimal.Context(prec=9)):
        rough = transcript(11)
    assert rough == transcript(11)


def test_whoever_looks_changes_nothing() -> None:
    """However often, and in the middle of whatever happens; only the hits may be told sooner."""
    for seed in range(5):
        seen, unseen = (json.loads(transcript(seed, looks=looks)) for looks in (True, False))
        assert sorted(seen.pop(1)) == sorted(unseen.pop(1))
        assert seen == unseen


def test_no_fault_happens_where_all_are_masked() -> None:
    """Nor where none is drawn: it is the same quiet world."""
    quiet = transcript(11, "none")
    assert quiet == transcript(11, FaultPlan(11, "many", only=frozenset()))
    assert "ccxt" not in quiet
    assert "RequestTimeout" not in quiet


def test_any_clock_will_do() -> None:
    """The system's too, in real time."""
    sim = SimulatedVenues(SystemClock(), venues=[alpha(latency_ms=(1.0, 2.0))])

    async def main() -> Any:
        row = await sim.exchange("alpha").create_order(SYMBOL, "market", "buy", "0.5", None, {"clientOrderId": "a"})
        return row, await sim.exchange("alpha").fetch_time()

    row, at_ms = asyncio.run(main())
    assert row["filled"] == "0.5"
    assert abs(at_ms - SystemClock().time_ns() // 10**6) < 5_000
    assert sim.venue_orders()["a"].filled == D("0.5")


# ------------------------------------------------------------------ venues


def test_venues_are_named_once_and_known() -> None:
    """Or described whole."""
    clock = VirtualClock()
    assert list(SimulatedVenues(clock).exchanges()) == ["upbit", "binance"]
    with pytest.raises(ValueError, match="two venues are called alpha"):
        SimulatedVenues(clock, venues=[alpha(), alpha()])
    with pytest.raises(ValueError, match="must be one of upbit, binance, binanceusdm"):
        SimulatedVenues(clock, venues=["bitmex"])


def test_an_exchange_object_is_always_the_same(stage: Stage) -> None:
    """As a bot's own would be."""
    assert stage.sim.exchange("alpha") is stage.sim.exchanges()["alpha"]


def test_orders_of_all_venues_stand_in_one_book() -> None:
    """By client id; with who came, in what order, at what time."""
    stage = Stage(alpha(), alpha(name="beta"))
    for name in ("beta", "alpha"):
        stage.run(
            stage.sim.exchange(name).create_order(SYMBOL, "limit", "buy", "0.1", "99", {"clientOrderId": f"of {name}"})
        )
    assert {name: order.venue for name, order in stage.sim.venue_orders().items()} == {
        "of alpha": "alpha",
        "of beta": "beta",
    }
    assert [(came.venue, came.client_order_id) for came in stage.sim.creates] == [
        ("beta", "of beta"),
        ("alpha", "of alpha"),
    ]
    assert stage.sim.creates[0].at == 0


def test_an_id_that_is_sent_twice_is_noted_and_refused(stage: Stage) -> None:
    """And only one of them is an order."""
    stage.run(stage.buy("0.1"))
    with pytest.raises(ccxt.InvalidOrder, match="duplicate"):
        stage.run(stage.buy("0.1"))
    assert stage.sim.sent_twice == ("ours",)
    assert list(stage.sim.venue_orders()) == ["ours"]


def test_where_ids_may_come_again_the_order_is_there_twice(make: Callable[..., Stage]) -> None:
    """Which is what a blind resend costs."""
    stage = make(ids_used_for_ever=False)
    stage.run(stage.buy("0.1"))
    stage.run(stage.buy("0.1"))
    assert [order.filled for order in stage.sim.venue_orders().values()] == [D("0.1"), D("0.1")]
    assert stage.sim.sent_twice == ("ours",)


def test_the_middle_of_a_book_is_at_hand(stage: Stage) -> None:
    """For decisions that are made on it; there is none where a side is empty."""
    assert stage.sim.middle("alpha", SYMBOL) == 100
    stage.sim.set_book("alpha", SYMBOL, [(99, 1)], [])
    assert stage.sim.middle("alpha", SYMBOL) == 0


# ------------------------------------------------------------------ faults


def test_faults_are_injected_by_name_where_they_apply(stage: Stage) -> None:
    """A venue or a fault that is not there is told."""
    with pytest.raises(KeyError, match="beta"):
        stage.sim.inject("beta", "refused")
    with pytest.raises(ValueError, match="nonsense"):
        stage.sim.inject("alpha", "nonsense")
    with pytest.raises(ValueError, match="does not apply"):
        stage.sim.inject("alpha", FaultKind.REFUSED, operation=Operation.BOOK)


def test_healing_ends_everything_that_is_wrong(stage: Stage) -> None:
    """Outages, halts, hidden orders, late executions, strange words, a clock that is off."""
    stage.sim.inject("alpha", FaultKind.FILLS_LATE, ms=10**6)
    stage.run(stage.buy(clientOrderId="late"))
    stage.sim.inject("alpha", FaultKind.HIDDEN, ms=10**6)
    stage.run(stage.rest(clientOrderId="hidden"))
    stage.sim.inject("alpha", FaultKind.SELF_TRADE)
    stage.run(stage.buy("0.1", clientOrderId="strange"))
    for kind, operation in (
        (FaultKind.HALT, Operation.CREATE),
        (FaultKind.SKEW, Operation.TIME),
        (FaultKind.READS_FAIL, Operation.FETCH),
        (FaultKind.DOWN, Operation.STATUS),
    ):
        stage.venue.conditions.begin(
            FaultPlan(1, {kind: 1.0}).draw("alpha", operation, SYMBOL).fault, stage.venue.now_ms(), None
        )
    stage.sim.inject("alpha", FaultKind.REFUSED)
    stage.sim.heal()
    stage.run(stage.buy("0.1", clientOrderId="healed"))
    rows = stage.run(stage.exchange.fetch_orders(SYMBOL))
    assert [row["clientOrderId"] for row in rows] == ["late", "hidden", "strange", "healed"]
    assert {row["status"] for row in rows} == {"closed", "open", "expired"}
    assert len(stage.run(stage.exchange.fetch_my_trades(SYMBOL))) == 3
    assert stage.run(stage.exchange.fetch_time()) == pytest.approx(stage.venue.now_ms(), abs=11)


def test_what_is_on_its_way_comes_even_after_healing(stage: Stage) -> None:
    """The world says until when to wait for it."""
    assert stage.sim.still_to_come() is None
    stage.sim.inject("alpha", FaultKind.LATE_FILL, ms=5_000)
    stage.run(stage.buy())
    stage.sim.heal()
    until_ns = stage.sim.still_to_come()
    assert until_ns is not None
    assert until_ns - stage.clock.monotonic_ns() == pytest.approx(5 * 10**9, abs=20 * 10**6)
    stage.clock.advance(until_ns - stage.clock.monotonic_ns())
    assert stage.sim.venue_orders()["ours"].filled == D("0.5")
    assert stage.sim.still_to_come() is None


# ------------------------------------------------------------------ by hand


def test_an_operator_s_trade_moves_balances_and_stands_in_no_bot_s_book(stage: Stage) -> None:
    """It is told as one fill at its average price."""
    fill = stage.sim.trade_by_hand("alpha", SYMBOL, "buy", D("1.5"))
    assert (fill.amount, fill.fee, fill.fee_currency) == (D("1.5"), D("0.152"), "USDT")
    assert fill.price * fill.amount == pytest.approx(D(152))
    assert stage.sim.venue_orders() == {}
    moved = {asset: change for asset, change in stage.sim.moved()["alpha"].items() if change}
    assert moved == stage.sim.external()["alpha"] == {"BTC": D("1.5"), "USDT": D("-152.152")}
    assert [word for word, _ in stage.seen.told] == ["execution", "execution"]
    assert {what[1] for _, what in stage.seen.told} == {None}


def test_a_trade_by_hand_can_be_undone_with_its_fee(stage: Stage) -> None:
    """As if it had never been: every balance, and what was done by hand."""
    fill = stage.sim.trade_by_hand("alpha", SYMBOL, "buy", D("1.5"))
    stage.sim.undo_by_hand("alpha", fill)
    assert not any(stage.sim.moved()["alpha"].values())
    assert not any(stage.sim.external()["alpha"].values())


def test_an_operator_s_order_may_be_refused_as_well(stage: Stage) -> None:
    """Nothing has moved then."""
    with pytest.raises(OrderRefused, match="funds"):
        stage.sim.trade_by_hand("alpha", SYMBOL, Side.SELL, D(11))
    assert stage.sim.external() == {"alpha": {}}


def test_a_bust_takes_the_last_execution_back(stage: Stage) -> None:
    """Of one order; there may be nothing to take back."""
    stage.run(stage.buy("1.5", "102"))
    fill = stage.sim.bust("alpha", "ours")
    assert fill is not None
    assert (fill.amount, fill.price) == (D("0.5"), D(102))
    order = stage.sim.venue_orders()["ours"]
    assert (order.filled, order.busted) == (D(1), D("0.5"))
    assert stage.sim.bust("alpha", "ours") is not None
    assert stage.sim.bust("alpha", "ours") is None


@pytest.mark.parametrize(
    ("hold", "lift", "error"),
    [
        (lambda sim: sim.halt("alpha", SYMBOL), lambda sim: sim.halt("alpha", SYMBOL, halted=False), "MarketClosed"),
        (lambda sim: sim.take_down("alpha"), lambda sim: sim.take_down("alpha", down=False), "ExchangeNotAvailable"),
        (lambda sim: sim.revoke("alpha"), lambda sim: sim.revoke("alpha", revoked=False), "AuthenticationError"),
        (lambda sim: sim.delist("alpha", SYMBOL), None, "BadSymbol"),
    ],
)
def test_what_is_done_by_hand_is_undone_by_hand(stage: Stage, hold: Any, lift: Any, error: str) -> None:
    """Neither time nor healing ends it; a delisting is for ever."""
    hold(stage.sim)
    stage.pass_ms(10**9)
    stage.sim.heal()
    with pytest.raises(getattr(ccxt, error)):
        stage.run(stage.buy())
    if lift is not None:
        lift(stage.sim)
        stage.run(stage.buy(clientOrderId="again"))
        assert stage.sim.venue_orders()["again"].filled == D("0.5")


def test_a_delisting_cancels_what_rests(stage: Stage) -> None:
    """At once."""
    stage.run(stage.rest())
    stage.sim.delist("alpha", SYMBOL)
    assert not stage.sim.venue_orders()["ours"].live


def test_a_book_that_was_fixed_moves_again_once_it_is_let_go(make: Callable[..., Stage]) -> None:
    """Back to what its walk says."""
    stage = make()
    stage.sim.free_book("alpha", SYMBOL)
    book = stage.run(stage.exchange.fetch_order_book(SYMBOL))
    assert 99 < book["bids"][0][0] < book["asks"][0][0] < 101
    assert book["bids"][0][0] != 99.0


def test_markets_of_one_s_own_are_traded_like_any_other() -> None:
    """Whatever they are called."""
    options = alpha(markets=(market("GOLD/EUR", lot="0.1", tick="0.5"),), balances={"EUR": D(10_000)}, price={})
    sim = SimulatedVenues(clock := VirtualClock(), venues=[options])
    row = run(sim.exchange("alpha").create_order("GOLD/EUR", "market", "buy", 12), clock)
    assert (row["filled"], row["status"]) == ("12", "closed")
