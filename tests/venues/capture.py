"""A server on loopback that writes down what it is asked and answers what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver
from attrs import define, field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

LOOPBACK = "127.0.0.1"


@frozen(kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The body as a mapping, from JSON or from a form."""
        with contextlib.suppress(ValueError):
            return json.loads(self.text) if self.text else {}
        return dict(parse_qsl(self.text))

    @property
    def words(self) -> dict[str, Any]:
        """Query and body together."""
        return {**self.query, **(self.body if isinstance(self.body, dict) else {})}


@frozen(kw_only=True)
class Reply:
    """What to answer."""

    data: Any = None  # JSON; ignored where text is given
    status: int = 200
    text: str | None = None
    content_type: str = "application/json"
    drop: bool = False  # hang up without a word, after the request was read
    truncate: bool = False  # hang up within the body
    delay_s: float = 0.0


@define(eq=False)
class Capture:
    """The server: `on` says what to answer, `seen` what came."""

    seen: list[Seen] = field(factory=list)
    _rules: list[tuple[str, str, Any]] = field(factory=list)
    port: int = 0

    def on(self, method: str, path: str, reply: Any = None, **kwargs: Any) -> None:
        """Answer requests whose path ends so; the last rule that fits wins.

        Args:
            method: HTTP method.
            path: The end of the path.
            reply: JSON data, a `Reply`, or a function from `Seen` to either.
            **kwargs: Fields of `Reply`, when reply is data.
        """
        self._rules.insert(0, (method, path, Reply(data=reply, **kwargs) if kwargs else reply))

    def sent(self, method: str, path: str) -> list[Seen]:
        """The requests of this method whose path ends so."""
        return [one for one in self.seen if one.method == method and one.path.endswith(path)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(
            method=request.method,
            host=request.host,
            path=request.path,
            query=dict(request.query),
            headers=dict(request.headers),
            text=await request.text(),
        )
        self.seen.append(seen)
        for method, path, rule in self._rules:
            if method == seen.method and seen.path.endswith(path):
                reply = rule(seen) if callable(rule) else rule
                return await self._answer(request, reply if isinstance(reply, Reply) else Reply(data=reply))
        return web.json_response({"unanswered": seen.path}, status=404)

    async def _answer(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        assert request.transport is not None
        if reply.drop:
            request.transport.abort()
            return web.Response()
        text = json.dumps(reply.data) if reply.text is None else reply.text
        if not reply.truncate:
            return web.Response(text=text, status=reply.status, content_type=reply.content_type)
        response = web.StreamResponse(status=reply.status, headers={"Content-Length": str(len(text) + 100)})
        response.content_type = reply.content_type
        await response.prepare(request)
        await response.write(text.encode())
        request.transport.close()
        return response


def certificate(folder: Path) -> ssl.SSLContext:
    """Return a server context with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "loopback.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class ToLoopback(AbstractResolver):
    """Resolves every host to one port on loopback."""

    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        return [
            {
                "hostname": host,
                "host": LOOPBACK,
                "port": self._port(),
                "family": socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def capturing(context: ssl.SSLContext) -> AsyncIterator[tuple[Capture, aiohttp.ClientSession]]:
    """Serve on loopback; yield the server and a session that reaches nothing else."""
    capture = Capture()
    runner = web.ServerRunner(web.Server(capture.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=context)
    await site.start()
    assert site._server is not None
    capture.port = site._server.sockets[0].getsockname()[1]
    connector = aiohttp.TCPConnector(resolver=ToLoopback(lambda: capture.port), ssl=False, use_dns_cache=False)
    session = aiohttp.ClientSession(connector=connector)
    try:
        yield capture, session
    finally:
        await session.close()
        await runner.cleanup()
