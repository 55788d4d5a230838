"""Each gate by itself: what passes, what does not, and at which number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from moments import FX, NOW, OTHER, SECOND, UP, book, dear, held, moment, thresholds

from fsm_arb.errors import CurrencyMismatch
from fsm_arb.spread import Basis, Fees
from fsm_arb.strategy import gates
from fsm_arb.strategy.gates import ENTRY_GATES, EXIT_GATES, exit_view, scale_of
from fsm_arb.strategy.verdicts import Reason, ReasonCode
from fsm_arb.values import Action, HealthStatus, Level, Money, OrderBook
from fsm_arb.volatility import SpreadSample

D = Decimal
KEYLESS = evolve(UP, has_secrets=False)
DOWN = evolve(UP, status=HealthStatus.DOWN)
DEGRADED = evolve(UP, status=HealthStatus.DEGRADED, note="slow")
MINUTE = 60 * SECOND


def said(reason: Reason | None) -> str:
    return "" if reason is None else str(reason)


def dated(seconds_ago: int) -> OrderBook:
    return evolve(book(OTHER), at_ms=(NOW - seconds_ago * SECOND) // 1_000_000)


def restless(count: int, step: str) -> tuple[SpreadSample, ...]:
    """Return samples a minute apart that move by *step* percentage points, up and down."""
    return tuple(SpreadSample(NOW - (count - at) * MINUTE, D(step) * (at % 2)) for at in range(count))


# ------------------------------------------------------------------ entries


@pytest.mark.parametrize("gate", ENTRY_GATES)
def test_a_good_moment_passes_every_gate(gate: Any) -> None:
    """Nothing held, all well, a fresh rate, two deep books."""
    assert gate(moment("1"), thresholds()) is None


CASES: list[tuple[Any, dict[str, Any], dict[str, Any], str]] = [
    (gates.positions_gate, {"positions": (held(),)}, {}, "positions: 1 held on this pair (at most 1)"),
    (gates.positions_gate, {"positions": (held(),)}, {"positions_max": 2}, ""),
    (gates.secrets_gate, {"health": (KEYLESS, UP)}, {}, "secrets: the credentials of upbit are not all there"),
    (
        gates.secrets_gate,
        {"health": (KEYLESS, KEYLESS)},
        {},
        "secrets: the credentials of upbit and binance are not all there",
    ),
    (
        gates.health_gate,
        {"health": (DOWN, DEGRADED)},
        {"exit_on_degraded": False},
        "health: upbit is down; binance is degraded (slow)",
    ),
    (gates.fx_gate, {"fx": "no rate from USDT to KRW"}, {}, "fx_unavailable: no rate from USDT to KRW"),
    (
        gates.fx_gate,
        {"fx": evolve(FX, confidence="0.79")},
        {},
        "fx_confidence: USDT/KRW from USDT/KRW on upbit has confidence 0.79 (at least 0.8)",
    ),
    (gates.fx_gate, {"fx": evolve(FX, confidence="0.8")}, {}, ""),
    (gates.fx_gate, {"fx": evolve(FX, at_ns=None)}, {}, ""),
    (gates.fx_gate, {"fx": evolve(FX, at_ns=NOW - 60 * SECOND)}, {}, ""),
    (
        gates.fx_gate,
        {"fx": evolve(FX, at_ns=NOW - 61 * SECOND)},
        {},
        "fx_age: USDT/KRW from USDT/KRW on upbit is 61 s old (at most 60 s)",
    ),
    (
        gates.fx_gate,
        {"fx": evolve(FX, at_ns=NOW + 61 * SECOND)},
        {},
        "fx_age: USDT/KRW from USDT/KRW on upbit is -61 s old (at most 60 s)",
    ),
    (gates.books_gate, {"books": (None, book(OTHER))}, {}, "no_price: the book of BTC/KRW on upbit shows no price"),
    (
        gates.books_gate,
        {"books": (book(dear(1)), OrderBook(bids=(), asks=()))},
        {},
        "no_price: the book of BTC/USDT on binance shows no price",
    ),
    (gates.books_gate, {"books": (book(dear(1)), dated(5))}, {}, ""),
    (
        gates.books_gate,
        {"books": (book(dear(1)), dated(6))},
        {},
        "book_age: BTC/USDT on binance is 6.0 s old (at most 5 s)",
    ),
    # Its clock is two seconds behind ours, so the book is younger than it says.
    (
        gates.books_gate,
        {"books": (book(dear(1)), dated(6)), "health": (UP, evolve(UP, clock_offset_ms=D(-2000)))},
        {},
        "",
    ),
    (
        gates.volatility_gate,
        {"recent": restless(9, "0.1")},
        {"volatility_reference_pct": "0.1"},
        "volatility: 9 samples of the spread tell too little (at least 10, over some time)",
    ),
    (gates.volatility_gate, {"recent": restless(10, "0.1")}, {"volatility_reference_pct": "0.1"}, ""),
    (gates.liquidity_gate, {"liquidity": Money(D(100_000_000), "KRW")}, {}, ""),
    (
        gates.liquidity_gate,
        {"liquidity": Money(D(76_923), "USDT")},
        {},
        "liquidity: 99999900 KRW can be traded (at least 100000000)",
    ),
    (gates.liquidity_gate, {"liquidity": Money(D(76_924), "USDT")}, {}, ""),
    (gates.liquidity_gate, {"liquidity": Money(D(1), "KRW")}, {"liquidity_min": Money(D(0), "USDT")}, ""),
    (
        gates.liquidity_gate,
        {"books": (book(dear(1)), book(OTHER, "1.5"))},
        {},
        "liquidity: 78000000 KRW can be traded (at least 100000000)",
    ),
    (
        gates.liquidity_gate,
        {"books": (None, book(OTHER))},
        {},
        "liquidity: 0 KRW can be traded (at least 100000000)",
    ),
]


@pytest.mark.parametrize(("gate", "changes", "numbers", "expected"), CASES)
def test_a_gate_says_what_is_wrong_with_the_numbers(
    gate: Any, changes: dict[str, Any], numbers: dict[str, Any], expected: str
) -> None:
    """Or nothing."""
    assert said(gate(moment("1", **changes), thresholds(**numbers))) == expected


@pytest.mark.parametrize("pct", ["0.4", "-0.4"])
def test_liquidity_is_that_of_the_sides_that_would_be_traded(pct: str) -> None:
    """The bids of the dear venue, the asks of the other."""
    thin, deep = (Level(OTHER, D("0.001")),), (Level(OTHER, D(1000)),)
    rich = OrderBook(bids=deep, asks=thin) if pct == "-0.4" else OrderBook(bids=thin, asks=deep)
    poor = OrderBook(bids=rich.asks, asks=rich.bids)
    assert gates.liquidity_gate(moment(pct, books=(book(dear(pct)), rich)), thresholds()) is None
    assert gates.liquidity_gate(moment(pct, books=(book(dear(pct)), poor)), thresholds()) is not None


def test_liquidity_counts_within_the_band_only() -> None:
    """What stands 1.1 % away is no liquidity at 1 %."""
    asks = (Level(OTHER, D("0.001")), Level(OTHER * D("1.011"), D(1000)))
    context = moment("1", books=(book(dear(1)), OrderBook(bids=(Level(OTHER, D(1)),), asks=asks)))
    assert gates.liquidity_gate(context, thresholds()) is not None
    assert gates.liquidity_gate(context, thresholds(liquidity_band_pct="1.1")) is None


def test_a_threshold_in_a_third_currency_is_a_mistake() -> None:
    """No guess at what it might mean."""
    with pytest.raises(CurrencyMismatch, match=r"liquidity_min=.*EUR"):
        gates.liquidity_gate(moment("1"), thresholds(liquidity_min=Money(D(1), "EUR")))
    with pytest.raises(CurrencyMismatch, match=r"^liquidity=.*EUR"):
        gates.liquidity_gate(moment("1", liquidity=Money(D(1), "EUR")), thresholds())


@pytest.mark.parametrize(
    ("gate", "changes", "code", "numbers"),
    [
        (gates.positions_gate, {"positions": (held(), held())}, ReasonCode.POSITIONS, {"held": 2, "limit": 1}),
        (gates.secrets_gate, {"health": (UP, KEYLESS)}, ReasonCode.SECRETS, {}),
        (gates.health_gate, {"health": (UP, DOWN)}, ReasonCode.HEALTH, {}),
        (gates.fx_gate, {"fx": "none"}, ReasonCode.FX_UNAVAILABLE, {}),
        (
            gates.fx_gate,
            {"fx": evolve(FX, confidence=0)},
            ReasonCode.FX_CONFIDENCE,
            {"confidence": 0, "limit": D("0.8")},
        ),
        (gates.fx_gate, {"fx": evolve(FX, at_ns=NOW - 99 * SECOND)}, ReasonCode.FX_AGE, {"age_s": 99, "limit": 60}),
        (gates.books_gate, {"books": (None, None)}, ReasonCode.NO_PRICE, {}),
        (gates.books_gate, {"books": (dated(7), dated(8))}, ReasonCode.BOOK_AGE, {"age_s": 7, "limit": 5}),
        (gates.volatility_gate, {}, ReasonCode.VOLATILITY, {"samples": 0, "limit": 10}),
        (
            gates.liquidity_gate,
            {"liquidity": Money(D(7), "KRW")},
            ReasonCode.LIQUIDITY,
            {"liquidity": 7, "limit": 100_000_000},
        ),
    ],
)
def test_a_reason_carries_its_numbers(gate: Any, changes: dict[str, Any], code: ReasonCode, numbers: Any) -> None:
    """For programs that read no sentences."""
    reason = gate(moment("1", **changes), thresholds(volatility_reference_pct="0.1"))
    assert (reason.code, reason.numbers) == (code, numbers)


def test_the_gates_of_an_entry_stand_in_order() -> None:
    """What costs nothing to know comes first."""
    assert [gate.__name__.removesuffix("_gate") for gate in ENTRY_GATES] == [
        "positions",
        "secrets",
        "health",
        "fx",
        "books",
        "volatility",
        "liquidity",
    ]


# ------------------------------------------------------------------ scaling


@pytest.mark.parametrize(
    ("step", "scale"), [("0.1", "1"), ("0.2", "2"), ("0.05", "1"), ("0.9", "3")], ids=["as", "twice", "calm", "wild"]
)
def test_thresholds_are_scaled_by_volatility_within_bounds(step: str, scale: str) -> None:
    """Over its reference; calm markets do not make them smaller unless the bounds say so."""
    numbers = thresholds(volatility_reference_pct="0.1")
    assert scale_of(moment("1", recent=restless(10, step)), numbers) == D(scale)


def test_bounds_may_let_calm_markets_make_them_smaller() -> None:
    """Down to what they say."""
    numbers = thresholds(volatility_reference_pct="0.1", scale_min="0.25")
    assert scale_of(moment("1", recent=restless(10, "0.05")), numbers) == D("0.5")


def test_static_thresholds_are_scaled_by_one() -> None:
    """Whatever the market does."""
    assert scale_of(moment("1", recent=restless(10, "0.9")), thresholds()) == 1


def test_samples_of_no_duration_tell_no_scale() -> None:
    """And so do too few."""
    numbers = thresholds(volatility_reference_pct="0.1", volatility_samples_min=2)
    assert scale_of(moment("1", recent=(SpreadSample(NOW, D(1)),) * 2), numbers) is None
    assert scale_of(moment("1"), numbers) is None


# ------------------------------------------------------------------ exits


@pytest.mark.parametrize("gate", [gate for _, gate in EXIT_GATES])
def test_nothing_speaks_for_leaving_what_has_just_been_entered(gate: Any) -> None:
    """At the spread it was entered at."""
    assert gate(exit_view(moment("1"), thresholds(), held("1"))) is None


@pytest.mark.parametrize(
    ("gate", "now", "changes", "expected"),
    [
        (gates.exit_on_health, "1", {"health": (DOWN, UP)}, "health: upbit is down"),
        (gates.exit_on_timeout, "1", {"now_ns": NOW + 3599 * SECOND}, ""),
        (gates.exit_on_timeout, "1", {"now_ns": NOW + 3600 * SECOND}, "timeout: held for 3601 s (at most 3600 s)"),
        (
            gates.exit_on_reversal,
            "-0.1",
            {},
            "reversal: entered at +1.000 %, now -0.100 %: the other venue is the dear one",
        ),
        (gates.exit_on_reversal, "-0.09", {}, ""),
        (gates.exit_on_reversal, "-0.1", {"books": (None, None)}, ""),
        (
            gates.exit_on_profit,
            "0.5",
            {},
            "take_profit: come back by 0.500 points of at least 0.500: from +1.000 % to +0.500 %",
        ),
        (gates.exit_on_profit, "0.51", {}, ""),
        (gates.exit_on_profit, "0.5", {"books": (book(dear("0.5")), None)}, ""),
        (
            gates.exit_on_loss,
            "1.5",
            {},
            "stop_loss: gone further by 0.500 points of at least 0.500: from +1.000 % to +1.500 %",
        ),
        (gates.exit_on_loss, "1.49", {}, ""),
        (gates.exit_on_loss, "1.5", {"books": (None, book(OTHER))}, ""),
    ],
)
def test_an_exit_gate_holds_from_its_number_on(gate: Any, now: str, changes: dict[str, Any], expected: str) -> None:
    """And without a price only health and time can tell."""
    assert said(gate(exit_view(moment(now, **changes), thresholds(), held("1")))) == expected


@pytest.mark.parametrize(
    ("gate", "now", "changes", "code", "numbers"),
    [
        (gates.exit_on_health, "1", {"health": (DOWN, UP)}, ReasonCode.HEALTH, {}),
        (
            gates.exit_on_timeout,
            "1",
            {"now_ns": NOW + 3600 * SECOND},
            ReasonCode.TIMEOUT,
            {"held_s": 3601, "limit": 3600},
        ),
        (gates.exit_on_reversal, "-1", {}, ReasonCode.REVERSAL, {"entry_pct": 1, "now_pct": -1}),
        (
            gates.exit_on_profit,
            "0",
            {},
            ReasonCode.TAKE_PROFIT,
            {"entry_pct": 1, "now_pct": 0, "moved_pct": 1, "limit": D("0.5")},
        ),
        (
            gates.exit_on_loss,
            "2",
            {},
            ReasonCode.STOP_LOSS,
            {"entry_pct": 1, "now_pct": 2, "moved_pct": 1, "limit": D("0.5")},
        ),
    ],
)
def test_a_reason_to_leave_carries_its_numbers(
    gate: Any, now: str, changes: dict[str, Any], code: ReasonCode, numbers: Any
) -> None:
    """What was measured, and against what."""
    reason = gate(exit_view(moment(now, **changes), thresholds(), held("1")))
    assert (reason.code, reason.numbers) == (code, numbers)


def test_the_gates_of_an_exit_stand_in_order_each_with_its_action() -> None:
    """Health, time-out, reversal, take profit, stop loss."""
    assert [(action, gate.__name__.removeprefix("exit_on_")) for action, gate in EXIT_GATES] == [
        (Action.EXIT_HEALTH, "health"),
        (Action.EXIT_TIMEOUT, "timeout"),
        (Action.EXIT_REVERSAL, "reversal"),
        (Action.EXIT_TP, "profit"),
        (Action.EXIT_SL, "loss"),
    ]


def test_a_degraded_venue_is_left_only_where_that_counts() -> None:
    """One that is down always is."""
    degraded = exit_view(moment("1", health=(UP, DEGRADED)), thresholds(), held())
    assert said(gates.exit_on_health(degraded)) == "health: binance is degraded (slow)"
    patient = thresholds(exit_on_degraded=False)
    assert gates.exit_on_health(evolve(degraded, thresholds=patient)) is None
    assert gates.exit_on_health(exit_view(moment("1", health=(UP, DOWN)), patient, held())) is not None


def test_an_exit_without_a_rate_uses_that_of_its_entry() -> None:
    """A stop loss does not wait for a feed."""
    view = exit_view(moment("1.5", fx="the feed is down"), thresholds(), held("1"))
    assert view.now_pct == D("1.5")
    assert gates.exit_on_loss(view) is not None


def test_an_exit_takes_a_rate_however_old_and_doubtful() -> None:
    """What refuses an entry."""
    old = evolve(FX, rate=D(1310), at_ns=NOW - 9999 * SECOND, confidence="0")
    assert gates.fx_gate(moment("1", fx=old), thresholds()) is not None
    view = exit_view(moment("1", fx=old), thresholds(), held("1"))
    assert view.gross_pct is not None
    assert round(view.gross_pct, 2) == D("0.23")


def test_closing_is_measured_at_what_its_size_would_get() -> None:
    """A position on a wide spread is bought back at the ask: half the gap is not yet earned."""
    wide = moment("0.5", books=(book(dear("0.5"), gap=PAR_GAP), book(OTHER)))
    view = exit_view(wide, thresholds(), held("1"))
    assert view.gross_pct == D("0.5")
    assert view.now_pct == D("0.6")
    assert gates.exit_on_profit(view) is None
    assert gates.exit_on_profit(exit_view(wide, thresholds(exit_basis=Basis.GROSS), held("1"))) is not None


PAR_GAP = D(104_000)  # KRW: 0.1 % of 52M on either side of the middle


def test_net_exits_count_the_fees_of_both_trades() -> None:
    """One per mille a leg, in and out: what has come back by 0.5 has brought some 0.1."""
    fees = (Fees(taker="0.001"), Fees(taker="0.001"))
    view = exit_view(moment("0.5", fees=fees), thresholds(exit_basis="net"), held("1"))
    assert round(view.entry_pct, 3) == D("0.799")
    assert view.now_pct is not None
    assert round(view.now_pct, 4) == D("0.7005")
    assert view.captured_pct is not None
    assert round(view.captured_pct, 4) == D("0.0985")


def test_net_exits_count_what_changing_the_money_costs() -> None:
    """In, and out again."""
    view = exit_view(moment("0.5"), thresholds(exit_basis="net", fx_cost_pct="0.05"), held("1"))
    assert (view.entry_pct, view.now_pct, view.captured_pct) == (D("0.95"), D("0.55"), D("0.4"))


def test_a_book_too_thin_to_close_on_is_judged_by_its_middle() -> None:
    """A stop loss does not wait for liquidity; what closing gets is not known then."""
    view = exit_view(moment("1.5", books=(book(dear("1.5"), "0.001"), book(OTHER))), thresholds(), held("1"))
    assert view.closing is None
    assert view.now_pct == D("1.5")
    assert gates.exit_on_loss(view) is not None


def test_exits_are_scaled_too_and_by_one_where_volatility_is_unknown() -> None:
    """Nothing is held for want of samples."""
    numbers = thresholds(volatility_reference_pct="0.1")
    assert exit_view(moment("1", recent=restless(10, "0.2")), numbers, held()).scale == 2
    assert exit_view(moment("1"), numbers, held()).scale == 1
    restive = exit_view(moment("1.5", recent=restless(10, "0.2")), numbers, held("1"))
    assert gates.exit_on_loss(restive) is None
    assert gates.exit_on_profit(evolve(restive, now_pct=D(0), scale=D(2))) is not None
    assert gates.exit_on_profit(evolve(restive, now_pct=D("0.1"), scale=D(2))) is None


def test_what_has_come_back_is_unknown_without_a_price() -> None:
    """Not zero."""
    assert exit_view(moment("1", books=(None, None)), thresholds(), held()).captured_pct is None
