"""Rates that are seen: in the book of a pair, implied by one asset on two venues, or a constant to fall back on.

Sources are told what is observed and answer at once, from what they were told
last. Every rate carries when its oldest input was seen and how far it is to be
trusted; what is too old or too doubtful for an entry is judged where the entry
is judged, and an exit takes whatever there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

from attrs import evolve

from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import Converting, FxRate, StaticFx, same_currency, share
from fsm_arb.values import ONE, Leg, OrderBook, divide

BOOK_CONFIDENCE = ONE  # the pair itself is traded at that rate
IMPLIED_CONFIDENCE = Decimal("0.8")  # true as far as the asset costs the same on both venues
CONSTANT_CONFIDENCE = Decimal("0.5")  # below what any entry should be made on
WIDTH_MAX = Decimal("0.02")  # of the mid price; a book with a wider gap shows no price


@runtime_checkable
class FxObserver(Protocol):
    """What wants to be told about order books."""

    def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
        """Take in the book of *leg* as it was at *at_ns*, wall clock UTC."""
        ...


def mid_price(book: OrderBook, width_max: Decimal = WIDTH_MAX) -> Decimal | None:
    """Return the middle of a book's touch, quote per base; None where it shows no price.

    Args:
        book: Best levels first.
        width_max: The widest gap between bid and ask, as a fraction of the middle.
    """
    if not book.bids or not book.asks:
        return None
    bid, ask = book.bids[0].price, book.asks[0].price
    middle = divide(bid + ask, Decimal(2))
    return middle if bid > 0 and bid <= ask and ask - bid <= width_max * middle else None


class _Watched:
    """The last price of one leg."""

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self.price: Decimal | None = None
        self.at_ns = 0

    def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
        """Keep the price, unless the book is another leg's, shows none, or is older than what is known."""
        if leg != self.leg or at_ns < self.at_ns:
            return
        price = mid_price(book)
        if price is not None:
            self.price, self.at_ns = price, at_ns


class BookFx(Converting):
    """The rate at which a pair of currencies is itself traded, such as USDT/KRW on Upbit: the middle of its book.

    A book that is crossed, one-sided, or wider than `WIDTH_MAX` shows no price: the last one stays, and ages.

    Args:
        leg: The market; its base and quote are the two currencies.
        confidence: 0 to 1.

    Raises:
        InvalidInput: The confidence is none.
    """

    def __init__(self, leg: Leg, confidence: Decimal | int | str = BOOK_CONFIDENCE) -> None:
        self._watched = _Watched(leg)
        self._confidence = share(confidence, "confidence")

    def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
        """Take in the book of *leg* as it was at *at_ns*, wall clock UTC; other legs are no business of this one."""
        self._watched.observe(leg, book, at_ns)

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate of the last book that showed one, in either direction.

        Raises:
            FxUnavailable: These are other currencies, or no book has been seen yet.
        """
        leg = self._watched.leg
        seen = None
        if self._watched.price is not None:
            seen = FxRate(
                base=leg.base,
                quote=leg.quote,
                rate=self._watched.price,
                source=f"{leg.symbol} on {leg.exchange}",
                confidence=self._confidence,
                at_ns=self._watched.at_ns,
            )
        return _turned(seen, (leg.base, leg.quote), (base, quote), f"no book of {leg.symbol} on {leg.exchange} yet")


class ImpliedFx(Converting):
    """The rate that one asset's prices on two venues imply: 50M KRW against 40k USDT is 1250 KRW a USDT.

    A spread of that same asset judged by it is zero by construction: imply the rate by another asset than
    the one that is traded. The rate is as old as the older of both books.

    Args:
        first: The asset in one currency.
        second: The same asset in the other one.
        confidence: 0 to 1.

    Raises:
        InvalidInput: The two are of different assets, or in one currency; the confidence is none.
    """

    def __init__(self, first: Leg, second: Leg, confidence: Decimal | int | str = IMPLIED_CONFIDENCE) -> None:
        if first.base != second.base:
            raise InvalidInput("second", second.symbol, f"must be of the same asset as {first.symbol}")
        if first.quote == second.quote:
            raise InvalidInput("second", second.symbol, f"must be in another currency than {first.symbol}")
        self._first, self._second = _Watched(first), _Watched(second)
        self._confidence = share(confidence, "confidence")

    def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
        """Take in the book of *leg* as it was at *at_ns*, wall clock UTC; other legs are no business of this one."""
        self._first.observe(leg, book, at_ns)
        self._second.observe(leg, book, at_ns)

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate that the last books imply, in either direction.

        Raises:
            FxUnavailable: These are other currencies, or one of the books has not been seen yet.
        """
        first, second = self._first, self._second
        currencies = second.leg.quote, first.leg.quote
        asset = f"{first.leg.base} on {first.leg.exchange} and {second.leg.exchange}"
        seen = None
        if first.price is not None and second.price is not None:
            seen = FxRate(
                base=currencies[0],
                quote=currencies[1],
                rate=divide(first.price, second.price),
                source=f"implied by {asset}",
                confidence=self._confidence,
                at_ns=min(first.at_ns, second.at_ns),
            )
        return _turned(seen, currencies, (base, quote), f"not both books of {asset} yet")


class ConstantFx(Converting):
    """Rates to fall back on: they convert, and are trusted too little for an entry.

    Args:
        rates: As for `StaticFx`.
        confidence: 0 to 1.

    Raises:
        InvalidInput: As `StaticFx`.
    """

    def __init__(
        self, rates: Mapping[str, Decimal | int | str], confidence: Decimal | int | str = CONSTANT_CONFIDENCE
    ) -> None:
        self._static = StaticFx(rates)
        self._confidence = share(confidence, "confidence")

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*, as `StaticFx` finds it.

        Raises:
            FxUnavailable: It does not.
        """
        if base == quote:
            return same_currency(base)
        return evolve(self._static.rate(base, quote), source="constant", confidence=self._confidence)


def _turned(seen: FxRate | None, has: tuple[str, str], asked: tuple[str, str], nothing: str) -> FxRate:
    """Return *seen*, a rate of the currencies *has*, as *asked*.

    Raises:
        FxUnavailable: Other currencies are asked for, or *seen* is None: *nothing* says why.
    """
    if asked[0] == asked[1]:
        return same_currency(asked[0])
    if set(asked) != set(has):
        raise FxUnavailable(f"no rate from {asked[0]} to {asked[1]} in {has[0]}/{has[1]}")
    if seen is None:
        raise FxUnavailable(nothing)
    return seen if asked == has else seen.inverse
