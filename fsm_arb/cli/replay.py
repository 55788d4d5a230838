"""The command `fsm-arb replay`: decide every recorded trade again, and compare."""

from __future__ import annotations

import json
import warnings
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fsm_arb.audit.replay import Replayed
from fsm_arb.audit.replay_json import hypothetical_json, replay_json
from fsm_arb.audit.rerunning import Unreadable, rerun, trades_of, unjudged
from fsm_arb.cli.policies import read_changes
from fsm_arb.cli.render import console
from fsm_arb.cli.replay_text import HYPOTHETICAL, hypothetical_lines, replay_lines
from fsm_arb.clock import NS_PER_S
from fsm_arb.errors import FsmArbError

if TYPE_CHECKING:
    from rich.console import Console

    from fsm_arb.audit.rerunning import Rerun

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="replay")
@click.argument("journal", type=EXISTING_FILE)
@click.option(
    "--policy",
    "file",
    type=EXISTING_FILE,
    help="HYPOTHETICAL: decide with the numbers that this TOML file names; all else as recorded.",
)
@click.option("--trade", "only", multiple=True, metavar="TRADE", help="Only this one; may be given several times.")
@click.option(
    "--late", type=click.FloatRange(min=0), metavar="SECONDS", help="Fail where time decided later than that."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="For machines: docs/reading.md has the schema.")
@click.pass_context
def replay_command(
    context: click.Context,
    *,
    journal: Path,
    file: Path | None,
    only: tuple[str, ...],
    late: float | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Decide every trade of JOURNAL again from what was observed, and compare with what is recorded.

    Whatever came from outside is told to the code of today, each at its time;
    what it decides must be what stands there. Nothing is sent and nothing is
    written; a bot may be writing meanwhile.

    Exit status: 0 where every decision is made again (other wording aside), 1
    where one differs or a trade cannot be read, 2 where the command is used
    wrongly. With --policy: 0, since nothing of that is a fault, or 1 where a
    trade cannot be read.
    """
    out = console()
    try:
        changes = _read(file)
        wanted = _wanted(journal, only)
        found = _rerun(journal, wanted, changes, jobs, out)
        skipped = unjudged(journal, wanted, changes) if changes else ()
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        said = replay_json(found) if changes is None else hypothetical_json(found, changes, skipped)
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
    else:
        lines = replay_lines(found) if changes is None else hypothetical_lines(found, changes, skipped)
        for line in lines:
            out.print(line, soft_wrap=True)
    if not _well(found, late):
        context.exit(1)


def _read(file: Path | None) -> dict[str, Any] | None:
    if file is None:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="absence_fence_s")  # nothing is traded under it
        return read_changes(file)


def _wanted(journal: Path, only: tuple[str, ...]) -> list[str]:
    """Return the trades to replay.

    Raises:
        ClickException: One that was named is not there.
        JournalError: The journal cannot be read.
    """
    trades = trades_of(journal)
    if not only:
        return trades
    known = set(trades)
    missing = [name for name in only if name not in known]
    if missing:
        raise click.ClickException(f"no trade {', '.join(missing)} on {journal}")
    return list(dict.fromkeys(only))


def _rerun(journal: Path, wanted: list[str], changes: dict[str, Any] | None, jobs: int, out: Console) -> list[Rerun]:
    """Replay, with a bar where somebody looks on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(HYPOTHETICAL if changes is not None else "trades", total=len(wanted))
        found = []
        for each in rerun(journal, wanted, changes=changes, jobs=jobs):
            found.append(each)
            progress.advance(task)
    return found


def _well(found: list[Rerun], late: float | None) -> bool:
    most = None if late is None else Decimal(str(late)) * NS_PER_S
    for each in found:
        if isinstance(each, Unreadable) or (isinstance(each, Replayed) and not each.same):
            return False
        if isinstance(each, Replayed) and most is not None and each.latest and each.latest.by_ns > most:
            return False
    return True
