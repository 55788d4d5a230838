"""Nothing that is recorded or shown carries a secret."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from lab import SECRETS

from fsm_arb.venues.scrub import MESSAGE_CHARS_MAX, SIGNED_MAX, Scrubber, note_signed


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


# ------------------------------------------------------------------ in other forms


@pytest.mark.parametrize("secret", SECRETS.values(), ids=list(SECRETS))
@pytest.mark.parametrize(
    "encode",
    [
        quote,
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
        *(
            lambda text, before=before, after=after: base64.b64encode(f"{before}{text}{after}".encode()).decode()
            for before in ("", "k", "key:")
            for after in ("", "x", "xy")
        ),
        lambda text: base64.urlsafe_b64encode(f"?>{text}".encode()).decode(),
    ],
)
def test_a_credential_is_hidden_in_the_forms_in_which_it_travels(scrub: Scrubber, secret: str, encode: Any) -> None:
    """Quoted, in hexadecimal, or within Base64 wherever it begins: all but the few digits that its neighbours share."""
    form = encode(secret)
    for said in (scrub.message(f"got {form}!"), str(scrub.raw({"got": [form]}))):
        assert form not in said
        assert "***" in said
        left = said.replace("***", " ").replace("'", " ").split()
        assert all(len(part) < 16 for part in left), said


def test_what_an_echo_carries_within_json_is_hidden_as_in_a_message(scrub: Scrubber) -> None:
    """A venue that quotes the request: its address holds a signature, its headers a token."""
    echo = {
        "url": "https://x/order?a=1&signature=deadbeefdeadbeef",
        "headers": ["Authorization: Bearer abc.def", "Cookie2: 1"],
    }
    raw = scrub.raw(echo)
    assert "deadbeef" not in str(raw)
    assert "abc.def" not in str(raw)
    assert raw["headers"][1] == "Cookie2: 1"


def test_basic_credentials_are_hidden(scrub: Scrubber) -> None:
    """They are a user and a password in Base64."""
    assert "cGxhbnRlZDpwbGFudGVk" not in scrub.message("Proxy-Authorization: Basic cGxhbnRlZDpwbGFudGVk")


# ------------------------------------------------------------------ what was signed


SIGNATURE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJub25jZSI6IjEifQ.dGhlLXNpZ25hdHVyZS1vZi1pdA"  # noqa: S105 - made up


@pytest.mark.parametrize(
    ("url", "headers", "body"),
    [
        (f"https://x/o?a=1&signature={SIGNATURE}", None, None),
        ("https://x/o", {"KC-API-SIGN": SIGNATURE}, None),
        ("https://x/o", None, f"a=1&sign={SIGNATURE}"),
        ("https://x/o", {}, f"a=1&signature={SIGNATURE}".encode()),
        ("https://x/o", {}, json.dumps({"action": {"sign": 1}, "signature": {"r": SIGNATURE, "v": 27}})),
    ],
    ids=["query", "header", "form", "bytes", "json"],
)
def test_a_signature_that_has_left_is_hidden_where_it_comes_back_without_its_name(
    url: str, headers: Any, body: Any
) -> None:
    """A gateway's page says "rejected 9f86…", and no pattern could know."""
    exchange = SimpleNamespace()
    note_signed(exchange, url, headers, body)
    scrub = Scrubber(SimpleNamespace(), exchange)
    assert scrub.message(f"rejected {SIGNATURE} twice: {SIGNATURE}") == "rejected *** twice: ***"
    assert scrub.raw({"got": [SIGNATURE]}) == {"got": ["***"]}


def test_each_part_of_a_token_is_hidden() -> None:
    """Its last part is a signature by itself, its middle says whose it is."""
    exchange = SimpleNamespace()
    note_signed(exchange, "https://x/o", {"Authorization": f"Bearer {TOKEN}"}, None)
    for part in (TOKEN, *TOKEN.split(".")):
        assert Scrubber(exchange).message(f"bad {part} here") == "bad *** here"


def test_what_is_no_proof_is_not_looked_for() -> None:
    """Ids and amounts come back all the time, and must be read."""
    exchange = SimpleNamespace()
    url = "https://x/o?newClientOrderId=f00010000000000017&timestamp=1795415793481"
    note_signed(exchange, url, {"User-Agent": "python-requests/2.34.2"}, '{"identifier": "f00010000000000018"}')
    note_signed(exchange, "https://x/o", None, "{no json")
    text = "f00010000000000017 f00010000000000018 1795415793481 python-requests/2.34.2"
    assert Scrubber(exchange).message(text) == text


def test_only_what_was_signed_lately_is_looked_for() -> None:
    """A bot signs for years."""
    exchange = SimpleNamespace()
    for number in range(SIGNED_MAX + 1):
        note_signed(exchange, f"https://x/o?signature={number:032}", None, None)
    scrub = Scrubber(exchange)
    assert scrub.message(f"{SIGNED_MAX:032}") == "***"
    assert scrub.message(f"{1:032}") == "***"
    assert scrub.message(f"{0:032}") == f"{0:032}"
