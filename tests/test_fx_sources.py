"""Rates that are seen: in a pair's own book, implied by an asset, or a constant."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moments import LEGS, NOW, SECOND, book, moment, strategy
from worlds import entry, leaving, policy

from fsm_arb.checks import Readings, refusal
from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import FxRate, StaticFx
from fsm_arb.fx_sources import BookFx, ConstantFx, FxObserver, ImpliedFx, mid_price
from fsm_arb.strategy.verdicts import ReasonCode
from fsm_arb.values import Health, HealthStatus, Leg, Level, Money, OrderBook

D = Decimal
TETHER = Leg("upbit", "USDT/KRW")
UP = Health(status=HealthStatus.UP)


def shown(bid: str, ask: str) -> OrderBook:
    return OrderBook(bids=(Level(D(bid), D(1)),), asks=(Level(D(ask), D(1)),))


def seen(rate: Any = 1300, at_ns: int = NOW) -> BookFx:
    """Return Upbit's USDT/KRW as seen once."""
    source = BookFx(TETHER)
    source.observe(TETHER, book(rate), at_ns)
    return source


def implied(first: Any = 50_000_000, second: Any = 40_000, at_ns: tuple[int, int] = (NOW, NOW)) -> ImpliedFx:
    source = ImpliedFx(*LEGS)
    for leg, price, at in zip(LEGS, (first, second), at_ns, strict=True):
        source.observe(leg, book(price), at)
    return source


# ------------------------------------------------------------------ the scenarios of FX


def test_fx_from_usdt_krw_on_the_krw_venue() -> None:
    """Confidence 1.0: the pair itself is traded at that rate."""
    rate = seen(1300).rate("USDT", "KRW")
    assert (rate.rate, rate.confidence, rate.at_ns, rate.source) == (1300, 1, NOW, "USDT/KRW on upbit")


def test_fx_implied_by_btc_on_both_venues() -> None:
    """50M / 40k = 1250, confidence 0.8."""
    rate = implied().rate("USDT", "KRW")
    assert (rate.rate, rate.confidence) == (1250, D("0.8"))
    assert rate.source == "implied by BTC on upbit and binance"


def judged(rate: FxRate) -> tuple[str, str, ReasonCode]:
    """Return what the executor's checks say of an entry and of an exit, and a strategy's reason."""
    now = datetime.fromtimestamp(NOW / SECOND, tz=UTC)
    readings = Readings(at_ns=NOW, health=(UP, UP), fx=rate)
    entering = entry(legs=LEGS, notional=Money(D(1000), "KRW"), decided_at=now)
    said = refusal(entering, policy(), readings), refusal(leaving(legs=LEGS), policy(), readings)
    return *said, strategy(liquidity_min=Money(D(0), "KRW")).entry(moment("1", fx=rate)).reason.code


def test_fx_fallback_constant() -> None:
    """Confidence 0.5, and entries refused; exits are not."""
    rate = ConstantFx({"USDT/KRW": 1300}).rate("USDT", "KRW")
    assert (rate.rate, rate.confidence, rate.source, rate.at_ns) == (1300, D("0.5"), "constant", None)
    entering, leaving_said, code = judged(rate)
    assert entering == "fx: USDT/KRW from constant has confidence 0.5 (at least 0.8)"
    assert (leaving_said, code) == ("", ReasonCode.FX_CONFIDENCE)


@pytest.mark.parametrize(("age_s", "refused"), [(60, False), (61, True)])
def test_fx_older_than_its_limit(age_s: int, refused: bool) -> None:
    """60 s: entries refused, exits not."""
    entering, leaving_said, code = judged(seen(1300, NOW - age_s * SECOND).rate("USDT", "KRW"))
    assert (entering != "") is refused
    assert leaving_said == ""
    assert code is (ReasonCode.FX_AGE if refused else ReasonCode.ENTRY)


# ------------------------------------------------------------------ one book


@pytest.mark.parametrize(
    ("shows", "price"),
    [
        (shown("1299", "1301"), "1300"),
        (shown("1300", "1300"), "1300"),
        (shown("1287", "1313"), "1300"),
        (shown("1286.9", "1313.1"), None),
        (shown("1301", "1299"), None),
        (shown("0", "0.001"), None),
        (OrderBook(bids=(), asks=shown("1", "1").asks), None),
        (OrderBook(bids=shown("1", "1").bids, asks=()), None),
    ],
    ids=["two won apart", "locked", "2 %", "wider", "crossed", "nothing", "no bids", "no asks"],
)
def test_the_price_of_a_book_is_its_middle_where_it_shows_one(shows: OrderBook, price: str | None) -> None:
    """A gap of more than two percent, or a crossed book, is no price."""
    assert mid_price(shows) == (None if price is None else D(price))


def test_how_wide_a_gap_may_be_can_be_said() -> None:
    """As a fraction of the middle."""
    assert mid_price(shown("1299", "1301"), D("0.001")) is None
    assert mid_price(shown("1200", "1400"), D("0.2")) == 1300


def test_a_book_that_shows_no_price_leaves_the_last_one_to_age() -> None:
    """A venue that empties its book does not make the rate look fresh."""
    source = seen(1300)
    source.observe(TETHER, OrderBook(bids=(), asks=()), NOW + SECOND)
    assert (source.rate("USDT", "KRW").rate, source.rate("USDT", "KRW").at_ns) == (1300, NOW)


def test_what_is_older_or_of_another_market_is_not_taken_in() -> None:
    """Observations may come out of order, and from everywhere."""
    source = seen(1300)
    source.observe(TETHER, book(1200), NOW - 1)
    source.observe(Leg("bithumb", "USDT/KRW"), book(1200), NOW + 1)
    source.observe(Leg("upbit", "BTC/KRW"), book(1200), NOW + 1)
    assert source.rate("USDT", "KRW").rate == 1300
    source.observe(TETHER, book(1310), NOW)
    assert source.rate("USDT", "KRW").rate == 1310


def test_a_source_knows_its_own_two_currencies() -> None:
    """Each in the other, each in itself, and no third."""
    source = seen(1250)
    assert source.rate("KRW", "USDT").rate == D("0.0008")
    assert (source.rate("KRW", "USDT").base, source.rate("KRW", "USDT").at_ns) == ("KRW", NOW)
    assert source.rate("EUR", "EUR").rate == 1
    with pytest.raises(FxUnavailable, match="no rate from EUR to KRW in USDT/KRW"):
        source.rate("EUR", "KRW")
    with pytest.raises(FxUnavailable, match="no rate from USDT to EUR in USDT/KRW"):
        source.rate("USDT", "EUR")


def test_before_the_first_book_there_is_no_rate() -> None:
    """And the error says of what."""
    with pytest.raises(FxUnavailable, match="no book of USDT/KRW on upbit yet"):
        BookFx(TETHER).rate("USDT", "KRW")


@pytest.mark.parametrize(
    "make", [lambda c: BookFx(TETHER, c), lambda c: ImpliedFx(*LEGS, c), lambda c: ConstantFx({}, c)]
)
@pytest.mark.parametrize("confidence", ["1.1", -1, 0.5])
def test_a_confidence_is_a_share(make: Any, confidence: Any) -> None:
    """Refused when the source is built, not when it is asked."""
    with pytest.raises(InvalidInput, match="confidence"):
        make(confidence)


def test_a_confidence_can_be_said() -> None:
    """Of a venue that is trusted less."""
    source = BookFx(TETHER, "0.9")
    source.observe(TETHER, book(1300), NOW)
    assert source.rate("USDT", "KRW").confidence == D("0.9")


# ------------------------------------------------------------------ implied


def test_an_implied_rate_is_as_old_as_the_older_book() -> None:
    """Whichever that is."""
    assert implied(at_ns=(NOW, NOW - 5)).rate("USDT", "KRW").at_ns == NOW - 5
    assert implied(at_ns=(NOW - 7, NOW)).rate("KRW", "USDT").at_ns == NOW - 7


@pytest.mark.parametrize("told", [0, 1, None])
def test_an_implied_rate_needs_both_books(told: int | None) -> None:
    """One price is none."""
    source = ImpliedFx(*LEGS)
    if told is not None:
        source.observe(LEGS[told], book(50), NOW)
    with pytest.raises(FxUnavailable, match="not both books of BTC on upbit and binance yet"):
        source.rate("USDT", "KRW")


@pytest.mark.parametrize(
    ("second", "reason"),
    [(Leg("binance", "ETH/USDT"), "must be of the same asset"), (Leg("bithumb", "BTC/KRW"), "in another currency")],
)
def test_two_legs_that_imply_nothing_are_refused(second: Leg, reason: str) -> None:
    """Two assets, or one currency."""
    with pytest.raises(InvalidInput, match=reason):
        ImpliedFx(LEGS[0], second)


@given(st.decimals("0.01", 10**8, places=2), st.decimals("0.01", 10**6, places=2))
def test_both_directions_are_one_rate(first: Decimal, second: Decimal) -> None:
    """There and back is one."""
    for source in (seen(first), implied(first, second)):
        there, back = source.rate("USDT", "KRW"), source.rate("KRW", "USDT")
        assert abs(there.rate * back.rate - 1) < D("1e-25")
        assert back.inverse.base == there.base
        assert abs(source.convert(source.convert(Money(first, "USDT"), "KRW"), "USDT").amount - first) < D("1e-25")


# ------------------------------------------------------------------ a constant


def test_a_constant_serves_both_directions_and_one_hop() -> None:
    """As `StaticFx` finds it; a currency in itself is no guess."""
    source = ConstantFx({"USDT/KRW": 1250, "USDC/USDT": "1"}, "0.3")
    assert (source.rate("KRW", "USDT").rate, source.rate("KRW", "USDT").confidence) == (D("0.0008"), D("0.3"))
    assert source.rate("USDC", "KRW").rate == 1250
    assert source.rate("KRW", "KRW").confidence == 1
    with pytest.raises(FxUnavailable):
        source.rate("EUR", "KRW")
    with pytest.raises(InvalidInput, match="rates"):
        ConstantFx({"USDT": 1})


def test_who_observes_is_told_by_its_method() -> None:
    """A constant has nothing to be told."""
    assert isinstance(seen(), FxObserver)
    assert isinstance(implied(), FxObserver)
    assert not isinstance(ConstantFx({}), FxObserver)
    assert not isinstance(StaticFx({}), FxObserver)
