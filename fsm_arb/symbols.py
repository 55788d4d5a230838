"""Which market of one venue is which of another's, read off ccxt's own descriptions of them.

Two markets are a pair where they trade the same base asset and nothing else
could be meant, in either direction. Where more than one could be, or none, the
error names the candidates; what is meant is then said: by the quote currencies
and kinds that count on a venue, or by an override. Nothing here is guessed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from fsm_arb.errors import AmbiguousSymbol, InvalidInput, UnknownSymbol, UnknownVenue
from fsm_arb.values import Leg, to_decimal

CANDIDATES_MAX = 5  # named in an error
# What their price tells is an exchange rate, so whether two of their markets are a trade has to be said.
MONEY = frozenset({"DAI", "EUR", "FDUSD", "KRW", "PYUSD", "TUSD", "USD", "USD1", "USDC", "USDE", "USDP", "USDT"})


class MarketKind(enum.Enum):
    """What is traded."""

    SPOT = "spot"  # the asset itself
    SWAP = "swap"  # a perpetual contract on it, settled in its quote currency (linear)


@frozen(kw_only=True)
class Instrument:
    """One market of one venue."""

    leg: Leg
    kind: MarketKind
    contract_size: Decimal | None  # base per contract; None for spot
    active: bool  # False only where the venue says that it is not traded

    @property
    def base(self) -> str:
        """The asset that is traded."""
        return self.leg.base

    @property
    def quote(self) -> str:
        """The currency its price is in."""
        return self.leg.quote


def _texts(value: Iterable[str]) -> frozenset[str]:
    if isinstance(value, str):
        raise InvalidInput("currencies", value, "must be a collection of currencies, not one text")
    return frozenset(value)


def _kinds(value: Iterable[MarketKind | str]) -> frozenset[MarketKind]:
    try:
        return frozenset(MarketKind(each) for each in value)
    except ValueError:
        raise InvalidInput("kinds", value, f"must be of {', '.join(kind.value for kind in MarketKind)}") from None


@frozen(kw_only=True)
class Listing:
    """One venue's markets, and which of them are meant.

    Attributes:
        markets: ccxt's ``exchange.markets``, by unified symbol.
        quotes: The quote currencies that count; empty for all.
        kinds: What counts, spot and swap by default.
        excluded: Bases that are another asset here than elsewhere, or shall not be traded here.

    Raises:
        InvalidInput: A kind is none, or currencies are given as one text.
    """

    markets: Mapping[str, Any]
    quotes: frozenset[str] = field(default=frozenset[str](), converter=_texts)
    kinds: frozenset[MarketKind] = field(default=frozenset(MarketKind), converter=_kinds)
    excluded: frozenset[str] = field(default=frozenset[str](), converter=_texts)

    def means(self, instrument: Instrument) -> bool:
        """Whether *instrument* is one of those that count here."""
        return (
            instrument.active
            and instrument.kind in self.kinds
            and (not self.quotes or instrument.quote in self.quotes)
            and instrument.base not in self.excluded
        )


@frozen(kw_only=True)
class Pair:
    """Two markets of one base asset."""

    base: str
    instruments: tuple[Instrument, Instrument]
    overridden: bool = False  # said by an override

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """The two markets, in the order of the venues that were asked for."""
        return self.instruments[0].leg, self.instruments[1].leg


def read_market(exchange: str, symbol: str, market: Mapping[str, Any]) -> Instrument | None:
    """Return what ccxt's *market* describes; None for what no cross trade can use.

    That is all but spot and linear perpetual swaps: options, dated futures, inverse contracts, which are
    counted in their quote currency, and contracts whose size is no positive number.

    Args:
        exchange: The key in the executor's ``venues``.
        symbol: ccxt's unified symbol.
        market: ccxt's description: ``type``, ``inverse``, ``contractSize``, ``active``.

    Raises:
        InvalidInput: The symbol is no unified one.
    """
    if market.get("type") not in {kind.value for kind in MarketKind} or market.get("inverse"):
        return None
    kind = MarketKind(market["type"])
    contract_size = None
    if kind is MarketKind.SWAP:
        try:
            contract_size = to_decimal(str(market.get("contractSize") or 1), "contractSize")
        except InvalidInput:
            return None
        if contract_size <= 0:
            return None
    return Instrument(
        leg=Leg(exchange, symbol),
        kind=kind,
        contract_size=contract_size,
        active=market.get("active") is not False,  # ccxt says None where the venue does not tell
    )


class SymbolMap:
    """The markets of several venues, and which of them belong together.

    Args:
        listings: By venue, its key in the executor's ``venues``.
        overrides: Pairs of legs that belong together whatever else is listed: ``USDT/KRW`` and ``USDT/USDC``.
            Between their two venues they count for nothing but each other.
        money: Bases that only an override pairs.

    Raises:
        UnknownVenue: An override names a venue that has no listing.
        UnknownSymbol: An override names a market that its venue does not list.
        InvalidInput: An override joins two bases, or two markets of one venue; a leg is in two of them.
    """

    def __init__(
        self,
        listings: Mapping[str, Listing],
        overrides: Iterable[tuple[Leg, Leg]] = (),
        money: Iterable[str] = MONEY,
    ) -> None:
        self._listings, self._money = dict(listings), _texts(money)
        self._instruments = {exchange: _read(exchange, listing) for exchange, listing in self._listings.items()}
        self._meant = {
            exchange: _grouped(
                (each.base, each) for each in self._instruments[exchange].values() if listing.means(each)
            )
            for exchange, listing in self._listings.items()
        }
        self._touching = {  # by base and by quote: what an error can name
            exchange: _grouped((name, each) for each in listed.values() for name in {each.base, each.quote})
            for exchange, listed in self._instruments.items()
        }
        self._overrides: dict[tuple[Leg, str], Leg] = {}  # by leg and the other venue
        for first, second in overrides:
            self._override(first, second)

    def instrument(self, leg: Leg) -> Instrument:
        """Return the market that *leg* names.

        Raises:
            UnknownVenue: There is no listing of its venue.
            UnknownSymbol: The venue does not list it, or as nothing that a cross trade can use.
        """
        listed = self._instruments[self._known(leg.exchange)]
        found = listed.get(leg.symbol)
        if found is None:
            near = self._near(leg, leg.exchange)
            raise UnknownSymbol("symbol", leg.symbol, f"is not listed on {leg.exchange}; of {leg.base}: {near}")
        return found

    def counterpart(self, leg: Leg, exchange: str) -> Leg:
        """Return the market on *exchange* that *leg* belongs with; asked the other way round, *leg* is the answer.

        Raises:
            UnknownVenue: There is no listing of one of the venues.
            UnknownSymbol: *leg* is not listed or not meant on its own venue, or nothing on *exchange* fits it.
            AmbiguousSymbol: Several markets of either venue could be meant.
        """
        return self.pair(leg, exchange).legs[1]

    def pair(self, leg: Leg, exchange: str) -> Pair:
        """Return *leg*'s market and the one on *exchange* that it belongs with.

        Raises:
            UnknownVenue, UnknownSymbol, AmbiguousSymbol: As `counterpart`.
            InvalidInput: *exchange* is the leg's own venue.
        """
        own = self.instrument(leg)
        if self._known(exchange) == leg.exchange:
            raise InvalidInput("exchange", exchange, f"is the venue of {leg.symbol} itself")
        said = self._overrides.get((leg, exchange))
        if said is not None:
            return Pair(base=leg.base, instruments=(own, self.instrument(said)), overridden=True)
        if leg.base in self._money:
            near = self._near(leg, exchange)
            what = f"of {leg.exchange} is a market of money, which only an override pairs; on {exchange}: {near}"
            raise UnknownSymbol("symbol", leg.symbol, what)
        here = self._candidates(leg.exchange, leg.base, exchange)
        there = self._candidates(exchange, leg.base, leg.exchange)
        if own not in here:
            raise UnknownSymbol(
                "symbol", leg.symbol, f"is listed on {leg.exchange} and left out; meant: {_names(here)}"
            )
        if not there:
            near = self._near(leg, exchange)
            raise UnknownSymbol(
                "symbol", leg.symbol, f"of {leg.exchange} has no counterpart on {exchange}; near: {near}"
            )
        if len(there) > 1:
            raise AmbiguousSymbol("symbol", leg.symbol, f"of {leg.exchange} could be {_names(there)}: say which")
        if len(here) > 1:
            # One way would be clear, the way back would not.
            what = (
                f"of {leg.exchange} shares {there[0].leg.symbol} of {exchange} with others: {_names(here)}: say which"
            )
            raise AmbiguousSymbol("symbol", leg.symbol, what)
        return Pair(base=leg.base, instruments=(own, there[0]))

    def pairs(self, first: str, second: str) -> tuple[tuple[Pair, ...], tuple[AmbiguousSymbol, ...]]:
        """Return all pairs of two venues by base, and an error for each base where it is not clear what is meant.

        Raises:
            UnknownVenue: There is no listing of one of the venues.
            InvalidInput: They are one venue.
        """
        found, unclear = [], []
        meant = self._meant[self._known(first)]
        said = [leg for leg, other in self._overrides if leg.exchange == first and other == second]
        # One leg a base is asked for: where there are more, any of them tells which.
        asked = [group[0].leg for base in meant if (group := self._candidates(first, base, second))]
        for leg in sorted([*said, *asked], key=lambda each: (each.base, each.symbol)):
            try:
                found.append(self.pair(leg, second))
            except AmbiguousSymbol as error:
                unclear.append(error)
            except UnknownSymbol:
                continue  # what one venue alone lists is no pair
        return tuple(found), tuple(unclear)

    def _override(self, first: Leg, second: Leg) -> None:
        if first.exchange == second.exchange:
            raise InvalidInput("overrides", (first, second), "must join two venues")
        if first.base != second.base:
            raise InvalidInput("overrides", (first.symbol, second.symbol), "must trade the same base asset")
        for leg, other in ((first, second), (second, first)):
            self.instrument(leg)
            if (leg, other.exchange) in self._overrides:
                raise InvalidInput("overrides", leg, f"has two counterparts on {other.exchange}")
        self._overrides[first, second.exchange] = second
        self._overrides[second, first.exchange] = first

    def _candidates(self, exchange: str, base: str, other: str) -> tuple[Instrument, ...]:
        """Return the markets of *base* that are meant on *exchange*, less those an override joins to *other*."""
        meant = self._meant[exchange].get(base, ())
        return tuple(each for each in meant if (each.leg, other) not in self._overrides)

    def _near(self, leg: Leg, exchange: str) -> str:
        return _names(self._touching[exchange].get(leg.base, ()))

    def _known(self, exchange: str) -> str:
        if exchange not in self._listings:
            raise UnknownVenue("exchange", exchange, f"is not one of {', '.join(sorted(self._listings)) or 'none'}")
        return exchange


def _read(exchange: str, listing: Listing) -> dict[str, Instrument]:
    found = {}
    for symbol, market in listing.markets.items():
        instrument = read_market(exchange, symbol, market)
        if instrument is not None:
            found[symbol] = instrument
    return found


def _grouped(named: Iterable[tuple[str, Instrument]]) -> dict[str, list[Instrument]]:
    grouped: dict[str, list[Instrument]] = {}
    for name, instrument in named:
        grouped.setdefault(name, []).append(instrument)
    return grouped


def _names(instruments: Iterable[Instrument]) -> str:
    names = sorted(each.leg.symbol for each in instruments)
    more = f" and {len(names) - CANDIDATES_MAX} more" if len(names) > CANDIDATES_MAX else ""
    return (", ".join(names[:CANDIDATES_MAX]) or "nothing") + more
