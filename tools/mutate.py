"""Do the tests notice a mistake? Make every small one in the core, one at a time, and see.

    python tools/mutate.py [MODULE ...] [--only TEXT] [--verbose]

Each mutant is installed by an import hook in a child of this process, so that
nothing on disk changes, and meets the tests that run its line: those of the
module's own test file, and of the few others that `CLOSE` names. A mutant that
survives has to be killed by a test, or explained in docs/mutants.md; else this
ends with 1.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import coverage
import pytest
from attrs import define, field, frozen
from forking import Died, TimedOut, in_child
from hypothesis import Phase, settings
from mutants import Mutant, enums_of, mutants_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fsm_arb"
EXPLAINED = ROOT / "docs" / "mutants.md"
EXPLAINED_LINE = re.compile(r"^- (`[^`]+`: `.+` -> `.+`(?: #\d+)?)$", re.MULTILINE)
BASELINE_S_MAX = 600.0
# Nobody reads what a failure looks like; that there is one is all.
QUIET = ("-qx", "--assert=plain", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")

# In order of danger. Beside its own test file, a module meets the tests of those that are built right on it.
CLOSE = {
    "ledger": (),
    "orders": ("test_ledger.py",),
    "choice": (),
    "sizing": (),
    "trade": (),
    "memory": ("test_trade.py",),
    "intents": ("test_trade.py",),
    "venues.classify": (),
    "position": (),
    "machines.trade": (),
    "machines.position": (),
    "machines.table": (),
}

Node = str  # a test, as pytest names it


@frozen
class Baseline:
    """What the tests do while nothing is wrong."""

    durations: dict[Node, float]  # seconds
    by_line: dict[int, list[Node]]  # which tests run a line; the empty name: the import does
    loaded: list[str]  # modules that tests import, in order

    def tests_for(self, mutant: Mutant) -> list[Node] | None:
        """Return the tests that could notice, quickest first; None for all of them."""
        first, last = mutant.lines
        run = {node for line in range(first, last + 1) for node in self.by_line.get(line, ())}
        if "" in run or not mutant.in_function:
            return None
        return sorted(run, key=lambda node: (self.durations.get(node, 0.0), node))


# ------------------------------------------------------------------ in the child


class Mutated(importlib.machinery.SourceFileLoader):
    """Loads one module from a tree that is not the file's."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        super().__init__(name, str(path))
        self.tree = tree

    def get_code(self, _fullname: str) -> CodeType:
        """Return the mistaken code."""
        return compile(self.tree, self.path, "exec")


@frozen
class Swap:
    """Finds one module elsewhere than everybody else does."""

    loader: Mutated

    def find_spec(self, name: str, _path: object = None, _target: ModuleType | None = None) -> Any:
        """Return where the module is loaded from; None for any other."""
        if name != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


@define
class Chosen:
    """A pytest plugin that runs some tests in a given order, and tells which failed."""

    nodes: Sequence[Node] | None = None  # None: all, quickest first
    durations: dict[Node, float] = field(factory=dict)
    failed: str = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was chosen."""
        if self.nodes is None:
            items.sort(key=lambda item: self.durations.get(item.nodeid, 0.0))
            return
        rank = {node: place for place, node in enumerate(self.nodes)}
        items[:] = sorted((item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the first that failed."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


@define
class Watched:
    """A pytest plugin that notes which test runs which line, and how long each takes."""

    tracer: coverage.Coverage
    durations: dict[Node, float] = field(factory=dict)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Put what runs now to the account of *item*."""
        self.tracer.switch_context(item.nodeid)
        yield
        self.tracer.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up set-up, call and tear-down."""
        self.durations[report.nodeid] = self.durations.get(report.nodeid, 0.0) + report.duration


def watched(path: Path, tests: Sequence[str]) -> dict[str, Any]:
    """Run the tests of a module that is as it should be."""
    before = set(sys.modules)
    tracer = coverage.Coverage(data_file=None, include=[str(path)], config_file=False)
    plugin = Watched(tracer)
    tracer.start()
    code = pytest.main([*QUIET, *tests], plugins=[plugin])
    tracer.stop()
    lines = tracer.get_data().contexts_by_lineno(str(path))
    loaded = [name for name in sys.modules if name not in before]
    return {"code": int(code), "durations": plugin.durations, "lines": lines, "loaded": loaded}


def attempted(mutant: Mutant, name: str, path: Path, tests: Sequence[str], chosen: Chosen) -> str:
    """Return which test notices the mutant; empty for none."""
    gc.disable()
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Swap(Mutated(name, path, mutant.tree())))
    try:
        importlib.import_module(name)  # before pytest, whose own hook would go first
    except Exception:  # noqa: BLE001 - a module that falls apart is noticed by whoever imports it
        return "the import"
    code = pytest.main([*QUIET, *tests], plugins=[chosen])
    return "" if code in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} else chosen.failed or "the import"


# ------------------------------------------------------------------ in the parent


@define
class Trial:
    """One module before its tests."""

    module: str
    verbose: bool = False
    known: frozenset[str] = frozenset()  # explained
    killed: dict[str, str] = field(factory=dict)  # by mutant, the test that noticed
    survived: list[Mutant] = field(factory=list)
    began: float = field(factory=time.monotonic)

    @property
    def path(self) -> Path:
        """The module's source."""
        return ROOT / PACKAGE / f"{self.module.replace('.', '/')}.py"

    @property
    def tests(self) -> tuple[str, ...]:
        """Its own test file and the close ones."""
        *packages, name = self.module.split(".")
        own = "/".join(["tests", *packages, f"test_{name}.py"])
        return (own, *(f"tests/{close}" for close in CLOSE[self.module]))

    def run(self, mutants: Iterable[Mutant]) -> None:
        """Put every mutant to the test."""
        baseline = self._baseline()
        preload(baseline.loaded)
        for mutant in mutants:
            nodes = baseline.tests_for(mutant)
            by = self._verdict(mutant, nodes, baseline) if nodes is None or nodes else ""
            if by:
                self.killed[mutant.name] = by
            else:
                self.survived.append(mutant)
            if self.verbose or not (by or mutant.name in self.known):
                say(f"  {by or 'SURVIVED'}  {self.module}:{mutant.line}  {mutant.name}")

    def _baseline(self) -> Baseline:
        seen = in_child(lambda: watched(self.path, self.tests), BASELINE_S_MAX)
        if seen["code"]:
            raise SystemExit(f"{self.module}: its tests fail although nothing is wrong")
        by_line = {int(line): nodes for line, nodes in seen["lines"].items()}
        return Baseline(seen["durations"], by_line, seen["loaded"])

    def _verdict(self, mutant: Mutant, nodes: list[Node] | None, baseline: Baseline) -> str:
        name = f"{PACKAGE}.{self.module}"
        expected_s = sum(baseline.durations.get(node, 0.0) for node in nodes or baseline.durations)
        try:
            return str(
                in_child(
                    lambda: attempted(mutant, name, self.path, self.tests, Chosen(nodes, baseline.durations)),
                    timeout_s=10 + 5 * expected_s,
                )
            )
        except TimedOut:
            return "the clock"
        except Died:
            return "the interpreter"


def preload(names: list[str]) -> None:
    """Import once what every child would import, save what is being tested and its tests."""
    ours = (PACKAGE, "tests", "conftest", "worlds", "ledgers")
    for name in names:
        if name.partition(".")[0] not in ours and name not in sys.modules:
            with contextlib.suppress(Exception):  # then each child does it for itself, or need not
                importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a child that collects would copy every page


def explained() -> frozenset[str]:
    """Return the mutants that a person has looked at and found to change nothing."""
    return frozenset(EXPLAINED_LINE.findall(EXPLAINED.read_text(encoding="utf-8")))


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


def mutants_in(module: str, only: str) -> list[Mutant]:
    """Return the mutants of a module whose name holds *only*."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / PACKAGE).rglob("*.py"))]
    source = (ROOT / PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    return [mutant for mutant in mutants_of(source, module, enums_of(trees)) if only in mutant.name]


def prepare() -> None:
    """Let children find our source first, and let hypothesis look for a failure without polishing it."""
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    sys.path[:0] = [str(ROOT)]
    sys.dont_write_bytecode = False  # the first child leaves it to all the others
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", deadline=None, derandomize=True, database=None, phases=phases)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(CLOSE)}; default: all")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name holds this text")
    parser.add_argument("--verbose", action="store_true", help="name every mutant and what noticed it")
    asked = parser.parse_args()
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        sys.pycache_prefix = folder
        return run(asked.modules or list(CLOSE), asked.only, verbose=asked.verbose)


def run(modules: Sequence[str], only: str, *, verbose: bool) -> int:
    """Put the mutants of *modules* to the test, and print a table; 1 where one survived without a reason."""
    known = explained()
    unexplained = 0
    rows: dict[str, tuple[int, int, int, float]] = defaultdict(lambda: (0, 0, 0, 0.0))
    for module in modules:
        say(module)
        trial = Trial(module, verbose=verbose, known=known)
        trial.run(mutants_in(module, only))
        excused = sum(mutant.name in known for mutant in trial.survived)
        unexplained += len(trial.survived) - excused
        made = len(trial.killed) + len(trial.survived)
        rows[module] = (made, len(trial.killed), excused, time.monotonic() - trial.began)
    say(f"\n{'module':<20}{'mutants':>9}{'killed':>9}{'explained':>11}{'left':>6}{'seconds':>9}")
    for module, (made, killed, excused, took) in rows.items():
        say(f"{module:<20}{made:>9}{killed:>9}{excused:>11}{made - killed - excused:>6}{took:>9.0f}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
