"""Nothing that is recorded or shown carries a secret."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from lab import SECRETS

from fsm_arb.venues.scrub import MESSAGE_CHARS_MAX, Scrubber


@pytest.fixture
def scrub() -> Scrubber:
    return Scrubber(SimpleNamespace(**SECRETS), SimpleNamespace())


@pytest.mark.parametrize("secret", SECRETS.values(), ids=list(SECRETS))
def test_every_credential_is_hidden_wherever_it_stands(scrub: Scrubber, secret: str) -> None:
    """In a message, in a value, in a key, in a list, in any case."""
    nested: Any = {"a": [f"x {secret} y", {secret: 1}], "b": (secret.upper(),)}
    text = scrub.message(f"failed with {secret}!") + json.dumps(scrub.raw(nested))
    assert secret.lower() not in text.lower()


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("GET https://x/o?a=1&signature=deadbeef&b=2", "deadbeef"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln end", "c2ln"),
        ('{"apiKey": "k1k2k3", "x": 1}', "k1k2k3"),
        ("X-MBX-APIKEY=qqqq", "qqqq"),
        ("?accessKey=zzzz&y=1", "zzzz"),
        ("passphrase: hunter2", "hunter2"),
        ("listenKey=lk77", "lk77"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_too(scrub: Scrubber, text: str, gone: str) -> None:
    """Signatures and tokens are made on the way, so no list knows them."""
    assert gone not in scrub.message(text)


def test_what_is_no_secret_stays(scrub: Scrubber) -> None:
    """A message must still say what happened."""
    text = 'upbit {"error": {"name": "insufficient_funds_bid", "message": "KRW"}} uuid=9ca023a5'
    assert scrub.message(text) == text
    raw = {"uuid": "9ca0", "feeToken": "USDC", "orderId": 7, "ok": True, "none": None, "price": "1.0"}
    assert scrub.raw(raw) == raw


def test_secret_keys_lose_their_values(scrub: Scrubber) -> None:
    """Whatever the case and the punctuation."""
    raw = scrub.raw({"api_key": "a", "X": {"Signature": "b", "listenKey": "c", "UID": 7}, "secret": ""})
    assert raw == {"api_key": "***", "X": {"Signature": "***", "listenKey": "***", "UID": "***"}, "secret": ""}


def test_short_secrets_do_not_eat_into_ids() -> None:
    """A user id of five digits may well be part of an order id."""
    scrub = Scrubber(SimpleNamespace(uid="12345", login="abc"))
    assert scrub.message("order 9123456 of 12345, abc") == "order 9123456 of ***, abc"


def test_raws_are_json() -> None:
    """The journal writes them as they are."""
    raw = Scrubber().raw({"a": Decimal("1.10"), "b": 0.1, "c": {1}, "d": object, 5: None})
    assert json.loads(json.dumps(raw))["a"] == "1.10"
    assert raw["b"] == "0.1"


def test_replies_that_are_no_json_are_cut_texts(scrub: Scrubber) -> None:
    """A page of HTML is evidence, a megabyte of it is not."""
    assert scrub.text('{"a": 1}') == {"a": 1}
    assert scrub.text(None) is None
    assert len(scrub.text("<html>" * 1000)) == MESSAGE_CHARS_MAX
