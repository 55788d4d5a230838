"""Rates into the limits' currency: fit to judge by, or none; and the same for the same result ever after."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fsm_arb.clock import NS_PER_S
from fsm_arb.errors import FxUnavailable
from fsm_arb.fx import FxRate, StaticFx
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.risk.rates import Rates
from fsm_arb.risk.reckoning import Reckoned, Strange
from fsm_arb.values import Fee, Money

D = Decimal
NOW = 10**18
LIMITS = RiskLimits(daily_loss=Money(1, "KRW"), fx_max_age_s=30)


class Says:
    """A provider that answers the same, whatever it is asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def rate(self, base: str, quote: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def rates(provider: Any) -> Rates:
    return Rates(provider, LIMITS, lambda: NOW)


def seen(age_s: int, base: str = "USDT", quote: str = "KRW") -> FxRate:
    return FxRate(base=base, quote=quote, rate=1400, source="a book", at_ns=NOW - age_s * NS_PER_S)


def test_money_is_converted_at_the_rate_of_now() -> None:
    """Of the limits' own currency nothing is asked."""
    assert rates(Says(seen(30))).convert(Money(2, "USDT")) == 2800
    assert rates(Says(RuntimeError())).convert(Money(2, "KRW")) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (seen(31), "USDT/KRW from a book is 31 s old (at most 30 s)"),
        (seen(-31), "31 s in the future"),
        (seen(0, "KRW", "USDT"), "asked for USDT/KRW, a book told of KRW/USDT"),
        (FxUnavailable("nobody knows"), "nobody knows"),
        (KeyError("USDT"), "USDT/KRW: KeyError: 'USDT'"),
    ],
)
def test_a_rate_that_is_not_fit_is_none(answer: Any, words: str) -> None:
    """Too old, from the future, the wrong way round, or a provider's own error."""
    with pytest.raises(FxUnavailable) as caught:
        rates(Says(answer)).of("USDT")
    assert words in str(caught.value)


def test_a_result_is_worth_the_same_ever_after() -> None:
    """At the rates at which it was valued first, fees in third assets included."""
    result = Reckoned(cash=D(10), strange=(Strange(fee=Fee(D("0.01"), "BNB"), usual=D(1)),))
    kept: dict[str, Decimal] = {}
    first = rates(StaticFx({"USDT/KRW": 1000, "BNB/KRW": 500_000}))
    assert first.value(result, "USDT", kept) == (D(10_000) - 5000, {})
    assert kept == {"USDT": 1000, "BNB": 500_000}
    later = rates(StaticFx({"USDT/KRW": 2000, "BNB/KRW": 900_000}))
    assert later.value(result, "USDT", kept) == (D(5000), {})


def test_a_fee_without_a_rate_is_the_usual_one() -> None:
    """And it is said why; with a rate it is valued after all."""
    result = Reckoned(cash=D(10), strange=(Strange(fee=Fee(D("0.01"), "BNB"), usual=D(1)),))
    kept: dict[str, Decimal] = {}
    value, doubts = rates(StaticFx({"USDT/KRW": 1000})).value(result, "USDT", kept)
    assert (value, kept) == (D(9000), {"USDT": 1000})
    assert "no rate from BNB to KRW" in doubts["BNB"]
    assert rates(StaticFx({"BNB/KRW": 500_000})).value(result, "USDT", kept) == (D(5000), {})
