"""What a replay found, as JSON. The schema stands in ``docs/reading.md``."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from fsm_arb.audit.hypothetical import Supposed
from fsm_arb.audit.replay import Replayed
from fsm_arb.audit.rerunning import Unreadable
from fsm_arb.audit.story_json import choice_json, plain, time_json
from fsm_arb.codec import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsm_arb.audit.difference import Difference
    from fsm_arb.audit.hypothetical import Divergence
    from fsm_arb.audit.rerunning import Rerun
    from fsm_arb.memory import Entry

REPLAY = "fsm_arb.replay/1"
HYPOTHETICAL = "fsm_arb.hypothetical/1"


def replay_json(found: Sequence[Rerun]) -> dict[str, Any]:
    """Return what came of deciding each trade again."""
    replayed = [each for each in found if isinstance(each, Replayed)]
    return {
        "schema": REPLAY,
        "trades": len(found),
        "records": sum(each.records for each in replayed),
        "decisions": sum(each.decisions for each in replayed),
        "same": all(isinstance(each, Replayed) and each.same for each in found),
        "latest_ns": max((each.latest.by_ns for each in replayed if each.latest), default=0),
        "differences": [_difference(each) for trade in replayed for each in trade.differences],
        "unreadable": _unreadable(found),
        "results": [
            {
                "trade_id": each.trade_id,
                "records": each.records,
                "decisions": each.decisions,
                "state": each.state,
                "status": each.status or None,
                "same": each.same,
            }
            for each in replayed
        ],
    }


def hypothetical_json(found: Sequence[Rerun], changes: Mapping[str, Any], not_judged: Sequence[str]) -> dict[str, Any]:
    """Return what other policy numbers would have decided."""
    supposed = [each for each in found if isinstance(each, Supposed)]
    return {
        "schema": HYPOTHETICAL,
        "hypothetical": True,
        "policy": {name: plain(value) for name, value in changes.items()},
        "trades": len(found),
        "unchanged": sum(each.divergence is None and not each.unknown for each in supposed),
        "kinds": [
            {"how": how, "recorded": recorded, "instead": instead, "trades": count}
            for (how, recorded, instead), count in kinds(supposed).most_common()
        ],
        "not_judged": list(not_judged),
        "unreadable": _unreadable(found),
        "results": [
            {
                "trade_id": each.trade_id,
                "records": each.records,
                "status": each.status or None,
                "unknown": each.unknown,
                "divergence": _divergence(each.divergence) if each.divergence else None,
            }
            for each in supposed
        ],
    }


def kinds(supposed: Sequence[Supposed]) -> Counter[tuple[str, str, str]]:
    """Return how often each kind of divergence was found: how, what was done, what would have been."""
    found = (each.divergence for each in supposed if each.divergence is not None)
    return Counter((each.how.value, each.recorded, each.instead) for each in found)


def _unreadable(found: Sequence[Rerun]) -> list[dict[str, str]]:
    return [{"trade_id": each.trade_id, "why": each.why} for each in found if isinstance(each, Unreadable)]


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "trade_id": difference.trade_id,
        "number": difference.number,
        "at": time_json(difference.at_ns),
        "kind": difference.kind.value,
        "recorded": _entry(difference.recorded),
        "decided": _entry(difference.decided),
        "why": difference.why,
    }


def _divergence(divergence: Divergence) -> dict[str, Any]:
    return {
        "number": divergence.number,
        "at": time_json(divergence.at_ns),
        "how": divergence.how.value,
        "recorded": divergence.recorded,
        "instead": divergence.instead,
        "sooner_ns": divergence.sooner_ns,
        "recorded_choice": choice_json(divergence.recorded_choice),
        "hypothetical_choice": choice_json(divergence.choice),
    }


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    """Return an entry as its record would hold it."""
    if entry is None:
        return None
    return {
        "trigger": entry.trigger,
        "before": entry.before,
        "after": entry.after,
        "payload": json.loads(dumps(entry.fact)),
    }
