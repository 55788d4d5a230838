"""`fsm-arb report`: a journal as pages for a browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

from fsm_arb.errors import FsmArbError
from fsm_arb.report.writing import PAGES_MAX, write_report, write_trade


@click.command()
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder; of one trade, a file.")
@click.option("--trade", help="Draw this one alone.")
@click.option(
    "--trades",
    type=click.IntRange(min=0),
    help="How many of the newest get a page of their own; without it all do, and of more than"
    f" {PAGES_MAX:,} those that did not simply succeed.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that read the journal; all cores by default.")
def report(journal: Path, *, out: Path, trade: str | None, trades: int | None, jobs: int | None) -> None:
    """Draw the trades of JOURNAL as pages for a browser.

    An index that can be sorted and filtered, and for each trade its state
    diagram with the way it took, both legs through time, what was naked, what
    it decided and every record. Each page is one file that loads nothing. The
    journal is read without its lock: a bot may be writing.
    """
    if trade is not None and trades is not None:
        raise click.UsageError("--trade draws one trade; --trades says of how many an index leads to their pages")
    try:
        if trade is None:
            written = write_report(journal, out, trades=trades, jobs=jobs or os.cpu_count() or 1)
            click.echo(f"{written.index}: {written.trades:,} trades, {written.pages:,} with a page of their own")
        elif not write_trade(journal, trade, out):
            raise click.ClickException(f"no trade {trade} on {journal}")
        else:
            click.echo(out)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}") from error
