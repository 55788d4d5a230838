"""Exchange rates between quote currencies: a port, and the simplest provider."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.values import EXACT, ONE, positive, to_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class FxRate:
    """How much of `quote` one `base` is worth, who says so, and since when."""

    base: str
    quote: str
    rate: Decimal = field(validator=positive)  # quote per base
    source: str
    confidence: Decimal = ONE  # 0 to 1
    at_ns: int | None = None  # wall clock UTC when it was seen; None: it does not age (a constant, or one currency)


class FxProvider(Protocol):
    """Where rates come from. Answers at once: whatever has to be fetched was fetched before."""

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*.

        Raises:
            FxUnavailable: No source has it.
        """
        ...


class StaticFx:
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
