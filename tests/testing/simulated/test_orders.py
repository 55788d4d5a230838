"""What each fault does to an order, and what whoever sent it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from stages import SYMBOL, Stage

from fsm_arb.testing.glimpse import VenueOrder
from fsm_arb.testing.simulated import FaultKind, Operation
from fsm_arb.testing.simulated.views import UNKNOWN_WORDS

D = Decimal


async def outcome(call: Awaitable[Any]) -> Any:
    """Return what a call returns, or the error it raises."""
    try:
        return await call
    except ccxt.BaseError as error:
        return error


def bought(stage: Stage, kind: FaultKind, *, ms: int | None = None, draw: float = 0.0, **params: Any) -> Any:
    stage.sim.inject("alpha", kind, operation=Operation.CREATE, ms=ms, draw=draw)
    return stage.run(outcome(stage.buy(**params)))


def ours(stage: Stage) -> VenueOrder | None:
    return stage.sim.venue_orders().get("ours")


# ------------------------------------------------------------------ the reply


@pytest.mark.parametrize(
    ("kind", "draw", "error", "exists"),
    [
        (FaultKind.LOST_AFTER, 0.0, ccxt.NetworkError, True),
        (FaultKind.LOST_AFTER, 0.9, ccxt.RequestTimeout, True),
        (FaultKind.LOST_BEFORE, 0.0, ccxt.NetworkError, False),
        (FaultKind.LOST_BEFORE, 0.9, ccxt.RequestTimeout, False),
        (FaultKind.ERROR_AFTER, 0.0, ccxt.ExchangeNotAvailable, True),
        (FaultKind.ERROR_AFTER, 0.4, ccxt.ExchangeError, True),
        (FaultKind.ERROR_BEFORE, 0.0, ccxt.ExchangeNotAvailable, False),
        (FaultKind.DELIVERED_TWICE, 0.0, ccxt.InvalidOrder, True),
        (FaultKind.RATE_LIMITED, 0.0, ccxt.RateLimitExceeded, False),
        (FaultKind.NONCE, 0.0, ccxt.InvalidNonce, False),
        (FaultKind.REFUSED, 0.0, ccxt.InvalidOrder, False),
        (FaultKind.REFUSES, 0.0, ccxt.InvalidOrder, False),
        (FaultKind.NO_FUNDS, 0.0, ccxt.InsufficientFunds, False),
        (FaultKind.HALT, 0.0, ccxt.BaseError, False),
        (FaultKind.DELISTED, 0.0, ccxt.BadSymbol, False),
        (FaultKind.DOWN, 0.0, ccxt.ExchangeNotAvailable, False),
        (FaultKind.MAINTENANCE, 0.0, ccxt.OnMaintenance, False),
        (FaultKind.BANNED, 0.0, ccxt.DDoSProtection, False),
        (FaultKind.REVOKED, 0.0, ccxt.AuthenticationError, False),
    ],
)
def test_an_error_says_or_does_not_say_whether_there_is_an_order(
    stage: Stage, kind: FaultKind, draw: float, error: type[Exception], exists: bool
) -> None:
    """The venue's own books do; and the fault is told once, with the order's id."""
    assert isinstance(bought(stage, kind, draw=draw), error)
    assert (ours(stage) is not None) is exists
    assert [(hit.kind, hit.client_id) for hit in stage.seen.hits()] == [(kind, "ours")]
    if exists:
        assert ours(stage) == stage.sim.venue_orders()["ours"]
        assert stage.sim.venue_orders()["ours"].filled == D("0.5")
        assert not stage.sim.venue_orders()["ours"].told_over


@pytest.mark.parametrize(("kind", "exists"), [(FaultKind.NO_ID, True), (FaultKind.NO_ID_LOST, False)])
def test_a_reply_may_hold_no_order(stage: Stage, kind: FaultKind, exists: bool) -> None:
    """No error is raised, and nothing tells whether there is one."""
    row = bought(stage, kind)
    assert (row["id"], row["filled"], row["info"]) == (None, None, {})
    assert (ours(stage) is not None) is exists
    assert stage.seen.kinds() == [kind]


def test_a_lost_request_is_waited_for_as_long_as_a_caller_waits(stage: Stage) -> None:
    """A dropped connection is known at once, silence at the time-out."""
    bought(stage, FaultKind.LOST_BEFORE, draw=0.0)
    assert stage.clock.monotonic_ns() < 10**8
    bought(stage, FaultKind.LOST_BEFORE, draw=0.9)
    assert stage.clock.monotonic_ns() > 8 * 10**9


def test_an_order_may_be_accepted_long_after_its_caller_gave_up(stage: Stage) -> None:
    """Until then its request counts as live; when it comes, nobody need look for it to happen."""
    seen: list[Any] = []

    async def main() -> None:
        stage.sim.inject("alpha", FaultKind.ACCEPTED_LATE, ms=12_000)
        seen.append(await outcome(stage.buy()))
        seen.append(ours(stage))
        await asyncio.sleep(5)
        seen.append(stage.seen.told[-1][0])

    stage.run(main())
    error, waiting, last = seen
    assert isinstance(error, ccxt.RequestTimeout)
    assert (waiting.live, waiting.fills) == (True, ())
    assert last == "execution"
    assert (ours(stage) or waiting).filled == D("0.5")


@pytest.mark.parametrize(("kind", "filled_meanwhile"), [(FaultKind.DELAYED, D(0)), (FaultKind.REPLY_LATE, D("0.5"))])
def test_an_order_or_its_reply_may_be_slow(stage: Stage, kind: FaultKind, filled_meanwhile: Decimal) -> None:
    """The reply comes in the end, and is right; a fill may be there long before it."""
    seen: list[Decimal] = []

    async def main() -> Any:
        stage.sim.inject("alpha", kind, ms=1_000)
        placing = asyncio.ensure_future(stage.buy())
        await asyncio.sleep(0.5)
        seen.append(stage.sim.venue_orders()["ours"].filled)
        return await placing

    row = stage.run(main())
    assert seen == [filled_meanwhile]
    assert row["filled"] == "0.5"
    assert stage.clock.monotonic_ns() == pytest.approx(1_020_000_000, abs=10_000)


def test_orders_that_arrive_in_the_same_moment_are_not_mistaken_for_each_other(stage: Stage) -> None:
    """Each is known by its own id, with its own executions and its own fault."""

    async def main() -> None:
        stage.sim.inject("alpha", FaultKind.FEE_IN_BASE, operation=Operation.CREATE)
        await asyncio.gather(*(stage.buy(f"0.{number}", clientOrderId=f"n{number}") for number in range(1, 5)))

    stage.run(main())
    orders = stage.sim.venue_orders()
    assert {name: order.filled for name, order in orders.items()} == {f"n{n}": D(n) / 10 for n in range(1, 5)}
    assert [orders[name].fills[0].fee_currency for name in sorted(orders)] == ["BTC", "USDT", "USDT", "USDT"]
    told = {(what[1], what[2].amount) for word, what in stage.seen.told if word == "execution"}
    assert told == {(name, order.filled) for name, order in orders.items()}


def test_a_caller_that_goes_away_takes_nothing_back(stage: Stage) -> None:
    """The bytes have left."""

    async def main() -> None:
        placing = asyncio.ensure_future(stage.buy())
        await asyncio.sleep(0.001)
        placing.cancel()
        await asyncio.sleep(1)

    stage.run(main())
    order = ours(stage)
    assert order is not None
    assert (order.filled, order.told_over) == (D("0.5"), False)


# ------------------------------------------------------------------ the order


def test_a_part_may_execute_and_the_rest_end_under_any_word(make: Callable[..., Stage]) -> None:
    """Also as `closed` or `rejected`: the quantity tells, never the word."""
    words = set()
    for tenth in range(10):
        stage = make()
        row = bought(stage, FaultKind.PARTIAL, draw=tenth / 10 + 0.01, timeInForce="GTC")
        order = ours(stage)
        assert order is not None
        assert 0 < order.filled < D("0.5")
        assert not order.live
        assert order.told_over
        assert D(row["filled"]) == order.filled
        words.add(row["status"])
    assert words == {"expired", "canceled", "rejected", "closed"}


def test_self_trade_prevention_ends_an_order_in_a_word_of_its_own(stage: Stage) -> None:
    """Which nobody knows, so nobody has been told that it is over."""
    row = bought(stage, FaultKind.SELF_TRADE)
    order = ours(stage)
    assert order is not None
    assert (row["status"], order.live, order.told_over) == ("expired_in_match", False, False)


def test_what_ended_may_fill_later(stage: Stage) -> None:
    """The order was over, and said to be."""
    bought(stage, FaultKind.LATE_FILL, ms=500)
    before = ours(stage)
    assert before is not None
    assert (before.filled, before.live, before.told_over) == (0, False, True)
    stage.pass_ms(500)
    after = ours(stage)
    assert after is not None
    assert (after.filled, after.told_over) == (D("0.5"), True)


def test_dust_may_be_left(stage: Stage) -> None:
    """One lot less than the least order."""
    bought(stage, FaultKind.DUST_LEFT)
    order = ours(stage)
    assert order is not None
    assert order.amount - order.filled == D("0.049")  # five USDT at 101 are 0.05, rounded up to the lot


def test_a_venue_may_round_an_amount_down(stage: Stage) -> None:
    """And says so in its reply."""
    row = bought(stage, FaultKind.ROUNDED, amount="0.509")
    order = ours(stage)
    assert order is not None
    assert (row["amount"], order.amount, order.filled) == ("0.5", D("0.5"), D("0.5"))


@pytest.mark.parametrize(
    ("kind", "asset", "number"), [(FaultKind.FEE_IN_BASE, "BTC", 17), (FaultKind.FEE_ELSEWHERE, "BNB", 18)]
)
def test_an_order_may_be_charged_in_another_asset(stage: Stage, kind: FaultKind, asset: str, number: int) -> None:
    """Told when it is charged."""
    row = bought(stage, kind)
    assert row["fee"]["currency"] == asset
    assert [(hit.number, hit.kind, hit.key) for hit in stage.seen.hits()] == [
        (number, kind, f"alpha/injected/1/{kind.value}")
    ]


def test_a_fault_that_finds_nothing_to_bend_is_no_hit(stage: Stage) -> None:
    """Coverage counts what happened, not what was drawn."""
    stage.sim.inject("alpha", FaultKind.POST_ONLY)
    stage.run(stage.buy())
    stage.sim.inject("alpha", FaultKind.ROUNDED)
    stage.run(stage.buy("0.06", clientOrderId="round"))
    assert stage.seen.hits() == []


def test_a_post_only_order_may_be_refused_though_it_would_rest(stage: Stage) -> None:
    """Nothing is filled."""
    error = bought(stage, FaultKind.POST_ONLY, price="99", timeInForce="GTC", postOnly=True)
    assert isinstance(error, ccxt.OrderImmediatelyFillable)
    assert ours(stage) is None


def test_a_price_band_refuses_what_goes_through_the_touch(stage: Stage) -> None:
    """For its time; at the touch an order is taken."""
    assert isinstance(bought(stage, FaultKind.BAND, ms=1_000, price="103"), ccxt.InvalidOrder)
    stage.run(stage.buy(price="101", clientOrderId="at the touch"))
    assert isinstance(stage.run(outcome(stage.buy(price="103", clientOrderId="through"))), ccxt.InvalidOrder)
    stage.pass_ms(1_000)
    stage.run(stage.buy(price="103", clientOrderId="later"))
    assert set(stage.sim.venue_orders()) == {"at the touch", "later"}
    assert stage.seen.kinds() == [FaultKind.BAND, FaultKind.BAND]


@pytest.mark.parametrize("kind", [FaultKind.HALT, FaultKind.REFUSES, FaultKind.DELISTED])
def test_a_market_may_refuse_everything_for_a_while(stage: Stage, kind: FaultKind) -> None:
    """Then it takes orders again."""
    bought(stage, kind, ms=1_000)
    assert isinstance(stage.run(outcome(stage.buy(clientOrderId="b"))), ccxt.BaseError)
    stage.pass_ms(1_000)
    stage.run(stage.buy(clientOrderId="c"))
    assert set(stage.sim.venue_orders()) == {"c"}
    assert [(hit.kind, hit.client_id) for hit in stage.seen.hits()] == [(kind, "ours"), (kind, "b")]


def test_a_delisting_cancels_what_rests(stage: Stage) -> None:
    """In that market."""
    stage.run(stage.rest(clientOrderId="rests"))
    bought(stage, FaultKind.DELISTED)
    assert not stage.sim.venue_orders()["rests"].live


def test_the_last_execution_may_be_taken_back(stage: Stage) -> None:
    """Balances go back too, and the order says what was busted."""
    bought(stage, FaultKind.BUST, ms=1_000)
    assert stage.seen.hits() == []
    stage.pass_ms(1_000)
    order = ours(stage)
    assert order is not None
    assert (order.filled, order.busted) == (0, D("0.5"))
    assert set(stage.sim.moved()["alpha"].values()) == {0}
    assert [hit.number for hit in stage.seen.hits()] == [28]


def test_an_order_without_executions_has_none_to_take_back(stage: Stage) -> None:
    """Such a bust is no hit."""
    bought(stage, FaultKind.BUST, ms=1_000, price="99", timeInForce="GTC")
    stage.pass_ms(1_000)
    assert stage.sim.venue_orders()["ours"].busted == 0
    assert stage.seen.hits() == []


def test_a_refusal_that_stands_in_no_row_is_no_hit(stage: Stage) -> None:
    """On a spot venue there is no position to reduce."""
    assert isinstance(stage.run(outcome(stage.buy(reduceOnly=True))), ccxt.InvalidOrder)
    assert stage.seen.hits() == []


def test_an_order_may_be_hidden_from_reads(stage: Stage) -> None:
    """Though its reply told of it; later they find it."""
    row = bought(stage, FaultKind.HIDDEN, ms=1_000, price="99", timeInForce="GTC")
    ask = stage.exchange.fetch_order
    assert isinstance(stage.run(outcome(ask(row["id"], SYMBOL))), ccxt.OrderNotFound)
    assert stage.run(stage.exchange.fetch_open_orders(SYMBOL)) == []
    stage.pass_ms(1_000)
    assert stage.run(ask(row["id"], SYMBOL))["status"] == "open"


def test_executions_may_be_shown_long_after_their_quantity(stage: Stage) -> None:
    """So that whoever counts must infer them first."""
    row = bought(stage, FaultKind.FILLS_LATE, ms=1_000)
    assert (row["filled"], row["trades"]) == ("0.5", [])
    assert stage.run(stage.exchange.fetch_my_trades(SYMBOL)) == []
    stage.pass_ms(1_000)
    assert len(stage.run(stage.exchange.fetch_my_trades(SYMBOL))) == 1


def test_the_reply_itself_may_be_bent(stage: Stage) -> None:
    """As any other that shows an order."""
    assert bought(stage, FaultKind.UNKNOWN_STATUS)["status"] in UNKNOWN_WORDS
    assert bought(stage, FaultKind.AVERAGE_WRONG, price="102", clientOrderId="b")["average"] == "102"


def test_a_venue_that_is_like_that_is_told_as_nature(make: Callable[..., Stage]) -> None:
    """What happens by itself counts for coverage as well, under a key that cannot be masked."""
    stage = make()
    for amount, price, params in (("11", "99", {}), ("0.01", "99", {}), ("1", "101", {"postOnly": True})):
        stage.run(outcome(stage.buy(amount, price, clientOrderId=f"{amount}", **params)))
    stage.run(outcome(stage.buy(clientOrderId="1")))
    told = [(hit.number, hit.key) for hit in stage.seen.hits()]
    assert told == [
        (22, "alpha/nature/no_funds"),
        (19, "alpha/nature/dust_left"),
        (30, "alpha/nature/post_only"),
        (3, "alpha/nature/delivered_twice"),
    ]


# ------------------------------------------------------------------ cancelling


def cancelled(stage: Stage, kind: FaultKind, *, ms: int | None = None, draw: float = 0.0) -> Any:
    stage.run(stage.rest())
    stage.sim.inject("alpha", kind, operation=Operation.CANCEL, ms=ms, draw=draw)
    return stage.run(outcome(stage.exchange.cancel_order(None, SYMBOL, {"clientOrderId": "ours"})))


@pytest.mark.parametrize(
    ("kind", "error", "lives"),
    [
        (FaultKind.LOST_BEFORE, ccxt.NetworkError, True),
        (FaultKind.LOST_AFTER, ccxt.NetworkError, False),
        (FaultKind.ERROR_BEFORE, ccxt.ExchangeNotAvailable, True),
        (FaultKind.ERROR_AFTER, ccxt.ExchangeNotAvailable, False),
        (FaultKind.NONCE, ccxt.InvalidNonce, True),
    ],
)
def test_a_cancel_may_fail_on_its_way(stage: Stage, kind: FaultKind, error: type[Exception], lives: bool) -> None:
    """Which does not tell whether it was done."""
    assert isinstance(cancelled(stage, kind), error)
    order = ours(stage)
    assert order is not None
    assert (order.live, order.told_over) == (lives, False)
    assert stage.seen.kinds() == [kind]


def test_the_order_may_fill_just_before_its_cancel(stage: Stage) -> None:
    """The cancel finds nothing to do."""
    assert isinstance(cancelled(stage, FaultKind.CANCEL_RACE), ccxt.OrderNotFound)
    order = ours(stage)
    assert order is not None
    assert (order.filled, order.told_over) == (D("0.5"), True)


@pytest.mark.parametrize(("kind", "lives_later"), [(FaultKind.CANCEL_LOST, True), (FaultKind.CANCEL_LATE, False)])
def test_a_cancel_may_be_agreed_to_and_not_be_done(stage: Stage, kind: FaultKind, lives_later: bool) -> None:
    """Not at once, or not at all."""
    assert cancelled(stage, kind, ms=1_000)["status"] == "canceled"
    order = ours(stage)
    assert order is not None
    assert (order.live, order.told_over) == (True, True)
    stage.pass_ms(1_000)
    assert (ours(stage) or order).live is lives_later


def test_a_fill_may_come_after_its_cancel(stage: Stage) -> None:
    """At the order's own price."""
    assert cancelled(stage, FaultKind.LATE_FILL, ms=1_000)["status"] == "canceled"
    stage.pass_ms(1_000)
    order = ours(stage)
    assert order is not None
    assert [(fill.amount, fill.price) for fill in order.fills] == [(D("0.5"), D(99))]


def test_a_cancel_may_wait_in_a_queue(stage: Stage) -> None:
    """And is then done."""
    assert cancelled(stage, FaultKind.DELAYED, ms=1_000)["status"] == "canceled"
    assert stage.clock.monotonic_ns() > 10**9


def test_the_reply_to_a_cancel_may_be_something_else(stage: Stage) -> None:
    """The cancel was done."""
    assert cancelled(stage, FaultKind.GARBLED) == {"info": {}}
    order = ours(stage)
    assert order is not None
    assert not order.live
