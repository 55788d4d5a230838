"""Sizing, worked out by hand: what both venues will take, or the rule that says no."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from worlds import (
    ALPHA,
    BETA,
    BETA_KEEPS_BASE,
    BETA_PERPETUAL,
    LEGS,
    PAR,
    PERPETUAL,
    RICH,
    book,
    entry,
    leaving,
    policy,
)

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import StaticFx
from fsm_arb.plan import Plan
from fsm_arb.sizing import SizeRefused, SizingInputs, common_lot, first_bound, size
from fsm_arb.values import Action, Balances, FeeIn, Leg, Level, MarketRules, Money, OrderBook, Side, TickBand

D = Decimal
BUY, SELL = Side.BUY, Side.SELL

# Upbit's price steps in won, from one thousand upwards, and Binance's filters, as they stand in 2025.
UPBIT_TICKS = (
    TickBand(D(0), D("0.0001")),
    TickBand(D(100), D("0.1")),
    TickBand(D(500), D("0.5")),
    TickBand(D(1000), D(1)),
    TickBand(D(1_000_000), D(500)),
    TickBand(D(2_000_000), D(1000)),
)
UPBIT = MarketRules(
    symbol="BTC/KRW",
    base="BTC",
    quote="KRW",
    lot=D("0.00000001"),
    ticks=UPBIT_TICKS,
    notional_min=D(5000),
    taker_fee=D("0.0005"),
    fee_in=FeeIn.QUOTE,
)
BINANCE = MarketRules(
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot=D("0.00001"),
    ticks=(TickBand(D(0), D("0.01")),),
    amount_min=D("0.00001"),
    notional_min=D(5),
    taker_fee=D("0.001"),
    fee_in=FeeIn.BASE_ON_BUY,
)
WEALTH = Balances(free={"BTC": D(100), "XRP": D(10**6), "KRW": D(10**11), "USDT": D(10**8)})
FX = StaticFx({"USDT/KRW": 1400}).rate("USDT", "KRW")


def inputs(decision: CrossExchangeDecision | None = None, **changes: Any) -> SizingInputs:
    asked = decision or entry()
    given_: dict[str, Any] = {
        "decision": asked,
        "policy": policy(),
        "sides": asked.entry_sides(),
        "rules": (ALPHA, BETA),
        "fx": PAR,
        "free": (RICH, RICH),
    }
    return SizingInputs(**(given_ | changes))


def sized(decision: CrossExchangeDecision | None = None, **changes: Any) -> Plan:
    plan = size(inputs(decision, **changes))
    assert isinstance(plan, Plan), plan
    return plan


def refused(decision: CrossExchangeDecision | None = None, **changes: Any) -> SizeRefused:
    refusal = size(inputs(decision, **changes))
    assert isinstance(refusal, SizeRefused), refusal
    return refusal


def won(base: str, prices: tuple[str, str], notional: int = 1_000_000) -> CrossExchangeDecision:
    return CrossExchangeDecision(
        action=Action.ENTRY_POSITIVE,
        legs=(Leg("upbit", f"{base}/KRW"), Leg("binance", f"{base}/USDT")),
        notional=Money(D(notional), "KRW"),
        prices=(D(prices[0]), D(prices[1])),
    )


# ------------------------------------------------------------------ from the tables


def test_xrp_at_eight_hundred_won() -> None:
    """A million won is 1250 XRP; the buyer orders 1251.2 so that 1250 stay after 0.1 % in base."""
    rules = (
        evolve(UPBIT, symbol="XRP/KRW", base="XRP"),
        evolve(BINANCE, symbol="XRP/USDT", base="XRP", lot=D("0.1"), ticks=(TickBand(D(0), D("0.0001")),)),
    )
    plan = sized(won("XRP", ("800", "0.57")), rules=rules, fx=FX, free=(WEALTH, WEALTH))
    sells, buys = plan.legs
    assert (plan.quantity, sells.amount, buys.amount) == (D("1250.0"), D("1250.0"), D("1251.2"))
    assert (sells.bound, buys.bound) == (D("798.5"), D("0.5711"))  # 798.4 and 0.57114 on the grid
    assert (sells.least, buys.least) == (D("6.31313132"), D("8.9"))  # 5000 / 792; 5 / 0.5643
    assert plan.dust == D("6.31313132")
    assert (plan.fx, plan.fx_source) == (1400, "static")


def test_btc_at_ninety_five_million_won() -> None:
    """A million won is 0.010515… BTC, floored to the coarser lot."""
    plan = sized(won("BTC", ("95100000", "67900")), rules=(UPBIT, BINANCE), fx=FX, free=(WEALTH, WEALTH))
    sells, buys = plan.legs
    assert (plan.quantity, sells.amount, buys.amount) == (D("0.01051"), D("0.01051"), D("0.01052"))
    assert (sells.bound, buys.bound) == (D(94_910_000), D("68035.80"))
    assert (sells.least, buys.least) == (D("0.00005311"), D("0.00008"))
    assert plan.dust < D("0.00009")  # nine lots are not called matched


def test_a_hundred_million_won() -> None:
    """As the both-fill scenario asks."""
    big = won("BTC", ("95100000", "67900"), 100_000_000)
    assert sized(big, rules=(UPBIT, BINANCE), fx=FX, free=(WEALTH, WEALTH)).quantity == D("1.05152")


# ------------------------------------------------------------------ lots and ticks


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ("0.01", "0.01", "0.01"),
        ("0.02", "0.03", "0.06"),
        ("1E-8", "0.00001", "0.00001"),
        ("1", "10", "10"),
        ("0.5", "2", "2"),
    ],
)
def test_the_common_lot(first: str, second: str, common: str) -> None:
    """The smallest quantity both venues count in whole lots."""
    assert common_lot(D(first), D(second)) == D(common)


@given(first=st.integers(1, 500), second=st.integers(1, 500), places=st.integers(0, 8))
def test_the_common_lot_is_a_multiple_of_both(first: int, second: int, places: int) -> None:
    """And no larger than their product."""
    one, other = D(first).scaleb(-places), D(second).scaleb(-places)
    common = common_lot(one, other)
    assert common % one == common % other == 0
    assert common <= one * other * 10**places


@pytest.mark.parametrize(
    ("side", "price", "bound"),
    [
        (BUY, "100.005", "100.20"),  # 100.20501
        (SELL, "100.005", "99.81"),  # 99.80499
        (BUY, "100", "100.20"),
        (SELL, "100", "99.80"),
    ],
)
def test_a_bound_is_rounded_so_that_it_is_never_crossed(side: Side, price: str, bound: str) -> None:
    """Down for a buyer, up for a seller."""
    assert first_bound(ALPHA, side, D(price), policy()) == D(bound)


@given(price=st.decimals("0.01", 10**8, places=2), side=st.sampled_from(Side), bps=st.integers(0, 500))
def test_no_bound_is_worse_than_the_slippage_allows(price: Decimal, side: Side, bps: int) -> None:
    """On whatever grid a market has."""
    numbers = policy(slippage_bps=bps)
    bound = first_bound(UPBIT, side, price, numbers)
    worst = price * (1 + side.sign * D(bps) / 10_000)
    assert (bound - worst) * side.sign <= 0


def test_entry_negative_buys_leg_zero() -> None:
    """The bounds and the gross-up follow the side."""
    plan = sized(entry(Action.ENTRY_NEGATIVE), rules=(BETA_KEEPS_BASE, ALPHA), fx=PAR)
    assert [(leg.side, leg.bound, leg.amount) for leg in plan.legs] == [
        (BUY, D("100.20"), D("10.01")),
        (SELL, D("99.80"), D("10.00")),
    ]


# ------------------------------------------------------------------ maxima and depth


def test_a_venue_s_maximum_holds_the_size() -> None:
    """On both legs, since both receive the same."""
    plan = sized(rules=(ALPHA, evolve(BETA, amount_max=D("7.006"))))
    assert (plan.quantity, plan.note) == (D("7.00"), "beta takes no more than 7.006 at once")


@pytest.mark.parametrize("most", ["10", "9.999", "7.5"])
def test_a_buyer_who_orders_more_for_a_base_fee_still_fits_the_maximum(most: str) -> None:
    """A venue would refuse the order, and the other leg would be naked."""
    plan = sized(rules=(ALPHA, evolve(BETA_KEEPS_BASE, amount_max=D(most))))
    assert plan.legs[1].amount <= D(most)
    assert plan.quantity >= D(most) * D("0.998") - D("0.01")
    seller = sized(entry(Action.ENTRY_NEGATIVE), rules=(ALPHA, evolve(BETA_KEEPS_BASE, amount_max=D(10))))
    assert seller.quantity == 10


def test_the_books_hold_the_size_where_they_are_at_hand() -> None:
    """Only what lies within the band of the first order counts."""
    asks = OrderBook(bids=(), asks=(Level(D("100.1"), D(3)), Level(D("100.20"), D("1.5")), Level(D("100.21"), D(50))))
    plan = sized(entry(books=(None, asks)))
    assert (plan.quantity, plan.note) == (D("4.50"), "beta's book holds 4.5 within the band")
    assert sized(entry(books=(book(), asks))).quantity == D("4.50")
    both = sized(entry(books=(book(amount=4), asks)))
    assert (both.quantity, both.note) == (D(4), "alpha's book holds 4 within the band")


def test_an_empty_book_leaves_nothing_to_trade() -> None:
    """And the refusal says why."""
    refusal = refused(entry(books=(book(bid=None), None)))
    assert str(refusal) == (
        "lot: 10 BTC is less than the common lot 0.01 of both venues (alpha's book holds 0 within the band)"
    )


@pytest.mark.parametrize(
    ("placement", "first", "second", "leads"),
    [
        ("sequential", 20, 11, 1),
        ("sequential", 11, 20, 0),
        ("sequential", 20, 20, 0),
        ("sequential", None, 11, 0),
        ("sequential", 11, None, 0),
        ("simultaneous", 20, 11, 0),
    ],
)
def test_the_thinner_leg_leads(placement: str, first: int | None, second: int | None, leads: int) -> None:
    """Sequential placement, and both books at hand; else legs[0]."""
    books = tuple(book(amount=amount) if amount else None for amount in (first, second))
    assert sized(entry(books=books), policy=policy(placement=placement)).leads == leads


def test_each_leg_is_as_thin_as_the_side_it_trades_against() -> None:
    """Alpha sells into five; beta buys from three, however much is bid there."""
    first = OrderBook(bids=(Level(D("99.99"), D(12)),), asks=(Level(D("100.01"), D(10)),))
    second = OrderBook(bids=(Level(D("99.99"), D(1000)),), asks=(Level(D("100.01"), D(11)),))
    assert sized(entry(books=(first, second)), policy=policy(placement="sequential")).leads == 1


@pytest.mark.parametrize("leg", [0, 1])
def test_a_size_fits_the_coarser_lot_whichever_leg_has_it(leg: int) -> None:
    """10.49 is ten where one venue trades in halves."""
    rules = [ALPHA, BETA]
    rules[leg] = evolve(rules[leg], lot=D("0.5"))
    assert sized(entry(notional=Money(D(1049), "USD")), rules=(rules[0], rules[1])).quantity == 10


def test_a_size_that_just_fits_was_held_back_by_nothing() -> None:
    """There is nothing to explain."""
    assert sized(rules=(evolve(ALPHA, amount_max=D(10)), BETA)).note == ""
    assert sized(entry(books=(None, book(amount=10)))).note == ""


# ------------------------------------------------------------------ minimums


def test_a_notional_below_the_lot_is_refused() -> None:
    """With both numbers."""
    refusal = refused(entry(notional=Money(D("0.9"), "USD")))
    assert refusal.rule == "lot"
    assert str(refusal) == "lot: 0.009 BTC is less than the common lot 0.01 of both venues"


@pytest.mark.parametrize(
    ("rules", "notional", "message"),
    [
        (
            (ALPHA, BETA),
            "15",
            "minimum: beta takes no less than 0.2 BTC of BTC/USDT (amount 0.2, notional 0 USDT); 0.15 is too small",
        ),
        (
            (evolve(ALPHA, notional_min=D(20)), BETA),
            "20",
            "minimum: alpha takes no less than 0.21 BTC of BTC/USD (amount 0.1, notional 20 USD); 0.2 is too small",
        ),
    ],
)
def test_a_size_below_a_venue_s_minimum_is_refused(
    rules: tuple[MarketRules, MarketRules], notional: str, message: str
) -> None:
    """Before either order is sent; the minimum notional is measured at the far end of the widest band."""
    assert str(refused(entry(notional=Money(D(notional), "USD")), rules=rules)) == message


def test_a_minimum_that_a_book_or_a_maximum_brought_about_says_so() -> None:
    """Else the numbers would not make sense to whoever asked for more."""
    refusal = refused(rules=(evolve(ALPHA, amount_max=D("0.15")), BETA))
    assert refusal.rule == "minimum"
    assert refusal.message.endswith("0.15 is too small (alpha takes no more than 0.15 at once)")


def test_an_exit_is_held_to_the_minimums_too() -> None:
    """A venue would refuse it anyway."""
    refusal = refused(leaving(), sides=(BUY, SELL), quantity=D("0.15"))
    assert refusal.rule == "minimum"


def test_a_first_order_at_its_bound_meets_the_minimum_notional() -> None:
    """Also where the first band is wider than any remedy's."""
    numbers = policy(slippage_bps=100, max_remedy_loss_bps=10)
    rules = (evolve(ALPHA, notional_min=D(20)), BETA)
    plan = sized(entry(notional=Money(D("21"), "USD")), rules=rules, policy=numbers)
    sells = plan.legs[0]
    assert sells.least * sells.bound >= 20


def test_dust_is_the_smaller_least_order() -> None:
    """What one of both venues could still trade is not dust."""
    assert sized().dust == D("0.1")
    assert sized(rules=(BETA, ALPHA)).dust == D("0.1")


# ------------------------------------------------------------------ funds


def test_what_a_spot_leg_holds_back() -> None:
    """Alpha: ten BTC, and what buying back at 101 costs over a sale at 99.80, with fees. Beta: ten at 101 and fee."""
    sells, buys = sized().legs
    assert sells.reserved == (Money(D(10), "BTC"), Money(D("1011.01") - D("998") * D("0.999"), "USD"))
    assert buys.reserved == (Money(D("1011.01"), "USDT"),)


def test_a_base_fee_is_held_back_in_the_amount_and_not_in_quote() -> None:
    """10.01 at 101."""
    assert sized(rules=(ALPHA, BETA_KEEPS_BASE)).legs[1].reserved == (Money(D("1011.01"), "USDT"),)


def test_a_market_order_is_held_back_for_by_the_widest_band() -> None:
    """Its bound limits nothing."""
    narrow = policy(slippage_bps=200, max_remedy_loss_bps=100)
    assert sized(policy=narrow).legs[1].reserved[0].amount == D("1021.02")
    market = policy(slippage_bps=200, max_remedy_loss_bps=100, order_type="market")
    assert sized(policy=market).legs[1].reserved[0].amount == D("1011.01")


def test_a_derivative_holds_back_margin() -> None:
    """A fifth at leverage five; an exit, which frees some, none."""
    entered = entry(legs=(LEGS[0], PERPETUAL))
    assert sized(entered, rules=(ALPHA, BETA_PERPETUAL)).legs[1].reserved == (Money(D("202.202"), "USDT"),)
    left = leaving(legs=(LEGS[0], PERPETUAL))
    plan = sized(left, rules=(ALPHA, BETA_PERPETUAL), sides=(BUY, SELL), quantity=D(10))
    assert plan.legs[1].reserved == ()


def test_a_contract_is_counted_in_base() -> None:
    """One contract of 0.01: ten base are ten base."""
    entered = entry(legs=(LEGS[0], PERPETUAL))
    rules = evolve(BETA_PERPETUAL, lot=D("0.03"), amount_min=D("0.03"))
    plan = sized(entered, rules=(ALPHA, rules))
    assert plan.quantity == plan.legs[1].amount == D("9.99")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"BTC": "9.99", "USD": "100"}, {"USDT": "2000"}, "alpha has 9.99 BTC free of other trades; 10 is needed"),
        ({"BTC": "10", "USD": "13"}, {"USDT": "2000"}, "alpha has 13 USD free of other trades; 14.008"),
        ({"BTC": "10", "USD": "100"}, {"USDT": "1011"}, "beta has 1011 USDT free of other trades; 1011.01"),
        ({"BTC": "10", "USD": "100"}, {}, "beta has 0 USDT free of other trades"),
    ],
)
def test_an_entry_that_cannot_be_paid_for_or_undone_is_refused(
    first: dict[str, str], second: dict[str, str], message: str
) -> None:
    """It names the venue, what is there and what is needed."""
    free = tuple(Balances(free={name: D(amount) for name, amount in each.items()}) for each in (first, second))
    refusal = refused(free=free)
    assert refusal.rule == "funds"
    assert refusal.message.startswith(message)
    assert refusal.message.endswith("is needed for the order and to undo it")


def test_two_legs_on_one_venue_share_its_funds() -> None:
    """The headroom of the one and the price of the other, together more than there is, are not there."""
    decision = entry(legs=(Leg("alpha", "BTC/USD"), Leg("alpha", "BTC/USD:USD")))
    rules = (ALPHA, evolve(ALPHA, symbol="BTC/USD:USD", contract_size=D(1)))
    enough = Balances(free={"BTC": D(10), "USD": D("1025.02")})
    assert sized(decision, rules=rules, free=(enough, enough)).quantity == 10
    short = Balances(free={"BTC": D(10), "USD": D("1025.00")})
    assert refused(decision, rules=rules, free=(short, short)).rule == "funds"


def test_an_exit_asks_for_no_funds() -> None:
    """What makes an entry impossible makes an exit no less needed."""
    plan = sized(leaving(), sides=(BUY, SELL), quantity=D("7.509"), free=(Balances(free={}), Balances(free={})))
    assert (plan.quantity, [leg.side for leg in plan.legs]) == (D("7.50"), [BUY, SELL])


def test_a_size_needs_a_notional_or_a_position() -> None:
    """An exit without its position's quantity is not guessed."""
    assert str(refused(leaving(), sides=(BUY, SELL))) == "notional: an entry needs one"


# ------------------------------------------------------------------ whatever is asked for


@given(
    notional=st.decimals("0.01", 10**5, places=2),
    price=st.decimals("0.5", 5000, places=2),
    lots=st.tuples(*[st.sampled_from(["0.01", "0.1", "1", "0.05", "3"])] * 2),
    keeps=st.booleans(),
    action=st.sampled_from([Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE]),
    most=st.one_of(st.none(), st.decimals(1, 50, places=2)),
)
def test_a_plan_is_one_that_both_venues_take(  # noqa: PLR0917 - Hypothesis hands them over by name
    notional: Decimal, price: Decimal, lots: tuple[str, str], keeps: bool, action: Action, most: Decimal | None
) -> None:
    """Whole lots within minimum and maximum, worth no more than asked for; a buyer receives the size within a lot."""
    beta = BETA_KEEPS_BASE if keeps else BETA
    rules = (
        evolve(ALPHA, lot=D(lots[0]), notional_min=D(5), amount_max=most),
        evolve(beta, lot=D(lots[1]), notional_min=D(5), amount_max=most),
    )
    asked = entry(action, notional=Money(notional, "USD"), prices=(price, price))
    plan = size(inputs(asked, rules=rules, free=(Balances(free={"BTC": D(10**9), "USD": D(10**9)}), RICH)))
    if isinstance(plan, SizeRefused):
        assert plan.rule in {"lot", "minimum", "funds"}
        return
    assert plan.quantity * price <= notional
    for leg in plan.legs:
        assert leg.amount % leg.rules.lot == 0
        assert leg.least <= leg.amount <= (most or leg.amount)
        assert leg.amount * leg.bound >= leg.rules.notional_min
        kept = leg.amount * leg.fee_on_buy if leg.side is BUY else 0
        assert -leg.rules.lot < leg.amount - kept - plan.quantity <= 0
    assert plan.dust == min(leg.least for leg in plan.legs)
    assert plan.worth(1, D(3)) == plan.worth(0, D(3)) == 3


# ------------------------------------------------------------------ what earlier trades have left

BITCOIN: dict[str, Any] = {"rules": (UPBIT, BINANCE), "fx": FX, "free": (WEALTH, WEALTH)}


@pytest.mark.parametrize(
    ("carried", "sold", "traded"),
    [
        ("0", "0.01051000", "0"),
        ("-0.00000512", "0.01050488", "-0.00000512"),  # short: sell less
        ("0.00000512", "0.01051512", "0.00000512"),  # long: sell more
        ("-0.001", "0.01048344", "-0.00002656"),  # no more than half the dust at a time
    ],
)
def test_an_entry_trades_away_what_earlier_trades_left(carried: str, sold: str, traded: str) -> None:
    """On the leg with the finer lot, within half the dust, so that the trade itself still matches."""
    plan = sized(won("BTC", ("95100000", "67900")), carried=D(carried), **BITCOIN)
    assert (plan.legs[0].amount, plan.carried) == (D(sold), D(traded))
    assert plan.legs[1].amount == D("0.01052")
    assert plan.legs[0].reserved[0] == Money(D(sold), "BTC")


def test_a_buyer_that_is_short_buys_more() -> None:
    """The other way round."""
    decision = evolve(won("BTC", ("95100000", "67900")), action=Action.ENTRY_NEGATIVE)
    plan = sized(decision, carried=D("-0.00000512"), **BITCOIN)
    assert (plan.legs[0].amount, plan.carried) == (D("0.01051512"), D("-0.00000512"))


@pytest.mark.parametrize(
    ("lots", "carried", "amounts", "traded"),
    [
        (("0.01", "0.01"), "0.02", ("10.02", "10"), "0.02"),  # alike: the first, which sells more
        (("0.05", "0.01"), "0.02", ("10", "9.98"), "0.02"),  # the second, which buys less
        (("0.05", "0.01"), "-0.02", ("10", "10.02"), "-0.02"),
        (("0.1", "0.01"), "0.02", ("10", "10"), "0"),  # a lot of the coarser one is all the dust there may be
    ],
)
def test_the_finer_lot_trades_away_what_was_left(
    lots: tuple[str, str], carried: str, amounts: tuple[str, str], traded: str
) -> None:
    """Whichever leg has it; the other is as it would be."""
    plan = sized(rules=(evolve(ALPHA, lot=D(lots[0])), evolve(BETA, lot=D(lots[1]))), carried=D(carried))
    assert tuple(leg.amount for leg in plan.legs) == tuple(map(D, amounts))
    assert tuple(leg.leg.exchange for leg in plan.legs) == ("alpha", "beta")
    assert plan.carried == D(traded)


@pytest.mark.parametrize(
    ("notional", "most", "carried", "traded"),
    [
        (1000, "10.02", "0.02", "0.02"),
        (1000, "10.02", "0.03", "0"),  # more than the venue takes at once
        (12, "10", "-0.02", "-0.02"),
        (12, "10", "-0.03", "0"),  # less than it takes at all
    ],
)
def test_what_was_left_is_traded_away_only_where_the_venue_takes_the_order_still(
    notional: int, most: str, carried: str, traded: str
) -> None:
    """To its most and to its least, a tenth; past them nothing is carried, not a part of it."""
    rules = (evolve(ALPHA, amount_max=D(most)), evolve(BETA, amount_min=D("0.1")))
    assert sized(entry(notional=Money(D(notional), "USD")), rules=rules, carried=D(carried)).carried == D(traded)


def test_an_exit_leaves_as_it_was_entered() -> None:
    """What others have left is no part of its position."""
    plan = sized(leaving(), sides=(BUY, SELL), quantity=D(5), carried=D("0.001"))
    assert [leg.amount for leg in plan.legs] == [5, 5]
    assert plan.carried == 0


def test_where_a_lot_is_all_the_dust_nothing_is_carried() -> None:
    """The trade's own rounding may need all of it."""
    rules = (evolve(UPBIT, notional_min=D(0), lot=D("0.00001")), evolve(BINANCE, notional_min=D(0)))
    assert (
        sized(won("BTC", ("95100000", "67900")), carried=D("-0.00000512"), **(BITCOIN | {"rules": rules})).carried == 0
    )
