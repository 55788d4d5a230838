"""Every pure module, line and branch, from its own test file alone.

    python tools/own_coverage.py [MODULE ...]

What another module's test happens to run is not tested: nobody would notice
there that it went wrong. One process runs all of them, and a line counts for
the test file that was at work, while it was imported or while it ran. Ends
with 1 where a line or a branch is missed.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest
from attrs import frozen
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
QUIET = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
QUIET += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is loaded already, for its settings
WHOLE = 100.0


def pure_modules() -> dict[str, Path]:
    """Return the pure modules as the rules of the house name them."""
    sys.path.insert(0, str(ROOT / "tests"))
    house: Any = importlib.import_module("test_house")
    return {
        module: house.FILES[module]
        for module in house.MODULES
        if house.is_pure(module) and house.FILES[module].name != "__init__.py"
    }


def own_test(module: str) -> str:
    """Return the module's mirrored test file."""
    *packages, name = module.split(".")
    return "/".join(["tests", *packages, f"test_{name}.py"])


@frozen
class Accounts:
    """A pytest plugin that puts every line to the account of the test file that is at work."""

    tracer: coverage.Coverage

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """A test file's tables of cases run when it is imported."""
        self.tracer.switch_context(str(collector.path.relative_to(ROOT)) if collector.path.is_file() else "")
        report = yield
        self.tracer.switch_context("")
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Set-up and tear-down count for the test."""
        self.tracer.switch_context(item.nodeid.partition("::")[0])
        done = yield
        self.tracer.switch_context("")
        return done


def run(modules: dict[str, Path]) -> coverage.Coverage:
    """Run the own tests of *modules*.

    Raises:
        SystemExit: One of them fails.
    """
    tracer = coverage.Coverage(data_file=None, branch=True, config_file=str(ROOT / "setup.cfg"))
    tracer.set_option("run:source", None)
    tracer.set_option("run:include", [str(path) for path in modules.values()])
    tracer.start()
    for module in modules:  # what a module runs by being imported counts for every test
        importlib.import_module(f"fsm_arb.{module}")
    tests = [test for test in map(own_test, modules) if (ROOT / test).is_file()]
    code = pytest.main([*QUIET, *tests], plugins=[Accounts(tracer)])
    tracer.stop()
    if code:
        raise SystemExit(f"the tests of the pure modules fail: {code!r}")
    return tracer


def missed(tracer: coverage.Coverage, module: str, path: Path) -> str:
    """Return what the module's own tests leave out, as a line of coverage's report; empty for nothing."""
    text = io.StringIO()
    own = f"^{own_test(module)}$"
    percent = tracer.report([str(path)], file=text, show_missing=True, precision=1, contexts=["^$", own])
    return "" if percent >= WHOLE else text.getvalue().splitlines()[2]


def main() -> int:
    """Measure what was asked for."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    # The same examples every time, and so few that no branch is left to a lucky one.
    settings.register_profile("few", deadline=None, derandomize=True, database=None, max_examples=20)
    os.environ["HYPOTHESIS_PROFILE"] = "few"
    began = time.monotonic()
    modules = {name: path for name, path in pure_modules().items() if name in (sys.argv[1:] or (name,))}
    tracer = run(modules)
    short = [line for module, path in modules.items() if (line := missed(tracer, module, path))]
    print(*short, sep="\n")
    print(f"{len(modules)} pure modules, {len(short)} not wholly covered by their own tests, ", end="")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
