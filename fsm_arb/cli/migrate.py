"""The command `fsm-arb migrate`: a journal of an earlier format, taken over into a new file."""

from __future__ import annotations

from pathlib import Path

import click

from fsm_arb.errors import FsmArbError
from fsm_arb.journal.migrating import migrate as take_over

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("journal", type=EXISTING_FILE)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The new file.")
def migrate(journal: Path, *, out: Path) -> None:
    """Take JOURNAL, of an earlier format, over into a new file; the old one stays as it is.

    Every record keeps its content, its hash and its place in the chain, and the
    new file is verified as a whole before it gets its name. Refused while a bot
    drives the journal, and where it is of today's format already.
    """
    try:
        told = take_over(journal, out)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{told.records:,} records of format {told.format} taken over into {out}, verified")
    click.echo(f"Last record's hash, as before: {told.hash}")
