"""What a replay found, for machines."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from histories import calm, doubtful, unwound

from fsm_arb import choice
from fsm_arb.audit.hypothetical import Supposed, suppose
from fsm_arb.audit.replay import replay
from fsm_arb.audit.replay_json import HYPOTHETICAL, REPLAY, hypothetical_json, kinds, replay_json
from fsm_arb.audit.rerunning import Unreadable
from fsm_arb.policy import Remedy

D = Decimal
BAD = Unreadable(trade_id="bad", why="damaged")


def test_where_nothing_differs_that_is_said() -> None:
    """With how much was decided again."""
    said = replay_json([replay("calm", calm().entries), replay("unwound", unwound().entries)])
    assert (said["schema"], said["same"], said["trades"], said["differences"]) == (REPLAY, True, 2, [])
    assert said["records"] == len(calm().entries) + len(unwound().entries)
    assert said["results"][1] == {
        "trade_id": "unwound",
        "records": len(unwound().entries),
        "decisions": 7,
        "state": "DONE",
        "status": "rolled_back",
        "same": True,
    }


def test_a_difference_holds_both_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the journal would hold them, decimals as text."""
    entries = unwound().entries
    monkeypatch.setattr(choice, "_rank", lambda _s, option: (option.kind.value,))
    said = json.loads(json.dumps(replay_json([replay("unwound", entries)])))
    (difference,) = said["differences"]
    assert said["same"] is False
    assert difference["kind"] == "other"
    assert difference["recorded"]["trigger"] == "unwind"
    assert difference["decided"]["payload"]["fact"] == "intended"
    assert difference["decided"]["payload"]["body"]["intents"][0]["amount"] == "10"
    assert difference["at"]["utc"].endswith("Z")


def test_what_cannot_be_read_is_not_the_same() -> None:
    """And is told apart from what differs."""
    said = replay_json([BAD])
    assert said["same"] is False
    assert said["unreadable"] == [{"trade_id": "bad", "why": "damaged"}]


def test_how_late_time_decided_is_told() -> None:
    """The most of all, in nanoseconds."""
    assert replay_json([replay("doubtful", doubtful().entries)])["latest_ns"] == 500_000_000


def test_what_is_supposed_is_marked_as_such() -> None:
    """In the name of its schema and in a field of its own."""
    changes = {"remedy": Remedy.COMPLETE, "attempts_max": 4, "backoff_s": D("0.5")}
    found = [suppose("calm", calm().entries, changes), suppose("unwound", unwound().entries, changes), BAD]
    said = json.loads(json.dumps(hypothetical_json(found, changes, ["poll_interval_s"])))
    assert (said["schema"], said["hypothetical"]) == (HYPOTHETICAL, True)
    assert said["policy"] == {"remedy": "complete", "attempts_max": 4, "backoff_s": "0.5"}
    assert (said["trades"], said["unchanged"], said["not_judged"]) == (3, 1, ["poll_interval_s"])
    assert said["kinds"] == [{"how": "other", "recorded": "unwind", "instead": "complete", "trades": 1}]
    assert said["results"][0]["divergence"] is None
    divergence = said["results"][1]["divergence"]
    assert divergence["recorded_choice"]["chosen"]["kind"] == "unwind"
    assert divergence["hypothetical_choice"]["chosen"]["kind"] == "complete"
    assert len(divergence["hypothetical_choice"]["weighed"]) == 2


def test_a_trade_of_which_nothing_is_known_is_not_unchanged() -> None:
    """It is neither the one nor the other."""
    unknown = Supposed(trade_id="x", records=1, status="", unknown="record 1 is decided otherwise")
    said = hypothetical_json([unknown], {}, [])
    assert said["unchanged"] == 0
    assert said["results"][0]["unknown"] == "record 1 is decided otherwise"
    assert kinds([unknown]) == {}


def test_what_is_missing_now_has_no_other_side() -> None:
    """Null stands for nothing."""
    entries = unwound().entries
    at = next(i for i, entry in enumerate(entries) if entry.trigger == "unwind")
    difference = replay_json([replay("unwound", entries[:at])])["differences"][0]
    assert (difference["kind"], difference["recorded"]) == ("added", None)
    assert difference["decided"]["trigger"] == "unwind"
