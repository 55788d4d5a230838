"""Small recordings for the backtest's tests: a premium that swings, on two venues, drawn by hand."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb.audit.summary import Summary
from fsm_arb.backtest.csv_books import BookRow
from fsm_arb.backtest.curve import Mark
from fsm_arb.backtest.report import Report
from fsm_arb.backtest.setup import Setup
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.values import FeeIn, Leg, Level, MarketRules, Money, OrderBook, TickBand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

D = Decimal
MS = 1_000_000
SECOND = 1_000 * MS
BEGINS_NS = 1_700_000_000_000 * MS
UPBIT, BINANCE, SWAP = Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT"), Leg("usdm", "BTC/USDT:USDT")


def rules(leg: Leg, **changes: Any) -> MarketRules:
    """Return rules: fees of a thousandth, in base on binance."""
    given: dict[str, Any] = {
        "symbol": leg.symbol,
        "base": leg.base,
        "quote": leg.quote,
        "lot": D("0.00001"),
        "ticks": (TickBand(D(0), D(1000) if leg.quote == "KRW" else D("0.1")),),
        "notional_min": D(5000) if leg.quote == "KRW" else D(5),
        "taker_fee": D("0.001"),
        "maker_fee": D("0.001"),
        "fee_in": FeeIn.BASE_ON_BUY if leg is BINANCE else FeeIn.QUOTE,
        "contract_size": D(1) if leg is SWAP else None,
        "leverage": D(5) if leg is SWAP else D(1),
    }
    return MarketRules(**(given | changes))


def setup(second: Leg = BINANCE, **changes: Any) -> Setup:
    """Return a backtest of upbit against *second* that trades a hundredth of a bitcoin at a time."""
    given: dict[str, Any] = {
        "legs": (UPBIT, second),
        "rules": (rules(UPBIT), rules(second)),
        "balances": {
            "upbit": {"KRW": D(100_000_000), "BTC": D(2)},
            second.exchange: {"USDT": D(200_000)} | ({} if second is SWAP else {"BTC": D(2)}),
        },
        "notional": Money(D(950_000), "KRW"),
        "thresholds": StrategyThresholds(
            entry_pct="0.5", entry_basis="gross", take_profit_pct="0.4", liquidity_min=Money(D(100_000), "KRW"),
            hold_max_s=60,
        ),
        "rates": {"USDT/KRW": "1400"},
    }  # fmt: skip
    return Setup(**(given | changes))


def book(middle: Decimal, tick: Decimal, amounts: tuple[Any, Any] = ("0.5", "0.5"), at_ms: int = 0) -> OrderBook:
    """Return three levels a side around *middle*, on the grid of *tick*; amounts of each bid and each ask."""
    touch = middle // tick * tick
    bids = [Level(touch - number * tick, D(amounts[0])) for number in range(3)] if D(amounts[0]) else []
    asks = [Level(touch + (number + 1) * tick, D(amounts[1])) for number in range(3)] if D(amounts[1]) else []
    return OrderBook(bids=bids, asks=asks, at_ms=at_ms)


class Swing:
    """A premium that swings by 1 % and back in a minute; a tick of prices a second.

    Args:
        seconds: How long.
        second: The other market.
        thin: Every so many seconds *second*'s book is nearly empty from 30 ms to half a second after the full second,
            when what was decided on the book before is on its way; 0: never.
    """

    def __init__(self, seconds: int = 90, second: Leg = BINANCE, thin: int = 0) -> None:
        self._rows = list(self._drawn(seconds, second, thin))
        self.begins_ns, self.ends_ns = self._rows[0].at_ns, self._rows[-1].at_ns
        self.played = 0

    @property
    def legs(self) -> frozenset[Leg]:
        return frozenset(row.leg for row in self._rows)

    def events(self) -> Iterator[BookRow]:
        self.played += 1
        return iter(self._rows)

    @staticmethod
    def _drawn(seconds: int, second: Leg, thin: int) -> Iterator[BookRow]:
        for at in range(seconds):
            at_ns = BEGINS_NS + at * 1_000 * MS
            at_ms = at_ns // MS
            dear = D(95_060_000) * (1 + D(str(round(math.sin(at * math.tau / 60), 6))) / 100)
            yield BookRow(at_ns, UPBIT, book(dear, D(1000), at_ms=at_ms))
            other, later = D(67_900) + D(at % 3), 100  # so that no book is the one before it
            if thin and at % thin == 0:
                bare = book(other, D("0.1"), ("0.001", "0.001"), at_ms=at_ms + 30)
                yield BookRow(at_ns + 30 * MS, second, bare)
                later = 500
            yield BookRow(at_ns + later * MS, second, book(other, D("0.1"), at_ms=at_ms + later))


class Wild(Swing):
    """A premium that wanders, at odd moments, with books that are deep, thin or empty on either side.

    Args:
        seed: Repeats it.
        second: The other market.
        seconds: How long.
    """

    def __init__(self, seed: int, second: Leg = BINANCE, seconds: int = 40) -> None:
        drawn = random.Random(seed)
        premium, at_ns, rows = 0.0, BEGINS_NS, []
        amounts = ("0.5", "0.02", "0.003", "0.0004", "0")
        while at_ns < BEGINS_NS + seconds * SECOND:
            at_ns += drawn.randint(5, 300) * MS
            premium = max(-0.02, min(0.02, premium + drawn.uniform(-0.003, 0.003)))
            leg = drawn.choice((UPBIT, second))
            middle = D(int(95_060_000 * (1 + premium))) if leg is UPBIT else D(67_900 + drawn.randint(-30, 30))
            sides = drawn.choice(amounts), drawn.choice(amounts)
            rows.append(BookRow(at_ns, leg, book(middle, D(1000) if leg is UPBIT else D("0.1"), sides, at_ns // MS)))
        self._rows, self.played = rows, 0
        self.begins_ns, self.ends_ns = rows[0].at_ns, rows[-1].at_ns


def csv_of(path: Path, books: Swing) -> Path:
    """Write these books as a user would."""
    columns = ["time_ns", "exchange", "symbol"]
    columns += [f"{side}_{what}_{n}" for n in (1, 2, 3) for side in ("bid", "ask") for what in ("price", "amount")]
    lines = [",".join(columns)]
    for row in books.events():
        levels = zip(row.book.bids, row.book.asks, strict=True)
        cells = [f"{bid.price},{bid.amount},{ask.price},{ask.amount}" for bid, ask in levels]
        lines.append(",".join([str(row.at_ns), row.leg.exchange, row.leg.symbol, *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# ------------------------------------------------------------------ what came of a run


def trade(name: str = "b1", **changes: Any) -> Summary:
    """Return an entry that made seven."""
    given: dict[str, Any] = {
        "trade_id": name,
        "action": "entry_positive",
        "status": "success",
        "path": ("PRECHECK", "DONE"),
        "began_ns": 0,
        "ended_ns": SECOND,
        "quantity": D("0.5"),
        "gross": D(10),
        "fees": D(3),
        "net": D(7),
        "slippage": D(1),
        "orders": 2,
    }
    return Summary(**(given | changes))


def report(*trades: Summary, marks: tuple[Any, ...] = (), **changes: Any) -> Report:
    """Return what a run came to; *marks* are worths, one a second."""
    given: dict[str, Any] = {
        "legs": (UPBIT, BINANCE),
        "seed": 7,
        "trades": trades,
        "marks": tuple(Mark(at * SECOND, D(worth), D(0)) for at, worth in enumerate(marks)),
        "opened": 1,
        "closed": 1,
        "why": {"spread": 3},
        "digest": "ab",
    }
    return Report(**(given | changes))
