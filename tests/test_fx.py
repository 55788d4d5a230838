"""Rates and what is converted by them; those that do not change: both directions, one hop, no guess beyond."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.fx import NS_PER_S, Converting, FxRate, StaticFx, convert, misread, same_currency, share
from fsm_arb.values import Money

D = Decimal


def test_a_rate_serves_both_directions() -> None:
    """And one currency is worth itself."""
    fx = StaticFx({"USDT/KRW": "1400"})
    assert fx.rate("USDT", "KRW") == FxRate(base="USDT", quote="KRW", rate=D(1400), source="static")
    assert abs(fx.rate("KRW", "USDT").rate * 1400 - 1) < D("1e-20")
    assert fx.rate("EUR", "EUR").rate == 1
    assert (fx.rate("USDT", "KRW").confidence, fx.rate("USDT", "KRW").at_ns) == (1, None)


def test_a_rate_may_be_found_over_one_currency_between() -> None:
    """Not over two."""
    fx = StaticFx({"USDC/USDT": D("0.999"), "USDT/KRW": 1400, "EUR/GBP": "0.85"})
    assert fx.rate("USDC", "KRW").rate == D("1398.6")
    assert abs(fx.rate("KRW", "USDC").rate * D("1398.6") - 1) < D("1e-20")
    with pytest.raises(FxUnavailable, match="no rate from EUR to KRW among EUR/GBP, GBP/EUR, KRW/USDT"):
        fx.rate("EUR", "KRW")


def test_a_direction_that_is_given_is_not_derived() -> None:
    """Two sources may differ by their spread, in either order."""
    for rates in ({"A/B": 2, "B/A": "0.4"}, {"B/A": "0.4", "A/B": 2}):
        fx = StaticFx(rates)
        assert (fx.rate("A", "B").rate, fx.rate("B", "A").rate) == (2, D("0.4"))


@pytest.mark.parametrize(
    ("pair", "value"), [("USDT", 1), ("/KRW", 1), ("USDT/", 1), ("A/B", 0), ("A/B", -1), ("A/B", 1.5), ("A/B", "x")]
)
def test_a_rate_that_makes_no_sense_is_refused_by_name(pair: str, value: Any) -> None:
    """When it is given, not when it is needed."""
    with pytest.raises(InvalidInput, match=rf"rates.*{pair}|rates"):
        StaticFx({pair: value})


def test_nothing_is_known_of_nothing() -> None:
    """An executor may be built without rates."""
    with pytest.raises(FxUnavailable):
        StaticFx({}).rate("USDT", "KRW")


# ------------------------------------------------------------------ rates

RATES = st.decimals("0.000001", 10**9, places=6)
AMOUNTS = st.decimals(-(10**12), 10**12, places=8)


def rate(value: Any = 1300, **changes: Any) -> FxRate:
    return FxRate(**({"base": "USDT", "quote": "KRW", "rate": value, "source": "a book"} | changes))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": D("NaN")}, "rate"),
        ({"rate": 1300.5}, "rate"),
        ({"confidence": "1.01"}, "confidence"),
        ({"confidence": -1}, "confidence"),
        ({"confidence": 0.8}, "confidence"),
    ],
)
def test_a_rate_is_a_positive_number_and_a_confidence_a_share(changes: dict[str, Any], name: str) -> None:
    """A float is a mistake, as everywhere."""
    with pytest.raises(InvalidInput) as error:
        rate(**changes)
    assert error.value.field == name


def test_a_share_is_from_zero_to_one() -> None:
    """Both included."""
    assert [share(value, "confidence") for value in (0, "0.5", D(1))] == [0, D("0.5"), 1]


@given(RATES, AMOUNTS)
def test_a_rate_turned_round_twice_is_itself(value: Decimal, amount: Decimal) -> None:
    """And money that goes there and back is the same money."""
    here = rate(value)
    there = here.inverse
    assert (there.base, there.quote, there.source, there.confidence) == ("KRW", "USDT", "a book", 1)
    assert abs(there.inverse.rate - value) <= value * D("1e-50")
    money = Money(amount, "USDT")
    for way in (here, there):
        assert abs(way.convert(way.convert(money)).amount - amount) <= abs(amount) * D("1e-50")
    assert abs(here.convert(money).amount - there.convert(money).amount) <= abs(amount * value) * D("1e-50")


def test_a_rate_keeps_its_age_and_trust_when_turned_round() -> None:
    """Only base, quote and number change."""
    assert rate(at_ns=7, confidence="0.8").inverse.at_ns == 7
    assert rate(at_ns=7, confidence="0.8").inverse.confidence == D("0.8")


def test_the_age_of_a_rate_is_in_seconds() -> None:
    """Negative from the future; a constant has none."""
    assert rate(at_ns=5 * NS_PER_S).age_s(65 * NS_PER_S + 500_000_000) == D("60.5")
    assert rate(at_ns=5 * NS_PER_S).age_s(0) == -5
    assert rate().age_s(10**18) is None


def test_money_is_converted_in_either_direction_and_in_no_third_currency() -> None:
    """By the currencies, not by their order."""
    assert rate().convert(Money(D(2), "USDT")) == Money(D(2600), "KRW")
    assert rate().convert(Money(D(2600), "KRW")) == Money(D(2), "USDT")
    with pytest.raises(CurrencyMismatch, match="is in neither USDT nor KRW"):
        rate().convert(Money(D(1), "EUR"))


def test_a_currency_is_worth_itself_for_certain_and_for_ever() -> None:
    """No source is asked."""
    assert same_currency("KRW") == FxRate(base="KRW", quote="KRW", rate=1, source="one currency")


# ------------------------------------------------------------------ money


def test_adding_krw_to_usdt_is_an_error() -> None:
    """Until it is converted."""
    won, tether = Money(D(1300), "KRW"), Money(D(1), "USDT")
    with pytest.raises(CurrencyMismatch, match="cannot be combined with KRW"):
        won + tether
    fx = StaticFx({"USDT/KRW": 1300})
    assert won + fx.convert(tether, "KRW") == Money(D(2600), "KRW")
    assert abs((fx.convert(won, "USDT") + tether).amount - 2) < D("1e-50")


def test_money_in_the_wanted_currency_needs_no_rate() -> None:
    """Nobody is asked."""
    assert convert(Money(D(5), "KRW"), "KRW", StaticFx({})) == Money(D(5), "KRW")
    with pytest.raises(FxUnavailable):
        convert(Money(D(5), "KRW"), "USDT", StaticFx({}))


@given(AMOUNTS, AMOUNTS, RATES)
def test_converting_is_linear(first: Decimal, second: Decimal, value: Decimal) -> None:
    """The sum of what is converted is what the sum converts to, within what ten places of a won are."""
    fx = StaticFx({"A/B": value})
    apart = fx.convert(Money(first, "A"), "B") + fx.convert(Money(second, "A"), "B")
    together = fx.convert(Money(first + second, "A"), "B")
    assert abs(apart.amount - together.amount) < D("1e-5")


def test_a_provider_of_one_s_own_may_convert_too() -> None:
    """It brings `rate`, and has `convert` for nothing; without `rate` it has neither."""

    class Mine(Converting):
        def rate(self, base: str, quote: str) -> FxRate:
            return FxRate(base=base, quote=quote, rate=2, source="mine")

    assert Mine().convert(Money(D(3), "A"), "B") == Money(D(6), "B")
    with pytest.raises(NotImplementedError):
        Converting().rate("A", "B")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, ""),
        ({"at_ns": NS_PER_S * 40}, ""),
        ({"at_ns": NS_PER_S * 39}, "USDT/KRW from a book is 61 s old (at most 60 s)"),
        ({"at_ns": NS_PER_S * 160}, ""),
        ({"at_ns": NS_PER_S * 161}, "USDT/KRW from a book was seen 61 s in the future; a clock is wrong"),
        ({"base": "KRW", "quote": "USDT"}, "asked for USDT/KRW, a book told of KRW/USDT"),
    ],
)
def test_a_rate_is_taken_for_what_it_was_asked_for_and_while_it_is_young(told: Any, words: str) -> None:
    """One that does not age is always young."""
    rate = FxRate(**({"base": "USDT", "quote": "KRW", "rate": 1400, "source": "a book"} | told))
    assert misread(rate, "USDT", "KRW", 100 * NS_PER_S, D(60)) == words
