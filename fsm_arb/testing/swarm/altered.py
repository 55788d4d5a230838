"""A journal that somebody has altered behind our back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.journal.memory import MemoryDisk

if TYPE_CHECKING:
    from fsm_arb.testing.swarm.chance import Chance

WAYS = ("payload", "state", "time", "hash", "dropped", "swapped")


def altered(disk: MemoryDisk, chance: Chance, key: str) -> tuple[MemoryDisk, str] | None:
    """Return a copy of *disk* with one thing altered, and what; None where too little is on it.

    Args:
        disk: What is durable; it stays as it is.
        chance: Decides what is altered.
        key: Of the mishap.
    """
    records = list(disk.records)
    if len(records) < 3:  # noqa: PLR2004 - one to alter and one on either side
        return None
    at = 1 + int(chance.number(f"{key}: which") * (len(records) - 2))
    record, way = records[at], chance.one_of(f"{key}: how", WAYS)
    match way:
        case "payload":
            records[at] = evolve(record, payload=record.payload[:-1] + " }")
        case "state":
            records[at] = evolve(record, state_after="DONE" if record.state_after != "DONE" else "HEDGED")
        case "time":
            records[at] = evolve(record, at_ns=record.at_ns + 1)
        case "hash":
            records[at] = evolve(record, hash=f"{int(record.hash[:1], 16) ^ 1:x}{record.hash[1:]}")
        case "dropped":
            del records[at]
        case _:
            records[at], records[at - 1] = records[at - 1], records[at]
    seqs = {name: list(numbers) for name, numbers in disk.seqs.items()}
    copy = MemoryDisk(records=records, heads=dict(disk.heads), seqs=seqs, epoch=disk.epoch)
    return copy, f"record {record.seq}: {way}"
