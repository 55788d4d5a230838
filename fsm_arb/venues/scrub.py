"""Keep secrets out of everything that is recorded or shown."""

from __future__ import annotations

import functools
import json
import re
from decimal import Decimal
from typing import Any

MESSAGE_CHARS_MAX = 600
HIDDEN = "***"
SHORT = 16  # a secret shorter than this is only hidden where it stands alone, lest it eats into order ids
SHORTEST = 4  # shorter ones are no secrets

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
    re.compile(r"(?i)\b(bearer)\s+[^\s\"',}]+"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(
        r"(?i)[\"']?\b((?:[\w-]*(?:signature|secret|passphrase|password|api-?_?key|access-?_?key|private-?_?key"
        r"|listen-?_?key|token|jwt)|sign|authorization))[\"']?(?:\s*[=:]\s*)[\"']?[^\s&\"',}]+[\"']?"
    ),
)


class Scrubber:
    """Hides the credentials of some exchange objects, and what looks like any."""

    def __init__(self, *exchanges: Any) -> None:
        self._exchanges = exchanges

    def _pattern(self) -> re.Pattern[str] | None:
        """Return what finds the credentials as they are now; None where there are none."""
        found = set()
        for exchange in self._exchanges:
            for name in CREDENTIALS:
                value = getattr(exchange, name, None)
                if isinstance(value, str) and len(value) >= SHORTEST:
                    found.add(value)
        return _any_of(frozenset(found))

    def message(self, value: object) -> str:
        """Return *value* (an exception, mostly) as text without secrets, cut to MESSAGE_CHARS_MAX."""
        return self.line(str(value))[:MESSAGE_CHARS_MAX]

    def line(self, text: str) -> str:
        """Return *text* without secrets."""
        text = _hide(text, self._pattern())
        for pattern in _PATTERNS:
            text = pattern.sub(lambda m: f"{m.group(1)}={HIDDEN}" if m.lastindex else HIDDEN, text)
        return text

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
        return _clean(value, self._pattern())


@functools.lru_cache(maxsize=64)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str] | None:
    # The longest first, so that a secret within another does not leave the rest of it standing.
    words = [
        rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])" if len(secret) < SHORT else re.escape(secret)
        for secret in sorted(secrets, key=len, reverse=True)
    ]
    return re.compile("|".join(words), re.IGNORECASE) if words else None


def _hide(text: str, secrets: re.Pattern[str] | None) -> str:
    return text if secrets is None else secrets.sub(HIDDEN, text)


def _clean(value: object, secrets: re.Pattern[str] | None) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return str(value)
    if isinstance(value, dict):
        return {
            _hide(str(key), secrets): HIDDEN if item and _is_secret(str(key)) else _clean(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, secrets) for item in value]
    return _hide(str(value), secrets)


@functools.lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", key.lower()) in _SECRET_KEYS
