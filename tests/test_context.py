"""One pair at one moment: what is read off it, and what does not belong together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from moments import FX, LEGS, NOW, OTHER, SECOND, book, dear, held, moment

from fsm_arb.context import Held, MarketContext, rate_between, utc, wall_ns
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.fx import StaticFx
from fsm_arb.position import CrossExchangePosition
from fsm_arb.spread import Basis, Fees
from fsm_arb.values import Action, Leg, Level, Money, OrderBook, Side
from fsm_arb.volatility import SpreadSample

D = Decimal
POSITION = CrossExchangePosition(
    position_id="P-9",
    state="OPEN",
    legs=LEGS,
    sides=(Side.SELL, Side.BUY),
    entry_trade_id="t",
    entry_quantity=D("0.3"),
    entry_prices=(D(52_520_000), D(40_000)),
    leasts=(D("0.0001"), D("0.0001")),
    fx=D(1300),
    exits=(("x", D("0.1")),),
)
ENTRY = CrossExchangeDecision(
    action=Action.ENTRY_POSITIVE,
    legs=LEGS,
    notional=Money(D(1), "KRW"),
    prices=(D(52_000_001), D(40_001)),
    decided_at=utc(NOW),
)

# ------------------------------------------------------------------ time


@given(st.integers(0, 4 * 10**18))
def test_a_wall_clock_survives_as_a_datetime_to_the_microsecond(at_ns: int) -> None:
    """Aware, and never later than it was."""
    at = utc(at_ns)
    assert at.tzinfo is UTC
    assert wall_ns(at) == at_ns // 1000 * 1000


def test_a_datetime_of_any_zone_is_the_same_moment() -> None:
    """In Seoul it is later in the day."""
    seoul = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    assert wall_ns(seoul) == wall_ns(datetime(2026, 1, 1, tzinfo=UTC))
    assert utc(NOW).timestamp() == NOW / SECOND


# ------------------------------------------------------------------ what is held


def test_a_position_is_read_with_the_decision_that_opened_it() -> None:
    """What is left of it, at the prices of its fills, since it was decided on."""
    assert Held.of(POSITION, ENTRY) == Held(
        position_id="P-9",
        legs=LEGS,
        sides=(Side.SELL, Side.BUY),
        quantity=D("0.2"),
        entry_prices=(D(52_520_000), D(40_000)),
        fx=D(1300),
        opened_at_ns=NOW,
    )
    assert not Held.of(evolve(POSITION, state="CLOSING"), ENTRY).open


@pytest.mark.parametrize(
    ("prices", "expected"),
    [((None, D(40_000)), (52_000_001, 40_000)), ((D(52_520_000), None), (52_520_000, 40_001))],
)
def test_where_a_fill_s_price_is_unknown_the_decision_s_serves(prices: Any, expected: Any) -> None:
    """Each leg by itself."""
    assert Held.of(evolve(POSITION, entry_prices=prices), ENTRY).entry_prices == expected


def test_a_decision_that_does_not_say_when_is_no_use() -> None:
    """How long it has been held could not be told."""
    with pytest.raises(InvalidInput, match="decided_at=None: is needed to tell how long P-9 has been held"):
        Held.of(POSITION, evolve(ENTRY, decided_at=None))
    assert Held.of(POSITION, evolve(ENTRY, decided_at=None), NOW - 5).opened_at_ns == NOW - 5
    booked = evolve(POSITION, opened_at_ns=NOW - 9)
    assert Held.of(booked, evolve(ENTRY, decided_at=None)).opened_at_ns == NOW - 9
    assert Held.of(booked, evolve(ENTRY, decided_at=None), NOW - 5).opened_at_ns == NOW - 5
    assert Held.of(POSITION, ENTRY, NOW - 5).opened_at_ns == NOW


@pytest.mark.parametrize(
    ("name", "value"),
    [("quantity", D(0)), ("fx", D(0)), ("entry_prices", (D(0), D(1))), ("entry_prices", (D(1), D(-1)))],
)
def test_nothing_held_is_no_position(name: str, value: Any) -> None:
    """Nor is one at no rate or price."""
    with pytest.raises(InvalidInput, match=name):
        held(**{name: value})


@pytest.mark.parametrize("pct", ["1", "-1"])
def test_the_spread_of_an_entry_is_that_of_its_fills(pct: str) -> None:
    """Signed as the market's; the position's own sign says which way it was entered."""
    position, fees = held(pct), (Fees(), Fees())
    assert position.sign == int(pct)
    for basis in Basis:
        assert position.entry_pct(basis, fees, D(0)) == D(pct)


@pytest.mark.parametrize(("pct", "net"), [("1", "0.439"), ("-1", "-0.451")])
def test_net_of_fees_an_entry_was_worth_less(pct: str, net: str) -> None:
    """Two and three per mille less 0.05 % for the money: nearer to zero from either side."""
    fees = Fees(taker="0.002"), Fees(taker="0.003")
    expected = D(pct) - D(pct) * (D("0.2") * (1 + D(pct) / 100) + D("0.3") + D("0.05"))
    found = held(pct).entry_pct(Basis.NET, fees, D("0.05"))
    assert abs(found - expected) < D("1e-20")
    assert abs(found - D(net)) < D("0.01")
    for basis in (Basis.GROSS, Basis.EXECUTABLE):
        assert held(pct).entry_pct(basis, fees, D("0.05")) == D(pct)


def test_one_currency_costs_nothing_to_change() -> None:
    """Both legs in USDT."""
    legs = (Leg("bybit", "BTC/USDT"), LEGS[1])
    position = held(legs=legs, entry_prices=(D(40_400), D(40_000)), fx=D(1))
    assert position.entry_pct(Basis.NET, (Fees(), Fees()), D("0.05")) == 1


# ------------------------------------------------------------------ what belongs together


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"legs": (LEGS[0], Leg("binance", "ETH/USDT"))}, "legs"),
        ({"legs": (LEGS[0], LEGS[0])}, "legs"),
        ({"fx": FX.inverse}, "fx"),
        ({"fx": evolve(FX, base="USDC")}, "fx"),
        ({"positions": [held(legs=(LEGS[1], LEGS[0]))]}, "positions"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes: dict[str, Any], name: str) -> None:
    """Two assets, a rate the wrong way round, another pair's position."""
    with pytest.raises(InvalidInput) as error:
        moment(**changes)
    assert error.value.field == name


def test_a_moment_may_lack_whatever_could_not_be_read() -> None:
    """Books, rate, balances; what was collected in lists is kept as it was."""
    samples = [SpreadSample(NOW, D(1))]
    bare = MarketContext(
        now_ns=NOW, legs=LEGS, books=(None, None), fx="down", health=moment().health, recent=samples, positions=[held()]
    )
    samples.clear()
    assert len(bare.recent) == len(bare.positions) == 1
    assert (bare.gross_pct, bare.sample(), bare.depth((Side.SELL, Side.BUY), D(1))) == (None, None, None)
    assert (bare.balances, bare.liquidity, bare.in_flight, bare.notes) == ((None, None), None, False, {})


def test_the_rate_of_a_pair_is_asked_for_in_its_own_direction() -> None:
    """From legs[1]'s quote currency to that of legs[0]; why there is none is text."""
    rate = rate_between(LEGS, StaticFx({"KRW/USDT": "0.0008"}))
    assert not isinstance(rate, str)
    assert (rate.base, rate.quote, rate.rate) == ("USDT", "KRW", 1250)
    assert rate_between(LEGS, StaticFx({})) == "no rate from USDT to KRW among "


# ------------------------------------------------------------------ what is read off


def test_the_spread_of_a_moment_is_a_sample_of_the_next() -> None:
    """With its time."""
    assert moment("1").gross_pct == 1
    assert moment("1").sample() == SpreadSample(NOW, D(1))
    assert moment("1", books=(book(dear(1)), None)).gross_pct is None


def test_money_of_either_quote_currency_is_told_in_the_first() -> None:
    """No third one, and nothing without a rate."""
    assert moment().in_first(Money(D(7), "KRW")) == Money(D(7), "KRW")
    assert moment().in_first(Money(D(2), "USDT")) == Money(D(2600), "KRW")
    assert moment(fx="down").in_first(Money(D(7), "KRW")) == Money(D(7), "KRW")
    for context, money in ((moment(), Money(D(1), "EUR")), (moment(fx="down"), Money(D(1), "USDT"))):
        with pytest.raises(CurrencyMismatch, match="cannot be told in KRW"):
            context.in_first(money)


@pytest.mark.parametrize(
    ("sides", "expected"),
    [((Side.SELL, Side.BUY), 2 * 52_000_000), ((Side.BUY, Side.SELL), 3 * 52_000_000)],
)
def test_depth_is_that_of_the_thinner_book_on_the_sides_that_are_traded(sides: Any, expected: int) -> None:
    """Valued at the touch, in the currency of legs[0]."""
    first = OrderBook(bids=(Level(D(52_000_000), D(2)),), asks=(Level(D(52_000_000), D(9)),))
    second = OrderBook(bids=(Level(OTHER, D(3)),), asks=(Level(OTHER, D(4)),))
    assert moment(books=(first, second)).depth(sides, D("0.01")) == Money(D(expected), "KRW")


def test_depth_ends_at_the_band() -> None:
    """The bound included, on either side of the touch."""
    levels = tuple(Level(D(100) * (1 + D(step) / 100), D(1)) for step in (0, 1, 2))
    asks = OrderBook(bids=(), asks=levels)
    bids = OrderBook(bids=tuple(Level(200 - level.price, D(1)) for level in levels), asks=())
    context = moment(books=(bids, asks))
    assert context.depth((Side.SELL, Side.BUY), D("0.01")) == Money(D(200), "KRW")
    assert context.depth((Side.SELL, Side.BUY), D("0.02")) == Money(D(300), "KRW")


@pytest.mark.parametrize(
    "changes",
    [
        {"fx": "down"},
        {"books": (None, book(OTHER))},
        {"books": (book(dear(1)), OrderBook(bids=book(1).bids, asks=()))},
    ],
)
def test_depth_needs_both_prices_and_a_rate(changes: dict[str, Any]) -> None:
    """Unknown is not zero."""
    assert moment(**changes).depth((Side.SELL, Side.BUY), D("0.01")) is None
