"""A pytest plugin: venues that go wrong, time that passes at once, a seed for each test and the way to have it again.

Fixtures and options are named here; what they are made of is imported only
when a test asks for it.
"""

from __future__ import annotations

import argparse
import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.journal.memory import MemoryJournal
    from fsm_arb.testing.botworld import BotWorld
    from fsm_arb.testing.simulated import SimulatedVenues
    from fsm_arb.virtual import VirtualClock

T = TypeVar("T")

MARKER = "virtual_time"
_SEED = pytest.StashKey[int]()  # of a test that asked for it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("fsm_arb", "cross-exchange trades on simulated venues")
    group.addoption(
        "--fsm-arb-seed",
        type=int,
        default=0,
        metavar="N",
        help="what the seed of every test is made from, together with the test's name (default: 0)",
    )
    group.addoption(
        "--fsm-arb-depth",
        type=_depth,
        default=1,
        metavar="N",
        help="search N times as deep: N times the episodes, N times Hypothesis' examples (default: 1)",
    )


def _depth(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number, 1 or more")
    return int(text)


@pytest.hookimpl(trylast=True)  # after whatever loads a profile of Hypothesis
def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and deepen Hypothesis where that is asked for."""
    config.addinivalue_line("markers", f"{MARKER}: run this async test in virtual time (fsm_arb)")
    depth = config.getoption("--fsm-arb-depth")
    if depth > 1:
        from fsm_arb.testing.botworld import deepen

        deepen(depth)


# ------------------------------------------------------------------ fixtures


@pytest.fixture
def fsm_arb_seed(request: pytest.FixtureRequest) -> int:
    """A number of this test's own: the same in every run, unless ``--fsm-arb-seed`` changes."""
    from fsm_arb.testing.botworld import seed_of

    seed = seed_of(request.node.nodeid, request.config.getoption("--fsm-arb-seed"))
    request.node.stash[_SEED] = seed
    return seed


@pytest.fixture
def fsm_arb_depth(request: pytest.FixtureRequest) -> int:
    """How many times as deep a test is to search: what ``--fsm-arb-depth`` says."""
    depth: int = request.config.getoption("--fsm-arb-depth")
    return depth


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """Both clocks of this test; they move only when every task waits."""
    from fsm_arb.virtual import VirtualClock

    return VirtualClock()


@pytest.fixture
def run(virtual_clock: VirtualClock) -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine to its end in virtual time."""
    from fsm_arb.virtual import run

    return functools.partial(run, clock=virtual_clock)


@pytest.fixture
def bot_world(virtual_clock: VirtualClock, fsm_arb_seed: int) -> BotWorld:
    """Everything a test of a bot needs, made as it is asked for: venues, journal, alerts, executors."""
    from fsm_arb.testing.botworld import BotWorld

    return BotWorld(virtual_clock, fsm_arb_seed)


@pytest.fixture
def simulated_venues(bot_world: BotWorld) -> SimulatedVenues:
    """Two venues, ``upbit`` and ``binance``, without faults until some are injected."""
    return bot_world.venues


@pytest.fixture
def memory_journal(bot_world: BotWorld) -> MemoryJournal:
    """A journal that lives as long as the test."""
    return bot_world.journal


@pytest.fixture
def executor(bot_world: BotWorld) -> CrossExchangeExecutor:
    """An executor over the simulated venues and the memory journal, ready to be entered: ``async with executor``."""
    return bot_world.executor()


# ------------------------------------------------------------------ async tests, and what failed


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that carries the marker in virtual time, whichever other plugin would run it."""
    if pyfuncitem.get_closest_marker(MARKER) is None:
        return None
    test = inspect.unwrap(pyfuncitem.obj)
    if not inspect.iscoroutinefunction(test):
        pytest.fail(f"{pyfuncitem.name} carries the marker {MARKER} and is no async function", pytrace=False)
    from fsm_arb.virtual import run

    request: pytest.FixtureRequest = pyfuncitem._request  # noqa: SLF001 - as anyio's plugin and others ask
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - likewise
    bound = pyfuncitem.obj if inspect.iscoroutinefunction(pyfuncitem.obj) else test
    run(bound(**{name: pyfuncitem.funcargs[name] for name in names}), request.getfixturevalue("virtual_clock"))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test the seed it had, and the line that runs it again."""
    report = yield
    seed = item.stash.get(_SEED, None)
    if report.failed and seed is not None:
        base, depth = (item.config.getoption(f"--fsm-arb-{name}") for name in ("seed", "depth"))
        again = f"pytest '{item.nodeid}' --fsm-arb-seed={base}" + (f" --fsm-arb-depth={depth}" if depth > 1 else "")
        report.sections.append(("fsm_arb", f"seed {seed}; again: {again}"))
    return report
