"""How good are the instruments? Each is run on each seeded defect; none may survive them all.

    python tools/defects.py                     every instrument on every defect, as a table
    python tools/defects.py --markdown FILE     the same, written as a page
    python tools/defects.py DEFECT INSTRUMENT   one of them, with what it found

A defect is put in by changing the text of a module as it is imported, in a
process of its own; nothing is written to disk.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen
from seeded import SEEDED, Defect, put_in

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 15  # CPU seconds that an instrument may look for one defect
NOT_CAUGHT, CAUGHT = 0, 3  # exit statuses of one look


@frozen
class Look:
    """What one instrument made of one defect."""

    caught: bool
    seconds: float  # of CPU, imports left out
    what: str  # what it said


def unit_tests(defect: Defect) -> str | None:
    """Run the tests of the modules that the defect is in."""
    import contextlib
    import io

    import pytest

    files = [f"tests/{patch.module.replace('.', '/')}".rsplit("/", 1) for patch in defect.patches]
    paths = [str(ROOT / folder / f"test_{name}.py") for folder, name in files]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *paths])
    failed = [line for line in told.getvalue().splitlines() if line.startswith("FAILED")]
    return (failed or ["the tests fail"])[0].partition(" - ")[0].rpartition("::")[2] if status else None


def explorer(_defect: Defect) -> str | None:
    """Explore small bounds, larger and larger."""
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.testing.explorer import Bounds, explore

    for placement, lots, faults in (
        ("simultaneous", 1, 1),
        ("sequential", 1, 1),
        ("simultaneous", 2, 1),
        ("sequential", 2, 1),
        ("simultaneous", 2, 2),
    ):
        report = explore(Bounds(lots=lots, faults=faults, policy=ExecutionPolicy(placement=placement)))
        for trace in report.counterexamples:
            return f"{lots} lots, {faults} faults: {trace.violations[0]}"
        if not report.well:
            return (
                f"{lots} lots, {faults} faults: {report.stuck} states cannot finish, {len(report.unexplained)} endings"
            )
    return None


def swarm(_defect: Defect) -> str | None:
    """Run seeded episodes, one after the other."""
    from fsm_arb.testing.swarm.running import Order, run_episode

    for seed in itertools.count():
        told = run_episode(Order(seed=seed))
        if told.violations:
            return f"seed {seed}: {told.violations[0]}"
    return None


def stateful(_defect: Defect) -> str | None:
    """Let Hypothesis drive the state machine."""
    from hypothesis import Phase
    from hypothesis.stateful import run_state_machine_as_test

    from fsm_arb.testing.stateful import TradeMachine, configured

    try:
        run_state_machine_as_test(
            TradeMachine,
            settings=configured(
                max_examples=100_000, derandomize=True, database=None, phases=[Phase.generate], print_blob=False
            ),
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it was caught
        return f"{type(error).__name__}: {error}"
    return None


def crash(_defect: Defect) -> str | None:
    """Let every effect of every scenario go wrong."""
    from fsm_arb.testing.crash.scenarios import SCENARIOS
    from fsm_arb.testing.crash.sweep import swept
    from fsm_arb.testing.invariants import every_checker

    for scenario in SCENARIOS:
        report = swept(scenario, every_checker())
        if report.wrong:
            return f"{scenario.name}: {report.wrong[0]}"
    return None


INSTRUMENTS: dict[str, Callable[[Defect], str | None]] = {
    "unit tests": unit_tests,
    "explorer": explorer,
    "swarm": swarm,
    "stateful": stateful,
    "crash": crash,
}


def _stop(*_: object) -> None:
    """The instrument has looked for long enough. It may heed no exception: it is there to outlast them."""
    print(json.dumps({"caught": False, "seconds": float(LIMIT_S), "what": ""}), flush=True)
    os._exit(NOT_CAUGHT)


def look_here(defect: Defect, instrument: str) -> Look:
    """Put the defect into this very process and look for it."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(ROOT / "tests"))
    for patch in defect.patches:
        patch.applied(patch.path.read_text(encoding="utf-8"))  # one that no longer fits would be "caught" by its error
    put_in(defect)
    began = time.process_time()
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        what = INSTRUMENTS[instrument](defect)
    except Exception as error:  # noqa: BLE001 - a core that breaks its instrument was caught by it
        what = f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Look(caught=what is not None, seconds=time.process_time() - began, what=" ".join((what or "").split())[:300])


def look(defect: str, instrument: str) -> Look:
    """Look for one defect in a process of its own.

    Raises:
        RuntimeError: The process says nothing.
    """
    command = [sys.executable, str(Path(__file__)), defect, instrument, "--json"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S * 10, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Look(caught=False, seconds=float(LIMIT_S), what="gave up")
    lines = done.stdout.strip().splitlines()
    if not lines:
        raise RuntimeError(f"{defect}, {instrument}: {done.stderr[-500:]}")
    return Look(**json.loads(lines[-1]))


def page(found: dict[str, dict[str, Look]]) -> str:
    """Return the table as a page."""
    names = list(INSTRUMENTS)
    lines = [
        "# Seeded defects",
        "",
        "How good are the instruments? Here are ways to lose money that somebody might have written, each a small patch to",
        "the core (`tools/seeded.py`), and which instrument catches each, in seconds of CPU after imports. A dash means:",
        f"not within {LIMIT_S} s, or not within the bounds that the instrument looks in. Made by `python tools/defects.py",
        "--markdown docs/defects.md`; the default suite checks each against its quickest instrument.",
        "",
        f"| defect | what its author believed | {' | '.join(names)} |",
        f"|---|---|{'---:|' * len(names)}",
    ]
    for defect in SEEDED:
        looks = found[defect.name]
        cells = [f"{looks[name].seconds:.1f}" if looks[name].caught else "-" for name in names]
        lines.append(f"| `{defect.name}` | {defect.story} | {' | '.join(cells)} |")
    caught = sum(any(each.caught for each in looks.values()) for looks in found.values())
    lines += ["", f"{caught} of {len(SEEDED)} are caught.", ""]
    return "\n".join(lines)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Run every instrument on every seeded defect.")
    parser.add_argument("defect", nargs="?", choices=[defect.name for defect in SEEDED])
    parser.add_argument("instrument", nargs="?", choices=list(INSTRUMENTS))
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    if given.defect and given.instrument:
        result = look_here(next(each for each in SEEDED if each.name == given.defect), given.instrument)
        told = {"caught": result.caught, "seconds": result.seconds, "what": result.what}
        print(json.dumps(told) if given.json else f"{given.defect}, {given.instrument}: {result}")
        return CAUGHT if result.caught else NOT_CAUGHT
    wanted = [(each.name, name) for each in SEEDED if given.defect in {None, each.name} for name in INSTRUMENTS]
    found: dict[str, dict[str, Look]] = {name: {} for name, _ in wanted}
    with ThreadPoolExecutor(given.jobs) as pool:
        for (defect, name), result in zip(wanted, pool.map(lambda pair: look(*pair), wanted), strict=True):
            found[defect][name] = result
            said = f"{result.seconds:6.1f} s  {result.what}" if result.caught else "   -"
            print(f"{defect:28} {name:11} {said[:150]}", flush=True)
    if given.markdown:
        given.markdown.write_text(page(found), encoding="utf-8")
    survivors = [name for name, looks in found.items() if not any(each.caught for each in looks.values())]
    print(f"survivors: {', '.join(survivors) or 'none'}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
