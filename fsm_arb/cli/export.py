"""The command `fsm-arb export`: a journal as tables or traces, for others to read."""

from __future__ import annotations

from pathlib import Path

import click

from fsm_arb.errors import FsmArbError
from fsm_arb.export.columns import TABLES
from fsm_arb.export.exporting import TRACES, Format
from fsm_arb.export.exporting import export as write
from fsm_arb.export.moments import Window, moment
from fsm_arb.journal.reader import JournalReader

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FORMATS = [each.value for each in Format]
SUFFIXES = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL, ".parquet": Format.PARQUET}


@click.command()
@click.argument("journal", type=EXISTING_FILE)
@click.option("--what", type=click.Choice([*TABLES, TRACES]), required=True, help="Which table; or traces.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="As the file's name says, unless given.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--since", metavar="TIME", help="ISO 8601, UTC unless it says otherwise; included.")
@click.option("--until", metavar="TIME", help="Likewise; not included.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def export(
    journal: Path, *, what: str, form: str | None, out: Path, since: str | None, until: str | None, force: bool
) -> None:
    """Write what JOURNAL knows as a file: fills, orders, trades, positions, or OpenTelemetry traces.

    Read only, without its lock: a bot may be writing. What the columns mean
    stands in docs/export.md.
    """
    chosen = Format(form) if form else _suits(what, out)
    try:
        window = Window(
            since_ns=moment(since, "since") if since else None, until_ns=moment(until, "until") if until else None
        )
        with JournalReader(journal) as reader:
            count = write(reader, what, chosen, out, window, force=force)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error}") from error
    click.echo(f"{count} {'spans' if what == TRACES else what} in {out}")


def _suits(what: str, out: Path) -> Format:
    """Return the format that the file's name asks for."""
    if what == TRACES:
        return Format.OTLP_JSON
    found = SUFFIXES.get(out.suffix.lower())
    if found is None:
        raise click.UsageError(f"--format is needed: {out.name} ends in none of {', '.join(SUFFIXES)}")
    return found
