"""Which pairs are worth watching: listed on both venues, traded enough, ranked by a score.

The score of a pair is the harmonic mean of its two daily volumes, in one
currency: ``2ab / (a + b)``. It lies between the smaller volume and twice that,
so a venue where little is traded cannot be made up for by one where much is,
and of two pairs with the same smaller volume the one with more on the other
side comes first.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import FxProvider, convert
from fsm_arb.symbols import MarketKind, Pair, SymbolMap
from fsm_arb.values import EXACT, ZERO, Leg, Money, divide, to_decimal


class LeftOutCode(enum.Enum):
    """Why a pair that both venues may list is not watched."""

    AMBIGUOUS = "ambiguous"  # it is not clear which markets are meant
    EXCLUDED = "excluded"  # its base is
    KIND = "kind"  # a market is of a kind that is not wanted
    QUOTE = "quote"  # a market's price is in a currency that is not wanted
    NO_RATE = "no_rate"  # a volume cannot be converted
    VOLUME = "volume"  # too little is traded on the venue that trades less
    RANK = "rank"  # there are enough better ones


@frozen(kw_only=True)
class LeftOut:
    """One pair that is not watched."""

    base: str
    code: LeftOutCode
    why: str  # with the numbers

    def __str__(self) -> str:
        return f"{self.base}: {self.code.value}: {self.why}"


@frozen(kw_only=True)
class Member:
    """One pair that is watched.

    Attributes:
        pair: Its markets.
        volumes: What is traded in a day on each venue, in the selection's currency.
        score: Harmonic mean of both, in the same currency.
    """

    pair: Pair
    volumes: tuple[Money, Money]
    score: Decimal


def _texts(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


def _kinds(value: Iterable[MarketKind | str]) -> frozenset[MarketKind]:
    return frozenset(MarketKind(each) for each in value)


@frozen(kw_only=True)
class Selection:
    """What a universe is made of.

    Attributes:
        volume_min: What each venue must trade in a day at least; its currency is that of all volumes and scores.
        quotes: The quote currencies that either market may have; empty for all.
        excluded: Bases that are not wanted.
        kinds: What either market may be; spot and swap by default.
        count_max: How many members there may be; None for all.

    Raises:
        InvalidInput: The volume is negative, or the count is not a positive whole number.
    """

    volume_min: Money = field()
    quotes: frozenset[str] = field(default=frozenset[str](), converter=_texts)
    excluded: frozenset[str] = field(default=frozenset[str](), converter=_texts)
    kinds: frozenset[MarketKind] = field(default=frozenset(MarketKind), converter=_kinds)
    count_max: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.volume_min.amount < 0:
            raise InvalidInput("volume_min", self.volume_min, "must not be negative")
        if self.count_max is not None and (isinstance(self.count_max, bool) or self.count_max < 1):
            raise InvalidInput("count_max", self.count_max, "must be a positive whole number")


@frozen(kw_only=True)
class Universe:
    """The pairs to watch, best first, and what was left out and why."""

    members: tuple[Member, ...]
    left_out: tuple[LeftOut, ...]


def daily_volumes(exchange: str, tickers: Mapping[str, Any]) -> dict[Leg, Money]:
    """Return what each market trades in a day, in its quote currency, from what ccxt's ``fetch_tickers`` returned.

    A ticker that carries neither ``quoteVolume`` nor ``baseVolume`` with a ``last`` price is left out.

    Raises:
        InvalidInput: A symbol is no unified one, or a number is none.
    """
    found = {}
    for symbol, ticker in tickers.items():
        leg = Leg(exchange, symbol)
        volume = _number(ticker, "quoteVolume")
        if volume is None:
            amount, price = _number(ticker, "baseVolume"), _number(ticker, "last")
            volume = None if amount is None or price is None else EXACT.multiply(amount, price)
        if volume is not None:
            found[leg] = Money(volume, leg.quote)
    return found


def score(first: Money, second: Money) -> Decimal:
    """Return the harmonic mean of two volumes (>= 0), in their currency; zero where either is.

    Raises:
        CurrencyMismatch: They are in two currencies.
    """
    total = (first + second).amount
    product = EXACT.multiply(first.amount, second.amount)
    return divide(2 * product, total) if product else ZERO


def rank_pairs(
    symbols: SymbolMap,
    venues: tuple[str, str],
    volumes: Mapping[Leg, Money],
    fx: FxProvider,
    selection: Selection,
) -> Universe:
    """Return the pairs of two venues that *selection* wants, by score and then by base.

    Args:
        symbols: Which markets belong together.
        venues: The two venues; legs[0] of each pair is on the first.
        volumes: What each market trades in a day, in any currency; a market that is not there trades nothing.
        fx: Converts volumes into the selection's currency.
        selection: What is wanted.

    Raises:
        UnknownVenue: *symbols* has no listing of a venue.
        InvalidInput: They are one venue.
    """
    pairs, unclear = symbols.pairs(*venues)
    out = [
        LeftOut(base=str(each.value).partition("/")[0], code=LeftOutCode.AMBIGUOUS, why=each.reason) for each in unclear
    ]
    members: list[Member] = []
    for pair in pairs:
        judged = _unwanted(pair, selection) or _weighed(pair, volumes, fx, selection)
        if isinstance(judged, Member):
            members.append(judged)
        else:
            out.append(judged)
    members.sort(key=lambda each: (-each.score, each.pair.base, each.pair.legs[0].symbol))
    for rank, each in enumerate(members[selection.count_max :] if selection.count_max else (), 1):
        why = f"place {rank + (selection.count_max or 0)} of {len(members)}, {selection.count_max} are wanted"
        out.append(LeftOut(base=each.pair.base, code=LeftOutCode.RANK, why=why))
    return Universe(members=tuple(members[: selection.count_max]), left_out=tuple(out))


def _unwanted(pair: Pair, selection: Selection) -> LeftOut | None:
    if pair.base in selection.excluded:
        return LeftOut(base=pair.base, code=LeftOutCode.EXCLUDED, why="its base is not wanted")
    for instrument in pair.instruments:
        where = f"{instrument.leg.symbol} on {instrument.leg.exchange}"
        if instrument.kind not in selection.kinds:
            return LeftOut(base=pair.base, code=LeftOutCode.KIND, why=f"{where} is a {instrument.kind.value}")
        if selection.quotes and instrument.quote not in selection.quotes:
            return LeftOut(base=pair.base, code=LeftOutCode.QUOTE, why=f"{where} is in {instrument.quote}")
    return None


def _weighed(pair: Pair, volumes: Mapping[Leg, Money], fx: FxProvider, selection: Selection) -> Member | LeftOut:
    currency = selection.volume_min.currency
    try:
        first, second = (convert(volumes.get(leg, Money(ZERO, leg.quote)), currency, fx) for leg in pair.legs)
    except FxUnavailable as error:
        return LeftOut(base=pair.base, code=LeftOutCode.NO_RATE, why=str(error))
    least, leg = (first, pair.legs[0]) if first < second else (second, pair.legs[1])
    if least < selection.volume_min:
        why = f"{leg.symbol} on {leg.exchange} trades {least.amount:.0f} of {selection.volume_min} a day"
        return LeftOut(base=pair.base, code=LeftOutCode.VOLUME, why=why)
    return Member(pair=pair, volumes=(first, second), score=score(first, second))


def _number(ticker: Mapping[str, Any], name: str) -> Decimal | None:
    value = ticker.get(name)
    return None if value is None else to_decimal(str(value), name)
