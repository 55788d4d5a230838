"""One pair at one moment: builders for the tests of what decides.

Upbit's BTC/KRW against Binance's BTC/USDT at 40,000, one USDT worth 1300 KRW, so that 52M KRW is no
spread at all. Books are a thousand BTC deep at one price unless a test says otherwise, fees are nothing,
so that what a venue shows is what a trade gets.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fsm_arb.context import Held, MarketContext
from fsm_arb.fx import FxRate
from fsm_arb.strategy.judge import ThresholdStrategy
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.values import Balances, Health, HealthStatus, Leg, Level, Money, OrderBook, Side

D = Decimal
SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
LEGS = (Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT"))
FX = FxRate(base="USDT", quote="KRW", rate=D(1300), source="USDT/KRW on upbit", at_ns=NOW)
OTHER = D(40_000)
PAR = OTHER * FX.rate
UP = Health(status=HealthStatus.UP)
DEEP = D(1000)
NOTIONAL = Money(D(1_000_000), "KRW")


def book(price: Decimal | int | str, amount: Decimal | int | str = DEEP, gap: Decimal | int | str = 0) -> OrderBook:
    """Return a book of one level a side around *price*, *gap* apart."""
    middle, half = D(price), D(gap) / 2
    return OrderBook(bids=(Level(middle - half, D(amount)),), asks=(Level(middle + half, D(amount)),))


def dear(pct: Decimal | int | str) -> Decimal:
    """Return the KRW price that is dearer than 40,000 USDT by *pct* percent."""
    return PAR * (100 + D(pct)) / 100


def moment(pct: Decimal | int | str = 0, **changes: Any) -> MarketContext:
    """Return the pair with a gross spread of *pct* percent."""
    given: dict[str, Any] = {
        "now_ns": NOW,
        "legs": LEGS,
        "books": (book(dear(pct)), book(OTHER)),
        "fx": FX,
        "health": (UP, UP),
        "balances": (Balances(free={"BTC": D(10), "KRW": D(10**10)}), Balances(free={"BTC": D(10), "USDT": D(10**7)})),
    }
    return MarketContext(**(given | changes))


def held(pct: Decimal | int | str = 1, **changes: Any) -> Held:
    """Return a position of 0.02 BTC that was entered a second ago at *pct* percent, on the side that this pays for."""
    sides = (Side.SELL, Side.BUY) if D(pct) >= 0 else (Side.BUY, Side.SELL)
    given: dict[str, Any] = {
        "position_id": "P-1",
        "legs": LEGS,
        "sides": sides,
        "quantity": D("0.02"),
        "entry_prices": (dear(pct), OTHER),
        "fx": FX.rate,
        "opened_at_ns": NOW - SECOND,
    }
    return Held(**(given | changes))


def thresholds(**changes: Any) -> StrategyThresholds:
    """Return the defaults, with changing money for nothing."""
    return StrategyThresholds(**({"fx_cost_pct": 0} | changes))


def strategy(**changes: Any) -> ThresholdStrategy:
    """Return a strategy of a million KRW an entry."""
    return ThresholdStrategy(notional=NOTIONAL, thresholds=thresholds(**changes))


def spot(*symbols: str, **changes: Any) -> dict[str, Any]:
    """Return spot markets as ccxt describes them, as far as they are read."""
    return {symbol: {"type": "spot", "active": True, "inverse": None} | changes for symbol in symbols}


def swap(*symbols: str, **changes: Any) -> dict[str, Any]:
    """Return linear perpetuals as ccxt describes them."""
    return spot(*symbols, **({"type": "swap", "inverse": False, "contractSize": 1.0} | changes))
