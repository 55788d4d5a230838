"""Order books that move by themselves, the same for the same seed.

A price is a walk seen at several scales at once: noise that is drawn for every
step, for every second step, every fourth, and so on, and added up. So the book
of any step is computed from its number alone: nothing runs between requests,
and two runs of one seed show the same books.
"""

from __future__ import annotations

import math
import random
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.testing.loopback.markets import UPBIT
from fsm_arb.values import EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.market import Market

LEVELS = 20  # a side
MISSED_STEPS_MAX = 200  # how far back resting orders meet books that nobody looked at
OCTAVES = 12  # the slowest noise turns every 2**12 steps
PRICES: Mapping[str, float] = {"BTC": 67_900.0, "ETH": 3_300.0, "XRP": 0.62, "USDT": 1.0}  # USDT per unit
KRW_PER_USDT = 1_400.0
_TOUCH_USD: Mapping[str, float] = {"BTC": 40_000.0, "ETH": 25_000.0, "XRP": 8_000.0, "USDT": 20_000.0}


class StepClock:
    """Turns time into steps, and lets a test stop it and step by hand."""

    def __init__(self, started_ms: int, step_ms: int) -> None:
        self._started_ms = started_ms
        self.step_ms = step_ms  # zero: moves on command only
        self._extra = 0

    def step(self, now_ms: int) -> int:
        """Return the number of the step that holds at *now_ms*."""
        elapsed = max(0, now_ms - self._started_ms) // self.step_ms if self.step_ms else 0
        return self._extra + elapsed

    def move(self, steps: int) -> None:
        """Jump *steps* ahead."""
        self._extra += steps

    def set_pace(self, step_ms: int, now_ms: int) -> None:
        """Change how long a step lasts, without a jump."""
        self._extra = self.step(now_ms)
        self._started_ms, self.step_ms = now_ms, step_ms


@frozen(kw_only=True)
class Walk:
    """The knobs of the generator."""

    seed: int
    volatility_bps: float = 0.6  # of one step of the fastest noise
    premium_bps: float = 120.0  # how far KRW prices swing around the common price
    basis_bps: float = 3.0  # how far venues in USDT differ
    prices: Mapping[str, float] = field(factory=dict)  # USDT per unit; instead of PRICES


@lru_cache(maxsize=65_536)
def _draw(seed: int, stream: str, octave: int, node: int) -> float:
    # Between -1 and 1; a fresh generator for every node is what makes any step reachable at once.
    return random.Random(f"{seed}/{stream}/{octave}/{node}").uniform(-1.0, 1.0)  # noqa: S311 - repeatable


def noise(seed: int, stream: str, step: int, octaves: range) -> float:
    """Return the walk *stream* at *step*, in units of its fastest noise."""
    total = 0.0
    for octave in octaves:
        period = 1 << octave
        node, rest = divmod(step, period)
        share = rest / period
        left, right = _draw(seed, stream, octave, node), _draw(seed, stream, octave, node + 1)
        total += (left + (right - left) * share) * math.sqrt(period)
    return total


class GeneratedBooks:
    """Books of one venue, drawn around a price that all venues share."""

    def __init__(self, dialect: str, markets: Mapping[str, Market], walk: Walk, clock: StepClock) -> None:
        self._dialect = dialect
        self._markets = dict(markets)
        self._walk = walk
        self._clock = clock

    def version(self, symbol: str, now_ms: int) -> int:  # noqa: ARG002 - all markets move together
        """Return the step that holds at *now_ms*."""
        return self._clock.step(now_ms)

    def missed(self, symbol: str, version: int, now_ms: int) -> range:
        """Return every step since *version*, the last `MISSED_STEPS_MAX` at most."""
        latest = self.version(symbol, now_ms)
        return range(max(version + 1, latest - MISSED_STEPS_MAX), latest + 1)

    def middle(self, symbol: str, step: int) -> float:
        """Return the price that the book of *symbol* is drawn around, quote per base."""
        walk, market = self._walk, self._markets[symbol]
        common = walk.prices.get(market.base, PRICES.get(market.base, 1.0))
        if market.base != "USDT":
            common *= math.exp(noise(walk.seed, market.base, step, range(OCTAVES)) * walk.volatility_bps * 1e-4)
        own = noise(walk.seed, f"{self._dialect}/{symbol}", step, range(3, 6)) / 6.0
        common *= 1.0 + own * walk.basis_bps * 1e-4
        if self._dialect == UPBIT:
            # Some hundred steps from one side of the premium to the other.
            slow = noise(walk.seed, "premium", step, range(4, 8)) / 20.0
            premium = walk.premium_bps * max(-2.0, min(2.0, slow))
            common *= KRW_PER_USDT * (1.0 + (premium if market.base != "USDT" else premium / 20.0) * 1e-4)
        return common

    def levels(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:
        """Return bids and asks of that step, on the market's grid, best first."""
        market = self._markets[symbol]
        middle = Decimal(repr(self.middle(symbol, version)))
        tick = market.tick_at(middle)
        bid_ticks = int(middle / tick)
        draw = random.Random(f"{self._walk.seed}/{self._dialect}/{symbol}/{version}")  # noqa: S311 - repeatable
        # A gap of about 2 bps between levels, one tick at least.
        gap = max(1, int(middle / tick * Decimal("0.0002")))
        touch_units = _TOUCH_USD.get(market.base, 10_000.0) / PRICES.get(market.base, 1.0)
        return (
            self._side(market, draw, touch_units, tick=tick, first=bid_ticks, gap=-gap),
            self._side(market, draw, touch_units, tick=tick, first=bid_ticks + 1 + draw.randrange(gap), gap=gap),
        )

    @staticmethod
    def _side(
        market: Market, draw: random.Random, touch_units: float, *, tick: Decimal, first: int, gap: int
    ) -> Ladder:
        ladder: Ladder = []
        ticks, per_lot = first, 1.0 / float(market.lot)
        for level in range(LEVELS):
            units = touch_units * (0.15 + draw.random()) * (1.0 + level * 0.25)
            lots = max(1, int(units * per_lot))
            # A coarse amount: venues' books are full of round numbers.
            ladder.append((EXACT.multiply(Decimal(ticks), tick), EXACT.multiply(Decimal(lots), market.lot)))
            ticks += gap + (draw.randrange(abs(gap)) if abs(gap) > 1 else 0) * (1 if gap > 0 else -1)
        return ladder
