"""What an audit found, in words and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from fsm_arb.audit.auditing import Audit
from fsm_arb.audit.findings import Finding
from fsm_arb.audit.reconciling import Comparison, Difference
from fsm_arb.cli.audit_report import SHOWN, Told, as_json, lines

HEAD = (1234, "ab" * 32)
SOUND = Audit(Path("a[b].db"), 1234, HEAD, 3, Counter(success=2, failed=1), Counter(OPEN=1))


def test_a_sound_journal_is_told() -> None:
    """Numbers with their commas; a name with brackets is no markup."""
    assert list(lines(Told(audit=SOUND))) == [
        r"Journal: a\[b].db, 1,234 records, 3 openings.",
        f"Head: record 1234, {HEAD[1]}.",
        "Trades: 3 (2 success, 1 failed).",
        "Positions: 1 (1 OPEN).",
        "Halted: none.",
        "[green]All is well.[/]",
    ]


def test_all_that_is_known_is_told() -> None:
    """Findings first, what is halted by name, notes with their count; what is too many is counted."""
    found = Audit(Path("x"), findings=[Finding(seq=n + 1, what="w") for n in range(SHOWN + 2)], more=3)
    found.halted = [f"d{n}" for n in range(SHOWN + 4)]
    found.notes = Counter({"odd": 1, "often": 2})
    told = list(lines(Told(audit=found, anchors=7, written=Path("heads"))))
    assert told[0] == "[red]Wrong:[/] record 1: w"
    assert told[SHOWN] == "[red]Wrong:[/] 5 more."
    assert any(line.startswith("[yellow]Halted:[/] d0, d1, ") and line.endswith("d19 and 4 more.") for line in told)
    assert told[-5:] == [
        "Note: odd.",
        "Note: often: 2.",
        "Anchors: compared with 7.",
        "Anchors: the head was added to heads.",
        "[red]Not all is well.[/]",
    ]


def test_a_comparison_is_told() -> None:
    """What differs makes it not well, though the journal is."""
    many = [Difference("journal" if n else "", f"d{n}") for n in range(SHOWN + 1)]
    compared = Comparison(orders=5, executions=9, outside=2, others=3, differences=many, more=4)
    told = list(lines(Told(audit=SOUND, comparison=compared)))
    assert told[5:7] == ["[red]Exchange, different:[/] d0", "[red]Exchange, missing from the journal:[/] d1"]
    assert told[-5:] == [
        "[red]Exchange:[/] 5 more differences.",
        "Exchange: 5 orders compared with 9 executions.",
        "Exchange: 2 orders that filled lie outside of what the list covers.",
        "Exchange: 3 executions are of nobody's orders here.",
        "[red]Not all is well.[/]",
    ]
    alike = Told(audit=SOUND, comparison=Comparison(orders=5, executions=9))
    assert (alike.ok, list(lines(alike))[-1]) == (True, "[green]All is well.[/]")


def test_programs_are_told_the_same() -> None:
    """All of it can be written as JSON."""
    found = Audit(Path("x"), findings=[Finding(seq=0, what="w"), Finding(seq=3, what="v", stream="s")])
    told = as_json(Told(audit=found, comparison=Comparison(differences=[Difference("", "d")])))
    again = json.loads(json.dumps(told))
    assert (again["ok"], again["anchors_compared"], again["anchor_written"]) == (False, 0, False)
    assert [each["record"] for each in again["findings"]] == [None, 3]
    assert again["exchange"]["differences"] == [{"missing": "", "what": "d"}]
