"""Try a scenario with something wrong at every effect, and tell what came of it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.testing.crash.effects import Kind, Mode, Strike
from fsm_arb.testing.crash.judging import wrongs
from fsm_arb.testing.crash.lives import tried
from fsm_arb.testing.crash.storage import InFiles
from fsm_arb.testing.invariants.crash_is_no_excuse import outcome_of, unexplained

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from pathlib import Path

    from fsm_arb.testing.crash.effects import Effect
    from fsm_arb.testing.crash.lives import Maker, Trial
    from fsm_arb.testing.crash.scenarios import Scenario
    from fsm_arb.testing.glimpse import Checker

OWN = {Kind.ASKED, Kind.DURABLE}  # the journal is ours: what goes wrong there is a crash too, of a kind


@frozen(kw_only=True)
class Wrong:
    """One trial that ended as it must not."""

    strikes: tuple[Strike, ...]
    effects: tuple[str, ...]  # what went wrong, in words
    what: str

    def __str__(self) -> str:
        return f"{'; then '.join(self.effects) or 'nothing went wrong'}: {self.what}"


@define(kw_only=True)
class Swept:
    """What came of one scenario."""

    name: str
    effects: int = 0  # of the run in which nothing goes wrong
    trials: int = 0
    crashes: int = 0  # of these, with a process that died
    wrong: list[Wrong] = field(factory=list)
    crash_free: set[Hashable] = field(factory=set)  # endings of runs without a crash
    crashed: set[Hashable] = field(factory=set)  # endings of the others
    seconds: float = 0.0  # of CPU
    struck: Counter[tuple[Kind, Mode]] = field(factory=Counter)  # how often an effect of a kind went wrong


def swept(
    scenario: Scenario,
    checkers: Sequence[Checker],
    *,
    modes: Iterable[Mode] = tuple(Mode),
    every: int = 1,
    deaths_every: int = 1,
    again: int = 0,
    make: Maker | None = None,
    folder: Path | None = None,
) -> Swept:
    """Try *scenario* with each of its effects going wrong.

    Args:
        scenario: What is done.
        checkers: What must hold, after everything that happens and at the end.
        modes: In which ways effects go wrong.
        every: Of the effects, every so many fail.
        deaths_every: Of the effects, at every so many the process dies.
        again: After each death, a second one is tried at each of so many first effects of the recovery.
        make: Builds the executor; None: the real one.
        folder: Where journals are made as real files, one after the other; None: they stand in memory.
    """
    started = time.process_time()
    sweep = _Sweep(scenario)
    plain = tried(scenario.plot, (), make, checkers)
    effects = plain.lives[0].effects
    sweep.report.effects = len(effects)
    sweep.judge(plain, ())
    for strikes in _strikes(effects, tuple(modes), every, deaths_every, again):
        storage = InFiles(folder / str(sweep.report.trials)) if folder else None
        sweep.judge(tried(scenario.plot, strikes, make, checkers, storage), strikes)
    sweep.report.seconds = time.process_time() - started
    return sweep.report


def _strikes(
    effects: Sequence[Effect], modes: Sequence[Mode], every: int, deaths_every: int, again: int
) -> Iterator[tuple[Strike, ...]]:
    """Yield what is tried; what venues alone get wrong comes first, since it is no crash and shows what may be."""
    for mode in (mode for mode in modes if mode is not Mode.DIES):
        for effect in sorted(effects[::every], key=lambda effect: effect.kind in OWN):
            yield (Strike(effect.number, mode),)
    if Mode.DIES not in modes:
        return
    for effect in effects[::deaths_every]:
        yield (Strike(effect.number, Mode.DIES),)
        for later in range(1, again + 1):
            yield Strike(effect.number, Mode.DIES), Strike(later, Mode.DIES)


class _Sweep:
    """The trials of one scenario, as they come in."""

    def __init__(self, scenario: Scenario) -> None:
        self.report = Swept(name=scenario.name)
        self._variations = scenario.variations()

    def judge(self, trial: Trial, strikes: tuple[Strike, ...]) -> None:
        """Take in what came of a trial."""
        report = self.report
        report.trials += 1
        report.crashes += any(life.died for life in trial.lives)
        struck = [(life.struck, strike) for life, strike in zip(trial.lives, strikes, strict=False) if life.struck]
        report.struck.update((effect.kind, strike.mode) for effect, strike in struck)
        words = tuple(f"{strike.mode.value} at effect {effect}" for effect, strike in struck)
        found = list(wrongs(trial))
        if trial.came_to_rest:
            ending = outcome_of(trial.outside.witness.glimpse)
            if len(trial.lives) == 1 and not any(effect.kind in OWN for effect, _ in struck):
                report.crash_free.add(ending)
            else:
                report.crashed.add(ending)
                found += self._unexplained(ending)
        report.wrong += (Wrong(strikes=strikes, effects=words, what=what) for what in found)

    def _unexplained(self, ending: Hashable) -> Iterator[str]:
        """Yield *ending* unless some run without a crash ends so; such runs are only made until one does."""
        while unexplained({ending}, self.report.crash_free):
            plot = next(self._variations, None)
            if plot is None:
                yield f"no run without a crash ends so: {ending}"
                return
            # What may be is known from the real executor, whichever is tried.
            self.report.crash_free.add(outcome_of(tried(plot).outside.witness.glimpse))
