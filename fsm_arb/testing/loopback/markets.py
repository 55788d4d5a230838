"""What each venue trades on loopback, and what it takes: lots, ticks, minimums, fees."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from fsm_arb.values import ZERO, Side, TickBand, floor_to

UPBIT = "upbit"
BINANCE = "binance"
BINANCEUSDM = "binanceusdm"
DIALECTS = (UPBIT, BINANCE, BINANCEUSDM)

# Upbit's KRW price steps since 2025-07-31.
KRW_TICKS = tuple(
    TickBand(Decimal(price_from), Decimal(tick))
    for price_from, tick in (
        ("0", "1"),
        ("5000", "5"),
        ("10000", "10"),
        ("50000", "50"),
        ("100000", "100"),
        ("500000", "500"),
        ("1000000", "1000"),
    )
)


class FeeRule(enum.Enum):
    """Which asset a venue takes its fee in."""

    QUOTE = "quote"  # Upbit, USD-M
    RECEIVED = "received"  # Binance spot: base on buys, quote on sells
    BNB = "bnb"  # Binance spot with the fee discount switched on


@frozen(kw_only=True)
class Market:
    """One instrument of one venue."""

    symbol: str  # ccxt's unified symbol
    market_id: str  # the venue's own word
    base: str
    quote: str
    lot: Decimal  # base
    ticks: tuple[TickBand, ...]  # ascending, the first from zero
    amount_min: Decimal  # base
    notional_min: Decimal  # quote
    taker_fee: Decimal  # fraction of the notional
    maker_fee: Decimal
    contract: bool = False
    band: Decimal | None = None  # widest distance of a limit from the touch, fraction; None: no band
    halted: bool = False

    def tick_at(self, price: Decimal) -> Decimal:
        """Return the price step that holds at *price*, quote."""
        tick = self.ticks[0].tick
        for band in self.ticks:
            if price >= band.price_from:
                tick = band.tick
        return tick

    def on_tick(self, price: Decimal) -> bool:
        """Whether *price* lies on the grid."""
        return floor_to(price, self.tick_at(price)) == price

    def on_lot(self, amount: Decimal) -> bool:
        """Whether *amount* is a whole number of lots."""
        return floor_to(amount, self.lot) == amount

    def outside_band(self, side: Side, price: Decimal, touch: Decimal) -> bool:
        """Whether a limit *price* is further through the *touch* than the venue allows."""
        return self.band is not None and (price - touch) * side.sign > touch * self.band


@frozen(kw_only=True)
class Credentials:
    """A key pair that looks like a secret and is worth nothing."""

    key: str
    secret: str


def credentials(dialect: str) -> Credentials:
    """Return the only key pair that *dialect* accepts; planted, so that tests can look for leaks of it."""
    digest = hashlib.sha256(f"planted on loopback for {dialect}".encode()).hexdigest()
    return Credentials(key=f"PLANTEDKEY{digest[:24]}", secret=f"PLANTEDSECRET{digest[24:]}")


def _upbit(base: str) -> Market:
    return Market(
        symbol=f"{base}/KRW",
        market_id=f"KRW-{base}",
        base=base,
        quote="KRW",
        lot=Decimal("0.00000001"),
        ticks=KRW_TICKS,
        amount_min=ZERO,
        notional_min=Decimal(5000),
        taker_fee=Decimal("0.0005"),
        maker_fee=Decimal("0.0005"),
    )


def _binance(base: str, lot: str, tick: str) -> Market:
    return Market(
        symbol=f"{base}/USDT",
        market_id=f"{base}USDT",
        base=base,
        quote="USDT",
        lot=Decimal(lot),
        ticks=(TickBand(ZERO, Decimal(tick)),),
        amount_min=Decimal(lot),
        notional_min=Decimal(5),
        taker_fee=Decimal("0.001"),
        maker_fee=Decimal("0.001"),
    )


def _usdm(base: str, lot: str, tick: str, notional_min: str) -> Market:
    return Market(
        symbol=f"{base}/USDT:USDT",
        market_id=f"{base}USDT",
        base=base,
        quote="USDT",
        lot=Decimal(lot),
        ticks=(TickBand(ZERO, Decimal(tick)),),
        amount_min=Decimal(lot),
        notional_min=Decimal(notional_min),
        taker_fee=Decimal("0.0005"),
        maker_fee=Decimal("0.0002"),
        contract=True,
    )


MARKETS: Mapping[str, tuple[Market, ...]] = {
    UPBIT: (_upbit("BTC"), _upbit("ETH"), _upbit("XRP"), _upbit("USDT")),
    BINANCE: (
        _binance("BTC", "0.00001", "0.01"),
        _binance("ETH", "0.0001", "0.01"),
        _binance("XRP", "0.1", "0.0001"),
    ),
    BINANCEUSDM: (_usdm("BTC", "0.001", "0.1", "100"), _usdm("ETH", "0.001", "0.01", "20")),
}

BALANCES: Mapping[str, Mapping[str, Decimal]] = {
    UPBIT: {
        "KRW": Decimal(1_000_000_000),
        "BTC": Decimal(10),
        "ETH": Decimal(200),
        "XRP": Decimal(500_000),
        "USDT": Decimal(500_000),
    },
    BINANCE: {
        "USDT": Decimal(1_000_000),
        "BTC": Decimal(10),
        "ETH": Decimal(200),
        "XRP": Decimal(500_000),
        "BNB": Decimal(100),
    },
    BINANCEUSDM: {"USDT": Decimal(500_000)},
}
