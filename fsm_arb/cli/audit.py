"""The command `fsm-arb audit`: is this journal what was written, and does it follow from itself?"""

from __future__ import annotations

import json
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fsm_arb.audit.anchors import compare_anchors, read_anchors, write_anchor
from fsm_arb.audit.auditing import Audit, audit
from fsm_arb.cli.audit_report import as_json, lines
from fsm_arb.cli.render import console
from fsm_arb.errors import InvalidInput, JournalError
from fsm_arb.journal.reader import JournalReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CANNOT = 2  # exit status where nothing could be found out


def cores() -> int:
    """Return how many processes run at once here."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


@click.command("audit")
@click.argument("journal", type=EXISTING_FILE)
@click.option(
    "--anchor",
    "anchors",
    type=EXISTING_FILE,
    multiple=True,
    help="Compare with every head of the chain that this file has seen. Only read.",
)
@click.option(
    "--write-anchor",
    "writes",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The same, where the file is there; then add the present head to it, if all is well.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="Processes; as many as there are cores.")
@click.option("--json", "in_json", is_flag=True, help="Tell it as one JSON object.")
@click.pass_context
def audit_command(
    context: click.Context,
    *,
    journal: Path,
    anchors: tuple[Path, ...],
    writes: Path | None,
    jobs: int | None,
    in_json: bool,
) -> None:
    """Check that JOURNAL is what was written, and that all of it follows from itself.

    The hash chain, its streams and its mark; that every order had its intent
    first and an id of its own; that every record follows from the one before
    by a row of the table; that outcomes, PnL and positions are what the fills
    say. Reads only and needs no lock: a bot may be writing.

    Exit status: 0 all is well, 1 something is wrong, 2 it could not be found out.
    """
    out = console()
    try:
        seen = [(file, read_anchors(file)) for file in _files(anchors, writes)]
        found = _audited(journal, jobs or cores(), out, quiet=in_json)
        with JournalReader(journal) as reader:
            for _, each in seen:
                for finding in compare_anchors(reader, each, found.head):
                    found.wrong(finding)
        written = found.ok and writes is not None and write_anchor(writes, found.head, time.time_ns())
    except (InvalidInput, JournalError, OSError) as error:
        _give_up(str(error))
    compared = sum(len(each) for _, each in seen)
    if in_json:
        click.echo(json.dumps(as_json(found, compared), indent=2))
    else:
        for line in lines(found, compared, writes if written else None):
            out.print(line, soft_wrap=True)
    if not found.ok:
        context.exit(1)


def _files(anchors: Sequence[Path], writes: Path | None) -> list[Path]:
    files = [*anchors, *([writes] if writes is not None and writes.exists() else [])]
    return list(dict.fromkeys(file.resolve() for file in files))


def _audited(journal: Path, jobs: int, out: Console, *, quiet: bool) -> Audit:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        warnings.catch_warnings(),
        Progress(
            *columns, TimeRemainingColumn(), console=out, transient=True, disable=quiet or not out.is_terminal
        ) as progress,
    ):
        warnings.filterwarnings("ignore", message="absence_fence_s")  # whoever wrote the journal was warned
        task = progress.add_task("records", total=None)
        return audit(journal, jobs=jobs, tell=lambda done, whole: progress.update(task, completed=done, total=whole))


def _give_up(why: str) -> None:
    error = click.ClickException(why)
    error.exit_code = CANNOT
    raise error


