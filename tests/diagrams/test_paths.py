"""What a table says about itself."""

from __future__ import annotations

import pytest
from lamps import LAMP, TABLES, Lamp

from fsm_arb.diagrams.paths import Reach, aside, aside_name, happy_path, label, origin, title
from fsm_arb.machines.order import ORDER_TABLE
from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.table import Table
from fsm_arb.machines.trade import TRADE_TABLE


def test_the_happy_path_follows_the_first_row_of_each_state() -> None:
    """The order of the rows says how things should go."""
    assert [row.dest for row in happy_path(TRADE_TABLE)] == ["SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"]
    assert [row.dest for row in happy_path(POSITION_TABLE)] == ["CLOSING", "CLOSED"]


def test_a_happy_path_that_comes_round_ends() -> None:
    """A lamp goes on and off for ever; its path is drawn once."""
    endless = Table(name="lamp", states=Lamp, initial=Lamp.OFF, final=frozenset(), rows=LAMP.rows)
    assert [row.dest for row in happy_path(endless)] == ["ON"]


def test_what_is_off_the_path_has_a_name() -> None:
    """Remedies of a trade; an order knows none, it goes astray."""
    assert aside(TRADE_TABLE) == ("PARTIAL", "ROLLBACK", "HALTED")
    assert aside(POSITION_TABLE) == ()
    assert aside(ORDER_TABLE) == ("CANCELLING", "IN_DOUBT", "DEAD", "WRITTEN_OFF")
    assert (aside_name(TRADE_TABLE), aside_name(ORDER_TABLE)) == ("Remedies", "Astray")


def test_a_title_says_whose_reach_it_shows() -> None:
    """Nobody takes a policy's drawing for the machine."""
    assert title(LAMP, None) == "The lamp machine"
    assert title(LAMP, Reach(whose="as mine.toml reaches it", within="")) == "The lamp machine, as mine.toml reaches it"


def test_a_label_is_trigger_guards_and_outcome() -> None:
    """As UML writes them."""
    assert [label(row) for row in LAMP.rows] == [
        "pressed [fine]",
        "pressed [burnt] / dark",
        "pressed",
        "waited [burnt]",
        "replaced [fine] / new",
    ]


def test_a_row_is_missed_for_either_reason() -> None:
    """Cut by the policy, or beyond the bounds."""
    first, second, third, *_ = LAMP.rows
    reach = Reach(whose="", within="", cut=(first,), beyond=(second,))
    assert [reach.missed(row) for row in (first, second, third)] == [True, True, False]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_page_says_what_its_rows_have_to_do_with_what_runs(table: Table) -> None:
    """Two machines are run from their rows; an order is a fold that is compared with them."""
    assert ("No engine moves an order" in origin(table)) == (table is ORDER_TABLE)
    assert ("Drawn from the rows that run." in origin(table)) == (table is not ORDER_TABLE)
