"""Entries and exits by thresholds: the order of the gates, the spread that decides, and the reasons."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from moments import FX, LEGS, NOTIONAL, NOW, OTHER, PAR, SECOND, UP, book, dear, held, moment, strategy, thresholds

from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.spread import Basis, Fees
from fsm_arb.strategy.judge import ThresholdStrategy
from fsm_arb.strategy.verdicts import ReasonCode, Verdict
from fsm_arb.values import Action, Balances, HealthStatus, Leg, Money, OrderBook
from fsm_arb.volatility import SpreadSample

D = Decimal
DOWN = evolve(UP, status=HealthStatus.DOWN)


def code(verdict: Verdict) -> ReasonCode:
    assert (verdict.action is Action.NO_ACTION) is (verdict.notional is None)
    return verdict.reason.code


@pytest.mark.parametrize("notional", [Money(D(0), "KRW"), 1_000_000, None])
def test_an_entry_needs_a_size(notional: Any) -> None:
    """Above zero, and with a currency."""
    with pytest.raises(InvalidInput, match="notional"):
        ThresholdStrategy(notional=notional)


# Each moment lacks one thing more than the one before; the gates speak in this order.
LACKING: list[tuple[dict[str, Any], ReasonCode]] = [
    ({"balances": (Balances(free={}), Balances(free={}))}, ReasonCode.FUNDS),
    ({"books": (book(dear("0.2")), book(OTHER))}, ReasonCode.SPREAD),
    ({"books": (book(dear("0.2"), "0.001"), book(OTHER, "0.001")), "liquidity": NOTIONAL}, ReasonCode.THIN_BOOK),
    ({"books": (book(dear("0.09")), book(OTHER))}, ReasonCode.NEUTRAL),
    ({"liquidity": Money(D(1), "KRW")}, ReasonCode.LIQUIDITY),
    ({"recent": ()}, ReasonCode.VOLATILITY),
    ({"books": (None, None)}, ReasonCode.NO_PRICE),
    ({"fx": evolve(FX, at_ns=0)}, ReasonCode.FX_AGE),
    ({"health": (DOWN, UP)}, ReasonCode.HEALTH),
    ({"health": (evolve(DOWN, has_secrets=False), UP)}, ReasonCode.SECRETS),
    ({"positions": (held(),)}, ReasonCode.POSITIONS),
]


@pytest.mark.parametrize("count", range(1, len(LACKING) + 1))
def test_the_first_gate_that_is_shut_gives_the_reason(count: int) -> None:
    """Whatever else is wrong."""
    lacking: dict[str, Any] = {"recent": tuple(SpreadSample(NOW - at * SECOND, D(1)) for at in (9, 0))}
    for changes, _ in LACKING[:count]:
        lacking |= changes
    numbers: dict[str, Any] = {
        "volatility_reference_pct": 1,
        "volatility_samples_min": 2,
        "liquidity_min": Money(D(2), "KRW"),
    }
    assert code(strategy(**numbers).entry(moment("1", **lacking))) is LACKING[count - 1][1]


def test_nothing_lacking_is_an_entry_with_all_its_numbers() -> None:
    """The reason repeats what was seen and what was asked for."""
    verdict = strategy().entry(moment("1"))
    assert verdict.notional == NOTIONAL
    assert verdict.reason.numbers == {"spread_pct": 1, "gross_pct": 1, "limit": D("0.5")}
    assert str(verdict.reason) == (
        "entry: net +1.000 % of at least 0.500 % "
        "(gross +1.000 %, slippage 0.000 %, fees 0.000 %, FX cost 0.000 %, net +1.000 %)"
    )


def test_no_action_says_how_far_it_was() -> None:
    """NEUTRAL with the gross spread, SPREAD with the one that decides."""
    neutral = strategy().entry(moment("0.05"))
    assert neutral.reason.numbers == {"gross_pct": D("0.05"), "limit": D("0.1")}
    assert neutral.spread is None
    short = strategy().entry(moment("-0.4"))
    assert (short.reason.numbers["spread_pct"], short.reason.numbers["limit"]) == (D("-0.4"), D("0.5"))
    assert short.spread is not None


@pytest.mark.parametrize("pct", ["0.7", "-0.7"])
def test_entries_are_judged_net_unless_told_otherwise(pct: str) -> None:
    """One per mille a leg and 0.05 % for the money leave 0.45 of 0.7 %; the gross spread would have done."""
    context = moment(pct, fees=(Fees(taker="0.001"), Fees(taker="0.001")))
    net = strategy(fx_cost_pct="0.05").entry(context)
    assert code(net) is ReasonCode.SPREAD
    assert abs(abs(net.reason.numbers["spread_pct"]) - D("0.45")) < D("0.001")
    for basis in (Basis.GROSS, Basis.EXECUTABLE):
        assert strategy(fx_cost_pct="0.05", entry_basis=basis).entry(context).action.is_entry


def test_every_verdict_that_came_to_a_spread_brings_it() -> None:
    """Also one for want of funds, and an exit; a book that is too thin says what was wanted."""
    poor = strategy().entry(moment("1", balances=(Balances(free={}), None)))
    assert (code(poor), poor.spread is not None) == (ReasonCode.FUNDS, True)
    left = strategy().exit(moment("0.5"), held("1"))
    assert left.spread is not None
    assert left.spread.inputs.quantity == held().quantity
    lacking = Money(D(0), "KRW")
    thin = strategy(liquidity_min=lacking).entry(moment(books=(book(dear("1"), "0.001"), book(OTHER))))
    assert code(thin) is ReasonCode.THIN_BOOK
    assert round(thin.reason.numbers["wanted"], 8) == round(QUANTITY, 8)
    assert ThresholdStrategy(notional=Money(D("0.5"), "BTC")).notional.amount == D("0.5")


def test_the_price_of_the_size_decides_and_not_the_touch() -> None:
    """A best bid of a crumb is no bid."""
    crumb = book(dear("1"), "0.0001")
    rest = book(dear("0.3")).bids
    asks = book(dear("1.01")).asks
    thin = OrderBook(bids=crumb.bids + rest, asks=asks)
    verdict = strategy().entry(moment(books=(thin, book(OTHER))))
    assert code(verdict) is ReasonCode.SPREAD
    assert verdict.spread is not None
    assert verdict.spread.gross.pct > 1
    assert verdict.spread.net.pct < D("0.31")


def test_a_restless_spread_has_to_be_wider() -> None:
    """Twice the reference, twice the threshold."""
    recent = tuple(SpreadSample(NOW - at * 60 * SECOND, D("0.2") * (at % 2)) for at in range(10, 0, -1))
    scaled = strategy(volatility_reference_pct="0.1")
    assert code(scaled.entry(moment("0.9", recent=recent))) is ReasonCode.SPREAD
    assert scaled.entry(moment("1", recent=recent)).action is Action.ENTRY_POSITIVE


QUANTITY = D(1_000_000) / dear("1")


@pytest.mark.parametrize(
    ("pct", "free", "words"),
    [
        ("1", ({"BTC": "0.01"}, {"USDT": "1000"}), "upbit has 0.01 BTC free, 0.01904037 are needed"),
        ("1", ({"BTC": "1"}, {"USDT": "761"}), "binance has 761 USDT free, 762.37623762 are needed"),
        ("-1", ({"KRW": "1000000"}, {"BTC": "1"}), "upbit has 1000000 KRW free, 1000999.99999998 are needed"),
        ("-1", ({"KRW": "1001000"}, {}), "binance has 0 BTC free, 0.01942502 are needed"),
    ],
)
def test_an_entry_needs_something_to_sell_and_to_pay_with(pct: str, free: Any, words: str) -> None:
    """Fees included, each venue by itself."""
    balances = tuple(Balances(free={asset: D(amount) for asset, amount in each.items()}) for each in free)
    context = moment(pct, balances=balances, fees=(Fees(taker="0.001"), Fees(taker="0.001")))
    if "762" in words:
        words = words.replace("762.37623762", f"{QUANTITY * OTHER * D('1.001'):.8f}")
    verdict = strategy(entry_basis="gross").entry(context)
    assert (code(verdict), verdict.reason.words) == (ReasonCode.FUNDS, words)


def test_funds_that_are_not_known_are_not_judged() -> None:
    """Nor is the margin of a contract: the executor's own sizing is."""
    assert strategy().entry(moment("1", balances=(None, None))).action.is_entry
    legs = (LEGS[0], Leg("binance", "BTC/USDT:USDT"))
    context = moment("1", legs=legs, balances=(None, Balances(free={})))
    assert strategy().entry(context).action.is_entry


def test_a_notional_may_be_in_either_quote_currency() -> None:
    """And in no third one."""
    in_usdt = ThresholdStrategy(notional=Money(D(1000), "USDT"), thresholds=thresholds())
    verdict = in_usdt.entry(moment("1"))
    assert verdict.spread is not None
    assert verdict.spread.inputs.quantity * dear("1") == pytest.approx(D(1_300_000))
    with pytest.raises(CurrencyMismatch, match=r"notional=.*EUR"):
        ThresholdStrategy(notional=Money(D(1000), "EUR")).entry(moment("1"))


def test_a_gate_that_let_something_through_is_our_own_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not traded on."""
    monkeypatch.setattr("fsm_arb.strategy.judge.ENTRY_GATES", ())
    with pytest.raises(AssertionError, match="no price"):
        strategy().entry(moment("1", books=(None, None)))


def test_an_exit_that_holds_says_where_it_stands() -> None:
    """The numbers of a position, every tick."""
    verdict = strategy().exit(moment("0.95"), held("1"))
    assert code(verdict) is ReasonCode.HOLD
    assert str(verdict.reason) == "hold: entered at +1.000 %, now +0.950 %: come back by 0.050 points"
    assert verdict.reason.numbers == {"entry_pct": 1, "now_pct": D("0.95"), "moved_pct": D("0.05")}
    assert verdict.spread is not None


def test_without_a_price_only_health_and_time_make_an_exit() -> None:
    """And what holds says why."""
    blind = moment(books=(None, None))
    assert code(strategy().exit(blind, held())) is ReasonCode.NO_PRICE
    assert strategy().exit(evolve(blind, health=(UP, DOWN)), held()).action is Action.EXIT_HEALTH
    assert strategy(hold_max_s=1).exit(blind, held(opened_at_ns=0)).action is Action.EXIT_TIMEOUT


PERCENTS = st.decimals(-20, 20, places=3)
NEUTRAL = D("0.1")


@given(PERCENTS)
def test_every_moment_has_one_answer_and_its_mirror_the_mirrored_one(pct: Decimal) -> None:
    """Seen from the other venue, a positive entry is a negative one; what is nothing is nothing."""
    mirrored = moment(
        pct,
        legs=(LEGS[1], LEGS[0]),
        books=(book(OTHER), book(dear(pct))),
        fx=FX.inverse,
        balances=(None, None),
        liquidity=Money(PAR * 1000, "KRW"),
    )
    # Percents of one price are not percents of the other; a threshold of nothing is the same on both.
    numbers: dict[str, Any] = {"entry_pct": "0.0000001", "neutral_pct": 0}
    here, there = strategy(**numbers).entry(moment(pct)), strategy(**numbers).entry(mirrored)
    opposite = {
        Action.ENTRY_POSITIVE: Action.ENTRY_NEGATIVE,
        Action.ENTRY_NEGATIVE: Action.ENTRY_POSITIVE,
        Action.NO_ACTION: Action.NO_ACTION,
    }
    assert there.action is opposite[here.action]
    assert here.action.is_entry is (pct != 0)


@given(PERCENTS, PERCENTS)
def test_an_exit_and_its_mirror_agree(entered: Decimal, now: Decimal) -> None:
    """A position that was entered the other way, on a spread that is mirrored, is left for the same reason."""
    if not entered:
        return
    here = strategy().exit(moment(now), held(entered))
    there = strategy().exit(moment(-now), held(-entered))
    assert here.action is there.action
    assert here.reason.code is there.reason.code
