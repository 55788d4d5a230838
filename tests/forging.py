"""Journals for audits: one of an entry and its exit, and forgeries of it whose chain is made anew and is sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from attrs import evolve
from papers import book, entry, leaving, records_of

from fsm_arb.ports import Record
from fsm_arb.testing.filing import file_records

LIVE = ("trade/d1", "trade/d2")  # both are still watched


@cache
def round_trip() -> tuple[Record, ...]:
    """An entry of one, d1, and its exit, d2; position P-d1 is closed at the end."""
    return tuple(records_of((book(), book()), entry(), leaving("P-d1")))


def seq_of(trigger: str, stream: str = "trade/d1", *, nth: int = 0) -> int:
    """The global sequence of a record."""
    return [each.seq for each in round_trip() if each.trigger == trigger and each.stream == stream][nth]


def forged(
    path: Path,
    seq: int = 0,
    change: Callable[[Any], Any] | None = None,
    *,
    records: Iterable[Record] = (),
    live: Iterable[str] = LIVE,
    **columns: Any,
) -> Path:
    """Write the round trip, or *records*, with one payload's body or columns changed, under a chain made anew."""
    told = list(records or round_trip())
    if seq:
        record = told[seq - 1]
        payload = json.loads(record.payload)
        if change is not None:
            payload["body"] = change(payload["body"]) or payload["body"]
            columns["payload"] = json.dumps(payload, separators=(",", ":"))
        told[seq - 1] = evolve(record, **columns)
    file_records(path, told, live)
    return path
