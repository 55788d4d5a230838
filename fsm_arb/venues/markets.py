"""Read what a market accepts out of ccxt's description of it."""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb.errors import UnknownSymbol, VenueMisconfigured
from fsm_arb.values import EXACT, ONE, ZERO, FeeIn, MarketRules, TickBand
from fsm_arb.venues.parse import contract_size, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.venues.dialect import Dialect

DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE = 2, 3, 4  # ccxt's precision modes
LOT_UNKNOWN = Decimal("0.00000001")
TICK_UNKNOWN = Decimal("0.00000001")
MAGNITUDES = range(-12, 13)  # of prices, powers of ten
CANDIDATES_MAX = 5

# Upbit's KRW steps since 2025-07-31, Bithumb's alike: ccxt's markets carry neither these nor the minimum.
# Below 100 KRW some instruments have finer steps; these are multiples of all of them.
KRW_TICKS = (
    ("0", "0.00000001"),
    ("0.00001", "0.0000001"),
    ("0.0001", "0.000001"),
    ("0.001", "0.00001"),
    ("0.01", "0.0001"),
    ("0.1", "0.001"),
    ("1", "0.01"),
    ("10", "0.1"),
    ("100", "1"),
    ("5000", "5"),
    ("10000", "10"),
    ("50000", "50"),
    ("100000", "100"),
    ("500000", "500"),
    ("1000000", "1000"),
)
# Where ccxt states none: the KRW venues' minimum order, quote.
NOTIONAL_MIN = {"KRW": Decimal(5000), "BTC": Decimal("0.00005"), "USDT": Decimal("0.5")}


def find_market(markets: Mapping[str, Any], symbol: str, venue: str) -> Mapping[str, Any]:
    """Return the market of *symbol*.

    Raises:
        UnknownSymbol: It is not listed; the message names near candidates.
    """
    market = markets.get(symbol)
    if isinstance(market, dict):
        return market
    near = difflib.get_close_matches(symbol, [str(key) for key in markets], n=CANDIDATES_MAX, cutoff=0.5)
    base = symbol.partition("/")[0]
    same_base = [str(key) for key in markets if str(key).partition("/")[0] == base and key not in near]
    names = ", ".join([*near, *same_base][:CANDIDATES_MAX])
    raise UnknownSymbol("symbol", symbol, f"is not listed on {venue}; near: {names or 'nothing'}")


def step_of(value: object, mode: object, floor: Decimal | None = None) -> Decimal | None:
    """Return a precision as a step; None where there is none.

    Args:
        value: ccxt's precision: a step, or a count of decimal places.
        mode: ccxt's precisionMode; None where the object has none.
        floor: The smallest amount allowed; tells places from steps where there is no mode.
    """
    precision = number(value)
    if precision is None:
        return None
    places = mode in {DECIMAL_PLACES, SIGNIFICANT_DIGITS}  # an amount is counted in places in either
    if mode is None:
        whole = precision == precision.to_integral_value()
        places = whole and precision != ONE and (precision == 0 or (floor is not None and floor < precision))
    if places:
        return Decimal(1).scaleb(-int(precision))
    return precision if precision > 0 else None


def significant_bands(
    digits: int, finest: Decimal | None = None, coarsest: Decimal | None = None
) -> Iterable[TickBand]:
    """Yield the steps of a price counted in significant digits, from zero upwards.

    Args:
        digits: How many.
        finest: Steps never get smaller than this, quote.
        coarsest: Steps never get larger than this, quote.
    """
    bands: list[TickBand] = []
    for power in MAGNITUDES:
        tick = Decimal(1).scaleb(power - digits + 1)
        if finest is not None:
            tick = max(tick, finest)
        if coarsest is not None:
            tick = min(tick, coarsest)
        start = Decimal(1).scaleb(power) if bands else ZERO
        if not bands or bands[-1].tick != tick:
            bands.append(TickBand(start, tick))
    return bands


def ticks_of(market: Mapping[str, Any], mode: object, dialect: Dialect) -> tuple[TickBand, ...]:
    """Return the price steps that ccxt's market states."""
    precision = market.get("precision") or {}
    if dialect.significant_digits is not None:
        finest = None
        if dialect.price_decimals_max is not None:
            lot = step_of(precision.get("amount"), mode)
            places = 0 if lot is None else max(0, -int(lot.normalize().as_tuple().exponent))
            finest = Decimal(1).scaleb(places - dialect.price_decimals_max[1 if market.get("spot") else 0])
        # Whole numbers are always taken, however many digits they have.
        return tuple(significant_bands(dialect.significant_digits, finest, ONE))
    if mode == SIGNIFICANT_DIGITS and number(precision.get("price")):
        return tuple(significant_bands(int(number(precision.get("price")) or 0)))
    return (TickBand(ZERO, step_of(precision.get("price"), mode) or TICK_UNKNOWN),)


def coarser(one: tuple[TickBand, ...], other: tuple[TickBand, ...]) -> tuple[TickBand, ...]:
    """Return steps that satisfy both, where either's steps divide the other's."""
    starts = sorted({band.price_from for band in (*one, *other)})
    return tuple(TickBand(start, max(_tick_at(one, start), _tick_at(other, start))) for start in starts)


def _tick_at(bands: tuple[TickBand, ...], price: Decimal) -> Decimal:
    return next((band.tick for band in reversed(bands) if price >= band.price_from), bands[0].tick)


def upbit_ticks(quote: str, live_tick: Decimal | None) -> tuple[TickBand, ...]:
    """Return Upbit's price steps: its KRW table, else the live step.

    Args:
        quote: Currency of the price.
        live_tick: What the venue says holds now, quote; None: it did not say.
    """
    if quote == "KRW":
        return tuple(TickBand(Decimal(start), Decimal(tick)) for start, tick in KRW_TICKS)
    return (TickBand(ZERO, live_tick or TICK_UNKNOWN),)


def with_live_tick(
    ticks: tuple[TickBand, ...], price: Decimal | None, live_tick: Decimal | None
) -> tuple[TickBand, ...]:
    """Return *ticks* with the step that the venue states for the band around *price*."""
    if price is None or live_tick is None:
        return ticks
    current = next((band for band in reversed(ticks) if price >= band.price_from), ticks[0])
    return tuple(TickBand(band.price_from, live_tick) if band is current else band for band in ticks)


def check_tradable(market: Mapping[str, Any], symbol: str, venue: str) -> None:
    """Make sure that quantities of this market can be said in base units.

    Raises:
        VenueMisconfigured: An inverse contract or an option.
    """
    if market.get("inverse"):
        raise VenueMisconfigured(
            f"{venue}: {symbol} is an inverse contract, whose size is not in base; use a linear one"
        )
    if market.get("option"):
        raise VenueMisconfigured(f"{venue}: {symbol} is an option; only spot, margin and linear contracts are traded")


def _limit(market: Mapping[str, Any], what: str, which: str) -> Decimal | None:
    return number(((market.get("limits") or {}).get(what) or {}).get(which))


def rules_of(
    market: Mapping[str, Any],
    dialect: Dialect,
    *,
    mode: object,
    ticks: tuple[TickBand, ...] | None = None,
    fees: tuple[Decimal | None, Decimal | None] = (None, None),
    leverage: Decimal | None = None,
) -> MarketRules:
    """Return the rules of one market.

    Args:
        market: ccxt's description.
        dialect: The exchange's row.
        mode: ccxt's precisionMode.
        ticks: Price steps where they are known better than the market states.
        fees: Taker's and maker's fraction of this account; None: the market's default.
        leverage: Notional over margin; None: 1.
    """
    size = contract_size(market)
    scale = size or ONE
    least = _limit(market, "amount", "min")
    most = _limit(market, "amount", "max")
    lot = step_of((market.get("precision") or {}).get("amount"), mode, least) or least or LOT_UNKNOWN
    quote = str(market.get("quote") or str(market["symbol"]).partition("/")[2].partition(":")[0])
    notional = _limit(market, "cost", "min")
    if not notional and dialect.exchange_id in {"upbit", "bithumb", "coinone"}:
        notional = NOTIONAL_MIN.get(quote)
    taker, maker = fees
    fee_in = dialect.fee_in
    if size is not None and fee_in is not FeeIn.QUOTE:
        fee_in = FeeIn.QUOTE  # a contract's fee comes out of the margin, never out of a base that nobody holds
    return MarketRules(
        symbol=str(market["symbol"]),
        base=str(market.get("base") or str(market["symbol"]).partition("/")[0]),
        quote=quote,
        lot=EXACT.multiply(lot, scale),
        ticks=ticks or ticks_of(market, mode, dialect),
        amount_min=EXACT.multiply(least or ZERO, scale),
        amount_max=EXACT.multiply(most, scale) if most else None,
        notional_min=notional or ZERO,
        taker_fee=taker if taker is not None else number(market.get("taker")) or ZERO,
        maker_fee=maker if maker is not None else number(market.get("maker")) or ZERO,
        fee_in=fee_in,
        contract_size=size,
        leverage=leverage or ONE,
        enforces_expiry=dialect.enforces_expiry,
    )
