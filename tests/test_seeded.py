"""Seeded defects: each can be put in, and each is caught by the instrument that is quickest at it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


SEEDED = load("seeded").SEEDED


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: defect.name)
def test_a_defect_still_fits_the_code(defect: Any) -> None:
    """What it changes stands there exactly once, and what comes of it compiles."""
    texts: dict[Path, str] = {}
    for patch in defect.patches:
        texts[patch.path] = patch.applied(texts.get(patch.path) or patch.path.read_text(encoding="utf-8"))
    for path, text in texts.items():
        compile(text, str(path), "exec")


def test_a_patch_that_no_longer_fits_is_an_error() -> None:
    """A defect that is not put in would be found by nobody, and prove nothing."""
    patch = load("seeded").Patch("orders", "no such line\n", "")
    with pytest.raises(ValueError, match="0 places"):
        patch.applied("x = 1\n")


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: defect.name)
def test_the_quickest_instrument_catches_it(defect: Any) -> None:
    """And none of them survives."""
    command = [sys.executable, str(TOOLS / "defects.py"), defect.name, defect.caught_by]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)  # noqa: S603 - our own script
    assert done.returncode == 3, done.stdout + done.stderr[-2000:]


def test_every_defect_is_on_the_page() -> None:
    """With what its author believed; the seconds are those of the machine that made the page."""
    page = (TOOLS.parent / "docs" / "defects.md").read_text(encoding="utf-8")
    for defect in SEEDED:
        assert f"| `{defect.name}` | {defect.story} |" in page
    assert f"{len(SEEDED)} of {len(SEEDED)} are caught." in page
