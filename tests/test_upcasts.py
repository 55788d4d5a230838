"""Earlier payloads: each step once, in order; a later one is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from fsm_arb import codec, upcasts
from fsm_arb.codec import dumps, loads
from fsm_arb.errors import JournalForeign
from fsm_arb.messages import Busted, WatchEnded
from fsm_arb.upcasts import OLDEST, STEPS, VERSION, upcast
from fsm_arb.values import ONE


def sizes_named(payload: dict[str, Any]) -> dict[str, Any]:
    """From a version that called an amount a size, in thousandths."""
    if payload["fact"] != "busted":
        return payload
    body = dict(payload["body"])
    thousandths = int(body.pop("size"))
    return {**payload, "body": {**body, "amount": f"{thousandths // 1000}.{thousandths % 1000:03}"}}


def facts_renamed(payload: dict[str, Any]) -> dict[str, Any]:
    """From a version that called the end of a watch a farewell."""
    return {**payload, "fact": "watch_ended"} if payload["fact"] == "farewell" else payload


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> int:
    """A code whose version is the third."""
    monkeypatch.setattr(upcasts, "STEPS", {1: sizes_named, 2: facts_renamed})
    monkeypatch.setattr(upcasts, "VERSION", 3)
    monkeypatch.setattr(codec, "VERSION", 3)
    return 3


def test_there_is_a_step_from_every_version_to_the_next() -> None:
    """A version without one could not be read, and one too many would be for a version that never was."""
    assert sorted(STEPS) == list(range(OLDEST, VERSION))
    assert codec.VERSION == VERSION


def test_todays_payload_is_left_as_it_is() -> None:
    """The very same object: the common case costs nothing."""
    payload = json.loads(dumps(WatchEnded(now=1)))
    assert upcast(payload) is payload


@pytest.mark.usefixtures("third")
def test_each_step_is_taken_once_and_in_order() -> None:
    """From the first version through all, from the second through the rest."""
    old = {"v": 1, "fact": "busted", "body": {"now": 7, "order": 0, "size": "1500", "reason": "error"}}
    before = copy.deepcopy(old)
    assert upcast(old) == {
        "v": 3,
        "fact": "busted",
        "body": {"now": 7, "order": 0, "amount": "1.500", "reason": "error"},
    }
    assert old == before
    assert upcast({"v": 2, "fact": "farewell", "body": {"now": 1}})["fact"] == "watch_ended"


@pytest.mark.usefixtures("third")
def test_versions_of_one_journal_are_read_side_by_side() -> None:
    """A trade that began under one version and ended under another is one trade."""
    texts = [
        '{"v":1,"fact":"busted","body":{"now":7,"order":0,"size":"1000","reason":""}}',
        '{"v":2,"fact":"farewell","body":{"now":8}}',
        dumps(WatchEnded(now=9)),
    ]
    assert json.loads(texts[2])["v"] == 3
    assert [loads(text) for text in texts] == [
        Busted(now=7, order=0, amount=ONE, reason=""),
        WatchEnded(now=8),
        WatchEnded(now=9),
    ]


@pytest.mark.usefixtures("third")
@pytest.mark.parametrize("version", [0, 4, "1", None, True, 2.0])
def test_a_version_that_never_was_is_refused(version: object) -> None:
    """Later, earlier, or no number at all; the message says what can be read."""
    with pytest.raises(JournalForeign, match="this code reads 1 to 3"):
        upcast({"v": version, "fact": "watch_ended", "body": {"now": 1}})


@pytest.mark.parametrize("version", [0, 2, True, 1.0])
def test_while_there_is_one_version_there_is_one(version: object) -> None:
    """Neither the one before nor the one after."""
    with pytest.raises(JournalForeign, match=rf"has version {version}; this code reads {VERSION}$"):
        upcast({"v": version, "fact": "watch_ended", "body": {"now": 1}})


@pytest.mark.usefixtures("third")
def test_a_step_that_finds_something_else_than_it_expects_names_the_payload() -> None:
    """Whoever reads a journal catches one kind of error."""
    with pytest.raises(JournalForeign, match="is not one of ours"):
        loads('{"v":1,"fact":"busted","body":{}}')
