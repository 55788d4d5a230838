"""The command `fsm-arb fuzz`: seeded episodes of the real executor, judged after every step."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fsm_arb.cli.render import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from fsm_arb.testing.swarm.census import Census
    from fsm_arb.testing.swarm.running import Order, Told

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FULL_SIZE = 20_000  # episodes from which on a hole in what was reached is a failure
REDUCED_MAX = 3  # failures that are made small; the others are named


def _duration(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    """Return seconds, given as in ``90s``, ``30m`` or ``8h``."""
    if text is None:
        return None
    unit = UNITS_S.get(text[-1:])
    try:
        seconds = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise click.BadParameter(f"{text!r} is no duration; write 90s, 30m or 8h")
    return seconds


@click.command()
@click.option("--episodes", type=click.IntRange(min=1), help="How many.  [default: 1000, or without end with --for]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first episode.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--for", "for_s", callback=_duration, help="Begin episodes for as long as this: 90s, 30m, 8h.")
@click.option("--focus", help="Aim every episode at one thing; '' at none.")
@click.option("--only", multiple=True, help="Let only these faults and acts happen, by key; '' for none.")
@click.option("--mask", multiple=True, help="Leave these faults and acts out, by key.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found there.")
@click.option("--holes/--no-holes", default=None, help=f"Fail on what was not reached.  [default: from {FULL_SIZE} on]")
@click.pass_context
def fuzz(
    context: click.Context,
    *,
    episodes: int | None,
    seed: int,
    jobs: int,
    for_s: float | None,
    focus: str | None,
    only: tuple[str, ...],
    mask: tuple[str, ...],
    file: Path | None,
    holes: bool | None,
) -> None:
    """Attack the executor with seeded faults on simulated venues, in virtual time.

    Each episode draws trades, books, faults, crashes and operators from its
    seed, and is judged after every step by the venues' own books. What fails is
    made small, and can be run again from its seed.
    """
    # A command that draws a diagram need not load what this one needs.
    from fsm_arb.cli.fuzz_report import run_json

    out = console()
    if episodes is None and for_s is None:
        episodes = 1000
    began = time.monotonic()
    wanted = _wanted(seed, episodes, for_s, focus, only, mask)
    census, failed = _run(wanted, jobs, 1 if only or mask else episodes, out)
    seconds = time.monotonic() - began
    missed = _missed(census, holes)
    _tell(out, census, failed, missed, seconds)
    if file is not None:
        text = json.dumps(run_json(census, failed, missed, seconds), indent=1)
        file.write_text(text + "\n", encoding="utf-8")
    if failed or missed:
        context.exit(1)


def _wanted(  # noqa: PLR0917 - as the options were given
    seed: int,
    episodes: int | None,
    for_s: float | None,
    focus: str | None,
    only: tuple[str, ...],
    mask: tuple[str, ...],
) -> Iterator[Order]:
    from fsm_arb.testing.swarm.focus import FOCUSES
    from fsm_arb.testing.swarm.many import orders
    from fsm_arb.testing.swarm.running import Order

    if focus and focus not in FOCUSES:
        raise click.BadParameter(f"{focus!r} is none of {', '.join(FOCUSES)}", param_hint="--focus")
    if not (only or mask):
        return orders(seed, episodes, for_s=for_s, focus=focus)
    kept = frozenset(key for key in only if key) if only else None
    return iter([Order(seed=seed, focus=focus, only=kept, mask=frozenset(mask))])


def _tell(out: Console, census: Census, failed: list[Told], missed: tuple[str, ...], seconds: float) -> None:
    """Print what was found; make the first failures small."""
    from fsm_arb.cli.fuzz_report import failure_lines, reach_table, summary_lines
    from fsm_arb.testing.swarm.reducing import reduce

    out.print(reach_table(census))
    for line in summary_lines(census, seconds, len(failed)):
        out.print(escape(line), soft_wrap=True)
    for told in failed[:REDUCED_MAX]:
        small = reduce(told) if told.order.only is None else None
        for line in failure_lines(told, small):
            out.print(escape(line), soft_wrap=True)
    for told in failed[REDUCED_MAX:]:
        out.print(escape(f"Failed too: seed {told.order.seed}: {told.violations[0]}"), soft_wrap=True)
    for hole in missed:
        out.print(f"[red]Not reached:[/] {escape(hole)}", soft_wrap=True)


def _run(wanted: Iterator[Order], jobs: int, episodes: int | None, out: Console) -> tuple[Census, list[Told]]:
    """Run the episodes, with a bar where somebody looks on."""
    from fsm_arb.testing.swarm.census import Census
    from fsm_arb.testing.swarm.many import run_many

    census = Census()
    failed: list[Told] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress,
        suppress(KeyboardInterrupt),  # what was found by then is told
    ):
        task = progress.add_task("episodes", total=episodes)
        for told in run_many(wanted, jobs):
            census.add(told.census)
            if told.violations:
                failed.append(told)
                progress.update(task, description=f"episodes, {len(failed)} failed")
            progress.advance(task)
    return census, sorted(failed, key=lambda told: told.order.seed)


def _missed(census: Census, wanted: bool | None) -> tuple[str, ...]:  # noqa: FBT001 - as the option was given
    from fsm_arb.testing.swarm.reach import holes

    asked = sum(census.episodes.values()) >= FULL_SIZE if wanted is None else wanted
    return holes(census) if asked else ()
