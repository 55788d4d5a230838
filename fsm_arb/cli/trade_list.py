"""The trades of a journal, a line each, the newest last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from fsm_arb.audit.figures import clock, seconds
from fsm_arb.audit.story import story_of
from fsm_arb.audit.story_json import head_json
from fsm_arb.audit.tales import tell
from fsm_arb.cli.render import STYLES, cash
from fsm_arb.errors import FsmArbError
from fsm_arb.scribe import TRADE
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from fsm_arb.audit.story import Story
    from fsm_arb.journal.reader import JournalReader

TRADES = "fsm_arb.trades/1"


def list_trades(reader: JournalReader, out: Console, *, halted: bool, live: bool, last: int, as_json: bool) -> None:
    """Print the trades that are asked for.

    Raises:
        JournalError: The journal cannot be read at all.
    """
    # What is HALTED is live: the others need not be read.
    names = [name.removeprefix(TRADE) for name in reader.streams(TRADE, live=True if halted or live else None)]
    stories, unreadable = [], []
    for name in reversed(names):
        try:
            tale = tell(reader, name)
        except FsmArbError as error:  # one that is damaged hides no other
            unreadable.append({"trade_id": name, "why": str(error)})
            continue
        if tale is not None and (tale.trade.halted or not halted):
            stories.append(story_of(tale))
        if last and len(stories) == last:
            break
    stories.reverse()
    if as_json:
        said = {"schema": TRADES, "trades": [head_json(story) for story in stories], "unreadable": unreadable}
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
        return
    if stories:
        out.print(trade_table(stories))
    elif not unreadable:
        out.print("No such trade." if halted or live else "No trades.")
    for each in unreadable:
        out.print(f"[red]{escape(each['trade_id'])} cannot be read:[/] {escape(each['why'])}", soft_wrap=True)
    if last and len(stories) == last < len(names):
        out.print(f"The last {last}; --last 0 lists all.")


def trade_table(stories: Sequence[Story]) -> Table:
    """Return one row a trade."""
    table = Table(box=None, pad_edge=False)
    for name in ("trade", "began, UTC", "what", "how it stands"):
        table.add_column(name, no_wrap=True)
    for name in ("matched", "exposure", "PnL", "naked", "orders"):
        table.add_column(name, justify="right", no_wrap=True)
    for story in stories:
        trade, summary = story.trade, story.summary
        first, second = trade.decision.legs
        status = story.result.status if trade.done or trade.halted else trade.state
        style = STYLES.get(status, "")
        table.add_row(
            escape(story.trade_id),
            clock(summary.began_ns, days=True),
            escape(f"{summary.action} {first.base} {first.exchange} / {second.exchange}"),
            f"[{style}]{status}[/]" if style else status,
            f"{plain(summary.quantity)} {first.base}" if trade.ledger else "",
            f"[red]{plain(story.exposure)}[/]" if story.naked else plain(story.exposure),
            cash(summary.net, first.quote) if trade.ledger else "",
            seconds(summary.naked_s) if summary.naked else "",
            str(len(story.orders)),
        )
    return table
