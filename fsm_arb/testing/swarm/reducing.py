"""Make a failing episode small: the fewest faults and acts that still break the same invariant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fsm_arb.testing.swarm.minimizing import minimal
from fsm_arb.testing.swarm.running import Order, Told, run_episode

if TYPE_CHECKING:
    from collections.abc import Callable


@frozen(kw_only=True)
class Reduced:
    """A failing episode, made small.

    Attributes:
        told: What came of it with nothing but `keys`.
        keys: Of the faults and acts that are needed, in order.
        runs: How many episodes it took to find out.
    """

    told: Told
    keys: tuple[str, ...]
    runs: int

    @property
    def command(self) -> str:
        """The line that runs it again."""
        order = self.told.order
        words = ["fsm-arb fuzz", f"--seed {order.seed}", "--episodes 1"]
        if order.focus is not None:
            words.append(f"--focus {order.focus!r}")
        words += [f"--only {key!r}" for key in self.keys] or ["--only ''"]
        return " ".join(words)


def reduce(told: Told, runner: Callable[[Order], Told] = run_episode, *, runs_max: int = 200) -> Reduced:
    """Return *told*, which fails, with as little going wrong as it takes.

    Args:
        told: What came of the whole episode.
        runner: Runs an episode.
        runs_max: How many episodes it may take.
    """
    wanted = {violation.number for violation in told.violations}
    best, runs = told, 0

    def fails(keys: tuple[str, ...]) -> bool:
        nonlocal best, runs
        runs += 1
        again = runner(evolve(told.order, only=frozenset(keys)))
        if wanted.isdisjoint({violation.number for violation in again.violations}):
            return False
        best = again
        return True

    asked = told.order.only
    keys = tuple(key for key in told.struck if asked is None or key in asked)
    if not fails(keys):
        return Reduced(told=told, keys=keys, runs=runs)  # it hangs on something that has no key
    found = minimal(keys, fails, runs_max=runs_max)
    return Reduced(told=best, keys=found, runs=runs)
