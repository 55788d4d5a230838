"""One position's records on trial: what each of them may not say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forging import forged, round_trip, seq_of

from fsm_arb.audit.auditing import audit
from fsm_arb.audit.findings import Part
from fsm_arb.audit.position_trial import FIXED, PositionTrial

STREAM = "position/P-d1"


def position(**changes: Any) -> Callable[[Any], Any]:
    return lambda body: body | {"position": body["position"] | changes}


def fact(**changes: Any) -> Callable[[Any], Any]:
    return lambda body: body | changes


def test_a_sound_position_is_told() -> None:
    """What each record says of the trade that made it; that an exit has begun says nothing of what it does."""
    part = Part()
    records = [record for record in round_trip() if record.stream == STREAM]
    trial = PositionTrial.begin(records[0], part)
    for record in records[1:]:
        trial.take(record)
    trial.close()
    assert (part.findings, part.positions, part.live) == ([], {"CLOSED": 1}, [])
    assert [(each.trade_id, each.entry, each.quantity, each.side) for each in part.claims] == [
        ("d1", True, "1", "sell"),
        ("d2", False, "1", "sell"),
    ]
    assert [record.trigger for record in records] == ["opened", "exit_started", "exit_ended"]


def test_a_position_that_is_held_is_live() -> None:
    """A restart takes it up."""
    part = Part()
    PositionTrial.begin(round_trip()[seq_of("opened", STREAM) - 1], part).close()
    assert (part.positions, part.live) == ({"OPEN": 1}, [STREAM])


def test_what_a_record_may_change_is_told_apart() -> None:
    """A field that comes later stays as it was opened, unless it is said that it changes."""
    assert {"position_id", "legs", "entry_trade_id", "leasts", "fx"} <= set(FIXED)
    assert not {"state", "exits", "pnls"} & set(FIXED)


@pytest.mark.parametrize(
    ("trigger", "change", "columns", "said"),
    [
        ("opened", position(position_id="P-x"), {}, "tells of position P-x"),
        ("opened", position(state="CLOSED"), {}, "ends in OPEN, and tells of a position that is CLOSED"),
        ("opened", None, {"trigger": "amended"}, "is amended where a position has to be opened"),
        ("opened", fact(trade_id="d2"), {}, "is opened by trade d2, and entered by d1"),
        ("opened", position(exits=[["d2", "1"]]), {}, "is opened with what other trades did to it"),
        ("opened", position(sides=["sell", "sell"]), {}, "is on one side on both venues"),
        ("opened", position(reversed=True), {}, "holds 1 of what was entered, and says that it is reversed"),
        ("opened", position(closed_at_ns=1), {}, "was closed at 1970-01-01T00:00:00.000000Z, and is OPEN"),
        ("exit_started", None, {"state_before": "CLOSED"}, "leaves CLOSED, but it is OPEN"),
        ("exit_started", None, {"trigger": "exit_ended"}, "takes no row of the table: OPEN -- exit_ended --> CLOSING"),
        ("exit_started", fact(cause=None), {}, "takes an edge without a cause: OPEN -- exit_started --> CLOSING"),
        ("exit_started", fact(cause="bust"), {}, "takes no row of the table: OPEN -- exit_started --> CLOSING, 1 left"),
        ("exit_started", position(fx="2"), {}, "changes fx, which no record may"),
        ("exit_started", position(entry_quantity="2"), {}, "is of trade d2, which did not enter it"),
        ("exit_started", position(pnls=[["d1", "5"]]), {}, "changes pnls of another trade than d2"),
        ("exit_started", position(exit_trade_id=None), {}, "says that exit None is at work, where d2 should be"),
        ("exit_started", position(exits=[["d2", "0.5"]]), {}, "changes more than that an exit has begun"),
        ("exit_ended", fact(trade_id="d3"), {}, "changes exits of another trade than d3"),
        (
            "exit_ended",
            position(exits=[["d2", "0.5"]]),
            {},
            "takes no row of the table: CLOSING -- exit_ended --> CLOSED",
        ),
        ("exit_ended", position(exit_trade_id="d2"), {}, "says that exit d2 is at work, where None should be"),
        ("exit_ended", None, {"payload": "[]"}, "cannot follow from the records before it"),
    ],
)
def test_a_record_that_cannot_be_is_named(
    tmp_path: Path, trigger: str, change: Callable[[Any], Any] | None, columns: dict[str, Any], said: str
) -> None:
    """Though its chain is sound."""
    seq = seq_of(trigger, STREAM)
    found = audit(forged(tmp_path / "trades.db", seq, change, **columns))
    assert (found.findings[0].seq, said in found.findings[0].what) == (seq, True), found.findings[0]


def test_a_fact_of_a_trade_is_none_of_a_position(tmp_path: Path) -> None:
    """Whatever the name of the stream says."""
    payload = round_trip()[0].payload
    found = audit(forged(tmp_path / "trades.db", seq_of("exit_ended", STREAM), payload=payload))
    assert "tells of a Begun on the stream of a position" in str(found.findings[0])


def test_an_amendment_that_leaves_dust_has_to_close(tmp_path: Path) -> None:
    """A position that cannot be traded any more is not held open, nor one closed that can."""
    seq = seq_of("exit_ended", STREAM)
    change = {"trigger": "amended", "state_before": "OPEN", "state_after": "OPEN"}
    records = [each for each in round_trip() if each.trigger != "exit_started"]

    def amended(body: Any) -> Any:
        return body | {"cause": None, "position": body["position"] | {"state": "OPEN", "closed_at_ns": None}}

    found = audit(forged(tmp_path / "trades.db", seq - 1, amended, records=records, **change))
    assert "stays OPEN with 0 left, which is dust" in str(found.findings[0])
