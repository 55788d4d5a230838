"""What everything is worth in the limits' currency: at a rate that is fit to judge by, and at the same ever after."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from fsm_arb.errors import FxUnavailable
from fsm_arb.fx import FxProvider, misread
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.risk.reckoning import Reckoned
from fsm_arb.values import ONE, Money


@frozen
class Rates:
    """Rates into the limits' currency.

    Args:
        fx: Whose they are.
        limits: Their currency, and how old a rate may be.
        time_ns: The wall clock, UTC ns.
    """

    fx: FxProvider
    limits: RiskLimits
    time_ns: Callable[[], int]

    def of(self, currency: str) -> Decimal:
        """Return what one unit of *currency* is worth.

        Raises:
            FxUnavailable: Nobody says, or what is said is too old or of another pair.
        """
        ours = self.limits.currency
        if currency == ours:
            return ONE
        try:
            told = self.fx.rate(currency, ours)
        except FxUnavailable:
            raise
        except Exception as error:
            raise FxUnavailable(f"{currency}/{ours}: {type(error).__name__}: {error}") from error
        wrong = misread(told, currency, ours, self.time_ns(), self.limits.fx_max_age_s)
        if wrong:
            raise FxUnavailable(wrong)
        return told.rate

    def convert(self, money: Money) -> Decimal:
        """Return what *money* is worth now.

        Raises:
            FxUnavailable: As `of`.
        """
        return money.amount * self.of(money.currency)

    def value(self, result: Reckoned, currency: str, rates: dict[str, Decimal]) -> tuple[Decimal, dict[str, str]]:
        """Return what a result is worth, and of which assets' fees only the usual could be counted, and why.

        Args:
            result: Its cash in *currency*.
            currency: The quote of legs[0].
            rates: What it was valued at before; what is not there is asked for, and put there.

        Raises:
            FxUnavailable: Its cash cannot be converted.
        """
        cash = self._once(currency, rates)
        worth, doubts = result.cash * cash, {}
        for each in result.strange:
            try:
                worth -= each.fee.amount * self._once(each.fee.currency, rates)
            except FxUnavailable as error:
                worth -= each.usual * cash
                doubts[each.fee.currency] = str(error)
        return worth, doubts

    def _once(self, currency: str, rates: dict[str, Decimal]) -> Decimal:
        if currency not in rates and currency != self.limits.currency:
            rates[currency] = self.of(currency)
        return rates.get(currency, ONE)
