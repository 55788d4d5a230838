"""Killed with SIGKILL at twenty random moments, the command goes on; the exchange's own books are the judge."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.journal.reader import JournalReader
from fsm_arb.testing.loopback.client import LoopbackExchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.testing.loopback.truth import Truth

ROOT = Path(__file__).resolve().parents[2]
SEED, TRADES, KILLS = 11, 100, 20
LIFE_S = (0.0, 1.5)  # of a killed run, from its first word to the exchange
UNTIL_IT_SPEAKS_S = 30.0
UNTIL_IT_ENDS_S = 100.0
SCRIPT = "from fsm_arb.cli import main; main()"


class Demo:
    """The command as a process of its own, started again and again on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        self.runs += 1
        words = f"demo --seed {SEED} --trades {TRADES} --faults many --latency 80 --concurrency 2"
        arguments = [*words.split(), "--keep", "--dir", str(self.folder)]
        with self.folder.with_name(f"run-{self.runs}.txt").open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-c", SCRIPT, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def said(self) -> str:
        return self.folder.with_name(f"run-{self.runs}.txt").read_text(encoding="utf-8")

    async def exchange(self) -> LoopbackExchange | None:
        try:
            note = json.loads((self.folder / "demo.json").read_text(encoding="utf-8"))
        except OSError:
            return None
        return await LoopbackExchange.rejoin(self.folder / note["exchange"])

    async def requests(self) -> int:
        """How many requests the exchange has had; none where it is not up yet."""
        exchange = await self.exchange()
        if exchange is None:
            return 0
        try:
            return (await exchange.log(since=sys.maxsize)).total
        finally:
            await exchange.aclose()


async def killed(demo: Demo, life_s: float) -> bool:
    """Run the command and kill it so long after it first spoke to a venue; False where it had ended before."""
    heard = await demo.requests()
    with demo.running() as process:
        deadline = time.monotonic() + UNTIL_IT_SPEAKS_S
        while await demo.requests() == heard and process.poll() is None:
            assert time.monotonic() < deadline, demo.said()
            await asyncio.sleep(0.02)
        await asyncio.sleep(life_s)
        if process.poll() is not None:
            return False
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    return True


async def ended(demo: Demo) -> int | None:
    """Run the command to its own end; None: it came to none, and was killed once more."""
    with demo.running() as process:
        try:
            return await asyncio.to_thread(process.wait, UNTIL_IT_ENDS_S)
        except subprocess.TimeoutExpired:
            return None


# ------------------------------------------------------------------ the judge


class Intents:
    """From a client order id to the decision and leg it was written for: all that is taken from the journal."""

    def __init__(self, journal: Path) -> None:
        self.of: dict[str, tuple[str, str, str]] = {}  # decision, venue, purpose
        self.dust: dict[str, Decimal] = {}
        self.taken_up: set[int] = set()  # the runs that found a trade unfinished
        legs: dict[str, list[str]] = {}
        with JournalReader(journal) as reader:
            for record in reader.records():
                kind, _, trade = record.stream.partition("/")
                if kind != "trade":
                    continue
                body: dict[str, Any] = json.loads(record.payload)["body"]
                if record.trigger == "begun":
                    legs[trade] = [leg["exchange"] for leg in body["decision"]["legs"]]
                elif record.trigger == "planned" and body["plan"]:
                    self.dust[trade] = Decimal(body["plan"]["dust"])
                elif record.trigger == "restarted":
                    self.taken_up.add(record.epoch)
                elif record.trigger == "intended":
                    for intent in body["intents"]:
                        venue = legs[trade][intent["leg"]]
                        assert intent["client_order_id"] not in self.of
                        self.of[intent["client_order_id"]] = trade, venue, intent["purpose"]
        self.trades = set(legs)


def naked(truth: Truth, intents: Intents) -> dict[str, Decimal]:
    """What each decision's fills left, over both venues, base fees taken off."""
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    for books in truth.venues.values():
        for fill in books.fills:
            decision, _, _ = intents.of.get(fill.client_id or "", ("nobody", "", ""))
            base = fill.symbol.partition("/")[0]
            left[decision] += fill.amount * fill.side.sign - (fill.fee if fill.fee_asset == base else 0)
    return left


def wrongs(truth: Truth, intents: Intents) -> list[str]:
    """Everything that must not be; empty: the promise was kept."""
    found = []
    firsts: Counter[tuple[str, str]] = Counter()
    for venue, books in truth.venues.items():
        found += [f"{venue}: {client_id} was sent twice" for client_id in books.sent_twice()]
        found += [f"{venue}: {order.client_id} is live" for order in books.orders if order.is_open]
        for create in books.received:
            whose = intents.of.get(create.client_id or "")
            if whose is None or whose[1] != venue:
                found.append(f"{venue}: {create.client_id} has no intent")
            elif whose[2] == "first":
                firsts[whose[0], venue] += 1
    found += [
        f"{decision} was executed {times} times on {venue}" for (decision, venue), times in firsts.items() if times > 1
    ]
    found += [
        f"{decision}: {left} is naked, dust is {intents.dust.get(decision)}"
        for decision, left in naked(truth, intents).items()
        if abs(left) >= intents.dust.get(decision, 0)
    ]
    return found


@pytest.mark.slow
async def test_twenty_kills_leave_no_naked_leg(tmp_path: Path) -> None:
    """Whatever moment it dies at, each decision is executed once, and what it bought and sold matches."""
    draw = random.Random(SEED)
    demo = Demo(tmp_path / "demo")
    try:
        for kill in range(KILLS):
            assert await killed(demo, draw.uniform(*LIFE_S)), f"it ended before kill {kill}: {demo.said()}"
        code = await ended(demo)
        exchange = await demo.exchange()
        assert exchange is not None, demo.said()
        truth = await exchange.truth()
        await exchange.aclose()
    finally:
        left_over = await demo.exchange()
        if left_over is not None:
            await left_over.stop()
    intents = Intents(demo.folder / "trades.db")
    assert wrongs(truth, intents) == []
    # A blocked exit is tried again under its own id and a number; that is no second execution of the first.
    assert {each.partition("~")[0] for each in intents.trades} == {f"demo-{SEED}-{i:04d}" for i in range(TRADES)}
    # It was worth something: trades were under way when it died, and the command agrees with this judge.
    assert len(intents.taken_up) > KILLS / 2
    assert code == 0, demo.said()
