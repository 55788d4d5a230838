"""What the tests of the command share: a demonstration that has run, and the command itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from fsm_arb.cli.app import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run the command in this process, as a pipe would see it."""
    return lambda *arguments: CliRunner().invoke(command, [str(each) for each in arguments])


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demonstration of eight trades with many faults, run to its end."""
    folder = tmp_path_factory.mktemp("ended") / "demo"
    result = CliRunner().invoke(
        command, f"demo --seed 3 --trades 8 --faults many --latency 0 --dir {folder}".split(), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return folder
