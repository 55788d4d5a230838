"""What a run has reached."""

from __future__ import annotations

import json

from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.testing.swarm.census import Census, edges_of


def counted() -> Census:
    census = Census(virtual_s=2.5)
    census.episodes["many"] += 1
    census.struck[1, "PLACING", "entry"] += 2
    census.struck[1, "PLACING", "exit"] += 1
    census.trade_edges["PRECHECK", "checks_passed", "SIZING"] += 4
    census.judged["01 exposure bounded"] += 9
    return census


def test_entries_and_exits_both_count() -> None:
    """A fault that met either has met a trade."""
    assert counted().met(1, "PLACING") == 3
    assert counted().met(1, "PARTIAL") == 0


def test_counts_add_up() -> None:
    """Over as many processes as there were."""
    total = counted()
    total.add(counted())
    assert total.met(1, "PLACING") == 6
    assert total.trade_edges["PRECHECK", "checks_passed", "SIZING"] == 8
    assert total.virtual_s == 5.0


def test_a_census_survives_json() -> None:
    """Whole, with its keys."""
    census = counted()
    assert Census.from_json(json.loads(json.dumps(census.to_json()))) == census


def test_edges_that_were_not_taken_are_named() -> None:
    """Of both tables; those that cannot be taken aside."""
    missing = counted().missing_edges([("HEDGED", "disturbed", "PARTIAL")])
    assert "trade: PRECHECK -- checks_passed --> SIZING" not in missing
    assert "trade: SIZING -- sized --> PLACING" in missing
    assert "trade: HEDGED -- disturbed --> PARTIAL" not in missing
    assert "position: OPEN -- exit_started --> CLOSING" in missing
    full = Census()
    for edge in edges_of(TRADE_TABLE):
        full.trade_edges[edge] += 1
    assert all(name.startswith("position: ") for name in full.missing_edges())
