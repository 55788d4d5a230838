"""The machine and the way through it, as a picture and in words."""

from __future__ import annotations

import itertools
import random
import re

import pytest
from pages import Page

from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.table import Table
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.report.machine import BOX, WIDTH, machine, steps_taken
from fsm_arb.report.markup import tag
from fsm_arb.report.shell import shell

Way = tuple[str, str, str]
BACK: tuple[Way, ...] = (
    ("PRECHECK", "checks_passed", "SIZING"),
    ("SIZING", "sized", "PLACING"),
    ("PLACING", "placed", "PARTIAL"),
    ("PARTIAL", "unwind", "ROLLBACK"),
    ("ROLLBACK", "complete", "PARTIAL"),
    ("PARTIAL", "unwind", "ROLLBACK"),
    ("ROLLBACK", "settled", "DONE"),
)


def edges(picture: str) -> dict[str, str]:
    """Return how each edge is drawn: by what its title says first."""
    return {title: look for look, title in re.findall(r'class="edge (\w+)"[^>]*><title>([A-Z]+ to [A-Z]+)\.', picture)}


def test_every_row_that_runs_is_drawn() -> None:
    """One arrow for all rows between the same two states, each with its reason."""
    for table in (TRADE_TABLE, POSITION_TABLE):
        picture = machine(table, (), str(table.initial))
        assert set(edges(picture)) == {f"{row.source} to {row.dest}" for row in table.rows}
        for row in table.rows:
            assert row.trigger in picture


def test_the_way_is_marked_and_numbered_in_order() -> None:
    """What was taken twice carries both numbers; what was not taken is drawn thin."""
    picture = machine(TRADE_TABLE, BACK, "DONE")
    taken = {title for title, look in edges(picture).items() if look == "taken"}
    assert taken == {f"{source} to {dest}" for source, _, dest in BACK}
    numbers = re.findall(r"<text[^>]*>([^<]*)</text></g>", picture.partition('class="number"')[2])
    assert sorted(numbers) == ["1", "2", "3", "4, 6", "5", "7"]
    assert "PRECHECK, SIZING, PLACING, PARTIAL, ROLLBACK, PARTIAL, ROLLBACK, DONE. It stands in DONE." in picture
    assert "● DONE" in picture
    assert re.findall(r'<g class="state (\w+)">', picture).count("unseen") == 3


def test_very_many_turns_on_one_edge_are_told_by_the_first_and_the_last() -> None:
    """Else a trade that was long halted would cover its own picture."""
    turn: tuple[Way, ...] = (("HALTED", "resume", "PARTIAL"), ("PARTIAL", "wall", "HALTED"))
    picture = machine(TRADE_TABLE, turn * 50, "HALTED")
    assert "1 … 99" in picture
    assert "2 … 100" in picture
    for x, width in re.findall(r'<rect x="(-?[\d.]+)" y="-?[\d.]+" width="([\d.]+)" height="18"', picture):
        assert 0 <= float(x) <= float(x) + float(width) <= WIDTH


def everywhere(table: Table) -> list[Way]:
    return [(str(row.source), row.trigger, str(row.dest)) for row in table.rows]


@pytest.mark.parametrize("table", [TRADE_TABLE, POSITION_TABLE], ids=lambda table: table.name)
def test_nothing_is_drawn_outside_and_no_number_covers_another(table: Table) -> None:
    """Even where every edge was taken, in whatever order."""
    for seed in range(20):
        ways = random.Random(seed).sample(everywhere(table), len(table.rows))
        picture = machine(table, ways, str(table.initial))
        height = float(re.findall(r'viewBox="0 0 \d+ (\d+)"', picture)[0])
        for curve in re.findall(r'<path d="([^"]*)" class="edge', picture):
            spots = [tuple(map(float, each)) for each in re.findall(r"(-?[\d.]+),(-?[\d.]+)", curve)]
            (x0, _), (x1, _), (x2, _), (x3, _) = spots
            middle = [x0 / 8 + 3 * x1 / 8 + 3 * x2 / 8 + x3 / 8, x0, x3]
            assert all(0 <= x <= WIDTH for x in middle), curve
            assert all(0 <= y <= height for _, y in spots), curve
        boxes = [
            tuple(map(float, each))
            for each in re.findall(r'<rect x="(-?[\d.]+)" y="(-?[\d.]+)" width="([\d.]+)" height="18"', picture)
        ]
        assert len(boxes) == len({(source, dest) for source, _, dest in ways})
        assert all(0 <= x <= x + wide <= WIDTH for x, _, wide in boxes)
        for (x1, y1, wide1), (x2, y2, wide2) in itertools.combinations(boxes, 2):
            apart = x1 + wide1 <= x2 or x2 + wide2 <= x1 or abs(y1 - y2) >= 18
            assert apart, (seed, (x1, y1), (x2, y2))


def test_no_two_states_stand_on_each_other() -> None:
    """Two columns, one row each."""
    for table in (TRADE_TABLE, POSITION_TABLE):
        picture = machine(table, (), str(table.initial))
        spots = re.findall(rf'<rect x="([\d.]+)" y="([\d.]+)" width="{BOX[0]:.1f}"', picture)
        assert len(set(spots)) == len(spots) == len(list(table.states))


def test_the_way_stands_in_words_too() -> None:
    """Each step with its trigger, its time and the reason of its row."""
    page = Page(
        shell(
            "x",
            tag("header", tag("h1", "x"))
            + tag("main", machine(TRADE_TABLE, BACK, "DONE"), steps_taken(TRADE_TABLE, BACK, ["+1 s"] * len(BACK))),
        )
    )
    assert page.problems == []
    assert "PLACING → PARTIAL placed, +1 sOne venue refused while the other may fill" in page.words
    turn: tuple[Way, ...] = (("HALTED", "resume", "PARTIAL"), ("PARTIAL", "wall", "HALTED"))
    long = steps_taken(TRADE_TABLE, turn * 20, ["+1 s"] * 40)
    assert "28 steps in between" in long
    assert re.findall(r'start="(\d+)"', long) == ["7", "35"]
    assert long.count("<li>") == 40
    assert steps_taken(TRADE_TABLE, (), ()) == "<p>It has taken no step yet.</p>"
