"""Read how a venue is: up, late, or down."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from fsm_arb.values import Health, HealthStatus
from fsm_arb.venues import wire
from fsm_arb.venues.lookup import ensure_readable, offers

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Clock
    from fsm_arb.venues.scrub import Scrubber

NS_PER_MS = 1_000_000
STATUS_WORDS = {"ok": HealthStatus.UP, "maintenance": HealthStatus.DOWN, "shutdown": HealthStatus.DOWN,
                "error": HealthStatus.DOWN, "down": HealthStatus.DOWN, "degraded": HealthStatus.DEGRADED}  # fmt: skip


def has_secrets(exchange: Any) -> bool:
    """Whether the credentials that orders need are all there; an object that knows of none is taken to need none."""
    check = getattr(exchange, "check_required_credentials", None)
    if callable(check):
        try:
            return bool(check(False))  # noqa: FBT003 - ccxt's own signature
        except Exception:  # noqa: BLE001 - look-alikes raise instead
            return False
    named = [getattr(exchange, name) for name in ("apiKey", "secret") if hasattr(exchange, name)]
    return all(bool(value) for value in named)


async def read(exchange: Any, orders: Any, clock: Clock, scrub: Scrubber, *, tells_status: bool = True) -> Health:
    """Return a fresh reading of *exchange*; never raises.

    Args:
        exchange: Asked for status and time.
        orders: Its credentials count.
        clock: Measures the call.
        scrub: Takes secrets out of the note.
        tells_status: Whether fetch_status asks the service that takes the orders.
    """
    secrets = has_secrets(orders)
    try:
        with wire.calling(wire.Call(clock=clock)):
            status, note = await _status(exchange) if tells_status else (HealthStatus.UP, "")
            ensure_readable()
            if status is HealthStatus.DOWN:
                return Health(status=status, note=note, has_secrets=secrets)
            latency_ms, offset_ms = await _time(exchange, clock, secrets=secrets)
            ensure_readable()
    except Exception as error:  # noqa: BLE001 - no answer is the answer
        note = f"{type(error).__name__}: {scrub.message(error)}"
        return Health(status=HealthStatus.DOWN, note=note, has_secrets=secrets)
    return Health(status=status, note=note, latency_ms=latency_ms, clock_offset_ms=offset_ms, has_secrets=secrets)


async def clock_offset(exchange: Any, clock: Clock) -> Decimal | None:
    """Return the venue's clock minus ours, ms; None where it tells no time, or gives no answer. Never raises."""
    if not offers(exchange, "fetch_time"):
        return None
    try:
        with wire.calling(wire.Call(clock=clock)):
            _, offset_ms = await _time(exchange, clock, secrets=False)
            ensure_readable()
    except Exception:  # noqa: BLE001 - no answer is the answer
        return None
    return offset_ms


async def _status(exchange: Any) -> tuple[HealthStatus, str]:
    if not offers(exchange, "fetch_status"):
        return HealthStatus.UP, ""
    reply = await exchange.fetch_status()
    word = str(reply.get("status")) if isinstance(reply, dict) else str(reply)
    status = STATUS_WORDS.get(word, HealthStatus.DEGRADED)
    return status, "" if status is HealthStatus.UP else f"the venue says {word}"


async def _time(exchange: Any, clock: Clock, *, secrets: bool) -> tuple[Decimal | None, Decimal | None]:
    """Return latency and clock offset, ms; offset None where the venue tells no time."""
    call = _cheapest(exchange, secrets=secrets)
    if call is None:
        return None, None
    wall_before_ns, started_ns = clock.time_ns(), clock.monotonic_ns()
    reply = await call()
    taken_ns = clock.monotonic_ns() - started_ns
    latency_ms = Decimal(taken_ns) / NS_PER_MS
    if not isinstance(reply, int | float) or isinstance(reply, bool):
        return latency_ms, None
    # Taken halfway between question and answer; wrong by half the latency at most.
    middle_ms = Decimal(wall_before_ns + taken_ns // 2) / NS_PER_MS
    return latency_ms, Decimal(str(reply)) - middle_ms


def _cheapest(exchange: Any, *, secrets: bool) -> Callable[[], Any] | None:
    if offers(exchange, "fetch_time"):
        return partial(exchange.fetch_time)
    if secrets and offers(exchange, "fetch_balance"):
        return partial(exchange.fetch_balance)
    symbols = list(getattr(exchange, "markets", None) or ())
    if symbols and offers(exchange, "fetch_order_book"):
        return partial(exchange.fetch_order_book, symbols[0])
    return partial(exchange.load_markets) if offers(exchange, "load_markets") else None
