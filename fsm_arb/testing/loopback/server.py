"""The server: requests in, faults around, dialects inside, controls beside."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import evolve

from fsm_arb.testing.loopback.control import Control
from fsm_arb.testing.loopback.dialect import Call, Effects, Reply, Route
from fsm_arb.testing.loopback.faults import Fault, FaultKind, Operation
from fsm_arb.testing.loopback.world import LogEntry, World, exact

if TYPE_CHECKING:
    from fsm_arb.testing.loopback.dialect import Dialect
    from fsm_arb.testing.loopback.options import Options

HOST = "127.0.0.1"
HTML = "<html><body><h1>{}</h1></body></html>"
HTTP_OK = 200
HTTP_TOO_MANY = 429
HTTP_UNAVAILABLE = 503
_GATEWAY = {FaultKind.ERROR_502: 502, FaultKind.ERROR_503: 503, FaultKind.ERROR_504: 504}
_BODIES = {
    FaultKind.EMPTY_200: "",
    FaultKind.BAD_JSON_200: '{"uuid": "0d8c',
    FaultKind.HTML_200: HTML.format("Please wait"),
}
_LOST = {FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.ACCEPTED_LATE}


def effects_of(fault: Fault | None) -> Effects:
    """Return how *fault* bends the execution."""
    if fault is None:
        return Effects()
    kind = fault.kind
    return Effects(
        share=fault.share if kind in {FaultKind.PARTIAL, FaultKind.LATE_FILL} else None,
        late_fill_ms=fault.ms if kind is FaultKind.LATE_FILL else None,
        hidden_ms=fault.ms if kind is FaultKind.HIDDEN else 0,
        stale_ms=fault.ms if kind is FaultKind.STALE else 0,
        cancel_race=kind is FaultKind.CANCEL_RACE,
        cancel_lost=kind is FaultKind.CANCEL_LOST,
        duplicate_trade=kind is FaultKind.DUPLICATE_TRADE,
        old_balance=kind is FaultKind.OLD_BALANCE,
    )


class LoopbackServer:
    """The exchange on loopback. Bound to 127.0.0.1, and to nothing else."""

    def __init__(self, options: Options) -> None:
        with exact():
            self.world = World(options)
        self.token = secrets.token_hex(16)
        self.port = 0
        self.stopped = asyncio.Event()
        self._latency = random.Random(f"{options.seed}/latency")  # noqa: S311 - repeatable
        self._runner: web.AppRunner | None = None
        self._control = Control(self.world, self.token, self.stopped)

    async def start(self, port: int = 0) -> int:
        """Listen; return the port."""
        app = web.Application()
        app.router.add_route("*", "/control/{name}", self._control.handle)
        app.router.add_route("*", "/{dialect}/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self.port

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self.stopped.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # -------------------------------------------------------------- one request

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        arrived_ms = self.world.now_ms()
        dialect = self.world.dialects.get(request.match_info["dialect"])
        if dialect is None:
            raise web.HTTPNotFound
        call = dialect.parse(
            Call(
                method=request.method,
                path=request.rel_url.path[len(dialect.name) + 1 :],
                raw_query=request.rel_url.raw_query_string,
                body=await request.read(),
                headers=request.headers,
                now_ms=arrived_ms,
                skipped_ms=self.world.skipped_ms,
            )
        )
        route = dialect.routes.get((call.method, call.path))
        if route is None:
            self._log(call, dialect, Operation.META, None)
            return _response(dialect.no_route())
        market = dialect.market_of(call)
        down = self.world.faults.is_down(dialect.name, arrived_ms)
        symbol = market.symbol if market is not None else None
        fault = None if down else self.world.faults.draw(dialect.name, route.operation, symbol)
        if down or (fault is not None and fault.kind is FaultKind.DOWN):
            if fault is not None:
                self.world.faults.set_down(dialect.name, arrived_ms + fault.ms)
            entry = self._log(call, dialect, route.operation, Fault(kind=FaultKind.DOWN))
            entry.executed, entry.status = False, HTTP_UNAVAILABLE
            return _html(HTTP_UNAVAILABLE)
        entry = self._log(call, dialect, route.operation, fault)
        await self._pause(dialect)
        if fault is None:
            reply = self._execute(dialect, route, call, entry)
            entry.status = reply.status
            return _response(reply)
        return await self._with_fault(request, route, call, fault, entry)

    def _log(self, call: Call, dialect: Dialect, operation: Operation, fault: Fault | None) -> LogEntry:
        self.world.requests += 1
        entry = LogEntry(
            seq=self.world.requests,
            at_ms=call.now_ms,
            dialect=dialect.name,
            operation=operation.value,
            method=call.method,
            path=call.path,
            client_id=dialect.client_id_of(call),
            fault=fault.kind.value if fault else None,
        )
        self.world.enter(entry)
        return entry

    async def _pause(self, dialect: Dialect) -> None:
        typical_ms = self.world.latency_ms[dialect.name]
        if typical_ms:
            await asyncio.sleep(typical_ms * self._latency.uniform(0.5, 1.5) / 1000)

    def _execute(self, dialect: Dialect, route: Route, call: Call, entry: LogEntry, at_ms: int | None = None) -> Reply:
        with exact():
            reply = dialect.answer(evolve(call, now_ms=self.world.now_ms() if at_ms is None else at_ms), route)
        entry.executed = True
        return reply

    # -------------------------------------------------------------- one fault

    async def _with_fault(
        self, request: web.Request, route: Route, call: Call, fault: Fault, entry: LogEntry
    ) -> web.StreamResponse:
        kind, dialect = fault.kind, self.world.dialects[entry.dialect]
        call = evolve(call, effects=effects_of(fault))
        entry.executed = False
        if kind is FaultKind.ACCEPTED_LATE:
            dialect.exchange.schedule(
                call.now_ms + fault.ms, lambda at_ms: self._late(dialect, route, call, entry, at_ms)
            )
        elif kind is FaultKind.DELAY_BEFORE:
            await asyncio.sleep(fault.ms / 1000)
        reply = self._reply(dialect, route, call, fault, entry)
        if kind in _LOST:
            return _drop(request)
        entry.status = reply.status
        if kind is FaultKind.DELAY_AFTER:
            await asyncio.sleep(fault.ms / 1000)
        if kind is FaultKind.TRUNCATED:
            return await _truncate(request, reply)
        if kind in _BODIES:
            entry.status = HTTP_OK
            return _text(_BODIES[kind], "text/html" if kind is FaultKind.HTML_200 else "application/json")
        if kind in _GATEWAY:
            return _html(_GATEWAY[kind])
        return _response(reply)

    def _reply(self, dialect: Dialect, route: Route, call: Call, fault: Fault, entry: LogEntry) -> Reply:
        kind = fault.kind
        if kind is FaultKind.REFUSED:
            with exact():
                return dialect.not_refused_for_a_reason(call, route.operation)
        if kind is FaultKind.RATE_LIMITED:
            return Reply(status=HTTP_TOO_MANY, body=dialect.rate_limited())
        never = kind in {FaultKind.LOST_BEFORE, FaultKind.ACCEPTED_LATE}
        open_kind = kind is FaultKind.ERROR_500 or kind in _GATEWAY or kind in _BODIES
        reply = Reply(status=HTTP_OK, body={})
        if not never and (fault.executed or not open_kind):
            reply = self._execute(dialect, route, call, entry)
        if kind is FaultKind.ERROR_500:
            return Reply(status=500, body=dialect.error_500())
        return Reply(status=_GATEWAY[kind], body="") if kind in _GATEWAY else reply

    def _late(self, dialect: Dialect, route: Route, call: Call, entry: LogEntry, at_ms: int) -> None:
        self._execute(dialect, route, call, entry, at_ms)


def _response(reply: Reply) -> web.Response:
    text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(status=reply.status, text=text, content_type="application/json")


def _text(text: str, content_type: str) -> web.Response:
    return web.Response(status=HTTP_OK, text=text, content_type=content_type)


def _html(status: int) -> web.Response:
    return web.Response(status=status, text=HTML.format(f"{status}"), content_type="text/html")


def _drop(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _truncate(request: web.Request, reply: Reply) -> web.StreamResponse:
    body = json.dumps(reply.body, ensure_ascii=False).encode()
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def describe(server: LoopbackServer, pid: int) -> dict[str, Any]:
    """Return what a later process needs to rejoin *server*."""
    return {"pid": pid, "host": HOST, "port": server.port, "token": server.token}
