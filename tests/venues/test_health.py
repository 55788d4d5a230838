"""A reading of a venue, which never raises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt
import pytest
from fakes import FakeExchange
from lab import SECRETS, Lab

from fsm_arb.values import HealthStatus
from fsm_arb.venues.health import clock_offset, has_secrets, read
from fsm_arb.venues.scrub import Scrubber


class HandClock:
    """Moves a millisecond at each look."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000_000_000

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        self.now_ns += 1_000_000
        return self.now_ns


async def reading(exchange: Any) -> Any:
    return await read(exchange, exchange, HandClock(), Scrubber(exchange))


class Timed(FakeExchange):
    """Tells the time, and how it is."""

    word = "ok"
    offset_ms = 0

    async def fetch_status(self) -> dict[str, Any]:
        self._called("fetch_status")
        return {"status": self.word}

    async def fetch_time(self) -> int:
        self._called("fetch_time")
        return 1_000_000_000_000 + self.offset_ms


@pytest.mark.parametrize(
    ("word", "expected"),
    [("ok", HealthStatus.UP), ("maintenance", HealthStatus.DOWN), ("shutdown", HealthStatus.DOWN),
     ("something else", HealthStatus.DEGRADED)],
)  # fmt: skip
async def test_the_venues_own_word_counts(word: str, expected: HealthStatus) -> None:
    """A word that we do not know is no clean bill."""
    exchange = Timed()
    exchange.word = word
    health = await reading(exchange)
    assert health.status is expected
    assert (health.note == "") is (expected is HealthStatus.UP)


async def test_latency_and_offset_are_measured() -> None:
    """The venue's time is compared with the middle of the call."""
    exchange = Timed()
    exchange.offset_ms = 1270
    health = await reading(exchange)
    assert health.latency_ms == 1
    assert abs(health.clock_offset_ms - 1270) <= 2


async def test_the_clock_alone_is_compared_where_the_venue_tells_the_time() -> None:
    """Nothing is asked in its place, and no answer is none."""
    exchange = Timed()
    exchange.offset_ms = -1270
    offset_ms = await clock_offset(exchange, HandClock())
    assert offset_ms is not None
    assert abs(offset_ms + 1270) <= 2
    assert exchange.asked() == ["fetch_time"]
    untimed = FakeExchange()
    assert await clock_offset(untimed, HandClock()) is None
    assert untimed.asked() == []
    assert await clock_offset(Timed(fails={"fetch_time": ccxt.NetworkError("x")}), HandClock()) is None


async def test_without_a_time_the_cheapest_read_is_made() -> None:
    """It says how late the venue is, and nothing of its clock."""
    exchange = FakeExchange()
    health = await reading(exchange)
    assert (health.status, health.latency_ms, health.clock_offset_ms) == (HealthStatus.UP, Decimal(1), None)
    assert exchange.asked() == ["fetch_balance"]


@pytest.mark.parametrize("failing", ["fetch_status", "fetch_time"])
async def test_no_answer_is_down(failing: str) -> None:
    """With the reason, and without the key."""
    exchange = Timed(fails={failing: ccxt.NetworkError(f"no {SECRETS['apiKey']}")})
    exchange.apiKey = SECRETS["apiKey"]  # type: ignore[attr-defined]
    health = await reading(exchange)
    assert health.status is HealthStatus.DOWN
    assert "NetworkError" in health.note
    assert SECRETS["apiKey"] not in health.note


def test_secrets_are_asked_of_ccxt_and_seen_on_look_alikes() -> None:
    """An object that knows of no key is taken to need none."""
    assert has_secrets(object())
    exchange = FakeExchange()
    exchange.apiKey = "key"  # type: ignore[attr-defined]
    exchange.secret = None  # type: ignore[attr-defined]
    assert not has_secrets(exchange)
    exchange.secret = SECRETS["secret"]  # type: ignore[attr-defined]
    assert has_secrets(exchange)
    assert not has_secrets(ccxt.upbit())
    assert has_secrets(ccxt.upbit({"apiKey": "a", "secret": "b"}))

    class Raising:
        def check_required_credentials(self, _error: bool) -> bool:
            raise ccxt.AuthenticationError("x")

    assert not has_secrets(Raising())


async def test_upbit_is_read_by_its_balance(make_lab: Any) -> None:
    """It tells neither status nor time."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("GET", "/v1/accounts", [])
    assert (await lab.venue.health()).status is HealthStatus.UP
    assert [one.path for one in lab.capture.seen] == ["/v1/accounts"]


async def test_usd_m_is_not_judged_by_the_spot_service(make_lab: Any) -> None:
    """ccxt asks the spot host how it is; the futures host is where the orders go."""
    lab: Lab = make_lab("binanceusdm")
    lab.capture.on("GET", "/fapi/v1/time", {"serverTime": 1})
    health = await lab.venue.health()
    assert health.status is HealthStatus.UP
    assert {one.host for one in lab.capture.seen} == {"fapi.binance.com"}
