"""Planted secrets: whatever venues echo, whatever breaks, whatever is logged, none of them is anywhere afterwards."""

from __future__ import annotations

import base64
import json
import logging
import re
import traceback
import urllib.parse
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from attrs import evolve
from click.testing import CliRunner
from hall import BID, FX, SYMBOLS, Hall, Sink, quick

from fsm_arb import CrossExchangeExecutor
from fsm_arb.cli.app import command
from fsm_arb.errors import FsmArbError
from fsm_arb.ports import OrderRef, OrderRequest
from fsm_arb.testing.loopback import LoopbackExchange
from fsm_arb.testing.loopback.markets import DIALECTS, credentials
from fsm_arb.testing.loopback.server import LoopbackServer
from fsm_arb.values import OrderType, Side
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a bot's author may have put into the constructor besides key and secret; some of it is quoted on the way.
EXTRA = {
    "password": "PLANTED pass+phrase/7=&x",
    "uid": "PLANTEDuid-20391",
    "login": "planted.login@example.invalid",
    "token": "PLANTEDtoken/AbC+dEf==",
    "privateKey": "0xPLANTED" + "5ec4e7" * 9,
    "walletAddress": "0xPLANTEDwa11e7" + "ab" * 12,
    "twofa": "PLANTEDTWOFA234567",
    "accountId": "PLANTED-account-77",
}
MADE = re.compile(r"(?:^|[?&])signature=([^&\s]+)|Bearer ([\w.-]+)")


# ------------------------------------------------------------------ a venue that tells all it was told


class Gossip:
    """In the place of the server's own answers, now and then, everything that came with the request."""

    def __init__(self) -> None:
        self.every = 2  # of the private requests, each that many is answered so
        self.asked = 0
        self.made: set[str] = set()  # signatures and tokens that were sent
        self.told: Counter[str] = Counter()

    def answer(self, request: web.Request, body: str) -> web.Response | None:
        headers = dict(request.headers)
        private = "X-MBX-APIKEY" in headers or "Authorization" in headers
        if not private:
            return None
        whole = f"{request.rel_url.raw_query_string}&{body} {headers.get('Authorization', '')}"
        self.made |= {part for found in MADE.findall(whole) for part in found if part}
        self.asked += 1
        if not self.every or self.asked % self.every:
            return None
        shape = SHAPES[self.asked // self.every % len(SHAPES)]
        self.told[shape] += 1
        reply: web.Response = getattr(self, shape)(str(request.url), headers, body)
        return reply

    @staticmethod
    def as_error_of_binance(url: str, headers: Any, body: str) -> web.Response:
        said = f"Signature for this request is not valid: {url} {body} {headers}"
        return web.json_response({"code": -1022, "msg": said}, status=400)

    @staticmethod
    def as_error_of_upbit(url: str, headers: Any, body: str) -> web.Response:
        said = f"{url} {body} {headers}"
        return web.json_response({"error": {"name": "invalid_access_key", "message": said}}, status=401)

    @staticmethod
    def as_bare_words(url: str, headers: Any, body: str) -> web.Response:
        """The signature and the key by themselves, as a gateway's page may show them, without a name before them."""
        whole = f"{url}&{body} {headers.get('Authorization', '')}"
        bare = [part for found in MADE.findall(whole) for part in found if part]
        return web.Response(text=f"rejected {' '.join(bare)} {headers.get('X-MBX-APIKEY', '')}", status=503)

    @staticmethod
    def as_json_without_names(url: str, headers: Any, body: str) -> web.Response:
        whole = f"{url}&{body} {headers.get('Authorization', '')}"
        bare = [part for found in MADE.findall(whole) for part in found if part]
        return web.json_response({"got": [*bare, *headers.values()], "id": "1", "orderId": 1, "uuid": "u"})

    @staticmethod
    def as_page(url: str, headers: Any, body: str) -> web.Response:
        return web.Response(text=f"<html>{url} {body} {headers}</html>", content_type="text/html")

    @staticmethod
    def as_page_of_a_proxy(url: str, headers: Any, body: str) -> web.Response:
        text = "".join(f"{name}: {value}\n" for name, value in headers.items())
        return web.Response(text=f"{url}\n{text}\n{body}", status=502)

    @staticmethod
    def as_order(url: str, headers: Any, body: str) -> web.Response:
        """A reply that looks like an order and carries the request with it."""
        order = {"orderId": 1, "uuid": "u-1", "status": "NEW", "state": "wait", "symbol": "BTCUSDT", "headers": headers}
        return web.json_response({**order, "request": url, "body": body})

    @staticmethod
    def as_encoded(url: str, headers: Any, body: str) -> web.Response:
        whole = f"{url} {body} {headers}"
        words = [urllib.parse.quote_plus(whole), base64.b64encode(whole.encode()).decode(), whole.encode().hex()]
        words += [each for value in headers.values() for each in encoded(value)]
        return web.json_response({"error": {"name": "server_error", "message": " ".join(words)}}, status=500)


SHAPES = sorted(name for name in vars(Gossip) if name.startswith("as_"))


@pytest.fixture
def gossip(monkeypatch: pytest.MonkeyPatch) -> Gossip:
    """Every server on loopback gossips."""
    told = Gossip()
    handle = LoopbackServer._handle

    async def handled(server: LoopbackServer, request: web.Request) -> web.StreamResponse:
        return told.answer(request, (await request.read()).decode()) or await handle(server, request)

    monkeypatch.setattr(LoopbackServer, "_handle", handled)
    return told


# ------------------------------------------------------------------ where a secret could be


def encoded(secret: str) -> list[str]:
    """Return a secret in the forms in which it travels."""
    raw = secret.encode()
    return [
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        json.dumps(secret)[1:-1],
        raw.hex(),
        raw.hex().upper(),
        *_within_base64(raw, base64.b64encode),
        *_within_base64(raw, base64.urlsafe_b64encode),
    ]


def _within_base64(raw: bytes, encode: Any) -> Iterator[str]:
    """Yield what stands in a base64 text wherever *raw* begins in what it encodes."""
    for before in range(3):
        text = encode(b"\0" * before + raw).decode().rstrip("=")
        yield text[-(-before * 8 // 6) : len(text) - 1]


def secrets() -> dict[str, str]:
    found = {f"{name}.{part}": getattr(credentials(name), part) for name in DIALECTS for part in ("key", "secret")}
    return found | EXTRA


class Places:
    """Everything that a run has left behind, by where."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def add(self, where: str, what: Any) -> None:
        self.texts += [(where, str(what)), (where, repr(what))]

    def add_files(self, folder: Path, when: str) -> list[str]:
        """Add every byte of every file; the reserve holds nothing, and is only looked at for that."""
        found = []
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                found.append(path.name)
                if not path.name.endswith(".reserve") or any(content):
                    self.texts.append((f"{path.name} {when}", content.decode("utf-8", "replace")))
        return found

    def error(self, where: str, error: BaseException) -> None:
        self.add(where, error)
        self.add(f"{where}: traceback", "".join(traceback.format_exception(error)))

    def leaks(self, made: set[str]) -> list[str]:
        """Return what was found, and where."""
        wanted = {name: [value, *encoded(value)] for name, value in secrets().items()}
        wanted |= {"what was signed": sorted(made)}
        found = {}
        for where, text in self.texts:
            lowered = text.lower()
            for name, forms in wanted.items():
                for form in forms:
                    at = lowered.find(form.lower())
                    if at >= 0:
                        found.setdefault(f"{name} in {where}", text[max(0, at - 150) : at + len(form) + 30])
        return [f"{what}: {around}" for what, around in found.items()]


def test_a_secret_is_found_in_every_form() -> None:
    """The search itself can fail."""
    secret = EXTRA["token"]
    for text in (
        f"a {secret} b",
        urllib.parse.quote_plus(secret),
        secret.encode().hex(),
        base64.b64encode(f"key:{secret}:x".encode()).decode(),
        base64.urlsafe_b64encode(f"ke:{secret}:xy".encode()).decode(),
        f"signed {'ab' * 32}",
    ):
        places = Places()
        places.add("here", text)
        assert places.leaks({"ab" * 32}), text
    places = Places()
    places.add("here", "nothing at all")
    assert places.leaks({"ab" * 32}) == []


# ------------------------------------------------------------------ the run


@pytest.fixture
async def hall(gossip: Gossip, tmp_path: Path) -> Any:
    async with LoopbackExchange(seed=3) as server:
        hall = Hall(server, tmp_path)
        for venue in DIALECTS:
            await hall.set_book(venue)
        yield hall


class CountingMetrics:
    """Remembers every number with its labels."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def count(self, name: str, **labels: str) -> None:
        self.said.append((name, labels))

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.said.append((name, value, labels))


def crashing(exchange: Any, gossip: Gossip) -> None:
    """Let ccxt break, now and then, with everything it knows in its error."""
    sign = exchange.sign
    count = 0

    def broken(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        signed = sign(*args, **kwargs)
        gossip.made |= {part for found in MADE.findall(f"{signed}".replace("'", " ")) for part in found if part}
        count += 1
        if count % 7 == 0:
            known = {name: getattr(exchange, name, None) for name in ("apiKey", "secret", *EXTRA)}
            raise RuntimeError(f"cannot sign {signed} with {known} {[encoded(str(each)) for each in known.values()]}")
        return signed

    broken.__module__ = "ccxt.tests"  # else every order would pass as one that hooks do not see
    exchange.sign = broken


def logged(caplog: pytest.LogCaptureFixture, places: Places) -> None:
    formatter = logging.Formatter("%(name)s %(message)s")
    for record in caplog.records:
        places.add(f"log of {record.name}", formatter.format(record))


async def test_no_secret_is_left_anywhere(
    hall: Hall,
    gossip: Gossip,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Journal, mark, lock, log, output, errors, alerts, numbers, reprs, and all that the command line makes of them."""
    caplog.set_level(logging.DEBUG)
    places, sink, metrics = Places(), Sink(), CountingMetrics()
    exchanges = {name: hall.server.ccxt(name, verbose=True, **EXTRA) for name in DIALECTS}
    for exchange in exchanges.values():
        crashing(exchange, gossip)
    policy = quick(doubt_max_s="0.3", request_timeout_s="0.5", attempts_max=2)
    parts: dict[str, Any] = {"alerts": sink, "metrics": metrics, "policy": policy, "fx": FX}
    async with CrossExchangeExecutor(venues=exchanges, journal=hall.path, **parts) as executor:
        for legs in (("upbit", "binance"), ("binance", "binanceusdm"), ("upbit", "binanceusdm")) * 2:
            try:
                places.add("a result", await executor.execute_decision(hall.entry("0.01", legs=legs)))
            except FsmArbError as error:
                places.error("an error of the executor", error)
        places.add("a repr", [executor, executor._services, list(executor._runners.values()), executor._services.desks])
        places.add("a repr", [desk.venue for desk in executor._services.desks.values()])
        places.add("trades", list(executor.trades()))
        beside = places.add_files(tmp_path, "while it ran")
        gossip.every = 0
    places.add("alerts", sink.alerts)
    places.add("metrics", metrics.said)
    _command_line(hall, tmp_path, places)
    left = places.add_files(tmp_path, "afterwards")
    logged(caplog, places)
    printed = capfd.readouterr()
    places.texts += [("output", text) for text in printed]
    # The search was worth it: every kind of gossip was told, all that is written was written, and ccxt did print.
    assert len(gossip.told) == len(SHAPES), gossip.told
    assert len(gossip.made) > 20
    assert {"trades.db-wal", "trades.db.lock"} <= set(beside)
    assert {"trades.db", "trades.db.mark", "trades.db.reserve", "index.html", "trades.jsonl"} <= set(left)
    assert printed.out.count("fetch Request:") > 20
    assert places.leaks(gossip.made) == []


def _command_line(hall: Hall, folder: Path, places: Places) -> None:
    journal = str(hall.path)
    exports = (
        ["export", journal, "--what", what, "--out", str(folder / f"{what}.jsonl")] for what in ("fills", "trades")
    )
    for arguments in (
        ["show", "--journal", journal],
        ["show", "--journal", journal, "--json"],
        ["audit", journal, "--json", "--jobs", "1"],
        ["replay", journal, "--json"],
        ["report", journal, "--out", str(folder / "pages"), "--jobs", "1"],
        *exports,
    ):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code != 2, result.output
        places.add(f"fsm-arb {arguments[0]}", result.output)


async def _first_calls(venue: CcxtVenue, symbol: str, places: Places) -> None:
    """Ask a venue that knows no market yet."""
    for _ in SHAPES:
        for call in (venue.rules(symbol), venue.book(symbol), venue.rules("NO/SUCH")):
            try:
                places.add("a reply", await call)
            except FsmArbError as error:
                places.error("an error", error)
    await venue.close()


@pytest.mark.parametrize("name", DIALECTS)
async def test_no_call_of_a_venue_lets_a_secret_out(
    hall: Hall, gossip: Gossip, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each in turn, answered with every kind of gossip: what is returned, what is raised, and from what."""
    caplog.set_level(logging.DEBUG)
    places, symbol = Places(), SYMBOLS[name]
    exchange = hall.server.ccxt(name, verbose=True, **EXTRA)
    venue = CcxtVenue(exchange, name=name)
    await venue.rules(symbol)
    crashing(exchange, gossip)
    gossip.every = 1
    for number in range(2 * len(SHAPES)):
        request = OrderRequest(
            symbol=symbol,
            side=Side.SELL,
            amount=BID[name] * 0 + 1,
            order_type=OrderType.IOC,
            bound=BID[name],
            client_order_id=f"f0001{number:013}",
        )
        ref = OrderRef(symbol=symbol, side=Side.SELL, amount=request.amount, client_order_id=request.client_order_id)
        known = evolve(ref, venue_order_id="1", since_ms=1)
        for call in (
            venue.place(request, lambda: True),
            venue.observe(ref),
            venue.observe(known),
            venue.cancel(known),
            venue.balances(),
            venue.health(),
        ):
            try:
                places.add("a reply", await call)
            except FsmArbError as error:
                places.error("an error", error)
    await venue.close()
    await _first_calls(CcxtVenue(hall.server.ccxt(name, verbose=True, **EXTRA), name=name), symbol, places)
    logged(caplog, places)
    places.texts += [("output", text) for text in capfd.readouterr()]
    assert len(gossip.told) == len(SHAPES), gossip.told
    assert places.leaks(gossip.made) == []
