"""A story for machines: complete, exact, and with names that stay."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from histories import bad_nights, halted, tale, tale_of, unwound
from worlds import Walk

from fsm_arb.audit.story import story_of
from fsm_arb.audit.story_json import STORY, choice_json, head_json, plain, story_json, text, time_json

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reading.md"
D = Decimal


def said(walk: Walk) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(story_json(story_of(tale_of(walk)))))
    return found


def keys(value: Any, path: str = "") -> set[str]:
    """Return every key of a JSON value, with where it stands."""
    if isinstance(value, list):
        return set().union(*(keys(each, f"{path}[]") for each in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = {f"{path}.{key}".lstrip(".") for key in value}
    return found.union(*(keys(each, f"{path}.{key}") for key, each in value.items()))


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return said(unwound())


def test_it_names_its_schema_and_the_trade(whole: dict[str, Any]) -> None:
    """So that who reads it knows what to expect."""
    assert (whole["schema"], whole["trade_id"], whole["whole"]) == (STORY, "unwound", True)


def test_no_number_with_a_fraction_is_a_float(whole: dict[str, Any]) -> None:
    """Money and quantities are text: a reader's float would not be what was traded."""

    def floats(value: Any) -> list[float]:
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value] if isinstance(value, float) else [each for child in children for each in floats(child)]

    assert floats(whole) == []


def test_a_time_is_told_both_ways(whole: dict[str, Any]) -> None:
    """ISO 8601 in UTC, to the nanosecond, and as whole nanoseconds."""
    assert time_json(1_700_000_000_123_456_789) == {
        "utc": "2023-11-14T22:13:20.123456789Z",
        "ns": 1_700_000_000_123_456_789,
    }
    assert time_json(None) is None
    ended = whole["head"]["ended"]
    assert dt.datetime.fromisoformat(ended["utc"][:26] + "+00:00").timestamp() == ended["ns"] / 1e9


def test_the_parts_agree_with_each_other(whole: dict[str, Any]) -> None:
    """Counts, states and exposures are those of the steps."""
    steps = whole["steps"]
    assert whole["head"]["records"] == len(steps)
    assert whole["head"]["state"] == steps[-1]["after"] == "DONE"
    assert whole["head"]["path"][0] == steps[0]["before"]
    assert whole["exposure"][-1]["exposure"] == steps[-1]["exposure"] == whole["head"]["exposure"] == "0"
    assert [each["step"] for each in whole["exposure"]] == sorted({each["step"] for each in whole["exposure"]})
    assert max(abs(D(each["exposure"])) for each in whole["exposure"]) == D(whole["naked"]["worst_exposure"])
    assert D(whole["money"]["pnl"]) == D(whole["money"]["gross"]) - D(whole["money"]["fees"])


def test_a_decision_holds_what_it_compared(whole: dict[str, Any]) -> None:
    """Both remedies with their costs, and in which currency those are."""
    weighed = next(each for each in whole["decisions"] if each["weighed"])
    assert weighed["chosen"]["kind"] == "unwind"
    assert [option["kind"] for option in weighed["weighed"]] == ["complete", "unwind"]
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", option["cost"]) for option in weighed["weighed"])
    assert weighed["cost_currency"] == "USD"


def test_what_has_not_ended_has_no_status() -> None:
    """And one that was refused before it was sized has no plan, money or exposure to tell."""
    going = said(Walk(name="going"))
    assert (going["head"]["status"], going["head"]["state"], going["head"]["ended"]) == (None, "PLACING", None)
    begun = said(Walk(name="begun", begin=False))
    assert (begun["plan"], begun["money"], begun["checks"], begun["head"]["pnl"]) == (None, None, None, None)
    assert said(halted())["head"]["status"] == "halted"
    assert said(halted())["what_to_do"]


def test_every_bad_night_is_json() -> None:
    """Nothing in it that a machine could not read."""
    for name, entries in bad_nights().items():
        story = story_of(tale(name, entries))
        assert json.loads(json.dumps(story_json(story)))["head"] == json.loads(json.dumps(head_json(story)))


def test_the_page_names_every_field(whole: dict[str, Any]) -> None:
    """A schema that is not written down is not stable."""
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))
    assert {
        key.rpartition(".")[2].removesuffix("[]")
        for key in keys(whole)
        if ".policy." not in key and ".readings." not in key
    } <= named


@pytest.mark.parametrize(
    ("value", "told"), [(D("1E+3"), "1000"), (D("0.10"), "0.10"), (D("-5E-9"), "-0.000000005"), (None, None)]
)
def test_a_decimal_is_text_without_an_exponent(value: Decimal | None, told: str | None) -> None:
    """As it stands, trailing zeros included: they say how exact it is."""
    assert text(value) == told


def test_counts_are_numbers_and_words_are_text() -> None:
    """Of a policy."""
    from fsm_arb.policy import Remedy

    assert [plain(value) for value in (5, D("0.5"), Remedy.UNWIND)] == [5, "0.5", "unwind"]
    assert choice_json(None) is None
