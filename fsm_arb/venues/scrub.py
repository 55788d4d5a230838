"""Keep secrets out of everything that is recorded or shown.

A secret is hidden as it is and in the forms in which it travels: quoted for an
address, in hexadecimal, within Base64. What is signed with it is no secret of
the bot's author, and is hidden all the same: by its name, and where the hooks
have seen it leave, wherever a venue repeats it.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MESSAGE_CHARS_MAX = 600
HIDDEN = "***"
SHORT = 16  # a secret shorter than this is only hidden where it stands alone, lest it eats into order ids
SHORTEST = 4  # shorter ones are no secrets
SIGNED_MAX = 64  # of what was signed lately that is looked for

# What ccxt calls credentials.
CREDENTIALS = (
    "apiKey", "secret", "password", "uid", "login", "privateKey", "walletAddress", "token", "twofa", "accountId",
)  # fmt: skip

_SECRET_KEYS = frozenset({
    "apikey", "accesskey", "secret", "secretkey", "apisecret", "password", "passphrase", "privatekey", "walletaddress",
    "token", "accesstoken", "refreshtoken", "listenkey", "jwt", "signature", "sign", "authorization", "uid", "login",
    "twofa", "cookie", "setcookie",
})  # fmt: skip

_PATTERNS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',}]+"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(
        r"(?i)[\"']?\b((?:[\w-]*(?:signature|secret|passphrase|password|api-?_?key|access-?_?key|private-?_?key"
        r"|listen-?_?key|token|jwt)|sign|authorization))[\"']?(?:\s*[=:]\s*)[\"']?[^\s&\"',}]+[\"']?"
    ),
)
_MARKS = ("=", ":", " ", "eyJ")  # without any of these none of the patterns fits
_SIGNED_NAMES = re.compile(r"(?i)sign|authorization|jwt|token")
_JWT_PARTS = re.compile(r"[.\s]")
_SIGNED_NAME = "_fsm_arb_signed"


class Scrubber:
    """Hides the credentials of some exchange objects, what they have signed, and what looks like either."""

    def __init__(self, *exchanges: Any) -> None:
        self._exchanges = exchanges

    def _secrets(self) -> _Secrets:
        """Return what finds the credentials as they are now."""
        found = set()
        for exchange in self._exchanges:
            for name in CREDENTIALS:
                value = getattr(exchange, name, None)
                if isinstance(value, str) and len(value) >= SHORTEST:
                    found.add(value)
        return _secrets_of(frozenset(found))

    def _signed(self) -> Iterator[str]:
        for exchange in self._exchanges:
            yield from getattr(exchange, _SIGNED_NAME, ())

    def message(self, value: object) -> str:
        """Return *value* (an exception, mostly) as text without secrets, cut to MESSAGE_CHARS_MAX."""
        return self.line(str(value))[:MESSAGE_CHARS_MAX]

    def line(self, text: str) -> str:
        """Return *text* without secrets."""
        return _line(text, self._secrets(), tuple(self._signed()))

    def text(self, value: str | None) -> Any:
        """Return a reply's text as JSON-able data without secrets; None for none."""
        if not value:
            return None
        try:
            return self.raw(json.loads(value))
        except ValueError:
            return self.message(value)

    def raw(self, value: object) -> Any:
        """Return *value* as JSON-able data without secrets."""
        return _clean(value, self._secrets(), tuple(self._signed()))


# ------------------------------------------------------------------ what was signed


def note_signed(exchange: Any, url: str, headers: object, body: object) -> None:
    """Remember what a request that is about to leave *exchange* carries as proof of who sends it."""
    signed = getattr(exchange, _SIGNED_NAME, None)
    if signed is None:
        signed = deque(maxlen=SIGNED_MAX)
        setattr(exchange, _SIGNED_NAME, signed)
    for value in _proofs(url, headers, body):
        for part in (value, *value.split(), *_JWT_PARTS.split(value)):  # the whole before its parts
            if len(part) >= SHORT and part not in signed:
                signed.append(part)


def _proofs(url: str, headers: object, body: object) -> Iterator[str]:
    words: list[tuple[str, Any]] = [*parse_qsl(urlsplit(url).query)]
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if isinstance(text, str):
        words += _of_json(text) if text.startswith("{") else parse_qsl(text)
    if isinstance(headers, dict):
        words += [(str(name), str(value)) for name, value in headers.items()]
    for name, value in words:
        if _SIGNED_NAMES.search(name):
            yield from (each for each in (value.values() if isinstance(value, dict) else (value,)) if type(each) is str)


def _of_json(body: str) -> list[tuple[str, Any]]:
    try:
        return list(json.loads(body).items())
    except ValueError:
        return []


# ------------------------------------------------------------------ what hides


class _Secrets:
    """Some credentials, ready to be looked for."""

    def __init__(self, values: Iterable[str]) -> None:
        # The longest first, so that a secret within another does not leave the rest of it standing.
        ordered = sorted(values, key=len, reverse=True)
        alone = [rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])" for each in ordered if len(each) < SHORT]
        self._alone = re.compile("|".join(alone), re.IGNORECASE) if alone else None
        forms = {form for each in ordered for form in _forms(each) if len(form) >= SHORT}
        self._anywhere = tuple(
            (form.lower(), re.compile(re.escape(form), re.IGNORECASE)) for form in sorted(forms, key=len, reverse=True)
        )

    def hide(self, text: str) -> str:
        """Return *text* without them."""
        if len(text) >= SHORT:
            lowered = text.lower()
            for form, pattern in self._anywhere:
                if form in lowered:
                    text = pattern.sub(HIDDEN, text)
                    lowered = text.lower()
        return text if self._alone is None else self._alone.sub(HIDDEN, text)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret in the forms in which it travels."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(secret, errors="replace")
    yield quote(secret, safe="", errors="replace")
    yield quote_plus(secret, errors="replace")
    yield json.dumps(secret)[1:-1]
    yield raw.hex()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):  # of its bytes, that come before: each makes another text of it
            text = encode(bytes(before) + raw).decode().rstrip("=")
            yield text[-(-before * 8 // 6) : len(text) - 1]


@functools.lru_cache(maxsize=64)
def _secrets_of(values: frozenset[str]) -> _Secrets:
    return _Secrets(values)


def _line(text: str, secrets: _Secrets, signed: tuple[str, ...]) -> str:
    text = secrets.hide(text)
    if len(text) >= SHORT:
        for value in signed:
            if value in text:
                text = text.replace(value, HIDDEN)
    if any(mark in text for mark in _MARKS):
        for pattern in _PATTERNS:
            text = pattern.sub(lambda m: f"{m.group(1)}={HIDDEN}" if m.lastindex else HIDDEN, text)
    return text


def _clean(value: object, secrets: _Secrets, signed: tuple[str, ...]) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return str(value)
    if isinstance(value, dict):
        return _clean_dict(value, secrets, signed)
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, secrets, signed) for item in value]
    return _line(str(value), secrets, signed)


def _clean_dict(value: Mapping[Any, Any], secrets: _Secrets, signed: tuple[str, ...]) -> dict[str, Any]:
    return {
        secrets.hide(str(key)): HIDDEN if item and _is_secret(str(key)) else _clean(item, secrets, signed)
        for key, item in value.items()
    }


@functools.lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", key.lower()) in _SECRET_KEYS
