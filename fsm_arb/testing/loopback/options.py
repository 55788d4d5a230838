"""What a server is started with, and the same as command-line arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fsm_arb.matching.market import FeeRule
from fsm_arb.testing.loopback.markets import BALANCES, BINANCE, BINANCEUSDM, UPBIT

LATENCY_MS: Mapping[str, float] = {UPBIT: 0.0, BINANCE: 0.0, BINANCEUSDM: 0.0}


@frozen(kw_only=True)
class Options:
    """How the exchange on loopback is set up.

    Attributes:
        seed: Repeats books, ids and drawn faults.
        step_ms: How long a generated book stands, milliseconds; zero: it moves on command only.
        premium_bps: How far KRW prices swing around the common price.
        prices: USDT per unit of a base asset, instead of the defaults.
        latency_ms: Per dialect: typical delay of a reply, milliseconds (drawn between a half and one and a half).
        profile: Faults that are drawn from the start: `none`, `some` or `many`.
        balances: Per dialect: what the account begins with, instead of the defaults.
        spot_fees: How Binance spot takes its fee.
        recordings: (dialect, symbol) to a recorded file that is replayed as that market's book.
        speed: Recorded seconds per second.
        idle_exit_s: A process of its own ends after so long without a request; zero: never.
    """

    seed: int = 7
    step_ms: int = 50
    premium_bps: float = 120.0
    prices: Mapping[str, float] = field(factory=dict)
    latency_ms: Mapping[str, float] = field(factory=dict)
    profile: str = "none"
    balances: Mapping[str, Mapping[str, Decimal]] = field(factory=dict)
    spot_fees: FeeRule = FeeRule.RECEIVED
    recordings: Mapping[tuple[str, str], Path] = field(factory=dict)
    speed: float = 1.0
    idle_exit_s: float = 0.0

    def opening_balances(self, dialect: str) -> dict[str, Decimal]:
        """Return what the account of *dialect* begins with."""
        given = self.balances.get(dialect, BALANCES[dialect])
        return {asset: Decimal(amount) for asset, amount in given.items()}

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "seed": self.seed,
            "step_ms": self.step_ms,
            "premium_bps": self.premium_bps,
            "prices": dict(self.prices),
            "latency_ms": dict(self.latency_ms),
            "profile": self.profile,
            "balances": {
                dialect: {asset: str(amount) for asset, amount in given.items()}
                for dialect, given in self.balances.items()
            },
            "spot_fees": self.spot_fees.value,
            "recordings": [[dialect, symbol, str(path)] for (dialect, symbol), path in self.recordings.items()],
            "speed": self.speed,
            "idle_exit_s": self.idle_exit_s,
        }

    @classmethod
    def from_json(cls, text: str) -> Options:
        """Read what `to_json` wrote, as text."""
        data = json.loads(text)
        data["balances"] = {
            dialect: {asset: Decimal(amount) for asset, amount in given.items()}
            for dialect, given in data.get("balances", {}).items()
        }
        data["spot_fees"] = FeeRule(data.get("spot_fees", FeeRule.RECEIVED.value))
        data["recordings"] = {(dialect, symbol): Path(path) for dialect, symbol, path in data.get("recordings", [])}
        return cls(**data)
