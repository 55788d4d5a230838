"""What tests and demos do to the server, and what they learn from it: JSON under /control/, with a token."""

from __future__ import annotations

import asyncio
import json
import os
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from fsm_arb.matching.orders import UnknownOrder
from fsm_arb.testing.loopback.faults import Fault, Match, Operation
from fsm_arb.testing.loopback.markets import DIALECTS
from fsm_arb.testing.loopback.world import World, exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.testing.loopback.dialect import Dialect

TOKEN_HEADER = "X-Loopback-Token"  # noqa: S105 - a header's name
FOR_EVER_MS = 10**15


def _ladder(rows: list[list[str]]) -> Ladder:
    return [(Decimal(price), Decimal(amount)) for price, amount in rows]


class Control:
    """The control endpoints of one server."""

    def __init__(self, world: World, token: str, stopped: asyncio.Event) -> None:
        self._world = world
        self._token = token
        self._stopped = stopped
        self._handlers: dict[str, Callable[[dict[str, Any], int], Any]] = {
            "ping": self._ping,
            "truth": self._truth,
            "log": self._log,
            "balances": self._balances,
            "book": self._book,
            "free_book": self._free_book,
            "show_book": self._show_book,
            "move": self._move,
            "pace": self._pace,
            "skip": self._skip,
            "fault": self._fault,
            "profile": self._profile,
            "clear_faults": self._clear_faults,
            "down": self._down,
            "latency": self._latency,
            "clock": self._clock,
            "market": self._market,
            "fill": self._fill,
            "bust": self._bust,
            "stop": self._stop,
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one control request."""
        self._world.touched = time.monotonic()
        if request.headers.get(TOKEN_HEADER) != self._token:
            raise web.HTTPForbidden(text="the token is missing or wrong")
        handler = self._handlers.get(request.match_info["name"])
        if handler is None:
            raise web.HTTPNotFound(text="no such control")
        body = await request.read()
        try:
            with exact():
                answer = handler(json.loads(body) if body else {}, self._world.now_ms())
        except (KeyError, ValueError, ArithmeticError, UnknownOrder) as problem:
            raise web.HTTPBadRequest(text=f"{type(problem).__name__}: {problem}") from problem
        return web.json_response(answer)

    def _dialect(self, data: dict[str, Any]) -> Dialect:
        return self._world.dialects[data["dialect"]]

    # -------------------------------------------------------------- what is known

    def _ping(self, _data: dict[str, Any], now_ms: int) -> Any:
        world = self._world
        return {
            "pid": os.getpid(),
            "now_ms": now_ms,
            "started_ms": world.started_ms,
            "step": world.clock.step(now_ms),
            "options": world.options.to_json(),
            "pending_faults": world.faults.pending(),
            "profiles": {dialect: world.faults.profile(dialect) for dialect in DIALECTS},
        }

    def _truth(self, _data: dict[str, Any], now_ms: int) -> Any:
        return self._world.truth(now_ms)

    def _log(self, data: dict[str, Any], _now_ms: int) -> Any:
        return self._world.log_json(int(data.get("since", 0)))

    def _show_book(self, data: dict[str, Any], now_ms: int) -> Any:
        live = self._dialect(data).exchange.liquidity.book(data["symbol"], now_ms)
        return {
            "version": live.version,
            "bids": [[str(price), str(amount)] for price, amount in live.bids],
            "asks": [[str(price), str(amount)] for price, amount in live.asks],
        }

    # -------------------------------------------------------------- what is set

    def _balances(self, data: dict[str, Any], now_ms: int) -> Any:
        exchange = self._dialect(data).exchange
        exchange.advance(now_ms)
        initial = self._world.initial[data["dialect"]]
        for asset, free in data["balances"].items():
            before = exchange.account.balances()
            had = before[asset].free if asset in before else Decimal(0)
            exchange.account.put(asset, Decimal(free))
            # What is put in from outside is no result of trading.
            initial[asset] = initial.get(asset, Decimal(0)) + Decimal(free) - had
        return {}

    def _book(self, data: dict[str, Any], now_ms: int) -> Any:
        exchange = self._dialect(data).exchange
        exchange.advance(now_ms)
        exchange.set_book(data["symbol"], _ladder(data["bids"]), _ladder(data["asks"]), now_ms)
        return {}

    def _free_book(self, data: dict[str, Any], _now_ms: int) -> Any:
        self._dialect(data).exchange.liquidity.free(data["symbol"])
        return {}

    def _move(self, data: dict[str, Any], now_ms: int) -> Any:
        world = self._world
        world.advance(now_ms)
        world.clock.move(int(data.get("steps", 1)))
        world.advance(now_ms)
        return {"step": world.clock.step(now_ms)}

    def _pace(self, data: dict[str, Any], now_ms: int) -> Any:
        self._world.clock.set_pace(int(data["step_ms"]), now_ms)
        return {}

    def _skip(self, data: dict[str, Any], now_ms: int) -> Any:
        ms = int(data["ms"])
        if ms < 0:
            raise ValueError(f"ms={ms}: time does not run backwards")
        self._world.skipped_ms += ms
        self._world.advance(now_ms + ms)
        return {}

    def _latency(self, data: dict[str, Any], _now_ms: int) -> Any:
        self._world.latency_ms[self._dialect(data).name] = float(data["ms"])
        return {}

    def _clock(self, data: dict[str, Any], _now_ms: int) -> Any:
        self._dialect(data).clock_offset_ms = int(data["offset_ms"])
        return {}

    def _market(self, data: dict[str, Any], _now_ms: int) -> Any:
        band = data.get("band")
        self._dialect(data).exchange.change_market(
            data["symbol"], halted=data.get("halted"), band=None if band is None else Decimal(band)
        )
        return {}

    # -------------------------------------------------------------- what goes wrong

    def _fault(self, data: dict[str, Any], _now_ms: int) -> Any:
        match = Match(
            dialect=self._dialect(data).name, operation=Operation(data["operation"]), symbol=data.get("symbol")
        )
        self._world.faults.queue(match, Fault.from_json(data["fault"]), int(data.get("count", 1)))
        return {}

    def _profile(self, data: dict[str, Any], _now_ms: int) -> Any:
        self._world.faults.set_profile(data["profile"], data.get("dialects"))
        return {}

    def _clear_faults(self, _data: dict[str, Any], _now_ms: int) -> Any:
        self._world.faults.clear()
        return {}

    def _down(self, data: dict[str, Any], now_ms: int) -> Any:
        ms = data.get("ms")
        until_ms = FOR_EVER_MS if ms is None else (now_ms + int(ms) if ms else 0)
        self._world.faults.set_down(self._dialect(data).name, until_ms)
        return {}

    def _fill(self, data: dict[str, Any], now_ms: int) -> Any:
        exchange = self._dialect(data).exchange
        exchange.advance(now_ms)
        order = exchange.find(order_id=data.get("order_id"), client_id=data.get("client_id"), now_ms=FOR_EVER_MS)
        amount = order.remaining if data.get("amount") is None else Decimal(data["amount"])
        return {"filled": str(exchange.fill(order, amount, now_ms))}

    def _bust(self, data: dict[str, Any], now_ms: int) -> Any:
        execution = self._dialect(data).exchange.bust(int(data["trade_id"]), now_ms)
        return {"amount": str(execution.amount), "client_id": execution.client_id}

    def _stop(self, _data: dict[str, Any], _now_ms: int) -> Any:
        # After the answer is out.
        asyncio.get_running_loop().call_later(0.02, self._stopped.set)
        return {}
