"""The command `fsm-arb backtest`: strategy, risk, machine and paper venues over recorded books."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from fsm_arb.cli.render import console
from fsm_arb.errors import FsmArbError

if TYPE_CHECKING:
    from rich.console import Console

    from fsm_arb.backtest import Books, Report, Setup
    from fsm_arb.journal.memory import MemoryDisk
    from fsm_arb.strategy.verdicts import Strategy

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
STYLES = {"success": "green", "partial_hedged": "green", "halted": "red", "rolled_back": "yellow"}


@click.command()
@click.option(
    "--record",
    nargs=2,
    type=EXISTING_FILE,
    metavar="SPOT USDM",
    help="Two recordings of Binance BTC: spot and USD-M futures.",
)
@click.option("--books", multiple=True, type=EXISTING_FILE, help="A CSV file of order books; may be given repeatedly.")
@click.option("--settings", type=EXISTING_FILE, help="A TOML file: pair, markets, balances, strategy, policy, risk.")
@click.option(
    "--strategy",
    metavar="MODULE:NAME",
    help="A strategy of your own: an object with entry and exit, or what makes one when it is called with the setup.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Repeats ids and jitter.")
@click.option("--tick", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds between two looks.")
@click.option("--latency", type=click.FloatRange(0, 60_000), metavar="MS", help="Of one call to a venue.")
@click.option("--jitter", type=click.FloatRange(0, 60_000), metavar="MS", help="Drawn on top of the latency.")
@click.option("--dir", "folder", type=FOLDER, help="Where page, picture and journal go.")
def backtest(
    *,
    record: tuple[Path, Path] | None,
    books: tuple[Path, ...],
    settings: Path | None,
    strategy: str | None,
    seed: int | None,
    tick: float | None,
    latency: float | None,
    jitter: float | None,
    folder: Path | None,
) -> None:
    """Trade recorded books on paper, in virtual time, as fast as the machine goes.

    The same strategy, risk guard, state machine and journal as for money; the
    same books and seed give the same trades. Ends in a table, a page with a
    picture, and a journal that can be audited like any other.
    """
    from fsm_arb.cli.demo import log_to
    from fsm_arb.journal.memory import MemoryDisk

    if bool(record) is bool(books):
        raise click.UsageError("say what to trade on: --record SPOT USDM, or --books FILE")
    if books and settings is None:
        raise click.UsageError("--books needs --settings FILE: what the markets charge and accept stands in no book")
    out, disk = console(), MemoryDisk()
    place = folder or Path(tempfile.mkdtemp(prefix="fsm-arb-backtest-"))
    given = {"seed": seed, "tick_s": tick, "latency_ms": latency, "jitter_ms": jitter}
    try:
        setup = _setup(settings, {name: value for name, value in given.items() if value is not None})
        journal = _clear(place)
        judge = None if strategy is None else _strategy(strategy, setup)
        with log_to(place / "backtest.log"):
            report = _played(setup, _books(record, books), judge, disk, out)
        written = _written(report, disk, place, journal)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    out.print(report_table(report))
    _tell(report, written, out)


def _setup(settings: Path | None, given: dict[str, int | float]) -> Setup:
    from fsm_arb.backtest.setup import binance_setup
    from fsm_arb.cli.backtest_settings import read_setup

    return evolve(binance_setup() if settings is None else read_setup(settings), **given)  # type: ignore[arg-type]


def _books(record: tuple[Path, Path] | None, books: tuple[Path, ...]) -> Books:
    from fsm_arb.backtest import CsvBooks, RecordedBooks
    from fsm_arb.backtest.setup import SPOT, USDM

    return CsvBooks(books) if record is None else RecordedBooks({SPOT: record[0], USDM: record[1]})


def _clear(folder: Path) -> Path:
    """Return where the journal will go; it is found out before the run that it can."""
    journal = folder / "trades.db"
    if journal.exists():
        raise click.ClickException(f"{journal} exists; a backtest writes a journal of its own")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be made: {error.strerror}") from error
    return journal


def _strategy(name: str, setup: Setup) -> Strategy:
    """Return the strategy that a user has named; modules are looked for where the command was called, too."""
    module, _, wanted = name.partition(":")
    if not module or not wanted:
        raise click.BadParameter("must be MODULE:NAME, such as my_bot:strategy", param_hint="--strategy")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), wanted)
    except (ImportError, AttributeError) as error:
        raise click.ClickException(f"--strategy {name}: {error}") from error
    finally:
        sys.path.remove(str(Path.cwd()))
    made: Strategy = found if _judges(found) else found(setup)
    if not _judges(made):
        raise click.ClickException(f"--strategy {name}: {type(made).__name__} has no methods entry and exit")
    return made


def _judges(found: Any) -> bool:
    return not isinstance(found, type) and all(callable(getattr(found, each, None)) for each in ("entry", "exit"))


def _played(setup: Setup, books: Books, strategy: Strategy | None, disk: MemoryDisk, out: Console) -> Report:
    """Run it, with a bar where somebody looks on."""
    from fsm_arb.backtest import backtest as run

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("playing the books", total=1.0)
        return run(
            setup,
            books,
            strategy=strategy,
            disk=disk,
            progress=lambda share: progress.update(task, completed=share),
        )


def _written(report: Report, disk: MemoryDisk, folder: Path, journal: Path) -> dict[str, Path]:
    from fsm_arb.backtest.keeping import keep
    from fsm_arb.backtest.page import page
    from fsm_arb.backtest.plot import plot

    files = {"Page": folder / "report.html", "Picture": folder / "worth.svg"}
    files["Page"].write_text(page(report), encoding="utf-8")
    files["Picture"].write_text(plot(report), encoding="utf-8")
    if disk.records:
        keep(disk, journal)
        files["Journal"] = journal
    return files


# ------------------------------------------------------------------ what is printed


def report_table(report: Report) -> Table:
    """Return what a run came to, one row an outcome, and the sum."""
    from fsm_arb.backtest.page import OUTCOME_COLUMNS, outcome_rows, span

    first, second = report.legs
    title = f"{first.exchange} {first.symbol} against {second.exchange} {second.symbol}: {span(report)}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for name in OUTCOME_COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for kind, status, cells in outcome_rows(report):
        style = STYLES.get(status, "")
        table.add_row(kind, f"[{style}]{status}[/]" if style else status, *map(_plain, cells))
    return table


def _plain(text: str) -> str:
    """Return a number as a terminal or a script takes it: with the minus that stands on a keyboard."""
    return text.replace("\N{MINUS SIGN}", "-")


def _tell(report: Report, written: dict[str, Path], out: Console) -> None:
    from fsm_arb.backtest.page import summary

    told = {name: _plain(value) for name, value in summary(report)}
    names = ("Worth at the end", "Deepest fall", "Positions left open")
    out.print("; ".join(f"{name}: {told[name]}" for name in names) + ".", soft_wrap=True)
    said = sorted(report.why.items(), key=lambda each: (-each[1], each[0]))
    if said:
        words = ", ".join(f"{count:,} {reason}" for reason, count in said)
        out.print(f"What the strategy said of entries: {words}.", soft_wrap=True)
    for name, path in written.items():
        out.print(escape(f"{name}: {path}"), soft_wrap=True)
    if "Journal" in written:
        first = report.trades[0].trade_id if report.trades else ""
        out.print(escape(f"One trade of it: fsm-arb show {first} --journal {written['Journal']}"), soft_wrap=True)
    out.print(f"Digest: {report.digest or 'nothing was traded'}", soft_wrap=True)
