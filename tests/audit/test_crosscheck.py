"""What a position says of a trade, held against what the trade's fills say."""

from __future__ import annotations

from typing import Any

import pytest
from forging import round_trip, seq_of

from fsm_arb.audit.crosscheck import Crosscheck, Told, difference
from fsm_arb.audit.findings import Claim, Part, Statement

SAID: dict[str, Any] = {
    "trade_id": "d1",
    "seq": 11,
    "position_id": "",
    "side": "sell",
    "booked": "1",
    "prices": ("100", "101"),
    "pnl": "-1.5",
    "fees": "0.1 USDT",
    "opens": True,
}
RECORD = round_trip()[seq_of("opened", "position/P-d1") - 1]
CLAIM: dict[str, Any] = {
    "trade_id": "d1",
    "record": RECORD,
    "position_id": "P-d1",
    "side": "sell",
    "entry": True,
    "quantity": "1",
    "prices": ("100", "101"),
    "pnl": "-1.5",
    "fees": "0.1 USDT",
}
EXIT_SAID = {**SAID, "position_id": "P-d1", "side": "buy", "opens": False}
EXIT_CLAIM = {**CLAIM, "entry": False, "prices": (None, None)}


def found(*, said: list[Statement] = (), claims: list[Claim] = ()) -> list[str]:  # type: ignore[assignment]
    """What does not agree, each with its record."""
    with Crosscheck() as cross:
        cross.add(Part(statements=list(said), claims=list(claims)))
        return [f"{each.seq}: {each.what}" for each in cross.findings()]


def test_what_agrees_says_nothing() -> None:
    """An entry, an exit, and one that left what stood the other way round."""
    assert found(said=[Statement(**SAID)], claims=[Claim(**CLAIM)]) == []
    assert found(said=[Statement(**EXIT_SAID)], claims=[Claim(**EXIT_CLAIM)]) == []
    turned = found(said=[Statement(**EXIT_SAID | {"side": "sell"})], claims=[Claim(**EXIT_CLAIM | {"quantity": "-1"})])
    assert turned == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantity": "2"}, "says that trade d1 brought 2, its fills say 1"),
        ({"prices": ("99", "101")}, "was entered at 99 on leg 0, the fills of trade d1 say 100"),
        ({"prices": ("100", None)}, "was entered at None on leg 1"),
        ({"side": "buy"}, "was entered with a buy on its first leg, trade d1 was to sell there"),
        ({"pnl": "-1.6"}, "says that trade d1 made -1.6, its fills say -1.5"),
        ({"pnl": None}, "says that trade d1 made None"),
        ({"fees": "0.2 USDT"}, "was charged 0.2 USDT, its fills say 0.1 USDT"),
        ({"fees": "0.1 BTC"}, "was charged 0.1 BTC"),
        ({"fees": ""}, "was charged nothing"),
    ],
)
def test_what_an_entry_says_otherwise_is_named(changes: dict[str, Any], said: str) -> None:
    """At the record of the position."""
    (wrong,) = found(said=[Statement(**SAID)], claims=[Claim(**CLAIM | changes)])
    assert wrong.startswith(f"{RECORD.seq}: ")
    assert said in wrong


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantity": "2"}, "brought 2, its fills say 1"),
        ({"position_id": "P-d9"}, "is exited by trade d1, which was to exit P-d1"),
        ({"entry": True}, "is entered by trade d1, which was to exit P-d1"),
    ],
)
def test_what_an_exit_says_otherwise_is_named(changes: dict[str, Any], said: str) -> None:
    """An exit's quantity is what it takes off."""
    (wrong,) = found(said=[Statement(**EXIT_SAID)], claims=[Claim(**EXIT_CLAIM | changes)])
    assert said in wrong


def test_records_of_older_versions_say_nothing_of_fees() -> None:
    """And the last digits of a sum depend on its order."""
    assert found(said=[Statement(**SAID)], claims=[Claim(**CLAIM | {"fees": None})]) == []
    near = Told.by_position(Claim(**CLAIM | {"pnl": "-1.50000000000000000000001"}))
    assert difference(Told.by_trade(Statement(**SAID)), near) == ""


def test_a_claim_before_the_trade_has_ended_is_named() -> None:
    """Also where it had ended once, and is disturbed."""
    assert found(claims=[Claim(**CLAIM)]) == [f"{RECORD.seq}: tells how trade d1 ended, and it had not ended by then"]
    disturbed = Statement(**SAID | {"seq": 11, "stands": False, "opens": False})
    (wrong,) = found(said=[Statement(**SAID | {"seq": 5}), disturbed], claims=[Claim(**CLAIM)])
    assert "had not ended by then" in wrong


def test_a_correction_that_the_position_was_never_told_is_named() -> None:
    """At the trade's record that made it."""
    later = Statement(**SAID | {"seq": 40, "booked": "0.5"})
    (wrong,) = found(said=[Statement(**SAID), later], claims=[Claim(**CLAIM)])
    assert wrong.startswith("40: changes what position P-d1 has to hold, and the position was never told")


def test_a_trade_that_no_position_tells_of_is_named() -> None:
    """An entry that was booked, or an exit; an entry too small for an exit has none."""
    assert found(said=[Statement(**SAID)]) == ["11: books 1, and no position tells of it"]
    assert found(said=[Statement(**EXIT_SAID)]) == ["11: ends the exit of position P-d1, and no position tells of it"]
    assert found(said=[Statement(**SAID | {"opens": False})]) == []


def test_two_positions_of_one_entry_are_named() -> None:
    """What is held would be counted twice."""
    other = Claim(**CLAIM | {"position_id": "P-x"})
    (wrong,) = found(said=[Statement(**SAID)], claims=[Claim(**CLAIM), other])
    assert "is entered by trade d1, which has entered position P-d1" in wrong


def test_ids_of_orders_are_held_against_each_other_over_all_parts() -> None:
    """Each later one is named with the first."""
    with Crosscheck() as cross:
        cross.add(Part(intents=[("a", 1), ("b", 2)]))
        cross.add(Part(intents=[("a", 7), ("a", 9), ("c", 8)]))
        assert [(each.seq, each.what) for each in cross.findings()] == [
            (7, "intends an order a, as record 1 has done"),
            (9, "intends an order a, as record 1 has done"),
        ]
