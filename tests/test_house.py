"""The rules of the house, read off the source: who may import whom, what is pure, what has a test."""

from __future__ import annotations

import ast
import graphlib
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fsm_arb"
FUNCTION_LINES_MAX = 70

# A module imports only from lower floors. The longest prefix counts; modules of one package
# that share a floor may import each other, never in a circle.
FLOORS = {
    "errors": 0,
    "values": 1,
    "ids": 1,
    "clock": 1,
    "ports": 2,
    "policy": 2,
    "decision": 2,
    "fx": 2,
    "symbols": 2,
    "plan": 2,
    "virtual": 2,
    "machines.table": 2,
    "messages": 3,
    "fx_sources": 3,
    "universe": 3,
    "spread": 3,
    "volatility": 3,
    "orders": 4,
    "checks": 4,
    "funds": 4,
    "residuals": 4,
    "fx_blend": 4,
    "context": 4,
    "ledger": 5,
    "strategy": 5,
    "integration": 6,
    "sizing": 6,
    "choice": 6,
    "machines": 7,
    "memory": 8,
    "intents": 8,
    "trade": 9,
    "results": 10,
    "position": 11,
    "upcasts": 1,
    "codec": 12,
    "scribe": 13,
    "journal": 13,
    "venues": 13,
    "diagrams": 13,
    "risk": 13,
    "risk.limits": 3,
    "risk.history": 4,
    "alerts": 13,
    "metrics": 13,
    "audit": 14,
    "committed": 14,
    "recovery": 14,
    "executor": 15,
    "report": 15,
    "export": 15,
    "paper": 16,
    "lookout": 16,
    "orchestrator": 17,
    "matching": 3,
    "recordings": 4,
    "backtest": 18,
    "testing": 18,
    "cli": 19,
    "__main__": 20,
}

# These are told the time, their ids and what the world said; they find out nothing themselves.
PURE = (
    "errors",
    "values",
    "ports",
    "policy",
    "decision",
    "fx",
    "fx_sources",
    "fx_blend",
    "symbols",
    "universe",
    "spread",
    "volatility",
    "context",
    "strategy",
    "integration",
    "plan",
    "messages",
    "codec",
    "upcasts",
    "orders",
    "ledger",
    "checks",
    "funds",
    "residuals",
    "sizing",
    "choice",
    "machines",
    "memory",
    "intents",
    "trade",
    "position",
    "results",
    "risk",
)
IMPURE_LIBRARIES = {
    "aiohttp",
    "asyncio",
    "ccxt",
    "concurrent",
    "io",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
# A decision that is given no id takes a fresh one.
IMPURE_BY_DESIGN = {("decision", "ids")}

# Where each library may be imported. One that is not here is a dependency nobody agreed to.
HOMES = {
    "attrs": ("",),
    "cattrs": ("codec", "cli.policies", "cli.backtest_settings"),
    "transitions": ("machines.table",),
    "ccxt": ("venues", "testing.loopback", "testing.simulated"),
    "aiohttp": ("testing.loopback", "venues.wire"),  # ccxt's own HTTP client; only its trace shows the first byte
    "hypothesis": ("testing",),
    "pytest": ("testing",),
    "click": ("cli",),
    "rich": ("cli",),
    "pygraphviz": ("diagrams",),
    "pyarrow": ("export.parquet",),
    "opentelemetry": ("export.otel",),
    "google": ("export.otel",),  # protobuf, which the OTLP encoder brings along
}

# Absolute places on somebody's disk.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|Users)/")


# ------------------------------------------------------------------ reading the source


def module_name(path: Path) -> str:
    """Return the dotted name below the package; a package is named without its ``__init__``."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}
TREES = {module: ast.parse(path.read_text(encoding="utf-8"), str(path)) for module, path in FILES.items()}
MODULES = [module for module in FILES if module]  # the front door re-exports names and stands on no floor


def imported(tree: ast.Module, package: str) -> Iterator[tuple[str, ...]]:
    """Yield what a module imports, at any depth and under any condition, as candidates of dotted names.

    ``from a import b`` may mean the module ``a.b`` or a name in ``a``; the longer one comes first.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}", module) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                yield (str(node.args[0].value),)


def package_of(module: str) -> str:
    """Return the package that relative imports of *module* start from."""
    is_package = FILES[module].name == "__init__.py"
    full = f"{PACKAGE}.{module}" if module else PACKAGE
    return full if is_package else full.rpartition(".")[0]


def siblings_and_strangers(module: str) -> tuple[set[str], set[str]]:
    """Return the modules of this package that *module* imports, and the top names of all else."""
    ours, others = set(), set()
    for candidates in imported(TREES[module], package_of(module)):
        top = candidates[0].partition(".")[0]
        if top != PACKAGE:
            others.add(top)
            continue
        names = [name.removeprefix(PACKAGE).removeprefix(".") for name in candidates]
        ours.add(next((name for name in names if name in FILES), names[-1]))
    return ours, others


IMPORTS = {module: siblings_and_strangers(module) for module in FILES}


def under(module: str, prefix: str) -> bool:
    return not prefix or module == prefix or module.startswith(f"{prefix}.")


def floor(module: str) -> int | None:
    """Return the floor of *module*, None if it has none."""
    prefixes = [prefix for prefix in FLOORS if under(module, prefix)]
    return FLOORS[max(prefixes, key=len)] if prefixes else None


def is_pure(module: str) -> bool:
    return any(under(module, prefix) for prefix in PURE)


# ------------------------------------------------------------------ the readers themselves


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import ccxt.async_support as ccxt", {"ccxt.async_support"}),
        ("if TYPE_CHECKING:\n    import ccxt", {"ccxt"}),
        ("def f():\n    from os import path", {"os.path"}),
        ("try:\n    import a\nexcept ImportError:\n    import b", {"a", "b"}),
        ("from . import table", {"fsm_arb.machines.table"}),
        ("from .table import Row", {"fsm_arb.machines.table.Row"}),
        ("from ..errors import X", {"fsm_arb.errors.X"}),
        ("importlib.import_module('time')", {"time"}),
        ("__import__('time')", {"time"}),
        ("text = 'import os'", set()),
    ],
)
def test_an_import_is_seen_wherever_it_stands(source: str, found: set[str]) -> None:
    """No condition, function or relative form hides an import from the rules below."""
    assert {names[0] for names in imported(ast.parse(source), "fsm_arb.machines")} == found


def test_the_source_is_found() -> None:
    """Rules about no files at all would hold."""
    assert {"errors", "values", "ports", "machines.table", "machines.position"} <= set(MODULES)
    assert "values" in IMPORTS["ports"][0]
    assert "transitions" in IMPORTS["machines.table"][1]


# ------------------------------------------------------------------ floors


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_floor(module: str) -> None:
    """A new module says where it stands before anything imports it."""
    assert floor(module) is not None


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lower_floors(module: str) -> None:
    """Nothing below knows what is above it; not even for a type."""
    here = floor(module)
    assert here is not None
    top = module.partition(".")[0]
    upward = []
    for other in IMPORTS[module][0]:
        there = floor(other)
        same_package = here == there and other.partition(".")[0] == top
        if not same_package and (there is None or there >= here):
            upward.append(other or PACKAGE)
    assert sorted(upward) == []


def test_no_imports_go_in_a_circle() -> None:
    """Modules can be read in some order, each after all that it needs."""
    graph = {module: IMPORTS[module][0] - {module} for module in MODULES}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle
    assert set(MODULES) <= set(order)


# ------------------------------------------------------------------ purity


@pytest.mark.parametrize("module", [module for module in MODULES if is_pure(module)])
def test_a_pure_module_imports_nothing_that_finds_out_for_itself(module: str) -> None:
    """Clocks, chance, tasks and sockets stay out of what is replayed, directly and through others."""
    ours, others = IMPORTS[module]
    assert sorted(others & IMPURE_LIBRARIES) == []
    assert sorted(each for each in ours if not is_pure(each) and (module, each) not in IMPURE_BY_DESIGN) == []


@pytest.mark.parametrize("module", [module for module in MODULES if is_pure(module)])
def test_a_pure_module_reads_no_clock_through_datetime(module: str) -> None:
    """A datetime is a value; asking it for the time now is a clock."""
    asked = [
        f"line {node.lineno}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name | ast.Attribute)
        and ast.unparse(node.value).rpartition(".")[2] in {"datetime", "date"}
    ]
    assert asked == []


# ------------------------------------------------------------------ libraries


@pytest.mark.parametrize("module", FILES, ids=lambda module: module or PACKAGE)
def test_a_library_is_imported_only_where_it_is_at_home(module: str) -> None:
    """What is foreign is wrapped in one place, so that one place changes with it."""
    foreign = IMPORTS[module][1] - sys.stdlib_module_names
    strays = [name for name in foreign if not any(under(module, home) for home in HOMES.get(name, ()))]
    assert sorted(strays) == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    """A bot that only builds decisions pays for neither ccxt nor a web server nor a command line."""
    heavy = {"ccxt", "aiohttp", "click", "rich", "pygraphviz", "hypothesis", "pytest", "pyarrow", "opentelemetry"}
    script = f"import sys, {PACKAGE}; print(*sorted({heavy!r} & set(sys.modules)))"
    # Our own interpreter with our own words.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# ------------------------------------------------------------------ size, tests, words


@pytest.mark.parametrize("module", FILES, ids=lambda module: module or PACKAGE)
def test_no_function_is_longer_than_a_screen(module: str) -> None:
    """What does not fit on one screen is not read as a whole."""
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}


@pytest.mark.parametrize(
    "module", [module for module, path in FILES.items() if path.stem not in {"__init__", "__main__"}]
)
def test_every_module_has_a_test_file_of_its_own(module: str) -> None:
    """Tests mirror the source, so that the test of a line is found without searching."""
    *packages, name = module.split(".")
    assert ROOT.joinpath("tests", *packages, f"test_{name}.py").is_file()


def test_nothing_names_a_place_on_somebodys_disk() -> None:
    """What is committed works on any machine."""
    folders = [ROOT / PACKAGE, ROOT / "tests", ROOT / "docs", ROOT / ".ci", ROOT / "diagrams"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".cfg"}]
    named = [
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix != ".pyc" and MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert sorted(named) == []


# ------------------------------------------------------------------ the network


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "api.exchange.invalid"])
def test_a_test_that_reaches_for_the_network_fails(host: str) -> None:
    """The guard is no Exception, so code that survives a lost network does not hide it."""
    with pytest.raises(pytest.fail.Exception, match="a test must not"):
        socket.create_connection((host, 443), timeout=0.1)
    assert not issubclass(pytest.fail.Exception, Exception)


def test_loopback_is_open() -> None:
    """The exchange that tests talk to lives on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
