"""The command `fsm-arb verify`: everything that can happen to one trade, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fsm_arb.cli.render import console
from fsm_arb.errors import FsmArbError
from fsm_arb.policy import ExecutionPolicy, Placement
from fsm_arb.values import OrderType

if TYPE_CHECKING:
    from rich.console import Console

    from fsm_arb.testing.explorer import Bounds, Report
    from fsm_arb.testing.explorer import Progress as Reached

PARTIAL = 3  # the exit code of a search that was stopped before its end
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PLACEMENTS = [each.value for each in Placement if each is not Placement.MAKER_TAKER]


@click.command()
@click.option("--lots", type=click.IntRange(1, 7), default=2, show_default=True, help="Size of the trade.")
@click.option("--faults", type=click.IntRange(0, 9), default=2, show_default=True, help="Of one run, at most.")
@click.option(
    "--least", type=click.IntRange(1, 7), default=1, show_default=True, help="Least order, lots; less is dust."
)
@click.option("--attempts", type=click.IntRange(0, 9), default=2, show_default=True, help="Remedies, at most.")
@click.option("--placement", type=click.Choice(PLACEMENTS), help="Instead of the policy's.")
@click.option("--order-type", type=click.Choice([each.value for each in OrderType]), help="Instead of the policy's.")
@click.option("--policy", "file", type=EXISTING_FILE, help="A TOML file of the policy's fields.")
@click.option("--crashes/--no-crashes", default=True, show_default=True, help="Whether the process may die.")
@click.option("--lists-lag", is_flag=True, help="Lists may leave an order out even past the fence.")
@click.option("--states-max", type=click.IntRange(1), help="Stop after about so many states; the exit code is 3.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop after so long; the exit code is 3.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--mermaid", type=click.Path(dir_okay=False, path_type=Path), help="Draw the first bad run there.")
@click.pass_context
def verify(
    context: click.Context,
    *,
    lots: int,
    faults: int,
    least: int,
    attempts: int,
    placement: str | None,
    order_type: str | None,
    file: Path | None,
    crashes: bool,
    lists_lag: bool,
    states_max: int | None,
    minutes: float | None,
    jobs: int,
    mermaid: Path | None,
) -> None:
    """Explore the real core: every order of events, every fault and every crash, within bounds.

    Breadth first and each state once, against a small model of two venues; the
    invariants are checked on every state and every edge. A run that breaks one
    is told event by event, the one with the fewest faults first.

    Exits with 0 where all is well, 1 where it is not, and 3 where nothing was found
    and the search was stopped before its end.
    """
    # A command that draws a diagram need not load what this one needs.
    from fsm_arb.cli.policies import read_policy
    from fsm_arb.testing.explorer import Bounds

    out = console()
    try:
        policy = read_policy(file) if file else ExecutionPolicy()
        given = {"placement": placement, "order_type": order_type}
        policy = evolve(policy, **{name: value for name, value in given.items() if value})  # type: ignore[arg-type]
        bounds = Bounds(
            lots=lots,
            faults=faults,
            least=least,
            attempts=attempts,
            crashes=crashes,
            lists_lag=lists_lag,
            policy=policy,
        )
        report = _explore(bounds, jobs, out, states_max, minutes)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    out.print(report_table(report))
    _tell(report, out)
    if mermaid is not None and report.counterexamples:
        mermaid.write_text(report.counterexamples[0].mermaid(), encoding="utf-8")
    if not report.well:
        context.exit(1)
    if report.partial is not None:
        context.exit(PARTIAL)


def _explore(bounds: Bounds, jobs: int, out: Console, states_max: int | None, minutes: float | None) -> Report:
    """Explore, with a bar where somebody looks on."""
    from fsm_arb.testing.explorer import explore

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("exploring", total=None)

        def show(reached: Reached) -> None:
            words = f"{reached.faults} of {bounds.faults} faults, depth {reached.depth}, {reached.states:,} states"
            progress.update(task, description=words)

        return explore(bounds, show, jobs=jobs, states_max=states_max, minutes=minutes)


# ------------------------------------------------------------------ what is printed


def report_table(report: Report) -> Table:
    """Return what an exploration has found, a line for each number of faults, and the sums."""
    table = Table(title="Explored, with so many faults at most", title_justify="left", box=None, pad_edge=False)
    for name in ("faults", "states", "transitions", "depth", "core steps"):
        table.add_column(name, justify="right", no_wrap=True)
    depth = 0
    for layer in report.layers:
        depth = max(depth, layer.depth)
        row = (layer.faults, layer.states, layer.transitions, depth, layer.steps)
        table.add_row(*(f"{number:,}" for number in row))
    return table


def summary(report: Report) -> list[str]:
    """Return what an exploration amounts to, line by line."""
    reached = sum(row in report.rows for row in report.rows_due)
    missing = [" ".join(row) for row in report.rows_due if row not in report.rows]
    return [
        *_stopped(report),
        f"States per second: {report.states_per_s:,.0f} ({report.seconds:,.1f} s, {report.memory_mib:,} MiB)",
        f"Distinct trades: {report.trades:,}; looks judged: {report.looks:,}; ways to end: {report.endings}",
        f"Violations: {len(report.counterexamples)}",
        f"States that cannot finish: {report.stuck} (the longest way to DONE: {report.way_out} events)",
        f"Endings that only a crash leads to: {len(report.unexplained)}",
        f"Edges of the table reached: {reached} of {len(report.rows_due)}"
        + (f"; not: {', '.join(missing)}" if missing else ""),
    ]


def _stopped(report: Report) -> list[str]:
    """Return how far a search has come that was stopped before its end."""
    if (partial := report.partial) is None:
        return []
    whole = f"all that fewer than {partial.faults} faults lead to, and " if partial.faults else ""
    events = max(partial.depth - 1, 0)
    return [
        f"Stopped before its end. Explored: {whole}all that {partial.faults} faults lead to within {events} events",
        f"States that are known and were not explored: {partial.waiting:,}",
        f"States whose way to DONE leads past what was explored: {report.unfollowed:,}",
        "Whether a crash leads where nothing else leads was not asked",
    ]


def _tell(report: Report, out: Console) -> None:
    for line in summary(report):
        out.print(escape(line), soft_wrap=True)
    for ending in report.unexplained:
        out.print(f"[red]Only after a crash:[/] {escape(str(ending))}", soft_wrap=True)
    for trace in report.counterexamples:
        out.print(f"[red]Wrong:[/] {escape(trace.text())}", soft_wrap=True)
    if report.well and report.partial is not None:
        out.print("[yellow]Nothing is wrong with what was explored, and not all was explored.[/]", soft_wrap=True)
    else:
        out.print("[green]All is well.[/]" if report.well else "[red]Not all is well.[/]")
