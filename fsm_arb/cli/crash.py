"""The command `fsm-arb crash`: a bot that dies at every single effect, and goes on from what is durable."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from fsm_arb.cli.render import console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.testing.crash.sweep import Swept

SHOWN_MAX = 5  # of what is wrong with one scenario
QUIET = ("fsm_arb", "asyncio")
COUNT = click.IntRange(min=1)


@click.command()
@click.argument("names", nargs=-1, metavar="[SCENARIO]...")
@click.option("--every", type=COUNT, default=5, show_default=True, help="Of the effects, every so many fail.")
@click.option("--deaths", type=COUNT, default=1, show_default=True, help="Of the effects, at every so many it dies.")
@click.option("--again", type=click.IntRange(min=0), default=0, help="Die again, at so many first effects of recovery.")
@click.option("--files", is_flag=True, help="Keep journals in real SQLite files; only deaths are tried.")
@click.option("--list", "listed", is_flag=True, help="Only name the scenarios.")
@click.pass_context
def crash(
    context: click.Context,
    *,
    names: tuple[str, ...],
    every: int,
    deaths: int,
    again: int,
    files: bool,
    listed: bool,
) -> None:
    """Kill a bot at each effect of each scenario, and let a new one recover.

    Effects are what reaches the outside: commits before and after they are
    durable, requests before they leave, after the venue has acted, as the reply
    arrives. The process dies at each; one in so many also fails once, and fails
    until it is healed. All invariants are checked after everything that happens,
    and the end must be one that some run without a crash reaches.
    """
    from fsm_arb.testing.crash.effects import Mode
    from fsm_arb.testing.crash.scenarios import SCENARIOS
    from fsm_arb.testing.crash.sweep import swept
    from fsm_arb.testing.invariants import every_checker

    known = {scenario.name: scenario for scenario in SCENARIOS}
    if listed:
        click.echo("\n".join(known))
        return
    strangers = [name for name in names if name not in known]
    if strangers:
        raise click.ClickException(f"no scenario {strangers[0]!r}; there are: {', '.join(known)}")
    out, reports = console(), []
    with _quietly(), tempfile.TemporaryDirectory(prefix="fsm-arb-crash-") as folder:
        for number, name in enumerate(names or known):
            place = Path(folder) / str(number) if files else None
            modes = (Mode.DIES,) if files else tuple(Mode)
            report = swept(
                known[name],
                every_checker(),
                modes=modes,
                every=every,
                deaths_every=deaths,
                again=again,
                folder=place,
            )
            reports.append(report)
            for wrong in report.wrong[:SHOWN_MAX]:
                out.print(f"[red]Wrong:[/] {escape(f'{name}: {wrong}')}", soft_wrap=True)
    out.print(_table(reports))
    out.print(escape(_struck(reports)), soft_wrap=True)
    violations = sum(len(report.wrong) for report in reports)
    out.print(f"[red]{violations} violations.[/]" if violations else "[green]No violation.[/]")
    if violations:
        context.exit(1)


def _table(reports: Sequence[Swept]) -> Table:
    """Return a row a scenario, and their sum."""
    table = Table(box=None, show_footer=True)
    totals = [
        sum(values) for values in zip(*((r.effects, r.trials, r.crashes, len(r.wrong)) for r in reports), strict=True)
    ]
    table.add_column("scenario", footer="together")
    for title, total in zip(("effects", "trials", "crashes", "violations"), totals, strict=True):
        table.add_column(title, footer=str(total), justify="right")
    table.add_column("seconds of CPU", footer=f"{sum(report.seconds for report in reports):.1f}", justify="right")
    for report in reports:
        row = (report.effects, report.trials, report.crashes, len(report.wrong))
        table.add_row(report.name, *map(str, row), f"{report.seconds:.1f}")
    return table


def _struck(reports: Sequence[Swept]) -> str:
    """Say how often which kind of effect went wrong."""
    kinds: Counter[str] = Counter()
    for report in reports:
        for (kind, _), times in report.struck.items():
            kinds[kind.value] += times
    return "Went wrong at: " + ", ".join(f"{kind} {times}" for kind, times in kinds.items())


@contextmanager
def _quietly() -> Iterator[None]:
    """Say nothing of what an executor has to say while everything goes wrong around it."""
    levels = {name: logging.getLogger(name).level for name in QUIET}
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
