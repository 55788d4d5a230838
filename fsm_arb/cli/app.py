"""The command line."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fsm_arb.cli.audit import audit_command
from fsm_arb.cli.backtest import backtest
from fsm_arb.cli.crash import crash
from fsm_arb.cli.diagram import diagram
from fsm_arb.cli.export import export
from fsm_arb.cli.fuzz import fuzz
from fsm_arb.cli.migrate import migrate
from fsm_arb.cli.render import console, trades_table, verdict_lines
from fsm_arb.cli.replay import replay_command
from fsm_arb.cli.report import report
from fsm_arb.cli.show import show
from fsm_arb.cli.verify import verify
from fsm_arb.errors import FsmArbError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from fsm_arb.audit.tales import Tale
    from fsm_arb.cli.folder import Asked, Folder
    from fsm_arb.cli.judge import Verdict

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fsm_arb", prog_name="fsm-arb")
def command() -> None:
    """Cross-exchange arbitrage as journaled state machines."""


command.add_command(audit_command)
command.add_command(backtest)
command.add_command(crash)
command.add_command(diagram)
command.add_command(export)
command.add_command(fuzz)
command.add_command(migrate)
command.add_command(report)
command.add_command(replay_command)
command.add_command(show)
command.add_command(verify)


# ------------------------------------------------------------------ demo


@command.command()
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Repeats trades, books, faults.")
@click.option("--trades", type=click.IntRange(min=1), default=20, show_default=True, help="How many cross trades.")
@click.option(
    "--faults",
    type=click.Choice(["none", "some", "many"]),
    default="some",
    show_default=True,
    help="How often the exchange misbehaves: lost replies, late fills, outages and the like.",
)
@click.option(
    "--record",
    nargs=2,
    type=EXISTING_FILE,
    metavar="SPOT USDM",
    help="Trade on two recorded books: Binance spot against its USD-M futures.",
)
@click.option("--dir", "folder", type=FOLDER, help="Where journal and exchange live; begin again there after a kill.")
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Trades in flight.")
@click.option("--latency", type=click.FloatRange(0, 1000), default=5, show_default=True, help="Of the exchange, ms.")
@click.option("--keep", is_flag=True, help="Leave the exchange running at the end.")
@click.pass_context
def demo(
    context: click.Context,
    *,
    seed: int,
    trades: int,
    faults: str,
    record: tuple[Path, Path] | None,
    folder: Path | None,
    concurrency: int,
    latency: float,
    keep: bool,
) -> None:
    """Trade against an exchange on this machine that misbehaves, and check its books.

    Real ccxt objects, a server of its own, no network, no money. Kill it at any
    moment and begin again with the same --dir and --seed: it goes on.
    """
    try:
        from fsm_arb.cli.folder import Asked, Folder
    except ModuleNotFoundError as error:
        raise click.ClickException(f"the demo needs {error.name}: pip install 'fsm_arb[cli]'") from error
    asked = Asked(
        seed=seed,
        record=(str(record[0].resolve()), str(record[1].resolve())) if record else None,
        trades=trades,
        faults=faults,
        latency_ms=latency,
        concurrency=concurrency,
    )
    place = Folder(folder or Path(tempfile.mkdtemp(prefix="fsm-arb-demo-")))
    out = console()
    out.print(f"Journal: {escape(str(place.journal))}", soft_wrap=True)
    if not _demonstrate(asked, place, out, keep=keep):
        context.exit(1)


def _demonstrate(asked: Asked, folder: Folder, out: Console, *, keep: bool) -> bool:
    """Run the demonstration and tell what came of it; return whether all is well."""
    from fsm_arb.cli.folder import FolderUnusable
    from fsm_arb.testing.loopback.client import LoopbackUnavailable

    again = f"fsm-arb demo --dir {folder.path} --seed {asked.seed}"
    try:
        with _quietly():
            tales, verdict = asyncio.run(_run(asked, folder, out, keep=keep))
    except (FolderUnusable, LoopbackUnavailable, FsmArbError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(f"stopped; go on with: {again}") from None
    out.print(trades_table(tales))
    for line in verdict_lines(verdict):
        out.print(escape(line), soft_wrap=True)
    for problem in verdict.problems:
        out.print(f"[red]Wrong:[/] {escape(problem)}", soft_wrap=True)
    out.print(f"Journal: {escape(str(folder.journal))}; one trade of it: ", end="", soft_wrap=True)
    out.print(escape(f"fsm-arb show {tales[-1].trade.trade_id} --journal {folder.journal}"), soft_wrap=True)
    out.print("[green]All is well.[/]" if not verdict.problems else "[red]Not all is well.[/]")
    return not verdict.problems


async def _run(asked: Asked, folder: Folder, out: Console, *, keep: bool) -> tuple[list[Tale], Verdict]:
    from fsm_arb.cli.demo import Demo, log_to

    exchange = await folder.exchange(asked)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress,
        log_to(folder.log),
    ):
        task = progress.add_task("trading", total=asked.trades)
        demonstration = Demo(
            asked,
            folder,
            exchange,
            advance=lambda: progress.advance(task),
            settling=lambda: progress.update(task, description="settling"),
        )
        try:
            found = await demonstration.run()
        except BaseException:
            await exchange.aclose()  # the exchange lives on: what is unfinished can be finished
            raise
    if keep:
        await exchange.aclose()
    else:
        await folder.close(exchange)
    return found


@contextmanager
def _quietly() -> Iterator[None]:
    """Say nothing of a short fence: the demonstration's policy says why, and what is journaled is done."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="absence_fence_s")
        yield
