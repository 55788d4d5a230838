"""Make an exchange object safe to trade with, or say which option must change."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from fsm_arb.errors import VenueMisconfigured
from fsm_arb.venues import wire
from fsm_arb.venues.throttle import OrdersFirst

if TYPE_CHECKING:
    from decimal import Decimal

    from fsm_arb.venues.dialect import Dialect
    from fsm_arb.venues.scrub import Scrubber

log = logging.getLogger(__name__)

UNIFIED = ("create_order", "fetch_order", "cancel_order", "fetch_balance", "load_markets", "fetch_open_orders")


def is_ccxt(exchange: object) -> bool:
    """Whether this is an exchange of the ccxt library, or a subclass of one."""
    return any(cls.__module__.partition(".")[0] == "ccxt" for cls in type(exchange).__mro__)


def is_synchronous(exchange: object) -> bool:
    """Whether its calls block: ccxt's classes say so; of others no method is a coroutine function."""
    declared = getattr(exchange, "synchronous", None)
    if isinstance(declared, bool):
        return declared
    plain = [getattr(exchange, name) for name in UNIFIED if inspect.isroutine(getattr(exchange, name, None))]
    return bool(plain) and not any(inspect.iscoroutinefunction(method) for method in plain)


def make_safe(exchange: Any, dialect: Dialect, name: str) -> None:
    """Apply the settings that orders need to *exchange*, once; objects that are not ccxt's are left alone.

    Raises:
        VenueMisconfigured: One of them cannot be applied; the message names it.
    """
    if not is_ccxt(exchange):
        return
    _set(exchange, "number", str, name)  # exact amounts; floats would round them
    _set(exchange, "maxRetriesOnFailure", 0, name)
    options = getattr(exchange, "options", None)
    if not isinstance(options, dict):
        raise VenueMisconfigured(f"{name}: options of the exchange object is {type(options).__name__}, must be a dict")
    options["maxRetriesOnFailure"] = 0  # one call once made three orders
    for path, value in dialect.options.items():
        _set_option(options, path, value, name)
    _relax_throttle(exchange, dialect)
    wire.instrument(exchange)


def follow_clock(exchange: Any, offset_ms: Decimal) -> None:
    """Let ccxt sign with the venue's clock: a request stamped by a clock that is off is refused, hedges too.

    Args:
        exchange: Left alone where its class knows no ``timeDifference``.
        offset_ms: The venue's clock minus ours.
    """
    options = getattr(exchange, "options", None)
    if is_ccxt(exchange) and isinstance(options, dict) and "timeDifference" in options:
        options["timeDifference"] = -int(offset_ms)  # ours minus the venue's, as ccxt counts


class Discreet(logging.LoggerAdapter[logging.Logger]):
    """ccxt's own log lines without secrets: at DEBUG it writes whole requests, keys and signatures among them."""

    def __init__(self, logger: logging.Logger, scrub: Scrubber) -> None:
        super().__init__(logger, {})
        self._scrub = scrub

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line once its secrets are hidden."""
        if self.isEnabledFor(level):
            text = str(msg) % args if args else str(msg)
            self.logger.log(level, "%s", self._scrub.line(text), **kwargs)

    @classmethod
    def put_on(cls, exchange: Any, scrub: Scrubber) -> None:
        """Take the place of a ccxt exchange's logger, and of what it prints where it is told to be verbose; once."""
        logger = getattr(exchange, "logger", None)
        if is_ccxt(exchange) and isinstance(logger, logging.Logger):
            exchange.logger = cls(logger, scrub)
            printed = exchange.log
            exchange.log = lambda *args: printed(*(scrub.line(str(each)) for each in args))


def _set(exchange: Any, attribute: str, value: object, name: str) -> None:
    try:
        setattr(exchange, attribute, value)
    except (AttributeError, TypeError) as error:
        raise VenueMisconfigured(
            f"{name}: {attribute} of the exchange object must be {value!r} and cannot be set"
        ) from error
    if getattr(exchange, attribute, None) != value:
        raise VenueMisconfigured(f"{name}: {attribute} of the exchange object must be {value!r} and does not stay so")


def _set_option(options: dict[str, Any], path: str, value: object, name: str) -> None:
    *parents, last = path.split(".")
    place = options
    for part in parents:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise VenueMisconfigured(f"{name}: options[{part!r}] must be a dict that holds {last!r}: {value!r}")
        place = inner
    if last in place and place[last] != value:
        log.info("venue %s: options %s was %r, is now %r", name, path, place[last], value)
    place[last] = value


def _relax_throttle(exchange: Any, dialect: Dialect) -> None:
    """Put our rate limiter in the place of ccxt's leaky bucket; one that its owner chose stays."""
    throttler = getattr(exchange, "throttler", None)
    if isinstance(throttler, OrdersFirst) or not getattr(exchange, "enableRateLimit", False):
        return
    if getattr(exchange, "rateLimiterAlgorithm", "leakyBucket") != "leakyBucket":
        return
    bucket = getattr(exchange, "tokenBucket", None) or {}
    chosen = bucket.get("capacity", 1) != 1 or type(throttler).__module__.partition(".")[0] != "ccxt"
    rate_limit_ms = float(getattr(exchange, "rateLimit", 0) or 0)
    if chosen or rate_limit_ms <= 0:
        return
    exchange.throttler = OrdersFirst(rate_limit_ms, dialect.burst_s)
