"""The first benchmark: what a transition, a trade, a commit and the way to the wire cost.

    python benchmarks/bench.py [--trades N]

Machines are noisy, so every figure stands beside one of the same run that it
is judged by: a bare trigger, a bare commit, two bare ccxt calls.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transitions import Machine

from fsm_arb import (
    Action,
    CrossExchangeDecision,
    CrossExchangeExecutor,
    ExecutionPolicy,
    Leg,
    Money,
    SqliteJournal,
    StaticFx,
)
from fsm_arb.choice import Standing
from fsm_arb.machines.trade import TRADE_ENGINE, TradeView
from fsm_arb.messages import Checked, Observed, PlaceEnded, Sized
from fsm_arb.plan import Plan
from fsm_arb.ports import (
    Acknowledged,
    Batch,
    CancelReply,
    Draft,
    Found,
    OrderSnapshot,
    OrderStatus,
    Wire,
)
from fsm_arb.sizing import SizingInputs, size
from fsm_arb.testing.loopback.client import LoopbackExchange
from fsm_arb.trade import Trade
from fsm_arb.values import (
    ZERO,
    Balances,
    Fee,
    FeeIn,
    Fill,
    Health,
    HealthStatus,
    Level,
    MarketRules,
    OrderBook,
    Side,
    TickBand,
)

if TYPE_CHECKING:
    from collections.abc import Callable

D = Decimal
LEGS = Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")
FX = StaticFx({"USDT/KRW": "1400"})
PRICES = D(95_100_000), D(67_900)
RICH = Balances(free={"BTC": D(10**6), "KRW": D(10**15), "USDT": D(10**12)})
RULES = (
    MarketRules(
        symbol="BTC/KRW",
        base="BTC",
        quote="KRW",
        lot=D("0.00000001"),
        ticks=(TickBand(D(0), D(1000)),),
        notional_min=D(5000),
        taker_fee=D("0.0005"),
        fee_in=FeeIn.QUOTE,
    ),
    MarketRules(
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        lot=D("0.00001"),
        ticks=(TickBand(D(0), D("0.01")),),
        notional_min=D(5),
        taker_fee=D("0.001"),
        fee_in=FeeIn.BASE_ON_BUY,
    ),
)


def decision(name: str, prices: tuple[Decimal, Decimal] = PRICES) -> CrossExchangeDecision:
    """Return one entry of a million won."""
    return CrossExchangeDecision(
        action=Action.ENTRY_POSITIVE, legs=LEGS, notional=Money(1_000_000, "KRW"), prices=prices, decision_id=name
    )


def snapshot(amount: Decimal, side: Side, price: Decimal, name: str) -> OrderSnapshot:
    """Return an order that filled whole."""
    fee = Fee(amount * D("0.001"), "BTC") if side is Side.BUY else Fee(D(500), "KRW")
    fill = Fill(fill_id=name, amount=amount, price=price, fee=fee)
    return OrderSnapshot(status=OrderStatus.ENDED, filled=amount, venue_order_id=name, fills=(fill,))


def timed(call: Callable[[], object], times: int, rounds: int = 5) -> float:
    """Return seconds a call, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, (time.perf_counter() - start) / times)
    return best


# ------------------------------------------------------------------ the pure core


class Bare:
    """A model for a bare machine."""

    state = "A"


class Moved:
    """A model for ours."""

    def __init__(self) -> None:
        self.state = "MONITORING"

    def on_move(self, row: Any) -> None:
        """Record nothing."""


def transition() -> None:
    """Print what one guarded transition costs, beside a bare one."""
    machine = Machine(model=None, states=["A", "B"], initial="A", auto_transitions=False, send_event=True)
    machine.add_transition("go", "A", "B", conditions=[lambda _event: True])
    bare_model, ours_model, view = Bare(), Moved(), TradeView(standing=Standing.MATCHED)

    def bare() -> None:
        bare_model.state = "A"
        machine.events["go"].trigger(bare_model)

    def ours() -> None:
        ours_model.state = "MONITORING"
        TRADE_ENGINE.fire(ours_model, "settled", view)

    bare_us, ours_us = timed(bare, 20_000) * 1e6, timed(ours, 20_000) * 1e6
    print(
        f"one transition                  {ours_us:8.1f} µs   {ours_us / bare_us:.2f} times a bare guarded trigger ({bare_us:.1f} µs)"
    )


def pure_trade() -> None:
    """Print how many whole trades a second pass through the core, one fill a leg."""
    counter = itertools.count()
    asked = decision("bench")
    policy = ExecutionPolicy()
    plan = size(
        SizingInputs(
            decision=asked,
            policy=policy,
            sides=asked.entry_sides(),
            rules=RULES,
            fx=FX.rate("USDT", "KRW"),
            free=(RICH, RICH),
        )
    )
    if not isinstance(plan, Plan):
        raise SystemExit(f"the benchmark's own trade cannot be sized: {plan}")
    ids = lambda: f"f{next(counter)}"
    resting = OrderSnapshot(status=OrderStatus.OPEN, filled=ZERO, venue_order_id="u1")
    sold = snapshot(plan.legs[0].amount, Side.SELL, PRICES[0], "u1")
    bought = snapshot(plan.legs[1].amount, Side.BUY, PRICES[1], "b1")

    def one() -> None:
        trade, _ = Trade.begin("bench", asked, policy, ids, now=0, at_ns=0)
        trade.handle(Checked(now=1), 1)
        trade.handle(Sized(now=2, plan=plan), 2)
        trade.handle(PlaceEnded(now=3, order=0, outcome=Acknowledged(snapshot=resting)), 3)
        trade.handle(PlaceEnded(now=3, order=1, outcome=Acknowledged(snapshot=bought)), 3)
        trade.handle(Observed(now=4, order=0, snapshot=sold), 4)
        if not trade.done:
            raise SystemExit(f"the benchmark's own trade ended {trade.state}")

    print(f"a whole trade, pure core        {1 / timed(one, 500):8.0f} trades/s")


# ------------------------------------------------------------------ with the journal


class Instant:
    """A venue of our port that fills whole, at once."""

    has_secrets = True

    def __init__(self, index: int) -> None:
        self.index = index
        self.counter = itertools.count()

    async def rules(self, _symbol: str) -> MarketRules:
        """Return the market's rules."""
        return RULES[self.index]

    async def place(self, request: Any, fresh: Callable[[], bool]) -> Acknowledged:
        """Fill it."""
        if not fresh():
            raise SystemExit("an intent grew too old")
        name = f"{self.index}-{next(self.counter)}"
        return Acknowledged(snapshot=snapshot(request.amount, request.side, request.bound, name), wire=Wire())

    async def cancel(self, _ref: Any) -> CancelReply:
        """Take any cancel."""
        return CancelReply(accepted=True)

    async def observe(self, ref: Any) -> Found:
        """Show it filled."""
        return Found(snapshot=snapshot(ref.amount, ref.side, PRICES[self.index], ref.venue_order_id))

    async def balances(self) -> Balances:
        """Return riches."""
        return RICH

    async def book(self, _symbol: str) -> OrderBook:
        """Return a deep book."""
        price = PRICES[self.index]
        return OrderBook(bids=(Level(price, D(10**6)),), asks=(Level(price, D(10**6)),))

    async def health(self) -> Health:
        """Return good news."""
        return Health(status=HealthStatus.UP)

    async def close(self) -> None:
        """Do nothing."""


async def journaled(trades: int, at_once: int) -> None:
    """Print how many trades a second the executor drives with a durable journal."""
    with tempfile.TemporaryDirectory() as folder:
        executor = CrossExchangeExecutor(
            venues={"upbit": Instant(0), "binance": Instant(1)},
            journal=Path(folder) / "bench.db",
            fx=FX,
            policy=ExecutionPolicy(watch_after_done_s=0),
        )
        async with executor:
            gate = asyncio.Semaphore(at_once)

            async def one(name: str) -> None:
                async with gate:
                    result = await executor.execute_decision(decision(name))
                    if result.status != "success":
                        raise SystemExit(f"the benchmark's own trade ended {result.status}: {result.note}")

            await one("warm")
            start = time.perf_counter()
            await asyncio.gather(*(one(f"t{index}") for index in range(trades)))
            taken = time.perf_counter() - start
        print(f"journaled, {at_once:3d} in flight         {trades / taken:8.0f} trades/s")


async def commit_s(times: int = 200) -> float:
    """Return the median seconds of one durable commit of four records."""
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "commit.db")
        await journal.open()
        samples = []
        for index in range(times):
            drafts = tuple(
                Draft(at_ns=index, trigger="bench", state_before="A", state_after="A", payload='{"v":1}' * 60)
                for _ in range(7)
            )
            start = time.perf_counter()
            await journal.append([Batch(stream=f"s{index}", expected_seq=0, drafts=drafts, live=False)])
            samples.append(time.perf_counter() - start)
        await journal.close()
    return statistics.median(samples)


# ------------------------------------------------------------------ to the wire


def spied(exchange: Any, times: list[float]) -> Any:
    """Note when the exchange object hands an order to its HTTP client."""
    inner = exchange.fetch

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if method == "POST":
            times.append(time.perf_counter())
        return await inner(url, method, headers, body)

    exchange.fetch = fetch
    return exchange


async def to_the_wire(rounds: int) -> None:
    """Print the way from a decision to both orders on the wire, beside two bare ccxt calls."""
    loopback = await LoopbackExchange.start_process(step_ms=0)
    bare: list[float] = []
    ours: list[float] = []
    try:
        times: list[float] = []
        upbit, binance = spied(loopback.ccxt("upbit"), times), spied(loopback.ccxt("binance"), times)
        upbit_book, binance_book = await loopback.book(*_market(0)), await loopback.book(*_market(1))
        prices = upbit_book.bids[0].price, binance_book.asks[0].price
        with tempfile.TemporaryDirectory() as folder:
            executor = CrossExchangeExecutor(
                venues={"upbit": upbit, "binance": binance},
                journal=Path(folder) / "wire.db",
                fx=FX,
                policy=ExecutionPolicy(watch_after_done_s=0, health_age_s=600),
            )
            async with executor:
                await executor.execute_decision(decision("warm", prices))
                for index in range(rounds):
                    await asyncio.sleep(0.02)
                    times.clear()
                    start = time.perf_counter()
                    await executor.execute_decision(decision(f"w{index}", prices))
                    ours.append(max(times[:2]) - start)
                    await asyncio.sleep(0.02)
                    times.clear()
                    start = time.perf_counter()
                    await asyncio.gather(
                        upbit.create_order(LEGS[0].symbol, "limit", "sell", D("0.0001"), prices[0], {}),
                        binance.create_order(LEGS[1].symbol, "limit", "buy", D("0.0001"), prices[1], {}),
                    )
                    bare.append(max(times[:2]) - start)
    finally:
        await loopback.stop()
    commit = await commit_s()
    over = statistics.median(ours) - statistics.median(bare)
    print(
        f"decision to both on the wire    {statistics.median(ours) * 1e3:8.2f} ms   {over * 1e3:.2f} ms over bare ccxt "
        f"({statistics.median(bare) * 1e3:.2f} ms); one durable commit takes {commit * 1e3:.2f} ms"
    )


def _market(index: int) -> tuple[str, str]:
    return LEGS[index].exchange, LEGS[index].symbol


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=2000, help="journaled trades a run")
    trades = parser.parse_args().trades
    transition()
    pure_trade()
    asyncio.run(journaled(max(trades // 5, 1), 1))
    asyncio.run(journaled(trades, 100))
    asyncio.run(to_the_wire(60))


if __name__ == "__main__":
    main()
