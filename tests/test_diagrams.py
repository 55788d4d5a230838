"""Diagrams: every row is drawn, nothing else is, and the same rows give the same bytes."""

from __future__ import annotations

import builtins
import enum
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from fsm_arb.diagrams import can_draw_svg, check_diagrams, happy_path, markdown, mermaid, svg, write_diagrams
from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.table import Row, Table, guard
from fsm_arb.machines.trade import TRADE_TABLE

ROOT = Path(__file__).resolve().parent.parent
TABLES = (TRADE_TABLE, POSITION_TABLE)
SVG = "{http://www.w3.org/2000/svg}"


class Lamp(enum.StrEnum):
    """States of a toy machine."""

    OFF = "OFF"
    ON = "ON"
    BROKEN = "BROKEN"


fine = guard("fine", "bulb", "fine", doc="The bulb | shines.")
burnt = guard("burnt", "bulb", "burnt", doc="The bulb\nis <burnt>.")
LAMP = Table(
    name="lamp",
    states=Lamp,
    initial=Lamp.OFF,
    final=frozenset({Lamp.OFF}),
    rows=(
        Row(Lamp.OFF, "pressed", Lamp.ON, (fine,), "Light | at last."),
        Row(Lamp.OFF, "pressed", Lamp.BROKEN, (burnt,), "Dark & cold.", "dark"),
        Row(Lamp.ON, "pressed", Lamp.OFF),
        Row(Lamp.BROKEN, "waited", Lamp.BROKEN, (burnt,)),
        Row(Lamp.BROKEN, "replaced", Lamp.OFF, (fine,), outcome="new"),
    ),
)


# ------------------------------------------------------------------ the happy path


def test_the_happy_path_follows_the_first_row_of_each_state() -> None:
    """The order of the rows says how things should go."""
    assert [row.dest for row in happy_path(TRADE_TABLE)] == ["SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"]
    assert [row.dest for row in happy_path(POSITION_TABLE)] == ["CLOSING", "CLOSED"]


def test_a_happy_path_that_comes_round_ends() -> None:
    """A lamp goes on and off for ever; its path is drawn once."""
    endless = Table(name="lamp", states=Lamp, initial=Lamp.OFF, final=frozenset(), rows=LAMP.rows)
    assert [row.dest for row in happy_path(endless)] == ["ON"]


# ------------------------------------------------------------------ Mermaid


def test_mermaid_text_is_exactly_the_rows() -> None:
    """Where it starts, every row with its guards and outcome, where it may end, and what is off the path."""
    endless = Table(name="lamp", states=Lamp, initial=Lamp.OFF, final=frozenset({Lamp.ON}), rows=LAMP.rows)
    assert mermaid(endless) == (
        "---\n"
        "title: The lamp machine\n"
        "---\n"
        "stateDiagram-v2\n"
        "    [*] --> OFF\n"
        "    OFF --> ON: pressed [fine]\n"
        "    OFF --> BROKEN: pressed [burnt] / dark\n"
        "    ON --> OFF: pressed\n"
        "    BROKEN --> BROKEN: waited [burnt]\n"
        "    BROKEN --> OFF: replaced [fine] / new\n"
        "    ON --> [*]\n"
        "    classDef remedy fill:#fdf0dc,stroke:#b3640a,color:#1f2937\n"
        "    class BROKEN remedy\n"
    )


def test_a_table_without_remedies_has_no_class_for_them() -> None:
    """Mermaid refuses a class of no states."""
    assert "class" not in mermaid(POSITION_TABLE)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_mermaid_draws_each_row_once_and_marks_both_ends(table: Table) -> None:
    """Nothing is drawn that cannot happen, and nothing that can is left out."""
    drawn = re.findall(r"^    (\S+) --> (\S+?): (.+)$", mermaid(table), flags=re.MULTILINE)
    labels = [f"{row.label} / {row.outcome}" if row.outcome else row.label for row in table.rows]
    assert drawn == [(row.source, row.dest, label) for row, label in zip(table.rows, labels, strict=True)]
    assert f"    [*] --> {table.initial}\n" in mermaid(table)
    assert all(f"    {state} --> [*]\n" in mermaid(table) for state in table.final)


# ------------------------------------------------------------------ Markdown


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


# ------------------------------------------------------------------ SVG


@pytest.mark.parametrize("table", [*TABLES, LAMP], ids=lambda table: table.name)
def test_the_image_shows_every_state_and_one_arrow_for_each_pair_of_states(table: Table) -> None:
    """Rows between the same two states share an arrow, and its label names each of them."""
    image = ET.fromstring(svg(table))  # noqa: S314 - our own words
    texts = ["".join(each.itertext()) for each in image.iter(f"{SVG}text")]
    assert [text for text in texts if text in table.states] == list(table.states)
    arrows = [each for each in image.iter(f"{SVG}path") if "marker-end" in each.attrib]
    assert len(arrows) == len({(row.source, row.dest) for row in table.rows}) + 1  # and where it starts
    assert sum(text.split(" ")[0] in table.triggers for text in texts) == len(table.rows)
    reasons = "\n".join(each.text or "" for each in image.iter(f"{SVG}title"))
    assert all(f"{row}: {row.why}" in reasons for row in table.rows)


def arrow_ends(table: Table) -> list[tuple[float, float, float, float]]:
    paths = [each for each in ET.fromstring(svg(table)).iter(f"{SVG}path") if "marker-end" in each.attrib]  # noqa: S314
    numbers = [[float(number) for number in re.findall(r"-?[\d.]+", each.attrib["d"])] for each in paths]
    return [(each[0], each[1], each[-2], each[-1]) for each in numbers]


def state_boxes(table: Table) -> dict[str, tuple[float, float]]:
    texts = ET.fromstring(svg(table)).iter(f"{SVG}text")  # noqa: S314
    centres = {each.text or "": (float(each.attrib["x"]), float(each.attrib["y"])) for each in texts}
    return {state: centres[state] for state in table.states}


@pytest.mark.parametrize("table", [*TABLES, LAMP], ids=lambda table: table.name)
def test_each_arrow_runs_from_its_source_to_its_destination(table: Table) -> None:
    """An arrow that was laid out upwards still points where its row leads."""
    boxes = state_boxes(table)
    pairs = list(dict.fromkeys((row.source, row.dest) for row in table.rows))
    for (source, dest), (x1, y1, x2, y2) in zip(pairs, arrow_ends(table)[1:], strict=True):
        for state, x, y in ((source, x1, y1), (dest, x2, y2)):
            assert abs(x - boxes[state][0]) <= 62, (source, dest)
            assert abs(y - boxes[state][1]) <= 28, (source, dest)


def test_the_happy_path_is_one_straight_column() -> None:
    """The eye finds first what should happen."""
    boxes = state_boxes(TRADE_TABLE)
    happy = ["PRECHECK", "SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"]
    across = [boxes[state][0] for state in happy]
    assert max(across) - min(across) <= 1
    assert sorted(happy, key=lambda state: boxes[state][1]) == happy


def test_labels_do_not_cover_each_other() -> None:
    """Each label has the room that its longest line needs."""
    placed: list[tuple[float, float, str]] = []
    for group in ET.fromstring(svg(TRADE_TABLE)).iter(f"{SVG}g"):  # noqa: S314
        for each in group.iter(f"{SVG}text"):
            x, y, text = float(each.attrib["x"]), float(each.attrib["y"]), each.text or ""
            covered = [
                other
                for left, top, other in placed
                if abs(top - y) < 10 and abs(left - x) < (len(text) + len(other)) * 6.2 / 2
            ]
            assert covered == [], text
            placed.append((x, y, text))
    assert len(placed) > len(TRADE_TABLE.rows)


# ------------------------------------------------------------------ files


def test_the_committed_diagrams_are_what_the_tables_draw() -> None:
    """A row that changes without its diagram is found here."""
    assert check_diagrams(ROOT / "diagrams", TABLES) == ()


def test_what_was_written_passes_the_check(tmp_path: Path) -> None:
    """The folder is made, and every file in it is named."""
    folder = tmp_path / "deep" / "diagrams"
    names = write_diagrams(folder, TABLES)
    assert names == ("trade.mmd", "trade.md", "trade.svg", "position.mmd", "position.md", "position.svg")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert check_diagrams(folder, TABLES) == ()


@pytest.mark.parametrize("suffix", ["mmd", "md", "svg"])
def test_a_file_that_differs_by_one_byte_is_named(tmp_path: Path, suffix: str) -> None:
    """Nothing is tolerated, not a line's end either."""
    write_diagrams(tmp_path, TABLES)
    path = tmp_path / f"trade.{suffix}"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    assert check_diagrams(tmp_path, TABLES) == (path.name,)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """An empty folder lacks everything."""
    assert check_diagrams(tmp_path, [LAMP]) == ("lamp.mmd", "lamp.md", "lamp.svg")
    assert check_diagrams(tmp_path / "none", [LAMP]) == ("lamp.mmd", "lamp.md", "lamp.svg")


def test_without_pygraphviz_text_is_written_and_checked_and_svg_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is optional: who lacks it still has Mermaid and the tables."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pygraphviz":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert not can_draw_svg()
    assert write_diagrams(tmp_path, [LAMP]) == ("lamp.mmd", "lamp.md")
    assert check_diagrams(tmp_path, [LAMP]) == ()
    with pytest.raises(ImportError):
        svg(LAMP)


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_same_rows_give_the_same_bytes_under_every_hash_seed_and_without_fonts(tmp_path: Path, seed: str) -> None:
    """A diagram drawn on another machine is no difference."""
    script = (
        "import sys; from pathlib import Path; from fsm_arb.diagrams import write_diagrams;"
        "from fsm_arb.machines.position import POSITION_TABLE; from fsm_arb.machines.trade import TRADE_TABLE;"
        "write_diagrams(Path(sys.argv[1]), [TRADE_TABLE, POSITION_TABLE])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "FONTCONFIG_FILE": os.devnull}
    # Our own interpreter with our own words.
    subprocess.run(  # noqa: S603
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, env=environment, check=True
    )
    assert check_diagrams(tmp_path, TABLES) == ()
