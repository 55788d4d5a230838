"""The command `fsm-arb show`: one trade of a journal as a story, or the list of them."""

from __future__ import annotations

import difflib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsm_arb.audit.figures import clock
from fsm_arb.audit.story import known_at, story_of
from fsm_arb.audit.story_json import story_json
from fsm_arb.audit.tales import Tale, tell
from fsm_arb.cli.moments import moment
from fsm_arb.cli.render import console, story_lines
from fsm_arb.cli.story_text import record_lines, story_parts
from fsm_arb.cli.trade_list import list_trades
from fsm_arb.errors import FsmArbError
from fsm_arb.journal.reader import JournalReader
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    from fsm_arb.cli.moments import Given

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEAR_MAX = 5  # ids that are named where none fits, or several do
SEARCHED_MAX = 20_000  # ids that are compared with one that is not there


@click.command()
@click.argument("trade", required=False)
@click.option("--journal", type=EXISTING_FILE, required=True, help="Read only, without its lock: a bot may be writing.")
@click.option(
    "--at",
    callback=moment,
    metavar="TIME",
    help="What was known then, and nothing later: +1.5s after it began, 14:03:20 UTC, or ISO 8601 with an offset.",
)
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="What was known after its first N records.")
@click.option("--records", is_flag=True, help="Record by record, instead of as a story.")
@click.option("--json", "as_json", is_flag=True, help="For machines: docs/reading.md has the schema.")
@click.option("--halted", is_flag=True, help="Of the list: only what is HALTED.")
@click.option("--live", is_flag=True, help="Of the list: only what a restart would take up again.")
@click.option("--last", type=click.IntRange(min=0), default=40, show_default=True, help="Of the list; 0 for all.")
def show(
    trade: str | None,
    *,
    journal: Path,
    at: Given | None,
    step: int | None,
    records: bool,
    as_json: bool,
    halted: bool,
    live: bool,
    last: int,
) -> None:
    """Tell the story of one TRADE, given by its id or by how that begins; without one, list the trades.

    Its head says how it stands and what to do; below it: what it was decided
    on, its size and orders, what each remedy was compared with, what was naked
    when, and every record in words.
    """
    out = console()
    try:
        with JournalReader(journal) as reader:
            if trade is None:
                if at is not None or step is not None or records:
                    raise click.UsageError("--at, --step and --records are about one TRADE")
                list_trades(reader, out, halted=halted, live=live, last=last, as_json=as_json)
                return
            tale = _found(reader, trade, journal)
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    count, as_of_ns = _cut(tale, at, step)
    if records:
        for line in story_lines(tale.upto(count)):
            click.echo(line)
        return
    story = story_of(tale, upto=count, as_of_ns=as_of_ns)
    if as_json:
        click.echo(json.dumps(story_json(story), indent=1, ensure_ascii=False))
        return
    plain = not out.is_terminal or "utf" not in out.encoding.lower()
    for part in story_parts(story, plain=plain):
        out.print(part, soft_wrap=isinstance(part, str))
    if step is not None:
        for line in record_lines(story):
            out.print(line, soft_wrap=True)


def _found(reader: JournalReader, given: str, journal: Path) -> Tale:
    """Return the trade of that id, or the only one whose id begins so.

    Raises:
        ClickException: There is none, or there are several.
        JournalError: Its records cannot be read.
        MachineError: They contradict the table.
    """
    tale = tell(reader, given)
    if tale is not None:
        return tale
    names = [name.removeprefix(TRADE) for name in reader.streams(TRADE)]
    fitting = [name for name in names if name.startswith(given)]
    if len(fitting) > 1:
        told = ", ".join(fitting[:NEAR_MAX]) + (" and others" if len(fitting) > NEAR_MAX else "")
        raise click.ClickException(f"{len(fitting)} trades on {journal} begin with {given}: {told}")
    tale = tell(reader, fitting[0]) if fitting else None
    if tale is None:
        near = difflib.get_close_matches(given, names[-SEARCHED_MAX:], NEAR_MAX)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        raise click.ClickException(f"no trade {given} on {journal}{meant}")
    return tale


def _cut(tale: Tale, at: Given | None, step: int | None) -> tuple[int, int | None]:
    """Return how many records are to be told, and the moment that is told.

    Raises:
        UsageError: Nothing was known then, or there is no such record.
    """
    began_ns, count = tale.lines[0].record.at_ns, len(tale.lines)
    if at is not None and step is not None:
        raise click.UsageError("--at and --step both say where to stop: give one")
    if step is not None:
        if step > count:
            raise click.UsageError(f"{tale.trade.trade_id} has {count} records, and no record {step}")
        return step, None
    if at is None:
        return count, None if tale.trade.done else time.time_ns()  # what is naked has been so until now
    at_ns = at.of(began_ns)
    known = known_at(tale.lines, at_ns)
    if not known:
        raise click.UsageError(f"{tale.trade.trade_id} was begun later, at {clock(began_ns, days=True)} UTC")
    return known, at_ns
