"""Start, rejoin and command the exchange on loopback; get real ccxt objects that talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from fsm_arb.testing.loopback.control import TOKEN_HEADER
from fsm_arb.testing.loopback.faults import Fault, FaultKind, Operation
from fsm_arb.testing.loopback.options import Options
from fsm_arb.testing.loopback.server import LoopbackServer, describe
from fsm_arb.testing.loopback.truth import Log, Truth, VenueTruth
from fsm_arb.testing.loopback.wiring import ProductionSession, ccxt_config
from fsm_arb.values import Level, OrderBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

START_TIMEOUT_S = 20.0
IDLE_EXIT_S = 900.0  # a process that nobody talks to ends by itself
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}  # servers that this process started; they may outlive it


class LoopbackUnavailable(Exception):
    """The server did not start, or refuses a command."""


class LoopbackExchange:
    """A running server and the line to it.

    ``async with LoopbackExchange(seed=7)`` runs it in this event loop and ends
    it on leaving. `start_process` runs it as a process that outlives its
    clients, `rejoin` finds such a process again; leaving the context of those
    two closes the line only, `stop` ends the server.
    """

    def __init__(self, options: Options | None = None, **changes: Any) -> None:
        """Prepare a server for this event loop; *changes* are fields of `Options`."""
        self.options = options if options is not None else Options(**changes)
        self.pid = 0
        self.port = 0
        self._token = ""
        self._server: LoopbackServer | None = None
        self._session: aiohttp.ClientSession | None = None
        self._exchanges: list[Any] = []
        self._lent: list[ProductionSession] = []
        self.state_file: Path | None = None

    # -------------------------------------------------------------- begin and end

    @classmethod
    async def start_process(
        cls, state_file: str | Path | None = None, *, options: Options | None = None, **changes: Any
    ) -> LoopbackExchange:
        """Start the server as a process of its own and join it.

        Args:
            state_file: Where later processes find it; a temporary file if left out.
            options: How it is set up; or give the fields of `Options` by name.
            changes: Fields of `Options`; `idle_exit_s` is 900 unless given.

        Raises:
            LoopbackUnavailable: It did not come up in `START_TIMEOUT_S`.
        """
        chosen = options if options is not None else Options(**{"idle_exit_s": IDLE_EXIT_S, **changes})
        path = Path(state_file) if state_file is not None else _new_state_file()
        child = _spawn(path, chosen)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and child.poll() is None:
            joined = await cls.rejoin(path)
            if joined is not None:
                return joined
            await asyncio.sleep(0.02)
        child.kill()
        raise LoopbackUnavailable(f"no server after {START_TIMEOUT_S} s (exit code {child.poll()})")

    @classmethod
    async def rejoin(cls, state_file: str | Path) -> LoopbackExchange | None:
        """Join the living server that wrote *state_file*; None if there is none."""
        path = Path(state_file)
        state = _read_state(path)
        if state is None:
            return None
        exchange = cls()
        exchange.pid, exchange.port, exchange._token = state
        exchange.state_file = path
        try:
            answer = await exchange.control("ping")
        except (aiohttp.ClientError, LoopbackUnavailable, TimeoutError):
            answer = {}
        if answer.get("pid") != exchange.pid:
            await exchange.aclose()
            return None
        exchange.options = Options.from_json(json.dumps(answer["options"]))
        return exchange

    async def start(self, port: int = 0) -> Self:
        """Run the server in this event loop."""
        self._server = LoopbackServer(self.options)
        await self._server.start(port)
        state = describe(self._server, os.getpid())
        self.pid, self.port, self._token = state["pid"], state["port"], state["token"]
        return self

    async def __aenter__(self) -> Self:
        return self if self.port else await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the ccxt objects and the line; end the server if it runs in this event loop."""
        for exchange in self._exchanges:
            await exchange.close()
        for session in self._lent:
            await session.close()
        self._exchanges.clear()
        self._lent.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def stop(self) -> None:
        """End the server, wherever it runs, and close the line."""
        if self._server is None:
            with contextlib.suppress(aiohttp.ClientError, LoopbackUnavailable):
                await self.control("stop")
            await self._gone()
        await self.aclose()

    async def kill(self) -> None:
        """End a server process as `kill -9` does, and close the line."""
        if self._server is not None:
            raise LoopbackUnavailable("the server runs in this very process")
        os.kill(self.pid, signal.SIGKILL)
        await self._gone()
        await self.aclose()

    async def _gone(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if not _alive(self.pid):
                break
            await asyncio.sleep(0.01)

    # -------------------------------------------------------------- ccxt

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def ccxt_config(self, name: str, **changes: Any) -> dict[str, Any]:
        """Return a constructor's config for the ccxt class *name*: loopback URLs, planted keys, safe options."""
        return {**ccxt_config(name, self.url), **changes}

    def ccxt(self, name: str, *, production_urls: bool = False, **changes: Any) -> Any:
        """Return a real ``ccxt.async_support`` object that talks to this server; closed with it.

        Args:
            name: `upbit`, `binance` or `binanceusdm`.
            production_urls: Leave ccxt's URLs alone and lend it a session that leads every one of them here;
                then ccxt maps errors by its tables for production hosts.
            changes: Further entries of the config.
        """
        import ccxt.async_support as ccxt

        config = self.ccxt_config(name, **changes)
        if production_urls:
            config.pop("urls")
            self._lent.append(ProductionSession(self.url, name))
            config["session"] = self._lent[-1]
        exchange = getattr(ccxt, name)(config)
        self._exchanges.append(exchange)
        return exchange

    # -------------------------------------------------------------- commands

    async def control(self, name: str, **data: Any) -> Any:
        """Send one command and return its answer.

        Raises:
            LoopbackUnavailable: It was refused.
            aiohttp.ClientError: Nobody listens.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        url = f"{self.url}/control/{name}"
        async with self._session.post(url, json=data, headers={TOKEN_HEADER: self._token}) as response:
            text = await response.text()
            if response.status != 200:  # noqa: PLR2004 - OK
                raise LoopbackUnavailable(f"{name}: {response.status} {text}")
            return json.loads(text)

    async def set_balances(self, dialect: str, **free: Decimal | str | int) -> None:
        """Set what is free, by asset."""
        await self.control("balances", dialect=dialect, balances={asset: str(amount) for asset, amount in free.items()})

    async def set_book(
        self,
        dialect: str,
        symbol: str,
        *,
        bids: Iterable[tuple[object, object]] = (),
        asks: Iterable[tuple[object, object]] = (),
    ) -> None:
        """Fix a book: (price, amount) each. It shrinks as it is taken and moves no more by itself."""
        sides = {
            "bids": [[str(price), str(amount)] for price, amount in bids],
            "asks": [[str(price), str(amount)] for price, amount in asks],
        }
        await self.control("book", dialect=dialect, symbol=symbol, **sides)

    async def free_book(self, dialect: str, symbol: str) -> None:
        """Let a fixed book move by itself again."""
        await self.control("free_book", dialect=dialect, symbol=symbol)

    async def book(self, dialect: str, symbol: str) -> OrderBook:
        """Return a book as it stands, unharmed by faults."""
        data = await self.control("show_book", dialect=dialect, symbol=symbol)
        sides = {
            side: tuple(Level(Decimal(price), Decimal(amount)) for price, amount in data[side])
            for side in ("bids", "asks")
        }
        return OrderBook(bids=sides["bids"], asks=sides["asks"])

    async def move(self, steps: int = 1) -> int:
        """Move the generated books *steps* ahead; return the step that holds now."""
        return int((await self.control("move", steps=steps))["step"])

    async def set_pace(self, step_ms: int) -> None:
        """Let a book stand for *step_ms* milliseconds; zero stops them all."""
        await self.control("pace", step_ms=step_ms)

    async def inject(
        self,
        dialect: str,
        operation: Operation | str,
        fault: Fault | FaultKind | str,
        *,
        count: int = 1,
        symbol: str | None = None,
        **fields: Any,
    ) -> None:
        """Let a fault meet the next *count* requests for *operation*.

        Args:
            dialect: Which venue.
            operation: `create`, `cancel`, `fetch`, `list`, `book`, `balance` or `meta`.
            fault: What goes wrong.
            count: How often.
            symbol: Only requests that name this market.
            fields: `ms`, `share` and `executed` of the fault, when only its kind is given.
        """
        if isinstance(fault, Fault):
            content = fault.to_json()
        else:
            content = {"kind": FaultKind(fault).value} | {
                name: str(value) if name == "share" else value for name, value in fields.items()
            }
        word = Operation(operation).value
        await self.control("fault", dialect=dialect, operation=word, fault=content, count=count, symbol=symbol)

    async def set_profile(self, profile: str, *dialects: str) -> None:
        """Draw faults from `none`, `some` or `many`; for some dialects, or for all."""
        await self.control("profile", profile=profile, dialects=list(dialects) or None)

    async def clear_faults(self) -> None:
        """Forget queued faults, end outages, draw none."""
        await self.control("clear_faults")

    async def pending_faults(self) -> int:
        """Return how many queued faults have met nothing yet."""
        return int((await self.control("ping"))["pending_faults"])

    async def down(self, dialect: str, ms: int | None = None) -> None:
        """Let a venue answer 503 to everything, for *ms* milliseconds or until `up`."""
        await self.control("down", dialect=dialect, ms=ms)

    async def up(self, dialect: str) -> None:
        """End an outage."""
        await self.control("down", dialect=dialect, ms=0)

    async def skip(self, ms: int) -> None:
        """Let *ms* milliseconds pass at once for all that is timed on the server; its clocks stay right.

        Late fills, hidden orders, outages and books come forward; a reply that is being delayed does not.
        """
        await self.control("skip", ms=ms)

    async def set_latency(self, dialect: str, ms: float) -> None:
        """Set the typical delay of a reply, milliseconds."""
        await self.control("latency", dialect=dialect, ms=ms)

    async def set_clock(self, dialect: str, offset_ms: int) -> None:
        """Set the venue's clock minus ours, milliseconds."""
        await self.control("clock", dialect=dialect, offset_ms=offset_ms)

    async def set_market(
        self, dialect: str, symbol: str, *, halted: bool | None = None, band: Decimal | str | None = None
    ) -> None:
        """Halt or resume a market; set its price band (a fraction of the touch, 0 for none)."""
        text = None if band is None else str(band)
        await self.control("market", dialect=dialect, symbol=symbol, halted=halted, band=text)

    async def fill(self, dialect: str, client_id: str, amount: Decimal | str | None = None) -> None:
        """Fill an order by force, open or not; all that remains unless *amount* is given."""
        text = None if amount is None else str(amount)
        await self.control("fill", dialect=dialect, client_id=client_id, amount=text)

    async def bust(self, dialect: str, trade_id: int) -> None:
        """Take a trade back, as venues do after an error of theirs."""
        await self.control("bust", dialect=dialect, trade_id=trade_id)

    async def truth(self) -> Truth:
        """Return all venues' books."""
        return Truth.from_json(await self.control("truth"))

    async def venue(self, dialect: str) -> VenueTruth:
        """Return one venue's books."""
        return (await self.truth())[dialect]

    async def log(self, since: int = 0) -> Log:
        """Return the requests from number *since* on, and the counts of all."""
        return Log.from_json(await self.control("log", since=since))


def _new_state_file() -> Path:
    return Path(tempfile.gettempdir()) / f"loopback-{secrets.token_hex(8)}.json"


def _read_state(path: Path) -> tuple[int, int, str] | None:
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return int(state["pid"]), int(state["port"]), str(state["token"])
    except (OSError, ValueError, KeyError):
        return None


def _alive(pid: int) -> bool:
    child = _CHILDREN.get(pid)
    if child is not None:
        return child.poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _spawn(path: Path, options: Options) -> subprocess.Popen[bytes]:
    path.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "fsm_arb.testing.loopback", "--port", "0"),
        *("--state", str(path), "--options", json.dumps(options.to_json())),
    ]
    root = str(Path(__file__).resolve().parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # Not our own stderr: whoever reads a pipe from us would wait for the server to end.
    with path.with_name(path.name + ".log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
    _CHILDREN[child.pid] = child
    return child


def config_for(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a ccxt config from the content of a state file, without asking the server."""
    return ccxt_config(name, f"http://{state['host']}:{state['port']}")
