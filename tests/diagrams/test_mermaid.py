"""Mermaid: every row is drawn once, and the happy path comes first."""

from __future__ import annotations

import re

import pytest
from lamps import LAMP, TABLES, Lamp

from fsm_arb.diagrams.mermaid import mermaid
from fsm_arb.diagrams.paths import Reach, aside, aside_name, happy_path, label
from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.table import Table


def test_mermaid_text_is_exactly_the_rows() -> None:
    """The path first, where it may end, what is off it in a group, then how one comes there and back."""
    endless = Table(name="lamp", states=Lamp, initial=Lamp.OFF, final=frozenset({Lamp.ON}), rows=LAMP.rows)
    assert mermaid(endless) == (
        "---\n"
        "title: The lamp machine\n"
        "---\n"
        "stateDiagram-v2\n"
        "    [*] --> OFF\n"
        "    OFF --> ON: pressed [fine]\n"
        "    ON --> [*]\n"
        "    state Remedies {\n"
        "        BROKEN --> BROKEN: waited [burnt]\n"
        "    }\n"
        "    OFF --> BROKEN: pressed [burnt] / dark\n"
        "    ON --> OFF: pressed\n"
        "    BROKEN --> OFF: replaced [fine] / new\n"
        "    classDef happy fill:#e6f0fa,stroke:#1d5f9c,stroke-width:2.4px,color:#1f2937\n"
        "    class OFF,ON happy\n"
        "    classDef remedy fill:#fdf0dc,stroke:#b3640a,stroke-width:1.3px,color:#1f2937\n"
        "    class BROKEN remedy\n"
    )


def test_a_state_off_the_path_without_a_row_of_the_group_is_still_in_it() -> None:
    """A name alone puts it there."""
    rows = tuple(row for row in LAMP.rows if row.trigger != "waited")
    quiet = Table(name="lamp", states=Lamp, initial=Lamp.OFF, final=frozenset({Lamp.ON}), rows=rows)
    assert "    state Remedies {\n        BROKEN\n    }\n" in mermaid(quiet)


def test_what_no_run_has_reached_is_marked() -> None:
    """Mermaid has no faint arrow in a state diagram, so it is said in words."""
    reach = Reach(whose="as mine.toml reaches it", within="", cut=(LAMP.rows[1],), beyond=(LAMP.rows[3],))
    text = mermaid(LAMP, reach)
    assert "title: The lamp machine, as mine.toml reaches it\n" in text
    assert [line.strip() for line in text.splitlines() if "(not reached)" in line] == [
        "BROKEN --> BROKEN: waited [burnt] (not reached)",
        "OFF --> BROKEN: pressed [burnt] / dark (not reached)",
    ]


def test_a_table_without_remedies_has_neither_group_nor_class_for_them() -> None:
    """Mermaid refuses a class of no states, and an empty group."""
    assert "remedy" not in mermaid(POSITION_TABLE)
    assert "state Remedies" not in mermaid(POSITION_TABLE)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_mermaid_draws_each_row_once_and_marks_both_ends(table: Table) -> None:
    """Nothing is drawn that cannot happen, and nothing that can is left out."""
    drawn = re.findall(r"^ +(\S+) --> (\S+?): (.+)$", mermaid(table), flags=re.MULTILINE)
    assert sorted(drawn) == sorted((row.source, row.dest, label(row)) for row in table.rows)
    happy = happy_path(table)
    assert [(row.source, row.dest, label(row)) for row in happy] == drawn[: len(happy)]
    assert f"    [*] --> {table.initial}\n" in mermaid(table)
    assert all(f"    {state} --> [*]\n" in mermaid(table) for state in table.final)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_group_holds_the_remedies_and_no_other_state(table: Table) -> None:
    """What is named within it, it takes in: a row that leaves the group stands outside."""
    text = mermaid(table)
    within = re.findall(rf"state {aside_name(table)} {{\n(.*?)    }}\n", text, flags=re.DOTALL)
    named = set(re.findall(r"[A-Z_]{3,}", re.sub(r":.*", "", within[0]))) if within else set()
    assert named == set(aside(table))
