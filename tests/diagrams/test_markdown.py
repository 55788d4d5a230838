"""The page of a machine: every row with its reason, every guard in words."""

from __future__ import annotations

import enum

import pytest
from lamps import LAMP, TABLES

from fsm_arb.diagrams.markdown import markdown
from fsm_arb.diagrams.paths import Reach
from fsm_arb.machines.table import Row, Table, guard


def test_the_page_gives_every_row_its_reason_and_every_guard_its_words() -> None:
    """A bar in a sentence does not break the table it stands in."""
    assert markdown(LAMP) == (
        "# The lamp machine\n"
        "\n"
        "Drawn from the rows that run. It starts in OFF; final: OFF.\n"
        "\n"
        "| from | trigger | guards | to | why |\n"
        "|---|---|---|---|---|\n"
        "| OFF | pressed | fine | ON | Light \\| at last. |\n"
        "| OFF | pressed | burnt | BROKEN (`dark`) | Dark & cold. |\n"
        "| ON | pressed |  | OFF |  |\n"
        "| BROKEN | waited | burnt | BROKEN |  |\n"
        "| BROKEN | replaced | fine | OFF (`new`) |  |\n"
        "\n"
        "| guard | reads | true when |\n"
        "|---|---|---|\n"
        "| fine | bulb | The bulb \\| shines. |\n"
        "| burnt | bulb | The bulb is <burnt>. |\n"
    )


def test_a_table_without_guards_has_no_list_of_them() -> None:
    """A heading with nothing under it says nothing."""

    class One(enum.StrEnum):
        ONLY = "ONLY"

    plain = Table(name="plain", states=One, initial="ONLY", final=frozenset({"ONLY"}), rows=())
    assert markdown(plain).endswith("| from | trigger | guards | to | why |\n|---|---|---|---|---|\n")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_row_and_guard_of_our_machines_is_explained(table: Table) -> None:
    """A reader of the page finds no empty cell."""
    assert [str(row) for row in table.rows if not row.why.endswith(".")] == []
    assert [each.name for row in table.rows for each in row.guards if not each.doc.endswith(".")] == []


def test_a_guard_without_a_name_is_said_by_its_trigger() -> None:
    """Neither its row nor the list of guards has an empty name."""

    class Two(enum.StrEnum):
        LEFT = "LEFT"
        RIGHT = "RIGHT"

    silent = guard("", "push", "right", doc="Pushed.")
    table = Table(
        name="two",
        states=Two,
        initial="LEFT",
        final=frozenset({"RIGHT"}),
        rows=(Row("LEFT", "pushed", "RIGHT", (silent,), "It was pushed."),),
    )
    assert markdown(table).endswith("| LEFT | pushed |  | RIGHT | It was pushed. |\n")


def test_what_no_run_has_reached_is_listed_by_why_not() -> None:
    """Those that the policy takes away, apart from those that no policy reaches; with the bounds above both."""
    reach = Reach(whose="as mine.toml reaches it", within="Found.", cut=(LAMP.rows[1],), beyond=(LAMP.rows[3],))
    text = markdown(LAMP, reach)
    assert text.startswith(
        "# The lamp machine, as mine.toml reaches it\n"
        "\n"
        "Drawn from the rows that run. It starts in OFF; final: OFF.\n"
        "\n"
        "Found.\n"
        "\n"
        "This policy reaches none of these, though another does, within the same bounds:\n"
        "\n"
        "- OFF -- pressed [burnt] --> BROKEN\n"
        "\n"
        "No policy that was run reaches these within the same bounds, which says nothing of yours:\n"
        "\n"
        "- BROKEN -- waited [burnt] --> BROKEN\n"
        "\n"
        "| from |"
    )
    assert "| OFF | pressed | burnt | BROKEN (`dark`) | *Not reached.* Dark & cold. |\n" in text


def test_where_everything_was_reached_nothing_is_listed() -> None:
    """Only the bounds are said."""
    text = markdown(LAMP, Reach(whose="as mine.toml reaches it", within="Found."))
    assert "Found.\n\n| from |" in text
    assert "reached" not in text.lower()
