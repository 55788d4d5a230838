"""The nouns: what they refuse, how they round, and what they say of themselves."""

from __future__ import annotations

import decimal
from decimal import Decimal, localcontext
from typing import Any

import attrs
import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.values import (
    Action,
    Balances,
    Fee,
    FeeIn,
    Leg,
    Level,
    MarketRules,
    Money,
    OperatorFill,
    OrderBook,
    Side,
    TickBand,
    added,
    ceil_to,
    divide,
    floor_to,
    not_negative,
    plain,
    to_decimal,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
AMOUNTS = st.decimals(-(10**12), 10**12, places=8)
STEPS = st.decimals("0.00000001", 1000, places=8)

RULES = MarketRules(
    symbol="BTC/KRW",
    base="BTC",
    quote="KRW",
    lot=D("0.01"),
    ticks=(TickBand(D(0), D("0.1")), TickBand(D(1000), D(1)), TickBand(D(10000), D(5))),
)


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(("value", "number"), [("1.50", "1.50"), (3, "3"), (D("0.1"), "0.1"), ("-1e-8", "-1E-8")])
def test_what_is_a_number(value: object, number: str) -> None:
    """Decimal, whole numbers and text keep every digit."""
    assert str(to_decimal(value, "x")) == number


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.1, "must be Decimal, int or str, not float"),
        (True, "must be Decimal, int or str, not bool"),
        (None, "must be Decimal, int or str, not NoneType"),
        ("ten", "is not a number"),
        ("", "is not a number"),
        ("NaN", "must be finite"),
        (D("Infinity"), "must be finite"),
    ],
)
def test_what_is_no_number(value: object, reason: str) -> None:
    """A float is a type error: whoever has one must say what it stood for."""
    with pytest.raises(InvalidInput, match=reason) as error:
        to_decimal(value, "quantity")
    assert (error.value.field, error.value.value) == ("quantity", value)


@given(value=AMOUNTS, step=STEPS)
def test_rounding_goes_to_the_grid_and_never_across_the_value(value: Decimal, step: Decimal) -> None:
    """Down and up, less than a step away."""
    low, high = floor_to(value, step), ceil_to(value, step)
    assert low <= value <= high
    assert value - low < step
    assert high - value < step
    assert divide(low, step) == int(divide(low, step))
    assert divide(high, step) == int(divide(high, step))
    assert floor_to(low, step) == low == ceil_to(low, step)


def test_below_zero_is_named_by_its_field() -> None:
    """Zero is allowed."""
    amount = attrs.fields(Level).amount
    not_negative(None, amount, D(0))
    with pytest.raises(InvalidInput, match=r"amount=Decimal\('-1'\): must not be negative"):
        not_negative(None, amount, D(-1))


def test_no_step_is_no_grid() -> None:
    """A venue may set none."""
    assert floor_to(D("1.234"), D(0)) == ceil_to(D("1.234"), D(0)) == D("1.234")


def test_rounding_does_not_follow_the_thread_s_context() -> None:
    """A library that changes it changes nothing here."""
    with decimal.localcontext(prec=3):
        assert floor_to(D("123456.789"), D("0.01")) == D("123456.78")
        assert ceil_to(D("123456.781"), D("0.01")) == D("123456.79")
        assert len(divide(D(1), D(3)).as_tuple().digits) == 60


# ------------------------------------------------------------------ sides and actions


def test_sides() -> None:
    """A buy adds base, a sale takes it, and each undoes the other."""
    assert (BUY.sign, SELL.sign) == (1, -1)
    assert (BUY.opposite, SELL.opposite) == (SELL, BUY)


@pytest.mark.parametrize("action", Action)
def test_an_action_is_an_entry_an_exit_or_none(action: Action) -> None:
    """By its name."""
    assert action.is_entry is action.value.startswith("entry")
    assert action.is_exit is action.value.startswith("exit")


# ------------------------------------------------------------------ money


def test_money_of_one_currency_adds_up() -> None:
    """And compares, negates and prints without an exponent."""
    assert Money("1.5", "KRW") + Money(2, "KRW") == Money(D("3.5"), "KRW")
    assert Money(1, "KRW") - Money(2, "KRW") == -Money(1, "KRW")
    assert Money(1, "KRW") < Money(2, "KRW")
    assert not Money(2, "KRW") < Money(2, "KRW")
    assert str(Money(D("1E+6"), "KRW")) == "1000000 KRW"


@pytest.mark.parametrize("combine", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b])
def test_two_currencies_never_meet(combine: Any) -> None:
    """Not in a sum, a difference or a comparison."""
    with pytest.raises(CurrencyMismatch, match="currency='USDT': cannot be combined with KRW"):
        combine(Money(1, "KRW"), Money(1, "USDT"))
    with pytest.raises(InvalidInput, match="is not Money"):
        combine(Money(1, "KRW"), D(1))


@pytest.mark.parametrize(("amount", "currency"), [(1.5, "KRW"), ("x", "KRW"), (1, ""), (1, None)])
def test_money_needs_a_number_and_a_currency(amount: Any, currency: Any) -> None:
    """Each is named when it is missing."""
    with pytest.raises(InvalidInput, match=r"amount|currency"):
        Money(amount, currency)


# ------------------------------------------------------------------ legs, rules


@pytest.mark.parametrize(("symbol", "base", "quote"), [("BTC/KRW", "BTC", "KRW"), ("BTC/USDT:USDT", "BTC", "USDT")])
def test_a_leg_knows_its_currencies(symbol: str, base: str, quote: str) -> None:
    """From the unified symbol."""
    leg = Leg("upbit", symbol)
    assert (leg.base, leg.quote) == (base, quote)


@pytest.mark.parametrize("symbol", ["BTC", "/KRW", "BTC/", "", "KRW-BTC"])
def test_a_symbol_that_is_not_unified_is_refused(symbol: str) -> None:
    """No guess is made."""
    with pytest.raises(InvalidInput, match="symbol"):
        Leg("upbit", symbol)
    with pytest.raises(InvalidInput, match="exchange"):
        Leg("", "BTC/KRW")


@pytest.mark.parametrize(
    ("price", "tick"), [("0", "0.1"), ("999.9", "0.1"), ("1000", "1"), ("9999", "1"), ("50000", "5")]
)
def test_the_tick_grows_with_the_price(price: str, tick: str) -> None:
    """The highest band that begins at or below it."""
    assert RULES.tick_at(D(price)) == D(tick)


def test_a_price_below_every_band_has_the_first_band_s_tick() -> None:
    """A table that begins above zero still answers."""
    assert evolve(RULES, ticks=RULES.ticks[1:]).tick_at(D(5)) == 1


@given(price=st.decimals("0.1", 10**6, places=6), side=st.sampled_from(Side))
def test_a_bound_is_on_the_grid_and_never_worse(price: Decimal, side: Side) -> None:
    """Never above for a buyer, never below for a seller, less than a tick away."""
    bound = RULES.bound_price(side, price)
    assert 0 <= (price - bound) * side.sign < RULES.tick_at(price)
    assert bound % RULES.tick_at(price) == 0


@pytest.mark.parametrize(
    ("changes", "price", "least"),
    [
        ({}, "100", "0.01"),
        ({"amount_min": D("0.015")}, "100", "0.02"),
        ({"notional_min": D(5)}, "100", "0.05"),
        ({"notional_min": D(5)}, "99", "0.06"),
        ({"notional_min": D(5), "amount_min": D(3)}, "99", "3"),
    ],
)
def test_the_least_order_is_the_largest_of_lot_amount_and_notional(
    changes: dict[str, Any], price: str, least: str
) -> None:
    """On the lot grid, upwards: one lot less would be refused."""
    assert evolve(RULES, **changes).least_order(D(price)) == D(least)


def test_a_market_with_contracts_is_not_spot() -> None:
    """Its base never changes hands."""
    assert RULES.spot
    assert not evolve(RULES, contract_size=D("0.01")).spot
    assert RULES.fee_in is FeeIn.UNKNOWN  # until something is known


# ------------------------------------------------------------------ fills by hand


@pytest.mark.parametrize(("amount", "price"), [(0, 1), (-1, 1), (1, 0), (1, -1), (1.5, 1), (1, "x")])
def test_a_fill_by_hand_needs_a_positive_amount_and_price(amount: Any, price: Any) -> None:
    """It moves money on somebody's word."""
    with pytest.raises(InvalidInput, match=r"amount|price"):
        OperatorFill(exchange="upbit", side=BUY, amount=amount, price=price)


def test_a_fill_by_hand_takes_text() -> None:
    """As a command line hands it over."""
    fill = OperatorFill(exchange="upbit", side=BUY, amount="1.5", price="100")  # type: ignore[arg-type]
    assert (fill.amount, fill.price) == (D("1.5"), D(100))


# ------------------------------------------------------------------ books

BOOK = OrderBook(
    bids=(Level(D(99), D(1)), Level(D(98), D(2))),
    asks=(Level(D(101), D(1)), Level(D(102), D(2)), Level(D(104), D("3.5"))),
)


def test_an_order_trades_against_the_other_side() -> None:
    """A buyer against asks."""
    assert (BOOK.touch(BUY), BOOK.touch(SELL)) == (101, 99)
    assert OrderBook(bids=(), asks=()).touch(BUY) is None
    assert BOOK.against(SELL) == BOOK.bids


@pytest.mark.parametrize(
    ("side", "amount", "vwap"),
    [
        (BUY, "1", "101"),
        (BUY, "2", "101.5"),
        (BUY, "4", "102.25"),
        (BUY, "10", None),
        (SELL, "3", D(295) / 3),
        (SELL, "4", None),
    ],
)
def test_the_average_price_of_taking_an_amount(side: Side, amount: str, vwap: Any) -> None:
    """None where the book is too thin, never the price of a part."""
    found = BOOK.vwap(side, D(amount))
    assert found is None if vwap is None else found is not None and abs(found - D(vwap)) < D("1e-20")


def test_averages_and_depths_do_not_depend_on_the_thread_s_decimal_context() -> None:
    """ccxt's helpers shorten it."""
    levels = (Level(D("52600123.5"), D("0.123456789")), Level(D("52600124.5"), D("0.987654321")))
    shown = OrderBook(bids=levels, asks=levels)
    amount, limit = D("1.1"), D("52600125")
    expected = shown.vwap(BUY, amount), shown.depth(BUY, limit)
    with localcontext() as context:
        context.prec = 5
        assert (shown.vwap(BUY, amount), shown.depth(BUY, limit)) == expected
    assert expected[0] is not None
    assert (round(expected[0], 6), expected[1]) == (D("52600124.387767"), D("1.111111110"))


@pytest.mark.parametrize(
    ("side", "limit", "depth"),
    [(BUY, 100, 0), (BUY, 101, 1), (BUY, 103, 3), (BUY, 200, "6.5"), (SELL, 98, 3), (SELL, 100, 0)],
)
def test_the_depth_up_to_a_limit(side: Side, limit: int, depth: Any) -> None:
    """The limit included."""
    assert BOOK.depth(side, D(limit)) == D(depth)


@given(amount=st.decimals("0.01", "6.5", places=2), limit=st.integers(90, 120))
def test_what_lies_within_a_limit_costs_no_more_than_it(amount: Decimal, limit: int) -> None:
    """Depth and average agree."""
    assume(amount <= BOOK.depth(BUY, D(limit)))
    vwap = BOOK.vwap(BUY, amount)
    assert vwap is not None
    assert 101 <= vwap <= limit


def test_a_currency_that_a_venue_does_not_name_is_not_there() -> None:
    """Zero, not an error."""
    assert Balances(free={"BTC": D(1)}).of("ETH") == 0


def test_fees_are_added_up_by_asset() -> None:
    """Rebates as well; in the order of the assets' names."""
    charged = Fee(D(1), "USDT"), Fee(D(3), "BNB"), Fee(D("-0.25"), "USDT")
    assert added(charged) == (Fee(D(3), "BNB"), Fee(D("0.75"), "USDT"))
    assert added(()) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.10000000", "0.1"), ("1E-8", "0.00000001"), ("100", "100"), ("-0.000", "0"), ("0E-8", "0"), ("-2.50", "-2.5")],
)
def test_a_number_is_written_plainly(value: str, text: str) -> None:
    """No exponent, no trailing zeros, no negative nothing."""
    assert plain(D(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20))
def test_a_number_keeps_its_value(value: Decimal) -> None:
    """Without an exponent, with no zeros to spare."""
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))
    assert text != "-0"
