"""What a run of episodes is told as."""

from __future__ import annotations

import io

from rich.console import Console

from fsm_arb.cli.fuzz_report import failure_lines, reach_table, run_json, summary_lines
from fsm_arb.testing.glimpse import Violation
from fsm_arb.testing.swarm.census import Census
from fsm_arb.testing.swarm.reducing import Reduced
from fsm_arb.testing.swarm.running import Order, Told


def census() -> Census:
    found = Census(virtual_s=7200.0)
    found.struck[1, "PLACING", "entry"] = 1234
    found.episodes["many"] = 10
    found.trades["many"] = 40
    found.halted["many"] = 2
    found.judged["01 exposure bounded"] = 5000
    found.operated["bust"] = 3
    found.outcomes["success"] = 30
    return found


def failed() -> Told:
    violation = Violation(number=7, name="done is flat", what="trade t1 is naked")
    return Told(
        order=Order(seed=9), level="many", violations=(violation,), struck=("a", "b"), census=Census(), digest=""
    )


def test_the_table_tells_reached_missing_and_impossible_apart() -> None:
    """A count, a nought, a dot."""
    out = io.StringIO()
    Console(file=out, width=160).print(reach_table(census()))
    rows = {line.split()[0]: line for line in out.getvalue().splitlines() if line.strip()[:1].isdigit()}
    assert "1234" in rows["1"]
    assert rows["1"].rstrip().endswith("·")  # nothing is created once a trade is DONE
    assert rows["32"].rstrip().endswith("0")
    assert set(rows["30"].split()[3:]) == {"·"}


def test_the_summary_says_it_in_sentences() -> None:
    """Edges of both machines, invariants, shares and speed."""
    text = "\n".join(summary_lines(census(), 5.0, 1))
    assert "        0  HEDGED -- disturbed --> PARTIAL  (unreachable: " in text
    assert "    5,000  01 exposure bounded" in text
    assert "Faults many: 40 trades, 5.00% ever halted, 0 still" in text
    assert "10 episodes in 5.0 s (2.0/s), 2.0 h of virtual time; 1 failed" in text


def test_a_failure_is_told_with_the_line_that_runs_it_again() -> None:
    """Made small or whole."""
    told = failed()
    text = "\n".join(failure_lines(told, Reduced(told=told, keys=("a",), runs=4)))
    assert "Seed 9 fails:\n  invariant 7 (done is flat): trade t1 is naked" in text
    assert "Run it again: fsm-arb fuzz --seed 9 --episodes 1 --only 'a'" in text
    assert "What it takes (1 of 2, found in 4 runs):\n  a" in text
    assert "Run it again" not in "\n".join(failure_lines(told, None))


def test_json_holds_the_census_the_failures_and_the_holes() -> None:
    """All that a later run can be compared with."""
    data = run_json(census(), [failed()], ["a hole"], 5.0)
    assert data["holes"] == ["a hole"]
    assert data["failed"][0]["seed"] == 9
    assert data["failed"][0]["violations"] == ["invariant 7 (done is flat): trade t1 is naked"]
    assert Census.from_json(data["census"]) == census()
