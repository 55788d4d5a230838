"""The folder of a demonstration: its journal, what was asked for, and how to find its exchange again."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from fsm_arb.testing.loopback.client import LoopbackExchange
from fsm_arb.testing.loopback.markets import BINANCE, BINANCEUSDM
from fsm_arb.testing.loopback.options import Options

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL, NOTE, LOG, BOOKS = "trades.db", "demo.json", "demo.log", "books.json"
STATES = "exchange-*.json"
STEP_MS = 100  # how long a generated book stands
# The KRW premium swings to twice this and back within seconds; in the world that takes days.
PREMIUM_BPS = 40.0


class FolderUnusable(Exception):
    """This folder cannot serve the demonstration that was asked for; the message says why."""


@frozen(kw_only=True)
class Asked:
    """What a demonstration was asked for. The first two make it that demonstration and no other."""

    seed: int
    record: tuple[str, str] | None
    trades: int
    faults: str
    latency_ms: float
    concurrency: int


class Folder:
    """One demonstration's place on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.journal = self.path / JOURNAL
        self.log = self.path / LOG
        self.books = self.path / BOOKS
        self._note = self.path / NOTE

    async def exchange(self, asked: Asked) -> LoopbackExchange:
        """Start the exchange as a process of its own, or join the one that an earlier run of this demo left.

        Raises:
            FolderUnusable: The folder is another demonstration's, or this one's exchange is gone.
            LoopbackUnavailable: It did not come up.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        note = self._read()
        if note is None:
            if self.journal.exists():
                raise FolderUnusable(f"{self.path} holds a journal that is no demonstration's; choose another --dir")
            # A name of its own for each start: one that was killed before it was noted is never mistaken for this.
            state = self.path / f"exchange-{secrets.token_hex(4)}.json"
            exchange = await LoopbackExchange.start_process(state, **self._options(asked))
            self._write(asked, state.name)
        else:
            self._check(note, asked)
            state = self.path / note["exchange"]
            joined = await LoopbackExchange.rejoin(state)
            if joined is None:
                raise FolderUnusable(
                    f"the demonstration in {self.path} has ended, and its exchange with it; choose another --dir"
                )
            exchange = joined
        await self._sweep(keep=state)
        await exchange.set_profile(asked.faults)
        return exchange

    async def close(self, exchange: LoopbackExchange) -> None:
        """End the exchange, and any that was started here and never used."""
        await exchange.stop()
        await self._sweep(keep=None)

    @staticmethod
    def _options(asked: Asked) -> dict[str, Any]:
        venues = Options().latency_ms
        recordings = {}
        if asked.record is not None:
            spot, perpetual = asked.record
            recordings = {(BINANCE, "BTC/USDT"): spot, (BINANCEUSDM, "BTC/USDT:USDT"): perpetual}
        return {
            "seed": asked.seed,
            "step_ms": STEP_MS,
            "premium_bps": PREMIUM_BPS,
            "latency_ms": dict.fromkeys(venues, asked.latency_ms),
            "recordings": recordings,
        }

    def _check(self, note: dict[str, Any], asked: Asked) -> None:
        """Refuse to go on with another demonstration's trades."""
        record = tuple(note["record"]) if note["record"] else None
        for name, known, wanted in (("--seed", note["seed"], asked.seed), ("--record", record, asked.record)):
            if known != wanted:
                raise FolderUnusable(
                    f"{self.path} holds a demonstration with {name} {known}, not {wanted}; choose another --dir"
                )

    def _read(self) -> dict[str, Any] | None:
        try:
            note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return note

    def _write(self, asked: Asked, state: str) -> None:
        """Write the note whole: who is killed while writing leaves none."""
        part = self._note.with_name(NOTE + ".part")
        part.write_text(json.dumps({**asdict(asked), "exchange": state}, indent=2), encoding="utf-8")
        os.replace(part, self._note)  # noqa: PTH105 - the one that says that it replaces

    async def _sweep(self, keep: Path | None) -> None:
        """End exchanges that a run started here and was killed before it had noted them."""
        for state in self.path.glob(STATES):
            if state != keep:
                stray = await LoopbackExchange.rejoin(state)
                if stray is not None:
                    await stray.stop()
