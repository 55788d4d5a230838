"""The numbers of the risk guard, one class a tier. None, where a field allows it, means: not judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.values import ONE, ZERO, Money, not_negative, to_decimal


def _decimal(value: object) -> Decimal:
    return to_decimal(value, "limit")


def _number(default: str) -> Any:
    """A number that may be given as int, str or Decimal, zero or greater."""
    return field(default=Decimal(default), converter=_decimal, validator=not_negative)


def _share(default: str) -> Any:
    """A fraction of one."""

    def checked(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
        if not ZERO <= value <= ONE:
            raise InvalidInput(attribute.name, value, "must be between 0 and 1")

    return field(default=Decimal(default), converter=_decimal, validator=checked)


def _at_least_one(_self: object, attribute: Attribute[Any], value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInput(attribute.name, value, "must be a whole number, at least 1")


def _not_negative(_self: object, attribute: Attribute[Any], value: Money | None) -> None:
    if value is not None and value.amount < 0:
        raise InvalidInput(attribute.name, value, "must not be negative")


@frozen(kw_only=True)
class VenueLimits:
    """Of each venue."""

    headroom_min: Decimal = _share("0.2")  # fraction of its rate limit that must be left
    degraded_score_min: Decimal = _share("0.7")  # a degraded venue is traded on where the route scores this much
    exposure: Money | None = field(default=None, validator=_not_negative)  # held there in open positions and trades


@frozen(kw_only=True)
class RouteLimits:
    """Of each pair of markets."""

    consecutive_losses: int = field(default=3, validator=_at_least_one)
    cooldown_s: Decimal = _number("300")  # seconds


@frozen(kw_only=True)
class SymbolLimits:
    """Of each base asset, as fractions of the capital."""

    exposure: Decimal = _share("0.5")  # of the capital, in open positions and trades
    drawdown: Decimal = _share("0.2")  # of the capital, below the asset's best result


@frozen(kw_only=True)
class GlobalLimits:
    """Of everything together."""

    loss: Money | None = field(default=None, validator=_not_negative)  # since the guard's history began
    exposure: Money | None = field(default=None, validator=_not_negative)  # in open positions and trades
    imbalance: Decimal = _share("0.5")  # |a - b| / (a + b) of what two venues hold of an asset


@frozen(kw_only=True)
class VolatilityScaling:
    """How limits tighten in a volatile market."""

    threshold: Decimal = _number("0.02")  # realised volatility, as a fraction, from which a market counts as volatile
    multiplier: Decimal = _share("0.5")  # what losses, exposures and drawdowns are then held to, of their limits


@frozen(kw_only=True)
class RiskLimits:
    """The numbers of `CrossExchangeRiskGuard`. All money is in the currency of `daily_loss`.

    Raises:
        CurrencyMismatch: Another limit is in another currency.
        InvalidInput: A number makes no sense; names the field.
    """

    daily_loss: Money = field(validator=_not_negative)  # a day's loss that stops entries until the day is over, in UTC
    consecutive_losses: int = field(default=3, validator=_at_least_one)  # losing trades in a row that stop entries
    cooldown_s: Decimal = _number("300")  # seconds that entries stay stopped after a run of losses
    directional_bias: Decimal = _share("0.7")  # share of open positions that may face one way
    directional_positions_min: int = field(default=3, validator=_at_least_one)  # below this many, it is not judged
    capital: Money | None = field(default=None, validator=_not_negative)  # None: the symbol tier is not judged
    fx_max_age_s: Decimal = _number("60")  # seconds that a rate into the currency of these limits stays good
    venue: VenueLimits = VenueLimits()
    route: RouteLimits = RouteLimits()
    symbol: SymbolLimits = SymbolLimits()
    overall: GlobalLimits = GlobalLimits()
    volatility: VolatilityScaling = VolatilityScaling()

    def __attrs_post_init__(self) -> None:
        amounts = {
            "capital": self.capital,
            "venue.exposure": self.venue.exposure,
            "overall.loss": self.overall.loss,
            "overall.exposure": self.overall.exposure,
        }
        for name, money in amounts.items():
            if money is not None and money.currency != self.currency:
                raise CurrencyMismatch(name, money, f"must be in {self.currency}, as daily_loss is")

    @property
    def judges_exposure(self) -> bool:
        """Whether it matters how much a trade holds."""
        return any(limit is not None for limit in (self.capital, self.venue.exposure, self.overall.exposure))

    @property
    def currency(self) -> str:
        """What everything is counted in."""
        return self.daily_loss.currency
