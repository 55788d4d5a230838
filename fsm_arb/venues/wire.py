"""See an order leave: who asks for it, when its bytes were written, what came back.

ccxt queues a request behind its rate limiter, then opens a connection, then
writes. An order may grow too old at each of these. So a context travels with
the call (a context variable, as tasks inherit it), and three hooks on the
exchange object read it: its `fetch` (after the queue), the HTTP client's trace
(after the connection, before the first byte) and `on_rest_response`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from attrs import define

from fsm_arb.ports import Wire
from fsm_arb.venues.scrub import note_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsm_arb.ports import Clock

BODY_CHARS_MAX = 4_000  # of a reply that is kept for the journal
_WIRED = "_fsm_arb_wired"
_OURS = frozenset({"fetch", "on_rest_response", "number"})  # what this package itself replaces
_TRUSTED = frozenset({"ccxt", "fsm_arb"})  # packages whose functions may stand in an exchange's place of methods
_ON_THE_WAY = ("create_order", "request", "fetch2", "fetch")  # from the unified call to the HTTP client


class TooOld(Exception):
    """The order was no longer fresh just before it would have been written."""


@define(eq=False)
class Call:
    """One logical call on a venue, and what of it reached the socket."""

    clock: Clock
    fresh: Callable[[], bool] | None = None  # None: a call that cannot grow too old
    urgent: bool = False  # served before reads by our rate limiter
    mark: str | None = None  # text that only the order's own request carries; None: every request counts
    sent_at_ns: int | None = None  # wall clock UTC, of the last counted request
    received_at_ns: int | None = None
    http_status: int | None = None
    body: str | None = None  # of the last reply
    offset_ms: int | None = None  # the venue's clock minus ours, at most, as its replies are dated; None: they are not
    unreadable: bool = False  # whether the last reply was no JSON; ccxt reads such a list as an empty one
    asked: int = 0  # counted requests handed to the HTTP client
    traced: int = 0  # those whose writing we would see
    written: int = 0  # those that were seen to be written

    def counts(self, method: str, url: str, body: object) -> bool:
        """Whether this request is the order's own; reads that ccxt makes on the way are not."""
        if self.mark is None or method.upper() != "GET":
            return True
        return self.mark in url or self.mark in str(body)

    def ask(self) -> None:
        """Make sure that the order may still be sent.

        Raises:
            TooOld: It may not.
        """
        if self.fresh is not None and not self.fresh():
            raise TooOld

    @property
    def proven_unsent(self) -> bool:
        """Whether no byte of any counted request can have left."""
        return self.written == 0 and self.traced == self.asked

    def wire(self) -> Wire:
        """Return the times as they are recorded."""
        return Wire(
            sent_at_ns=None if self.proven_unsent else self.sent_at_ns,
            received_at_ns=self.received_at_ns,
            http_status=self.http_status,
        )


_CALL: ContextVar[Call | None] = ContextVar("fsm_arb_call", default=None)
_REQUEST: ContextVar[Call | None] = ContextVar("fsm_arb_request", default=None)  # only while a counted one is out


@contextlib.contextmanager
def calling(call: Call) -> Iterator[Call]:
    """Let the hooks see *call* for everything that is awaited inside.

    ccxt's precision helpers change the decimal context they find; here they find a copy.
    """
    token = _CALL.set(call)
    try:
        with decimal.localcontext():
            yield call
    finally:
        _CALL.reset(token)


def current() -> Call | None:
    """Return the call that is being made, if any."""
    return _CALL.get()


def is_wired(exchange: Any) -> bool:
    """Whether the hooks are on this object."""
    return bool(getattr(exchange, _WIRED, False))


def sees_orders(exchange: Any) -> bool:
    """Whether every order of this object passes the hooks: they are on, and nobody replaced what leads to them."""
    if not is_wired(exchange):
        return False
    cls = type(exchange)
    replaced = any(
        callable(value) and callable(getattr(cls, name, None)) and _home(value) not in _TRUSTED
        for name, value in vars(exchange).items()
        if name not in _OURS
    )
    return not replaced and all(_defined_by_ccxt(cls, name) for name in _ON_THE_WAY)


def _defined_by_ccxt(cls: type, name: str) -> bool:
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    return owner is not None and _home(owner) == "ccxt"


def _home(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]


def instrument(exchange: Any) -> None:
    """Put the hooks on this instance, once. An object without `fetch` is left as it is."""
    if is_wired(exchange) or not callable(getattr(exchange, "fetch", None)):
        return
    inner = exchange.fetch

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        note_signed(exchange, url, headers, body)
        call = _CALL.get()
        if call is None or not call.counts(method, url, body):
            return await inner(url, method, headers, body)
        call.ask()
        call.asked += 1
        call.received_at_ns = call.http_status = call.body = None
        call.unreadable = False
        call.sent_at_ns = call.clock.time_ns()
        _watch_writes(exchange)
        token = _REQUEST.set(call)
        try:
            answer = await inner(url, method, headers, body)
        finally:
            _REQUEST.reset(token)
        call.unreadable = isinstance(answer, str | bytes)
        return answer

    exchange.fetch = fetch
    _instrument_replies(exchange)
    setattr(exchange, _WIRED, True)


def _instrument_replies(exchange: Any) -> None:
    heard = getattr(exchange, "on_rest_response", None)
    if heard is None:
        return

    def on_rest_response(*args: Any, **kwargs: Any) -> Any:
        text = heard(*args, **kwargs)
        call = _REQUEST.get()
        if call is not None:
            call.received_at_ns = call.clock.time_ns()
            call.http_status = args[0] if args else kwargs.get("code")
            call.body = str(text)[:BODY_CHARS_MAX]
            headers = args[4] if len(args) > 4 else kwargs.get("response_headers")  # noqa: PLR2004 - ccxt's own order
            offset_ms = _offset_ms(headers, call.received_at_ns)
            call.offset_ms = call.offset_ms if offset_ms is None else offset_ms
        return text

    exchange.on_rest_response = on_rest_response


def _offset_ms(headers: object, now_ns: int) -> int | None:
    """Return how far ahead of us the clock that dated a reply can be, ms; None where it is not dated now."""
    if not isinstance(headers, dict):
        return None
    named = {str(key).lower(): str(value) for key, value in headers.items()}
    if "age" in named:  # out of a cache, which keeps the date of old
        return None
    try:
        dated = parsedate_to_datetime(named.get("date", ""))
    except ValueError:
        return None
    whole_second = dated if dated.tzinfo else dated.replace(tzinfo=dt.UTC)
    return int(whole_second.timestamp()) * 1000 + 999 - now_ns // 1_000_000


async def _on_start(_session: Any, _context: Any, _params: Any) -> None:
    call = _REQUEST.get()
    if call is not None:
        call.traced += 1


async def _on_headers(_session: Any, _context: Any, _params: Any) -> None:
    # aiohttp asks here after the connection stands and before it writes the first byte.
    call = _REQUEST.get()
    if call is not None:
        call.ask()
        call.written += 1
        call.sent_at_ns = call.clock.time_ns()


def _watch_writes(exchange: Any) -> None:
    """Trace the session's writes. A lent session gets a trace that says nothing about other people's requests."""
    with contextlib.suppress(Exception):  # a closed exchange says so itself, in a moment
        exchange.open(lazy=True)
    session = getattr(exchange, "session", None)
    traces = getattr(session, "trace_configs", None)
    if not isinstance(traces, list) or any(getattr(trace, _WIRED, False) for trace in traces):
        return
    import aiohttp

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_on_start)
    trace.on_request_headers_sent.append(_on_headers)
    trace.freeze()
    setattr(trace, _WIRED, True)
    traces.append(trace)
