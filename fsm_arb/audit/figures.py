"""Numbers as people read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.clock import NS_PER_S
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
DAY_S = 86_400
# Seconds between two marks on an axis of time.
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, DAY_S)
ROUND_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


def money(value: Decimal | None, currency: str = "") -> str:
    """Return an amount of money, to the hundredth; where that would be nothing, to six digits."""
    if value is None:
        return "unknown"
    value = Decimal(value)
    places = 2 if not value or abs(value) >= Decimal("0.01") else 6
    text = f"{abs(value):,.{places}f}"
    sign = MINUS if value < 0 and float(text.replace(",", "")) else ""
    return f"{sign}{text} {currency}".rstrip()


def amount(value: Decimal) -> str:
    """Return a quantity without an exponent or trailing zeros."""
    return plain(value).replace("-", MINUS)


def seconds(value: Decimal) -> str:
    """Return a duration."""
    if value < 120:  # noqa: PLR2004 - two minutes are better told in minutes
        return f"{value:.2f} s"
    return f"{value / 60:,.1f} min"


def clock(at_ns: int, *, days: bool = False) -> str:
    """Return a wall clock, UTC: the time of day, or the day as well."""
    at = dt.datetime.fromtimestamp(at_ns // NS_PER_S, tz=dt.UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}" if days else f"{at:%H:%M:%S}"


def time_marks(from_ns: int, to_ns: int, most: int = 7) -> tuple[list[int], bool]:
    """Return round moments for an axis, ns, and whether the day has to be told with them."""
    span_s = max((to_ns - from_ns) / NS_PER_S, 1)
    step_s = next((step for step in TIME_STEPS if span_s / step <= most), None)
    if step_s is None:
        step_s = DAY_S * -(-int(span_s) // (DAY_S * most))
    first = -(-from_ns // (step_s * NS_PER_S)) * step_s * NS_PER_S
    return list(range(first, to_ns + 1, step_s * NS_PER_S)), span_s > DAY_S


def round_marks(low: Decimal, high: Decimal, most: int = 6) -> Sequence[Decimal]:
    """Return round numbers from at or below *low* to at or above *high*, evenly apart."""
    if low == high:
        low, high = low - 1, high + 1
    rough = (high - low) / most
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(each * power for each in ROUND_STEPS if each * power >= rough)
    start = (low / step).to_integral_value(rounding="ROUND_FLOOR")
    count = (high / step).to_integral_value(rounding="ROUND_CEILING") - start
    return [(start + number) * step for number in range(int(count) + 1)]
