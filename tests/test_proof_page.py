"""The page on proof says what the instruments are."""

from __future__ import annotations

from pathlib import Path

from fsm_arb.testing import every_checker

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "proof.md").read_text(encoding="utf-8")


def test_every_invariant_is_on_the_page() -> None:
    """With its number and its claim, as the checker has them."""
    table = PAGE.split("<!-- invariants:")[1].split("<!-- end of invariants")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    assert rows[2:] == [[str(each.number), each.name, each.claim] for each in every_checker()]


def test_what_the_page_links_to_is_there() -> None:
    """Beside it, or in the tree."""
    for name in ("defects.md", "mutants.md"):
        assert f"({name})" in PAGE
        assert (DOCS / name).exists()
    root = DOCS.parent
    for path in (
        "fsm_arb/testing/invariants",
        "fsm_arb/testing/swarm/reach.py",
        "fsm_arb/testing/explorer/venue.py",
        "tests/testing/swarm/regressions.json",
        "tests/journal/test_damage.py",
        "tests/cli/test_kill.py",
    ):
        assert path in PAGE
        assert (root / path).exists()
