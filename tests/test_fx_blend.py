"""Rates made of rates: next in line, what several agree on, over a currency between, the last known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moments import NOW, SECOND, book
from worlds import entry, leaving, policy

from fsm_arb.checks import Readings, refusal
from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import FxRate, StaticFx
from fsm_arb.fx_blend import CachedFx, FallbackFx, MedianFx, OverFx, median
from fsm_arb.fx_sources import BookFx, ConstantFx
from fsm_arb.values import Health, HealthStatus, Leg, Money

D = Decimal
TETHER = Leg("upbit", "USDT/KRW")
USDC = Leg("binance", "USDC/USDT")


class Feed:
    """A source that shows one rate of A in B, or none."""

    def __init__(self, rate: Any = "1", *, age_s: int | None = 0, confidence: Any = 1, name: str = "feed") -> None:
        self.value, self.age_s, self.confidence, self.name = rate, age_s, confidence, name

    def rate(self, base: str, quote: str) -> FxRate:
        if self.value is None:
            raise FxUnavailable(f"{self.name} is down")
        return FxRate(
            base=base,
            quote=quote,
            rate=self.value,
            source=self.name,
            confidence=self.confidence,
            at_ns=None if self.age_s is None else NOW - self.age_s * SECOND,
        )


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now_ns = NOW

    def __call__(self) -> int:
        return self.now_ns


# ------------------------------------------------------------------ the median


def test_sources_1_000_0_999_1_100() -> None:
    """The median of those within 5 % of the median: 0.9995."""
    rate = MedianFx([Feed("1.000", name="a"), Feed("0.999", name="b"), Feed("1.100", name="c")]).rate("A", "B")
    assert (rate.rate, rate.source) == (D("0.9995"), "median of a, b")


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (["1"], "1"),
        (["1", "1.02", "0.99"], "1"),
        (["1", "1.04"], "1.02"),
        (["100", "105", "94.9"], "102.5"),
        (["100", "105", "95"], "100"),
        (["1", "1", "1", "9", "9"], "1"),
    ],
    ids=["one", "all near", "two", "just outside", "at the bound", "two liars of five"],
)
def test_outliers_are_dropped_and_the_median_of_the_rest_is_taken(rates: list[str], expected: str) -> None:
    """Five percent of the median are allowed, both ways."""
    assert MedianFx([Feed(rate) for rate in rates]).rate("A", "B").rate == D(expected)


def test_two_that_disagree_tell_nothing() -> None:
    """Neither is believed, and the error shows both."""
    with pytest.raises(FxUnavailable, match=r"the sources of A/B disagree: 1 from x, 1\.2 from y"):
        MedianFx([Feed("1", name="x"), Feed("1.2", name="y")]).rate("A", "B")
    assert MedianFx([Feed("1"), Feed("1.2")], outlier_share=D("0.1")).rate("A", "B").rate == D("1.1")


def test_the_oldest_input_s_age_and_the_least_trust_count() -> None:
    """Of those that are in the answer; an outlier has no say."""
    sources = [Feed("1", age_s=3, confidence="0.95"), Feed("1", age_s=40), Feed("1", age_s=None, confidence="0.9")]
    rate = MedianFx([*sources, Feed("2", age_s=50, confidence="0.1")]).rate("A", "B")
    assert (rate.at_ns, rate.confidence) == (NOW - 40 * SECOND, D("0.9"))


def test_a_feed_that_has_fallen_behind_is_left_out() -> None:
    """It does not age the others; where all are as old, they are all there is."""
    dead = Feed("1.03", age_s=61)
    rate = MedianFx([dead, Feed("1"), Feed("1.01", age_s=60)]).rate("A", "B")
    assert (rate.rate, rate.at_ns) == (D("1.005"), NOW - 60 * SECOND)
    assert MedianFx([dead, Feed("1.01", age_s=70)]).rate("A", "B").at_ns == NOW - 70 * SECOND
    assert MedianFx([dead, Feed("1")], age_max_s=D(61)).rate("A", "B").rate == D("1.015")


def test_rates_that_do_not_age_are_never_behind() -> None:
    """And together with none that does they have no age."""
    assert MedianFx([Feed("1", age_s=None), Feed("1.02")]).rate("A", "B").rate == D("1.01")
    assert MedianFx([Feed("1", age_s=None), Feed("1.02", age_s=None)]).rate("A", "B").at_ns is None


def test_a_source_that_has_no_rate_is_passed_over() -> None:
    """Until none has one."""
    assert MedianFx([Feed(None), Feed("1.5")]).rate("A", "B").rate == D("1.5")
    with pytest.raises(FxUnavailable, match=r"^x is down; y is down$"):
        MedianFx([Feed(None, name="x"), Feed(None, name="y"), Feed(None, name="y")]).rate("A", "B")


@given(st.lists(st.decimals("0.5", 2, places=4), min_size=1, max_size=7), st.randoms())
def test_a_median_lies_among_its_sources_in_whatever_order(rates: list[Decimal], chance: Any) -> None:
    """And one liar among three or more cannot move it past the honest ones."""
    assert min(rates) <= median(rates) <= max(rates)
    shuffled = list(rates)
    chance.shuffle(shuffled)
    assert median(shuffled) == median(rates)


@given(st.lists(st.decimals("0.99", "1.01", places=4), min_size=2, max_size=6), st.decimals("0.001", 1000, places=3))
def test_one_source_that_lies_moves_the_rate_no_further_than_the_honest_ones(
    honest: list[Decimal], lie: Decimal
) -> None:
    """Three sources and more stand up to one."""
    rate = MedianFx([Feed(value) for value in (*honest, lie)]).rate("A", "B").rate
    tolerance = D("0.06")
    assert min(honest) * (1 - tolerance) <= rate <= max(honest) * (1 + tolerance)


# ------------------------------------------------------------------ next in line


def test_the_first_source_that_is_young_enough_answers() -> None:
    """In the order they were given."""
    sources = [Feed(None), Feed("1", age_s=61), Feed("2", age_s=60), Feed("3")]
    assert FallbackFx(sources, Clock()).rate("A", "B").rate == 2
    assert FallbackFx(sources, Clock(), age_max_s=D(61)).rate("A", "B").rate == 1


def test_a_rate_that_was_seen_is_preferred_to_a_constant_however_old() -> None:
    """The constant comes in where nothing was ever seen."""
    clock, seen = Clock(), Feed("1", age_s=120)
    fallback = FallbackFx([seen, ConstantFx({"A/B": "1.3"})], clock)
    assert fallback.rate("A", "B").at_ns == NOW - 120 * SECOND
    seen.value = None
    assert (fallback.rate("A", "B").rate, fallback.rate("A", "B").confidence) == (D("1.3"), D("0.5"))


def test_with_no_source_at_all_there_is_nothing_to_combine() -> None:
    """A mistake when it is built."""
    for build in (lambda: FallbackFx([], Clock()), lambda: MedianFx([])):
        with pytest.raises(InvalidInput, match="sources"):
            build()


# ------------------------------------------------------------------ over a currency between


def books() -> tuple[BookFx, BookFx]:
    tether, usdc = BookFx(TETHER), BookFx(USDC, "0.9")
    tether.observe(TETHER, book(1300), NOW)
    usdc.observe(USDC, book("0.999"), NOW - SECOND)
    return tether, usdc


def test_a_rate_over_a_currency_between_is_the_product() -> None:
    """As old as the older one, and trusted as the less trusted one: USDC to USDT to KRW."""
    over = OverFx(FallbackFx(books(), Clock()))
    rate = over.rate("USDC", "KRW")
    assert (rate.rate, rate.at_ns, rate.confidence) == (D("1298.7"), NOW - SECOND, D("0.9"))
    assert rate.source == "USDC/USDT on binance, then USDT/KRW on upbit"
    back = over.rate("KRW", "USDC")
    assert abs(back.rate * rate.rate - 1) < D("1e-25")
    assert (back.at_ns, back.confidence) == (rate.at_ns, rate.confidence)


def test_a_rate_that_is_there_is_not_gone_round() -> None:
    """Nor is that of a currency to itself asked for."""
    over = OverFx(FallbackFx(books(), Clock()))
    assert over.rate("USDT", "KRW").rate == 1300
    assert OverFx(Feed(None)).rate("A", "A").rate == 1


def test_each_currency_between_is_tried() -> None:
    """In order; what is at either end stands between nothing."""
    static = StaticFx({"A/M": 2})
    with pytest.raises(FxUnavailable, match="no rate from A to B, nor over USDT, M, B: "):
        OverFx(static, via=("USDT", "M", "B")).rate("A", "B")
    mixed = FallbackFx([static, StaticFx({"M/B": 3})], Clock())
    assert OverFx(mixed, via=("USDT", "A", "M")).rate("A", "B").rate == 6
    assert OverFx(mixed, via=("M",)).rate("A", "B").at_ns is None


# ------------------------------------------------------------------ the last known


def test_a_rate_is_remembered_with_its_own_age() -> None:
    """A source that goes silent does not make it younger."""
    clock, feed = Clock(), Feed("1.5")
    cached = CachedFx(feed, clock)
    first = cached.rate("A", "B")
    feed.value = None
    clock.now_ns += 60 * SECOND
    assert cached.rate("A", "B") == first


@pytest.mark.parametrize("silent", [True, False])
def test_past_its_age_nobody_enters_on_it_and_it_still_converts(silent: bool) -> None:
    """Confidence zero, whether the source is silent or shows the same old rate."""
    clock, feed = Clock(), Feed("1.5")
    cached = CachedFx(feed, clock)
    cached.rate("A", "B")
    if silent:
        feed.value = None
    clock.now_ns += 60 * SECOND + 1
    rate = cached.rate("A", "B")
    assert (rate.rate, rate.confidence, rate.source, rate.at_ns) == (D("1.5"), 0, "feed, stale", NOW)
    assert cached.convert(Money(D(2), "A"), "B") == Money(D(3), "B")
    feed.value, feed.age_s = "1.6", -61
    assert (cached.rate("A", "B").rate, cached.rate("A", "B").confidence) == (D("1.6"), 1)


def test_a_stale_rate_refuses_entries_and_never_exits() -> None:
    """Also by a policy that would allow an hour."""
    clock, feed = Clock(), Feed("1.5")
    cached = CachedFx(feed, clock)
    up = Health(status=HealthStatus.UP)
    patient = policy(fx_max_age_s=3600)
    for age_s, said in ((60, ""), (61, "fx: USDT/USD from feed, stale has confidence 0 (at least 0.8)")):
        clock.now_ns = NOW + age_s * SECOND
        readings = Readings(at_ns=clock.now_ns, health=(up, up), fx=cached.rate("USDT", "USD"))
        assert refusal(entry(), patient, readings) == said
        assert refusal(leaving(), patient, readings) == ""


def test_the_age_can_be_said_and_makes_sense() -> None:
    """In seconds, as anything but a float."""
    clock = Clock()
    clock.now_ns += 6 * SECOND
    assert CachedFx(Feed(), clock, 5).rate("A", "B").confidence == 0
    assert CachedFx(Feed(), clock, "6").rate("A", "B").confidence == 1
    assert CachedFx(Feed(), clock, 0).rate("A", "B").confidence == 0
    for value in (-1, 1.5, "soon"):
        with pytest.raises(InvalidInput, match="age_max_s"):
            CachedFx(Feed(), clock, value)  # type: ignore[arg-type]


def test_what_does_not_age_is_never_stale() -> None:
    """A constant is what it was."""
    clock = Clock()
    clock.now_ns += 10**9 * SECOND
    assert CachedFx(Feed(age_s=None), clock).rate("A", "B").confidence == 1


def test_what_was_never_seen_is_not_made_up() -> None:
    """Each pair by itself."""
    feed = Feed("1.5")
    cached = CachedFx(feed, Clock())
    cached.rate("A", "B")
    feed.value = None
    with pytest.raises(FxUnavailable, match="feed is down"):
        cached.rate("B", "A")


# ------------------------------------------------------------------ telling


def test_what_is_observed_reaches_every_source_below() -> None:
    """Through all that is built over them."""
    tether, usdc = BookFx(TETHER), BookFx(USDC)
    whole = CachedFx(OverFx(FallbackFx([MedianFx([tether]), usdc, ConstantFx({"USDT/KRW": 1})], Clock())), Clock())
    assert whole.rate("USDT", "KRW").confidence == D("0.5")
    whole.observe(TETHER, book(1300), NOW)
    whole.observe(USDC, book(1), NOW)
    assert whole.rate("USDC", "KRW").rate == 1300
    assert whole.rate("USDC", "KRW").confidence == 1
