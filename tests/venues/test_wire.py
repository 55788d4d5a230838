"""What is seen of an order on its way out."""

from __future__ import annotations

import asyncio
import decimal
from typing import Any

import aiohttp
import pytest
from capture import Reply
from lab import Lab
from wires import WIRES

from fsm_arb.clock import SystemClock
from fsm_arb.ports import Acknowledged, InDoubt, Refused, Wire
from fsm_arb.venues import wire


def call(**changes: Any) -> wire.Call:
    return wire.Call(clock=SystemClock(), **changes)


async def test_the_question_is_asked_just_before_the_bytes(make_lab: Any) -> None:
    """Once after the queue, once more when the connection stands."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("POST", "/v1/orders", WIRES["upbit"].created)
    asked: list[int] = []

    def fresh() -> bool:
        asked.append(len(lab.capture.seen))
        return True

    assert isinstance(await lab.venue.place(lab.request(), fresh), Acknowledged)
    assert asked == [0, 0], "both before the server saw anything"


@pytest.mark.parametrize("answers", [[False], [True, False]], ids=["after the queue", "after the connection"])
async def test_an_order_that_grew_too_old_is_not_written(make_lab: Any, answers: list[bool]) -> None:
    """Whether it waited for its turn or for a handshake, nothing of it leaves."""
    lab: Lab = make_lab("upbit")
    left = iter(answers)
    outcome = await lab.venue.place(lab.request(), lambda: next(left))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.wire) == ("too_old", Wire())
    await asyncio.sleep(0.05)
    assert lab.capture.seen == []


async def test_the_session_stays_usable_after_an_order_that_was_not_written(make_lab: Any) -> None:
    """The connection that was made for it is thrown away, the next order goes out."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("POST", "/v1/orders", WIRES["upbit"].created)
    left = iter([True, False])
    await lab.venue.place(lab.request(), lambda: next(left))
    assert isinstance(await lab.place(), Acknowledged)


async def test_reads_on_the_way_are_not_the_order(make_lab: Any) -> None:
    """Bybit asks for the account's kind first; were that to fail, no order was sent."""
    lab: Lab = make_lab("bybit")
    lab.capture.on("GET", "/v5/user/query-api", Reply(status=503, text=""))
    lab.capture.on("GET", "/v5/account/info", Reply(status=503, text=""))
    outcome = await lab.place()
    assert isinstance(outcome, Refused), outcome
    assert (outcome.code, outcome.wire) == ("not_sent", Wire())


async def test_orders_at_the_same_time_keep_their_own_times(make_lab: Any) -> None:
    """The context travels with the call, not with the exchange."""
    lab: Lab = make_lab("upbit")
    delays = iter([0.2, 0.0])
    lab.capture.on("POST", "/v1/orders", lambda _: Reply(data=WIRES["upbit"].created, delay_s=next(delays)))
    slow, quick = await asyncio.gather(lab.place(), lab.place())
    assert slow.wire.received_at_ns - slow.wire.sent_at_ns > 150_000_000
    assert quick.wire.received_at_ns < slow.wire.received_at_ns


async def test_hooks_are_put_on_once(make_lab: Any) -> None:
    """Two venues over one exchange, or one made twice, ask once."""
    lab: Lab = make_lab("upbit")
    before = lab.exchange.fetch
    wire.instrument(lab.exchange)
    assert lab.exchange.fetch is before
    lab.capture.on("POST", "/v1/orders", WIRES["upbit"].created)
    await lab.place()
    await lab.place()
    assert len(lab.exchange.session.trace_configs) == 1


async def test_calls_of_others_pass_untouched(make_lab: Any) -> None:
    """The owner of the exchange goes on using it as before."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/accounts", [])
    assert await lab.exchange.fetch_balance()
    assert wire.current() is None


async def test_objects_without_a_fetch_are_left_alone() -> None:
    """There is nothing to hook."""
    thing = object()
    wire.instrument(thing)
    assert not wire.is_wired(thing)
    assert not wire.sees_orders(thing)


async def test_a_replaced_method_on_the_way_is_not_trusted(make_lab: Any) -> None:
    """Whoever answers in the place of ccxt's own request has hidden the wire."""
    lab: Lab = make_lab("upbit")
    assert wire.sees_orders(lab.exchange)

    async def request(*_args: Any, **_kwargs: Any) -> Any:
        raise TimeoutError

    lab.exchange.request = request
    assert not wire.sees_orders(lab.exchange)
    assert isinstance(await lab.place(), InDoubt)


async def test_a_session_of_another_kind_only_hides_the_write(make_lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the client's trace it is presumed that what was handed over was written."""
    lab: Lab = make_lab("upbit")
    monkeypatch.setattr(aiohttp.ClientSession, "trace_configs", property(lambda _self: ()))
    lab.capture.on("POST", "/v1/orders", WIRES["upbit"].created)
    assert isinstance(await lab.place(), Acknowledged)
    lab.capture.on("POST", "/v1/orders", Reply(drop=True))
    assert isinstance(await lab.place(), InDoubt)


def test_what_was_asked_and_not_seen_written_is_unsent() -> None:
    """Proof needs a trace of every request that was handed over."""
    assert call().proven_unsent
    assert call(asked=1, traced=1).proven_unsent
    assert not call(asked=1, traced=0).proven_unsent
    assert not call(asked=2, traced=2, written=1).proven_unsent
    assert call(asked=1, traced=1, sent_at_ns=5).wire() == Wire()


def test_only_the_orders_own_request_counts() -> None:
    """A read without the order's mark is somebody else's."""
    marked = call(mark="abc")
    assert not marked.counts("GET", "https://x/markets", None)
    assert marked.counts("GET", "https://x/order?id=abc", None)
    assert marked.counts("POST", "https://x/order", "{}")
    assert call().counts("GET", "https://x/markets", None)


def test_the_decimal_context_is_given_back() -> None:
    """ccxt's helpers round half up and set a trap; nobody else should."""
    before = decimal.getcontext().rounding
    with wire.calling(call()):
        decimal.getcontext().rounding = decimal.ROUND_HALF_UP
        assert wire.current() is not None
    assert decimal.getcontext().rounding == before


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "Thu, 01 Jan 1970 00:01:00 GMT"}, 59_999),
        ({"date": "Thu, 01 Jan 1970 00:00:00 -0000"}, -1),
        ({"Date": "Thu, 01 Jan 1970 00:01:00 GMT", "Age": "7"}, None),
        ({"Date": "soon"}, None),
        ({}, None),
        (None, None),
    ],
)
async def test_the_date_of_a_reply_tells_how_far_ahead_the_venue_can_be(headers: Any, expected: int | None) -> None:
    """To the second; a reply out of a cache is dated when it was made, and one without a date says nothing."""

    class Dated:
        async def fetch(self, url: str, method: str, _headers: Any, body: Any) -> Any:
            return self.on_rest_response(200, "OK", url, method, headers, "{}", {}, body)

        def on_rest_response(self, *args: Any) -> Any:
            return args[5]

    class Second(SystemClock):
        def time_ns(self) -> int:
            return 1_000_000_000

    exchange: Any = Dated()
    wire.instrument(exchange)
    with wire.calling(wire.Call(clock=Second())) as made:
        await exchange.fetch("https://x/order", "GET", None, None)
    assert made.offset_ms == expected


async def test_what_was_signed_is_known_when_it_comes_back(make_lab: Any) -> None:
    """A gateway that quotes the token by itself: neither the outcome nor what is kept of the reply repeats it."""
    lab: Lab = make_lab("upbit")

    def quoted(seen: Any) -> Reply:
        token = seen.headers["Authorization"].removeprefix("Bearer ")
        return Reply(status=503, text=f"rejected {token.rpartition('.')[2]}")

    lab.capture.on("POST", "/v1/orders", quoted)
    outcome = await lab.venue.place(lab.request(), lambda: True)
    (sent,) = [seen.headers["Authorization"] for seen in lab.capture.seen if seen.method == "POST"]
    assert isinstance(outcome, InDoubt)
    assert sent.rpartition(".")[2] not in repr(outcome)
    assert "rejected ***" in repr(outcome)
