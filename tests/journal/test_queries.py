"""The questions that a reader asks are questions that SQLite understands."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fsm_arb.journal import queries

TEXTS = {name: text for name, text in vars(queries).items() if name.isupper() and isinstance(text, str)}
TEXTS |= {f"NAMES_BY_LIVE[{live}]": text for live, text in queries.NAMES_BY_LIVE.items()}
NO_QUESTIONS = {"_FIELDS", "_HEADS", "_NAMES"}  # parts of others


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - NO_QUESTIONS))
def test_a_question_fits_the_tables(name: str, whole: Path) -> None:
    """Each is understood, and none sorts: what is read in order is stored in order."""
    with sqlite3.connect(whole) as connection:
        values = [0] * TEXTS[name].count("?") if "?1" not in TEXTS[name] else [0]
        plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {TEXTS[name]}", values)]
    connection.close()
    assert plan
    if name != "WHOSE":  # asked for one record that is wrong
        assert not [step for step in plan if "TEMP B-TREE" in step]
