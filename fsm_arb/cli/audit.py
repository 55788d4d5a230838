"""The command `fsm-arb audit`: is this journal what was written, does it follow from itself, do exchanges agree?"""

from __future__ import annotations

import json
import os
import time
import warnings
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fsm_arb.audit.anchors import compare_anchors, read_anchors, write_anchor
from fsm_arb.audit.auditing import Audit, audit
from fsm_arb.audit.executions import executed
from fsm_arb.audit.executions_csv import read_executions
from fsm_arb.audit.reconciling import compare
from fsm_arb.cli.accounts import Account, account, compare_accounts
from fsm_arb.cli.audit_report import Told, as_json, lines
from fsm_arb.cli.render import console
from fsm_arb.errors import FsmArbError
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
@click.option(
    "--fills",
    type=EXISTING_FILE,
    multiple=True,
    help="A CSV file of what an exchange says was executed: compare (docs/audit.md names its columns).",
)
@click.option(
    "--exchange",
    "accounts",
    type=account,
    multiple=True,
    metavar="NAME=CCXT_ID",
    help="Compare with what the exchange lists now; keys from FSM_ARB_NAME_API_KEY and FSM_ARB_NAME_SECRET.",
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
    fills: tuple[Path, ...],
    accounts: tuple[Account, ...],
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
    if fills and accounts:
        raise click.UsageError("--fills and --exchange are two comparisons: make one after the other")
    out, processes = console(), jobs or cores()
    try:
        with _quietly():
            told = _told(journal, anchors, writes, _audited(journal, processes, out, quiet=in_json))
            if told.audit.ok and (fills or accounts):
                told = _compared(told, fills, accounts, processes)
    except (FsmArbError, OSError) as error:
        _give_up(str(error))
    if in_json:
        click.echo(json.dumps(as_json(told), indent=2))
    else:
        for line in lines(told):
            out.print(line, soft_wrap=True)
    if not told.ok:
        context.exit(1)


def _told(journal: Path, anchors: Sequence[Path], writes: Path | None, found: Audit) -> Told:
    files = [*anchors, *([writes] if writes is not None and writes.exists() else [])]
    count = 0
    with JournalReader(journal) as reader:
        for file in dict.fromkeys(each.resolve() for each in files):
            seen = read_anchors(file)
            count += len(seen)
            for finding in compare_anchors(reader, seen, found.head):
                found.wrong(finding)
    written = found.ok and writes is not None and write_anchor(writes, found.head, time.time_ns())
    return Told(audit=found, anchors=count, written=writes if written else None)


def _compared(told: Told, fills: Sequence[Path], accounts: Sequence[Account], jobs: int) -> Told:
    journal = told.audit.path
    if accounts:
        comparison = compare_accounts(journal, accounts, jobs)
    else:
        comparison = compare(executed(journal, jobs=jobs), chain.from_iterable(map(read_executions, fills)))
    return Told(audit=told.audit, anchors=told.anchors, written=told.written, comparison=comparison)


def _audited(journal: Path, jobs: int, out: Console, *, quiet: bool) -> Audit:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = quiet or not out.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=out, transient=True, disable=hidden) as progress:
        task = progress.add_task("records", total=None)
        return audit(journal, jobs=jobs, tell=lambda done, whole: progress.update(task, completed=done, total=whole))


def _quietly() -> warnings.catch_warnings[None]:
    """Say nothing of a short fence: whoever wrote the journal was warned."""
    return warnings.catch_warnings(action="ignore")


def _give_up(why: str) -> NoReturn:
    raise CannotTell(why)


class CannotTell(click.ClickException):
    """Nothing could be found out."""

    exit_code = CANNOT
