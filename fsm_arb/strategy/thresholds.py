"""The numbers of a strategy: every threshold a bot's author can set, with unit and default."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.spread import HUNDRED, Basis
from fsm_arb.values import ONE, ZERO, Money, not_negative, positive, to_decimal

Number = Decimal | int | float | str


def _number(value: Number) -> Decimal:
    """Return *value* as a Decimal, a float by its shortest text; what is no number is left for `_is_number` to name."""
    try:
        return to_decimal(str(value) if isinstance(value, float) else value, "")
    except InvalidInput:
        return value  # type: ignore[return-value]


def _optional(value: Number | None) -> Decimal | None:
    return None if value is None else _number(value)


def _basis(value: Basis | str) -> Basis:
    try:
        return Basis(value)
    except ValueError:
        return value  # type: ignore[return-value]


def _is_number(_self: object, attribute: Attribute[Any], value: object) -> None:
    to_decimal(str(value) if isinstance(value, float) else value, attribute.name)


def _is_basis(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Basis):
        choices = ", ".join(basis.value for basis in Basis)
        raise InvalidInput(attribute.name, value, f"must be one of {choices}")


def _share(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if not ZERO <= value <= ONE:
        raise InvalidInput(attribute.name, value, "must be from 0 to 1")


def _percent(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if value >= HUNDRED:
        raise InvalidInput(attribute.name, value, "must be below 100 %")


def _positive_if_any(self: object, attribute: Attribute[Any], value: Decimal | None) -> None:
    if value is not None:
        _is_number(self, attribute, value)
        positive(self, attribute, value)


def _money(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Money) or value.amount < 0:
        raise InvalidInput(attribute.name, value, "must be Money, zero or more")


def _flag(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidInput(attribute.name, value, "must be True or False")


def _whole_from(least: int) -> Any:
    def check(_self: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InvalidInput(attribute.name, value, f"must be a whole number, {least} or more")

    return check


_ABOVE_ZERO = [_is_number, positive]
_ABOVE_ZERO_PCT = [_is_number, positive, _percent]
_FROM_ZERO_PCT = [_is_number, not_negative, _percent]
_SHARE = [_is_number, _share]


@frozen(kw_only=True)
class StrategyThresholds:
    """What `ThresholdStrategy` judges by. Any number may be given as int, float, str or Decimal.

    Attributes:
        entry_pct: Percent; the spread must be as far from zero as this, in the direction that is traded.
        entry_basis: Which spread that is: `gross`, `executable` or `net`.
        take_profit_pct: Percentage points that the spread must have come back since the entry.
        stop_loss_pct: Percentage points that it may go further away since the entry.
        exit_basis: Which spread both are measured on.
        neutral_pct: Percent; a gross spread nearer to zero has no direction.
        positions_max: How many open positions a pair may have before another entry is made.
        hold_max_s: Seconds a position may be held.
        exit_on_degraded: Whether a degraded venue is left, as one that is down is.
        fx_min_confidence: An entry needs a rate that is trusted this much (0 to 1).
        fx_max_age_s: Seconds a rate stays good for an entry.
        fx_cost_pct: Percent of the notional that changing money costs; nothing where both quotes are one currency.
        book_max_age_s: Seconds a book stays good for an entry, by the venue's clock where that was measured.
        liquidity_min: What the thinner of both books must hold for an entry, in either quote currency.
        liquidity_band_pct: Percent; how far from the touch counts for that.
        volatility_reference_pct: Percentage points per root minute of volatility at which the scale is one; None:
            thresholds are static.
        volatility_samples_min: How many spread samples a volatility needs.
        scale_min: The least that entry, take profit and stop loss are multiplied by.
        scale_max: The most.

    Raises:
        InvalidInput: A number is out of range, or two of them contradict each other; names field and value.
    """

    entry_pct: Decimal = field(default=Decimal("0.5"), converter=_number, validator=_ABOVE_ZERO_PCT)
    entry_basis: Basis = field(default=Basis.NET, converter=_basis, validator=_is_basis)
    take_profit_pct: Decimal = field(default=Decimal("0.5"), converter=_number, validator=_ABOVE_ZERO_PCT)
    stop_loss_pct: Decimal = field(default=Decimal("0.5"), converter=_number, validator=_ABOVE_ZERO_PCT)
    exit_basis: Basis = field(default=Basis.EXECUTABLE, converter=_basis, validator=_is_basis)
    neutral_pct: Decimal = field(default=Decimal("0.1"), converter=_number, validator=_FROM_ZERO_PCT)
    positions_max: int = field(default=1, validator=_whole_from(1))
    hold_max_s: Decimal = field(default=Decimal(3600), converter=_number, validator=_ABOVE_ZERO)
    exit_on_degraded: bool = field(default=True, validator=_flag)
    fx_min_confidence: Decimal = field(default=Decimal("0.8"), converter=_number, validator=_SHARE)
    fx_max_age_s: Decimal = field(default=Decimal(60), converter=_number, validator=_ABOVE_ZERO)
    fx_cost_pct: Decimal = field(default=Decimal("0.05"), converter=_number, validator=_FROM_ZERO_PCT)
    book_max_age_s: Decimal = field(default=Decimal(5), converter=_number, validator=_ABOVE_ZERO)
    liquidity_min: Money = field(default=Money(Decimal(100_000_000), "KRW"), validator=_money)
    liquidity_band_pct: Decimal = field(default=ONE, converter=_number, validator=_ABOVE_ZERO_PCT)
    volatility_reference_pct: Decimal | None = field(default=None, converter=_optional, validator=_positive_if_any)
    volatility_samples_min: int = field(default=10, validator=_whole_from(2))  # two make one change
    scale_min: Decimal = field(default=ONE, converter=_number, validator=_ABOVE_ZERO)
    scale_max: Decimal = field(default=Decimal(3), converter=_number, validator=_ABOVE_ZERO)

    def __attrs_post_init__(self) -> None:
        if self.neutral_pct > self.entry_pct:
            raise InvalidInput("neutral_pct", self.neutral_pct, f"must not be above entry_pct={self.entry_pct}")
        if self.scale_min > self.scale_max:
            raise InvalidInput("scale_min", self.scale_min, f"must not be above scale_max={self.scale_max}")
