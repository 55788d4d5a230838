"""Paper and real differ in the venue alone: the same books, the same decisions, the same path through the machine.

Real means ccxt's own classes over HTTP, against the exchange on loopback; paper means venues that were given the
rules which those same classes tell.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "executor"))

from hall import FX, SYMBOLS, Hall, open_hall, quick, until

from fsm_arb import (
    Action,
    CrossExchangeIntegration,
    CrossExchangeOrchestrator,
    Leg,
    Lookout,
    Money,
    PaperDesk,
    StrategyThresholds,
    ThresholdStrategy,
)
from fsm_arb.clock import SystemClock
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.testing.loopback.markets import BALANCES
from fsm_arb.venues.ccxt_venue import as_venue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fsm_arb import CrossExchangeDecision, CrossExecutionResult

D = Decimal


class Run:
    """One bot, for money or on paper, on a loopback exchange of its own."""

    def __init__(self, hall: Hall, executor: Any, disk: MemoryDisk, orchestrated: dict[str, Any]) -> None:
        self.hall = hall
        self.executor = executor
        self.disk = disk
        self.orchestrated = orchestrated
        self.told: list[tuple[Any, ...]] = []

    async def keep(self, result: CrossExecutionResult) -> None:
        """Remember what a trade came to: everything but ids and times. Fees may be told a look later."""
        await until(lambda: self.executor.trade(result.trade_id).pnl is not None)
        result = self.executor.trade(result.trade_id)
        path = [record.state_after for record in self.disk.records if record.stream == f"trade/{result.trade_id}"]
        legs = [
            (
                leg.status,
                leg.filled_qty,
                leg.received_qty,
                leg.requested_qty,
                leg.avg_price,
                leg.fees,
                len(leg.order_ids),
            )
            for leg in result.legs
        ]
        self.told.append(
            (
                result.status,
                [state for state, _ in itertools.groupby(path)],
                *legs,
                result.net_exposure,
                result.pnl,
                result.dust,
            )
        )


@asynccontextmanager
async def run_of(folder: Path, legs: tuple[str, str], *, paper: bool, **policy: Any) -> AsyncIterator[Run]:
    disk, clock = MemoryDisk(), SystemClock()
    async with open_hall(folder) as hall:
        lent = {name: hall.server.ccxt(name) for name in legs}
        venues = {name: as_venue(exchange, name, clock) for name, exchange in lent.items()}
        pair = tuple(Leg(name, SYMBOLS[name]) for name in legs)
        desk = executor = None
        if paper:
            desk = await PaperDesk.over(lent, pair, BALANCES, MemoryJournal(disk), fx=FX, policy=quick(**policy))
            executor = desk.executor
            if "upbit" in desk.venues:
                desk.venues["upbit"].tells_fills = False
        else:
            executor = hall.executor(venues=lent, journal=MemoryJournal(disk), policy=quick(**policy))
        async with desk or executor:
            look = Lookout(
                pair,  # type: ignore[arg-type]
                venues,
                executor,
                fx=FX,
                clock=clock,
                accounts=desk.venues if desk else None,
            )
            parts = {"executor": None if paper else executor, "enable_execution": not paper, "paper": desk}
            yield Run(hall, executor, disk, {"parts": parts, "look": look})
        if paper:
            assert await hall.creates() == 0  # nothing left the process


class Scripted:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.next: CrossExchangeDecision | None = None

    def tick_entry(self, _context: Any) -> list[Any]:
        said, self.next = self.next, None
        return [] if said is None else [said]

    tick_exit = tick_entry


async def swung(run: Run) -> list[tuple[Any, ...]]:
    """Enter on a premium and leave when it is gone, as a strategy decides."""
    strategy = ThresholdStrategy(
        notional=Money(D(9_500_000), "KRW"),
        thresholds=StrategyThresholds(entry_pct="0.5", entry_basis="gross", take_profit_pct="0.4"),
    )
    numbers = iter("abcdef")
    integration = CrossExchangeIntegration(strategy=strategy, decision_ids=lambda: next(numbers))
    orchestrator = CrossExchangeOrchestrator(integration, **run.orchestrated["parts"])
    look = run.orchestrated["look"]
    decided: list[tuple[Any, ...]] = []
    for shift in (0, 120, 110, 0):
        await run.hall.set_book("upbit", shift_bps=shift)
        for tick in (orchestrator.process_exit_tick, orchestrator.process_entry_tick):
            done = await tick(await look.look())
            decided += [(each.action, each.legs, each.prices, each.notional, each.reason) for each in done.decisions]
            for result in done.results:
                await run.keep(result)
    return decided


@pytest.mark.parametrize("second", ["binance", "binanceusdm"])
async def test_a_strategy_decides_and_trades_alike(tmp_path: Path, second: str) -> None:
    """An entry on the premium, an exit when it is gone; each decision, path, fill, fee and PnL the same."""
    found = []
    for paper in (False, True):
        async with run_of(tmp_path, ("upbit", second), paper=paper) as run:
            decided = await swung(run)
            found.append((decided, run.told, [each.state for each in run.executor.positions()]))
    real, on_paper = found
    assert [each[0] for each in real[0]] == [Action.ENTRY_POSITIVE, Action.EXIT_TP]
    assert real[2] == ["CLOSED"]
    assert on_paper == real


# What stands on upbit's asks and on binance's bids, base; the trade wants 0.1 of each.
DEPTHS = [("8", "8"), ("0.03", "8"), ("8", "0.03"), ("0.04", "0.07"), ("0", "8"), ("8", "0"), ("0", "0")]


@pytest.mark.parametrize("depths", DEPTHS, ids="/".join)
@pytest.mark.parametrize("remedy", ["complete", "unwind"])
async def test_a_book_that_is_too_thin_is_met_alike(tmp_path: Path, depths: tuple[str, str], remedy: str) -> None:
    """Partial fills, one leg alone, neither: the same remedies in the same order, the same leftovers."""
    found = []
    for paper in (False, True):
        async with run_of(tmp_path, ("upbit", "binance"), paper=paper, remedy=remedy, attempts_max=2) as run:
            await run.hall.set_book("upbit", ask=depths[0])
            await run.hall.set_book("binance", bid=depths[1])
            said = Scripted()
            orchestrator = CrossExchangeOrchestrator(said, **run.orchestrated["parts"])
            said.next = run.hall.entry()
            (result,) = (await orchestrator.process_entry_tick(await run.orchestrated["look"].look())).results
            await run.keep(result)
            found.append((run.told, [(each.state, each.quantity) for each in run.executor.positions()]))
    assert found[1] == found[0]
