"""Exchange rates between quote currencies: a port, the simplest provider, and money converted by either."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from attrs import evolve, field, frozen

from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.values import EXACT, ONE, ZERO, Money, positive, to_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

NS_PER_S = 1_000_000_000


def _rate(value: object) -> Decimal:
    return to_decimal(value, "rate")


def _confidence(value: object) -> Decimal:
    return share(value, "confidence")


def share(value: object, name: str) -> Decimal:
    """Return *value* (Decimal, int or numeric str) as a Decimal from 0 to 1.

    Raises:
        InvalidInput: It is none.
    """
    number = to_decimal(value, name)
    if not ZERO <= number <= ONE:
        raise InvalidInput(name, value, "must be from 0 to 1")
    return number


@frozen(kw_only=True)
class FxRate:
    """How much of `quote` one `base` is worth, who says so, and since when.

    Raises:
        InvalidInput: The rate is not a positive number, or the confidence not from 0 to 1.
    """

    base: str
    quote: str
    rate: Decimal = field(converter=_rate, validator=positive)  # quote per base
    source: str
    confidence: Decimal = field(default=ONE, converter=_confidence)  # 0 to 1
    at_ns: int | None = None  # wall clock UTC when it was seen; None: it does not age (a constant, or one currency)

    @property
    def inverse(self) -> FxRate:
        """The same rate, read the other way round."""
        return evolve(self, base=self.quote, quote=self.base, rate=EXACT.divide(ONE, self.rate))

    def age_s(self, now_ns: int) -> Decimal | None:
        """Return its age in seconds at *now_ns* (wall clock UTC), negative from the future; None: it does not age."""
        return None if self.at_ns is None else EXACT.divide(Decimal(now_ns - self.at_ns), Decimal(NS_PER_S))

    def convert(self, money: Money) -> Money:
        """Return what *money*, in either of the two currencies, is worth in the other one.

        Raises:
            CurrencyMismatch: It is in neither.
        """
        if money.currency == self.base:
            return Money(EXACT.multiply(money.amount, self.rate), self.quote)
        if money.currency == self.quote:
            return Money(EXACT.divide(money.amount, self.rate), self.base)
        raise CurrencyMismatch("money", money, f"is in neither {self.base} nor {self.quote}")


def misread(told: FxRate, base: str, quote: str, now_ns: int, max_age_s: Decimal) -> str:
    """Return why *told* is not the rate from *base* to *quote* at *now_ns* (wall clock UTC); empty: it is.

    A rate that is read the wrong way round sizes and counts everything by its inverse.
    """
    if (told.base, told.quote) != (base, quote):
        return f"asked for {base}/{quote}, {told.source} told of {told.base}/{told.quote}"
    age = told.age_s(now_ns)
    if age is None or abs(age) <= max_age_s:
        return ""
    if age < 0:
        return f"{base}/{quote} from {told.source} was seen {-age:.0f} s in the future; a clock is wrong"
    return f"{base}/{quote} from {told.source} is {age:.0f} s old (at most {max_age_s} s)"


class FxProvider(Protocol):
    """Where rates come from. Answers at once: whatever has to be fetched was fetched before."""

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*.

        Raises:
            FxUnavailable: No source has it.
        """
        ...


def convert(money: Money, currency: str, fx: FxProvider) -> Money:
    """Return what *money* is worth in *currency*, at the provider's rate of now.

    Raises:
        FxUnavailable: No source has the rate.
    """
    if money.currency == currency:
        return money
    return Money(EXACT.multiply(money.amount, fx.rate(money.currency, currency).rate), currency)


def same_currency(currency: str) -> FxRate:
    """Return the rate of a currency to itself: one, certain, and of no age."""
    return FxRate(base=currency, quote=currency, rate=ONE, source="one currency")


class Converting:
    """Lets a provider convert money, by its own `rate`."""

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*.

        Raises:
            FxUnavailable: No source has it.
        """
        raise NotImplementedError

    def convert(self, money: Money, currency: str) -> Money:
        """Return what *money* is worth in *currency* now.

        Raises:
            FxUnavailable: No source has the rate.
        """
        return convert(money, currency, self)


class StaticFx(Converting):
    """Rates that do not change, in both directions and over one hop.

    Args:
        rates: ``{"USDT/KRW": "1400"}``: one USDT is 1400 KRW. Values are Decimal, int or str.

    Raises:
        InvalidInput: A pair is not ``BASE/QUOTE``, or a rate is not a positive number.
    """

    def __init__(self, rates: Mapping[str, Decimal | int | str]) -> None:
        self._rates: dict[tuple[str, str], Decimal] = {}
        for pair, value in rates.items():
            base, slash, quote = pair.partition("/")
            if not (base and slash and quote):
                raise InvalidInput("rates", pair, "must be BASE/QUOTE, such as USDT/KRW")
            rate = to_decimal(value, f"rates[{pair}]")
            if rate <= 0:
                raise InvalidInput(f"rates[{pair}]", rate, "must be greater than zero")
            self._rates[base, quote] = rate
            self._rates.setdefault((quote, base), EXACT.divide(ONE, rate))

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*: as given, reversed, or over one currency between.

        Raises:
            FxUnavailable: Neither finds one.
        """
        return FxRate(base=base, quote=quote, rate=self._find(base, quote), source="static")

    def _find(self, base: str, quote: str) -> Decimal:
        if base == quote:
            return ONE
        direct = self._rates.get((base, quote))
        if direct is not None:
            return direct
        for (start, middle), first in self._rates.items():
            second = self._rates.get((middle, quote)) if start == base else None
            if second is not None:
                return EXACT.multiply(first, second)
        raise FxUnavailable(f"no rate from {base} to {quote} among {', '.join(sorted(map('/'.join, self._rates)))}")
