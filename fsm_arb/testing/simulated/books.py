"""Books that cost next to nothing: a price that walks in coarse steps, the same for the same seed.

All venues share one walk per base asset, so that their prices stay together as
those of one asset do; each adds a small swing of its own. The book of a step is
computed from its number alone, when somebody looks.
"""

from __future__ import annotations

import decimal
import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.values import EXACT, ONE, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.market import Market

MISSED_STEPS_MAX = 200  # how many books that nobody looked at a resting order still meets
PRICES: Mapping[str, Decimal] = {  # USDT per unit, where the walk begins
    "BTC": Decimal(67_900), "ETH": Decimal(3_300), "XRP": Decimal("0.62"), "USDT": ONE, "USDC": ONE,
}  # fmt: skip
RATES: Mapping[str, Decimal] = {"KRW": Decimal(1_400)}  # quote per USDT; one for all others
_KNOTS = 8  # steps between two drawn points of the walk
_GAP = Decimal("0.0002")  # between two levels, of the price


@frozen(kw_only=True)
class Walk:
    """The knobs of the generator."""

    seed: int
    step_ms: int = 1_000  # zero: the books stand still
    swing_bps: int = 40  # how far the common price gets from its beginning
    basis_bps: int = 6  # how far one venue's price gets from the common one


def _drawn(seed: int, stream: str, node: int) -> int:
    """Return a number from -1000 to 1000."""
    digest = hashlib.blake2b(f"{seed}/{stream}/{node}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) % 2_001 - 1_000


def _walked(seed: int, stream: str, step: int) -> Decimal:
    """Return a number from -1 to 1 that moves on a straight line from knot to knot."""
    node, rest = divmod(step, _KNOTS)
    left, right = _drawn(seed, stream, node), _drawn(seed, stream, node + 1)
    return Decimal(left * (_KNOTS - rest) + right * rest) / (1_000 * _KNOTS)


class SteppedBooks:
    """Books of one venue.

    Args:
        venue: Its name, for a walk of its own.
        markets: What it trades.
        walk: The knobs.
        prices: Where a market's price begins, quote per base; by symbol, instead of `PRICES` and `RATES`.
        started_ms: When step zero begins.
        levels: A side.
        depth: Notional at each level over the market's `notional_min`.
    """

    def __init__(
        self,
        venue: str,
        markets: Mapping[str, Market],
        walk: Walk,
        *,
        prices: Mapping[str, Decimal],
        started_ms: int,
        levels: int,
        depth: Decimal,
    ) -> None:
        self._venue = venue
        self._markets = markets
        self._walk = walk
        self._prices = dict(prices)
        self._started_ms = started_ms
        self._levels = levels
        self._depth = depth

    def version(self, symbol: str, now_ms: int) -> int:  # noqa: ARG002 - all markets move together
        """Return the step that holds at *now_ms*."""
        step_ms = self._walk.step_ms
        return max(0, now_ms - self._started_ms) // step_ms if step_ms else 0

    def began_ms(self, version: int) -> int:
        """Return when the step of that number begins."""
        return self._started_ms + max(0, version) * self._walk.step_ms

    def missed(self, symbol: str, version: int, now_ms: int) -> Iterable[int]:
        """Return the latest steps since *version*, `MISSED_STEPS_MAX` at most."""
        latest = self.version(symbol, now_ms)
        return range(max(version + 1, latest - MISSED_STEPS_MAX + 1), latest + 1)

    def start(self, symbol: str) -> Decimal:
        """Return the price that the walk of *symbol* begins at, quote per base."""
        price = self._prices.get(symbol)
        if price is None:
            market = self._markets[symbol]
            usdt = EXACT.divide(PRICES.get(market.base, ONE), PRICES.get(market.quote, ONE))
            price = self._prices[symbol] = EXACT.multiply(usdt, RATES.get(market.quote, ONE))
        return price

    def middle(self, symbol: str, step: int) -> Decimal:
        """Return the price that the book of *step* is drawn around, quote per base."""
        with decimal.localcontext(EXACT):  # ccxt changes the thread's own
            return self._middle(symbol, step)

    def _middle(self, symbol: str, step: int) -> Decimal:
        walk, market = self._walk, self._markets[symbol]
        common = _walked(walk.seed, market.base, step) * walk.swing_bps
        own = _walked(walk.seed, f"{self._venue}/{symbol}", step) * walk.basis_bps
        return self.start(symbol) * (ONE + (common + own) / 10_000)

    def levels(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:
        """Return bids and asks of that step, on the market's grid, best first."""
        with decimal.localcontext(EXACT):
            return self._levels_of(symbol, version)

    def _levels_of(self, symbol: str, version: int) -> tuple[Ladder, Ladder]:
        market = self._markets[symbol]
        middle = self._middle(symbol, version)
        tick = market.tick_at(middle)
        bid = EXACT.multiply(Decimal(int(middle / tick)), tick)
        gap = max(tick, floor_to(middle * _GAP, tick))
        notional = max(market.notional_min, middle * market.lot, ONE) * self._depth
        amounts = [
            max(
                market.lot,
                floor_to(notional / middle * (700 + abs(_drawn(version, symbol, level))) / 1_000, market.lot),
            )
            for level in range(2)
        ]
        bids = [(bid - gap * level, amounts[level % 2] * (level + 1)) for level in range(self._levels)]
        asks = [(bid + gap * (level + 1), amounts[1 - level % 2] * (level + 1)) for level in range(self._levels)]
        return [level for level in bids if level[0] > 0], asks
