"""The front door of `fsm_arb.testing`: every name stands behind it, and opening it costs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import fsm_arb.testing as door

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"aiohttp", "ccxt", "click", "hypothesis", "pytest", "rich"}


@pytest.mark.parametrize("name", door.__all__)
def test_every_name_stands_behind_the_door(name: str) -> None:
    """It is the very object of the room that it lives in."""
    assert getattr(door, name) is getattr(importlib.import_module(f".{door._HOMES[name]}", "fsm_arb.testing"), name)


def test_the_list_is_whole() -> None:
    """What can be asked for is what is named, in order."""
    assert sorted(door._HOMES) == sorted(door.__all__) == sorted(dir(door))


def test_what_is_not_there_is_said() -> None:
    """As any module would."""
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = door.nonsense


def loaded_by(script: str) -> set[str]:
    # Our own interpreter with our own words.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys\n{script}\nprint(*sorted({HEAVY!r} & set(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_opening_it_loads_nothing_heavy() -> None:
    """A bot's tests that only assert need neither Hypothesis nor pytest nor ccxt."""
    assert loaded_by("import fsm_arb.testing") == set()
    assert loaded_by("from fsm_arb.testing import INVARIANTS, VirtualClock, assert_no_naked_leg, run") == set()
    assert "hypothesis" not in loaded_by("from fsm_arb.testing import SimulatedVenues, run_episode")
