"""What each venue trades on loopback, and what it takes: lots, ticks, minimums, fees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from fsm_arb.matching.market import Market
from fsm_arb.values import ZERO, TickBand

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
