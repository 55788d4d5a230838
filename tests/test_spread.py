"""Spreads: the formula, its symmetries, and where every part of one goes."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from moments import FX, LEGS, book
from worlds import ALPHA

from fsm_arb.errors import InvalidInput
from fsm_arb.fx import same_currency
from fsm_arb.spread import (
    Basis,
    Direction,
    Fees,
    Part,
    Role,
    Spread,
    SpreadInputs,
    SpreadRefused,
    direction_of,
    gross_pct,
    middle,
    sides_of,
    sign_of,
    spread,
    spread_pct,
)
from fsm_arb.values import Leg, Level, Money, OrderBook, Side

D = Decimal
PRICES = st.decimals("0.001", 10**8, places=3)
RATES = st.decimals("0.0001", 5000, places=4)


def inputs(**changes: Any) -> SpreadInputs:
    """Return 0.5 BTC to sell at 52.52M KRW and to buy at 40,000 USDT: one percent."""
    given: dict[str, Any] = {
        "legs": LEGS,
        "books": (book(52_520_000), book(40_000)),
        "fx": FX,
        "sides": (Side.SELL, Side.BUY),
        "quantity": D("0.5"),
    }
    return SpreadInputs(**(given | changes))


def made(**changes: Any) -> Spread:
    answer = spread(inputs(**changes))
    assert isinstance(answer, Spread)
    return answer


# ------------------------------------------------------------------ the formula


@given(PRICES, st.decimals("0.1", 10, places=4), RATES)
def test_seen_from_the_other_venue_a_spread_is_its_own_inverse(premium: Decimal, ratio: Decimal, fx: Decimal) -> None:
    """(1 + s)(1 + s') = 1: the sign turns, and both tell of one ratio."""
    other = premium / fx / ratio
    here, there = spread_pct(premium, other, fx), spread_pct(other, premium, 1 / fx)
    assert abs((1 + here / 100) * (1 + there / 100) - 1) < D("1e-20")


@given(PRICES, PRICES, RATES, st.decimals("0.01", 1000, places=2))
def test_a_spread_does_not_depend_on_the_unit_of_account(
    premium: Decimal, other: Decimal, fx: Decimal, unit: Decimal
) -> None:
    """Prices in a thousandth of a coin, or a currency that is renamed, change nothing."""
    pct = spread_pct(premium, other, fx)
    assert abs(spread_pct(premium * unit, other * unit, fx) - pct) < D("1e-12") * (1 + abs(pct))
    assert abs(spread_pct(premium * unit, other, fx * unit) - pct) < D("1e-12") * (1 + abs(pct))


@given(PRICES, PRICES, RATES)
def test_the_dear_venue_gives_the_sign(premium: Decimal, other: Decimal, fx: Decimal) -> None:
    """And equal prices none."""
    pct = spread_pct(premium, other, fx)
    assert (pct > 0) is (premium > other * fx)
    assert (pct == 0) is (premium == other * fx)


@pytest.mark.parametrize("zero", range(3))
def test_a_price_of_nothing_is_refused_by_name(zero: int) -> None:
    """Before it divides."""
    values = [D(1), D(1), D(1)]
    values[zero] = D(0)
    with pytest.raises(InvalidInput, match="greater than zero") as error:
        spread_pct(*values)
    assert error.value.field == ("premium", "other", "fx")[zero]


@pytest.mark.parametrize(
    ("pct", "neutral", "direction"),
    [
        ("0.1", "0.1", Direction.POSITIVE),
        ("-0.1", "0.1", Direction.NEGATIVE),
        ("0.0999", "0.1", Direction.NEUTRAL),
        ("0", "0", Direction.NEUTRAL),
        ("0.0001", "0", Direction.POSITIVE),
    ],
)
def test_a_spread_near_zero_has_no_direction(pct: str, neutral: str, direction: Direction) -> None:
    """At the bound it has."""
    assert direction_of(D(pct), D(neutral)) is direction
    assert direction_of(D("0.1")) is Direction.POSITIVE


def test_a_direction_has_a_sign_and_sides() -> None:
    """The dear venue is sold."""
    assert [direction.sign for direction in Direction] == [1, -1, 0]
    assert sides_of(1) == (Side.SELL, Side.BUY)
    assert sides_of(-1) == (Side.BUY, Side.SELL)
    assert [sign_of(sides_of(sign)) for sign in (1, -1)] == [1, -1]


# ------------------------------------------------------------------ what it is computed from


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"fx": FX.inverse}, "fx"),
        ({"sides": (Side.BUY, Side.BUY)}, "sides"),
        ({"quantity": D(0)}, "quantity"),
        ({"fx_cost_pct": D(-1)}, "fx_cost_pct"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, Any], name: str) -> None:
    """Before it is computed with."""
    with pytest.raises(InvalidInput) as error:
        inputs(**changes)
    assert error.value.field == name


@pytest.mark.parametrize(("name", "value"), [("taker", 1), ("taker", "x"), ("maker", -1), ("maker", 0.1)])
def test_a_fee_is_a_fraction(name: str, value: Any) -> None:
    """Ten percent is 0.1; a float is a mistake."""
    with pytest.raises(InvalidInput) as error:
        Fees(**{name: value})
    assert error.value.field == name


def test_fees_come_from_a_market_s_rules() -> None:
    """Taker and maker apart."""
    fees = Fees.of(evolve(ALPHA, taker_fee=D("0.002"), maker_fee=D("-0.0001")))
    assert (fees.for_role(Role.TAKER), fees.for_role(Role.MAKER)) == (D("0.002"), D("-0.0001"))


@pytest.mark.parametrize(
    "broken",
    [
        OrderBook(bids=(), asks=book(1).asks),
        OrderBook(bids=book(1).bids, asks=()),
        OrderBook(bids=(Level(D(0), D(1)),), asks=book(1).asks),
        OrderBook(bids=book(1).bids, asks=(Level(D(-1), D(1)),)),
    ],
)
def test_a_book_without_a_price_on_both_sides_has_no_middle(broken: OrderBook) -> None:
    """Nor any spread."""
    assert middle(broken) is None
    assert gross_pct((broken, book(1)), D(1)) is None
    answer = spread(inputs(books=(book(52_520_000), broken)))
    assert isinstance(answer, SpreadRefused)
    assert str(answer) == "binance BTC/USDT: a side of the book shows no price"


def test_the_gross_spread_of_two_books_is_between_their_middles() -> None:
    """None where one is missing."""
    assert gross_pct((book(52_520_000, gap=1000), book(40_000, gap=7)), FX.rate) == 1
    assert middle(book("0.0000012", gap="0.0000002")) == D("0.0000012")
    assert gross_pct((None, book(40_000)), FX.rate) is None
    assert gross_pct((book(1), None), FX.rate) is None


# ------------------------------------------------------------------ its parts


def test_a_spread_without_costs_is_the_same_on_every_basis() -> None:
    """One percent of half a bitcoin at 52M KRW is 260,000 KRW."""
    found = made()
    expected = Part(D(1), Money(D(260_000), "KRW"))
    assert [found.on(basis) for basis in Basis] == [expected] * 3
    assert (found.prices, found.sign, found.inputs.basis) == ((D(52_520_000), D(40_000)), 1, Basis.NET)
    assert found.fx_cost == Part(D(0), Money(D(0), "KRW"))


@pytest.mark.parametrize(
    ("sides", "executable", "net"), [((Side.SELL, Side.BUY), "0.89", "0.63"), ((Side.BUY, Side.SELL), "1.11", "1.37")]
)
def test_costs_bring_a_spread_nearer_to_what_loses(sides: Any, executable: str, net: str) -> None:
    """Half of both gaps, one per mille each of what is paid, and 0.06 % for the money; down, or up."""
    fees = Fees(taker="0.001"), Fees(taker="0.001")
    books = book(52_520_000, gap=62_400), book(40_000, gap=40)
    found = made(books=books, fees=fees, fx_cost_pct=D("0.06"), sides=sides)
    assert found.gross.pct == 1
    assert [part.pct for part in found.slippage] == [D("0.06"), D("0.05")]
    assert found.executable.pct == D(executable)
    assert found.fx_cost == Part(D("0.06"), Money(D(15_600), "KRW"))
    assert abs(found.net.pct - D(net)) < D("0.003")
    worth = D("0.5") * (found.prices[0] * 1000 + found.prices[1] * 1000 * FX.rate) / 1_000_000
    assert sum(part.money.amount for part in found.fees) == worth


def test_slippage_is_that_of_the_size_and_not_of_the_touch() -> None:
    """A tenth at the touch, the rest one percent below: 0.8 % for half a coin."""
    bids = (Level(D(52_520_000), D("0.1")), Level(D(52_520_000) * D("0.99"), D(10)))
    books = OrderBook(bids=bids, asks=book(52_520_000).asks), book(40_000)
    found = made(books=books)
    assert found.prices[0] == D(52_520_000) * D("0.992")
    assert found.slippage[0].pct == D("0.808")
    assert made(books=books, quantity=D("0.1")).slippage[0].pct == 0


@pytest.mark.parametrize(("index", "word", "held"), [(0, "sell", "upbit"), (1, "buy", "binance")])
def test_a_book_too_thin_for_the_size_has_no_spread(index: int, word: str, held: str) -> None:
    """The answer names the venue and how much is there."""
    books = [book(52_520_000), book(40_000)]
    books[index] = book(52_520_000 if index == 0 else 40_000, "0.49")
    answer = spread(inputs(books=tuple(books)))
    assert isinstance(answer, SpreadRefused)
    assert (answer.leg, answer.side.value) == (LEGS[index], word)
    assert str(answer) == f"{held} {LEGS[index].symbol}: the book holds 0.49 BTC to {word}, 0.5 are wanted"


def test_a_maker_rests_at_its_own_side_and_pays_its_own_fee() -> None:
    """It earns half the gap where a taker pays it, and no book is too thin to rest on."""
    fees = Fees(taker="0.001", maker="-0.0001"), Fees(taker="0.001", maker="0.0002")
    books = book(52_520_000, "0.01", gap=62_400), book(40_000, gap=40)
    found = made(books=books, fees=fees, roles=(Role.MAKER, Role.TAKER))
    assert found.prices == (D(52_551_200), D(40_020))
    assert found.slippage[0].pct == D("-0.06")
    assert found.fees[0].money.amount == D("0.5") * D(52_551_200) * D("-0.0001")
    assert found.fees[1].money.amount == D("0.5") * D(40_020) * FX.rate * D("0.001")


def test_one_currency_costs_nothing_to_change() -> None:
    """Both quotes in USDT."""
    legs = (Leg("bybit", "BTC/USDT"), LEGS[1])
    found = made(legs=legs, books=(book(40_400), book(40_000)), fx=same_currency("USDT"), fx_cost_pct=D("0.06"))
    assert (found.net.pct, found.net.money) == (1, Money(D(200), "USDT"))


@pytest.mark.parametrize("basis", Basis)
def test_the_basis_says_which_one_decides(basis: Basis) -> None:
    """And the words carry them all."""
    found = made(fees=(Fees(taker="0.001"), Fees()), basis=basis, books=(book(52_520_000, gap=20_000), book(40_000)))
    assert found.decides == found.on(basis)
    assert len({found.on(each).pct for each in Basis}) == 3
    assert str(found) == "gross +1.000 %, slippage 0.019 %, fees 0.101 %, FX cost 0.000 %, net +0.880 %"


LADDERS = st.lists(st.tuples(st.decimals("0.01", 1, places=2), st.decimals("0.1", 5, places=1)), min_size=1, max_size=4)


def ladder(price: Decimal, steps: list[tuple[Decimal, Decimal]], side: int) -> tuple[Level, ...]:
    levels, away = [], D(0)
    for step, amount in steps:
        away += step / 100
        levels.append(Level(price * (1 + side * away), amount))
    return tuple(levels)


@given(
    st.decimals(10**7, 10**8, places=0),
    st.decimals(10**4, 10**5, places=1),
    st.lists(LADDERS, min_size=4, max_size=4),
    st.sampled_from([Side.BUY, Side.SELL]),
    st.decimals("0.01", 3, places=2),
    st.decimals(0, "0.01", places=4),
    st.sampled_from([(one, two) for one in Role for two in Role]),
)
def test_the_parts_of_a_spread_add_up(  # noqa: PLR0917 - what is drawn
    first: Decimal,
    second: Decimal,
    ladders: list[list[tuple[Decimal, Decimal]]],
    side: Side,
    quantity: Decimal,
    fee: Decimal,
    roles: tuple[Role, Role],
) -> None:
    """Net is gross less all costs, and is what the trade brings: sells less buys less fees less the FX cost."""
    books = tuple(
        OrderBook(bids=ladder(price, ladders[2 * at], -1), asks=ladder(price, ladders[2 * at + 1], 1))
        for at, price in enumerate((first, second))
    )
    sides = (side, side.opposite)
    fees = (Fees(taker=fee, maker=fee / 2), Fees(taker=fee / 3, maker=-fee))
    answer = spread(inputs(books=books, sides=sides, quantity=quantity, fees=fees, roles=roles, fx_cost_pct=D("0.05")))
    if isinstance(answer, SpreadRefused):
        assert any(
            sum(level.amount for level in each.against(way)) < quantity and role is Role.TAKER
            for each, way, role in zip(books, sides, roles, strict=True)
        )
        return
    costs = sum((part.money.amount for part in (*answer.slippage, *answer.fees, answer.fx_cost)), D(0))
    assert abs(answer.gross.money.amount - answer.sign * costs - answer.net.money.amount) < D("1e-15")
    brought = sum(
        (
            -quantity * price * way.sign * worth - quantity * price * worth * charged.for_role(role)
            for price, way, worth, charged, role in zip(answer.prices, sides, (D(1), FX.rate), fees, roles, strict=True)
        ),
        D(0),
    )
    assert abs(answer.sign * answer.net.money.amount - (brought - answer.fx_cost.money.amount)) < D("1e-15")
    reference = quantity * FX.rate * (middle(books[1]) or 0)
    for part in (answer.gross, answer.executable, answer.net, answer.fx_cost, *answer.fees, *answer.slippage):
        assert abs(part.pct / 100 * reference - part.money.amount) < D("1e-15")


@given(st.decimals("0.01", 3, places=2), st.decimals(0, "0.01", places=4), LADDERS, LADDERS)
def test_a_round_trip_at_one_moment_never_gains(
    quantity: Decimal, fee: Decimal, bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]
) -> None:
    """What selling and buying would get lies below what buying and selling would pay: costs have no good side."""
    shown = OrderBook(bids=ladder(D(52_520_000), bids, -1), asks=ladder(D(52_520_000), asks, 1))
    both = [
        spread(inputs(books=(shown, book(40_000)), quantity=quantity, fees=(Fees(taker=fee),) * 2, sides=sides))
        for sides in (sides_of(1), sides_of(-1))
    ]
    if all(isinstance(each, Spread) for each in both):
        selling, buying = both
        assert isinstance(selling, Spread)
        assert isinstance(buying, Spread)
        assert selling.executable.pct < selling.gross.pct < buying.executable.pct
        assert selling.net.pct <= selling.executable.pct
        assert buying.net.pct >= buying.executable.pct


def test_a_caller_s_decimal_context_changes_nothing() -> None:
    """ccxt's helpers shorten the thread's default one."""
    expected = spread_pct(D("52600000.123456789"), D("40000.987654321"), D("1300.123456789"))
    found = made(quantity=D("0.123456789"), fees=(Fees(taker="0.001"),) * 2)
    with localcontext() as context:
        context.prec = 5
        assert spread_pct(D("52600000.123456789"), D("40000.987654321"), D("1300.123456789")) == expected
        again = made(quantity=D("0.123456789"), fees=(Fees(taker="0.001"),) * 2)
    assert again == found
