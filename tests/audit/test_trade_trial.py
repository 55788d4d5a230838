"""One trade's records on trial: what each of them may not say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from forging import forged, round_trip, seq_of
from papers import book, entry, records_of

from fsm_arb.audit.auditing import audit
from fsm_arb.audit.findings import Part
from fsm_arb.audit.trade_trial import SENT_BEFORE, TradeTrial
from fsm_arb.ports import Record
from fsm_arb.values import OrderBook

NONE = OrderBook(bids=(), asks=())


def tried(records: list[Record]) -> Part:
    """What a trial of some records finds."""
    part = Part()
    trial = TradeTrial.begin(records[0], part)
    for record in records[1:]:
        trial.take(record)
    trial.close()
    return part


def of(stream: str) -> list[Record]:
    return [record for record in round_trip() if record.stream == stream]


def test_a_sound_trade_is_told() -> None:
    """What its position must say, which ids it used, how it ended, and that it is still watched."""
    part = tried(of("trade/d1"))
    assert part.findings == []
    assert [(each.trade_id, each.booked, each.opens, each.stands) for each in part.statements] == [
        ("d1", "1", True, True)
    ]
    assert part.statements[0].prices == ("100", "101")
    assert [seq for _, seq in part.intents] == [seq_of("intended")] * 2
    assert (part.trades, part.live, part.halted) == ({"success": 1}, ["trade/d1"], [])


def test_a_trade_that_is_not_over_says_nothing_yet() -> None:
    """No position can be held against it."""
    part = tried(of("trade/d1")[:8])
    assert (part.findings, part.statements, part.trades) == ([], [], {"unfinished": 1})


def test_a_halted_trade_is_named() -> None:
    """Somebody has to look at it."""
    records = records_of((book(asks=()), NONE), entry())
    assert records[-1].state_after == "HALTED"
    part = tried([each for each in records if each.stream == "trade/d1"])
    assert (part.findings, part.halted, part.live) == ([], ["d1"], ["trade/d1"])


def outcome(**changes: Any) -> Callable[[Any], Any]:
    return lambda body: body | changes


def first_intent(**changes: Any) -> Callable[[Any], Any]:
    return lambda body: body | {"intents": [body["intents"][0] | changes, body["intents"][1]]}


@pytest.mark.parametrize(
    ("trigger", "change", "columns", "said"),
    [
        ("begun", None, {"trigger": "checked"}, "is called checked, and tells what is called begun"),
        ("begun", None, {"state_before": "SIZING", "state_after": "SIZING"}, "begins in SIZING, trades begin in"),
        ("begun", lambda body: body | {"decision": body["decision"] | {"decision_id": "d7"}}, {}, "decision d7 on the"),
        ("checked", None, {"state_after": "SIZING"}, "goes from PRECHECK to SIZING, and what it tells is no move"),
        ("checked", None, {"state_before": "DONE", "state_after": "DONE"}, "leaves DONE, but it is PRECHECK"),
        ("sized", None, {"state_after": "DONE"}, "takes no row of the table: SIZING -- sized --> DONE"),
        ("sized", outcome(outcome="failed"), {}, "says that the trade ended failed, its row of the table says None"),
        ("sized", outcome(booked="1"), {}, "books 1 where nothing is booked"),
        ("booked", outcome(booked="2"), {}, "books 2, and 1 is matched by the fills"),
        ("booked", outcome(booked=None), {}, "books nothing, and 1 is matched"),
        ("booked", outcome(outcome="partial_hedged"), {}, "ended partial_hedged, its fills say success"),
        ("place_ended", outcome(order=2), {}, "speaks of order 2, and no intent of it was written before; there are 2"),
        ("place_ended", outcome(order=-1), {}, "speaks of order -1"),
        ("place_ended", outcome(order=1), {}, "tells a second time what came of the call that placed order 1"),
        ("intended", first_intent(index=1), {}, "intent 1 written where 0 was due"),
        ("intended", first_intent(leg=2), {}, "speaks of leg 2, and a trade has two"),
        ("intended", None, {"payload": "{}"}, "a payload is not one of ours"),
    ],
)
def test_a_record_that_cannot_be_is_named(
    tmp_path: Path, trigger: str, change: Callable[[Any], Any] | None, columns: dict[str, Any], said: str
) -> None:
    """Though its chain is sound: somebody has made it anew, or our own code is wrong."""
    seq = seq_of(trigger)
    found = audit(forged(tmp_path / "trades.db", seq, change, **columns))
    due = seq_of("place_ended", nth=1) if said.startswith("tells a second time") else seq
    assert [(each.seq, said in each.what) for each in found.findings[:1]] == [(due, True)], found.findings[0]


@pytest.mark.parametrize("trigger", ["planned", "intended"])
def test_an_effect_without_its_cause_is_named(tmp_path: Path, trigger: str) -> None:
    """An order that was never intended, a trade that was never sized: the record that speaks of it first."""
    records = [each for each in round_trip() if each.seq != seq_of(trigger)]
    found = audit(forged(tmp_path / "trades.db", records=records))
    assert not found.ok
    first = records[found.findings[0].seq - 1]
    assert first.trigger == {"planned": "intended", "intended": "place_ended"}[trigger]


def test_a_trade_without_a_beginning_is_named(tmp_path: Path) -> None:
    """It cannot be told what was decided."""
    found = audit(forged(tmp_path / "trades.db", records=round_trip()[1:11], live=["trade/d1"]))
    assert str(found.findings[0]).endswith("is checked where its trade has to begin")


def test_a_fill_that_was_changed_shows_where_it_is_booked(tmp_path: Path) -> None:
    """The record itself is possible; what was made of it then is not."""
    seq = seq_of("place_ended")

    def less(body: Any) -> Any:
        snapshot = body["outcome"]["snapshot"]
        snapshot["filled"] = "0.5"
        snapshot["fills"] = [fill | {"amount": "0.5"} for fill in snapshot["fills"]]
        return body

    found = audit(forged(tmp_path / "trades.db", seq, less))
    assert found.findings[0].seq == seq_of("booked")
    assert "books 1, and 0.5 is matched" in found.findings[0].what


def test_bytes_that_left_before_their_intent_are_a_note() -> None:
    """By wall clocks, which are set; what proves the order is the record's place."""
    records = of("trade/d1")
    early = records[seq_of("place_ended") - 1]
    records[seq_of("place_ended") - 1] = evolve(early, payload=_with_sent_at(early.payload, 1))
    part = tried(records)
    assert (part.findings, part.notes[SENT_BEFORE]) == ([], 1)


def _with_sent_at(payload: str, at_ns: int) -> str:
    before, _, rest = payload.partition('"sent_at_ns":')
    _, comma, after = rest.partition(",")
    return f'{before}"sent_at_ns":{at_ns}{comma}{after}'


def test_what_is_wrong_ends_the_trial() -> None:
    """What follows from it would be wrong as well, and says nothing."""
    records = of("trade/d1")
    records[3] = evolve(records[3], payload="{}")
    part = tried(records)
    assert [each.seq for each in part.findings] == [records[3].seq]
    assert (part.statements, part.live, part.trades) == ([], [], {"unfinished": 1})
